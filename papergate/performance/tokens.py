"""How many tokens a prompt or an answer has, asked of the server or the tokenizer that knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from papergate.endpoints.address import Access
from papergate.endpoints.describe import count_of, count_tokens
from papergate.endpoints.pages import PAGE_S, Pages, pages_of
from papergate.errors import EngineError, EngineRefused
from papergate.run_folder.notes import note
from papergate.words import worded

PREFILL_TIMEOUT_S = 600.0
"""Counting by prefill waits for the first token of an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokenizer:
    """The tokenizer of a server, asked over HTTP."""

    url: str
    model: str
    access: Access
    has_route: bool
    """Whether the server has /tokenize; where not, it states the prompt tokens of a request of one output token."""

    @property
    def source(self) -> str:
        """Who counts, for the record."""
        return "/tokenize" if self.has_route else "usage of a request"

    @contextmanager
    def connected(self) -> "Iterator[Counter]":
        """Count in one event loop: prompts take hundreds of counts. Not within another."""
        with pages_of(self.url, self.access, page_s=PAGE_S if self.has_route else PREFILL_TIMEOUT_S) as pages:
            yield Counter(self, pages)


class Counter:
    """Counts tokens as the server does."""

    def __init__(self, tokenizer: Tokenizer, pages: Pages) -> None:
        self._tokenizer, self._pages = tokenizer, pages

    def prompt(self, text: str) -> int:
        """Tokens of a user turn with the chat template around it.

        Raises:
            EngineError: the server does not tell.
        """
        messages = [{"role": "user", "content": text}]
        if self._tokenizer.has_route:
            count = count_of(self._post("/tokenize", {"messages": messages}).get("count"))
        else:
            usage = self._post("/v1/chat/completions", {"messages": messages, "max_tokens": 1}).get("usage")
            count = count_of(usage.get("prompt_tokens")) if isinstance(usage, dict) else None
        if count is None:
            raise worded(EngineError, note("tokens_uncounted", url=self._tokenizer.url))
        return count

    def text(self, text: str) -> int | None:
        """Tokens of a bare text, without any template; None where it cannot be told."""
        if not self._tokenizer.has_route:
            return None
        return count_of(self._post("/tokenize", {"prompt": text, "add_special_tokens": False}).get("count"))

    def _post(self, path: str, body: dict[str, object]) -> dict[str, Any]:
        page = self._pages.post(path, body | {"model": self._tokenizer.model})
        if page.status != HTTPStatus.OK:
            raise EngineRefused(f"{self._tokenizer.url}{path} answered {page.said}")
        return page.fields


def tokenizer_of(url: str, model: str, access: Access) -> Tokenizer:
    """The tokenizer of the server at ``url``."""
    has_route = count_tokens(url, model, "a", access) is not None
    return Tokenizer(url=url, model=model, access=access, has_route=has_route)
