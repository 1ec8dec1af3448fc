"""Intervals that stay valid however often one looks: a normal mixture, and an exact sequence for few samples.

Throughout, ``alpha`` is the error rate of one side and ``information`` is one over a variance.
"""

import math
from statistics import NormalDist

SMALLEST_INFORMATION = 1e-12
LARGEST_INFORMATION = 1e24
"""Ends of the search for the information needed; a score's variance is never above 1/4."""
BISECTIONS = 200
"""Halvings of the search on a log scale: more than the 53 bits of a float can tell apart."""
BISECTIONS_OF_A_RATE = 32
"""Halvings of the unit interval: below 1e-9, finer than any step of a score."""
ALTERNATIVES = tuple((share := (step / 16) ** 2, math.log1p(-share)) for step in range(1, 16))
"""What the exact sequence bets on beside the rate 1: shares s of the way from the mean to 1, with ln(1 - s).
Denser near the mean; at most ln 16 of evidence is lost against the best of them."""


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


def information_needed(gap: float, design: float, alpha: float, *, spread: float = 0.0) -> float:
    """Smallest information whose radius, and ``spread`` standard errors more, is at most ``gap``; may be infinite."""

    def reach(information: float) -> float:
        return anytime_radius(information, design, alpha) + spread / math.sqrt(information)

    if reach(LARGEST_INFORMATION) > gap:
        return math.inf
    low, high = math.log(SMALLEST_INFORMATION), math.log(LARGEST_INFORMATION)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if reach(math.exp(middle)) <= gap:
            high = middle
        else:
            low = middle
    return math.exp(high)


def all_correct_lower_bound(samples: int, alpha: float) -> float:
    """Lower bound of the mean rate when all of ``samples`` are correct: alpha^(1/samples).

    Exact for unequal rates too: with their mean given, the chance that all are correct is largest when they are equal.
    """
    return float(alpha ** (1 / samples))


def log_evidence_above(correct: float, samples: float, mean: float) -> float:
    """Evidence, as a logarithm, that the mean rate of the problems is above ``mean``; valid at all looks together.

    The mean over 16 alternatives t above m of (t/m)^c ((1-t)/(1-m))^(N-c). With the mean rate at most m, each
    round over the problems multiplies a term by prod(1 + b (p_i - m)) <= (1 + b (mean p - m))^n <= 1 on average
    (arithmetic and geometric mean), whatever the rates of the single problems. So this is a supermartingale and, by
    Ville (1939), reaches 1/alpha with a chance of at most alpha. See `ALTERNATIVES` for t.
    """
    if mean <= 0:
        return math.inf if correct else 0.0
    wrong, odds = samples - correct, (1 - mean) / mean
    logs = [correct * math.log1p(share * odds) + wrong * rest for share, rest in ALTERNATIVES]
    logs.append(-math.inf if wrong else -correct * math.log(mean))
    largest = max(logs)
    return largest + math.log(sum(math.exp(one - largest) for one in logs) / len(logs))


def exact_lower_bound(correct: float, samples: float, alpha: float) -> float:
    """Largest mean rate that `log_evidence_above` refutes at all looks together with error ``alpha``; 0 if none."""
    low, high = 0.0, correct / samples
    for _ in range(BISECTIONS_OF_A_RATE):
        middle = (low + high) / 2
        if log_evidence_above(correct, samples, middle) >= -math.log(alpha):
            low = middle
        else:
            high = middle
    return low
