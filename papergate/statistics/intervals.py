"""Intervals that stay valid however often one looks, and the exact ones beside them.

Throughout, ``alpha`` is the error rate of one side and ``information`` is one over a variance.
"""

import math
from statistics import NormalDist

SMALLEST_INFORMATION = 1e-12
LARGEST_INFORMATION = 1e24
"""Ends of the search for the information needed; a score's variance is never above 1/4."""
BISECTIONS = 200
"""Halvings of the search on a log scale: more than the 53 bits of a float can tell apart."""


def z_value(probability: float) -> float:
    """Quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def design_information(margin: float, alpha: float) -> float:
    """Information at which a plain interval of one look spans ``margin``, (2 z / margin)^2: the plan."""
    return (2 * z_value(1 - alpha) / margin) ** 2


def mixture_variance(design: float, alpha: float) -> float:
    """Variance rho^2 of the normal mixture that makes the radius tightest at the ``design`` information."""
    log_a = math.log(2 * alpha)
    return (-2 * log_a + math.log(1 - 2 * log_a)) / design


def anytime_radius(information: float, design: float, alpha: float) -> float:
    """Half-width of the normal-mixture confidence sequence.

    sqrt((1 + 1/(I rho^2)) * 2 ln(sqrt(1 + I rho^2) / 2 alpha) / I): the interval d +- radius covers the true difference
    at all looks together, each side erring at most ``alpha``; see Robbins (1970), and Waudby-Smith et al. (2021) for
    estimated variances.
    """
    scaled = information * mixture_variance(design, alpha)
    return math.sqrt((1 + 1 / scaled) * (math.log1p(scaled) - 2 * math.log(2 * alpha)) / information)


def anytime_p_value(difference: float, information: float, design: float, alpha: float) -> float:
    """Smallest error rate of one side at which the confidence sequence excludes zero; at most 1/2.

    It inverts `anytime_radius` with rho^2 held at its plan for ``alpha``, so it is below ``alpha`` exactly when the
    radius is below ``|difference|``.
    """
    scaled = information * mixture_variance(design, alpha)
    exponent = information * difference**2 * scaled / (2 * (1 + scaled))
    return min(0.5, 0.5 * math.exp(0.5 * math.log1p(scaled) - exponent))


def information_needed(gap: float, design: float, alpha: float) -> float:
    """Smallest information whose radius is at most ``gap``; infinite where the gap is zero."""
    if anytime_radius(LARGEST_INFORMATION, design, alpha) > gap:
        return math.inf
    low, high = math.log(SMALLEST_INFORMATION), math.log(LARGEST_INFORMATION)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if anytime_radius(math.exp(middle), design, alpha) <= gap:
            high = middle
        else:
            low = middle
    return math.exp(high)


def all_correct_lower_bound(samples: int, alpha: float) -> float:
    """Lower bound of the mean rate when all of ``samples`` are correct: alpha^(1/samples).

    Exact for unequal rates too: with their mean given, the chance that all are correct is largest when they are equal.
    """
    return float(alpha ** (1 / samples))
