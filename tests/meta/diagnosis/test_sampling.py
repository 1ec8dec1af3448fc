"""Other sampling parameters than the declared ones are found in the draws, and honest draws are left alone."""

import math
import random

import pytest

from papergate.diagnosis.sampling import Draw, Setting, alternatives, evidence, explains, outside

DECLARED = Setting(temperature=0.6, top_p=0.95)
ENTROPIC = {"a": 0.36, "b": 0.22, "c": 0.15, "d": 0.12, "e": 0.09, "f": 0.06}
TAILED = {"a": 0.62, "b": 0.3, "c": 0.05, "d": 0.03}
POSITIONS = [{token: math.log(p) for token, p in best.items()} for best in (ENTROPIC, TAILED)]
EACH = 100
LIMIT = 7 / 0.01
"""Seven alternatives, an error of 1 % together."""


def drawn(setting, seed):
    """A hundred draws at each of two positions."""
    rng, draws = random.Random(seed), []
    for best in POSITIONS:
        weights = [setting.probability(Draw(token=token, best=best)) for token in best]
        draws += [Draw(token=token, best=best) for token in rng.choices(list(best), weights, k=EACH)]
    return draws


def found(draws):
    return outside(draws, DECLARED) > 0 or max(evidence(draws, DECLARED).values()) >= LIMIT


@pytest.mark.parametrize("name", sorted(set(alternatives(DECLARED)) - {"top_p ignored"}))
def test_another_setting_is_found_in_two_hundred_draws(name):
    other = alternatives(DECLARED)[name]
    assert sum(found(drawn(other, seed)) for seed in range(100)) >= 95


def test_honest_draws_are_left_alone():
    assert sum(found(drawn(DECLARED, seed)) for seed in range(1000)) <= 17  # 10 expected at most


def test_tokens_outside_the_nucleus_are_found_where_there_are_any():
    tail = Setting(temperature=0.6, top_p=1.0)
    wide = [{token: math.log(p) for token, p in {"a": 0.7, "b": 0.13, "c": 0.09, "d": 0.08}.items()}]
    rng = random.Random(3)
    weights = [tail.probability(Draw(token=token, best=wide[0])) for token in wide[0]]
    draws = [Draw(token=token, best=wide[0]) for token in rng.choices(list(wide[0]), weights, k=100)]
    assert outside(draws, Setting(temperature=0.6, top_p=0.9)) > 0


def test_the_token_at_the_edge_of_the_nucleus_is_not_called_outside():
    best = {"a": math.log(0.9), "b": math.log(0.1)}
    shares = Setting(temperature=1.0, top_p=0.9)
    assert not shares.excludes(Draw(token="b", best=best))


def long_tailed(setting, seed, *, bias=0.0, size=400, told=20):
    """Two hundred draws of a vocabulary of which a server tells the best tokens alone; the third may be biased."""
    chances = {f"t{n}": 1 / (n + 1) ** 1.2 for n in range(size)}
    whole = {token: math.log(p / sum(chances.values())) for token, p in chances.items()}
    best = dict(list(whole.items())[:told])
    tilted = {token: p + bias * (token == "t2") for token, p in whole.items()}
    weights = [setting.probability(Draw(token=token, best=tilted)) for token in whole]
    tokens = random.Random(seed).choices(list(whole), weights, k=200)
    return [
        Draw(token=token, best=best)
        if token in best
        else Draw(token=token, best={**best, token: min(best.values())}, listed=False)
        for token in tokens
    ]


def test_a_hot_setting_is_known_by_the_tokens_that_are_told():
    hot = Setting(temperature=1.2, top_p=0.95)
    assert sum(explains(long_tailed(hot, seed), hot, alpha=0.01) for seed in range(20)) >= 17
    assert not any(explains(long_tailed(hot, seed, bias=3.0), hot, alpha=0.01) for seed in range(20))
    assert not any(explains(long_tailed(DECLARED, seed), hot, alpha=0.01) for seed in range(20))
