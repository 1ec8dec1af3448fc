"""Short requests to a server: its control plane, one page after the other, each bounded in bytes and in time."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from papergate.endpoints.address import Access, Address
from papergate.endpoints.connect import speaks
from papergate.endpoints.event_loop import loop_runner
from papergate.endpoints.http import CLOSES, exchange
from papergate.endpoints.server_errors import json_in, quoted, server_words
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.printable import one_line
from papergate.run_folder.notes import Note, note
from papergate.words import worded

PAGE_S = 30.0
"""For a page, connecting included: it computes nothing, so that an endpoint that needs longer is not well."""
LONGEST_PAGE_BYTES = 2**20
"""A list of a thousand models takes a fifth of it."""
OTHER_SCHEME_AFTER_S = 1.0
"""When no answer has come for so long, or none can, it is tried whether http was written for https, or the reverse."""
IDENTITY = "identity"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_ok(self) -> bool:
        """Whether it is the page that was asked for."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object of the page; empty where it holds none, or was not asked for."""
        return object_of(json_in(self.body) if self.is_ok else None)

    @property
    def said(self) -> str:
        """Status, content type and the first words, for messages."""
        kind = one_line(self.headers.get("Content-Type", "no content type"))
        return f"{self.status} ({kind}) {quoted(server_words(self.body))}"


def object_of(found: object) -> dict[str, Any]:
    """What a server sent where a JSON object belongs; empty where it is none."""
    return found if isinstance(found, dict) else {}


def list_of(found: object) -> list[Any]:
    """What a server sent where a JSON list belongs; empty where it is none."""
    return found if isinstance(found, list) else []


class Pages:
    """Asks one server for pages. Not within an event loop: it runs one of its own."""

    def __init__(self, address: Address, runner: asyncio.Runner, page_s: float, most_bytes: int) -> None:
        self._address, self._runner, self._page_s, self._most_bytes = address, runner, page_s, most_bytes

    def get(self, path: str) -> Page:
        """The page at ``path``.

        Raises:
            EngineError: there is no answer, or one that passes a limit.
        """
        return self._runner.run(self._ask("GET", path))

    def post(self, path: str, body: object, *headers: str) -> Page:
        """The answer to ``body``, sent as JSON with these lines of ``headers``; otherwise like ``get``."""
        return self._runner.run(self._ask("POST", path, orjson.dumps(body), *headers))

    def put(self, path: str, body: object) -> Page:
        """The answer to ``body``, put there as JSON; otherwise like ``get``."""
        return self._runner.run(self._ask("PUT", path, orjson.dumps(body)))

    def first(self, path: str) -> Page:
        """Like ``get``, and where nothing comes of it see whether the scheme of the address is wrong.

        Raises:
            EngineRefused: it is.
        """
        return self._runner.run(self._first(path))

    async def _first(self, path: str) -> Page:
        asked = asyncio.create_task(self._ask("GET", path))
        await asyncio.wait({asked}, timeout=OTHER_SCHEME_AFTER_S)
        try:
            if _is_doubtful(asked) and await speaks(self._address, tls=self._address.tls is None):
                raise worded(EngineRefused, self._other_scheme())
            return await asked
        finally:
            asked.cancel()

    def _other_scheme(self) -> Note:
        url, plain = self._address.url, self._address.tls is not None
        right = f"{'http' if plain else 'https'}://{url.partition('://')[2]}"
        return note("endpoint_other_scheme", url=url, plain=plain, address=right)

    async def _ask(self, method: str, path: str, body: bytes = b"", *headers: str) -> Page:
        url = self._address.url
        try:
            async with asyncio.timeout(self._page_s):
                return await self._page(self._address.request(method, path, body, CLOSES, *headers))
        except TimeoutError as error:
            silent = note("endpoint_silent", url=f"{url}{path}", seconds=self._page_s)
            raise worded(EngineTimeout, silent, transient=True) from error
        except ConnectionError as error:
            unreached = note("endpoint_unreached", url=url, said=str(error))
            raise worded(EngineError, unreached, transient=True) from None  # its causes, three deep, say no more
        except EngineError as error:
            raise type(error)(f"{url}{path}: {error}", transient=error.transient) from None

    async def _page(self, request: bytes) -> Page:
        body = bytearray()

        def take(piece: bytes) -> bool:
            body.extend(piece)
            return len(body) > self._most_bytes

        async with exchange(self._address, request, self._page_s) as reply:
            packed = reply.headers.get("Content-Encoding", IDENTITY).lower()
            if packed not in (IDENTITY, ""):
                raise EngineRefused(f"the answer is compressed ({one_line(packed)}), which was not asked for")
            await reply.each(take)
            if len(body) > self._most_bytes:
                raise EngineError(f"the answer exceeds {self._most_bytes} bytes")
            return Page(status=reply.status, headers=reply.headers, body=bytes(body))


@contextmanager
def pages_of(
    url: str, access: Access, *, page_s: float | None = None, most_bytes: int = LONGEST_PAGE_BYTES
) -> Iterator[Pages]:
    """The pages of the server at ``url``, each within ``page_s`` seconds, `PAGE_S` by default.

    Raises:
        EngineRefused: the certificates to trust cannot be read, or the proxy not be used.
    """
    with loop_runner() as runner:
        yield Pages(Address.of(url, access), runner, page_s or PAGE_S, most_bytes)


def _is_doubtful(asked: asyncio.Task[Page]) -> bool:
    """Whether what has come of a request until now may be due to a wrong scheme."""
    if not asked.done():
        return True
    if (error := asked.exception()) is not None:
        return not isinstance(error, EngineRefused)  # a certificate was seen, or a whole answer
    return asked.result().status == HTTPStatus.BAD_REQUEST
