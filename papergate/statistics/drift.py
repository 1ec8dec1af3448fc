"""How far two deployments' log-probabilities of the same tokens lie apart."""

import math
from collections.abc import Sequence

from papergate.engines.records import BEST, Logprobs

MOST_NATS = 2.0
"""Of one token, so that a single ruined place does not stand for all."""
UNLISTED_NATS = 8.0
"""How much less likely than the best a token counts that is not among the listed ones."""


def divergence(reference: Logprobs, deployment: Logprobs) -> float:
    """KL(reference, deployment) at one place, in nats, at most `MOST_NATS`.

    Over the reference's `BEST` tokens that the deployment lists too, and one cell for all others: a divergence over
    cells is at most that over tokens.
    """
    best = sorted(reference, key=lambda token: -reference[token])[:BEST]
    cells = [(reference[token], deployment[token]) for token in best if token in deployment]
    rest = _log_rest([one for one, _ in cells]), _log_rest([other for _, other in cells])
    return min(sum(math.exp(one) * (one - other) for one, other in (*cells, rest)), MOST_NATS)


def excess(reference: float, deployment: float) -> float:
    """What one given token's log-probabilities tell of KL(reference, deployment): exp(x) - 1 - x, never negative."""
    apart = deployment - reference
    return MOST_NATS if apart > MOST_NATS else min(math.expm1(apart) - apart, MOST_NATS)


def sharpening(reference: Sequence[Logprobs], deployment: Sequence[Logprobs]) -> float | None:
    """By which factor the deployment's log-probabilities are spread wider than the reference's; 1 where they agree.

    A server that divides by a temperature t before it tells them has 1 / t. Least squares of the differences to the
    best token; None where no place tells.
    """
    pairs = [
        (row[token] - max(row.values()), other[token] - max(other.values()))
        for row, other in zip(reference, deployment, strict=True)
        for token in row.keys() & other.keys()
    ]
    told = sum(one * one for one, _ in pairs)
    return sum(one * other for one, other in pairs) / told if told else None


def sharpened(row: Logprobs, factor: float) -> Logprobs:
    """The row as its distribution raised to the power ``factor`` has it, taken over the listed tokens."""
    raised = {token: factor * value for token, value in row.items()}
    whole = math.log(sum(map(math.exp, raised.values())))
    return {token: value - whole for token, value in raised.items()}


def gap(reference: Logprobs, own: int, other: int) -> float:
    """Nats by which the reference prefers its ``own`` token to the ``other`` one, at most `UNLISTED_NATS`."""
    return min(reference[own] - reference[other], UNLISTED_NATS) if other in reference else UNLISTED_NATS


def _log_rest(listed: Sequence[float]) -> float:
    return math.log(max(1 - math.fsum(map(math.exp, listed)), SMALLEST_REST))


SMALLEST_REST = 1e-12
"""Of what the listed tokens leave, where rounding lets them sum to 1 or more."""
