"""One function per metric. Seconds inside; ``None`` where a metric is undefined, never zero."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from papergate.performance.records import LoadRun, TimedRequest

FEWEST_TOKENS_FOR_TPOT = 2
"""With one token there is no time between tokens."""
PERCENTILES = (50, 90, 99)
"""Shown in every record."""
PERCENTILE_METHOD = "linear"
"""Linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996), as numpy does by default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Percentile:
    """A percentile with what is needed to argue with it."""

    p: float
    """0 .. 100."""
    value: float
    count: int
    """Values it was taken from: the p99 of fewer than 100 is next to their maximum."""
    method: str = PERCENTILE_METHOD


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLevel:
    """Bounds on one request, in seconds; None where there is none."""

    ttft_s: float | None = None
    tpot_s: float | None = None
    e2e_s: float | None = None


class Timed(Protocol):
    """A completion of an accuracy run, with its text or without; None where the engine did not say."""

    @property
    def output_tokens(self) -> int | None:
        """As the engine counted them."""

    @property
    def ttft_s(self) -> float | None:
        """Request sent to first text."""

    @property
    def e2e_s(self) -> float | None:
        """Request sent to last text."""


def ttft_s(request: TimedRequest) -> float | None:
    """Time to first token: first chunk with content or reasoning - request sent.

    Undefined for a request that failed or brought no text.
    """
    return request.chunks_s[0] - request.sent_s if request.answered and request.chunks_s else None


def e2e_s(request: TimedRequest) -> float | None:
    """End-to-end latency: last chunk with text or the finish reason - request sent; undefined for failed requests."""
    return request.last_s - request.sent_s if request.answered and request.last_s is not None else None


def tpot_s(request: TimedRequest) -> float | None:
    """Time per output token after the first: (e2e - TTFT) / (output tokens - 1).

    Undefined below two tokens and where they were not counted. One figure per request, whatever its chunks hold.
    """
    return _tpot(ttft_s(request), e2e_s(request), request.output_tokens)


def itl_s(request: TimedRequest) -> tuple[float, ...]:
    """Inter-token latency: every gap between consecutive chunks with text; read it with `tokens_per_chunk`."""
    return tuple(after - before for before, after in pairwise(request.chunks_s)) if request.answered else ()


def tokens_per_chunk(requests: Iterable[TimedRequest]) -> float | None:
    """Output tokens / chunks with text, over all answered requests: what one inter-token latency stands for.

    Near one it is a gap between tokens, at four a gap between groups of four. Undefined where any count is missing.
    """
    answered = [request for request in requests if request.answered]
    tokens = total_output_tokens(answered)
    chunks = sum(len(request.chunks_s) for request in answered)
    return tokens / chunks if tokens is not None and chunks else None


def queueing_s(request: TimedRequest) -> float:
    """Client queueing: request sent - intended start. It is no part of TTFT or e2e, and is always shown beside them.

    Without it, a client that falls behind leaves out the very requests that would have waited (coordinated omission).
    """
    return request.sent_s - request.intended_s


def window_s(requests: Sequence[TimedRequest]) -> float | None:
    """The whole window: last arrival - first request sent, failed requests included; undefined without any arrival."""
    ends = [request.last_s for request in requests if request.last_s is not None]
    return max(ends) - min(request.sent_s for request in requests) if ends else None


def total_output_tokens(requests: Iterable[TimedRequest]) -> int | None:
    """Output tokens of the answered requests; undefined where any of their counts is missing."""
    return _total(request.output_tokens for request in requests if request.answered)


def total_prompt_tokens(requests: Iterable[TimedRequest]) -> int | None:
    """Prompt tokens of the answered requests; undefined where any of their counts is missing."""
    return _total(request.prompt_tokens for request in requests if request.answered)


def output_tokens_per_s(requests: Sequence[TimedRequest]) -> float | None:
    """Output throughput: output tokens of answered requests / the whole window."""
    return _rate(total_output_tokens(requests), window_s(requests))


def total_tokens_per_s(requests: Sequence[TimedRequest]) -> float | None:
    """Total throughput: prompt and output tokens of answered requests / the whole window."""
    counts = total_prompt_tokens(requests), total_output_tokens(requests)
    return _rate(_total(counts), window_s(requests))


def requests_per_s(requests: Sequence[TimedRequest]) -> float | None:
    """Request throughput: answered requests / the whole window."""
    return _rate(sum(request.answered for request in requests), window_s(requests))


def goodput_per_s(requests: Sequence[TimedRequest], level: ServiceLevel) -> float | None:
    """Goodput: requests per second of the whole window that were answered within *all* bounds of ``level``."""
    return _rate(sum(meets(request, level) for request in requests), window_s(requests))


def meets(request: TimedRequest, level: ServiceLevel) -> bool:
    """Whether a request was answered within all bounds; an undefined metric meets no bound.

    The one exception is TPOT below two tokens, where there is no time between tokens to bound.
    """
    measured = {"ttft_s": ttft_s(request), "e2e_s": e2e_s(request)}
    if request.output_tokens is None or request.output_tokens >= FEWEST_TOKENS_FOR_TPOT:
        measured["tpot_s"] = tpot_s(request)
    bounds = {name: getattr(level, name) for name in measured}
    return request.answered and all(
        bound is None or ((value := measured[name]) is not None and value <= bound) for name, bound in bounds.items()
    )


def percentile(values: Sequence[float], p: float) -> Percentile | None:
    """The ``p``-th percentile by linear interpolation: rank (n - 1) p / 100; undefined without values."""
    if not values:
        return None
    ordered, rank = sorted(values), (len(values) - 1) * p / 100
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    value = ordered[below] + (ordered[above] - ordered[below]) * (rank - below)
    return Percentile(p=p, value=value, count=len(values))


def completion_tpot_s(completion: Timed) -> float | None:
    """Time per output token of a completion of an accuracy run, by the same formula as `tpot_s`."""
    return _tpot(completion.ttft_s, completion.e2e_s, completion.output_tokens)


def completion_tokens_per_s(completion: Timed) -> float | None:
    """Output tokens / e2e latency of a completion: the speed that one of many streams saw, not the server's."""
    return _rate(completion.output_tokens, completion.e2e_s)


def summary(run: LoadRun, level: ServiceLevel | None = None) -> dict[str, object]:
    """Every metric of a run as data: names with units, percentiles with method and count."""
    requests = run.requests
    per_request = {"ttft_s": ttft_s, "tpot_s": tpot_s, "e2e_s": e2e_s, "queueing_s": queueing_s}
    series = {name: defined(metric(request) for request in run.answered) for name, metric in per_request.items()}
    series["itl_s"] = [gap for request in requests for gap in itl_s(request)]
    figures: dict[str, object] = {name: spread(values) for name, values in series.items()}
    figures |= {
        "requests": len(requests),
        "failed_requests": len(run.failed),
        "prompt_tokens": total_prompt_tokens(requests),
        "output_tokens": total_output_tokens(requests),
        "tokens_per_chunk": tokens_per_chunk(requests),
        "window_s": window_s(requests),
        "requests_per_s": requests_per_s(requests),
        "output_tokens_per_s": output_tokens_per_s(requests),
        "total_tokens_per_s": total_tokens_per_s(requests),
    }
    return figures | ({"goodput_per_s": goodput_per_s(requests, level)} if level else {})


def spread(values: Sequence[float]) -> Mapping[str, object]:
    """Mean and percentiles of ``values`` with their count and method; the count alone where there are none."""
    if not values:
        return {"count": 0}
    found = {f"p{p}": at.value for p in PERCENTILES if (at := percentile(values, p))}
    return {"count": len(values), "mean": math.fsum(values) / len(values), **found, "method": PERCENTILE_METHOD}


def defined(values: Iterable[float | None]) -> list[float]:
    """The values that are defined."""
    return [value for value in values if value is not None]


def _tpot(ttft: float | None, e2e: float | None, tokens: int | None) -> float | None:
    if ttft is None or e2e is None or tokens is None or tokens < FEWEST_TOKENS_FOR_TPOT:
        return None
    return (e2e - ttft) / (tokens - 1)


def _total(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return sum(count for count in known if count is not None) if None not in known else None


def _rate(amount: float | None, seconds: float | None) -> float | None:
    return amount / seconds if amount is not None and seconds else None
