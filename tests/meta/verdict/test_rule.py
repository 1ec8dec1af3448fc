"""What the verdict promises: it never contradicts the literal assert, and every edge has a stated answer."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.errors import PredictionsError, PromiseError, StoreError
from papergate.promises.tolerance import Tolerance
from papergate.statistics.counts import Counts
from papergate.statistics.reference import Reference
from papergate.verdict import Decision, Rule, Verdict, family, judge, judge_literal
from papergate.words import say

AIME = Rule.within(Tolerance.parse("1 problem"), problems=30)
MATH = Rule.within(Tolerance.parse("0.5 points"), problems=500)
R1 = Reference.exact(Fraction("0.798"), samples=64)


def equal(k, *runs):
    """Counts from (correct, times) pairs."""
    return Counts.equal(tuple(correct for correct, times in runs for _ in range(times)), k)


@st.composite
def results(draw):
    samples = draw(st.lists(st.integers(1, 64), min_size=1, max_size=40))
    share = draw(st.floats(0, 1))
    correct = [draw(st.sampled_from([0, k, round(share * k)])) for k in samples]
    return Counts(correct=tuple(correct), samples=tuple(samples))


@st.composite
def references(draw):
    score = Fraction(draw(st.integers(0, 1000)), 1000)
    samples = draw(st.sampled_from([None, 1, 4, 64]))
    return Reference.exact(score) if samples is None else Reference.sampled(score, samples=samples)


@st.composite
def rules(draw):
    tolerance = Fraction(draw(st.integers(0, 100)), 1000)
    return Rule(
        tolerance=tolerance,
        delta=Fraction(draw(st.integers(1, 100)), 1000),
        alpha=draw(st.sampled_from([Fraction(1, 20), Fraction(1, 100), Fraction(1, 5)])),
        two_sided=draw(st.booleans()),
    )


@given(results(), references(), rules())
def test_pass_and_fail_never_contradict_the_literal_assert(counts, reference, rule):
    judgement = judge(counts, reference, rule)
    difference = counts.score - reference.score
    within = -rule.tolerance <= difference and (difference <= rule.tolerance or not rule.two_sided)
    if judgement.verdict is Verdict.PASS:
        assert within
        assert judgement.literal or not rule.two_sided
    if judgement.verdict is Verdict.FAIL:
        assert not within
        assert not judgement.literal


@given(results(), references(), rules())
def test_the_interval_holds_the_difference_and_stays_within_what_a_score_can_be(counts, reference, rule):
    judgement = judge(counts, reference, rule)
    evidence, promised = judgement.evidence, reference.score
    assert -float(promised) <= evidence.lo <= float(evidence.difference) <= evidence.hi <= float(1 - promised)
    assert evidence.radius > 0


@given(results(), references(), rules())
def test_the_p_value_of_a_broken_assert_is_below_alpha_exactly_where_the_interval_excludes_zero(
    counts, reference, rule
):
    evidence = judge(counts, reference, rule).evidence
    nearest = evidence.hi if evidence.difference < 0 else -evidence.lo
    if not rule.admits(evidence.difference) and abs(nearest) > 1e-9:
        assert (evidence.p_value < float(rule.alpha)) is (nearest < 0)


@given(results(), references(), rules())
def test_only_an_open_verdict_asks_for_more_samples(counts, reference, rule):
    judgement = judge(counts, reference, rule)
    if judgement.verdict is not Verdict.INCONCLUSIVE:
        assert judgement.runs_needed is None
        assert not judgement.reference_too_noisy
    if judgement.reference_too_noisy:
        assert judgement.runs_needed is None


@given(results(), rules())
def test_a_result_against_itself_as_golden_run_never_fails(counts, rule):
    assert judge(counts, Reference.golden(counts), rule).verdict is not Verdict.FAIL


@pytest.mark.parametrize("score", [Fraction(31, 100), Fraction(41, 100), Fraction(59, 100), Fraction(69, 100)])
def test_a_literal_score_whose_interval_excludes_zero_is_open_or_beyond_doubt_but_no_failure(score):
    rule = Rule(tolerance=Fraction(1, 10), delta=Fraction(1, 1000))
    judgement = judge(equal(32, (16, 30)), Reference.exact(score), rule)
    assert abs(float(judgement.evidence.difference)) > judgement.evidence.radius
    assert judgement.verdict is (Verdict.INCONCLUSIVE if judgement.literal else Verdict.FAIL)


def test_the_literal_assert_holds_exactly_at_the_tolerance_where_floats_do_not():
    assert abs(0.968 - 0.973) > 0.005
    assert judge(equal(1, (1, 484), (0, 16)), Reference.exact(Fraction("0.973")), MATH).literal
    assert not judge(equal(1, (1, 483), (0, 17)), Reference.exact(Fraction("0.973")), MATH).literal


def test_one_sided_a_high_score_needs_few_samples_more():
    rules = [Rule(tolerance=Fraction(1, 30), delta=Fraction(1, 60), two_sided=two_sided) for two_sided in (True, False)]
    two, one = (judge(equal(2, (2, 20), (1, 9), (0, 1)), R1, rule) for rule in rules)
    assert (two.verdict, one.verdict) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert one.runs_needed < two.runs_needed


def test_one_sample_of_each_aime_problem_decides_nothing_but_a_catastrophe():
    decisions = [judge(equal(1, (1, c), (0, 30 - c)), R1, AIME).decision for c in range(30)]
    assert Decision.PASS not in decisions
    assert decisions[24] is Decision.INCONCLUSIVE
    assert decisions[0] is Decision.FAIL_LOW


def test_all_correct_keeps_an_error():
    judgement = judge(equal(4, (4, 30)), Reference.exact(Fraction(1)), AIME)
    assert judgement.evidence.se_measured > 0
    assert judgement.evidence.lo <= 0.05 ** (1 / 120) - 1
    assert judgement.evidence.hi == 0
    assert judgement.verdict is Verdict.PASS


def test_none_correct_mirrors_all_correct():
    none = judge(equal(4, (0, 30)), Reference.exact(Fraction(0)), AIME).evidence
    full = judge(equal(4, (4, 30)), Reference.exact(Fraction(1)), AIME).evidence
    assert (none.lo, none.hi) == pytest.approx((-full.hi, -full.lo))


def test_the_exact_bound_widens_a_normal_interval_that_is_too_tight():
    strict = Rule(tolerance=Fraction(1, 30), delta=Fraction(1, 60), alpha=Fraction(1, 10**9))
    evidence = judge(equal(2, (2, 500)), Reference.exact(Fraction(1)), strict).evidence
    assert evidence.lo <= 1e-9 ** (1 / 1000) - 1 < -evidence.radius


def test_unequal_samples_weigh_problems_equally():
    counts = Counts(correct=(1, 2, 0), samples=(2, 4, 8))
    assert counts.score == Fraction(1, 3)
    assert counts.variance == (Fraction(1, 4) + Fraction(4, 16 * 3) + Fraction(1, 4)) / 9


def test_unequal_samples_with_single_ones_bound_their_noise_by_a_shared_rate():
    counts = Counts(correct=(1, 0, 2), samples=(1, 1, 4))
    shared = 2 * Fraction(1, 2) * Fraction(1, 2)
    assert counts.variance == (shared + Fraction(4, 16 * 3) + Fraction(1, 16)) / 9


@given(results())
def test_equal_samples_are_a_case_of_unequal_ones(counts):
    k = counts.fewest
    same = Counts.equal(tuple(min(c, k) for c in counts.correct), k)
    assert same.run_variance == k * same.variance
    if k > 1:
        within = sum((Fraction(c * (k - c), k * (k - 1)) for c in same.correct), Fraction(1, k))
        assert same.variance == within / (same.n**2 * k)


def test_a_tolerance_of_zero_needs_a_delta():
    with pytest.raises(PromiseError, match="give a delta above 0"):
        Rule(tolerance=Fraction(0), delta=Fraction(0))
    rule = Rule(tolerance=Fraction(0), delta=Fraction(1, 20))
    assert judge(equal(64, (32, 30)), Reference.exact(Fraction(1, 2)), rule).verdict is Verdict.PASS
    assert judge(equal(64, (33, 30)), Reference.exact(Fraction(1, 2)), rule).verdict is Verdict.INCONCLUSIVE


def test_a_difference_that_touches_the_margin_is_never_decided():
    rule = Rule(tolerance=Fraction(1, 30), delta=Fraction(0))
    judgement = judge(equal(1, (1, 20), (0, 10)), Reference.exact(Fraction("0.7")), rule)
    assert (judgement.verdict, judgement.runs_needed) == (Verdict.INCONCLUSIVE, None)
    assert not judgement.reference_too_noisy
    assert "no number of samples decides" in judgement.sentence


@pytest.mark.parametrize(
    ("correct", "samples", "seen"),
    [
        ((), (), "there is no problem"),
        ((1,), (1, 1), "1 counts of correct samples, 2 of planned samples"),
        ((5, 1), (4, 1), "problem 1: 5 of 4"),
        ((-1,), (4,), "problem 1: -1 of 4"),
        ((0,), (0,), "problem 1: 0 of 0"),
    ],
)
def test_counts_that_cannot_be_a_result_are_refused(correct, samples, seen):
    with pytest.raises(PredictionsError, match=seen):
        Counts(correct=correct, samples=samples)


@pytest.mark.parametrize("score", [Fraction(-1, 100), Fraction(101, 100)])
def test_a_reference_that_is_no_score_is_refused(score):
    with pytest.raises(PromiseError, match="between 0 % and 100 %"):
        Reference.exact(score)


@pytest.mark.parametrize(
    ("golden", "seen"),
    [
        (Counts(correct=(1, 1, 1), samples=(2, 2, 2)), "3 problems, this run 2"),
        (Counts(correct=(1, 1), samples=(2, 2), problems=("a", "c")), "1 of 2 problems are others"),
        (Counts(correct=(1, 1), samples=(2, 2), problems=("a", "b"), prompts="e0"), "digest e0, those of this run e1"),
    ],
)
def test_a_golden_run_of_something_else_is_refused(golden, seen):
    measured = Counts(correct=(1, 1), samples=(2, 2), problems=("a", "b"), prompts="e1")
    with pytest.raises(StoreError, match=seen):
        judge(measured, Reference.golden(golden), AIME)


def test_a_paper_of_few_samples_is_too_noisy_when_its_error_counts():
    counts = equal(32, (32, 440), (28, 30), (16, 20), (0, 10))
    judgement = judge(counts, Reference.sampled(counts.score, samples=1), MATH)
    assert judgement.reference_too_noisy
    assert "a golden run is needed" in judgement.sentence


def test_too_good_for_a_paper_warns_and_for_a_golden_run_blocks():
    counts = equal(64, (64, 27), (0, 3))
    paper = judge(counts, R1, AIME)
    golden = judge(counts, Reference.golden(equal(64, (64, 24), (0, 6))), AIME)
    assert (paper.decision, paper.verdict) == (Decision.FAIL_HIGH, Verdict.FAIL)
    assert not paper.blocks
    assert "higher than the paper's" in say(paper.notes[0])
    assert golden.decision is Decision.FAIL_HIGH
    assert golden.blocks
    assert not golden.notes


def test_one_sided_a_score_above_the_paper_passes():
    rule = Rule.within(Tolerance.parse("1 problem"), problems=30, two_sided=False)
    judgement = judge(equal(64, (64, 27), (0, 3)), R1, rule)
    assert judgement.verdict is Verdict.PASS
    assert not judgement.literal


def test_a_gain_is_proven_refuted_or_open():
    base = Reference.exact(Fraction(1, 2))
    decisions = [judge(equal(16, (16, c), (8, 2), (0, 28 - c)), base, Rule.gain()).decision for c in (20, 14, 8)]
    assert decisions == [Decision.PASS, Decision.INCONCLUSIVE, Decision.FAIL_LOW]


def test_the_literal_assert_alone_decides_a_vendor_run_both_ways():
    passed = judge_literal(equal(1, (1, 24), (0, 6)), R1, AIME)
    low, high = (judge_literal(equal(1, (1, c), (0, 30 - c)), R1, AIME) for c in (22, 25))
    assert (passed.decision, low.decision, high.decision) == (Decision.PASS, Decision.FAIL_LOW, Decision.FAIL_HIGH)
    assert high.blocks
    assert passed.evidence.radius > 0.3


def test_the_sentence_says_what_was_seen_promised_and_why():
    counts = equal(16, (16, 18), (12, 4), (8, 2), (4, 2), (0, 4))
    assert judge(counts, R1, AIME).sentence == (
        "fail: pass@1 75.0 % [71.9, 78.1] against 79.8 % ± 1 problem (3.33 points): 4.8 points low "
        "(30 problems x 16 samples)"
    )


def test_the_sentence_of_an_open_verdict_says_how_many_samples_are_missing():
    sentence = judge(equal(2, (2, 22), (1, 4), (0, 4)), R1, AIME).sentence
    assert sentence == (
        "inconclusive: pass@1 80.0 % [68.0, 92.0] against 79.8 % ± 1 problem (3.33 points): 0.2 points high, "
        "not decided; about 8 further samples per problem are expected to decide (30 problems x 2 samples)"
    )


def test_unequal_samples_are_planned_on_as_they_are_spread():
    rates, samples = (1.0,) * 20 + (0.5,) * 10, (2,) * 20 + (6,) * 10
    counts = Counts(correct=tuple(round(p * k) for p, k in zip(rates, samples, strict=True)), samples=samples)
    judgement = judge(counts, Reference.exact(counts.score), AIME)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    spread = counts.variance * counts.average
    assert spread < counts.run_variance  # an equal spread of as many samples would leave more noise
    equal = judge(Counts.equal(tuple(round(4 * p) for p in rates), 4), Reference.exact(counts.score), AIME)
    assert judgement.runs_needed < equal.runs_needed
    assert judgement.further_samples == max(1, judgement.runs_needed - 3)


def test_a_difference_is_written_so_that_it_never_seems_to_keep_a_broken_tolerance():
    exact = Reference.exact(Fraction("0.90504"))
    assert "0.504 points low" in judge_literal(equal(1, (1, 450), (0, 50)), exact, MATH).sentence


def test_a_failure_that_the_papers_own_noise_explains_says_so():
    paper = Reference.exact(Fraction("0.839"), samples=4)
    judgement = judge(equal(64, (64, 368), (45, 50), (20, 40), (0, 42)), paper, MATH)
    assert judgement.verdict is Verdict.FAIL
    assert "could be the paper's own noise: a mean of 4 samples" in say(judgement.notes[-1])
    assert "golden run" in say(judgement.notes[-1])
    assert judgement.se_paper == pytest.approx(0.0044, abs=1e-4)
    assert 0.0906 < judgement.paper_noise_chance < 1  # one look alone would show it in 9.06 % of runs
    few = judge_literal(equal(1, (1, 22), (0, 8)), R1, AIME)
    assert few.paper_noise_chance > 0.05
    assert few.notes == ()  # one run's own noise explains it: the remedy is more samples
    certain = judge(equal(64, (64, 300), (0, 200)), paper, MATH)
    assert not any("noise" in note.code for note in certain.notes)


def test_default_deltas_follow_the_users_words():
    assert (AIME.tolerance, AIME.delta) == (Fraction(1, 30), Fraction(1, 60))
    assert (MATH.tolerance, MATH.delta) == (Fraction(1, 200), Fraction(1, 200))


def test_of_many_failures_only_the_sure_ones_stand():
    sure = judge(equal(16, (16, 15), (8, 2), (0, 13)), R1, AIME)
    close_call = judge(equal(16, (16, 20), (12, 3), (8, 2), (4, 2), (0, 3)), Reference.exact(Fraction("0.827")), AIME)
    perfect = judge(equal(16, (16, 24), (0, 6)), R1, AIME)
    assert [j.verdict for j in (sure, close_call, perfect)] == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS]
    alone, together = family([close_call]), family([sure, close_call, *[perfect] * 12])
    assert alone.stands == (True,)
    assert together.stands == (True, *[False] * 13)
    assert together.chance_of_a_false_failure == pytest.approx(0.51, abs=0.01)
    assert say(together.note).startswith(
        "14 promises, and each fails a perfect deployment as too low in at most 5% of runs"
    )
    assert "1 of 2 failures stand" in say(together.note)


def test_no_promises_have_no_failures():
    assert family([]).stands == ()
