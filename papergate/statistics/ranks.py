"""Rank statistics of latencies: paired shifts, intervals of quantiles, and when a percentile is shown to hold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations_with_replacement
from statistics import median


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """The Hodges-Lehmann shift of paired differences, with its distribution-free interval."""

    estimate: float
    lo: float
    hi: float
    level: float
    """What the interval covers exactly; at least the level asked for, where the pairs are enough for it."""
    p_value: float
    """Wilcoxon's signed-rank test of no shift, two-sided, exact; zeros speak against a shift."""


def walsh_averages(values: Sequence[float]) -> list[float]:
    """The means of all pairs of ``values``, each value paired with itself too; their median is Hodges and Lehmann's."""
    return [(a + b) / 2 for a, b in combinations_with_replacement(values, 2)]


def hodges_lehmann(differences: Sequence[float], *, level: float = 0.95) -> Shift:
    """Median of the pairwise means, and the interval between two of them by the exact signed-rank distribution."""
    n = len(differences)
    walsh = sorted(walsh_averages(differences))
    below = _signed_rank_distribution(n)
    rank = max(1, sum(chance <= (1 - level) / 2 for chance in below))
    extreme = min(sum(mean <= 0 for mean in walsh), sum(mean >= 0 for mean in walsh))
    return Shift(
        estimate=median(walsh),
        lo=walsh[rank - 1],
        hi=walsh[-rank],
        level=1 - 2 * below[rank - 1],
        p_value=min(1.0, 2 * below[extreme]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantileRanks:
    """Places in the sorted sample, counted from 1, between which a quantile lies."""

    lo: int
    hi: int
    coverage: float


def quantile_ranks(n: int, quantile: float, *, level: float = 0.95) -> QuantileRanks:
    """The interval of a quantile by order statistics, with at most half of the error on either side.

    Place 0 and place n + 1 mean that the sample is too small to bound that side.
    """
    cumulated = list(accumulate(_binomial(n, quantile)))
    error = (1 - level) / 2
    lo = sum(chance <= error for chance in cumulated)
    hi = next((i + 1 for i, chance in enumerate(cumulated) if chance >= 1 - error), n + 1)
    below = cumulated[lo - 1] if lo > 0 else 0.0
    return QuantileRanks(lo=lo, hi=hi, coverage=cumulated[hi - 1] - below)


def queries_for_percentile(percentile: float, *, over: int, confidence: float = 0.99) -> int:
    """Queries, in all, after which ``over`` of them above the bound still show that the percentile is within it.

    MLPerf LoadGen's early stopping: the least h + over with P(Binomial(h + over, 1 - percentile) <= over) <= 1 - c.
    """
    queries = over + 1
    while math.fsum(_binomial(queries, 1 - percentile)[: over + 1]) > 1 - confidence:
        queries += 1
    return queries


def _signed_rank_distribution(n: int) -> list[float]:
    """Chance that the signed-rank statistic of n pairs is at most 0, 1, 2, ... when there is no shift."""
    ways = [1]
    for rank in range(1, n + 1):
        longer = ways + [0] * rank
        ways = [stay + (longer[i - rank] if i >= rank else 0) for i, stay in enumerate(longer)]
    return [count / 2**n for count in accumulate(ways)]


def _binomial(n: int, p: float) -> list[float]:
    """Chances of 0 to n successes."""
    logs = (
        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p)
        for i in range(n + 1)
    )
    return [math.exp(value) for value in logs]
