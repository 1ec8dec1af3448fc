"""One streamed answer, put together from the chunks of whichever server sent it."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from papergate.endpoints.server_errors import error_in, quoted
from papergate.engines.records import END_OF_THOUGHT, Finish
from papergate.errors import EngineError

START_OF_THOUGHT = "<think>"
FINISHES = {
    "stop": Finish.STOP,
    "eos_token": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
}
"""The finish reasons that leave a whole answer, in every server's spelling."""
BROKEN_OFF = ("abort", "error")
"""Finish reasons of a server that gave up; another attempt may succeed."""


@dataclass(kw_only=True, slots=True)
class Answer:
    """What the chunks read so far amount to."""

    thought: bytearray = field(default_factory=bytearray)
    """UTF-8 that came as ``reasoning_content`` (SGLang, MindIE, older vLLM) or ``reasoning`` (vLLM); a list of tokens
    would take fifteen times the memory, and there may be a thousand answers of 32,768 tokens in flight."""
    content: bytearray = field(default_factory=bytearray)
    finish: Finish | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: str | None = None
    """As the server wrote it."""
    model: str | None = None
    """As the chunks name it; several names where they name several."""
    _counted_at_end: bool = False
    """Some servers count in every chunk."""

    @property
    def is_whole(self) -> bool:
        """Whether it is finished and its text has come."""
        return self.finish is not None and bool(self.thought or self.content or self._ended_at_once)

    @property
    def _ended_at_once(self) -> bool:
        """A model may end with its first token, which some servers count; no text of any other length is lost text."""
        return self.finish is Finish.STOP and self._counted_at_end and self.output_tokens in (0, 1)

    def add(self, event: dict[str, Any]) -> bool:
        """Take one chunk; tell whether it brought text.

        Raises:
            EngineError: the chunk is an error, ends the answer without finishing it, or is no chat completion.
        """
        try:
            return self._add(event)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            words = quoted(orjson.dumps(event))
            raise EngineError(f"the stream holds an event that is no chunk of a chat completion: {words}") from error

    def text(self, *, thinks: bool) -> str:
        """The whole output, thought first and closed by ``</think>`` if the model closed it.

        A server that splits the thought off removes the tags: the end of the thought is where content begins. Where
        the thought stands in the content, its opening tag is dropped, because the chat template may or may not have
        written it already; so is the line break after it, which ``transformers serve`` takes for the first words.
        """
        thought, content = self.thought.decode(), self.content.decode()
        if not thinks:
            return thought + content
        if self.finish is Finish.LENGTH and thought.strip() == content.strip():
            return thought  # a thought that the limit cut, sent a second time as content by a server that found no end
        thought = thought.removeprefix("\n")
        text = f"{thought}{END_OF_THOUGHT}{content}" if thought and content else thought + content
        opened = text.lstrip()
        return opened.removeprefix(START_OF_THOUGHT) if opened.startswith(START_OF_THOUGHT) else text

    def _add(self, event: dict[str, Any]) -> bool:
        if error := error_in(event):
            raise error
        if (name := event.get("model")) and name != self.model:
            self.model = str(name)
        brought = False
        for choice in event.get("choices") or ():
            delta = choice.get("delta") or {}
            thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
            content = delta.get("content") or ""
            if thought or content:
                brought = True
                self.thought += thought.encode()
                self.content += content.encode()
            if reason := choice.get("finish_reason"):
                self._end(reason)
        if usage := event.get("usage"):
            self._count(usage)
        return brought

    def _count(self, usage: dict[str, Any]) -> None:
        prompt, output = usage.get("prompt_tokens"), usage.get("completion_tokens")
        self.prompt_tokens = prompt if isinstance(prompt, int) else self.prompt_tokens
        self.output_tokens = output if isinstance(output, int) else self.output_tokens
        self._counted_at_end = self.finish is not None and self.output_tokens is not None

    def _end(self, reason: str) -> None:
        if reason not in FINISHES:
            broken_off = reason in BROKEN_OFF
            raise EngineError(f"the server ended the answer with finish_reason {reason!r}", transient=broken_off)
        self.finish, self.finish_reason = FINISHES[reason], reason
