"""Samples go where answers vary, and no problem is starved."""

from fractions import Fraction
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.statistics.allocation import SMALLEST_SHARE, Allocation
from papergate.statistics.counts import Counts
from papergate.statistics.looks import LOOKS

rates = st.lists(st.floats(0, 1), min_size=1, max_size=60)


@given(rates)
def test_the_shares_have_the_mean_one_and_none_is_below_the_floor(found):
    shares = Allocation.neyman(found).shares
    assert fmean(shares) == pytest.approx(1)
    assert min(shares) >= SMALLEST_SHARE


@given(rates)
def test_a_later_look_takes_no_sample_back_and_the_first_asks_everything_twice(found):
    allocation = Allocation.neyman(found)
    planned = [allocation.samples(k) for k in LOOKS]
    assert min(planned[0]) >= 2
    assert all(a <= b for one, other in pairwise(planned) for a, b in zip(one, other, strict=True))
    assert allocation.samples(1) == tuple(max(1, one) for one in allocation.samples(1))


def test_problems_that_vary_more_get_more_and_the_variance_is_smaller():
    found = [1.0] * 20 + [0.0] * 4 + [0.5, 0.6, 0.4, 0.8, 0.7, 0.9]
    samples = Allocation.neyman(found).samples(16)
    assert samples[24] > samples[29] > samples[0] >= 8
    assert sum(samples) == pytest.approx(30 * 16, rel=0.03)
    spread = sum(p * (1 - p) / k for p, k in zip(found, samples, strict=True))
    assert spread < 0.5 * sum(p * (1 - p) / 16 for p in found)


def test_a_golden_run_of_few_samples_does_not_tell_where():
    golden = Counts.equal((4, 2, 0), 4)
    assert Allocation.of_golden(golden).samples(5) == (5, 5, 5)
    assert Allocation.of_golden(Counts.equal((16, 8, 0), 16)).samples(6) == (3, 12, 3)


def test_equal_shares_give_every_look_exactly():
    assert [Allocation.equal(3).samples(k) for k in (1, 2, 5, 64)] == [(k,) * 3 for k in (1, 2, 5, 64)]


def test_the_score_of_unequal_samples_is_the_plain_mean_over_problems():
    counts = Counts(correct=(8, 3, 0), samples=(8, 12, 4))
    assert counts.score == Fraction(1 + Fraction(1, 4) + 0, 3)
