"""How often the regression gate errs: by simulation, and on the embedded model against itself.

    python -m studies.speed_gate --simulate 4000
    SERVE="python -m tests.servers.embedded_server"
    python -m studies.speed_gate --real 100 --slowdown 0 --serve "$SERVE"     # false alarms
    python -m studies.speed_gate --real 100 --slowdown 0.1 --serve "$SERVE"   # detection

A real comparison starts both sides anew for each of its clusters, as a user does whose engine it is. The command of
``--serve`` takes ``--slowdown``, prints the address of its server of papergate-tiny, and serves until it is ended.
"""

import argparse
import json
import math
import random
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from papergate.performance.load import Server, attach, measure_pairs
from papergate.performance.regression.rule import RESTART_SD, Gate, Slowdown, balanced, judge_slowdown, log_ratios
from papergate.performance.validity import refuse_lost
from papergate.performance.workloads import Workload

RESTARTS = 4
PAIRS = 25
SLOWDOWNS = (0.0, 0.03, 0.05, 0.1, 0.2)
REQUEST_SD, STATE_SD, STATE_MEMORY, STRAGGLERS = 0.08, 0.06, 0.9, 0.01
"""Log latency: noise of a request, the machine's state (AR(1) from one request to the next), share that takes 4x."""


def main() -> None:
    args = _arguments()
    if args.simulate:
        _simulate(args.simulate)
    if args.real:
        _real(args)


def _simulate(runs: int) -> None:
    for name, clusters, pairs, unseen_sd in (
        ("4 restarts x 25 pairs", RESTARTS, PAIRS, 0.0),
        ("one start, 12 clusters of 8 pairs", 12, 8, RESTART_SD),
    ):
        for slowdown in SLOWDOWNS:
            source = random.Random(f"{name} {slowdown}")
            seen = Counter(
                judge_slowdown(
                    list(_simulated(source, slowdown, clusters, pairs, one_start=unseen_sd > 0)),
                    Gate(),
                    unseen_sd=unseen_sd,
                ).verdict
                for _ in range(runs)
            )
            shares = "  ".join(f"{verdict} {seen[verdict] / runs:6.1%}" for verdict in ("pass", "fail", "inconclusive"))
            print(f"{name:34} slowdown {slowdown:4.0%}: {shares}")


def _simulated(
    source: random.Random, slowdown: float, clusters: int, pairs: int, *, one_start: bool
) -> Iterator[list[float]]:
    """Clusters of paired log ratios in the order ABBA."""
    effect = source.gauss(0, RESTART_SD) - source.gauss(0, RESTART_SD)
    state = source.gauss(0, STATE_SD)
    for _ in range(clusters):
        if not one_start:
            effect = source.gauss(0, RESTART_SD) - source.gauss(0, RESTART_SD)
        cluster = []
        for pair in range(pairs):
            sides = []
            for _ in range(2):
                state = STATE_MEMORY * state + source.gauss(0, STATE_SD * math.sqrt(1 - STATE_MEMORY**2))
                straggler = math.log(4) if source.random() < STRAGGLERS else 0.0
                sides.append(state + source.gauss(0, REQUEST_SD) + straggler)
            new, old = sides if pair % 2 == 0 else reversed(sides)
            cluster.append(new - old + effect + math.log1p(slowdown))
        yield balanced(cluster, 1)


def _real(args: argparse.Namespace) -> None:
    seen: Counter[str] = Counter()
    for number in range(args.real):
        found = _compare(args, salt=f"study {args.seed} {args.slowdown} {number}")
        seen[found.verdict] += 1
        print(json.dumps({"n": number + 1, "ratio": found.ratio, "lower": found.lower, **seen}), flush=True)


def _compare(args: argparse.Namespace, salt: str) -> Slowdown:
    made = {"kind": "random", "input_tokens": 32, "output_tokens": args.tokens}
    fields = {"name": "study", "title": "study", "source": "study", "prompts": made}
    workload = Workload.model_validate(fields | {"count": args.pairs, "concurrency": 1, "warmup": 2})
    clusters = []
    for restart in range(RESTARTS):
        with ExitStack() as stack:
            order = (args.slowdown, 0.0) if restart % 2 == 0 else (0.0, args.slowdown)
            first, second = (stack.enter_context(_served(args.serve, slowdown)) for slowdown in order)
            new, old = (first, second) if restart % 2 == 0 else (second, first)
            runs = measure_pairs(new, old, workload, salt=f"{salt} {restart}")
        for run in runs:
            refuse_lost(run)
        clusters.append(balanced(log_ratios(runs[0].answered, runs[1].answered), workload.in_flight))
    return judge_slowdown(clusters, Gate(), unseen_sd=0.0)


@contextmanager
def _served(serve: str, slowdown: float) -> Iterator[Server]:
    """A fresh server in a process of its own."""
    command = [*shlex.split(serve), "--slowdown", str(slowdown)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield attach(process.stdout.readline().strip(), "papergate-tiny")
        finally:
            process.terminate()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulate", type=int, default=0, metavar="N")
    parser.add_argument("--real", type=int, default=0, metavar="N")
    parser.add_argument("--serve", metavar="COMMAND", help="starts a server of a real comparison")
    parser.add_argument("--slowdown", type=float, default=0.0)
    parser.add_argument("--pairs", type=int, default=16, help="pairs per restart of a real comparison")
    parser.add_argument("--tokens", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not (args.simulate or args.real):
        sys.exit("give --simulate N or --real N")
    if args.real and not args.serve:
        sys.exit("--real starts servers: give --serve COMMAND")
    return args


if __name__ == "__main__":
    main()
