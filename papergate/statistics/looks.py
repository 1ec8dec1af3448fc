"""When to look: sample counts at which the verdict is taken, so that a run stops as soon as it is decided."""

LOOKS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Samples per problem. Steps grow with the count: a look is cheap only beside the samples already paid for."""


def next_look(k: int, *, max_samples: int = LOOKS[-1], fixed: int | None = None) -> int | None:
    """The sample count at which to look next, having ``k`` per problem; None when there is nothing left to ask.

    ``fixed`` asks that many at once and looks only there. Otherwise the looks are `LOOKS` below ``max_samples``, then
    ``max_samples`` itself.
    """
    if fixed is not None:
        return fixed if k < fixed else None
    if k >= max_samples:
        return None
    return min([look for look in LOOKS if look > k] + [max_samples])
