"""Scores in the field's own terms: pass@1 (avg@k), pass@k, cons@k, and tables by group."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from papergate.statistics.counts import Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Vote:
    """The answer of one sample as a canonical key: equal keys are equivalent answers."""

    answer: str | None
    """None where no answer was found: such a sample does not vote."""
    correct: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemScore:
    """One problem's share of the score."""

    problem: str
    correct: int
    samples: int
    score: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupScore:
    """The score over the problems of one group, such as a subject or a level."""

    group: str
    n: int
    score: Fraction
    se: float
    """Standard error over this fixed panel of problems."""


def pass_at_1(counts: Counts) -> Fraction:
    """Share of problems expected right on one draw: mean over problems of the mean over samples.

    avg@k is the same number with k stated.
    """
    return counts.score


def pass_at_k(counts: Counts, k: int) -> Fraction | None:
    """Chance that at least one of k draws is right, unbiased: mean of 1 - C(n-c, k) / C(n, k); Chen et al. (2021).

    None where a problem has fewer than k samples: no unbiased estimate exists.
    """
    if k < 1 or counts.fewest < k:
        return None
    pairs = Counter(zip(counts.correct, counts.samples, strict=True))
    missed = (times * Fraction(math.comb(n - c, k), math.comb(n, k)) for (c, n), times in pairs.items())
    return 1 - sum(missed, Fraction(0)) / counts.n


def cons_at_k(votes: Sequence[Sequence[Vote]], k: int) -> Fraction | None:
    """Share of problems whose most frequent answer among the first k samples is right.

    Equivalent answers vote together. Answers that tie share the problem: its credit is the share of right ones among
    them, what breaking the tie by lot gives on average. A problem without any answer is wrong.

    None where a problem has fewer than k samples.
    """
    if k < 1 or not votes or min(map(len, votes)) < k:
        return None
    return sum((_plurality(problem[:k]) for problem in votes), Fraction(0)) / len(votes)


def _plurality(votes: Sequence[Vote]) -> Fraction:
    ballots = Counter(vote.answer for vote in votes if vote.answer is not None)
    right = {vote.answer for vote in votes if vote.correct}
    most = max(ballots.values(), default=0)
    leaders = [answer for answer, times in ballots.items() if times == most]
    return Fraction(sum(answer in right for answer in leaders), max(len(leaders), 1))


def majority_correct_at_k(counts: Counts) -> Fraction:
    """Share of problems of which more than half the samples are right: what AISBench calls cons@k.

    It differs from a vote: a right answer that leads with less than half of the samples does not count here.
    """
    return Fraction(sum(2 * c > k for c, k in zip(counts.correct, counts.samples, strict=True)), counts.n)


def problem_scores(counts: Counts) -> tuple[ProblemScore, ...]:
    """Each problem's own score; their mean is the score."""
    names = counts.problems or tuple(map(str, range(1, counts.n + 1)))
    rows = tuple(
        ProblemScore(problem=name, correct=c, samples=k, score=Fraction(c, k))
        for name, c, k in zip(names, counts.correct, counts.samples, strict=True)
    )
    assert sum((row.score for row in rows), Fraction(0)) / counts.n == counts.score
    return rows


def by_group(counts: Counts, groups: Sequence[str]) -> tuple[GroupScore, ...]:
    """The score of each group, in order of its name; ``groups`` names that of each problem.

    Raises:
        ValueError: the groups are not as many as the problems.
    """
    members: dict[str, list[tuple[int, int]]] = {}
    for group, c, k in zip(groups, counts.correct, counts.samples, strict=True):
        members.setdefault(group, []).append((c, k))
    return tuple(_group_score(group, members[group]) for group in sorted(members))


def _group_score(group: str, members: list[tuple[int, int]]) -> GroupScore:
    correct, samples = zip(*members, strict=True)
    counts = Counts(correct=correct, samples=samples)
    return GroupScore(group=group, n=counts.n, score=counts.score, se=math.sqrt(counts.variance))
