"""Rank statistics keep the level they state, counted over every way the signs can fall."""

import itertools
from fractions import Fraction

import pytest

from papergate.statistics.counts import Counts
from studies.formulas import hodges_lehmann, quantile_ranks, queries_for_percentile, score_if_truncated_were_right


def test_the_shift_interval_covers_exactly_what_it_states():
    sizes = [2.0**i for i in range(9)]
    covered = [
        shift.lo <= 0 <= shift.hi
        for signs in itertools.product((-1, 1), repeat=len(sizes))
        for shift in [hodges_lehmann([sign * size for sign, size in zip(signs, sizes, strict=True)])]
    ]
    stated = hodges_lehmann(sizes).level
    assert sum(covered) / len(covered) == pytest.approx(stated)
    assert 0.95 <= stated < 0.97


def test_a_shift_is_where_the_pairs_are():
    shift = hodges_lehmann([0.1, 0.2, 0.3])
    assert (shift.estimate, shift.lo, shift.hi) == (pytest.approx(0.2), 0.1, 0.3)
    assert shift.p_value == pytest.approx(0.25)
    assert shift.level == pytest.approx(0.75)


def test_equal_pairs_show_no_shift():
    assert hodges_lehmann([0.0, 0.0, 0.0, 0.0]).p_value == 1


def test_a_small_sample_cannot_bound_a_far_quantile():
    found = quantile_ranks(20, 0.99)
    assert found.hi == 21
    assert found.coverage <= 1


def test_the_published_minima_of_loadgen():
    assert [queries_for_percentile(0.9, over=1), queries_for_percentile(0.99, over=1)] == [64, 662]


def test_the_score_if_truncated_samples_were_right():
    assert score_if_truncated_were_right(Counts.equal((8, 0), 16), (4, 16)) == Fraction(7, 8)
