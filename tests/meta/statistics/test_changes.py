"""Two runs of one panel: nothing is marked where nothing changed, and what changed is."""

import random
from fractions import Fraction
from itertools import pairwise

import pytest

from papergate.promises.tolerance import Tolerance
from papergate.statistics.beside_golden import Run
from papergate.statistics.changes import ALPHA, change, marked, sign_test
from papergate.statistics.counts import Counts
from papergate.statistics.rule import Rule

RULE = Rule.within(Tolerance.parse("1 problem"), problems=30)
RATES = [place / 29 for place in range(30)]


def drawn(rates, k, dice, tokens=100.0):
    correct = tuple(sum(dice.random() < rate for _ in range(k)) for rate in rates)
    lengths = [sum(dice.gauss(tokens, 20) for _ in range(k)) / k for _ in rates]
    counts = Counts(correct=correct, samples=(k,) * len(rates))
    run = Run(counts=counts, completions=k * len(rates), output_tokens=round(sum(lengths) * k), truncated=0)
    return run, lengths


def changed(now, before):
    return change(now[0], before[0], [*zip(now[1], before[1], strict=True)], RULE)


def test_tables_in_which_nothing_changed_have_a_mark_as_rarely_as_stated():
    dice, tables, seen = random.Random(0), 200, 0
    for _ in range(tables):
        runs = [drawn(RATES, 8, dice) for _ in range(4)]
        found = marked([None, *(changed(now, before) for before, now in pairwise(runs))])
        seen += any(one and (one.score_changed or one.length_changed or one.moved) for one in found)
    assert found[0] is None
    # scores and lengths together err in at most 5 %, moved problems of each of 3 comparisons in 5 % more
    assert seen / tables <= 4 * ALPHA


def test_a_lost_share_and_a_longer_answer_are_marked():
    dice = random.Random(1)
    before, now = drawn(RATES, 64, dice), drawn([rate * 0.7 for rate in RATES], 64, dice, tokens=130.0)
    (found,) = marked([changed(now, before)])
    assert found.score_changed
    assert found.length_changed
    assert found.lo < float(found.difference) < found.hi < 0
    assert found.length_ratio == pytest.approx(1.3, abs=0.05)


def test_a_problem_that_fell_is_named():
    dice = random.Random(2)
    before, now = drawn([0.9] * 30, 32, dice), drawn([0.1, *[0.9] * 29], 32, dice)
    assert [one.problem for one in changed(now, before).moved] == ["1"]


def test_the_difference_is_that_of_the_scores_exactly():
    dice = random.Random(3)
    before, now = drawn(RATES, 4, dice), drawn(RATES, 4, dice)
    assert changed(now, before).difference == now[0].counts.score - before[0].counts.score


@pytest.mark.parametrize(
    ("differences", "p"),
    [([], 1.0), ([0, 0], 1.0), ([1] * 5, 2 / 32), ([1] * 5 + [0], 2 / 32), ([-1] * 10, 2 / 1024), ([1, -1], 1.0)],
)
def test_the_sign_test_is_exact(differences, p):
    assert sign_test(differences) == float(Fraction(p))
