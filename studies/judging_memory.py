"""Peak memory of judging a finished run: all texts lie on disk, and one after another passes through.

    python studies/judging_memory.py FOLDER [SAMPLES]

writes a run of tiny-aime with SAMPLES (64) samples of each of its 30 problems, texts of 60,000 characters, then judges
it in a process of its own, as a resume does: nothing is left to ask.
"""

import random
import resource
import subprocess
import sys
import time
from pathlib import Path

from papergate.acceptance import Case, Settings, accept, manifest_of, reference_of, requests_of
from papergate.benchmarks import load, read_specs
from papergate.completions.store import Store
from papergate.engines import Completion, EngineIdentity, Finish
from papergate.promises import read_promises

PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"
CHARACTERS = 60_000
MIB = 2**20


class Answered:
    """A stand-in for an engine that has nothing left to answer."""

    concurrency = 1

    def check(self, *_: object) -> None:
        """Nothing is asked, so nothing can be refused."""


def case_of(samples: int) -> Case:
    specs = read_specs()
    promise = next(one for one in read_promises(benchmarks=specs) if one.id == PROMISE)
    benchmark = load(specs["tiny-aime"])
    return Case(
        promise=promise,
        benchmark=benchmark,
        identity=EngineIdentity(engine="none", version="", model="none"),
        settings=Settings(samples=samples),
        problems=benchmark.problems,
        reference=reference_of(promise),
    )


def write(folder: Path, case: Case, samples: int) -> int:
    """Write a run; returns the characters of its texts."""
    dice = random.Random(0)
    golds = {problem.id: problem.gold for problem in case.problems}
    thought = " ".join(dice.choices(("so", "then", "12", "17", "x", "wait", "="), k=CHARACTERS // 3))[:CHARACTERS]
    written = 0
    with Store.open(folder, manifest_of(case)) as store:
        for request in requests_of(case, samples):
            answer = golds[request.problem] if dice.random() < 0.74 else "1000"
            text = f"{request.seed} {thought}</think>\\boxed{{{answer}}}"
            written += len(text)
            store.append(Completion(problem=request.problem, sample=request.sample, text=text, finish=Finish.STOP))
    return written


def judge(folder: Path, samples: int) -> None:
    case = case_of(samples)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    began = time.monotonic()
    with Store.open(folder, manifest_of(case)) as store:
        found = accept(case, Answered(), store)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{found.sentence}\n{len(found.grades)} graded in {time.monotonic() - began:.1f} s; "
        f"peak {peak / MIB:.0f} MiB, of it {before / MIB:.0f} before the run was opened"
    )


def main(folder: Path, samples: int) -> None:
    size = write(folder, case_of(samples), samples)
    print(f"{30 * samples} completions, {size / MIB:.0f} MiB of text")
    subprocess.run([sys.executable, __file__, "judge", str(folder), str(samples)], check=True)


if __name__ == "__main__":
    if sys.argv[1] == "judge":
        judge(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 64)
