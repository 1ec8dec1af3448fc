"""How wrong the client's latencies are, against a server that stamped every chunk it sent.

    python -m benchmarks.latency_truth                                # papergate's client at concurrency 1, 64, 256
    python -m benchmarks.latency_truth --vllm PYTHON --evalscope CMD  # these tools beside it, on the same server

The server is a process of its own; both read the same monotonic clock. TTFT error = (client: first chunk - sent) minus
(server: first chunk sent - request received), matched by request; ITL error is matched gap by gap. A peer does not
give its stamps, so that its median TTFT and mean ITL are set beside the server's own of the same requests.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from urllib.request import urlopen

from papergate.performance.load import attach, measure
from papergate.performance.metrics import itl_s, percentile, ttft_s
from papergate.performance.records import LoadRun
from papergate.performance.validity import fitness
from papergate.performance.workloads import Workload

NS_PER_MS = 1e6
MS_PER_S = 1e3
PROMPT_TOKENS = 64


@dataclass(frozen=True, kw_only=True)
class Row:
    """One tool at one concurrency. Errors in milliseconds."""

    tool: str
    concurrency: int
    ttft_p50: float
    ttft_p99: float | None
    itl_p50: float
    itl_p99: float | None
    cpu_s: float
    note: str = ""


def main() -> None:
    args = _arguments()
    with served(args) as url:
        _fetch_truth(url)
        rows = []
        for concurrency in args.concurrency:
            workload = _workload(concurrency, args)
            rows += [_papergate(url, workload) for _ in range(args.repeat)]
            if args.vllm:
                rows.append(_vllm(url, workload, args.vllm))
            if args.evalscope:
                rows.append(_evalscope(url, workload, args.evalscope))
    _print(rows)


@contextmanager
def served(args: argparse.Namespace) -> Iterator[str]:
    """The server, in a process of its own, on a core of its own where there are two."""
    command = [sys.executable, "-m", "tests.meta.timed_server", f"--ttft={args.ttft}", f"--itl={args.itl}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        cores = sorted(os.sched_getaffinity(0))
        if args.pin and len(cores) > 1:
            os.sched_setaffinity(process.pid, cores[-1:])
            os.sched_setaffinity(0, cores[:1])
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _workload(concurrency: int, args: argparse.Namespace) -> Workload:
    count = args.requests or max(12, 4 * concurrency)
    made = {"kind": "random", "input_tokens": PROMPT_TOKENS, "output_tokens": args.tokens}
    fields = {"name": "truth", "title": "truth", "source": "truth", "prompts": made}
    return Workload.model_validate(fields | {"count": count, "concurrency": concurrency})


def _fetch_truth(url: str) -> list[dict]:
    with urlopen(f"{url}/truth") as answer:
        return json.load(answer)


def _papergate(url: str, workload: Workload) -> Row:
    cpu_s = time.process_time()
    run = measure(attach(url, "plain"), workload, salt=str(time.monotonic_ns()))
    cpu_s = time.process_time() - cpu_s
    truth = {(each["id"], each["received_ns"]): each for each in _fetch_truth(url)}
    ttft_errors, itl_errors = [], []
    for request, true in _matched(run, list(truth.values()), skip=workload.in_flight):
        ttft_errors.append(ttft_s(request) * MS_PER_S - (true["text_ns"][0] - true["received_ns"]) / NS_PER_MS)
        gaps = [(after - before) / NS_PER_MS for before, after in pairwise(true["text_ns"])]
        itl_errors += [gap * MS_PER_S - real for gap, real in zip(itl_s(request), gaps, strict=True)]
    seen = fitness(run, open_loop=False)
    note = f"valid={seen.valid} lateness p99 {seen.lateness_p99_s * MS_PER_S:.1f} ms, {seen.cpu:.0%} of a core"
    return _row("papergate", workload, (ttft_errors, itl_errors), cpu_s, note)


def _matched(run: LoadRun, truth: Sequence[dict], skip: int) -> Iterator[tuple]:
    """Each measured request with its truth: the last of its number, for warm-up requests have numbers too.

    The first ``skip`` are left out: they are sent in one burst, which the server reads one by one and late.
    """
    by_id = {each["id"]: each for each in truth}
    for request in run.answered[skip:]:
        yield request, by_id[str(request.prompt)]


def _row(tool: str, workload: Workload, errors: tuple[list[float], list[float]], cpu_s: float, note: str) -> Row:
    ttft, itl = ([abs(error) for error in each] for each in errors)
    return Row(
        tool=tool,
        concurrency=workload.in_flight,
        ttft_p50=median(ttft),
        ttft_p99=percentile(ttft, 99).value,
        itl_p50=median(itl),
        itl_p99=percentile(itl, 99).value,
        cpu_s=cpu_s,
        note=note,
    )


def _true_figures(url: str, requests: int) -> tuple[float, float]:
    """Median TTFT and mean ITL of the last requests, by the server's stamps, in milliseconds."""
    truth = [each for each in _fetch_truth(url) if each["text_ns"]][-requests:]
    ttft = median((each["text_ns"][0] - each["received_ns"]) / NS_PER_MS for each in truth)
    gaps = [(b - a) / NS_PER_MS for each in truth for a, b in pairwise(each["text_ns"])]
    return ttft, fmean(gaps)


def _vllm(url: str, workload: Workload, command: str) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        options = (
            f"--backend openai-chat --endpoint /v1/chat/completions --base-url {url} --model plain "
            f"--tokenizer {command.split('@')[1]} --dataset-name random --random-input-len {PROMPT_TOKENS} "
            f"--random-output-len {workload.prompts.output_tokens} --num-prompts {workload.count} --ignore-eos "
            f"--max-concurrency {workload.in_flight} --save-result --result-dir {folder} --result-filename out.json "
            f"--disable-tqdm --num-warmups {workload.in_flight}"
        )
        cpu_s = _child_cpu_s([*command.split("@", maxsplit=1)[0].split(), *options.split()])
        result = json.loads(Path(folder, "out.json").read_text())
    ttft, itl = _true_figures(url, workload.count)
    return _peer("vllm bench", workload, (result["median_ttft_ms"] - ttft, result["mean_itl_ms"] - itl), cpu_s)


def _evalscope(url: str, workload: Workload, command: str) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        prompts = Path(folder, "prompts.txt")
        prompts.write_text("\n".join([" ".join(["word"] * (PROMPT_TOKENS - 3))] * workload.count))
        tokens = workload.prompts.output_tokens
        options = (
            f"perf --url {url}/v1/chat/completions --api openai --model plain --dataset line_by_line "
            f"--dataset-path {prompts} --number {workload.count} --parallel {workload.in_flight} --min-tokens {tokens} "
            f"--max-tokens {tokens} --stream --outputs-dir {folder}/out --min-prompt-length 1"
        )
        cpu_s = _child_cpu_s([*command.split(), *options.split()])
        found = json.loads(next(Path(folder).rglob("benchmark_percentile.json")).read_text())
        summary = json.loads(next(Path(folder).rglob("benchmark_summary.json")).read_text())
    ttft, itl = _true_figures(url, workload.count)
    p50 = next(row for row in found if str(row.get("Percentiles", "")).startswith("50"))
    name = next(key for key in p50 if key.lower().startswith("ttft"))
    scale = 1.0 if "ms" in name else MS_PER_S
    itl_name = next(key for key in summary if "itl" in key.lower())
    itl_scale = 1.0 if "ms" in itl_name else MS_PER_S
    return _peer("evalscope", workload, (p50[name] * scale - ttft, summary[itl_name] * itl_scale - itl), cpu_s)


def _peer(tool: str, workload: Workload, errors: tuple[float, float], cpu_s: float) -> Row:
    ttft, itl = (abs(error) for error in errors)
    note = "difference of medians (TTFT) and of means (ITL); CPU includes its start"
    return Row(
        tool=tool,
        concurrency=workload.in_flight,
        ttft_p50=ttft,
        ttft_p99=None,
        itl_p50=itl,
        itl_p99=None,
        cpu_s=cpu_s,
        note=note,
    )


def _child_cpu_s(command: Sequence[str]) -> float:
    """Run a command and return the CPU time it took."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return used() - before


def _print(rows: Sequence[Row]) -> None:
    print("tool         C   TTFT error p50 / p99 ms   ITL error p50 / p99 ms   CPU s")
    for row in rows:
        ttft_p99, itl_p99 = (f"{value:.3f}" if value is not None else "-" for value in (row.ttft_p99, row.itl_p99))
        errors = f"{row.ttft_p50:12.3f} / {ttft_p99:>8} {row.itl_p50:14.3f} / {itl_p99:>8}"
        print(f"{row.tool:11} {row.concurrency:3} {errors} {row.cpu_s:10.2f}   {row.note}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 64, 256])
    parser.add_argument("--requests", type=int, help="default: four times the concurrency, at least 12")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--ttft", type=float, default=0.05)
    parser.add_argument("--itl", type=float, default=0.02)
    parser.add_argument("--repeat", type=int, default=3, help="runs of papergate's client at each concurrency")
    parser.add_argument("--pin", action="store_true", help="server and client each on a core of its own")
    parser.add_argument("--vllm", help="command of vllm bench serve @ folder of a tokenizer")
    parser.add_argument("--evalscope", help="command of evalscope")
    return parser.parse_args()


if __name__ == "__main__":
    main()
