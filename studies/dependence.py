"""What do the tests of independence find, and how often do they err? ``python -m studies.dependence``.

Gates are simulated sample by sample with the looks, the rule and the tests of the product, seeded. Deployments are
healthy, or broken in a way that a score alone does not show. Named is a gate that any of the tests raises an alarm for.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from papergate.promises.tolerance import Tolerance
from papergate.statistics.allocation import Allocation
from papergate.statistics.counts import Counts
from papergate.statistics.dependence import Drawn, alarm_of, premature_failure
from papergate.statistics.looks import LOOKS, looks_within
from papergate.statistics.panels import Panel, beta_panel
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Decision, Rule, decide, weigh

SCORES = {30: 0.697, 500: 0.939}
TOLERANCES = {30: "1 problem", 500: "0.5 points"}
GOLDEN = 64
Chance = Callable[["Sample"], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One draw of a simulated deployment."""

    rate: float
    index: int
    look: int
    place: str
    asked: int
    """Samples asked before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """How often a sample is right, and on what else it depends."""

    title: str
    chance: Chance = lambda sample: sample.rate
    places: str = "a"
    repeats: float = 0.0
    """Chance that a sample repeats an earlier one of its problem."""
    told: bool = False
    """Whether texts tell which one; they are too short for a repeat to be no chance."""
    within_look: float = 0.0
    """Chance that a sample takes the draw that its problem shares within a look."""
    frozen: bool = False
    """Every sample of a problem is its first draw: the temperature is ignored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of a sample."""

    right: bool
    place: str
    look: int
    text: int
    """That of its original, of a copy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How one gate ended."""

    decision: Decision
    named: str
    k: float


def less(points: float) -> Callable[[float], float]:
    return lambda rate: max(0.0, rate - points / 100)


HEALTHY = (
    ("spread .31, as R1 and its distills", Fraction(31, 100)),
    ("spread .55, as the imitated deployment", Fraction(545, 1000)),
    ("spread .15, less noise than any published", Fraction(15, 100)),
)
BROKEN = (
    Deployment(title="healthy, two servers", places="ab"),
    Deployment(title="healthy, four servers", places="abcd"),
    Deployment(title="temperature ignored", frozen=True),
    Deployment(title="correlation .3 within a look", within_look=0.3),
    Deployment(title="30 % copies, texts unknown", repeats=0.3),
    Deployment(title="30 % copies, short texts", repeats=0.3, told=True),
    *(
        Deployment(
            title=f"one server of two lost {lost:g}",
            places="ab",
            chance=lambda s, lost=lost: less(lost * (s.place == "a"))(s.rate),
        )
        for lost in (5, 6.67, 10, 20)
    ),
    Deployment(title="one server of four lost 20", places="abcd", chance=lambda s: less(20 * (s.place == "a"))(s.rate)),
    Deployment(title="10 lost from sample 8 on", chance=lambda s: less(10 * (s.index >= 8))(s.rate)),
    Deployment(title="20 lost after the first sample", chance=lambda s: less(20 * (s.index >= 1))(s.rate)),
    Deployment(title="12 lost after 60 answers", chance=lambda s: less(12 * (s.asked >= 60))(s.rate)),
    Deployment(title="30 lost in every fourth look", chance=lambda s: less(30 * (s.look % 4 == 3))(s.rate)),
)


def simulated(
    deployment: Deployment, panel: Panel, rng: random.Random, *, golden: bool, looks: Sequence[int] = LOOKS
) -> End:
    """One gate, with everything drawn anew."""
    problems = len(panel.rates)
    reference, allocation = _reference(panel, rng, golden=golden)
    rule = Rule.within(Tolerance.parse(TOLERANCES[problems]), problems=problems)
    drawn: list[list[Answer]] = [[] for _ in range(problems)]
    asked = 0
    for number, k in enumerate(looks):
        shared = [rng.random() for _ in range(problems)]
        for at, samples in enumerate(allocation.samples(k)):
            while len(drawn[at]) < samples:
                sample = Sample(
                    rate=panel.rates[at],
                    index=len(drawn[at]),
                    look=number,
                    place=rng.choice(deployment.places),
                    asked=asked,
                )
                drawn[at].append(_answer(deployment, sample, drawn[at], shared[at], rng))
                asked += 1
        counts = Counts(correct=tuple(sum(one.right for one in each) for each in drawn), samples=tuple(map(len, drawn)))
        decision = decide(weigh(counts, reference, rule), rule)
        seen = [_drawn(each, told=deployment.told) for each in drawn]
        found = _examined(seen, counts, reference, rule, decision, last=k == looks[-1])
        if found == "wait":
            continue
        if found or decision is not Decision.INCONCLUSIVE:
            break
    return End(decision=decision, named="" if found == "wait" else found, k=float(counts.average))


def _reference(panel: Panel, rng: random.Random, *, golden: bool) -> tuple[Reference, Allocation]:
    if not golden:
        return Reference.exact(Fraction(panel.mean)), Allocation.equal(len(panel.rates))
    counts = Counts.equal(tuple(sum(rng.random() < rate for _ in range(GOLDEN)) for rate in panel.rates), GOLDEN)
    return Reference.golden(counts), Allocation.of_golden(counts)


def _answer(deployment: Deployment, sample: Sample, before: list[Answer], shared: float, rng: random.Random) -> Answer:
    right, text = _drawn_or_copied(deployment, sample, before, shared, rng)
    return Answer(right=right, place=sample.place, look=sample.look, text=text)


def _drawn_or_copied(
    deployment: Deployment, sample: Sample, before: list[Answer], shared: float, rng: random.Random
) -> tuple[bool, int]:
    """Whether it is right, and its text."""
    if before and deployment.frozen:
        return before[0].right, before[0].text
    if before and rng.random() < deployment.repeats:
        original = rng.choice(before)
        return original.right, original.text
    draw = shared if rng.random() < deployment.within_look**0.5 else rng.random()
    return draw < deployment.chance(sample), sample.index


def _examined(
    seen: list[Drawn],
    counts: Counts,
    reference: Reference,
    rule: Rule,
    decision: Decision,
    *,
    last: bool,
) -> str:
    """The kind of alarm, ``wait`` where further samples may tell, or empty."""
    premature = premature_failure(seen, counts, reference, rule) if _fails(decision) and not last else None
    due = decision is not Decision.INCONCLUSIVE and premature is None
    alarm = alarm_of(seen, counts, reference, due=due, last=last) or premature
    return "" if alarm is None else alarm.kind if alarm.clear else "wait"


def _drawn(samples: list[Answer], *, told: bool) -> Drawn:
    return Drawn(
        right=tuple(one.right for one in samples),
        answers=tuple("gold" if one.right else "other" for one in samples),
        places=tuple(one.place for one in samples),
        looks=tuple(one.look for one in samples),
        texts=tuple(one.text for one in samples) if told else (),
    )


@dataclass(kw_only=True, slots=True)
class Tally:
    """Ends of many gates."""

    ends: list[End] = field(default_factory=list)

    @property
    def cells(self) -> list[str]:
        named, verdicts = [end for end in self.ends if end.named], [end for end in self.ends if not end.named]
        passes, fails = (sum(wanted(end.decision) for end in verdicts) for wanted in (_passes, _fails))
        passing = [end for end in self.ends if _passes(end.decision)]
        of_passes = sum(bool(end.named) for end in passing) / len(passing) if passing else float("nan")
        shares = (len(named), passes, fails)
        kinds = sorted({end.named for end in named}, key=lambda kind: -sum(end.named == kind for end in named))
        return [
            *(f"{count / len(self.ends):.3f}" for count in shares),
            f"{of_passes:.2f}",
            f"{sum(end.k for end in self.ends) / len(self.ends):.1f}",
            ", ".join(kinds),
        ]


def _passes(decision: Decision) -> bool:
    return decision is Decision.PASS


def _fails(decision: Decision) -> bool:
    return decision in (Decision.FAIL_LOW, Decision.FAIL_HIGH)


def rows(
    problems: int, gates: int, *, golden: bool, only: str = "", looks: Sequence[int] = LOOKS
) -> Iterator[tuple[str, Tally]]:
    """Every deployment with ``only`` in its title, ``gates`` times."""
    score = SCORES[problems]
    certain = Panel(rates=(1.0,) * round(problems * score) + (0.0,) * (problems - round(problems * score)))
    panels = [(title, beta_panel(score, problems=problems, within_share=share)) for title, share in HEALTHY]
    if golden:
        panels.append(("certain: each problem always right or never", certain))
    healthy = [(f"healthy, {title}", Deployment(title=title), panel) for title, panel in panels]
    for title, deployment, panel in (*healthy, *((broken.title, broken, panels[0][1]) for broken in BROKEN)):
        if only in title:
            yield title, tally_of(deployment, panel, gates, golden=golden, looks=looks)


def tally_of(deployment: Deployment, panel: Panel, gates: int, *, golden: bool, looks: Sequence[int] = LOOKS) -> Tally:
    rng = random.Random(f"{deployment.title} {golden}")
    return Tally(ends=[simulated(deployment, panel, rng, golden=golden, looks=looks) for _ in range(gates)])


def main() -> int:
    """Print what was found of each deployment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gates", type=int, default=1000, help="simulated gates of each deployment (1000)")
    parser.add_argument("--problems", type=int, nargs="*", default=[30], choices=sorted(SCORES))
    parser.add_argument("--only", default="", help="only deployments with this in their title")
    parser.add_argument("--samples", type=int, help="judged once, after so many samples of a problem on average")
    args = parser.parse_args()
    looks = looks_within(fixed=args.samples)
    started = time.process_time()
    print(
        "| problems | reference | deployment | named | passes | fails | named of passes | samples of a problem | by |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for problems in args.problems:
        for golden in (True, False):
            for title, tally in rows(problems, args.gates, golden=golden, only=args.only, looks=looks):
                cells = [str(problems), "golden" if golden else "exact", title, *tally.cells]
                print("|", " | ".join(cells), "|", flush=True)
    print(f"\n{args.gates} gates a row; {time.process_time() - started:.0f} CPU seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
