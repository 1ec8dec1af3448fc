"""A bare HTTP/1.1 client for streamed answers: it keeps what comes with its stamps, and reads it after the run.

Whatever a client computes between two chunks delays the next one. So the path of a chunk is two appends and a few
comparisons; ``replies.py`` parses when the clock no longer runs. The price is memory: some 300 bytes a chunk.

Each request has a connection of its own, opened before it is needed: what a server sends that nobody asked for cannot
be told from the answer to the next request.
"""

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from papergate.endpoints.address import CHAT, Access, Address
from papergate.endpoints.connect import HEAD_END, LONGEST_HEAD_BYTES, connect, is_open
from papergate.endpoints.http import CLOSES
from papergate.errors import EngineError, EngineRefused
from papergate.performance.collector import AVAILABLE, Collector
from papergate.run_folder.notes import note
from papergate.words import worded

CONNECT_TIMEOUT_S = 10.0
"""A server that is to be measured and does not take a connection within this is not there."""
INTERIM = re.compile(rb"HTTP/1\.\d 1\d\d")
"""Begins a head after which the answer's own comes, such as ``100 Continue``."""
LAST_CHUNK = re.compile(rb"\r\n0+(?:;[^\r\n]*)?\r\n(?:[^\r\n:]+:[^\r\n]*\r\n)*\r\n\Z")
"""Ends a chunked body, with trailers or without; inside a stream of events no line is a bare 0."""
LAST_PIECES = 16
"""Pieces in which the last chunk and its trailers are looked for."""
LONGEST_RAW_BYTES = 64 * 2**20
"""Of a reply, which is kept whole: an answer of 32,768 tokens, each an event of its own, takes a fifth of it."""
MOST_DIGITS = 15
"""Of a Content-Length."""


@dataclass(kw_only=True, slots=True)
class RawReply:
    """The bytes of one reply as they came, and when."""

    sent_ns: int = 0
    stamps_ns: list[int] = field(default_factory=list)
    """Monotonic clock at each piece."""
    pieces: list[bytes] = field(default_factory=list)
    own_stamps: bool = False
    """Whether this process had to stamp a piece, when it saw it, as the kernel had not."""
    complete: bool = False
    """Whether the body came to the end that its framing announced."""
    error: str | None = None
    """What went wrong on the way."""


def direct(url: str, access: Access) -> Address:
    """Where the requests of a measurement go.

    Raises:
        EngineRefused: a proxy stands in between, whose time would be measured too.
    """
    address = Address.of(url, access)
    if address.proxy:
        raise worded(EngineRefused, note("proxy_in_the_way", url=url, host=address.proxy.host))
    return address


class Connection(asyncio.Protocol):
    """One connection, for one request and its reply."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reply: RawReply | None = None
        self._done: asyncio.Future[None] | None = None
        self._ended: Callable[[bytes], bool] = self._ended_in_head
        self._head = bytearray()
        self._tail = b""
        self._length = self._bytes = 0
        self._stop_collecting: Callable[[], None] | None = None
        self._send_now: Callable[[bytes], bytes] | None = None
        """uvloop's transports send when all who wait have had their turn, a millisecond after the stamp at times."""

    @property
    def usable(self) -> bool:
        """Whether the request can be sent on it."""
        return is_open(self._transport) and self._done is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class

    def collect(self, collector: Collector) -> None:
        """Let ``collector`` read instead of the event loop."""
        assert self._transport is not None
        self._transport.pause_reading()
        number = collector.watch(self._transport.get_extra_info("socket").fileno(), self)
        self._stop_collecting = partial(collector.forget, number)
        self._send_now = partial(collector.send, number)

    def data_received(self, data: bytes) -> None:
        """asyncio: a piece came."""
        self.received(data, None)

    def received(self, piece: bytes, stamp_ns: int | None) -> None:
        """Keep a piece and its stamp, now where it has none, and see whether it is the last.

        A piece came after what was sent or came before it, and not later than now, whatever a real-time clock that was
        set meanwhile makes of the kernel's stamp.
        """
        reply = self._reply
        if reply is None:  # an answer to nothing: this connection is out of step
            self.close()
            return
        now_ns = time.monotonic_ns()
        if stamp_ns is None:
            stamp_ns, reply.own_stamps = now_ns, True
        reply.stamps_ns.append(min(max(stamp_ns, reply.stamps_ns[-1] if reply.stamps_ns else reply.sent_ns), now_ns))
        reply.pieces.append(piece)
        self._bytes += len(piece)
        if self._ended(piece):
            self._finish(complete=True)
        elif self._bytes > LONGEST_RAW_BYTES:
            self._give_up(f"the reply exceeds {LONGEST_RAW_BYTES} bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone; only a body without any framing ends that way."""
        self._transport = None
        if self._stop_collecting:
            self._stop_collecting()
            self._stop_collecting = None
        if self._reply is not None:
            self._reply.error = str(exc) if exc else None
            self._finish(complete=self._ended == self._ended_by_close and exc is None)

    def lost(self, error: Exception | None) -> None:
        """The same, seen by the collector."""
        self.close()
        self.connection_lost(error)

    async def exchange(self, request: bytes) -> RawReply:
        """Send ``request`` and keep what comes back; a reply that breaks off is returned as far as it came."""
        assert self._transport is not None
        reply = self._reply = RawReply()
        self._done = asyncio.get_running_loop().create_future()
        reply.sent_ns = time.monotonic_ns()
        if rest := self._send_now(request) if self._send_now else request:
            self._transport.write(rest)
        try:
            await self._done
        finally:
            if self._reply is reply:  # given up: what still comes has no request
                self._reply = None
                self.close()
        return reply

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()

    def _finish(self, *, complete: bool) -> None:
        assert self._reply is not None
        self._reply.complete = complete
        self._reply = None
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _give_up(self, error: str) -> None:
        """Read no further, and say why."""
        assert self._reply is not None
        self._reply.error = error
        self._finish(complete=False)
        self.close()

    def _ended_in_head(self, piece: bytes) -> bool:
        """Until the head is whole; then its framing decides."""
        self._head += piece
        if (head := head_in(self._head)) is None:
            if len(self._head) > LONGEST_HEAD_BYTES:
                self._give_up(f"the head of the reply exceeds {LONGEST_HEAD_BYTES} bytes")
            return False
        raw, self._head = bytes(self._head), bytearray()
        fields = head_fields(raw[head])
        body = raw[head.stop + len(HEAD_END) :]
        length = fields.get(b"content-length", b"")
        if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
            self._ended, self._tail, body = self._ended_by_chunk, b"", raw
        elif length.isdigit() and len(length) <= MOST_DIGITS:
            self._length = int(length)
            self._ended = self._ended_by_length
        else:
            self._ended = self._ended_by_close
        return self._ended(body)

    def _ended_by_chunk(self, piece: bytes) -> bool:
        self._tail = (piece if len(piece) >= len(HEAD_END) else self._tail + piece)[-len(HEAD_END) :]
        return self._tail == HEAD_END and self._ended_by_last_chunk()

    def _ended_by_last_chunk(self) -> bool:
        """Asked where an empty line came, which also ends an event whose lines end in CRLF."""
        assert self._reply is not None
        return LAST_CHUNK.search(b"".join(self._reply.pieces[-LAST_PIECES:])) is not None

    def _ended_by_length(self, piece: bytes) -> bool:
        self._length -= len(piece)
        return self._length <= 0

    def _ended_by_close(self, _piece: bytes) -> bool:
        return False


class Client:
    """Connections to one server, opened before they are needed."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.opened = 0
        """Connections that a request had to wait for."""
        self._idle: list[Connection] = []
        self._collector: Collector | None = None

    async def open(self, connections: int) -> None:
        """Open connections until so many are idle.

        Raises:
            EngineError: the server does not take them.
        """
        missing = max(0, connections - len(self._idle))
        self._idle += await asyncio.gather(*(self._connect() for _ in range(missing)))
        if self._collector:
            await self._collector.begun()

    async def send(self, body: bytes, number: int) -> RawReply:
        """Send one request on an open connection, or on a new one where none is left; another takes its place."""
        number_line = f"X-Request-Id: {number}"  # to be found in the server's log
        request = self.address.request("POST", CHAT, body, CLOSES, number_line)
        try:
            connection = self._take() or await self._connect_late()
        except EngineError as error:
            return RawReply(sent_ns=time.monotonic_ns(), error=str(error))
        try:
            reply = await connection.exchange(request)
        finally:
            connection.close()
        with suppress(EngineError):  # the next request meets it, and tells
            self._idle.append(await self._connect())
        return reply

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()
        if self._collector:
            self._collector.close()
            self._collector = None

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect_late(self) -> Connection:
        self.opened += 1
        return await self._connect()

    async def _connect(self) -> Connection:
        try:
            _, connection = await connect(self.address, Connection, CONNECT_TIMEOUT_S)
        except ConnectionError as error:
            raise worded(
                EngineError, note("connection_not_taken", url=self.address.url, error=f"{error}"), transient=True
            ) from error
        if AVAILABLE and self.address.tls is None:
            self._collector = self._collector or Collector()
            connection.collect(self._collector)
        return connection


def head_in(raw: bytes | bytearray) -> slice | None:
    """Where the head of a reply stands, after interim ones; None until it is whole."""
    start = 0
    while (end := raw.find(HEAD_END, start)) >= 0 and INTERIM.match(raw, start):
        start = end + len(HEAD_END)
    return slice(start, end) if end >= 0 else None


def head_fields(head: bytes) -> dict[bytes, bytes]:
    """The header fields of a reply, names in lower case."""
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
