"""Damage that no promise can bear: a sequential test that ends a run after tens of answers rather than thousands.

The e-value is the likelihood ratio of "a share q of the answers is damaged" to "the share that the promise can bear",
averaged over a few q with fixed weights. By Ville's inequality the chance that it ever reaches 1 / ALPHA, however often
it is looked at, is at most ALPHA where the true share is bearable and answers are independent.
"""

from collections.abc import Mapping
from math import exp, log

from papergate.diagnosis.causes import HEALTHY_RATE
from papergate.diagnosis.kinds import Kind

ALPHA = 0.01
"""Chance at most that a run whose damage is bearable is ended."""
MOST_EVIDENCE = 700.0
"""Natural logarithm; beyond it a float overflows."""
SHARES = (0.03, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Shares of damaged answers that the test looks for; those at or below the bearable one are left out. Each is weighted
by its inverse: small damage needs the evidence, and large damage brings it at once."""
UNBEARABLE = frozenset(
    {Kind.GARBLED, Kind.EMPTY, Kind.MARK_LOST, Kind.THOUGHT_LOST, Kind.THOUGHT_MISSING, Kind.ANSWER_MISSING}
)
"""Kinds that no healthy deployment shows, so that each costs what a right answer would have been worth."""
WRONG_ANYWAY = frozenset({Kind.LOOP, Kind.STOPPED_IN_THOUGHT, Kind.REFUSED, Kind.FILTERED, Kind.ENDED})
"""Kinds that hard problems have in healthy deployments too: a promise bears them among its wrong answers."""


def bearable_share(kinds: frozenset[Kind], *, score: float, tolerance: float) -> float:
    """The share of answers of ``kinds`` that a deployment which keeps its promise may have.

    Args:
        kinds: `UNBEARABLE` or `WRONG_ANYWAY`.
        score: The promised score, as a fraction of 1.
        tolerance: As a fraction of 1.
    """
    if kinds is UNBEARABLE:
        return min(1.0, tolerance / score + HEALTHY_RATE) if score else 1.0
    return min(1.0, 1 - score + tolerance)


def unbearable(counts: Mapping[Kind, int], *, score: float, tolerance: float, unfinished: int = 0) -> Kind | None:
    """The most frequent kind of damage, where there is surely more of it than the promise can bear; else None.

    Args:
        counts: How many completions of each kind have come, `Kind.COMPLETE` among them.
        score: The promised score, as a fraction of 1.
        tolerance: As a fraction of 1.
        unfinished: Requests under way at most. They count as undamaged: damaged answers may be the first to end, and
            the test is valid for answers in the order in which they were begun.
    """
    of = sum(counts.values()) + unfinished
    for kinds in (UNBEARABLE, WRONG_ANYWAY):
        damaged = {kind: counts[kind] for kind in kinds if counts.get(kind)}
        share = bearable_share(kinds, score=score, tolerance=tolerance)
        if damaged and e_value(sum(damaged.values()), of, share) >= 1 / ALPHA:
            return max(damaged, key=lambda kind: damaged[kind])
    return None


def e_value(damaged: int, of: int, bearable: float) -> float:
    """Evidence that more than a share ``bearable`` of the answers is damaged; 1 where there is none."""
    shares = [share for share in SHARES if share > bearable]
    if not shares or not 0 < bearable < 1:
        return 1.0
    logs = [damaged * log(share / bearable) + (of - damaged) * log((1 - share) / (1 - bearable)) for share in shares]
    weights = [1 / share for share in shares]
    ratios = (exp(min(each, MOST_EVIDENCE)) for each in logs)
    return sum(weight * ratio for weight, ratio in zip(weights, ratios, strict=True)) / sum(weights)
