"""The plan of a promise: what deciding it costs, and how likely each verdict is, before a token is spent."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from papergate.run_folder.notes import Note, note
from papergate.statistics.family import retry_until_pass
from papergate.statistics.panels import Panel, lose
from papergate.statistics.power import REPLICATES, Gate, Outlook, accepted_counts, outlook, pass_probability
from papergate.statistics.reference import ReferenceKind
from papergate.statistics.rule import SINGLE_RUN_SHARE
from papergate.words import Language, label, say

POINT = Fraction(1, 100)
LOSSES = (0 * POINT, 1 * POINT, 3 * POINT, 5 * POINT, 10 * POINT)
"""What a deployment may have lost, in the tables."""
COLUMNS = {
    "lost": 10,
    "pass": 6,
    "fail": 6,
    "undecided": 6,
    "samples": 8,
    "completions": 11,
    "tokens": 8,
    "hours": 7,
}
"""Labels of the table with the width of their columns."""
WIDE = {"W", "F"}
"""Classes of characters that take two places of a terminal (Unicode, East Asian Width)."""
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


def plan_text(planned: Plan, *, attempts: int = 1, language: Language = "en") -> str:
    """The plan as a table with one line per loss; the noise of a printed score held for the truth is in its chances."""
    gate, panel = planned.gate, planned.panel
    head = note("plan_head", _reference(gate), problems=len(panel.rates), looks=[*gate.looks], allocates=gate.allocates)
    golden = panel.golden_samples
    source = note("plan_golden", samples=golden) if golden else note("plan_beta", share=float(SINGLE_RUN_SHARE))
    said = [say(one, language) for one in (head, source)]
    rows = [[label(name, language) for name in COLUMNS], *(_cells(row, planned, language) for row in planned.outlooks)]
    return "\n".join([*said, *map(_aligned, rows), *_attempts(planned, attempts, language)])


def _attempts(planned: Plan, attempts: int, language: Language) -> list[str]:
    """What fresh runs do that are repeated until one passes."""
    if attempts == 1:
        return []
    chances = [[float(100 * row.loss), retry_until_pass(row.passes, attempts)] for row in planned.outlooks]
    return [say(note("plan_attempts", attempts=attempts, chances=chances), language)]


def _reference(gate: Gate) -> Note:
    if gate.reference_samples is None:
        return note("plan_truth")
    if gate.reference is ReferenceKind.EXACT:
        return note("plan_exact", samples=gate.reference_samples)
    return note("plan_own_error", kind=gate.reference.value, samples=gate.reference_samples)


def _cells(row: Outlook, planned: Plan, language: Language) -> list[str]:
    cost, completions = planned.cost, row.samples * len(planned.panel.rates)
    chances = (row.passes, row.fails_low + row.fails_high, row.inconclusive)
    return [
        say(note("plan_loss", points=float(100 * row.loss)), language),
        *(f"{chance:.0%}" for chance in chances),
        f"{row.samples:.1f}",
        f"{completions:.0f}",
        *(_amount(value, language) for value in (cost.tokens(completions), cost.hours(completions))),
    ]


def _aligned(cells: Sequence[str]) -> str:
    """The cells of a row, each at the right of its column."""
    widths = zip(cells, COLUMNS.values(), strict=True)
    return " ".join(" " * (width - _places(cell)) + cell for cell, width in widths)


def _places(text: str) -> int:
    """Places that a text takes in a terminal."""
    return len(text) + sum(unicodedata.east_asian_width(character) in WIDE for character in text)


def _amount(value: float | None, language: Language) -> str:
    if value is None:
        return label("not_known_cell", language)
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.1f}{unit}"
    return f"{value:.1f}"
