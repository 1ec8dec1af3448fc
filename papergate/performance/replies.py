"""From the bytes of a reply and their stamps to a timed request: read when the clock no longer runs."""

from dataclasses import dataclass, field
from http import HTTPStatus

from papergate.endpoints.address import Access
from papergate.endpoints.http import Parser, Reply
from papergate.endpoints.server_errors import refusal
from papergate.engines.records import Finish
from papergate.engines.remote.answer import Answer
from papergate.engines.remote.stream import StreamedAnswer
from papergate.errors import EngineError, EngineRefused
from papergate.performance.client import RawReply

STREAMED = "text/event-stream"
ERROR_BODY_BYTES = 65536


@dataclass(kw_only=True, slots=True)
class Reading:
    """What a reply said, and when it said it, in nanoseconds of the monotonic clock."""

    chunks_ns: list[int] = field(default_factory=list)
    """Arrival of each chunk with content or reasoning."""
    last_ns: int | None = None
    """Arrival of the last chunk with text or the finish reason."""
    stream: StreamedAnswer = field(default_factory=StreamedAnswer)
    error: str | None = None

    @property
    def answer(self) -> Answer:
        """As far as it came."""
        return self.stream.answer

    @property
    def text(self) -> str:
        """All text that came, reasoning first."""
        return self.answer.text(thinks=False)

    @property
    def cut_off(self) -> bool:
        """Whether the token limit ended it."""
        return self.answer.finish is Finish.LENGTH

    def take(self, piece: bytes, stamp_ns: int) -> None:
        """A piece of the stream, with the time at which it came."""
        unfinished = self.answer.finish is None
        self._note(self.stream.feed(piece), stamp_ns, unfinished=unfinished)

    def end(self, stamp_ns: int) -> None:
        """The stream is over."""
        unfinished = self.answer.finish is None
        self._note(self.stream.end(), stamp_ns, unfinished=unfinished)

    def _note(self, brought: int, stamp_ns: int, *, unfinished: bool) -> None:
        self.chunks_ns += [stamp_ns] * brought
        if brought or (unfinished and self.answer.finish):
            self.last_ns = stamp_ns


def read_reply(reply: RawReply, access: Access) -> Reading:
    """Read a reply; whatever is wrong with it is its ``error``, for a broken stream is not a fast one.

    Raises:
        EngineRefused: the server answers well, but does not stream.
    """
    reading = Reading()
    try:
        _read(reply, reading, access)
    except NotStreamed:
        raise
    except (ConnectionError, EngineError) as error:
        reading.error = str(EngineError(str(error)))  # printable
    return reading


class NotStreamed(EngineRefused):
    """The server sent a whole answer where a stream was asked for."""


def _read(raw: RawReply, reading: Reading, access: Access) -> None:
    reply, body = Reply(), bytearray()
    parser, stamp_ns = Parser(reply), raw.sent_ns

    def take(piece: bytes) -> bool:
        if _is_stream(reply):
            reading.take(piece, stamp_ns)
        else:
            body.extend(piece[:ERROR_BODY_BYTES])
        return len(body) >= ERROR_BODY_BYTES

    reply.hand_to(take)
    for piece, stamp_ns in zip(raw.pieces, raw.stamps_ns, strict=True):  # noqa: B007 - take() reads the stamp
        parser.feed(piece)
        reply.raise_error()
    _refuse_broken(raw, reply, reading)
    if not _is_stream(reply):
        raise _not_a_stream(reply, bytes(body), access)
    reading.end(stamp_ns)


def _is_stream(reply: Reply) -> bool:
    kind = reply.headers.get("Content-Type", STREAMED).lower()
    return reply.status == HTTPStatus.OK and kind.startswith(STREAMED)


def _refuse_broken(raw: RawReply, reply: Reply, reading: Reading) -> None:
    if not reply.is_headed:
        raise EngineError(f"the connection broke off before an answer came ({raw.error or 'closed by the server'})")
    if _is_stream(reply) and not raw.complete:
        how = raw.error or "the connection was closed"
        raise EngineError(f"the stream broke off after {len(reading.chunks_ns)} chunks ({how})")


def _not_a_stream(reply: Reply, body: bytes, access: Access) -> EngineError:
    error = refusal(reply.status, reply.headers, body, access)
    if reply.status == HTTPStatus.OK and b'"choices"' in body:
        return NotStreamed(f"{error}; without a stream no time to first token can be measured")
    return error
