"""What a gate does on average: the simulation agrees with the rule, and the rule does what it promises."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.promises.tolerance import Tolerance
from papergate.statistics import power
from papergate.statistics.allocation import Allocation
from papergate.statistics.counts import Counts
from papergate.statistics.dependence import Drawn, variance_by_looks
from papergate.statistics.panels import Panel, beta_panel, golden_panel, lose
from papergate.statistics.power import DECISIONS, Gate, outlook
from papergate.statistics.reference import Reference, ReferenceKind
from papergate.statistics.rule import confirming_samples
from papergate.verdict import Rule, judge

AIME = Rule.within(Tolerance.parse("1 problem"), problems=30)
PANEL = beta_panel(0.7, problems=30, within_share=Fraction(3, 8))


@pytest.mark.parametrize("kind", list(ReferenceKind))
@pytest.mark.parametrize(
    "rule", [AIME, Rule.gain(), Rule(tolerance=Fraction(1, 30), delta=Fraction(1, 60), two_sided=False)]
)
@pytest.mark.parametrize("k", [1, 2, 5, 16])
def test_the_simulation_decides_as_the_rule_does(kind, rule, k):
    rng = np.random.default_rng(k)
    gate = Gate(rule=rule, reference=kind, reference_samples=16)
    golden = rng.binomial(16, PANEL.rates)
    scores = {
        ReferenceKind.EXACT: Reference.exact(Fraction("0.7")),
        ReferenceKind.SAMPLED: Reference.sampled(Fraction("0.7"), samples=16),
        ReferenceKind.GOLDEN: Reference.golden(Counts.equal(tuple(golden.tolist()), 16)),
    }
    reference = scores[kind]
    rates = np.clip(np.linspace(-0.5, 0.6, 60)[:, None] + np.array(PANEL.rates), 0, 1)
    correct = rng.binomial(k, rates)
    drawn = power._draw_references(rng, gate, PANEL, 60)
    samples = np.full_like(correct, k)
    fixed = (
        power.panel_variances(golden[None], np.full((1, 30), 16))[0]
        if kind is ReferenceKind.GOLDEN
        else drawn.fixed[:1]
    )
    references = power._References(
        score=np.full(60, float(reference.score)), fixed=np.repeat(fixed, 60), per_run=drawn.per_run
    )
    seen = [DECISIONS[code] for code in power.decide_many(correct, samples, references, np.arange(60), rule)]
    assert seen == [judge(Counts.equal(tuple(row), k), reference, rule).decision for row in correct.tolist()]
    assert len(set(seen)) > 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_simulation_has_the_variances_and_dissents_of_unequal_counts(pairs):
    counts = Counts(correct=tuple(min(c, k) for c, k in pairs), samples=tuple(k for _, k in pairs))
    columns = np.array([counts.correct]), np.array([counts.samples])
    variance, run_variance = power.panel_variances(*columns)
    assert power.dissenting(*columns)[0] == pytest.approx(counts.dissenting, rel=1e-12)
    assert variance[0] == pytest.approx(float(counts.variance), rel=1e-12)
    assert run_variance[0] == pytest.approx(float(counts.run_variance), rel=1e-12)


def test_the_simulation_counts_the_variance_from_look_to_look_as_the_gate_does():
    rng, gates, problems = np.random.default_rng(8), 20, 6
    drawn, rows = power._Draws.none(gates, problems), np.arange(gates)
    seen = [[Drawn(right=(), answers=(), places=(), looks=()) for _ in range(problems)] for _ in rows]
    for look in range(4):  # of each problem 1 to 3 samples in the first look, 0 to 3 in the others
        sizes = rng.integers(look == 0, 4, (gates, problems))
        hits = rng.binomial(sizes, 0.6)
        drawn.add(rows, hits, drawn.samples + sizes)
        seen = [list(map(longer, *one, [look] * problems)) for one in zip(seen, sizes, hits, strict=True)]
        counts = [Counts(correct=tuple(c), samples=tuple(k)) for c, k in zip(drawn.correct, drawn.samples, strict=True)]
        expected = [variance_by_looks(one, counted) for one, counted in zip(seen, counts, strict=True)]
        assert drawn.variances_by_looks(rows) == pytest.approx(expected, rel=1e-12)


def longer(before, size, hits, look):
    """``before`` and a look of so many samples."""
    right = (*before.right, *(at < hits for at in range(size)))
    nothing = ("",) * len(right)
    return Drawn(right=right, answers=nothing, places=nothing, looks=(*before.looks, *(look,) * size))


def test_a_simulated_failure_waits_until_looks_bear_it_out_unless_none_can_follow():
    gates = [Gate(rule=AIME, reference=ReferenceKind.EXACT, looks=looks) for looks in ((2,), (2, 3))]
    (at_once, _), (_, samples) = (
        power.simulate_gate(gate, PANEL, lose(PANEL, 0.15), replicates=400, seed=1) for gate in gates
    )
    assert (at_once > 1).mean() > 0.5
    assert (samples == 2).mean() < 0.1


def test_a_golden_gate_spreads_its_samples_as_the_allocation_does():
    gate = Gate(rule=AIME, reference=ReferenceKind.GOLDEN, reference_samples=16)
    shares = power._draw_references(np.random.default_rng(0), gate, PANEL, 1).shares[0]
    references = power._References(score=None, fixed=None, per_run=0.0, shares=np.array([shares]))
    for k in gate.looks:
        planned = references.samples(k, np.array([0]), 30)[0]
        assert tuple(planned) == Allocation(shares=tuple(shares)).samples(k)
    assert len(set(planned)) > 3


def test_a_beta_panel_has_the_mean_and_the_spread_it_states():
    panel = beta_panel(0.8, problems=500, within_share=Fraction(2, 5))
    assert panel.mean == pytest.approx(0.8, abs=1e-9)
    assert panel.run_sd == pytest.approx((0.4 * 0.16 / 500) ** 0.5, rel=0.03)


def test_a_loss_moves_the_mean_and_leaves_certain_problems_alone():
    panel = Panel(rates=(0.0, 0.2, 0.8, 1.0))
    damaged = lose(panel, 0.1)
    assert damaged.mean == pytest.approx(0.4)
    assert (damaged.rates[0], damaged.rates[3]) == (0, 1)
    assert lose(panel, 0) == panel


def test_a_golden_panel_needs_samples():
    assert golden_panel(Counts.equal((8, 4), 16)).rates == (0.5, 0.25)
    assert golden_panel(Counts.equal((1, 2), 2)).golden_samples is None


def test_a_perfect_deployment_passes_and_a_damaged_one_fails():
    gate = Gate(rule=AIME, reference=ReferenceKind.GOLDEN, reference_samples=64)
    perfect, damaged = (outlook(gate, PANEL, loss, replicates=500) for loss in (Fraction(0), Fraction(1, 20)))
    assert perfect.passes >= 0.94
    assert perfect.fails_low + perfect.fails_high <= 0.05
    assert perfect.samples < 25
    assert damaged.fails_low >= 0.94
    assert damaged.passes <= 0.04


@pytest.mark.parametrize("changes", [{"looks": tuple(range(2, 65))}, {"resumed": 0.5}])
def test_peeking_and_resuming_keep_the_error_rates(changes):
    gate = Gate(rule=AIME, reference=ReferenceKind.EXACT, **changes)
    perfect, damaged = (outlook(gate, PANEL, loss, replicates=500) for loss in (Fraction(0), Fraction(1, 20)))
    assert perfect.fails_low <= 0.05
    assert perfect.fails_high <= 0.05
    assert damaged.passes <= 0.05


@pytest.mark.parametrize("reference", [Reference.exact(Fraction("0.7")), None])
def test_one_look_at_the_confirming_size_errs_as_rarely_as_stated(reference):
    rng = np.random.default_rng(3)
    golden = Reference.golden(Counts.equal(tuple(rng.binomial(64, PANEL.rates).tolist()), 64))
    seen = Counts.equal(tuple(rng.binomial(12, PANEL.rates).tolist()), 12)
    k = confirming_samples(seen, reference or golden, AIME)
    gate = Gate.of(AIME, reference or golden, looks=(k,))
    perfect, damaged = (outlook(gate, PANEL, loss, replicates=2000) for loss in (Fraction(0), AIME.margin))
    assert 12 < k < 64
    assert perfect.fails_low <= 0.05
    assert perfect.passes >= 0.9
    assert damaged.fails_low >= 0.93
    assert damaged.passes <= 0.05


def test_nothing_confirms_against_a_reference_as_noisy_as_the_margin():
    few = Reference.golden(Counts.equal((2, 1, 0) * 10, 2))
    assert confirming_samples(Counts.equal((4, 2, 0) * 10, 4), few, AIME) is None
    assert confirming_samples(Counts.equal((4, 2, 0) * 10, 4), few, Rule.gain()) is None


def test_resuming_takes_more_samples():
    once, resumed = (Gate(rule=AIME, reference=ReferenceKind.EXACT, resumed=chance) for chance in (0.0, 0.5))
    assert outlook(resumed, PANEL, replicates=200).samples > 1.1 * outlook(once, PANEL, replicates=200).samples


def test_the_same_seed_gives_the_same_outlook():
    gate = Gate(rule=AIME, reference=ReferenceKind.EXACT)
    assert outlook(gate, PANEL, replicates=50, seed=1) == outlook(gate, PANEL, replicates=50, seed=1)
    assert outlook(gate, PANEL, replicates=50, seed=1) != outlook(gate, PANEL, replicates=50, seed=2)
