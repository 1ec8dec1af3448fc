"""The figures of vLLM 0.7.2's benchmarks under their own names, and what differs from how it takes them.

Definitions: its benchmarks/benchmark_serving.py, benchmark_throughput.py and benchmark_latency.py.
"""

from collections.abc import Mapping, Sequence

from papergate.performance.metrics import (
    defined,
    e2e_s,
    itl_s,
    output_tokens_per_s,
    percentile,
    requests_per_s,
    total_output_tokens,
    total_prompt_tokens,
    total_tokens_per_s,
    tpot_s,
    ttft_s,
    window_s,
)
from papergate.performance.records import LoadRun

MS = 1000.0
LATENCY_PERCENTILES = (10, 25, 50, 75, 90, 99)

Figures = Mapping[str, float | int | dict[str, float] | None]

DIFFERS: Mapping[str, tuple[str, ...]] = {
    "vllm-0.7.2-serving": (
        "TTFT is to the first chunk with text; there the first chunk with choices counts, if only with a role",
        "e2e ends with the finish reason; there it ends with the usage chunk",
        "papergate's verse stands in for sonnet.txt unless --prompts names it; lengths are exact in tokens",
        "the request says max_tokens and a text; there max_completion_tokens and a list of parts",
    ),
    "vllm-0.7.2-throughput": (
        "over HTTP with streaming: tokenising, transport and queueing count; there one batch runs in process",
        "prompts are random words, sent as chat; there random token ids",
    ),
    "vllm-0.7.2-latency": (
        "over HTTP with streaming: tokenising and transport count; there one batch runs in process",
        "prompts are random words, sent as chat; there random token ids",
    ),
}
"""What a reader must know who holds these figures beside the tool's own."""


def figures_of(run: LoadRun, definition: str) -> Figures:
    """The figures of a run by the names of ``definition``; None where one is undefined, empty without a definition."""
    if definition == "vllm-0.7.2-serving":
        return _serving(run)
    if definition == "vllm-0.7.2-throughput":
        return _throughput(run)
    return _latency(run) if definition == "vllm-0.7.2-latency" else {}


def _serving(run: LoadRun) -> Figures:
    per_request = {"ttft": ttft_s, "tpot": tpot_s}
    series = {name: defined(metric(one) for one in run.answered) for name, metric in per_request.items()}
    series["itl"] = [gap for one in run.requests for gap in itl_s(one)]
    named = {f"{kind}_{name}_ms": value for name, values in series.items() for kind, value in _spread(values).items()}
    return {
        "completed": len(run.answered),
        "duration": window_s(run.requests),
        "total_input_tokens": total_prompt_tokens(run.requests),
        "total_output_tokens": total_output_tokens(run.requests),
        "request_throughput": requests_per_s(run.requests),
        "output_throughput": output_tokens_per_s(run.requests),
        "total_token_throughput": total_tokens_per_s(run.requests),
        **named,
    }


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    """Mean, median, standard deviation (of the population) and 99th percentile in milliseconds."""
    if not values:
        return dict.fromkeys(("mean", "median", "std", "p99"))
    mean = sum(values) / len(values)
    spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    at = {p: found.value for p in (50, 99) if (found := percentile(values, p))}
    return {"mean": MS * mean, "median": MS * at[50], "std": MS * spread, "p99": MS * at[99]}


def _throughput(run: LoadRun) -> Figures:
    tokens = [total_prompt_tokens(run.requests), total_output_tokens(run.requests)]
    return {
        "elapsed_time": window_s(run.requests),
        "num_requests": len(run.answered),
        "total_num_tokens": None if None in tokens else sum(filter(None, tokens)),
        "requests_per_second": requests_per_s(run.requests),
        "tokens_per_second": total_tokens_per_s(run.requests),
    }


def _latency(run: LoadRun) -> Figures:
    latencies = defined(e2e_s(one) for one in run.answered)
    found = {str(p): at.value for p in LATENCY_PERCENTILES if (at := percentile(latencies, p))}
    return {"avg_latency": sum(latencies) / len(latencies) if latencies else None, "percentiles": found}
