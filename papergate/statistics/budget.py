"""What a run may cost, and whether one more look fits: measured on the samples at hand."""

from dataclasses import dataclass

from papergate.run_folder.notes import Note, note

SECONDS_PER_HOUR = 3600
STOPS = frozenset({"tokens_not_counted", "tokens_spent", "hours_spent"})
"""Codes of what `why_not` says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The most that one promise may take; None where it is not bounded."""

    tokens: int | None = None
    """Output tokens, those of earlier sessions of the same run included."""
    hours: float | None = None
    """Hours of asking in this session."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What a run has taken so far."""

    samples: int
    tokens: int | None
    """Output tokens of these samples; None where the engine did not count those of each."""
    fresh: int
    """Samples asked for in this session."""
    elapsed_s: float
    """Time of this session."""


def why_not(budget: Budget, spent: Spent, further: int) -> Note | None:
    """Why ``further`` more samples do not fit the budget; None where they do.

    They are expected to take what the samples at hand took on average.
    """
    return _too_many_tokens(budget.tokens, spent, further) or _too_many_hours(budget.hours, spent, further)


def _too_many_tokens(most: int | None, spent: Spent, further: int) -> Note | None:
    if most is None:
        return None
    if spent.tokens is None:
        return note("tokens_not_counted")
    needed = spent.tokens / spent.samples * further
    return note("tokens_spent", most=most, spent=spent.tokens, needed=needed) if spent.tokens + needed > most else None


def _too_many_hours(most: float | None, spent: Spent, further: int) -> Note | None:
    if most is None or not spent.fresh:
        return None  # nothing was asked in this session, so nothing is known of its speed
    hours = spent.elapsed_s / SECONDS_PER_HOUR
    needed = hours / spent.fresh * further
    return note("hours_spent", most=most, spent=hours, needed=needed) if hours + needed > most else None
