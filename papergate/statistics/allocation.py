"""How many samples each problem gets: more where its answers vary, so that fewer decide in all (Neyman, 1934)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from papergate.statistics.counts import Counts

SMALLEST_SHARE = 0.5
"""No problem gets less than half of the average. A deployment may fail where the golden run never did, and that
has to be seen at once."""
SMALLEST_SD = 0.1
"""A problem that was always right, or never, in the golden run may vary by so much: a rate of 99 % or 1 %."""
ENOUGH_SAMPLES = 8
"""Samples per problem of a golden run from which its rates are known well enough to allocate and to plan by."""
FEWEST = 2
"""A problem needs two samples to show how it varies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """The samples of each problem, relative to the average of all."""

    shares: tuple[float, ...]
    """Their mean is 1."""

    @classmethod
    def equal(cls, problems: int) -> "Allocation":
        """The same for each."""
        return cls(shares=(1.0,) * problems)

    @classmethod
    def neyman(cls, rates: Sequence[float]) -> "Allocation":
        """In proportion to the standard deviation of one sample, which makes the score's variance smallest.

        The rates have to come from another run. By a run's own, a problem that happened to agree so far would be asked
        no more while a mixed one is: the score of such a run is off by points.
        """
        deviations = [max(math.sqrt(rate * (1 - rate)), SMALLEST_SD) for rate in rates]
        scale = _scale(deviations)
        return cls(shares=tuple(max(SMALLEST_SHARE, scale * one) for one in deviations))

    @classmethod
    def of_golden(cls, golden: Counts) -> "Allocation":
        """By the rates of a golden run; the same for each where it has too few samples to tell them."""
        if golden.fewest < ENOUGH_SAMPLES:
            return cls.equal(golden.n)
        return cls.neyman([c / k for c, k in zip(golden.correct, golden.samples, strict=True)])

    def samples(self, k: int) -> tuple[int, ...]:
        """Samples of each problem at the look that plans ``k`` on average; never fewer than at an earlier look."""
        least = min(FEWEST, k)
        samples = {share: max(least, math.floor(k * share + 0.5)) for share in {*self.shares}}
        return tuple(map(samples.__getitem__, self.shares))


def _scale(deviations: Sequence[float]) -> float:
    """The factor that makes the shares' mean 1, with the smallest of them raised to `SMALLEST_SHARE`."""
    left, rest = float(len(deviations)), math.fsum(deviations)
    for one in sorted(deviations):
        if one * left / rest >= SMALLEST_SHARE:
            break
        left, rest = left - SMALLEST_SHARE, rest - one
    return left / rest
