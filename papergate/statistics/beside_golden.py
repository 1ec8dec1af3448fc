"""A run beside a golden run: problems that moved, length of the output, truncation."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from papergate.statistics.counts import Counts
from papergate.statistics.family import holm
from papergate.statistics.reference import Reference

MOVED_ALPHA = 0.05
"""Chance that any problem at all is called moved when none is."""
LENGTH_BAND = (Fraction(9, 10), Fraction(11, 10))
"""Mean output length relative to the golden run's: the band of MLPerf inference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What is compared of a run: its counts, how long its completions are and how many were cut off."""

    counts: Counts
    completions: int
    output_tokens: int | None
    """Of all completions together; None where those of some are not known."""
    truncated: int
    """Completions that ran into the token limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One problem in both runs. Rates are fractions of 1."""

    problem: str
    rate: Fraction
    golden_rate: Fraction
    p_value: float
    """Fisher's exact test, two-sided."""
    adjusted: float
    """The same by Holm over all problems."""

    @property
    def moved(self) -> bool:
        """Whether this problem's rate differs beyond chance."""
        return self.adjusted <= MOVED_ALPHA


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A run beside a golden run."""

    problems: tuple[Move, ...]
    """All problems, the surest move first."""
    length_ratio: Fraction | None
    """Mean output tokens over the golden run's; None where either has no output."""
    truncation: Fraction | None
    golden_truncation: Fraction | None
    """Share of completions cut off; None without completions."""
    truncation_p_value: float
    """Fisher's exact test of the two shares, two-sided. Completions of one problem count as independent."""

    @property
    def moved(self) -> tuple[Move, ...]:
        """The problems whose rate differs beyond chance."""
        return tuple(problem for problem in self.problems if problem.moved)

    @property
    def length_within_band(self) -> bool | None:
        """Whether the mean output length is within the band; None where it cannot be told."""
        return None if self.length_ratio is None else LENGTH_BAND[0] <= self.length_ratio <= LENGTH_BAND[1]


def compare(run: Run, golden: Run) -> Comparison:
    """Set a run beside a golden run of the same problems.

    Raises:
        StoreError: the golden run asked other problems.
    """
    Reference.golden(golden.counts).refuse_other_problems(run.counts)
    mean, golden_mean = (_share(side.output_tokens, side.completions) for side in (run, golden))
    return Comparison(
        problems=_moves(run.counts, golden.counts),
        length_ratio=mean / golden_mean if mean and golden_mean else None,
        truncation=_share(run.truncated, run.completions),
        golden_truncation=_share(golden.truncated, golden.completions),
        truncation_p_value=fisher_exact(run.truncated, run.completions, golden.truncated, golden.completions),
    )


@cache
def fisher_exact(a: int, n: int, b: int, m: int) -> float:
    """Two-sided p-value that ``a`` of ``n`` and ``b`` of ``m`` have one rate, in exact arithmetic.

    The sum of the chances of all tables with these margins that are no likelier than the one seen.
    """
    weights = [math.comb(n, i) * math.comb(m, a + b - i) for i in range(max(0, a + b - m), min(n, a + b) + 1)]
    seen = math.comb(n, a) * math.comb(m, b)
    return float(Fraction(sum(weight for weight in weights if weight <= seen), sum(weights)))


def _share(part: int | None, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole and part is not None else None


def _moves(measured: Counts, golden: Counts) -> tuple[Move, ...]:
    names = measured.problems or golden.problems or tuple(map(str, range(1, measured.n + 1)))
    tables = list(zip(measured.correct, measured.samples, golden.correct, golden.samples, strict=True))
    p_values = [fisher_exact(*table) for table in tables]
    moves = (
        Move(problem=name, rate=Fraction(c, k), golden_rate=Fraction(g, m), p_value=p, adjusted=adjusted)
        for name, (c, k, g, m), p, adjusted in zip(names, tables, p_values, holm(p_values), strict=True)
    )
    return tuple(sorted(moves, key=lambda move: move.p_value))
