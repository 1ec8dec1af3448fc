"""How long a run takes on several replicas: a discrete-event simulation of the runner, fed by measured speeds.

A replica serves all requests that it holds side by side: each gets its own speed of one stream, until the replica's
speed under full load is shared out equally. The runner keeps a bounded number of requests in flight, gives each to the
replica with the fewest, and begins a look when the look before it has ended.
"""

import heapq
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from papergate.statistics.looks import LOOKS
from papergate.statistics.plan import SECONDS_PER_HOUR


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """What the replicas of a deployment do, as measured."""

    replicas: int
    tokens_per_s: float
    """Output tokens per second of one replica under full load."""
    stream_tokens_per_s: float
    """Output tokens per second of a request that has a replica to itself."""
    in_flight: int
    """Requests in flight over all replicas."""
    first_token_s: float = 0.0
    """From a request to its first token."""


@dataclass(kw_only=True, slots=True)
class _Replica:
    """Requests that share one replica. ``done`` is how many tokens each that was here from the start would have."""

    fleet: Fleet
    done: float = 0.0
    at_s: float = 0.0
    ends: list[float] = field(default_factory=list)
    """A heap: ``done`` at which each request ends."""

    def advance(self, now_s: float) -> None:
        self.done += (now_s - self.at_s) * self._each()
        self.at_s = now_s

    def take(self, tokens: float, now_s: float) -> None:
        self.advance(now_s)
        heapq.heappush(self.ends, self.done + tokens)

    def next_end_s(self) -> float:
        return self.at_s + max(self.ends[0] - self.done, 0.0) / self._each()

    def end(self, now_s: float) -> None:
        self.advance(now_s)
        self.done = heapq.heappop(self.ends)

    def _each(self) -> float:
        """Tokens per second of each request."""
        return min(self.fleet.stream_tokens_per_s, self.fleet.tokens_per_s / max(1, len(self.ends)))


def seconds(looks: Iterable[Sequence[float]], fleet: Fleet) -> float:
    """Seconds until the last token, where each look is the output tokens of its requests in the order of asking."""
    return sum(_look_s(tokens, fleet) for tokens in looks)


def _look_s(tokens: Sequence[float], fleet: Fleet) -> float:
    """Seconds of one look; what a request waits for its first token counts like tokens of a stream."""
    waiting = iter([one + fleet.first_token_s * fleet.stream_tokens_per_s for one in tokens])
    replicas = [_Replica(fleet=fleet) for _ in range(fleet.replicas)]
    for _, one in zip(range(fleet.in_flight), waiting, strict=False):
        _least_loaded(replicas).take(one, 0.0)
    now_s = 0.0
    while busy := [replica for replica in replicas if replica.ends]:
        first = min(busy, key=_Replica.next_end_s)
        now_s = first.next_end_s()
        first.end(now_s)
        if (another := next(waiting, None)) is not None:
            _least_loaded(replicas).take(another, now_s)
    return now_s


def _least_loaded(replicas: Sequence[_Replica]) -> _Replica:
    return min(replicas, key=lambda replica: len(replica.ends))


def drawn_looks(
    problems: int, samples: int, *, tokens_per_sample: float, fixed: bool, seed: int = 0
) -> list[list[float]]:
    """Output tokens of a run whose lengths nobody measured: exponential, so that their deviation is their mean.

    Longest first within a look, as the runner asks from the second look on.
    """
    dice = random.Random(seed)  # noqa: S311 - a simulation
    ends = [samples] if fixed else [*(look for look in LOOKS if look < samples), samples]
    sizes = [problems * (end - start) for start, end in zip([0, *ends], ends, strict=False)]
    return [sorted((dice.expovariate(1 / tokens_per_sample) for _ in range(size)), reverse=True) for size in sizes]


def scaling_text(looks: Sequence[Sequence[float]], one: Fleet, most: int) -> str:
    """How long ``looks`` take on 1, 2, 4 .. ``most`` replicas like ``one``, as a table with one line for each."""
    counts = sorted({2**power for power in range(most.bit_length()) if 2**power <= most} | {most})
    fleets = [replace(one, replicas=count, in_flight=one.in_flight * count) for count in counts]
    taken = [seconds(looks, fleet) for fleet in fleets]
    rows = [
        f"{count:>10} {took / SECONDS_PER_HOUR:>8.2f} {taken[0] / count / took:>18.0%}"
        for count, took in zip(counts, taken, strict=True)
    ]
    head = (
        f"simulated for a perfect deployment: {sum(map(len, looks))} completions in {len(looks)} looks, lengths drawn "
        f"around {sum(map(sum, looks)) / sum(map(len, looks)):.0f} tokens (exponential), {one.tokens_per_s:g} tokens/s "
        f"of a replica, {one.stream_tokens_per_s:.3g} of one request alone, {one.in_flight} requests in flight on each"
    )
    return "\n".join([head, "  replicas    hours  of the ideal share", *rows])
