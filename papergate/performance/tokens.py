"""How many tokens a prompt or an answer has, asked of whoever knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from papergate.engines.access import Access, proxy_for
from papergate.engines.control import CONTROL_TIMEOUT_S, count_tokens
from papergate.engines.refusal import quoted, server_words
from papergate.errors import EngineError, EngineRefused

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
        """Count over one connection."""
        with requests.Session() as session:
            session.trust_env = False  # a .netrc would replace the key; the proxy is chosen by proxy_for
            session.headers.update(self.access.headers())
            proxy = proxy_for(self.url)
            session.proxies = {urlsplit(self.url).scheme: proxy} if proxy else {}
            yield Counter(self, session)


class Counter:
    """Counts tokens as the server does."""

    def __init__(self, tokenizer: Tokenizer, session: requests.Session) -> None:
        self._tokenizer, self._session = tokenizer, session

    def prompt(self, text: str) -> int:
        """Tokens of a user turn with the chat template around it.

        Raises:
            EngineError: the server does not tell.
        """
        messages = [{"role": "user", "content": text}]
        if self._tokenizer.has_route:
            count = self._post("/tokenize", {"messages": messages}).get("count")
        else:
            usage = self._post("/v1/chat/completions", {"messages": messages, "max_tokens": 1}).get("usage")
            count = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        if not isinstance(count, int):
            raise EngineError(f"{self._tokenizer.url} has neither /tokenize nor usage: no prompt can be made to length")
        return count

    def text(self, text: str) -> int | None:
        """Tokens of a bare text, without any template; None where nobody can tell."""
        if not self._tokenizer.has_route:
            return None
        count = self._post("/tokenize", {"prompt": text, "add_special_tokens": False}).get("count")
        return count if isinstance(count, int) else None

    def _post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        url, timeout_s = self._tokenizer.url, CONTROL_TIMEOUT_S if path == "/tokenize" else PREFILL_TIMEOUT_S
        try:
            answer = self._session.post(url + path, json=body | {"model": self._tokenizer.model}, timeout=timeout_s)
            found = answer.json() if answer.ok else {}
        except requests.RequestException as error:
            raise EngineError(f"{url} does not answer {path} ({error})", transient=True) from error
        if not answer.ok:
            raise EngineRefused(f"{url}{path} answered {answer.status_code} {quoted(server_words(answer.content))}")
        return found if isinstance(found, dict) else {}


def tokenizer_of(url: str, model: str, access: Access) -> Tokenizer:
    """The tokenizer of the server at ``url``."""
    has_route = count_tokens(url, model, "a", access) is not None
    return Tokenizer(url=url, model=model, access=access, has_route=has_route)
