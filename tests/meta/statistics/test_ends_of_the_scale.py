"""Near 0 and 100 %, and where samples hardly ever disagree, the stated error rates hold too."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from papergate.promises.tolerance import Tolerance
from papergate.statistics.counts import Counts
from papergate.statistics.intervals import exact_lower_bound, log_evidence_above
from papergate.statistics.panels import Panel
from papergate.statistics.power import Gate, simulate_gate
from papergate.statistics.reference import Reference, ReferenceKind
from papergate.statistics.rule import FEW_DISSENTING, Rule
from papergate.verdict import Decision, judge

REPLICATES = 1000


@pytest.mark.parametrize(
    "rates", [(0.9, 0.9, 0.9), (1.0, 1.0, 0.7), (0.99, 0.8, 0.91), (0.0, 0.1, 0.2), (0.5, 0.5, 0.5)]
)
@pytest.mark.parametrize("before", [(0, 0), (5, 9), (9, 9)])
def test_a_round_over_the_problems_leaves_the_evidence_as_it_was_on_average(rates, before):
    """No panel with this mean lets the evidence against this mean grow: problems may differ."""
    correct, samples, mean = *before, sum(rates) / 3
    expected = sum(
        math.prod(p if x else 1 - p for p, x in zip(rates, outcome, strict=True))
        * math.exp(log_evidence_above(correct + sum(outcome), samples + 3, mean))
        for outcome in product((0, 1), repeat=3)
    )
    assert expected <= math.exp(log_evidence_above(correct, samples, mean)) * (1 + 1e-9)


def test_the_bound_is_where_the_evidence_reaches_its_level():
    bound = exact_lower_bound(58, 60, 0.05)
    assert 0.8 < bound < 58 / 60
    assert log_evidence_above(58, 60, bound) == pytest.approx(math.log(20), abs=1e-6)
    assert exact_lower_bound(0, 60, 0.05) == 0


def chances(n, actual, promised, words):
    rule = Rule.within(Tolerance.parse(words), problems=n)
    gate = Gate(rule=rule, reference=ReferenceKind.EXACT)
    panels = (Panel(rates=tuple(np.broadcast_to(rates, n).tolist())) for rates in (promised, actual))
    ends, _ = simulate_gate(gate, *panels, replicates=REPLICATES, seed=5)
    return (ends == 1).mean(), (ends > 1).mean()


@pytest.mark.parametrize("score", [0.95, 0.99, 0.995])
def test_the_margin_spread_evenly_seldom_passes_and_a_perfect_deployment_seldom_fails(score):
    passes, _ = chances(30, score - 0.05, score, "1 problem")
    _, fails = chances(30, score, score, "1 problem")
    assert passes <= 0.04
    assert fails <= 0.05


@pytest.mark.parametrize("score", [0.2, 0.5, 0.8])
def test_the_margin_lost_by_problems_that_were_certain_seldom_passes(score):
    certain = np.arange(30) < round(30 * score)
    passes, _ = chances(30, np.where(certain, 1 - 0.05 / score, 0.0), certain.astype(float), "1 problem")
    assert passes <= 0.04


def test_a_pass_from_a_few_unanimous_samples_is_not_possible():
    unanimous = Counts.equal((4,) * 24 + (0,) * 6, 4)
    rule = Rule.within(Tolerance.parse("1 problem"), problems=30)
    assert judge(unanimous, Reference.exact(Fraction("0.8")), rule).decision is Decision.INCONCLUSIVE
    many = Counts.equal((16,) * 24 + (0,) * 6, 16)
    assert judge(many, Reference.exact(Fraction("0.8")), rule).decision is Decision.PASS


def test_dissents_count_by_their_weight_in_the_variance():
    assert Counts.equal((1, 2, 3, 0), 4).dissenting == 4
    assert Counts(correct=(1, 0), samples=(2, 8)).dissenting == 1
    assert Counts(correct=(1, 4), samples=(2, 8)).dissenting == pytest.approx((1 + 4 / 16) ** 2 / (1 + 4 / 256))
    assert Counts.equal((4, 0), 4).dissenting == 0


def test_problems_that_are_asked_often_do_not_vouch_for_those_that_are_asked_least():
    """187 problems that never were right in the golden run have three samples each, and one right among all of them."""
    golden = Counts.equal((0,) * 187 + (16, 20, 24, 28, 20, 12, 24, 16, 30, 20, 14), 64)
    counts = Counts(correct=(0,) * 186 + (1,) + (3, 3, 4, 5, 3, 2, 4, 3, 5, 4, 3), samples=(3,) * 187 + (12,) * 11)
    assert counts.minority > FEW_DISSENTING
    rule = Rule.within(Tolerance.parse("0.5 points"), problems=198)
    assert judge(counts, Reference.golden(golden), rule).decision is Decision.INCONCLUSIVE
