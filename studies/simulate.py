"""The operating characteristics of the gate, simulated with a seed: ``python -m studies.simulate``.

Panels are Beta-distributed around the published scores of the DeepSeek-R1 family (arXiv 2501.12948). Damage is one
shift in logits common to all problems. Every gate draws its own reference, so its error is in the figures.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import NormalDist, fmean

from papergate.promises.tolerance import Tolerance
from papergate.statistics.looks import LOOKS
from papergate.statistics.panels import Panel, beta_panel
from papergate.statistics.power import Gate, Outlook, outlook
from papergate.statistics.reference import ReferenceKind
from papergate.statistics.rule import Rule

POINT = Fraction(1, 100)
RIGHT, WRONGLY_FAILS, WRONGLY_PASSES = 0.96, 0.04, 0.03
"""Promised against a golden run of 64 samples: perfect deployments pass at least so often and fail at most so often;
of those that lost the margin at least as many fail, and at most so many pass."""
RESUMED = 0.5
"""Half of all decided gates are resumed nonetheless, and the later verdict counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """One benchmark to simulate on: a panel per published score, and what a gate of it loses."""

    name: str
    problems: int
    tolerance: str
    scores: tuple[float, ...]
    """Published pass@1 of R1 and its six distills."""
    within_share: Fraction
    """Share of the binomial variance that lies within problems, for this family of models."""
    pooled_share: Fraction
    """The same, pooled over published repeats of many models: a noisier family."""
    most_samples: float
    """Promised for perfect deployments against a golden run: samples of each problem, on average."""
    losses: tuple[Fraction, ...]
    replicates: int

    def panels(self) -> tuple[Panel, ...]:
        """One panel per score."""
        return tuple(beta_panel(s, problems=self.problems, within_share=self.within_share) for s in self.scores)

    def rule(self, *, two_sided: bool = True) -> Rule:
        """The rule of the benchmark's tolerance."""
        return Rule.within(Tolerance.parse(self.tolerance), problems=self.problems, two_sided=two_sided)


AIME = Bench(
    name="AIME",
    problems=30,
    tolerance="1 problem",
    scores=(0.798, 0.289, 0.555, 0.697, 0.726, 0.504, 0.700),
    within_share=Fraction(31, 100),
    pooled_share=Fraction(375, 1000),
    most_samples=12.5,
    losses=(Fraction(0), Fraction(1, 30), 5 * POINT, 10 * POINT),
    replicates=2000,
)
MATH = Bench(
    name="MATH-500",
    problems=500,
    tolerance="0.5 points",
    scores=(0.973, 0.839, 0.928, 0.939, 0.943, 0.891, 0.945),
    within_share=Fraction(37, 100),
    pooled_share=Fraction(415, 1000),
    most_samples=5.6,
    losses=(Fraction(0), POINT / 2, POINT, 2 * POINT),
    replicates=500,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A gate on a benchmark, and the words for it in the table."""

    bench: Bench
    gate: Gate
    title: str
    kept: bool = False
    """Whether the figures promised in docs/verdict.md are checked on it."""


def cases() -> Iterator[Case]:
    """Every gate of the table."""
    golden, sampled, exact = ReferenceKind.GOLDEN, ReferenceKind.SAMPLED, ReferenceKind.EXACT
    yield from _both_sides(AIME, golden, 64)
    yield from _both_sides(AIME, sampled, 64)
    yield from _both_sides(AIME, exact, None)
    yield from _both_sides(AIME, exact, 64)
    yield from _stressed(AIME, golden, 64)
    yield from _both_sides(MATH, golden, 64)
    yield from _both_sides(MATH, golden, 16)
    yield from _both_sides(MATH, sampled, 4)
    yield from _both_sides(MATH, exact, None)
    yield from _both_sides(MATH, exact, 4)
    yield from _stressed(MATH, golden, 64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """A gate's outlooks on the models of its benchmark: the mean, and how far single models lie apart."""

    each: tuple[Outlook, ...]

    @property
    def mean(self) -> Outlook:
        """Every figure averaged over the models."""
        return Outlook(
            loss=self.each[0].loss,
            passes=fmean(one.passes for one in self.each),
            fails_low=fmean(one.fails_low for one in self.each),
            fails_high=fmean(one.fails_high for one in self.each),
            inconclusive=fmean(one.inconclusive for one in self.each),
            samples=fmean(one.samples for one in self.each),
        )

    @property
    def passes(self) -> str:
        """Fewest and most passes of a model."""
        return f"{min(one.passes for one in self.each):.3f} to {max(one.passes for one in self.each):.3f}"

    @property
    def samples(self) -> str:
        """Fewest and most samples of a model."""
        return f"{min(one.samples for one in self.each):.1f} to {max(one.samples for one in self.each):.1f}"


def spread(case: Case, loss: Fraction, *, replicates: int) -> Spread:
    """The gate's outlook on every panel of its benchmark."""
    panels = enumerate(case.bench.panels())
    return Spread(
        each=tuple(outlook(case.gate, panel, loss, replicates=replicates, seed=seed) for seed, panel in panels)
    )


def missed(case: Case, seen: Outlook) -> Iterator[str]:
    """Promised figures that ``seen`` does not keep, in words."""
    where = f"{case.title}, lost {float(100 * seen.loss):.2f} points"
    fails = seen.fails_low + seen.fails_high
    if case.kept and seen.loss == 0:
        if seen.passes < RIGHT or fails > WRONGLY_FAILS:
            yield f"{where}: PASS {seen.passes:.3f} (at least {RIGHT}), FAIL {fails:.3f} (at most {WRONGLY_FAILS})"
        if case.gate.resumed == 0 and seen.samples > case.bench.most_samples:
            yield f"{where}: {seen.samples:.1f} samples, at most {case.bench.most_samples} are promised"
    if case.kept and seen.loss == case.gate.rule.margin and (fails < RIGHT or seen.passes > WRONGLY_PASSES):
        yield f"{where}: FAIL {fails:.3f} (at least {RIGHT}), PASS {seen.passes:.3f} (at most {WRONGLY_PASSES})"


def unseen(bench: Bench, spread_points: int, *, replicates: int) -> float:
    """Passes of deployments that are right on average, but shifted in each run as a whole; no single run can see that.

    The shift of a run is normal with this standard deviation; its deciles stand for it.
    """
    gate = Gate(rule=bench.rule(), reference=ReferenceKind.GOLDEN, reference_samples=LOOKS[-1])
    shifts = [NormalDist().inv_cdf((place + 0.5) / 10) * spread_points / 100 for place in range(10)]
    return fmean(
        outlook(gate, panel, Fraction(shift), promised=panel, replicates=replicates, seed=seed).passes
        for seed, panel in enumerate(bench.panels())
        for shift in shifts
    )


def main() -> int:
    """Print the table, then the promised figures that were missed; 1 if there are any."""
    found: list[str] = []
    sys.stdout.write(
        "| gate | lost, points | PASS | FAIL_LOW | FAIL_HIGH | INCONCLUSIVE | E[samples] | PASS by model |"
    )
    sys.stdout.write(" E[samples] by model |\n|---|---|---|---|---|---|---|---|---|\n")
    for case in cases():
        for loss in case.bench.losses:
            seen = spread(case, loss, replicates=case.bench.replicates)
            found += missed(case, seen.mean)
            sys.stdout.write(_row(case.title, seen))
            sys.stdout.flush()
    for bench, points in ((AIME, 1), (AIME, 2), (AIME, 3), (MATH, 1)):
        passes = unseen(bench, points, replicates=bench.replicates // 10)
        sys.stdout.write(
            f"{bench.name}, golden 64, runs shifted as a whole by {points} points (sd): PASS {passes:.3f}\n"
        )
    sys.stdout.write("".join(f"missed: {one}\n" for one in found) or "all promised figures are kept\n")
    return 1 if found else 0


def _both_sides(bench: Bench, kind: ReferenceKind, samples: int | None) -> Iterator[Case]:
    for two_sided in (True, False):
        rule = bench.rule(two_sided=two_sided)
        gate = Gate(rule=rule, reference=kind, reference_samples=samples)
        sides = "two-sided" if two_sided else "one-sided"
        title = f"{_reference(bench, kind, samples)}, {sides}"
        yield Case(bench=bench, gate=gate, title=title, kept=kind is ReferenceKind.GOLDEN and samples == LOOKS[-1])


def _stressed(bench: Bench, kind: ReferenceKind, samples: int) -> Iterator[Case]:
    gate = Gate(rule=bench.rule(), reference=kind, reference_samples=samples)
    title = _reference(bench, kind, samples)
    yield Case(bench=bench, gate=replace(gate, allocated=False), title=f"{title}, the same samples of every problem")
    noisier = replace(bench, within_share=bench.pooled_share)
    yield Case(bench=noisier, gate=gate, title=f"{title}, noisier problems")
    every = tuple(range(2, LOOKS[-1] + 1))
    yield Case(bench=bench, gate=replace(gate, looks=every), title=f"{title}, a look after every sample", kept=True)
    yield Case(bench=bench, gate=replace(gate, resumed=RESUMED), title=f"{title}, resumed at random", kept=True)


def _reference(bench: Bench, kind: ReferenceKind, samples: int | None) -> str:
    if kind is ReferenceKind.EXACT:
        return f"{bench.name}, exact" + (f" though a mean of {samples}" if samples else "")
    return f"{bench.name}, {kind} {samples}"


def _row(title: str, seen: Spread) -> str:
    mean = seen.mean
    chances = " | ".join(f"{c:.3f}" for c in (mean.passes, mean.fails_low, mean.fails_high, mean.inconclusive))
    lost = f"{float(100 * mean.loss):.2f}"
    return f"| {title} | {lost} | {chances} | {mean.samples:.1f} | {seen.passes} | {seen.samples} |\n"


if __name__ == "__main__":
    raise SystemExit(main())
