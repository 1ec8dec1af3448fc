"""One streamed answer, put together from the chunks of whichever server sent it."""

from dataclasses import dataclass, field
from typing import Any

from papergate.endpoints.describe import count_of
from papergate.endpoints.events import END
from papergate.endpoints.server_errors import quoted, reported, words_in
from papergate.engines.records import END_OF_THOUGHT, Finish
from papergate.errors import EngineError

START_OF_THOUGHT = "<think>"
FINISHES = {
    "stop": Finish.STOP,
    "eos": Finish.STOP,
    "eos_token": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "end_turn": Finish.STOP,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "max_length": Finish.LENGTH,
    "max_new_tokens": Finish.LENGTH,
    "model_length": Finish.LENGTH,
    "abort": Finish.FAILED,
    "aborted": Finish.FAILED,
    "cancelled": Finish.FAILED,
    "error": Finish.FAILED,
    "insufficient_system_resource": Finish.FAILED,
    "content_filter": Finish.FAILED,
    "tool_calls": Finish.FAILED,
    "function_call": Finish.FAILED,
}
"""The finish reasons that are known, in every server's spelling: what leaves no whole answer is failed. All others are
`Finish.OTHER`: the server ended the answer as it saw fit, as vLLM does with a loop (``repetition``)."""
WITHHELD = ("content_filter", "tool_calls", "function_call")
"""Of the failed, those that come again with the same request; the others are of a server that gave up."""
LONGEST_ANSWER_BYTES = 4 * 2**20
"""32 times an answer of 32,768 tokens of ordinary length; a thousand answers may be in flight."""
MOST_MODELS = 4
"""Names of models that are kept of one answer."""
LONGEST_NAME = 200
"""Characters of a name, or of a finish reason, that are kept."""


class OutOfStep(EngineError):
    """The server sent text that belongs to another answer, or to none. What it sent before cannot be trusted either."""


def finish_of(reason: str) -> Finish:
    """What a server's finish reason means."""
    return FINISHES.get(reason.lower(), Finish.OTHER)


@dataclass(kw_only=True, slots=True)
class Answer:
    """What the chunks read so far amount to."""

    thought: bytearray = field(default_factory=bytearray)
    """UTF-8 that came as ``reasoning_content`` (SGLang, MindIE, older vLLM) or ``reasoning`` (vLLM); a list of tokens
    would take fifteen times the memory, and there may be a thousand answers of 32,768 tokens in flight."""
    content: bytearray = field(default_factory=bytearray)
    finish: Finish | None = None
    finish_reason: str | None = None
    """As the server wrote it."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    _models: list[str] = field(default_factory=list)
    _model: object = None
    """The last name, as it came."""
    _is_over: bool = False
    """Whether ``[DONE]`` has come, after which no text may."""
    _refused: bool = False
    _counted_at_end: bool = False
    """Some servers count in every chunk."""

    @property
    def model(self) -> str | None:
        """The model as the chunks name it; several names where they name several."""
        return ", ".join(self._models) or None

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
            OutOfStep: it brings text of another answer, or after the end.
            EngineError: the chunk is an error, ends the answer without finishing it, or is no chat completion.
        """
        try:
            return self._add(event)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            words = quoted(words_in(event))
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
        if thought and content and self.finish is Finish.LENGTH and _stands_in(content, thought):
            content = ""  # the thought was cut off, and the server sends it again: nothing closed it
        text = f"{thought}{END_OF_THOUGHT}{content}" if thought and content else thought + content
        opened = text.lstrip()
        return opened.removeprefix(START_OF_THOUGHT) if opened.startswith(START_OF_THOUGHT) else text

    def _add(self, event: dict[str, Any]) -> bool:
        if (name := event.get("model")) != self._model:
            self._name(name)
        if event.get("error") or event.get("object") == "error":
            raise reported(event)
        brought = False
        if choices := event.get("choices"):
            choice = choices[0]
            if choice.get("index") or len(choices) > 1:
                raise OutOfStep("the server sends several answers to one request, which asked for one")
            if delta := choice.get("delta"):
                brought = self._take(delta)
            if reason := choice.get("finish_reason"):
                self._end(reason)
        elif event is END:
            self._is_over = True
        if usage := event.get("usage"):
            self._count(usage)
        return brought

    def _take(self, delta: dict[str, Any]) -> bool:
        thought, content = delta.get("reasoning_content") or delta.get("reasoning"), delta.get("content")
        if refusal := delta.get("refusal"):
            self._refused, content = True, (content or "") + refusal
        if not (thought or content):
            return False
        if self.finish or self._is_over:
            raise OutOfStep(f"text came after the end of the answer: {quoted(thought or content or '')}")
        if thought:
            self.thought += thought.encode()
        if content:
            self.content += content.encode()
        return True

    def _name(self, name: object) -> None:
        """Chunks may lack a name, or have an empty one."""
        self._model = name
        kept = name[:LONGEST_NAME] if isinstance(name, str) else ""
        if kept and kept not in self._models and len(self._models) < MOST_MODELS:
            self._models.append(kept)

    def _count(self, usage: object) -> None:
        """Take the counts of a chunk; what is no count changes nothing."""
        if not isinstance(usage, dict):
            return
        prompt, output = count_of(usage.get("prompt_tokens")), count_of(usage.get("completion_tokens"))
        self.prompt_tokens = prompt if prompt is not None else self.prompt_tokens
        self.output_tokens = output if output is not None else self.output_tokens
        self._counted_at_end = self.finish is not None and self.output_tokens is not None

    def _end(self, reason: str) -> None:
        finish = Finish.REFUSED if self._refused else finish_of(reason)
        if self.finish not in (None, finish):
            raise OutOfStep(f"the answer ended twice, with {self.finish_reason} and with {quoted(reason)}")
        if finish is Finish.FAILED:
            broken_off = reason.lower() not in WITHHELD
            raise EngineError(f"the server ended the answer with finish_reason {quoted(reason)}", transient=broken_off)
        self.finish, self.finish_reason = finish, reason[:LONGEST_NAME]


def _stands_in(part: str, whole: str) -> bool:
    """Whether ``part`` is a piece of ``whole``, word for word."""
    return " ".join(part.replace(START_OF_THOUGHT, " ").split()) in " ".join(whole.split())
