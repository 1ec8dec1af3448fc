"""The sabotage matrix: which stage catches which fault, at what cost, and whether the cause is named right.

python -m tests.sabotage OUT.jsonl [--faithful] [--loss SAMPLES] [--part N/OF] [--only TEXT]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from papergate.acceptance.drifting import Making
from papergate.acceptance.options import Options
from papergate.gate import golden_made
from tests.sabotage.faults import FAULTS, faithful
from tests.sabotage.measuring import measured, row_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--faithful", action="store_true", help="the deployments that must stay silent")
    parser.add_argument("--loss", type=int, default=0, help="samples of every problem for the true loss")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--only", default="")
    parser.add_argument("--whole", action="store_true", help="all stages, whatever the first ones say")
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    part, of = map(int, args.part.split("/"))
    rows = list(faithful()) if args.faithful else [(fault, 16, 1) for fault in FAULTS]
    known = {json.loads(line)["name"] for line in args.out.read_text().splitlines()} if args.out.exists() else set()
    chosen = [row for row in rows[part::of] if args.only in row[0].name and row[0].name not in known]
    with tempfile.TemporaryDirectory() as folder:
        made = Options(run=Path(folder))
        golden = golden_made(made, target="cpu", making=Making(), say_so=print)
    for sabotage, concurrency, seed in chosen:
        began = time.monotonic()
        found = row_of(measured(sabotage, golden, concurrency=concurrency, seed=seed, loss=args.loss, whole=args.whole))
        found["seconds"] = round(time.monotonic() - began, 1)
        print(json.dumps(found, ensure_ascii=False), flush=True)
        with args.out.open("a") as out:
            out.write(json.dumps(found, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
