"""Server-sent events as OpenAI-compatible servers write them: one JSON object per ``data:`` line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from papergate.endpoints.server_errors import quoted
from papergate.errors import EngineError

LONGEST_LINE_BYTES = 16 * 2**20
"""No event of a token or two comes near this; without a limit a broken server could fill the memory."""
DONE = b"[DONE]"
FIELDS = (b"event:", b"id:", b"retry:", b":")
"""Lines that the format allows and that carry no answer; ``:`` opens a comment, used to keep connections alive."""


@dataclass(kw_only=True, slots=True)
class EventReader:
    """Turns pieces of a stream, cut anywhere (even inside a character), into its events."""

    _rest: bytes = field(default=b"")

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The events that ``piece`` completes.

        Raises:
            EngineError: a line is neither an event nor allowed beside events; the message quotes it. MindIE reports
                its time-outs that way, inside a stream that began well.
        """
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > LONGEST_LINE_BYTES:
            raise EngineError(f"a line of the stream exceeds {LONGEST_LINE_BYTES} bytes: {quoted(self._rest)}")
        for line in map(bytes.strip, lines):  # half of them are blank
            if line and (event := event_of(line)) is not None:
                yield event

    def end(self) -> Iterator[dict[str, Any]]:
        """The stream is over: what is left without a line end is read like a line."""
        line, self._rest = self._rest.strip(), b""
        if (event := event_of(line)) is not None:
            yield event


def event_of(line: bytes) -> dict[str, Any] | None:
    """The event in one whole line without space around it; None where the line carries none.

    Raises:
        EngineError: the line is neither an event nor allowed beside events.
    """
    if not line.startswith(b"data:"):
        if line and not line.startswith(FIELDS):
            raise EngineError(f"the stream was interrupted by a text: {quoted(line)}", transient=True)
        return None
    data = line[5:].lstrip()
    return _object(data) if data and data != DONE else None


def _object(data: bytes) -> dict[str, Any]:
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise EngineError(f"the stream holds broken JSON: {quoted(data)}", transient=True) from None
    if not isinstance(event, dict):
        raise EngineError(f"the stream holds JSON that is no object: {quoted(data)}")
    return event
