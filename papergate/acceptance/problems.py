"""What each problem contributed, and the scores in the field's own terms."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from papergate.acceptance.records import Acceptance
from papergate.completions.table import column
from papergate.engines import Finish
from papergate.run_folder.verdict import Aggregates, Group
from papergate.scoring import AnswerKind, Outcome, vote_key
from papergate.scoring.answers.limits import MAX_QUICK_CHARS
from papergate.statistics.aggregates import (
    Vote,
    by_group,
    cons_at_k,
    majority_correct_at_k,
    pass_at_1,
    pass_at_k,
    problem_scores,
)


def problem_rows(acceptance: Acceptance) -> list[dict[str, Any]]:
    """One row a problem; the mean of their scores is the score of the verdict."""
    scores = problem_scores(acceptance.counts)
    assert sum((row.score for row in scores), Fraction(0)) / len(scores) == acceptance.judgement.score
    completions, tokens, uncounted = Counter[str](), Counter[str](), set[str]()
    fields = [column(acceptance.receipts, name) for name in ("problem", "finish", "output_tokens")]
    for problem, finish, counted in zip(*fields, strict=True):
        if finish is Finish.FAILED:
            continue
        completions[problem] += 1
        tokens[problem] += counted or 0
        if counted is None:
            uncounted.add(problem)
    truncated = Counter(problem for problem, _ in acceptance.truncated)
    groups = {problem.id: dict(problem.group) for problem in acceptance.case.problems}
    return [
        {
            "problem": row.problem,
            **groups[row.problem],
            "correct": row.correct,
            "samples": row.samples,
            "score": float(row.score),
            "completions": completions[row.problem],
            "truncated": truncated[row.problem],
            "output_tokens": None if row.problem in uncounted else tokens[row.problem],
        }
        for row in scores
    ]


def aggregates(acceptance: Acceptance) -> Aggregates:
    """Scores by the names that papers give them. Fractions of 1."""
    counts, votes = acceptance.counts, _votes(acceptance)
    steps = _powers_of_two(counts.fewest)
    return Aggregates(
        pass_at_1=float(pass_at_1(counts)),
        samples=counts.fewest,
        pass_at_k={str(k): _float(pass_at_k(counts, k)) for k in steps},
        cons_at_k={str(k): _float(cons_at_k(votes, k)) for k in steps},
        majority_correct=float(majority_correct_at_k(counts)),
        groups=_groups(acceptance),
    )


def _float(share: Fraction | None) -> float | None:
    return None if share is None else float(share)


def _powers_of_two(most: int) -> list[int]:
    """1, 2, 4 .. up to ``most``, and ``most`` itself."""
    return sorted({2**power for power in range(most.bit_length())} | {most})


def _votes(acceptance: Acceptance) -> list[list[Vote]]:
    """The planned samples of each problem as votes; one that never came, or has no answer, does not vote."""
    kind = AnswerKind(acceptance.case.benchmark.spec.answer)
    ballots: dict[str, list[Vote]] = {problem.id: [] for problem in acceptance.case.problems}
    cast = cache(lambda extracted, correct: _vote(extracted, kind, correct=correct))
    extracted, outcomes = column(acceptance.grades, "extracted"), column(acceptance.grades, "outcome")
    for (problem, _), answer, outcome in zip(acceptance.grades, extracted, outcomes, strict=True):
        ballots[problem].append(cast(answer, outcome is Outcome.CORRECT))
    absent = Vote(answer=None, correct=False)
    planned = zip(ballots.values(), acceptance.counts.samples, strict=True)
    return [votes + [absent] * (samples - len(votes)) for votes, samples in planned]


def _vote(extracted: str | None, kind: AnswerKind, *, correct: bool) -> Vote:
    return Vote(answer=None if extracted is None else _key(extracted, kind), correct=correct)


def _key(answer: str, kind: AnswerKind) -> str:
    """The class of an answer; one too long to be read safely is a class of its own text."""
    return vote_key(answer, kind) if len(answer) <= MAX_QUICK_CHARS else answer


def _groups(acceptance: Acceptance) -> dict[str, tuple[Group, ...]]:
    """A table for each grouping that every problem has, such as subject and level."""
    labels: list[Mapping[str, str]] = [dict(problem.group) for problem in acceptance.case.problems]
    shared = [name for name in labels[0] if all(name in label for label in labels)]
    return {
        name: tuple(
            Group(group=row.group, n=row.n, score=float(row.score), se=row.se)
            for row in by_group(acceptance.counts, [label[name] for label in labels])
        )
        for name in shared
    }
