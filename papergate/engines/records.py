"""The records of this stage, and the one protocol every engine keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from papergate.promises.records import Sampling
from papergate.promises.tool import RequestField

BEGIN_OF_THOUGHT, END_OF_THOUGHT = "<think>", "</think>"
BEST = 20
"""Most likely tokens of a `Logprobs`: the most that common servers tell."""
Logprobs = Mapping[int, float]
"""Natural log-probabilities at one place of a text, by token id: of the best ones, and of the one that stands there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A request as the tool of a document sends it."""

    fields: tuple[RequestField, ...]
    """All that stands in its body, in this order."""
    streamed: bool = True
    """Whether a stream is asked for, which no tool here does: a connection that is lost shows at once."""

    @property
    def is_bounded(self) -> bool:
        """Whether it says how many tokens an answer may have; if not, the context is the limit."""
        return "max_tokens" in self.fields


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One sample to draw: the user turn of a problem and how to draw it."""

    problem: str
    """Id of the problem."""
    sample: int
    """0 .. k-1, an independent draw for the same problem."""
    prompt: str
    """The user turn; the engine applies the model's chat template."""
    sampling: Sampling
    seed: int
    """Different for every (problem, sample), the same after a resume."""
    shots: tuple[tuple[str, str], ...] = ()
    """Turns of user and assistant before the prompt."""
    form: Form | None = None
    """How the body of the request is written; None: as papergate writes it."""

    @property
    def turns(self) -> list[dict[str, str]]:
        """The conversation up to the answer."""
        before = [turn for shot in self.shots for turn in zip(("user", "assistant"), shot, strict=True)]
        return [{"role": role, "content": text} for role, text in (*before, ("user", self.prompt))]


class Finish(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    LENGTH = "length"
    """The token limit cut it off."""
    REFUSED = "refused"
    """The server sent a refusal in place of an answer: wrong, and counted by itself."""
    OTHER = "other"
    """The server ended it for a reason of its own, such as a loop that it noticed: wrong, and counted by itself."""
    FAILED = "failed"
    """It never came: no text to grade."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """Text, finish reason, token counts and times of one sample.

    ``text`` is the whole output, thought first, the thought closed by ``</think>`` however the engine delivered it;
    None only where ``finish`` is ``failed``, and then ``error`` says why.
    """

    problem: str
    sample: int
    seed: int | None = None
    text: str | None
    finish: Finish
    error: str | None = None
    attempts: int = 1
    """Requests that were sent for it, over all sessions of the run."""
    finish_reason: str | None = None
    """As the server wrote it; None where it wrote none."""
    endpoint: str | None = None
    """Root of the server that answered, with its rank where the server names several ranks."""
    lost_at: tuple[str, ...] = ()
    """Endpoints of the attempts that failed, in their order."""
    model: str | None = None
    """The model that the chunks of the answer named; several where they named several."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    ttft_s: float | None = None
    """Request sent to first chunk with content or thought."""
    e2e_s: float | None = None
    """Request sent to last chunk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineIdentity:
    """Who answered: recorded with every run, compared on resume."""

    engine: str
    version: str
    model: str
    revision: str = ""
    """Digest or commit of the weights, where it can be known."""
    template: str = ""
    """sha256 of the chat template, where it can be known."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Driver, CUDA or CANN, torch, devices, flags: shown in the report, not compared on resume."""


class Engine(Protocol):
    """Turns a prompt into a completion. A class with a life cycle: built ready to answer, closed once."""

    @property
    def concurrency(self) -> int:
        """How many requests in flight serve this engine best."""

    def identity(self) -> EngineIdentity:
        """Who answers."""

    def check(self, sampling: Sampling, prompts: Sequence[str], form: Form | None = None) -> None:
        """Refuse what cannot work before anything expensive starts, such as a context that is too short.

        ``form`` is that of the run's requests.

        Raises:
            EngineRefused: with what was seen, what is accepted and the remedy.
        """

    async def complete(self, request: Request) -> Completion:
        """Draw one sample: one attempt, no retry.

        Raises:
            EngineError: the attempt failed; ``transient`` says whether another may succeed.
        """

    def close(self) -> None:
        """Release everything this engine started; may be called twice."""
