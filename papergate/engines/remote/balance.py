"""Several endpoints that serve the same model: each request goes to the one with the fewest in flight.

Counting the output tokens that are outstanding in place of requests gains nothing (`studies/balance.py`).
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

REST_S = 15.0
"""An endpoint that could not be reached gets one request per so many seconds until it answers again."""


@dataclass(kw_only=True, slots=True)
class Endpoint:
    """One server, or one rank of it, what it is doing for us, and whether it answers."""

    url: str
    """Root of the server, without ``/v1``."""
    rank: int | None = None
    """Its data-parallel rank that is asked; None where the server chooses, or has one."""
    in_flight: int = 0
    down: bool = False
    rests_until: float = 0.0

    @property
    def name(self) -> str:
        """How records name it."""
        return self.url if self.rank is None else f"{self.url} rank {self.rank}"

    def fell_silent(self) -> None:
        """It could not be reached: leave it alone for a while."""
        self.down = True
        self.rests_until = time.monotonic() + REST_S

    def answered(self) -> None:
        """It is back."""
        self.down = False
        self.rests_until = 0.0


class Balance:
    """Chooses an endpoint for each request."""

    def __init__(self, ranks: Mapping[str, int]) -> None:
        """``ranks``: how many of each server can be asked one by one, by its root."""
        self.endpoints = tuple(
            Endpoint(url=url, rank=rank if count > 1 else None) for url, count in ranks.items() for rank in range(count)
        )

    @contextmanager
    def lease(self) -> Iterator[Endpoint]:
        """The endpoint with the fewest requests in flight; a resting one only if all rest."""
        now = time.monotonic()
        endpoint = min(self.endpoints, key=lambda each: (each.rests_until > now, each.in_flight))
        if endpoint.down:  # this request finds out whether it is back; the others keep away meanwhile
            endpoint.rests_until = now + REST_S
        endpoint.in_flight += 1
        try:
            yield endpoint
        finally:
            endpoint.in_flight -= 1
