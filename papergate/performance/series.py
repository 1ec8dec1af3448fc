"""A load run over time, and latency against concurrency: data for the report's pictures."""

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate

from papergate.performance.metrics import (
    defined,
    e2e_s,
    output_tokens_per_s,
    percentile,
    tokens_per_chunk,
    tpot_s,
    ttft_s,
    window_s,
)
from papergate.performance.records import LoadRun, TimedRequest

MOST_POINTS = 120
"""Points of a picture: as many as can be told apart in a column of text."""


def over_time(run: LoadRun) -> dict[str, object]:
    """Throughput, concurrency and latency over the run.

    Returns:
        ``step_s``; ``output_tokens_per_s`` and ``concurrency``, a value for each step (concurrency is its mean within
        the step; the tokens of a chunk are the request's output tokens / its chunks, an even share); ``requests``, a
        record for each answered request with its start and its TTFT, TPOT and e2e latency.
    """
    window = window_s(run.requests)
    if not window:
        return {"step_s": None, "output_tokens_per_s": [], "concurrency": [], "requests": []}
    start = min(request.sent_s for request in run.requests)
    step = round_step(window / MOST_POINTS)
    points = math.ceil(window / step)
    return {
        "step_s": step,
        "output_tokens_per_s": _throughput(run.answered, start, step, points),
        "concurrency": _concurrency(run.requests, start, step, points),
        "requests": [_point(request, start) for request in run.answered],
    }


def against_concurrency(runs: Iterable[tuple[int, LoadRun]]) -> list[dict[str, object]]:
    """Median and p99 of TTFT, TPOT and e2e latency, and the throughput, of each run beside its concurrency."""
    return [
        {
            "workload": run.workload,
            "concurrency": concurrency,
            "output_tokens_per_s": output_tokens_per_s(run.requests),
            **_latencies(run),
        }
        for concurrency, run in runs
    ]


def _latencies(run: LoadRun) -> dict[str, float | None]:
    found = {}
    for name, metric in (("ttft_s", ttft_s), ("tpot_s", tpot_s), ("e2e_s", e2e_s)):
        values = defined(map(metric, run.answered))
        for p in (50, 99):
            at = percentile(values, p)
            found[f"{name}_p{p}"] = at.value if at else None
    return found


def round_step(seconds: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(seconds))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= seconds)


def _throughput(requests: Sequence[TimedRequest], start: float, step: float, points: int) -> list[float] | None:
    """Output tokens per second in each step; None where the tokens were not counted."""
    if tokens_per_chunk(requests) is None:
        return None
    tokens = [0.0] * points
    for request in requests:
        for arrival in request.chunks_s:
            share = (request.output_tokens or 0) / len(request.chunks_s)
            tokens[min(int((arrival - start) / step), points - 1)] += share
    return [count / step for count in tokens]


def _concurrency(requests: Sequence[TimedRequest], start: float, step: float, points: int) -> list[float]:
    """Mean number of requests in flight in each step: the integral's increments, by adding ramps at both ends."""
    flying = [0.0] * (points + 1)
    for request in requests:
        end = request.last_s if request.last_s is not None else request.sent_s
        for moment, sign in ((request.sent_s, 1), (end, -1)):
            position = min(max((moment - start) / step, 0.0), float(points))
            index = min(int(position), points - 1)
            part = 1 - (position - index)
            flying[index] += sign * part
            flying[index + 1] += sign * (1 - part)
    return list(accumulate(flying[:points]))


def _point(request: TimedRequest, start: float) -> dict[str, float | int | None]:
    return {
        "prompt": request.prompt,
        "start_s": request.sent_s - start,
        "ttft_s": ttft_s(request),
        "tpot_s": tpot_s(request),
        "e2e_s": e2e_s(request),
        "output_tokens": request.output_tokens,
    }
