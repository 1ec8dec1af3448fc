"""How long a run takes on several replicas: cases that can be reckoned by hand, and bounds that hold for all."""

import random

import pytest

from papergate.cli import main
from papergate.statistics.replicas import Fleet, drawn_looks, scaling_text, seconds


def fleet(replicas=1, whole=100.0, stream=10.0, in_flight=100, first=0.0):
    return Fleet(
        replicas=replicas, tokens_per_s=whole, stream_tokens_per_s=stream, in_flight=in_flight, first_token_s=first
    )


RECKONED = {
    "one request at the speed of a stream": ([[50]], fleet(), 5.0),
    "as many as go side by side": ([[50] * 10], fleet(), 5.0),
    "twice as many share the replica": ([[50] * 20], fleet(), 10.0),
    "on two replicas they do not": ([[50] * 20], fleet(replicas=2), 5.0),
    "one after another": ([[50] * 4], fleet(in_flight=1), 20.0),
    "two in flight": ([[50, 10, 10, 10]], fleet(in_flight=2), 5.0),
    "the short ones first": ([[10, 10, 10, 50]], fleet(in_flight=2), 6.0),
    "the speed of the rest grows when one ends": ([[50, 100]], fleet(whole=10.0), 15.0),
    "looks wait for each other": ([[50], [50, 20]], fleet(), 10.0),
    "the first token is waited for": ([[50]], fleet(first=2.0), 7.0),
    "more replicas than requests": ([[50]], fleet(replicas=8), 5.0),
    "nothing": ([], fleet(), 0.0),
}


@pytest.mark.parametrize(("looks", "given", "expected"), RECKONED.values(), ids=RECKONED)
def test_what_can_be_reckoned_by_hand(looks, given, expected):
    assert seconds(looks, given) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_no_run_is_faster_than_its_replicas_or_its_longest_answer(seed):
    dice = random.Random(seed)
    tokens = [dice.expovariate(1 / 300) for _ in range(dice.randint(1, 300))]
    given = fleet(dice.randint(1, 9), dice.uniform(50, 500), dice.uniform(5, 50), dice.randint(1, 200))
    took = seconds([tokens], given)
    least = max(sum(tokens) / given.tokens_per_s / given.replicas, max(tokens) / given.stream_tokens_per_s)
    assert took >= least * (1 - 1e-9)
    assert took <= sum(tokens) / min(given.stream_tokens_per_s, given.tokens_per_s) * (1 + 1e-9)


def test_the_drawn_lengths_are_those_of_the_looks_and_the_same_every_time():
    looks = drawn_looks(30, 5, tokens_per_sample=1000, fixed=False)
    assert [len(look) for look in looks] == [60, 30, 30, 30]
    assert looks == drawn_looks(30, 5, tokens_per_sample=1000, fixed=False)
    assert [len(look) for look in drawn_looks(30, 5, tokens_per_sample=1000, fixed=True)] == [150]
    assert sum(map(sum, looks)) / 150 == pytest.approx(1000, rel=0.3)


def test_the_table_has_powers_of_two_and_the_number_asked_for():
    rows = scaling_text([[100.0] * 600], fleet(), 6).splitlines()[2:]
    assert [row.split()[0] for row in rows] == ["1", "2", "4", "6"]
    assert rows[0].split()[2] == "100%"


def test_the_command_says_how_long_replicas_take(capsys):
    given = ["plan", "--problems", "30", "--paper", "79.8", "--tolerance", "1 problem", "--samples", "4"]
    assert main([*given, "--replicas", "4"]) == 2
    assert "--replicas needs --tokens-per-sample and --tokens-per-s" in capsys.readouterr().err
    assert main([*given, "--replicas", "4", "--tokens-per-sample", "9000", "--tokens-per-s", "2000"]) == 0
    out = capsys.readouterr().out
    assert "120 completions in 1 looks" in out
    assert out.strip().splitlines()[-1].split()[0] == "4"
