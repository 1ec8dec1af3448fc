"""Requests over HTTP/1.1, each on a connection of its own; every piece of a reply is handed on in the moment it comes.

Where thousands of tokens come in a second, most of a client's time goes into waking a task for each of them. Here the
connection itself calls the reader of a reply with every piece, and only its head and its end wake anybody: a thousand
streams cost half of what they cost with aiohttp, and are read within milliseconds (``studies/client_cost.py``).

A connection is not used again. What a server sends that nobody asked for cannot be told from the answer to the next
request, and beside an answer that takes a minute a new connection costs nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import httptools

from papergate.endpoints.address import Address
from papergate.endpoints.connect import LONGEST_HEAD_BYTES, cause_of, connect, is_open
from papergate.endpoints.server_errors import quoted
from papergate.errors import EngineError

FIRST_FINAL_STATUS = 200
"""Replies below it are interim: the answer's own follows."""
LENIENT = {
    "lenient_headers": True,
    "lenient_optional_cr_before_lf": True,
    "lenient_spaces_after_chunk_size": True,
}
"""What servers get wrong and every other client lets pass. Strictness protects servers behind a proxy, not a client."""
LONGEST_REPLY_BYTES = 256 * 2**20
"""An answer of 32,768 tokens, each an event of its own, takes a tenth of it; a server that floods is cut off here."""
FRAMED_BODY_S, OPEN_BODY_S = 10.0, 0.5
"""How long the body of an error is waited for: one whose end is announced will end; another may not."""
CLOSES = "Connection: close"
TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
"""Beginnings of what a server says that speaks TLS."""
QUOTED_BYTES = 60


class Reply:
    """One reply, as far as it has come."""

    def __init__(self, transport: asyncio.Transport | None = None) -> None:
        self.transport = transport
        self.status = 0
        self.headers: dict[str, str] = {}
        """Names in title case, as in ``Content-Type``."""
        self._pieces: list[bytes] = []
        self._take: Callable[[bytes], bool] | None = None
        self._headed, self._ended = asyncio.Event(), asyncio.Event()
        self._error: Exception | None = None

    @property
    def is_framed(self) -> bool:
        """Whether the head tells where the body ends; else the end of the connection does."""
        return "chunked" in self.headers.get("Transfer-Encoding", "").lower() or "Content-Length" in self.headers

    @property
    def is_headed(self) -> bool:
        """Whether status and headers are there."""
        return bool(self.status)

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self._ended.is_set() and self._error is None

    async def head(self) -> None:
        """Wait until status and headers are there.

        Raises:
            ConnectionError: the connection is lost.
            EngineError: a limit is passed.
        """
        await self._headed.wait()
        self.raise_error()

    async def each(self, take: Callable[[bytes], bool]) -> None:
        """Call ``take`` with each piece of the body, the moment it comes, until it returns True or the body is over.

        Raises:
            ConnectionError: the connection was lost before.
            EngineError: a limit was passed before.
            Exception: whatever ``take`` raises; it is not called again then.
        """
        for piece in self._pieces:
            if take(piece):
                return
        self.hand_to(take)
        await self._ended.wait()
        self.raise_error()

    def hand_to(self, take: Callable[[bytes], bool]) -> None:
        """Call ``take`` with each piece that comes from now on, until it returns True."""
        self._take = take

    async def body(self, most_bytes: int) -> bytes:
        """The body, or its first ``most_bytes``; as far as it came, where its end does not."""
        said = bytearray()

        def take(piece: bytes) -> bool:
            said.extend(piece)
            return len(said) >= most_bytes

        with suppress(ConnectionError, TimeoutError):  # the status tells more
            async with asyncio.timeout(FRAMED_BODY_S if self.is_framed else OPEN_BODY_S):
                await self.each(take)
        return bytes(said[:most_bytes])

    def begin(self, status: int, headers: dict[str, str]) -> None:
        """The connection: the head is whole."""
        self.status, self.headers = status, headers
        self._headed.set()

    def piece(self, piece: bytes) -> None:
        """The connection: a piece of the body came."""
        if self._ended.is_set():
            return  # it answers nothing
        if self._take is None:
            self._pieces.append(piece)
        else:
            try:
                if self._take(piece):
                    self.end(None)
            except Exception as error:  # noqa: BLE001 - it belongs to the caller that waits in each(), not to the event loop
                self.end(error)

    def end(self, error: Exception | None) -> None:
        """The connection: nothing more will come, because of ``error`` if there is one."""
        if not self._ended.is_set():
            self._error = error
            self._headed.set()
            self._ended.set()

    def raise_error(self) -> None:
        """Raise what ended it, where that was no regular end."""
        if self._error is not None:
            raise self._error


class Parser:
    """Turns what comes on a connection into a reply."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        """Pieces of the body from the last read: mostly one token each. To hand each on would cost more than it."""
        self._bytes = self._beside_body = 0
        """What came, and what came since the last piece of the body, or before the first."""
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(**LENIENT)

    def feed(self, data: bytes) -> None:
        """Take what came.

        Raises:
            ConnectionError: it is no HTTP.
            EngineError: a limit is passed.
        """
        self._bytes += len(data)
        self._beside_body += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:  # not of what came: a second Ctrl-C, or a mistake of ours
            raise error.__context__ or error from None
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise ConnectionError(_no_http(error, data)) from None
        finally:
            self._hand_on()
        if self._beside_body > LONGEST_HEAD_BYTES:
            raise EngineError(f"the head of the reply, or what frames its body, exceeds {LONGEST_HEAD_BYTES} bytes")
        if self._bytes > LONGEST_REPLY_BYTES:
            raise EngineError(f"the reply exceeds {LONGEST_REPLY_BYTES} bytes")

    def end(self) -> None:
        """Nothing more comes, which ends a body that has no other end."""
        told_end = self._reply.is_headed and not self._reply.is_framed
        self._reply.end(None if told_end else ConnectionError("the server closed it before the answer was over"))

    def on_message_begin(self) -> None:
        """httptools: a reply begins, the answer's own or an interim one."""
        self._headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: a header field."""
        self._headers[name.decode("latin-1").title()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """httptools: the head is whole."""
        if not self._reply.is_headed and (status := self._parser.get_status_code()) >= FIRST_FINAL_STATUS:
            self._reply.begin(status, self._headers)

    def on_body(self, piece: bytes) -> None:
        """httptools: a piece of the body, without its framing."""
        self._beside_body = 0
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """httptools: the reply is over; what comes after it answers nothing."""
        self._hand_on()
        if self._reply.is_headed:
            self._reply.end(None)

    def _hand_on(self) -> None:
        if self._pieces:
            body, self._pieces = b"".join(self._pieces), []
            self._reply.piece(body)


class Connection(asyncio.Protocol):
    """One connection, for one request and its reply."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reply: Reply | None = None
        self._parser: Parser | None = None

    async def exchange(self, request: bytes) -> Reply:
        """Send ``request``, and wait for the head of the reply.

        Raises:
            ConnectionError: the connection is lost, or what came is no HTTP.
            EngineError: the head is too long.
        """
        if self._transport is None or not is_open(self._transport):
            raise ConnectionError("the server closed the connection, or spoke, before it was asked")
        self._reply = Reply(self._transport)
        self._parser = Parser(self._reply)
        self._transport.write(request)
        await self._reply.head()
        return self._reply

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._transport = None
        if self._reply is not None and self._parser is not None:
            if exc:
                self._reply.end(ConnectionError(cause_of(exc)))
            self._parser.end()

    def data_received(self, data: bytes) -> None:
        """asyncio: something came; what comes before the request is sent answers nothing."""
        if self._reply is None or self._parser is None:
            self.close()
            return
        try:
            self._parser.feed(data)
        except (ConnectionError, EngineError) as error:
            self._reply.end(error)
            self.close()


@asynccontextmanager
async def exchange(address: Address, request: bytes, connect_s: float) -> AsyncIterator[Reply]:
    """Send a request on a connection of its own, which is closed at the end.

    Raises:
        EngineRefused: the server's certificate is not trusted.
        EngineError: the head of the reply is too long.
        ConnectionError: there is no connection, or it is lost before the head of the reply has come.
    """
    _, connection = await connect(address, Connection, connect_s)
    try:
        yield await connection.exchange(request)
    finally:
        connection.close()


def _no_http(error: Exception, data: bytes) -> str:
    if data.startswith(TLS_RECORDS):
        return "the server speaks TLS on this port; write the address with https://"
    return f"what came is no HTTP ({error}): {quoted(data[:QUOTED_BYTES])}"
