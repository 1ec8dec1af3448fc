"""What a load run leaves behind: when each request was sent, when its chunks came, how many tokens they were."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class TokenSource(StrEnum):
    """Who counted the output tokens; chunks are never counted in their place."""

    USAGE = "usage"
    """The server, in its usage chunk."""
    TOKENIZER = "tokenizer"
    """The server's tokenizer, asked about the text afterwards: it does not see tokens that leave no text."""
    UNKNOWN = "unknown"
    """Nobody: whatever needs the number is undefined."""


class Stamps(StrEnum):
    """Who said when the chunks of a run came."""

    KERNEL = "kernel"
    """It stamped every piece on its arrival."""
    EVENT_LOOP = "event loop"
    """The client, when it saw some piece or all: over TLS, elsewhere than on Linux, or where a stamp was missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedRequest:
    """One request as the client saw it. Times are seconds since the run began, by the monotonic clock."""

    prompt: int
    """Which prompt of the workload it was: requests of two runs with the same number are a pair."""
    intended_s: float
    """When the workload wanted it sent: its arrival, or the moment in which its place became free."""
    sent_s: float
    """When it was handed to the network."""
    chunks_s: tuple[float, ...] = ()
    """Arrival of each chunk that carried content or reasoning; a chunk with a role alone is none."""
    last_s: float | None = None
    """Arrival of the last chunk that carried content, reasoning or the finish reason."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    tokens_from: TokenSource = TokenSource.UNKNOWN
    cut_off: bool = False
    """Whether the token limit ended it."""
    error: str | None = None
    """Why it failed; None where it was answered to the end."""

    @property
    def answered(self) -> bool:
        """Whether the answer came, and came whole."""
        return self.error is None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientLoad:
    """How hard the measuring client itself had to work."""

    wall_s: float
    cpu_s: float
    """CPU time of the client's process within ``wall_s``."""
    lateness_s: tuple[float, ...]
    """How late the event loop woke up, sampled through the run."""
    reconnects: int = 0
    """Connections that had to be opened while the clock ran."""
    event_loop: str = "asyncio"
    stamps: Stamps = Stamps.EVENT_LOOP


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadRun:
    """A workload, run once against one deployment."""

    workload: str
    digest: str
    """Of everything in the workload that changes what is measured."""
    model: str
    server: str
    """Name and version of the server, as far as it tells."""
    salt: str
    """Which texts the prompts were made of; their lengths do not depend on it."""
    origin_ns: int
    """The monotonic clock when the run began, in nanoseconds."""
    requests: tuple[TimedRequest, ...]
    client: ClientLoad
    settings: Mapping[str, object] = field(default_factory=dict)
    """What else was asked of the server, such as ``ignore_eos``."""

    @property
    def answered(self) -> tuple[TimedRequest, ...]:
        """The requests that were answered to the end; failed ones are counted apart, never as fast ones."""
        return tuple(request for request in self.requests if request.answered)

    @property
    def failed(self) -> tuple[TimedRequest, ...]:
        """The requests that were not."""
        return tuple(request for request in self.requests if not request.answered)
