"""Other errors of the same score, and what each of them answers; the verdict uses `Counts.variance`.

A reader who knows one of these from another tool finds here what it would say, and why it differs.
"""

import math
from collections.abc import Callable
from fractions import Fraction

from papergate.statistics.counts import Counts

BISECTIONS = 100
"""Halvings of the unit interval: below the spacing of floats."""


def binomial_variance(counts: Counts) -> Fraction:
    """p(1-p) / N: as if all samples were draws from one urn. Too wide: problems differ, and always in the same way."""
    return counts.score * (1 - counts.score) / sum(counts.samples)


def unbiased_variance(counts: Counts) -> Fraction | None:
    """The variance over this panel without the imaginary dissenting sample; zero where all samples agree.

    None where a problem has one sample.
    """
    if counts.fewest == 1:
        return None
    pairs = zip(counts.correct, counts.samples, strict=True)
    return sum((Fraction(c * (k - c), k**2 * (k - 1)) for c, k in pairs), Fraction(0)) / counts.n**2


def clustered_variance(counts: Counts, *, corrected: bool = False) -> Fraction:
    """Variance for new problems of the same kind, samples clustered by problem: Miller (2024).

    It answers another question than the gate's, so more samples do not shrink it. ``corrected`` multiplies by
    n/(n-1), as inspect_ai does; a single problem then has none to give and keeps the plain value.
    """
    shares = [Fraction(c, k) for c, k in zip(counts.correct, counts.samples, strict=True)]
    plain = sum(((share - counts.score) ** 2 for share in shares), Fraction(0)) / counts.n**2
    return plain * Fraction(counts.n, counts.n - 1) if corrected and counts.n > 1 else plain


def bootstrap_variance_within(counts: Counts) -> Fraction:
    """Variance over all resamples of samples within problems, in closed form: (k-1)/k of the unbiased one."""
    pairs = zip(counts.correct, counts.samples, strict=True)
    return sum((Fraction(c * (k - c), k**3) for c, k in pairs), Fraction(0)) / counts.n**2


def bootstrap_variance_of_problems(counts: Counts) -> Fraction:
    """Variance over all resamples of whole problems, in closed form: the plain clustered variance."""
    return clustered_variance(counts)


def clopper_pearson(correct: int, samples: int, *, alpha: float) -> tuple[float, float]:
    """Exact interval of one rate, ``alpha`` on both sides together; for a rate of truncation, not for a score."""
    lo = _crossing(lambda p: _tail(correct, samples, p) < alpha / 2) if correct > 0 else 0.0
    hi = _crossing(lambda p: 1 - _tail(correct + 1, samples, p) >= alpha / 2) if correct < samples else 1.0
    return lo, hi


def _crossing(below: Callable[[float], bool]) -> float:
    """The rate at which ``below`` turns false, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return low


def _tail(least: int, samples: int, rate: float) -> float:
    """Chance of ``least`` or more successes."""
    if rate in (0.0, 1.0):
        return float(least <= samples * rate)
    logs = (
        math.lgamma(samples + 1)
        - math.lgamma(i + 1)
        - math.lgamma(samples - i + 1)
        + i * math.log(rate)
        + (samples - i) * math.log1p(-rate)
        for i in range(least, samples + 1)
    )
    return math.fsum(map(math.exp, logs))
