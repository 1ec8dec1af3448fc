"""When to look: sample counts at which the verdict is taken, so that a run stops as soon as it is decided."""

LOOKS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Samples per problem. Steps grow with the count: a look is cheap only beside the samples already paid for."""


def looks_within(*, max_samples: int = LOOKS[-1], fixed: int | None = None) -> tuple[int, ...]:
    """The looks of a run: `LOOKS` below ``max_samples`` and ``max_samples`` itself, or only ``fixed``."""
    return (fixed,) if fixed is not None else (*(look for look in LOOKS if look < max_samples), max_samples)


def next_look(k: int, *, max_samples: int = LOOKS[-1], fixed: int | None = None) -> int | None:
    """The sample count at which to look next, having ``k`` per problem; None when there is nothing left to ask."""
    return next((look for look in looks_within(max_samples=max_samples, fixed=fixed) if look > k), None)
