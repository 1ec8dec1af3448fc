"""A run beside a golden run."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.errors import StoreError
from papergate.statistics.beside_golden import Run, compare, fisher_exact
from papergate.statistics.counts import Counts
from papergate.statistics.family import holm


def run(*correct, k=16, output_tokens=1000, truncated=0, problems=None):
    counts = Counts(correct=correct, samples=(k,) * len(correct), problems=problems)
    return Run(counts=counts, completions=k * len(correct), output_tokens=output_tokens, truncated=truncated)


def test_fisher_agrees_with_the_tea_tasting():
    assert fisher_exact(3, 4, 1, 4) == pytest.approx(34 / 70)


@given(st.integers(0, 8), st.integers(0, 8))
def test_fisher_agrees_with_the_hypergeometric_chances(a, b):
    chances = [
        math.comb(8, i) * math.comb(8, a + b - i) / math.comb(16, a + b) for i in range(9) if 0 <= a + b - i <= 8
    ]
    seen = math.comb(8, a) * math.comb(8, b) / math.comb(16, a + b)
    assert fisher_exact(a, 8, b, 8) == pytest.approx(sum(p for p in chances if p <= seen * (1 + 1e-9)))


@given(st.integers(0, 20), st.integers(0, 30))
def test_fisher_is_the_same_from_either_side(a, b):
    assert fisher_exact(a, 20, b, 30) == fisher_exact(b, 30, a, 20) == fisher_exact(20 - a, 20, 30 - b, 30)


def test_holm_steps_down():
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx((0.04, 0.09, 0.09, 0.5))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()


def test_a_problem_that_collapsed_is_named_first():
    comparison = compare(run(16, 15, 0, problems=("a", "b", "c")), run(64, 60, 60, k=64, problems=("a", "b", "c")))
    assert [move.problem for move in comparison.moved] == ["c"]
    assert comparison.problems[0].problem == "c"
    assert (comparison.moved[0].rate, comparison.moved[0].golden_rate) == (0, Fraction(15, 16))


def test_equal_runs_have_no_moves():
    assert compare(run(16, 8), run(64, 32, k=64)).moved == ()


@pytest.mark.parametrize(("tokens", "within"), [(899, False), (900, True), (1100, True), (1101, False)])
def test_the_band_of_output_lengths_includes_its_ends(tokens, within):
    assert compare(run(8, output_tokens=tokens), run(8)).length_within_band is within


def test_lengths_that_cannot_be_told_are_none():
    comparison = compare(run(8, output_tokens=0), run(8))
    assert (comparison.length_ratio, comparison.length_within_band) == (None, None)


def test_truncation_is_compared():
    comparison = compare(run(8, 8, truncated=12), run(32, 32, k=64, truncated=0))
    assert (comparison.truncation, comparison.golden_truncation) == (Fraction(3, 8), 0)
    assert comparison.truncation_p_value < 1e-6


def test_a_golden_run_of_other_problems_is_refused():
    with pytest.raises(StoreError, match="others"):
        compare(run(8, problems=("a",)), run(8, problems=("b",)))
