"""Time and memory of a bundle and of its check, for a run of long completions.

    python studies/evidence.py FOLDER [SAMPLES]

writes a run of tiny-aime with SAMPLES (1134, so 34,020 completions) of each problem, texts of 60,000 characters, then
bundles and verifies it, each in a process of its own.
"""

import random
import subprocess
import sys
import time
from pathlib import Path

from papergate.acceptance import Case, Settings, manifest_of, reference_of, requests_of
from papergate.acceptance.flow import judge_known
from papergate.acceptance.saving import save
from papergate.benchmarks import load, read_specs
from papergate.completions.store import Store
from papergate.engines import Completion, EngineIdentity, Finish
from papergate.promises import read_promises

PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"
CHARACTERS = 60_000
BATCH = 100
"""Completions that are written between two waits for the disk."""
MIB = 2**20


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


def write(run: Path, samples: int) -> None:
    case, dice = case_of(samples), random.Random(0)
    golds = {problem.id: problem.gold for problem in case.problems}
    words = ("so", "then", "12", "17", "x^2", "wait,", "=", "\\frac{3}{4}", "\n\n", "let me check", "the sum", "+")
    thought = " ".join(dice.choices(words, k=CHARACTERS // 3))[:CHARACTERS]
    requests = requests_of(case, samples)
    with Store.open(run / PROMISE, manifest_of(case)) as store:
        for start in range(0, len(requests), BATCH):
            store.append(*(completion_of(each, golds, thought, dice) for each in requests[start : start + BATCH]))
        found = judge_known(case, list(store), (), store.read, place=str(run), diagnosed=False)
    save(found, run / PROMISE)


def completion_of(request, golds, thought, dice):  # noqa: ANN001, ANN201
    answer = golds[request.problem] if dice.random() < 0.74 else "1000"
    return Completion(
        problem=request.problem,
        sample=request.sample,
        seed=request.seed,
        text=f"{request.seed} {thought}</think>\n\nThe answer is $\\boxed{{{answer}}}$.",
        finish=Finish.STOP,
    )


def measured(name: str, *arguments: str) -> None:
    began = time.monotonic()
    code = "import resource, sys; from papergate.cli import main; status = main(sys.argv[1:]); "
    code += "r = resource.getrusage; own, workers = r(resource.RUSAGE_SELF), r(resource.RUSAGE_CHILDREN); "
    code += "print('peak', own.ru_maxrss // 1024, 'MiB; CPU s', round(own.ru_utime + own.ru_stime, 1), "
    code += "'and of workers', round(workers.ru_utime + workers.ru_stime, 1)); sys.exit(status)"
    done = subprocess.run([sys.executable, "-c", code, name, *arguments], capture_output=True, text=True, check=False)
    print(f"{name}: {time.monotonic() - began:.1f} s, exit {done.returncode}\n{done.stdout}{done.stderr}")


def main(folder: Path, samples: int) -> None:
    run, bundle = folder / "run", folder / "run.zip"
    if not run.exists():
        write(run, samples)
    size = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    print(f"{30 * samples} completions, {size / MIB:.0f} MiB")
    measured("bundle", str(run), "-o", str(bundle))
    measured("verify", str(bundle))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1134)
