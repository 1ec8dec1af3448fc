"""Which name was meant: the known one that is nearest to what was typed."""

from collections.abc import Iterable

NEAR = 0.5
"""Share of letters in common, from which on a name is worth a guess: a100 for a1oo."""


def nearest(typed: str, known: Iterable[str]) -> str:
    """The known name that is nearest to what was typed; empty where none is near."""
    from difflib import get_close_matches

    by_letters = {name.casefold(): name for name in known}
    near = get_close_matches(typed.casefold(), by_letters, n=1, cutoff=NEAR)
    return by_letters[near[0]] if near else ""


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """A question to go on with in a message; empty where no known name is near."""
    near = nearest(typed, known)
    return f"; did you mean {near}?" if near else ""


def among(typed: str, known: Iterable[str]) -> str:
    """All known names, and the same question."""
    names = sorted(known)
    return f"; known: {', '.join(names)}{did_you_mean(typed, names)}"
