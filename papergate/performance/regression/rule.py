"""The regression gate: is one deployment slower than another on the same prompts, and how sure is that?

Everything is about ratios of end-to-end latencies of the same prompt, as logarithms: 0.05 is about 5 % slower.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from statistics import NormalDist, fmean, median, stdev

from papergate.errors import WorkloadError
from papergate.performance.metrics import e2e_s
from papergate.performance.records import TimedRequest
from papergate.run_folder.notes import Note, note
from papergate.verdict import Verdict
from papergate.words import worded

MARGIN = 0.05
"""Slowdown that is tolerated: proven to be below it, a deployment passes."""
SMALLEST_REGRESSION = 0.03
"""A slowdown below this is never called a failure, however sure it is."""
CONFIDENCE = 0.95
"""Of the two-sided interval."""
RESTART_SD = 0.015
"""Standard deviation of the log latency from one start of an engine to the next (memory layout, compiled kernels,
clocks), assumed where no restart was seen."""
SESSION_SD = 0.06
"""The same from one session on a machine to another, for a stored baseline: the machine's own state is in it."""
FEWEST_CLUSTERS = 3
"""Below this a spread between clusters says nothing."""
BISECTIONS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """What is tolerated."""

    margin: float = MARGIN
    smallest: float = SMALLEST_REGRESSION
    confidence: float = CONFIDENCE


@dataclass(frozen=True, kw_only=True, slots=True)
class Slowdown:
    """How much slower, with its interval, as ratios of latencies: 1.05 is 5 % slower."""

    ratio: float
    lower: float
    upper: float
    comparisons: int
    """Log ratios behind it: of one prompt, or balanced over both orders."""
    clusters: int
    verdict: Verdict
    reasons: tuple[Note, ...] = ()
    """Why a run of the comparison cannot be used, if so; the verdict is then inconclusive."""

    @property
    def note(self) -> Note:
        """What was seen, how sure, what it means."""
        seen = note(
            "slowdown",
            change=self.ratio - 1,
            interval=[self.lower - 1, self.upper - 1],
            comparisons=self.comparisons,
            clusters=self.clusters,
        )
        unfit = (note("comparison_unfit", *self.reasons),) if self.reasons else ()
        return note("verdict", seen, *unfit, verdict=self.verdict.value)


def judge_slowdown(clusters: Sequence[Sequence[float]], gate: Gate, *, unseen_sd: float) -> Slowdown:
    """The verdict on clusters of paired log ratios (new over old).

    In each cluster the Hodges-Lehmann estimate; over the clusters mean +- t, so that whatever the pairs of a cluster
    share cannot pass for evidence. ``unseen_sd`` is the standard deviation of one side that no cluster shows
    (`RESTART_SD`, `SESSION_SD`, or 0 where the clusters are restarts): radius^2 = (t s / sqrt(R))^2 + 2 (z unseen)^2.

    PASS where the slowdown is proven to be below the margin, FAIL where it is proven to be one at all and the estimate
    exceeds ``smallest``, else INCONCLUSIVE.

    Raises:
        WorkloadError: there are too few clusters.
    """
    filled = [cluster for cluster in clusters if cluster]
    if len(filled) < FEWEST_CLUSTERS:
        raise worded(WorkloadError, note("clusters_too_few", count=len(filled), fewest=FEWEST_CLUSTERS))
    estimates = [hodges_lehmann(cluster) for cluster in filled]
    centre = fmean(estimates)
    tail = (1 + gate.confidence) / 2
    seen = t_quantile(tail, len(estimates) - 1) * stdev(estimates) / math.sqrt(len(estimates))
    radius = math.hypot(seen, NormalDist().inv_cdf(tail) * math.sqrt(2) * unseen_sd)
    return Slowdown(
        ratio=math.exp(centre),
        lower=math.exp(centre - radius),
        upper=math.exp(centre + radius),
        comparisons=sum(map(len, filled)),
        clusters=len(filled),
        verdict=_verdict(centre, radius, gate),
    )


def _verdict(centre: float, radius: float, gate: Gate) -> Verdict:
    if centre + radius < math.log1p(gate.margin):
        return Verdict.PASS
    if centre - radius > 0 and centre > math.log1p(gate.smallest):
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE


def log_ratios(new: Sequence[TimedRequest], old: Sequence[TimedRequest]) -> list[float]:
    """log(new e2e / old e2e) of each prompt that both runs answered, in the order of the prompts."""
    new_s, old_s = ({request.prompt: e2e_s(request) for request in side} for side in (new, old))
    return ratios_of(new_s, old_s)


def ratios_of(new_s: "dict[int, float | None]", old_s: "dict[int, float | None]") -> list[float]:
    """log(new / old) of each prompt that has both."""
    both = sorted(new_s.keys() & old_s.keys())
    return [math.log(new / old) for prompt in both if (new := new_s[prompt]) and (old := old_s[prompt])]


def balanced(ratios: Sequence[float], block: int) -> list[float]:
    """Mean of each ratio and its partner one ``block`` on, which was measured in the other order.

    A server that is measured twice in a row has warm caches: 4 % on the embedded model, with the opposite sign in the
    other order. A last block without a partner is left out.
    """
    starts = range(0, len(ratios) - 2 * block + 1, 2 * block)
    return [(ratios[start + i] + ratios[start + block + i]) / 2 for start in starts for i in range(block)]


def clusters_of(ratios: Sequence[float], size: int) -> list[list[float]]:
    """Consecutive pairs in clusters of ``size``; what is left over joins the last."""
    whole = max(1, len(ratios) // size)
    clusters = [list(ratios[index * size : (index + 1) * size]) for index in range(whole)]
    clusters[-1] += ratios[whole * size :]
    return clusters


def hodges_lehmann(values: Sequence[float]) -> float:
    """Median of the means of all pairs of ``values``, each value paired with itself too (Hodges and Lehmann, 1963)."""
    return median(walsh_averages(values))


def walsh_averages(values: Sequence[float]) -> list[float]:
    """The means of all pairs of ``values``, each value paired with itself too."""
    return [(a + b) / 2 for a, b in combinations_with_replacement(values, 2)]


@cache
def t_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t for a ``probability`` above 1/2, by bisection of `t_probability`."""
    low, high = 0.0, 1.0
    while t_probability(high, freedom) < probability:
        high *= 2
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if t_probability(middle, freedom) < probability else (low, middle)
    return high


def t_probability(t: float, freedom: int) -> float:
    """P(T <= t) of Student's t with a whole number of degrees of freedom.

    The finite sums of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for step in range(freedom // 2):
        total += term
        term *= square * (2 * step + 1 + odd) / (2 * step + 2 + odd)
    within = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return (1 + within) / 2
