"""Formulas beside the gate's own, which it does not use; tests hold them to published values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from statistics import median

from papergate.performance.regression.rule import walsh_averages
from papergate.statistics.counts import Counts
from papergate.statistics.reference import PRINTED_STEP

INFORMATIVE = (0.02, 0.98)
"""Probabilities between which a token can show drift: near 0 or 1 every deployment agrees."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """Distances between log-probabilities, in nats, over the tokens of one or more transcripts."""

    mean_abs: float
    rms: float
    k1: float
    """Mean of reference minus deployment: the plain, noisy estimate of KL(reference, deployment)."""
    k3: float
    """Mean of exp(x) - 1 - x with x deployment minus reference: the same, never negative and less noisy."""
    rms_probability: float
    """Root mean square difference of the probabilities themselves."""
    informative: int
    """Tokens whose reference probability lies within `INFORMATIVE`."""


def drift(reference: Sequence[float], deployment: Sequence[float]) -> Drift | None:
    """Drift of ``deployment`` from ``reference``, token by token; None without tokens.

    Raises:
        ValueError: the two are not equally long.
    """
    pairs = list(zip(reference, deployment, strict=True))
    if not pairs:
        return None
    apart = [after - before for before, after in pairs]
    return Drift(
        mean_abs=_mean([abs(x) for x in apart]),
        rms=math.sqrt(_mean([x * x for x in apart])),
        k1=-_mean(apart),
        k3=_mean([math.expm1(x) - x for x in apart]),
        rms_probability=math.sqrt(_mean([(math.exp(after) - math.exp(before)) ** 2 for before, after in pairs])),
        informative=sum(INFORMATIVE[0] < math.exp(before) < INFORMATIVE[1] for before in reference),
    )


def sidak_alpha(alpha: float, gates: int) -> float:
    """Error rate of each of ``gates`` independent gates that makes one of them err with ``alpha``."""
    return 1 - math.pow(1 - alpha, 1 / gates)


def score_if_truncated_were_right(counts: Counts, truncated: Sequence[int]) -> Fraction:
    """The score if every truncated sample were right: an upper end of what the token limit can have cost.

    ``truncated`` counts each problem's samples that were cut off and graded incorrect.
    """
    pairs = zip(counts.correct, truncated, strict=True)
    return Counts(correct=tuple(c + cut for c, cut in pairs), samples=counts.samples).score


def could_be_printed(printed: Sequence[Fraction], *, problems: int, k: int) -> bool:
    """Whether all ``printed`` percentages, rounded to 0.1, can be means over ``k`` samples per problem."""
    return all(_printable(value, problems * k) for value in printed)


def _printable(percent: Fraction, samples: int) -> bool:
    nearest = round(percent * samples / 100)
    return any(
        abs(Fraction(100 * c, samples) - percent) <= 50 * PRINTED_STEP for c in (nearest - 1, nearest, nearest + 1)
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
