"""From the bytes of a reply and their stamps to a timed request: read when the clock no longer runs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import accumulate

from papergate.endpoints.address import Access
from papergate.endpoints.connect import HEAD_END
from papergate.endpoints.events import event_of
from papergate.endpoints.server_errors import refusal
from papergate.engines.records import Finish
from papergate.engines.remote.answer import Answer
from papergate.errors import EngineError, EngineRefused
from papergate.performance.client import RawReply, head_fields, head_in

STREAMED = b"text/event-stream"
STATUS = re.compile(rb"HTTP/\d\.\d (\d{3})\b")
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]+")
QUOTED_BYTES = 80


@dataclass(kw_only=True, slots=True)
class Reading:
    """What a reply said, and when it said it, in nanoseconds of the monotonic clock."""

    chunks_ns: list[int] = field(default_factory=list)
    """Arrival of each chunk with content or reasoning."""
    last_ns: int | None = None
    """Arrival of the last chunk with text or the finish reason."""
    answer: Answer = field(default_factory=Answer)
    error: str | None = None

    @property
    def text(self) -> str:
        """All text that came, reasoning first."""
        return self.answer.text(thinks=False)

    @property
    def cut_off(self) -> bool:
        """Whether the token limit ended it."""
        return self.answer.finish is Finish.LENGTH


def read_reply(reply: RawReply, access: Access) -> Reading:
    """Read a reply; whatever is wrong with it is its ``error``, for a broken stream is not a fast one.

    Raises:
        EngineRefused: the server answers well, but does not stream.
    """
    reading = Reading()
    try:
        _read(reply, reading, access)
    except EngineRefused as error:
        if isinstance(error, NotStreamed):
            raise
        reading.error = str(error)
    except EngineError as error:
        reading.error = str(error)
    return reading


class NotStreamed(EngineRefused):
    """The server sent a whole answer where a stream was asked for."""


def _read(reply: RawReply, reading: Reading, access: Access) -> None:
    raw = b"".join(reply.pieces)
    if (head := head_in(raw)) is None:
        raise EngineError(f"the connection broke off before an answer came ({reply.error or 'closed by the server'})")
    _refuse_other_than_stream(raw, head, access)
    answer = reading.answer
    for stamp, line in _stamped_lines(reply, raw, head):
        if (event := event_of(line.strip())) is None:
            continue
        unfinished = answer.finish is None
        if brought := answer.add(event):
            reading.chunks_ns.append(stamp)
        if brought or (unfinished and answer.finish):
            reading.last_ns = stamp
    if not reply.complete or reading.answer.finish is None:
        raise EngineError(f"the stream broke off after {len(reading.chunks_ns)} chunks ({_how(reply)})")


def _how(reply: RawReply) -> str:
    return reply.error or ("it ended without a finish reason" if reply.complete else "the connection was closed")


def _refuse_other_than_stream(raw: bytes, head: slice, access: Access) -> None:
    status, fields = _status(raw[head]), head_fields(raw[head])
    if status == HTTPStatus.OK and fields.get(b"content-type", STREAMED).lower().startswith(STREAMED):
        return
    headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in fields.items()}
    body = b"".join(raw[start:stop] for start, stop in _body(raw, head))
    error = refusal(status, headers, body, access)
    if status == HTTPStatus.OK and b'"choices"' in body:
        raise NotStreamed(f"{error}; without a stream no time to first token can be measured")
    raise error


def _status(head: bytes) -> int:
    if (found := STATUS.match(head)) is None:
        raise EngineError(f"the answer begins with {_quoted(head)}, which is no status line of HTTP/1.1")
    return int(found[1])


def _stamped_lines(reply: RawReply, raw: bytes, head: slice) -> Iterator[tuple[int, bytes]]:
    """Each line of the body that is not empty, with the time at which its last byte came."""
    arrived = zip(accumulate(map(len, reply.pieces)), reply.stamps_ns, strict=True)
    end, stamp = next(arrived)
    begun = b""
    for start, stop in _body(raw, head):
        position = start
        while (newline := raw.find(b"\n", position, stop)) >= 0:
            while newline >= end:
                end, stamp = next(arrived)
            if begun or newline > position:
                yield stamp, begun + raw[position:newline]
            begun, position = b"", newline + 1
        begun += raw[position:stop]
    if begun:
        yield reply.stamps_ns[-1], begun


def _body(raw: bytes, head: slice) -> Iterator[tuple[int, int]]:
    """Where the body stands in the bytes of a reply, without the framing of a chunked one; as far as it came."""
    position = head.stop + len(HEAD_END)
    chunked = b"chunked" in head_fields(raw[head]).get(b"transfer-encoding", b"").lower()
    if not chunked:
        yield position, len(raw)
        return
    while (line_end := raw.find(b"\r\n", position)) >= 0:
        size = _chunk_size(raw[position:line_end])
        if size == 0:
            return
        start = line_end + 2
        yield start, min(start + size, len(raw))
        position = start + size + 2


def _chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    if not CHUNK_SIZE.fullmatch(size):
        raise EngineError(f"a chunk of the answer has the size {_quoted(line)}, which is no hexadecimal number")
    return int(size, 16)


def _quoted(raw: bytes) -> str:
    """The first line of what came, cut short."""
    return repr(raw.partition(b"\r\n")[0][:QUOTED_BYTES].decode("latin-1"))
