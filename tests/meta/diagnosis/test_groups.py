"""A subject or level that is far off the golden run is named, and chance is not."""

import random
from dataclasses import replace

import pytest

from papergate.diagnosis.causes import CauseCode, Seen, causes_of
from papergate.diagnosis.groups import far_off_groups
from papergate.diagnosis.kinds import Kind
from papergate.statistics.counts import Counts
from papergate.words import say
from tests.meta.tiny_runs import BENCHMARK, accepted, case_of, completions_of

GROUPS = [{"level": str(n % 5 + 1), "subject": "abcde"[n // 20 % 5]} for n in range(100)]


def drawn(rng, lost, *, k=4, m=16):
    """Counts of 100 problems of mean 0.8; those of level 5 lose ``lost``."""
    for group in GROUPS:
        rate = min(1.0, rng.betavariate(4, 1))
        here = max(0.0, rate - lost * (group["level"] == "5"))
        yield binomial(rng, k, here), k, binomial(rng, m, rate), m


def binomial(rng, of, rate):
    return sum(rng.random() < rate for _ in range(of))


def test_a_level_that_lost_far_more_than_the_others_is_named():
    (cause,) = far_off_groups(GROUPS, [*drawn(random.Random(1), 0.4)])
    assert (cause.code, cause.more["group"], cause.count) == (CauseCode.ONE_GROUP, "level 5", 80)
    assert "level 5 scores" in say(cause.note)
    found = [far_off_groups(GROUPS, [*drawn(random.Random(seed), 0.4)]) for seed in range(50)]
    assert sum(bool(causes) for causes in found) >= 48


def test_chance_names_no_group_and_neither_does_a_loss_that_all_share():
    found = [far_off_groups(GROUPS, [*drawn(random.Random(seed), 0.0)]) for seed in range(300)]
    assert sum(bool(causes) for causes in found) <= 2  # 0.3 expected at most
    shared = [(max(0, right - 2), k, golden, m) for right, k, golden, m in drawn(random.Random(0), 0.0)]
    assert far_off_groups(GROUPS, shared) == ()


@pytest.mark.parametrize("tables", [[(4, 4, 16, 16)] * 100, [(0, 1, 1, 1)] * 100])
def test_counts_that_say_nothing_name_nothing(tables):
    assert far_off_groups(GROUPS, tables) == ()
    assert far_off_groups([{}] * 100, tables) == ()


def test_a_run_beside_a_golden_one_names_its_group():
    problems = tuple(grouped(problem, n) for n, problem in enumerate(BENCHMARK.problems))
    golden = Counts.equal((16,) * 30, 16)
    golden = replace(golden, problems=tuple(problem.id for problem in problems))
    run = completions_of(lambda place, sample: place % 3 > 0 or sample == 0, 4, problems=problems)
    found = accepted(case_of(problems=problems, golden=golden), run, 4)
    assert found.causes[0].code is CauseCode.ONE_GROUP
    assert "topic 0 scores 25 %" in found.sentence
    alone = accepted(case_of(problems=problems), run, 4)
    assert CauseCode.ONE_GROUP not in {cause.code for cause in alone.causes}


def grouped(problem, place):
    return replace(problem, group=(("topic", str(place % 3)),))


def test_right_answers_that_are_not_read_are_a_cause_beyond_what_healthy_runs_have():
    fine = [Seen(kind=Kind.COMPLETE, correct=True)] * 90
    (cause,) = causes_of([*fine, *[Seen(kind=Kind.COMPLETE, correct=False, elsewhere=True)] * 10], max_tokens=100)
    assert (cause.code, cause.count, cause.wrong) == (CauseCode.ANSWER_ELSEWHERE, 10, 10)
    assert causes_of([*fine, Seen(kind=Kind.COMPLETE, correct=False, elsewhere=True)], max_tokens=100) == ()
