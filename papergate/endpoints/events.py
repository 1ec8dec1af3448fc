"""Server-sent events of OpenAI-compatible servers: a JSON object each, in any form that the standard allows.

The standard is the event stream of HTML (html.spec.whatwg.org, section 9.2.6). Two things are read otherwise: an
object that is whole on its line counts at once, without the empty line after it; and a line that cannot begin with the
name of a field is a server's own words, not a field to ignore.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from papergate.endpoints.server_errors import QUOTED_CHARACTERS, json_in, quoted, reported
from papergate.errors import EngineError

LONGEST_LINE_BYTES = 2 * 2**20
"""Of a line, and of all lines of one event: room for a whole answer of 32,768 tokens, its characters escaped. Without
a limit a broken server could fill the memory; JSON takes up to thirty times its bytes once it is parsed."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DONE = b"[DONE]"
LAST = b"\n\n"
"""To be fed when the stream is over: what is left without its end is read all the same."""
END: dict[str, Any] = {}
"""The event that ``[DONE]`` is, told from an empty one by its identity."""
FIELD_NAME = re.compile(rb"[A-Za-z0-9_.-]*")
"""What stands before the colon of a line that is a field or a comment; all of a field without a value."""
ERROR_NAME, PLAIN_NAMES = "error", ("", "message")
"""Events of other names are read if they hold an object, and ignored otherwise, such as the pings of some servers."""


@dataclass(kw_only=True, slots=True)
class EventReader:
    """Turns pieces of a stream, cut anywhere (even inside a character), into its events."""

    ignored: bytes = b""
    """The last line that was no field of an event stream known here, for messages."""
    _rest: bytearray = field(default_factory=bytearray)
    """The line that has not ended yet."""
    _begun: bool = False
    _after_cr: bool = False
    _between: bool = False
    """Whether a line begins with the next piece, and not the first one."""
    _open: bool = False
    """Whether an event has begun that only a blank line ends: it has a name, or lines of data that are none alone."""
    _name: str = ""
    _data: list[bytes] = field(default_factory=list)
    _data_bytes: int = 0

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The events that ``piece`` completes, `END` among them where the server says that no other follows.

        Raises:
            EngineError: a line is neither a field nor a comment; the message quotes it. MindIE reports its time-outs
                that way, inside a stream that began well. Or the server reports an error, or an event is no JSON.
        """
        is_whole = self._between and piece.endswith(b"\n") and b"\r" not in piece  # as nearly all are
        lines = piece[:-1].split(b"\n") if is_whole else self._lines(piece)
        for line in map(bytes.strip, lines):  # half of them are blank
            if line:
                if (event := self._event_of(line)) is not None:
                    yield event
            elif self._open:
                yield from self._blank()

    def _event_of(self, line: bytes) -> dict[str, Any] | None:
        """The event that a line is by itself; None where it is none, or a part of one."""
        if self._open or not line.startswith(b"data:"):
            return self._part(line)
        try:
            event = orjson.loads(line[5:])
        except orjson.JSONDecodeError:
            return self._part(line)
        if type(event) is dict:
            return event
        raise _no_object(line[5:])

    def _part(self, line: bytes) -> dict[str, Any] | None:
        """Take a line that is no event by itself; `END` where it says that no other follows."""
        name = FIELD_NAME.match(line)
        assert name
        if name.end() < len(line) and line[name.end()] != ord(":"):
            raise EngineError(f"the stream was interrupted by a text: {quoted(line)}", transient=True)
        value = line[name.end() + 1 :].strip()
        if name[0] == b"data":
            if value == DONE and not self._open:
                return END
            self._keep(value)
        elif name[0] == b"event":
            self._name, self._open = value.decode(errors="replace"), True
        elif name[0] not in (b"", b"id", b"retry"):
            self.ignored = line[:QUOTED_CHARACTERS]
        return None

    def _lines(self, piece: bytes) -> list[bytes]:
        """The lines that ``piece`` ends, whichever way: by LF, CR LF or CR."""
        if self._after_cr:
            piece = b"\r" + piece
        self._after_cr = piece.endswith(b"\r")  # the next piece tells whether a line feed belongs to it
        if self._after_cr:
            piece = piece[:-1]
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = piece.split(b"\n")
        if self._rest or len(lines) == 1 or not self._begun:
            self._rest += lines[0]
            self._refuse_longer(len(self._rest))
            if len(lines) == 1:
                self._between = False
                return []
            lines[0] = self._first_line()
        rest = lines.pop()
        self._rest = bytearray(rest)
        self._between = not (rest or self._after_cr)
        self._refuse_longer(len(rest))
        return lines

    def _first_line(self) -> bytes:
        line = bytes(self._rest)
        if not self._begun:
            self._begun, line = True, line.removeprefix(BYTE_ORDER_MARK)
        return line

    def _keep(self, data: bytes) -> None:
        """Keep a line of data for the end of its event; an empty one means something between others only."""
        if data or self._data:
            self._data.append(data)
            self._open = True
            self._data_bytes += 1 + len(data)
            self._refuse_longer(self._data_bytes)

    def _blank(self) -> Iterator[dict[str, Any]]:
        """The event of several lines, or with a name, is over."""
        name, data = self._name, b"\n".join(self._data)
        self._open, self._name, self._data, self._data_bytes = False, "", [], 0
        if name == ERROR_NAME:
            raise _reported(data)
        event = END if data.strip() == DONE else _event(data, is_named=name not in PLAIN_NAMES)
        if event is not None:
            yield event

    def _refuse_longer(self, count: int) -> None:
        if count > LONGEST_LINE_BYTES:
            words = quoted(bytes(self._rest[:QUOTED_CHARACTERS]))
            raise EngineError(f"a line or an event of the stream exceeds {LONGEST_LINE_BYTES} bytes: {words}")


def _event(data: bytes, *, is_named: bool) -> dict[str, Any] | None:
    """The object of an event; None where it has no data, or a name and something else."""
    try:
        event = orjson.loads(data or b"null")
    except orjson.JSONDecodeError:
        if is_named:
            return None
        raise EngineError(f"the stream holds broken JSON: {quoted(data)}", transient=True) from None
    if isinstance(event, dict) or is_named or not data:
        return event if isinstance(event, dict) else None
    raise _no_object(data)


def _no_object(data: bytes) -> EngineError:
    return EngineError(f"the stream holds JSON that is no object: {quoted(data)}")


def _reported(data: bytes) -> EngineError:
    """The error of an event that is called one."""
    words = json_in(data)
    return reported(data.decode(errors="replace") or "without words" if words is None else words)
