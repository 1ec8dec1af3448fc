"""Short requests to one server for a preflight: not streamed, with log-probabilities where it has them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from math import isfinite
from typing import Any, TypeVar

from papergate.endpoints.address import Access
from papergate.endpoints.pages import list_of, object_of, pages_of
from papergate.endpoints.server_errors import is_transient
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.printable import one_line

LOGPROBS = 20
"""Best tokens at each place; the most that common servers give."""
REPLY_S = 120.0
"""A short answer of a busy server."""
LONGEST_REPLY_BYTES = 2**26
"""Twenty log-probabilities with their names take 2 kB a token."""
WAITS_S = (0.25, 0.5, 1.0)
"""Before a request that failed is sent again; a run asks more often, and waits longer."""
_Found = TypeVar("_Found")


def again(ask: Callable[[], _Found], failed: list[str]) -> _Found:
    """What ``ask`` finds, asked again where it fails and another attempt may succeed, as a run does.

    ``failed`` gets what was said by attempts before one that succeeded. A request without an answer in time is not sent
    again.

    Raises:
        EngineError: of the last attempt.
    """
    said: list[str] = []
    for wait_s in WAITS_S:
        try:
            found = ask()
            break
        except EngineError as error:
            if not error.transient or isinstance(error, EngineTimeout):
                raise
            said.append(str(error))
            time.sleep(wait_s)
    else:
        found = ask()
    failed += said
    return found


class Untold(Exception):
    """The deployment does not tell what was asked; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Continued:
    """Tokens that were drawn, and at each of them the best ones with their natural log-probabilities."""

    tokens: tuple[str, ...]
    best: tuple[Mapping[str, float], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """One server and the model it is asked for."""

    url: str
    model: str
    access: Access
    failed: list[str] = field(default_factory=list)
    """What the server said of requests that it answered when they were sent again."""

    def chat(self, prompt: str, **fields: Any) -> str:  # noqa: ANN401 - the body's own fields
        """The text of the answer to ``prompt`` through the chat route, thought and all.

        Raises:
            EngineError: the server does not answer, or with something else.
        """
        choice = self.ask("/v1/chat/completions", messages=[{"role": "user", "content": prompt}], **fields)
        message = object_of(choice.get("message"))
        thought = message.get("reasoning_content") or message.get("reasoning") or ""
        return f"{thought}{message.get('content') or ''}"

    def continued(self, prompt: list[int], **fields: Any) -> Continued:  # noqa: ANN401 - the body's own fields
        """What follows ``prompt``, token ids, through the completions route; without tokens where it tells none.

        Raises:
            EngineError: the server does not answer, or has no such route.
        """
        logprobs = object_of(self.ask("/v1/completions", prompt=prompt, **fields).get("logprobs"))
        tokens, best = list_of(logprobs.get("tokens")), [_numbers(row) for row in list_of(logprobs.get("top_logprobs"))]
        if len(tokens) != len(best) or not all(best):
            return Continued(tokens=(), best=())
        return Continued(tokens=tuple(map(str, tokens)), best=tuple(best))

    def token_ids(self, prompt: str) -> list[int] | None:
        """The prompt with the chat template as token ids; None where the server cannot tell."""
        return self._tokens(messages=[{"role": "user", "content": prompt}], add_generation_prompt=True)

    def plain_ids(self, text: str) -> list[int] | None:
        """A text without chat template as token ids; None where the server cannot tell."""
        return self._tokens(prompt=text, add_special_tokens=False)

    def _tokens(self, **fields: Any) -> list[int] | None:  # noqa: ANN401 - the body's own fields
        with pages_of(self.url, self.access) as pages:
            found = pages.post("/tokenize", {"model": self.model, **fields}).fields.get("tokens")
        return found if isinstance(found, list) and all(isinstance(each, int) for each in found) else None

    def ask(self, path: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - the body's own fields
        """The first choice of the answer to a request with ``fields``.

        Raises:
            EngineRefused: the server takes no such request.
            EngineError: it does not answer, or with something else.
        """
        return again(lambda: self._asked(path, fields), self.failed)

    def _asked(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        with pages_of(self.url, self.access, page_s=REPLY_S, most_bytes=LONGEST_REPLY_BYTES) as pages:
            page = pages.post(path, {"model": self.model, **fields})
        if is_transient(page.status):
            raise EngineError(f"{path} answered {page.said}", transient=True)
        if HTTPStatus.BAD_REQUEST <= page.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise EngineRefused(f"{path} answered {page.said}")
        choices = list_of(page.fields.get("choices"))
        if not choices:
            kind = one_line(page.headers.get("Content-Type", "no content type"))
            raise EngineError(f"{path} answered {page.status} ({kind}) without choices")
        return object_of(choices[0])


def _numbers(row: object) -> dict[str, float]:
    """Log-probabilities by token; empty where one is no finite number."""
    values = object_of(row)
    told = all(isinstance(value, int | float) and isfinite(value) for value in values.values())
    return {name: float(value) for name, value in values.items()} if told else {}
