"""A run that a tool's rules grade, graded by papergate's own too: how far they differ, and what the tool gets wrong."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from papergate.acceptance.judging import graded
from papergate.acceptance.records import Acceptance, Case, OwnRules
from papergate.completions.table import Key
from papergate.engines import Completion
from papergate.promises.tool import GraderMode
from papergate.scoring import AnswerKind, Attempt, Grader, Outcome

Read = Callable[[Iterable[Key]], Iterable[Completion]]
"""Brings completions, one by one."""


def with_own_rules(found: Acceptance, read: Read) -> Acceptance:
    """``found`` with what papergate's own rules say of the same answers; as it is where they graded it."""
    case = found.case
    if case.settings.grader == "strict":
        return found
    right, differ = Counter[str](), 0
    with Grader("strict") as grader:
        for receipt, grade in graded(case, grader, read(found.grades)):
            right[receipt.problem] += grade.outcome is Outcome.CORRECT
            differ += grade.outcome is not found.grades[receipt.key].outcome
    counts = replace(found.counts, correct=tuple(right[problem.id] for problem in case.problems))
    return replace(
        found,
        own=OwnRules(
            score=counts.score,
            differ=differ,
            refused=refused_golds(case, case.settings.grader),
        ),
    )


def refused_golds(case: Case, mode: GraderMode) -> int:
    """How many of the right answers themselves, each alone in a box, the rules of a tool call wrong."""
    spec = case.benchmark.spec
    echoes = (
        Attempt(
            text=problem.gold if spec.answer == "choice" else f"\\boxed{{{problem.gold}}}",
            gold=problem.gold,
            solution=problem.solution,
            kind=AnswerKind(spec.answer),
            letters=spec.letters,
        )
        for problem in case.problems
    )
    with Grader(mode) as grader:
        return sum(grade.outcome is Outcome.INCORRECT for grade in grader.grade(echoes))
