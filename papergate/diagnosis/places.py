"""Places inside an answer where a server draws between several tokens, and draws at them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from papergate.diagnosis.door import LOGPROBS, Continued, Door, Untold
from papergate.diagnosis.sampling import Draw, Setting, divergence, near_edge
from papergate.errors import EngineError

EXPLORED = 256
"""Tokens of one answer among which places are chosen."""
MOST_EXPLORED = 32
"""Answers at most, where the first have no place that tells enough: small models are sure of nearly every token."""
ENOUGH_TOLD, LEAST_TOLD = 0.15, 0.05
"""Nats that one draw tells of another temperature. With the first, a hundred draws are sure; with less than the second
they are not."""
TOKEN_ID = "token_id:"  # noqa: S105 - no password
"""Before a token's number, where a server names tokens so."""
BY_ID: dict[str, Any] = {"logprobs": LOGPROBS, "return_tokens_as_token_ids": True}
SAME_LOGPROB = 0.1
"""Nats by which a log-probability may differ between two requests: bfloat16 and another batch change it by less."""
COMPARED = 3
"""Best tokens whose log-probabilities are compared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A place inside an answer where the next token is drawn from several."""

    prompt: list[int]
    best: Mapping[str, float]


def places_of(door: Door, prompts: Sequence[str], setting: Setting) -> list[Place]:
    """Two places whose draws tell most of temperature and of top_p.

    Raises:
        Untold: there are none.
    """
    places: list[Place] = []
    for prompt in prompts[:MOST_EXPLORED]:
        places += (place for place in _explored(door, prompt) if not near_edge(place.best, setting))
        if any(_told(place, setting) >= ENOUGH_TOLD for place in places):
            break
    return _telling(door, places, setting)


def _explored(door: Door, prompt: str) -> list[Place]:
    """Every place of one answer."""
    ids = door.token_ids(prompt)
    if ids is None:
        raise Untold("no-tokenizer")
    try:
        found = door.continued(ids, temperature=1.0, seed=1, max_tokens=EXPLORED, **BY_ID)
    except EngineError as error:
        raise Untold("no-completions") from error
    named = [token.removeprefix(TOKEN_ID) for token in found.tokens if token.startswith(TOKEN_ID)]
    if not named or len(named) != len(found.tokens) or not all(map(str.isdecimal, named)):
        raise Untold("no-log-probabilities")
    numbers = [int(name) for name in named]
    return [Place(prompt=ids + numbers[:place], best=best) for place, best in enumerate(found.best)]


def _telling(door: Door, places: Sequence[Place], setting: Setting) -> list[Place]:
    """The place that tells most of another temperature, and the one that tells most of top_p."""
    if not places:
        raise Untold("no-choice")
    hot = max(places, key=lambda place: _told(place, setting))
    wide = max(places, key=lambda place: divergence(place.best, setting, replace(setting, top_p=1.0)))
    if _told(hot, setting) < LEAST_TOLD:
        raise Untold("no-choice")
    if not _is_raw(door, hot):
        raise Untold("log-probabilities-after-temperature")
    return [hot, wide]


def _told(place: Place, setting: Setting) -> float:
    """What one draw tells of twice or half the temperature, whichever is less, in nats."""
    others = (replace(setting, temperature=factor * setting.temperature) for factor in (2, 0.5))
    return min(divergence(place.best, setting, other) for other in others)


def _is_raw(door: Door, place: Place) -> bool:
    """Whether the log-probabilities are those before temperature: at another temperature they stay."""
    again = _next(door, place, temperature=0.5, seed=1).best[0]
    best = sorted(place.best, key=lambda name: -place.best[name])[:COMPARED]
    return all(name in again and abs(again[name] - place.best[name]) < SAME_LOGPROB for name in best)


def draws_at(door: Door, place: Place, setting: Setting, *, seeds: Iterable[int]) -> Iterator[Draw]:
    """A token drawn at one place with each of the seeds.

    Raises:
        Untold: one is not named.
    """
    for seed in seeds:
        token = token_at(door, place, setting, seed)
        listed = token in place.best
        best = place.best if listed else {**place.best, token: min(place.best.values())}
        yield Draw(token=token, best=best, listed=listed)


def token_at(door: Door, place: Place, setting: Setting, seed: int) -> str:
    """The name of one token drawn at ``place``.

    Raises:
        Untold: this time the server does not name it.
    """
    return _next(door, place, temperature=setting.temperature, top_p=setting.top_p, seed=seed).tokens[0]


def _next(door: Door, place: Place, **drawn: float) -> Continued:
    """One token at ``place`` and the best ones."""
    found = door.continued(place.prompt, max_tokens=1, **drawn, **BY_ID)
    if not found.tokens:
        raise Untold("no-log-probabilities")
    return found
