"""A cause is named where the completions show it, and only there."""

import random

import pytest

from papergate.diagnosis.bearing import ALPHA, UNBEARABLE, bearable_share, e_value, unbearable
from papergate.diagnosis.causes import FALSE_ALARM, HEALTHY_RATE, CauseCode, Seen, causes_of, tail_bound
from papergate.diagnosis.kinds import Kind

HEALTHY = [
    Seen(kind=Kind.COMPLETE, correct=number % 3 > 0, prompt_tokens=100, output_tokens=900 + number)
    for number in range(240)
]


def damaged(kind, count, *, correct=False, prompt_tokens=100, output_tokens=700):
    return [
        Seen(kind=kind, correct=correct, prompt_tokens=prompt_tokens, output_tokens=output_tokens + n)
        for n in range(count)
    ]


def capped(kind, lengths, prompts=None):
    prompts = prompts or [100] * len(lengths)
    return [
        Seen(kind=kind, correct=False, prompt_tokens=p, output_tokens=n) for p, n in zip(prompts, lengths, strict=True)
    ]


def codes(seen, max_tokens=32_768):
    return [cause.code for cause in causes_of(seen, max_tokens=max_tokens)]


def test_a_healthy_run_has_no_cause():
    assert codes(HEALTHY + damaged(Kind.LOOP, 2) + damaged(Kind.CUT_IN_THOUGHT, 2)) == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.GARBLED, CauseCode.GARBLED),
        (Kind.LOOP, CauseCode.LOOPS),
        (Kind.STOPPED_IN_THOUGHT, CauseCode.STOP_STRING),
        (Kind.MARK_LOST, CauseCode.MARK_LOST),
        (Kind.THOUGHT_LOST, CauseCode.THOUGHT_LOST),
        (Kind.EMPTY, CauseCode.EMPTY_ANSWERS),
    ],
)
def test_five_percent_of_damage_are_named(kind, code):
    (cause,) = causes_of(HEALTHY + damaged(kind, 13), max_tokens=32_768)
    assert (cause.code, cause.count, cause.wrong, cause.of) == (code, 13, 13, 253)


@pytest.mark.parametrize("kind", [Kind.CUT_IN_THOUGHT, Kind.STOPPED_IN_THOUGHT])
def test_a_cap_of_the_server_is_named_with_its_value_whatever_reason_it_gives(kind):
    (cause,) = causes_of(HEALTHY + capped(kind, [4096] * 40), max_tokens=32_768)
    assert (cause.code, cause.tokens, cause.asked, cause.count) == (CauseCode.SERVER_CAP, 4096, 32_768, 40)


def test_a_context_that_prompt_and_answer_fill_together_is_told_from_a_cap():
    prompts = [80 + n for n in range(20)]
    (cause,) = causes_of(HEALTHY + capped(Kind.CUT_IN_THOUGHT, [8192 - p for p in prompts], prompts), max_tokens=32_768)
    assert (cause.code, cause.tokens) == (CauseCode.CONTEXT_CAP, 8192)


def test_the_runs_own_limit_is_no_fault_of_the_server():
    (cause,) = causes_of(HEALTHY + capped(Kind.CUT_IN_THOUGHT, [32_768] * 5), max_tokens=32_768)
    assert (cause.code, cause.count) == (CauseCode.TOKEN_LIMIT, 5)


def test_a_loop_to_the_limit_is_a_loop():
    assert codes(HEALTHY + capped(Kind.LOOP, [32_768] * 20)) == [CauseCode.LOOPS]


def test_the_cause_that_can_explain_most_comes_first():
    found = codes(
        HEALTHY + damaged(Kind.GARBLED, 10) + damaged(Kind.EMPTY, 30) + damaged(Kind.FOREIGN, 40, correct=True)
    )
    assert found == [CauseCode.EMPTY_ANSWERS, CauseCode.GARBLED, CauseCode.OTHER_LANGUAGE]


def test_the_bound_holds_for_a_healthy_rate():
    draw, runs, of = random.Random(5), 2000, 400
    named = sum(
        tail_bound(sum(draw.random() < HEALTHY_RATE for _ in range(of)), of, HEALTHY_RATE) <= FALSE_ALARM
        for _ in range(runs)
    )
    assert named <= 6  # 2 expected at most; 7 or more in fewer than 1 in 200


def looks_until_named(share, bearable, seed, most=2000, under_way=0):
    draw, bad = random.Random(seed), 0
    for of in range(1, most + 1):
        bad += draw.random() < share
        if e_value(bad, of + under_way, bearable) >= 1 / ALPHA:
            return of
    return None


def test_five_percent_of_garbled_answers_are_unbearable_on_math_500_within_two_hundred():
    share = bearable_share(UNBEARABLE, score=0.939, tolerance=0.005)
    found = sorted(looks_until_named(0.05, share, seed, under_way=64) or 2001 for seed in range(300))
    assert found[150] <= 200


def test_what_a_promise_can_bear_is_hardly_ever_called_unbearable():
    share = bearable_share(UNBEARABLE, score=0.697, tolerance=1 / 30)
    assert sum(looks_until_named(share, share, seed, most=600) is not None for seed in range(300)) <= 7


def test_loops_are_borne_among_the_wrong_answers_of_the_promise():
    assert unbearable({Kind.COMPLETE: 700, Kind.LOOP: 100}, score=0.697, tolerance=1 / 30) is None
    assert unbearable({Kind.COMPLETE: 100, Kind.LOOP: 150}, score=0.697, tolerance=1 / 30) is Kind.LOOP
    assert unbearable({Kind.COMPLETE: 100, Kind.GARBLED: 30}, score=0.697, tolerance=1 / 30) is Kind.GARBLED
    assert unbearable({}, score=0.697, tolerance=1 / 30) is None
