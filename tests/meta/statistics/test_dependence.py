"""The tests of independence: exact where they can be, silent on healthy samples, and they see what they are for."""

import itertools
import math
import random
from dataclasses import replace
from fractions import Fraction

import pytest

from papergate.promises.tolerance import Tolerance
from papergate.statistics import dependence
from papergate.statistics.counts import Counts
from papergate.statistics.dependence import (
    ALARM,
    CLEAR,
    PLACES_ALARM,
    UNANIMITY_ALARM,
    Drawn,
    Split,
    alarm_of,
    alike,
    by_noise,
    chance_of_unanimity,
    chi_square_tail,
    compared,
    premature_failure,
    shared_by_texts,
    variance_by_looks,
)
from papergate.statistics.panels import Panel, beta_panel
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Decision, Rule
from studies.dependence import BROKEN, Deployment, tally_of

EXACT = Reference.exact(Fraction(7, 10))


@pytest.mark.parametrize(
    ("statistic", "degrees", "tail"),
    [
        (3.841459, 1, 0.05),
        (5.991465, 2, 0.05),
        (11.070498, 5, 0.05),
        (18.307038, 10, 0.05),
        (38.932173, 21, 0.01),
        (0, 3, 1),
    ],
)
def test_the_tail_of_chi_square_is_that_of_the_tables(statistic, degrees, tail):
    assert chi_square_tail(statistic, degrees) == pytest.approx(tail, rel=1e-3)


def drawn(right, *, places=None, looks=None, answers=None, texts=()):
    return Drawn(
        right=tuple(right),
        answers=tuple(answers or ("right" if one else "other" for one in right)),
        places=tuple(places or [""] * len(right)),
        looks=tuple(looks or range(len(right))),
        texts=tuple(texts),
    )


@pytest.mark.parametrize("weight", [alike, by_noise])
def test_two_groups_are_compared_as_mantel_and_haenszel_do(weight):
    rng = random.Random(3)
    problems = [
        (tuple(rng.random() < 0.6 for _ in range(12)), tuple(rng.choice("ab") for _ in range(12))) for _ in range(40)
    ]
    surplus = spread = noise = 0.0
    for right, groups in problems:
        k, c, m = 12, sum(right), groups.count("a")
        one = weight(c, k)
        surplus += one * (sum(hit for hit, group in zip(right, groups, strict=True) if group == "a") - c * m / k)
        noise += one**2 * c * (k - c) * m * (k - m) / (k * k * (k - 1))
        spread += one * m * (k - m) / k
    found = compared(itertools.starmap(Split.of, problems), weight)
    assert found.p_value == pytest.approx(math.erfc(abs(surplus) / math.sqrt(2 * noise)))
    assert found.difference == pytest.approx(surplus / spread * (1 if found.group == "a" else -1))


def test_groups_that_never_share_a_problem_say_nothing():
    problems = [((True, False) * 4, ("a",) * 8), ((False, True) * 4, ("b",) * 8)] * 6
    assert compared(itertools.starmap(Split.of, problems)) is None


def test_beside_a_golden_run_unanimity_has_its_exact_chance():
    golden, ours = Counts.equal((3, 1), 4), Counts.equal((2, 0), 2)
    ways = math.prod(
        sum(sum(chosen) in (0, 2) for chosen in itertools.combinations([1] * right + [0] * (6 - right), 2))
        / math.comb(6, 2)
        for right in (5, 1)
    )
    assert chance_of_unanimity(ours, Reference.golden(golden)) == pytest.approx(ways)


def unanimous(k, *, right=21, problems=30, wrong="other"):
    return [drawn([at < right] * k, answers=["right" if at < right else wrong] * k) for at in range(problems)]


def alarm(seen, reference=EXACT, **asked):
    counts = Counts(correct=tuple(sum(one.right) for one in seen), samples=tuple(len(one.right) for one in seen))
    return alarm_of(seen, counts, reference, due=True, last=True, **asked)


def test_agreement_of_all_answers_waits_and_then_is_an_alarm():
    early, told = alarm(unanimous(2)), alarm(unanimous(4))
    assert (early.kind, early.clear) == (told.kind, not told.clear) == ("unanimous", False)
    assert told.p_value <= UNANIMITY_ALARM < early.p_value


def test_agreement_is_no_alarm_where_it_is_likely_known_or_broken_by_one_answer():
    assert alarm(unanimous(4), may_agree=True) is None
    assert alarm(unanimous(4, right=30)) is None  # a score of 100 %
    assert alarm(unanimous(4, right=0)) is None
    assert alarm(unanimous(1)) is None
    one_dissents = [*unanimous(4)[:-1], drawn([False] * 4, answers=["1", "2", "1", "1"])]
    assert alarm(one_dissents) is None
    certain = Reference.golden(Counts.equal((64,) * 21 + (0,) * 9, 64))
    assert alarm(unanimous(4), certain) is None
    noisy = Reference.golden(Counts.equal((60,) * 10 + (32,) * 20, 64))
    assert alarm(unanimous(4), noisy).clear


def test_answers_that_were_not_found_say_nothing():
    assert alarm(unanimous(4, wrong=None)).clear  # the right ones alone are enough here
    assert alarm([drawn([False] * 4, answers=[None] * 4) for _ in range(30)]) is None


def panel_of(k, chance, *, problems=30, seed=1):
    rng = random.Random(seed)
    places = [[rng.choice("ab") for _ in range(k)] for _ in range(problems)]
    return [
        drawn([rng.random() < chance(j, places[at][j]) for j in range(k)], places=places[at]) for at in range(problems)
    ]


def test_one_bad_server_of_two_is_named_with_its_loss():
    found = alarm(panel_of(32, lambda _, place: 0.7 - 0.3 * (place == "b")))
    assert (found.kind, found.clear) == ("places", True)
    assert found.group == "b"
    assert found.difference == pytest.approx(-0.3, abs=0.1)
    assert found.p_value <= CLEAR


def test_one_server_of_two_that_loses_as_much_of_every_problem_is_named_in_three_of_four_gates():
    bad = next(one for one in BROKEN if one.title == "one server of two lost 6.67")
    tally = tally_of(bad, HEALTHY["spread"], 150, golden=True)
    assert sum(end.named == "places" for end in tally.ends) >= 105  # with equal weights alone: 59 %


@pytest.mark.parametrize("since", [1, 8, 12])
def test_a_loss_from_some_sample_on_is_named_with_its_place(since):
    found = alarm([drawn(one.right) for one in panel_of(16, lambda j, _: 0.8 - 0.4 * (j >= since))])
    assert found.kind == "time"
    assert found.difference < -0.2
    assert abs(found.group - since) <= 4


def test_looks_that_differ_are_named():
    found = alarm([drawn(one.right) for one in panel_of(16, lambda j, _: 0.9 - 0.5 * (j % 4 == 3))])
    assert found.kind == "looks"


HEALTHY = {
    "spread": beta_panel(0.697, problems=30, within_share=Fraction(31, 100)),
    "all alike": Panel(rates=(0.7,) * 30),
    "near the ceiling": beta_panel(0.98, problems=30),
}


@pytest.mark.parametrize("places", ["a", "ab"])
@pytest.mark.parametrize("panel", HEALTHY.values(), ids=HEALTHY)
def test_healthy_gates_are_seldom_named(panel, places):
    tally = tally_of(Deployment(title="healthy", places=places), panel, 60, golden=True)
    assert sum(bool(end.named) for end in tally.ends) <= 3  # at 1 % each, four of sixty come in one seed of 3,000


def test_the_shares_of_the_alarm_leave_something_for_each():
    assert UNANIMITY_ALARM + PLACES_ALARM < ALARM


AIME = Rule.within(Tolerance.parse("1 problem"), problems=30)


def counts_of(seen):
    return Counts(correct=tuple(sum(one.right) for one in seen), samples=tuple(len(one.right) for one in seen))


def in_looks(looks, *, shared, problems=30, seed=1):
    """Problems right in 60 %; with a chance of ``shared`` all samples of a look are one draw."""
    rng, seen = random.Random(seed), []
    for _ in range(problems):
        draws = {look: rng.random() < 0.6 for look in looks if rng.random() < shared}
        seen.append(drawn([draws.get(look, rng.random() < 0.6) for look in looks], looks=looks))
    return seen


def test_with_one_sample_in_each_look_the_variance_is_that_of_the_samples():
    seen = in_looks(range(6), shared=0.0)
    assert variance_by_looks(seen, counts_of(seen)) == pytest.approx(float(counts_of(seen).variance))


def test_samples_of_a_look_that_agree_count_as_the_one_draw_they_are():
    looks = [number for number in range(6) for _ in range(4)]
    for shared, low, high in ((0.0, 1.0, 1.25), (1.0, 3.2, 4.9)):  # 4 samples of a look weigh as one
        seen = in_looks(looks, shared=shared, problems=200)
        assert low <= variance_by_looks(seen, counts_of(seen)) / float(counts_of(seen).variance) <= high


def test_samples_of_one_text_count_as_the_one_draw_they_are_whatever_their_looks():
    rng, seen = random.Random(2), []
    for _ in range(200):
        draws = [rng.random() < 0.6 for _ in range(6)]
        seen.append(drawn(draws * 4, looks=[0] * 12 + [1] * 12, texts=list(range(6)) * 4))
    counts = counts_of(seen)
    assert variance_by_looks(seen, counts) < 1.3 * counts.variance
    assert 3.2 <= shared_by_texts(seen) <= 4.9
    assert shared_by_texts([replace(one, texts=tuple(range(24))) for one in seen]) == pytest.approx(1)
    assert shared_by_texts([replace(one, texts=()) for one in seen]) == 1


def test_a_failure_by_copies_of_texts_waits():
    rng = random.Random(5)
    draws = [[rng.random() < 0.6 for _ in range(3)] for _ in range(30)]
    copied = [drawn(one * 4, looks=[0] * 6 + [1] * 6, texts=list(range(3)) * 4) for one in draws]
    fresh = [replace(one, texts=()) for one in copied]
    assert premature_failure(fresh, counts_of(fresh), EXACT, AIME) is None
    assert premature_failure(copied, counts_of(copied), EXACT, AIME).kind == "side_by_side"


def test_on_average_independent_samples_scatter_between_looks_as_within_them():
    """Every outcome of three samples in two looks, weighed by its chance: sigma^2 / k is 0.24 / 3 at a rate of 0.6."""
    expected = 0.0
    for right in itertools.product((True, False), repeat=3):
        chance = math.prod(0.6 if one else 0.4 for one in right)
        expected += chance * dependence._scatter(right, (1, 1, 2))[0]
    assert expected == pytest.approx(0.24 / 3)


def test_one_look_alone_counts_each_problem_as_a_single_sample():
    seen = [drawn([True, True] if at < 6 else [False, False], looks=(1, 1)) for at in range(30)]
    assert variance_by_looks(seen, counts_of(seen)) == pytest.approx(0.2 * 0.8 / 30, rel=0.05)
    assert premature_failure(seen, counts_of(seen), EXACT, AIME) is None  # 50 points low: that is no noise
    nearer = [drawn([True, True] if at < 17 else [False, False], looks=(1, 1)) for at in range(30)]
    assert (found := premature_failure(nearer, counts_of(nearer), EXACT, AIME)).kind == "side_by_side"
    assert not found.clear


def test_samples_that_share_their_noise_within_a_look_seldom_fail_a_perfect_deployment():
    broken = next(one for one in BROKEN if one.title == "correlation .3 within a look")
    tally, failed = tally_of(broken, HEALTHY["spread"], 400, golden=False), (Decision.FAIL_LOW, Decision.FAIL_HIGH)
    assert sum(end.decision in failed and not end.named for end in tally.ends) <= 20  # with V alone: 27
