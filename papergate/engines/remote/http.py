"""Streamed answers over HTTP/1.1: each piece of a reply is handed on in the moment it comes.

Where thousands of tokens come in a second, most of a client's time goes into waking a task for each of them. Here the
connection itself calls the reader of a reply with every piece, and only its head and its end wake anybody: a thousand
streams cost half of what they cost with aiohttp, and are read within milliseconds (``studies/client_cost.py``).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import httptools

from papergate.endpoints.address import Address
from papergate.endpoints.connect import cause_of, connect, is_free
from papergate.endpoints.server_errors import quoted

FIRST_FINAL_STATUS = 200
"""Replies below it are interim: the answer's own follows."""
LENIENT = {
    "lenient_headers": True,
    "lenient_optional_cr_before_lf": True,
    "lenient_spaces_after_chunk_size": True,
}
"""What servers get wrong and every other client lets pass. Strictness protects servers behind a proxy, not a client."""
FRESH_S = 1.0
"""A connection that was idle for longer is not used again: servers close it after 2 s (gunicorn), 5 s (uvicorn) or
more, and a request that meets that end is lost."""
FRAMED_BODY_S, OPEN_BODY_S = 10.0, 0.5
"""How long the body of an error is waited for: one whose end is announced will end; another may not."""
QUOTED_BYTES = 60


class Unheard(ConnectionError):
    """The connection was lost before a byte of the reply had come."""


class Reply:
    """One reply, as far as it has come."""

    def __init__(self, transport: asyncio.Transport) -> None:
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
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self._ended.is_set() and self._error is None

    async def head(self) -> None:
        """Wait until status and headers are there.

        Raises:
            ConnectionError: the connection is lost.
        """
        await self._headed.wait()
        self._raise()

    async def each(self, take: Callable[[bytes], bool]) -> None:
        """Call ``take`` with each piece of the body, the moment it comes, until it returns True or the body is over.

        Raises:
            ConnectionError: the connection was lost before.
            Exception: whatever ``take`` raises; it is not called again then.
        """
        for piece in self._pieces:
            if take(piece):
                return
        self._take = take
        await self._ended.wait()
        self._raise()

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
        if self._take is None:
            self._pieces.append(piece)
        elif not self._ended.is_set():
            try:
                if self._take(piece):
                    self.end(None)
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits in each(), not to the event loop
                self.end(error)

    def end(self, error: Exception | None) -> None:
        """The connection: nothing more will come, because of ``error`` if there is one."""
        if not self._ended.is_set():
            self._error = error
            self._headed.set()
            self._ended.set()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error


class Connection(asyncio.Protocol):
    """One connection, kept alive, with at most one request on it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reply: Reply | None = None
        self._headers: dict[str, str] = {}
        self._idle_since_s = 0.0
        self._heard = False

    @property
    def fresh(self) -> bool:
        """Whether another request had better be sent on it."""
        return self.usable and asyncio.get_running_loop().time() - self._idle_since_s < FRESH_S

    @property
    def usable(self) -> bool:
        """Whether another request can be sent on it: the last one is sent and answered."""
        return is_free(self._transport) and self._reply is None

    async def exchange(self, request: bytes) -> Reply:
        """Send ``request`` on a usable connection, and wait for the head of the reply.

        Raises:
            Unheard: the connection was lost before anything came.
            ConnectionError: it was lost later, or what came is no HTTP.
        """
        reply = self._send(request)
        try:
            await reply.head()
        except BaseException:
            self.close()
            raise
        return reply

    def _send(self, request: bytes) -> Reply:
        assert self._transport is not None
        self._heard = False
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(**LENIENT)
        self._reply = Reply(self._transport)
        self._transport.write(request)
        return self._reply

    def rest(self) -> None:
        """Have no request on it for a while, and see it end if it does."""
        assert self._transport is not None
        self._idle_since_s = asyncio.get_running_loop().time()
        self._transport.resume_reading()  # whoever read the last reply may have paused it

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone, which ends a body that has no other end."""
        self._transport = None
        if self._reply is not None:
            told_end = self._reply.status and not self._reply.is_framed
            said = cause_of(exc) if exc else "the server closed it before the answer was over"
            lost = ConnectionError if self._heard else Unheard
            self._finish(None if told_end and exc is None else lost(said))

    def data_received(self, data: bytes) -> None:
        """asyncio: something came."""
        if self._reply is None:  # a reply to nothing
            self.close()
            return
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:  # not of what came: a second Ctrl-C, or a mistake of ours
            raise error.__context__ or error from None
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._finish(ConnectionError(f"what came is no HTTP ({error}): {quoted(data[:QUOTED_BYTES])}"))
            self.close()

    def on_message_begin(self) -> None:
        """httptools: a reply begins, the answer's own or an interim one."""
        self._headers = {}
        if self._reply is None:  # a second one: the connection is out of step
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: a header field."""
        self._headers[name.decode("latin-1").title()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """httptools: the head is whole."""
        if self._reply is not None and (status := self._parser.get_status_code()) >= FIRST_FINAL_STATUS:
            self._reply.begin(status, self._headers)

    def on_body(self, piece: bytes) -> None:
        """httptools: a piece of the body, without its framing."""
        if self._reply is not None:
            self._reply.piece(piece)

    def on_message_complete(self) -> None:
        """httptools: the reply is over."""
        if self._parser.get_status_code() >= FIRST_FINAL_STATUS:
            self._finish(None)
            if not self._parser.should_keep_alive():
                self.close()

    def _finish(self, error: Exception | None) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.end(error)


class Connections:
    """Connections to any number of servers, used again while they are open: as many as there are requests in flight."""

    def __init__(self, connect_s: float) -> None:
        self._connect_s = connect_s
        self._idle: defaultdict[Address, list[Connection]] = defaultdict(list)

    @asynccontextmanager
    async def post(self, address: Address, body: bytes) -> AsyncIterator[Reply]:
        """Send a request, and leave the connection to others once its reply is read to the end.

        Raises:
            EngineRefused: the server's certificate is not trusted.
            ConnectionError: there is no connection, or it is lost before the head of the reply has come.
        """
        connection, reply = await self._begin(address, address.request(body))
        try:
            yield reply
        finally:
            if connection.usable:
                connection.rest()
                self._idle[address].append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close what is idle."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _begin(self, address: Address, request: bytes) -> tuple[Connection, Reply]:
        """A connection on which the reply has begun.

        Where a used one ends before a byte came, the server closed it as idle, as a rule, and has not read the request:
        it is sent once more, on a new one.
        """
        if used := self._take(address):
            with suppress(Unheard):
                return used, await used.exchange(request)
        _, new = await connect(address, Connection, self._connect_s)
        return new, await new.exchange(request)

    def _take(self, address: Address) -> Connection | None:
        connections = self._idle[address]
        while connections:
            if (connection := connections.pop()).fresh:
                return connection
            connection.close()
        return None
