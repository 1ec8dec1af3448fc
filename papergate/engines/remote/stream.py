"""One answer, read off its stream."""

from typing import Any

from papergate.endpoints.events import LAST, EventReader
from papergate.endpoints.http import Reply
from papergate.endpoints.server_errors import json_in, quoted
from papergate.engines.remote.answer import LONGEST_ANSWER_BYTES, Answer
from papergate.engines.remote.read_batching import ReadBatches
from papergate.engines.remote.timeouts import Patience
from papergate.errors import EngineError


class StreamedAnswer:
    """Puts ``answer`` together from the pieces of a stream; how they come, and when, is for others to know."""

    def __init__(self) -> None:
        self.answer = Answer()
        self._events = EventReader()

    def feed(self, piece: bytes) -> int:
        """Take a piece; tell how many events it completes that bring text.

        Raises:
            EngineError: the stream reports an error, or is no stream of one answer.
        """
        tokens, add = 0, self.answer.add
        for event in self._events.feed(piece):
            tokens += add(event)
        if len(self.answer.thought) + len(self.answer.content) > LONGEST_ANSWER_BYTES:
            raise EngineError(f"the answer exceeds {LONGEST_ANSWER_BYTES} bytes; does the server ignore max_tokens?")
        return tokens

    def end(self) -> int:
        """The stream is over: like ``feed``, of what is left without a line end.

        Raises:
            EngineError: it ends without a finish reason: never a shorter answer.
        """
        tokens = self.feed(LAST)
        self._refuse_unfinished()
        return tokens

    def _refuse_unfinished(self) -> None:
        if self.answer.finish is None:
            characters = len(self.answer.text(thinks=False))
            ignored = f"; a line that is no event: {quoted(said)}" if (said := self._events.ignored) else ""
            raise EngineError(
                f"the stream ended after {characters} characters without a finish reason{ignored}", transient=True
            )


def refuse_incomplete(answer: Answer) -> None:
    """Refuse an answer without an end, or whose text was lost on its way.

    Raises:
        EngineError: it has no finish reason; or it is finished, and nothing says that it has no text.
    """
    if answer.finish is None:
        raise EngineError("the answer has no finish reason", transient=True)
    if not answer.is_whole:
        count = answer.output_tokens
        told = "does not count its tokens" if count is None else f"counts {count} tokens"
        raise EngineError(f"the answer is finished and has no text at all (the server {told})", transient=True)


class WholeReading:
    """Reads an answer that comes in one piece, as a JSON object with a message."""

    def __init__(self, patience: Patience) -> None:
        self.answer = Answer()
        self._patience = patience
        self._body = bytearray()

    async def read(self, reply: Reply) -> None:
        """Read ``reply`` to its end.

        Raises:
            ConnectionError: the connection is lost.
            EngineError: the reply is no answer, reports an error, or has no text.
        """
        await reply.each(self._take)
        found = _as_chunk(json_in(bytes(self._body)))
        if found is None:
            raise EngineError(f"the reply is no chat completion: {quoted(bytes(self._body))}")
        if self.answer.add(found):
            self._patience.token()
        refuse_incomplete(self.answer)
        self._patience.finish()

    def _take(self, piece: bytes) -> bool:
        self._body += piece
        if len(self._body) > LONGEST_ANSWER_BYTES:
            raise EngineError(f"the answer exceeds {LONGEST_ANSWER_BYTES} bytes; does the server ignore max_tokens?")
        return False


def _as_chunk(found: Any) -> dict[str, Any] | None:  # noqa: ANN401 - any JSON
    """A chat completion, or an error, as the only chunk of a stream; None where it is neither."""
    if not isinstance(found, dict):
        return None
    choices = found.get("choices") or []
    if (
        not isinstance(choices, list)
        or not all(isinstance(choice, dict) for choice in choices)
        or not (choices or found.get("error"))
    ):
        return None
    return {**found, "choices": [{**choice, "delta": choice.get("message")} for choice in choices]}


class Reading:
    """Reads an answer as it comes, and tells ``patience`` what has come and ``batches`` how fast."""

    def __init__(self, patience: Patience, batches: ReadBatches, *, only_begin: bool) -> None:
        self._stream = StreamedAnswer()
        self.answer = self._stream.answer
        """As far as it has come."""
        self._patience = patience
        self._batches = batches
        self._only_begin = only_begin
        self._enough = False

    async def read(self, reply: Reply) -> None:
        """Read ``reply`` to its end, or to its first text if that is enough.

        Raises:
            ConnectionError: the connection is lost.
            EngineError: see `StreamedAnswer`; or the answer has no text.
        """
        await reply.each(lambda piece: self._take(piece, reply))
        if not self._enough:
            if self._stream.end():
                self._patience.token()
            refuse_incomplete(self.answer)

    def _take(self, piece: bytes, reply: Reply) -> bool:
        since_s = self._patience.e2e_s
        if tokens := self._stream.feed(piece):
            self._patience.token()
            self._batches.pause(reply.transport, (self._patience.e2e_s - since_s) / tokens)
            self._enough = self._only_begin
        if self.answer.finish:
            self._patience.finish()
        return self._enough
