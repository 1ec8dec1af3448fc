"""The plan of a promise: what deciding it costs, and how likely each verdict is, before a token is spent."""

from dataclasses import dataclass
from fractions import Fraction

from papergate.run_folder.notes import Note, note
from papergate.statistics.family import retry_until_pass
from papergate.statistics.panels import Panel, lose
from papergate.statistics.power import REPLICATES, Gate, Outlook, accepted_counts, outlook, pass_probability
from papergate.statistics.reference import ReferenceKind
from papergate.words import say

POINT = Fraction(1, 100)
LOSSES = (0 * POINT, 1 * POINT, 3 * POINT, 5 * POINT, 10 * POINT)
"""What a deployment may have lost, in the tables."""
COLUMNS = "      lost   pass   fail incon.  samples completions   tokens   hours"
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one sample takes; None where it was not measured."""

    tokens_per_sample: float | None = None
    """Mean output tokens of a completion."""
    tokens_per_s: float | None = None
    """Output tokens per second of the whole deployment under load."""

    def tokens(self, samples: float) -> float | None:
        """Output tokens of ``samples`` completions."""
        return None if self.tokens_per_sample is None else samples * self.tokens_per_sample

    def hours(self, samples: float) -> float | None:
        """Hours of ``samples`` completions."""
        tokens = self.tokens(samples)
        return tokens / self.tokens_per_s / SECONDS_PER_HOUR if tokens is not None and self.tokens_per_s else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a gate will do on a panel, for each loss."""

    gate: Gate
    panel: Panel
    outlooks: tuple[Outlook, ...]
    cost: Cost


@dataclass(frozen=True, kw_only=True, slots=True)
class SingleRun:
    """What a vendor document's run can show: the literal assert alone, on few samples."""

    problems: int
    k: int
    accepted: tuple[int, ...]
    """Counts of correct samples that pass."""
    passes: tuple[tuple[Fraction, float], ...]
    """Each loss with its chance to pass."""

    @property
    def note(self) -> Note:
        """Which counts pass, and how often a perfect and a damaged deployment would have passed."""
        passes = [[float(100 * loss), float(chance)] for loss, chance in self.passes]
        return note("one_run", problems=self.problems, k=self.k, accepted=[*map(int, self.accepted)], passes=passes)

    @property
    def sentence(self) -> str:
        """The note in words."""
        return say(self.note)


def plan(gate: Gate, panel: Panel, *, cost: Cost, promised: Panel | None = None, replicates: int = REPLICATES) -> Plan:
    """Simulate ``gate`` on ``panel``, what a perfect deployment scores, and on the same with losses.

    ``promised`` is the panel behind the reference where that is another model's, as for a gain.
    """
    ends = tuple(outlook(gate, panel, loss, promised=promised, replicates=replicates) for loss in _losses(panel))
    return Plan(gate=gate, panel=panel, outlooks=ends, cost=cost)


def single_run(gate: Gate, panel: Panel, *, promised: Fraction, k: int = 1) -> SingleRun:
    """How often the literal assert alone passes after ``k`` samples of each problem, for each loss; exact."""
    samples = k * len(panel.rates)
    passes = tuple(
        (loss, pass_probability(lose(panel, float(loss)).rates, k=k, promised=promised, rule=gate.rule))
        for loss in _losses(panel)
    )
    accepted = accepted_counts(samples=samples, promised=promised, rule=gate.rule)
    return SingleRun(problems=len(panel.rates), k=k, accepted=accepted, passes=passes)


def _losses(panel: Panel) -> list[Fraction]:
    """Those of `LOSSES` that the panel has to lose."""
    return [loss for loss in LOSSES if loss <= panel.mean]


def plan_text(planned: Plan, *, attempts: int = 1) -> str:
    """The plan as a table with one line per loss; the noise of a printed score held for the truth is in its chances."""
    problems, looks = len(planned.panel.rates), planned.gate.looks
    spread = " on average, more where the golden run's answers vary" if planned.gate.allocates else ""
    head = f"{problems} problems, looks at {', '.join(map(str, looks))} samples{spread}; {_reference(planned.gate)}"
    source = f"simulated on {planned.panel.source}"
    rows = [_line(row, problems, planned.cost) for row in planned.outlooks]
    return "\n".join([head, source, COLUMNS, *rows, *_attempts(planned, attempts)])


def _attempts(planned: Plan, attempts: int) -> list[str]:
    """What fresh runs do that are repeated until one passes."""
    if attempts == 1:
        return []
    chances = ", ".join(f"{_lost(row)} {retry_until_pass(row.passes, attempts):.0%}" for row in planned.outlooks)
    return [f"one of {attempts} fresh runs passes, by the loss: {chances}; so a run is resumed, never repeated"]


def _reference(gate: Gate) -> str:
    if gate.reference_samples is None:
        return "the promised score is the truth"
    if gate.reference is ReferenceKind.EXACT:
        return f"the printed score is a mean of {gate.reference_samples} samples held for the truth"
    return f"{gate.reference} reference of {gate.reference_samples} samples, its own error counted"


def _lost(row: Outlook) -> str:
    return "nothing" if row.loss == 0 else f"{float(100 * row.loss):g} point{'s' * (row.loss != POINT)}"


def _line(row: Outlook, problems: int, cost: Cost) -> str:
    completions = row.samples * problems
    chances = f"{row.passes:>6.0%} {row.fails_low + row.fails_high:>6.0%} {row.inconclusive:>6.0%}"
    price = f"{_amount(cost.tokens(completions)):>8} {_amount(cost.hours(completions)):>7}"
    return f"{_lost(row):>10} {chances} {row.samples:>8.1f} {completions:>11.0f} {price}"


def _amount(value: float | None) -> str:
    if value is None:
        return "unknown"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.1f}{unit}"
    return f"{value:.1f}"
