"""How many tokens a prompt or an answer has, asked of whoever knows."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import orjson

from papergate.endpoints.address import Access, trusting
from papergate.endpoints.describe import CONTROL_TIMEOUT_S, count_tokens
from papergate.endpoints.server_errors import quoted, server_words
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
        """Count over one connection, by the standard library: prompts take hundreds of counts, which cost a fifth so.

        There is no proxy to go through: ``direct`` has refused it.
        """
        with closing(self._connection()) as connection:
            yield Counter(self, connection)

    def _connection(self) -> HTTPConnection:
        parts, timeout_s = urlsplit(self.url), CONTROL_TIMEOUT_S if self.has_route else PREFILL_TIMEOUT_S
        host = parts.hostname or ""
        if parts.scheme == "http":
            return HTTPConnection(host, parts.port, timeout=timeout_s)
        return HTTPSConnection(host, parts.port, timeout=timeout_s, context=trusting(self.access.ca_file))


class Counter:
    """Counts tokens as the server does."""

    def __init__(self, tokenizer: Tokenizer, connection: HTTPConnection) -> None:
        self._tokenizer, self._connection = tokenizer, connection
        self._headers = {"Content-Type": "application/json"} | tokenizer.access.headers()

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
        url, asked = self._tokenizer.url, orjson.dumps(body | {"model": self._tokenizer.model})
        try:
            self._connection.request("POST", urlsplit(url).path + path, asked, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise EngineError(f"{url} does not answer {path} ({error!r})", transient=True) from error
        if answer.status != HTTPStatus.OK:
            raise EngineRefused(f"{url}{path} answered {answer.status} {quoted(server_words(content))}")
        return _object(content)


def _object(content: bytes) -> dict[str, object]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def tokenizer_of(url: str, model: str, access: Access) -> Tokenizer:
    """The tokenizer of the server at ``url``."""
    has_route = count_tokens(url, model, "a", access) is not None
    return Tokenizer(url=url, model=model, access=access, has_route=has_route)
