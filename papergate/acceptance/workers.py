"""Several processes that test the promises of one session, as under pytest-xdist: together they count as one."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from papergate.completions.policy import Policy
from papergate.errors import OptionsError
from papergate.run_folder.notes import note
from papergate.words import worded


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """The processes of a session; by default this one alone."""

    count: int = 1
    shared: Path | None = None
    """Folder in which each puts down the promises that failed; None where there is one process."""
    _failed: set[str] = field(default_factory=set)

    def share_of(self, policy: Policy, concurrency: int, *, promises: int) -> Policy:
        """What one process may do of ``policy``, which is that of all; ``concurrency`` is what it leaves open.

        Raises:
            OptionsError: there are more processes with something to test than requests in flight.
        """
        busy, concurrency = max(1, min(self.count, promises)), policy.concurrency or concurrency
        if concurrency < busy:
            raise worded(OptionsError, note("too_few_in_flight", in_flight=concurrency, workers=busy))
        rate = policy.requests_per_s and policy.requests_per_s / busy
        return replace(policy, concurrency=concurrency // busy, requests_per_s=rate)

    def fail(self, promise: str) -> None:
        """Put down that ``promise`` failed."""
        self._failed.add(promise)
        if self.shared:
            (self.shared / promise).touch()

    @property
    def failed(self) -> int:
        """How many promises of the session have failed so far, in whichever process."""
        return len([*self.shared.iterdir()]) if self.shared else len(self._failed)
