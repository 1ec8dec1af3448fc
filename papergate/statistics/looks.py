"""When to look: sample counts at which the verdict is taken, so that a run stops as soon as it is decided."""

LOOKS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 56, 64)
"""Samples per problem, on average. Up to 12, where most runs end, a look after each; later in steps of an eighth or a
sixth: finer ones save less than 1 % of the samples."""


def looks_within(*, max_samples: int = LOOKS[-1], fixed: int | None = None) -> tuple[int, ...]:
    """The looks of a run: `LOOKS` below ``max_samples`` and ``max_samples`` itself, or only ``fixed``."""
    return (fixed,) if fixed is not None else (*(look for look in LOOKS if look < max_samples), max_samples)
