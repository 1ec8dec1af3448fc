"""How far two deployments' log-probabilities of the same tokens lie apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

INFORMATIVE = (0.02, 0.98)
"""Probabilities between which a token can show drift: near 0 or 1 every deployment agrees."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """Distances between log-probabilities, in nats, over the tokens of one or more transcripts."""

    mean_abs: float
    rms: float
    k1: float
    """Mean of reference minus deployment: the plain, noisy estimate of KL(reference, deployment)."""
    k3: float
    """Mean of exp(x) - 1 - x with x deployment minus reference: the same, never negative and less noisy."""
    rms_probability: float
    """Root mean square difference of the probabilities themselves."""
    informative: int
    """Tokens whose reference probability lies within `INFORMATIVE`."""


def drift(reference: Sequence[float], deployment: Sequence[float]) -> Drift | None:
    """Drift of ``deployment`` from ``reference``, token by token; None without tokens.

    Raises:
        ValueError: the two are not equally long.
    """
    pairs = list(zip(reference, deployment, strict=True))
    if not pairs:
        return None
    apart = [after - before for before, after in pairs]
    return Drift(
        mean_abs=_mean([abs(x) for x in apart]),
        rms=math.sqrt(_mean([x * x for x in apart])),
        k1=-_mean(apart),
        k3=_mean([math.expm1(x) - x for x in apart]),
        rms_probability=math.sqrt(_mean([(math.exp(after) - math.exp(before)) ** 2 for before, after in pairs])),
        informative=sum(INFORMATIVE[0] < math.exp(before) < INFORMATIVE[1] for before in reference),
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
