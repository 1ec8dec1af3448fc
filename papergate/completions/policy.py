"""How hard a run tries: requests in flight, their rate, and which failures deserve another attempt."""

import hashlib
import random
from dataclasses import dataclass

from papergate.engines.records import Request
from papergate.errors import EngineError

ATTEMPTS = 10
"""With the waits below: some four minutes, which outlasts the restart of a supervised server."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
LONGEST_RETRY_AFTER_S = 600.0
"""A server may ask for a longer wait than the back-off, but not for the whole night."""
FAILURES_IN_A_ROW = 16
"""So many requests lost one after another mean that the server is gone: stop, and keep what there is."""
NO_PROGRESS_S = 9000.0
"""Half an hour more than the longest that one answer may take, see ``papergate.engines.remote.engine.TOTAL_S``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How hard a run tries."""

    concurrency: int | None = None
    """Requests in flight; None takes the engine's own."""
    requests_per_s: float | None = None
    """Highest rate of attempts started; None starts each as soon as there is room."""
    batches: bool = False
    """Whether the next requests start only when the slowest of the present ones has ended."""
    attempts: int = ATTEMPTS
    first_wait_s: float = FIRST_WAIT_S
    longest_wait_s: float = LONGEST_WAIT_S
    failures_in_a_row: int = FAILURES_IN_A_ROW
    no_progress_s: float = NO_PROGRESS_S

    def wait_s(self, request: Request, attempt: int, error: EngineError) -> float:
        """Seconds between attempt number ``attempt`` (from 1) and the next.

        Doubles up to ``longest_wait_s``, minus up to half of it so that requests that failed together do not come
        back together; never shorter than the server asked for.
        """
        back_off = min(self.longest_wait_s, self.first_wait_s * 2.0 ** (attempt - 1))
        jitter = random.Random(f"{request.seed}/{attempt}").uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
        return max(back_off * jitter, min(error.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S))


def seed_of(run_seed: int, problem: str, sample: int) -> int:
    """The seed of one sample: 31 bits, different for every sample, the same after a resume."""
    digest = hashlib.sha256(f"{run_seed}\n{problem}\n{sample}".encode()).digest()
    return int.from_bytes(digest[:4]) >> 1
