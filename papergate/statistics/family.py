"""Many promises in one run: how often one of them would fail by chance, and how that is bounded."""

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p-values adjusted by Holm's step-down: rejecting those below alpha errs anywhere with at most alpha."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    ascending = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(ascending):
        largest = max(largest, (len(p_values) - rank) * p_values[index])
        adjusted[index] = min(1.0, largest)
    return tuple(adjusted)


def chance_that_all_pass(pass_probability: float, gates: int) -> float:
    """Chance that ``gates`` independent gates all pass."""
    return math.pow(pass_probability, gates)


def retry_until_pass(pass_probability: float, tries: int) -> float:
    """Chance that the best of several tries passes: why samples are pooled, never replaced."""
    return 1 - math.pow(1 - pass_probability, tries)


def holm_alpha(alpha: float, promises: int, *, failed: int) -> float:
    """The largest p-value at which one more promise fails, ``failed`` of all ``promises`` having failed before it.

    alpha / (m - j): Holm's thresholds, met in the order in which promises are decided. Sorting the p-values can only
    find more failures, so a family judged one by one errs anywhere with at most ``alpha`` too.
    """
    return alpha / max(1, promises - failed)
