"""How a plan of R1 scales over replicas: real runs of the runner against doubles of known speed, beside the simulation.

``python -m studies.replicas [REPLICAS ...]`` (default 1 2 4 8; ten minutes) asks AIME and MATH-500, scaled down, one
after the other, and prints for each number of replicas the seconds, what `papergate.statistics.replicas` predicted, and
the ideal: all tokens at the replicas' full speed. Before that, what the runner costs with one token an event.
"""

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory

from papergate.completions.policy import Policy, seed_of
from papergate.completions.progress import Silent
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.engines.records import Request
from papergate.engines.remote.engine import RemoteEngine
from papergate.promises.records import Sampling
from papergate.statistics.replicas import Fleet, seconds
from studies.steady_server import MODEL, length_of
from studies.store import manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A benchmark, scaled down: lengths in units that keep R1's proportions."""

    name: str
    problems: int
    samples: int
    mean_tokens: float


MOST_TOKENS = 1380
"""R1's 32,768 where AIME's mean of some 9,500 is 400."""
R1 = (
    Plan(name="aime", problems=30, samples=16, mean_tokens=400.0),
    Plan(name="math", problems=500, samples=16, mean_tokens=128.0),
)
LONG = (Plan(name="long", problems=96, samples=1, mean_tokens=1000.0),)
IN_FLIGHT = 64
"""Of each replica."""
TOKENS_PER_S = 4000.0
"""Of a replica."""
STREAM_TOKENS_PER_S = 400.0
"""The longest answer by itself takes a tenth of the plan's time on 8 replicas, as where R1's streams have 60 tokens/s,
a replica has 2,500, and the plan 64 samples."""


def requests_of(plan: Plan) -> list[Request]:
    sampling = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=MOST_TOKENS)
    return [
        Request(problem=problem, sample=sample, prompt="?", sampling=sampling, seed=seed_of(0, problem, sample))
        for sample in range(plan.samples)
        for problem in (f"{plan.name}{number}" for number in range(plan.problems))
    ]


@contextmanager
def servers(count: int, mean_tokens: float, event_tokens: int) -> Iterator[list[str]]:
    given = [str(one) for one in (TOKENS_PER_S, STREAM_TOKENS_PER_S, mean_tokens, event_tokens)]
    command = [sys.executable, "-m", "studies.steady_server", *given]
    with ExitStack() as stack:
        started = [stack.enter_context(Popen(command, stdout=PIPE, text=True)) for _ in range(count)]
        for server in started:
            stack.callback(server.kill)
        yield [f"http://127.0.0.1:{server.stdout.readline().strip()}" for server in started]


def run(plans: Sequence[Plan], replicas: int, event_tokens: int) -> tuple[float, float, float, int]:
    """Seconds, seconds predicted, CPU seconds of the runner, and tokens."""
    wall = predicted = cpu = 0.0
    tokens = 0
    fleet = Fleet(
        replicas=replicas,
        tokens_per_s=TOKENS_PER_S,
        stream_tokens_per_s=STREAM_TOKENS_PER_S,
        in_flight=IN_FLIGHT * replicas,
    )
    for plan in plans:
        requests = requests_of(plan)
        lengths = [length_of(request.seed, plan.mean_tokens, MOST_TOKENS) for request in requests]
        with servers(replicas, plan.mean_tokens, event_tokens) as urls, TemporaryDirectory() as folder:
            engine = RemoteEngine(urls, MODEL, concurrency=fleet.in_flight, thinks=False)
            with Store.open(Path(folder), manifest()) as store:
                began, used = time.monotonic(), cpu_s()
                ask(engine, requests, store, Policy(), Silent())
                wall, cpu = wall + time.monotonic() - began, cpu + cpu_s() - used
        predicted += seconds([lengths], fleet)
        tokens += sum(lengths)
    return wall, predicted, cpu, tokens


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(counts: Sequence[int]) -> None:
    wall, _, cpu, tokens = run(LONG, 1, 1)
    print(f"one token an event, {tokens / wall:,.0f} tokens/s: {1000 * cpu / tokens:.2%} of a core per 1,000 tokens/s")
    print("| replicas | s | predicted s | ideal s | times the ideal | tokens/s |")
    print("|---|---|---|---|---|---|")
    for count in counts:
        wall, predicted, _, tokens = run(R1, count, 20)
        ideal = tokens / TOKENS_PER_S / count
        rate = f"{tokens / wall:,.0f}"
        print(f"| {count} | {wall:.1f} | {predicted:.1f} | {ideal:.1f} | {wall / ideal:.2f} | {rate} |", flush=True)


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or [1, 2, 4, 8])
