"""The sabotage matrix: which stage catches which fault, at what cost, and whether the cause is named right.

python -m tests.sabotage OUT.jsonl [--faithful] [--loss SAMPLES] [--part N/OF] [--only TEXT] [--device cuda]
       [--vllm PYTHON]
"""

import argparse
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from papergate.acceptance.drifting import Making, read_golden_answers
from papergate.acceptance.options import Options
from papergate.gate import golden_made
from papergate.run_folder.golden_answers import GoldenAnswers
from tests.sabotage.behind_vllm import Vllm, can_be
from tests.sabotage.faults import FAULTS, Sabotage, faithful, on_device
from tests.sabotage.measuring import measured, row_of
from tests.servers.model_server import deployed_at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--faithful", action="store_true", help="the deployments that must stay silent")
    parser.add_argument("--loss", type=int, default=0, help="samples of every problem for the true loss")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--only", default="")
    parser.add_argument("--whole", action="store_true", help="all stages, whatever the first ones say")
    parser.add_argument("--device", default="cpu", help="where the deployments compute")
    parser.add_argument("--golden", type=Path, help="folder of `papergate golden make cpu`; default: made here")
    parser.add_argument("--vllm", default="", help="a Python with vLLM: the faults that it can have, in it")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    golden = read_golden_answers(args.golden) if args.golden else made_here()
    with ExitStack() as servers:
        at = Vllm(args.vllm, servers).at if args.vllm else deployed_at
        for sabotage, concurrency, seed in chosen(args):
            began = time.monotonic()
            asked = {"concurrency": concurrency, "seed": seed, "loss": args.loss, "whole": args.whole, "at": at}
            found = row_of(measured(on_device(sabotage, args.device), golden, **asked))
            found["seconds"] = round(time.monotonic() - began, 1)
            print(json.dumps(found, ensure_ascii=False), flush=True)
            with args.out.open("a") as out:
                out.write(json.dumps(found, ensure_ascii=False) + "\n")


def chosen(args: argparse.Namespace) -> list[tuple[Sabotage, int, int]]:
    """What is asked for and not measured yet, with its concurrency and run seed."""
    part, of = map(int, args.part.split("/"))
    rows = list(faithful()) if args.faithful else [(fault, 16, 1) for fault in FAULTS]
    if args.vllm:
        rows = [row for row in rows if can_be(row[0])]
    known = {json.loads(line)["name"] for line in args.out.read_text().splitlines()} if args.out.exists() else set()
    return [row for row in rows[part::of] if args.only in row[0].name and row[0].name not in known]


def made_here() -> GoldenAnswers:
    with tempfile.TemporaryDirectory() as folder:
        return golden_made(Options(run=Path(folder)), target="cpu", making=Making(), say_so=print)


if __name__ == "__main__":
    main()
