"""Designs that were weighed and are not the gate's: they stay computable, so that the choice can be checked.

The gate uses the normal mixture of `intervals`. Of the others here, fixed sizes cannot stop early; Wald's test needs
the alternative named beforehand; betting and empirical Bernstein need no normal approximation and pay two to four times
the samples for it; preregistered doubling looks are a little tighter but not valid at any other look.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from papergate.statistics.intervals import z_value

DOUBLING_CONSTANTS = (1.6449, 1.8754, 2.0177, 2.1215, 2.2031, 2.2702, 2.3271)
"""For 1 to 7 looks, each at twice the information of the one before: c / sqrt(I) errs one-sided with 5 % in all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedDesign:
    """Samples per problem of three fixed-size designs; None where the reference is too noisy for any number."""

    literal: int | None
    """A perfect deployment stays within the tolerance with chance 1 - alpha; damage is not bounded."""
    non_inferiority: int | None
    """Loss of tolerance and delta is excluded with errors alpha and beta."""
    equivalence: int | None
    """Both sides of the tolerance are excluded (two one-sided tests) with errors alpha and beta."""


def fixed_design(
    *, run_sd: float, se_reference: float, tolerance: float, delta: float, alpha: float, beta: float
) -> FixedDesign:
    """Sizes by normal quantiles; ``run_sd`` is that of one run, all in the same unit."""

    def size(margin: float, quantiles: float) -> int | None:
        room = (margin / quantiles) ** 2 - se_reference**2
        return math.ceil(run_sd**2 / room) if room > 0 else None

    return FixedDesign(
        literal=size(tolerance, z_value(1 - alpha / 2)),
        non_inferiority=size(tolerance + delta, z_value(1 - alpha) + z_value(1 - beta)),
        equivalence=size(tolerance, z_value(1 - alpha) + z_value(1 - beta / 2)),
    )


def sprt_boundaries(alpha: float, beta: float) -> tuple[float, float]:
    """Wald's bounds of the log-likelihood ratio, bad over good: below the first accept, above the second reject."""
    return math.log(beta / (1 - alpha)), math.log((1 - beta) / alpha)


def log_likelihood_ratio(good: Sequence[float], bad: Sequence[float], outcomes: Sequence[int]) -> float:
    """Evidence for the ``bad`` rates over the ``good`` ones after one sample of each problem."""
    terms = zip(good, bad, outcomes, strict=True)
    return math.fsum(math.log(b / g) if right else math.log((1 - b) / (1 - g)) for g, b, right in terms)


def betting_capital(outcomes: Sequence[int], *, mean: float, bet: float) -> float:
    """Capital of betting that the mean is above ``mean``: prod(1 + bet (x - mean)); by Ville, 1/alpha refutes it."""
    return math.prod(1 + bet * (x - mean) for x in outcomes)


def empirical_bernstein_boundary(
    variance: float, *, alpha: float, scale: float = 1.0, eta: float = 2.0, power: float = 1.4, start: float = 1.0
) -> float:
    """Boundary of a sum of terms bounded by ``scale`` at accumulated ``variance``: polynomial stitching.

    Howard et al. (2021), eq. 10.
    """
    intrinsic = max(variance, start)
    k1 = (eta**0.25 + eta**-0.25) / math.sqrt(2)
    k2 = (math.sqrt(eta) + 1) / 2
    log_term = power * math.log(math.log(eta * intrinsic / start)) + math.log(
        _zeta(power) / (alpha * math.log(eta) ** power)
    )
    return math.sqrt(k1**2 * intrinsic * log_term + (k2 * scale * log_term) ** 2) + k2 * scale * log_term


def neyman_allocation(rates: Sequence[float], *, total: int, floor: int = 1) -> tuple[int, ...]:
    """Samples of each problem that make the variance of the score smallest, at least ``floor`` each, ``total`` in all.

    Each further sample goes where it lowers the variance most, which is best as the variance is convex in every count.
    """
    samples = [floor] * len(rates)

    def gain(index: int) -> float:
        return rates[index] * (1 - rates[index]) / (samples[index] * (samples[index] + 1))

    queue = [(-gain(index), index) for index in range(len(rates))]
    heapq.heapify(queue)
    for _ in range(total - floor * len(rates)):
        index = heapq.heappop(queue)[1]
        samples[index] += 1
        heapq.heappush(queue, (-gain(index), index))
    return tuple(samples)


def allocation_variance(rates: Sequence[float], samples: Sequence[int]) -> float:
    """Variance of the score when problem i is asked ``samples[i]`` times."""
    return math.fsum(p * (1 - p) / k for p, k in zip(rates, samples, strict=True)) / len(rates) ** 2


def doubling_radius(information: float, looks: int) -> float:
    """Half-width of the interval at preregistered looks, one-sided 5 % in all, at most 7 of them."""
    return DOUBLING_CONSTANTS[looks - 1] / math.sqrt(information)


def _zeta(s: float) -> float:
    """Riemann's zeta function for s > 1, by Euler-Maclaurin summation."""
    n = 20
    head = math.fsum(math.pow(i, -s) for i in range(1, n))
    last = math.pow(n, -s)
    tail = n / (s - 1) + 1 / 2 + s / (12 * n) - s * (s + 1) * (s + 2) / (720 * n**3)
    return head + last * tail
