"""Scores in the field's terms, against brute force and by hand."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.statistics.aggregates import (
    Vote,
    by_group,
    cons_at_k,
    majority_correct_at_k,
    pass_at_1,
    pass_at_k,
    problem_scores,
)
from papergate.statistics.counts import Counts


def votes(text, right="a"):
    """A letter is an answer, a dot is no answer."""
    return [Vote(answer=None if mark == "." else mark, correct=mark == right) for mark in text]


@given(st.integers(1, 7), st.data())
def test_pass_at_k_is_the_mean_over_all_ways_to_draw_k(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(Counts.equal((c,), n), k) == Fraction(sum(map(any, draws)), len(draws))


def test_pass_at_1_is_the_mean_over_problems():
    counts = Counts(correct=(1, 4, 0), samples=(2, 4, 8))
    assert pass_at_k(counts, 1) == pass_at_1(counts) == Fraction(1, 2)


@pytest.mark.parametrize("k", [0, 3])
def test_pass_at_k_is_undefined_beyond_the_samples_of_any_problem(k):
    assert pass_at_k(Counts(correct=(1, 4), samples=(2, 4)), k) is None


@pytest.mark.parametrize(
    ("marks", "credit"),
    [
        ("aab", 1),
        ("abb", 0),
        ("aabcd", 1),  # a plurality, not a majority
        ("aabb", Fraction(1, 2)),
        ("abc", Fraction(1, 3)),
        ("a....", 1),  # no answer is no vote
        ("....", 0),
    ],
)
def test_the_most_frequent_answer_decides_and_ties_share(marks, credit):
    assert cons_at_k([votes(marks)], len(marks)) == credit


def test_cons_at_k_takes_the_first_k_and_is_undefined_with_fewer():
    problems = [votes("aabb"), votes("bbaa")]
    assert cons_at_k(problems, 2) == Fraction(1, 2)
    assert cons_at_k(problems, 5) is None
    assert cons_at_k([], 1) is None


def test_more_than_half_is_not_a_vote():
    assert majority_correct_at_k(Counts.equal((2, 3, 4), 5)) == Fraction(2, 3)
    assert majority_correct_at_k(Counts.equal((2,), 4)) == 0


def test_the_mean_of_the_problems_is_the_score():
    counts = Counts(correct=(1, 4), samples=(2, 4), problems=("p", "q"))
    rows = problem_scores(counts)
    assert [(row.problem, row.score) for row in rows] == [("p", Fraction(1, 2)), ("q", 1)]
    assert sum(row.score for row in rows) / 2 == counts.score


def test_groups_have_their_own_scores_and_errors():
    geometry, number_theory = by_group(Counts.equal((1, 2, 4), 4), ["number theory", "geometry", "number theory"])
    assert (geometry.group, geometry.n, geometry.score) == ("geometry", 1, Fraction(1, 2))
    assert (number_theory.n, number_theory.score) == (2, Fraction(5, 8))
    assert number_theory.se > 0
    with pytest.raises(ValueError, match="zip"):
        by_group(Counts.equal((1, 2), 4), ["one"])
