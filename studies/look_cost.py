"""What a look costs when the answers are graded: the rule, the copies, the tests of independence; CPU milliseconds.

``python -m studies.look_cost [PROBLEMS [SAMPLES]]`` (default 500 64) judges stand-in grades as a run does at its last
look: against an exact reference, with one server and with two, of a deployment that passes and of one that fails.
"""

import random
import sys
import time
from dataclasses import replace
from fractions import Fraction
from statistics import median

from papergate.acceptance import Case, Settings
from papergate.acceptance.independence import examined, texts_of
from papergate.acceptance.judging import assess
from papergate.acceptance.records import Acceptance, Receipt
from papergate.completions.table import Planned, Table
from papergate.diagnosis.kinds import Kind
from papergate.engines import Finish
from papergate.scoring import Grade, Outcome
from papergate.statistics.panels import beta_panel
from papergate.statistics.reference import Reference
from studies import large_run

SCORE = 0.939
LOST = 0.02
REPEATS = 20
CHARACTERS = 12_000


def case_of(problems: int, samples: int) -> Case:
    """A case of so many stand-in problems, promised `SCORE`."""
    case = large_run.case_of(samples)
    some = [replace(case.problems[at % len(case.problems)], id=f"p{at}") for at in range(problems)]
    reference, settings = Reference.exact(Fraction(SCORE).limit_denominator(1000)), Settings(max_samples=samples)
    return replace(case, problems=tuple(some), reference=reference, settings=settings)


def filled(case: Case, samples: int, *, lost: float, servers: int) -> tuple[Table[Receipt], Table[Grade]]:
    """Receipts and grades of a deployment that lost so much, in the order in which a run puts them down."""
    rng = random.Random(7)
    rates = beta_panel(SCORE - lost, problems=len(case.problems), within_share=Fraction(37, 100)).rates
    receipts, grades = Table(Receipt), Table(Grade)
    for sample in range(samples):
        for problem, rate in zip(case.problems, rates, strict=True):
            right, key = rng.random() < rate, (problem.id, sample)
            receipts.put(key, _receipt(problem.id, sample, rng, servers))
            grades.put(key, _grade(problem.gold, rng, right=right))
    return receipts, grades


def _receipt(problem: str, sample: int, rng: random.Random, servers: int) -> Receipt:
    return Receipt(
        problem=problem,
        sample=sample,
        finish=Finish.STOP,
        digest=rng.randbytes(16),
        characters=CHARACTERS,
        kind=Kind.COMPLETE,
        endpoint=f"http://10.0.0.{rng.randrange(servers)}:8000",
        output_tokens=4000,
    )


def _grade(gold: str, rng: random.Random, *, right: bool) -> Grade:
    return Grade(
        outcome=Outcome.CORRECT if right else Outcome.INCORRECT,
        extracted=gold if right else str(rng.randrange(1000, 1010)),
        gold=gold,
        rule="boxed/text",
        reason=None,
        seconds=0.001,
    )


def look(case: Case, k: int, receipts: Table[Receipt], grades: Table[Grade]) -> Acceptance:
    """The last look, as `Gradebook.look` and what follows it take it."""
    planned = case.planned(k)
    kept, graded = Planned(receipts, planned), Planned(grades, planned)
    return examined(assess(case, k, kept, graded), last=False)


def stages(case: Case, k: int, receipts: Table[Receipt], grades: Table[Grade]) -> dict[str, float]:
    """Median CPU milliseconds of the whole look, and of its parts."""
    planned = case.planned(k)
    kept, graded = Planned(receipts, planned), Planned(grades, planned)
    found = assess(case, k, kept, graded)
    parts = {
        "whole look": lambda: look(case, k, receipts, grades),
        "rule": lambda: assess(case, k, kept, graded),
        "texts": lambda: texts_of(found),
        "independence": lambda: examined(found, last=False),
    }
    return {name: median(_cpu_ms(part) for _ in range(REPEATS)) for name, part in parts.items()}


def _cpu_ms(part: object) -> float:
    began = time.process_time()
    part()
    return 1000 * (time.process_time() - began)


def main(problems: int = 500, samples: int = 64) -> None:
    """Print a row for each deployment."""
    case, rows = case_of(problems, samples), []
    for title, lost in (("passes", 0.0), ("fails", LOST)):
        for servers in (1, 2):
            tables = filled(case, samples, lost=lost, servers=servers)
            rows.append((f"{title}, {servers} server{'s' * (servers > 1)}", stages(case, samples, *tables)))
    print(f"{samples} x {problems}, CPU ms | " + " | ".join(rows[0][1]))
    for title, found in rows:
        print(f"{title} | " + " | ".join(f"{value:.1f}" for value in found.values()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
