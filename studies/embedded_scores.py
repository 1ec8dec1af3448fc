"""Measure what the embedded model scores, once, with many samples: the numbers that its paper file prints.

    python studies/embedded_scores.py --samples 256 --run runs/embedded-scores

Asks the real engine under a seed of its own, grades with the real checker, writes `papers/papergate-tiny.toml` and the
correct samples of each problem beside it. A run that was interrupted goes on where it stopped.
"""

import argparse
import json
import sys
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from papergate.acceptance import Acceptance, Case, Settings, accept, manifest_of, reference_of
from papergate.benchmarks import load, read_specs
from papergate.completions.progress import progress_for
from papergate.completions.store import Store
from papergate.engines.in_process import huggingface
from papergate.promises import PAPERS, read_promises

RUN_SEED = 20261121
"""Differs from the default of the suite, so that a gate never meets the draws behind its own reference."""

HEAD = """\
# Scores of the embedded model, measured by papergate itself. Remake with studies/embedded_scores.py.
# Correct samples of each problem, and how they were made, stand in papergate-tiny.counts.json.

name = "papergate-tiny"
title = "papergate-tiny, the embedded model"
source = "measured by papergate with {samples} samples per problem, seed {seed}, {engine}"
sampling = {{ temperature = 0.6, top_p = 0.95, max_tokens = 256 }}

scores = [
{rows}
]
"""
ROW = (
    '    {{ model = "papergate-tiny", benchmark = "{name}", percent = {percent}, samples = {k}, '
    'source = "per-problem counts beside it" }},'
)


def main() -> None:
    """Measure both benchmarks and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=256, help="samples per problem")
    parser.add_argument("--run", type=Path, required=True, help="folder of the completions")
    args = parser.parse_args()
    promises = [promise for promise in read_promises(benchmarks=read_specs()) if promise.target == "cpu"]
    engine = huggingface.load("papergate-tiny", dtype="float32")
    found = {promise.benchmark: measured(promise, engine, args) for promise in promises}
    write(found, args.samples)
    engine.close()


def measured(promise: object, engine: huggingface.HuggingFaceEngine, args: argparse.Namespace) -> Acceptance:
    """One benchmark, every sample of it."""
    benchmark = load(read_specs()[promise.benchmark])
    case = Case(
        promise=promise,
        benchmark=benchmark,
        identity=engine.identity(),
        settings=Settings(samples=args.samples, run_seed=RUN_SEED),
        problems=benchmark.problems,
        reference=reference_of(promise),
    )
    with Store.open(args.run / promise.benchmark, manifest_of(case)) as store:
        return accept(case, engine, store, progress_for(sys.stderr))


def write(found: dict[str, Acceptance], samples: int) -> None:
    """The paper file and the counts behind it."""
    rows = [ROW.format(name=name, percent=_percent(one), k=samples) for name, one in found.items()]
    identity = next(iter(found.values())).case.identity
    text = HEAD.format(samples=samples, seed=RUN_SEED, engine=identity.version, rows="\n".join(rows))
    (PAPERS / "papergate-tiny.toml").write_text(text, encoding="utf-8")
    counts = {
        "made": {
            "samples": samples,
            "run_seed": RUN_SEED,
            "engine": {**asdict(identity), "environment": dict(identity.environment)},
        },
        "correct": {
            name: dict(zip(one.counts.problems, one.counts.correct, strict=True)) for name, one in found.items()
        },
        "tally": {name: one.tally for name, one in found.items()},
    }
    (PAPERS / "papergate-tiny.counts.json").write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")


def _percent(found: Acceptance) -> Decimal:
    score = found.counts.score
    return round(100 * Decimal(score.numerator) / score.denominator, 2)


if __name__ == "__main__":
    main()
