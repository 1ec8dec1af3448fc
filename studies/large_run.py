"""A run without an engine, for studies of what comes after the answers: texts of 60,000 characters, or of fewer."""

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from papergate.acceptance import Case, Settings, manifest_of, reference_of, requests_of
from papergate.benchmarks import load, read_specs
from papergate.completions.store import Store
from papergate.engines import Completion, EngineIdentity, Finish
from papergate.promises import read_promises

PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"
CHARACTERS = 60_000
WORDS = ("so", "then", "12", "17", "x^2", "wait,", "=", "\\frac{3}{4}", "\n\n", "let me check", "the sum", "+")
RIGHT = 0.74
BATCH = 100
"""Completions that are written between two waits for the disk."""


def case_of(samples: int, promise: str = PROMISE) -> Case:
    specs = read_specs()
    (found,) = (each for each in read_promises(benchmarks=specs) if each.id == promise)
    benchmark = load(specs[found.benchmark])
    return Case(
        promise=found,
        benchmark=benchmark,
        identity=EngineIdentity(engine="none", version="", model="none"),
        settings=Settings(samples=samples),
        problems=benchmark.problems,
        reference=reference_of(found),
    )


def completions(case: Case, samples: int, characters: int) -> Iterator[Completion]:
    """Each request's answer, right at the rate `RIGHT`."""
    dice = random.Random(0)
    golds = {problem.id: problem.gold for problem in case.problems}
    thought = " ".join(dice.choices(WORDS, k=characters // 3))[:characters]
    for request in requests_of(case, samples):
        answer = golds[request.problem] if dice.random() < RIGHT else "1000"
        yield Completion(
            problem=request.problem,
            sample=request.sample,
            seed=request.seed,
            text=f"{request.seed} {thought}</think>\n\nThe answer is $\\boxed{{{answer}}}$.",
            finish=Finish.STOP,
            finish_reason="stop",
            endpoint=f"http://10.0.0.{request.sample % 2}:8000",
            model="none",
            prompt_tokens=100,
            output_tokens=dice.randint(1, 30_000),
            ttft_s=dice.random(),
            e2e_s=1 + 100 * dice.random(),
        )


def write(folder: Path, case: Case, samples: int, characters: int = CHARACTERS) -> None:
    drawn = completions(case, samples, characters)
    with Store.open(folder, manifest_of(case)) as store:
        while batch := list(islice(drawn, BATCH)):
            store.append(*batch)
