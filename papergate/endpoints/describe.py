"""What an endpoint says about itself: health, models, version, length of a prompt."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from papergate.endpoints.address import Access
from papergate.endpoints.pages import Pages, object_of, pages_of
from papergate.endpoints.server_errors import UNAUTHORISED, unauthorised
from papergate.errors import EngineError, EngineRefused
from papergate.printable import one_line
from papergate.run_folder.notes import Note, note
from papergate.suggest import nearest
from papergate.words import worded

MOST_TOKENS = 2**31
MOST_NAMED = 20
"""Models that a message names."""
ABOUT_PATHS = ("/version", "/server_info", "/get_server_info", "/props")
"""vLLM; SGLang, new and old; llama.cpp."""
RAY, RAY_CONTEXT = "Ray Serve LLM", "max_request_context_length"
"""Whose list of models has this field in its ``metadata``; it names an organisation as the owner, and no engine."""
NEUTRAL = {
    "top_k": 0,
    "min_p": 0,
    "typical_p": 1,
    "xtc_probability": 0,
    "dry_multiplier": 0,
    "mirostat": 0,
    "top_n_sigma": -1,
    "dynatemp_range": 0,
    "repeat_penalty": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}
"""Values at which llama.cpp's own ways to draw do nothing; its defaults are top_k 40 and min_p 0.05."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """What an endpoint says about the model it serves."""

    software: str
    """Name and version of the server, as far as it tells."""
    root: str = ""
    """Where the server loaded the weights from, where it tells."""
    context_tokens: int | None = None
    """Prompt and output together, where it tells."""
    template: str = ""
    """sha256 of the chat template, where it tells."""
    listed: bool = True
    """False where it names no models at all, so that nobody has confirmed the one that is asked for."""
    draws_with: Mapping[str, object] = field(default_factory=dict)
    """What changes its samples besides temperature and top_p and stands in no request, where it tells."""

    def in_words(self) -> str:
        """One line for the report; what the server keeps to itself is named too."""
        name = "" if self.listed else ", lists no models: nobody has confirmed the name"
        return f"{self.software or 'does not say what it is'}, weights: {self.root or 'does not say'}{name}"


def describe(url: str, model: str, access: Access) -> Served:
    """Ask an endpoint for its health, its models and its version.

    Raises:
        EngineError: it cannot be reached, is not well, or cannot list its models.
        EngineRefused: it is not OpenAI-compatible, wants a key, or does not serve ``model``.
    """
    with pages_of(url, access) as pages:
        health = pages.first("/health")
        if health.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise worded(EngineError, note("endpoint_unwell", url=url, said=health.said))
        listed = _models(url, pages, access)
        mine = next((entry for entry in listed if entry.get("id") == model), None)
        if listed and mine is None:
            raise worded(EngineRefused, _serves_others(url, model, listed))
        return _served(mine or {}, _about(pages), listed=mine is not None)


def count_of(found: object) -> int | None:
    """A number of tokens as a server tells it; None where it is not whole, negative, or beyond what can exist."""
    return found if type(found) is int and 0 <= found < MOST_TOKENS else None


def _serves_others(url: str, model: str, listed: list[dict[str, Any]]) -> Note:
    names = sorted({_word(entry.get("id")) for entry in listed})
    shown, more = names[:MOST_NAMED], max(0, len(names) - MOST_NAMED)
    return note("endpoint_serves_others", url=url, model=model, close=nearest(model, names), names=shown, more=more)


def _served(mine: dict[str, Any], about: dict[str, Any], *, listed: bool) -> Served:
    """Put together an entry of the list of models and what the server says about itself.

    Whatever is of another type than expected is as if the server had not told it.
    """
    props = about if "build_info" in about else {}  # llama.cpp; elsewhere the same names may mean something else
    version = _word(about.get("version")) or _word(props.get("build_info"))
    behind_ray = object_of(mine.get("metadata"))
    contexts = (mine.get("max_model_len"), object_of(mine.get("meta")).get("n_ctx"), behind_ray.get(RAY_CONTEXT))
    owner = RAY if RAY_CONTEXT in behind_ray else _word(mine.get("owned_by"))
    template = props.get("chat_template")
    draws = object_of(object_of(props.get("default_generation_settings")).get("params"))
    return Served(
        software=" ".join(filter(None, (owner, version))),
        root=_word(mine.get("root")) or _word(props.get("model_path")),
        context_tokens=_first_count(contexts),
        template=hashlib.sha256(template.encode()).hexdigest() if isinstance(template, str) and template else "",
        listed=listed,
        draws_with=_other_draws({name: value for name, value in draws.items() if type(value) in (int, float)}),
    )


def _first_count(found: Iterable[object]) -> int | None:
    return next(filter(None, map(count_of, found)), None)


def _other_draws(draws: dict[str, float]) -> dict[str, object]:
    """The settings of ``draws`` that change what is drawn; a top_k below 0 does nothing, nor a penalty on no tokens."""
    found = {name: draws[name] for name, idle in NEUTRAL.items() if draws.get(name, idle) != idle}
    idle = {"top_k"} if found.get("top_k", 0) < 0 else set()
    if draws.get("repeat_last_n") == 0:
        idle |= {"repeat_penalty", "presence_penalty", "frequency_penalty"}
    return {name: value for name, value in found.items() if name not in idle}


def count_tokens(url: str, model: str, prompt: str, access: Access) -> int | None:
    """Tokens of the prompt with the chat template, or None where the server cannot tell."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    with pages_of(url, access) as pages:
        return count_of(pages.post("/tokenize", body).fields.get("count"))


def _models(url: str, pages: Pages, access: Access) -> list[dict[str, Any]]:
    page = pages.get("/v1/models")
    if page.status in UNAUTHORISED:
        raise worded(EngineRefused, unauthorised(page.status, page.body, access, url=url))
    if page.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise worded(EngineError, note("endpoint_without_models", url=url, said=page.said))
    listed = page.fields.get("data")
    if not isinstance(listed, list):
        raise worded(EngineRefused, note("endpoint_of_another_kind", url=url, said=page.said))
    return [entry for entry in listed if isinstance(entry, dict)]


def _about(pages: Pages) -> dict[str, Any]:
    """All that the routes tell together: a gateway may answer one of them in front of another server."""
    found = [pages.get(path).fields for path in ABOUT_PATHS]
    return {name: value for fields in reversed(found) for name, value in fields.items()}


def _word(found: object) -> str:
    """A name or a number as a server tells it; empty where it is neither."""
    return one_line(str(found)) if isinstance(found, str | int | float) else ""
