"""One answer, read off its stream as it comes."""

from collections.abc import Iterable
from typing import Any

from papergate.endpoints.events import EventReader
from papergate.engines.remote.answer import Answer
from papergate.engines.remote.http import Reply
from papergate.engines.remote.read_batching import Tide
from papergate.engines.remote.timeouts import Patience
from papergate.errors import EngineError


class Reading:
    """Puts ``answer`` together, and tells ``patience`` what has come and ``tide`` how fast."""

    def __init__(self, patience: Patience, tide: Tide, *, only_begin: bool) -> None:
        self.answer = Answer()
        self._events = EventReader()
        self._patience = patience
        self._tide = tide
        self._only_begin = only_begin
        self._enough = False

    async def read(self, reply: Reply) -> None:
        """Read ``reply`` to its end, or to its first text if that is enough.

        Raises:
            ConnectionError: the connection is lost.
            EngineError: the stream reports an error, or ends without a finish reason or without text: never a shorter
                answer.
        """
        await reply.each(lambda piece: self._take(piece, reply))
        if not self._enough:
            self._add(self._events.end())
            self._check_whole()

    def _take(self, piece: bytes, reply: Reply) -> bool:
        since_s = self._patience.e2e_s
        if tokens := self._add(self._events.feed(piece)):
            self._tide.hold(reply.transport, (self._patience.e2e_s - since_s) / tokens)
            self._enough = self._only_begin
        return self._enough

    def _add(self, events: Iterable[dict[str, Any]]) -> int:
        """Add events to the answer; tell how many of them brought text."""
        finished, tokens = self.answer.finish, 0
        for event in events:
            tokens += self.answer.add(event)
        if tokens:
            self._patience.token()
        if self.answer.finish and not finished:
            self._patience.finish()
        return tokens

    def _check_whole(self) -> None:
        if self.answer.finish is None:
            characters = len(self.answer.text(thinks=False))
            raise EngineError(f"the stream ended after {characters} characters without a finish reason", transient=True)
        if not self.answer.is_whole:
            count = self.answer.output_tokens
            told = "does not count its tokens" if count is None else f"counts {count} tokens"
            raise EngineError(f"the answer is finished and has no text at all (the server {told})", transient=True)
