"""How long one attempt may take. No other limits end one."""

import asyncio
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

CONNECT_S = 30.0
"""A network that needs longer to connect is broken."""
FIRST_TOKEN_S = 3600.0
"""A request may wait in the server's queue for as long as the answers before it take."""
TRIAL_S = 600.0
"""Nothing of ours waits before the trial request at the start; a server that is cold, or busy for others, may need
minutes for its first token, and the person who started the run is still watching."""
IDLE_S = 600.0
"""A server short of cache memory sets an answer aside for minutes, not for longer than this."""
TOTAL_S = 7200.0
"""32,768 tokens at 5 tokens per second, which is slow for a deployment worth admitting, take 6,554 s."""
FAREWELL_S = 5.0
"""After the finish reason only token counts can come; they are not worth a longer wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """Limits of one attempt in seconds: from its start, but ``idle_s`` from the last token."""

    connect_s: float = CONNECT_S
    first_token_s: float = FIRST_TOKEN_S
    trial_s: float = TRIAL_S
    """In place of ``first_token_s`` for the trial request at the start of a run."""
    idle_s: float = IDLE_S
    total_s: float = TOTAL_S

    def of_a_trial(self) -> "Timeouts":
        """The limits of the trial request."""
        return replace(self, first_token_s=min(self.trial_s, self.first_token_s))

    def of_a_whole(self) -> "Timeouts":
        """The limits of an answer that comes in one piece."""
        return replace(self, first_token_s=self.total_s)


class Patience:
    """The clock of one attempt: an async context that raises TimeoutError when a limit is passed.

    A token costs one look at the clock; a single timer looks, whenever a limit could be passed, whether it is.
    """

    def __init__(self, limits: Timeouts) -> None:
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._guard = asyncio.timeout(None)
        self._sent = self._last = self._loop.time()
        self._first: float | None = None
        self._finished = False

    async def __aenter__(self) -> Self:
        """Start the clock."""
        await self._guard.__aenter__()
        self._look()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the clock."""
        self._timer.cancel()
        await self._guard.__aexit__(kind, error, trace)

    def token(self) -> None:
        """Text has come."""
        self._last = self._loop.time()
        if self._first is None:
            self._first = self._last

    def finish(self) -> None:
        """The finish reason has come; told again, it changes nothing."""
        if self._finished:
            return
        self._last = self._loop.time()
        self._finished = True
        self._timer.cancel()
        self._look()

    @property
    def ttft_s(self) -> float | None:
        """Request sent to first text; None while there is none."""
        return None if self._first is None else self._first - self._sent

    @property
    def e2e_s(self) -> float:
        """Request sent to the finish reason, or to the last text so far."""
        return self._last - self._sent

    def limit(self) -> tuple[float, str]:
        """The limit in force: when it is passed, in loop time, and what to say then."""
        limits = self._limits
        if self._finished:
            return self._last + FAREWELL_S, "the stream stayed open after its end"
        if self._first is None:
            due = self._sent + limits.first_token_s, f"no token came within {limits.first_token_s:g} s"
        else:
            due = self._last + limits.idle_s, f"the stream stalled: no token for {limits.idle_s:g} s"
        return min(due, (self._sent + limits.total_s, f"the answer was not finished within {limits.total_s:g} s"))

    def _look(self) -> None:
        when, _ = self.limit()
        if when > self._loop.time():
            self._timer = self._loop.call_at(when, self._look)
        else:
            self._guard.reschedule(when)
