"""Are the sampling parameters in effect: tokens that were drawn, held against the distribution they should come from.

A server that gives log-probabilities states its own distribution at every token. From it follows how tokens must be
drawn at a temperature and a top_p, and at others. Each other setting is an alternative: the product of its likelihood
ratios to the declared setting is an e-value. It exceeds 1 / alpha in at most a share alpha of honest runs, however many
tokens are looked at.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log

OUTSIDE = 0.005
"""A token is outside the nucleus when the nucleus is full without it by this much: rounding moves its edge by less."""
FLOOR = 1e-6
"""Probability of a token under a setting that excludes it; keeps a ratio finite where rounding moved an edge."""
GREEDY = 1e-3
"""A temperature at which the best token is always drawn."""
ONE_DRAW = "every draw the same"
OTHER_DISTRIBUTION = "another distribution"
"""Of draws that none of the `alternatives` explains."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One token that was drawn, with the best tokens and their log-probabilities before temperature and top_p."""

    token: str
    best: Mapping[str, float]
    """Natural logarithms, of 20 tokens or as many as the server gives; the drawn one is among them or added."""
    listed: bool = True
    """False where it was added."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """How tokens are drawn."""

    temperature: float
    top_p: float

    def chances(self, best: Mapping[str, float]) -> dict[str, float]:
        """The chance of each token that this setting admits; temperature first, then the nucleus."""
        kept = _nucleus(_scaled(best, self.temperature), self.top_p)
        whole = sum(kept.values())
        return {token: p / whole for token, p in kept.items()}

    def probability(self, draw: Draw) -> float:
        """The chance of the drawn token."""
        return self.chances(draw.best).get(draw.token, 0.0)

    def excludes(self, draw: Draw) -> bool:
        """Whether the token is outside the nucleus, by more than rounding."""
        scaled = _scaled(draw.best, self.temperature)
        better = sum(p for token, p in scaled.items() if p > scaled[draw.token])
        return better > self.top_p + OUTSIDE


def alternatives(declared: Setting) -> dict[str, Setting]:
    """Settings that servers use in place of the declared one, by what went wrong."""
    temperature, top_p = declared.temperature, declared.top_p
    found = {
        ONE_DRAW: Setting(temperature=GREEDY, top_p=top_p),
        "temperature 1.0": Setting(temperature=1.0, top_p=top_p),
        "temperature halved": Setting(temperature=temperature / 2, top_p=top_p),
        "temperature doubled": Setting(temperature=2 * temperature, top_p=top_p),
        "temperature applied twice": Setting(temperature=temperature**2, top_p=top_p),
        "top_p ignored": Setting(temperature=temperature, top_p=1.0),
        "temperature 1.0 and top_p ignored": Setting(temperature=1.0, top_p=1.0),
    }
    return {name: setting for name, setting in found.items() if setting != declared and setting.temperature > 0}


def evidence(draws: Sequence[Draw], declared: Setting) -> dict[str, float]:
    """The e-value of every alternative: how much better it explains ``draws`` than the declared setting.

    Compare each with the number of alternatives over the error that is allowed.
    """
    counted = _counted(draws)
    return {name: _e_value(counted, declared, other) for name, other in alternatives(declared).items()}


def outside(draws: Sequence[Draw], declared: Setting) -> int:
    """How many tokens the declared nucleus excludes; an honest server draws none."""
    return sum(count for draw, count in _counted(draws) if declared.excludes(draw))


def explains(draws: Sequence[Draw], setting: Setting, *, alpha: float) -> bool:
    """Whether the draws fit a setting.

    Only those are looked at that are listed and inside its nucleus: a server does not tell how likely others are, and
    at a high temperature they are many. More than half must be inside.
    """
    inside = [draw for draw in draws if draw.listed and setting.probability(draw)]
    return 2 * len(inside) > len(draws) and misfit(inside, setting) > alpha


def is_one_draw(draws: Sequence[Draw]) -> bool:
    """Whether each place gave one token alone, the best or another."""
    return all(len(tokens) == 1 for tokens in _seen(draws).values())


def divergence(best: Mapping[str, float], declared: Setting, other: Setting) -> float:
    """Evidence that one draw here gives for ``other`` where it is true: KL(other, declared), in nats."""
    stated = declared.chances(best)
    return sum(p * log(p / max(stated.get(token, 0.0), FLOOR)) for token, p in other.chances(best).items() if p)


def near_edge(best: Mapping[str, float], setting: Setting) -> bool:
    """Whether rounding may move the edge of the nucleus over a token: such a place tells nothing of top_p."""
    reached = 0.0
    for p in _scaled(best, setting.temperature).values():
        reached += p
        if abs(reached - setting.top_p) < OUTSIDE:
            return True
    return False


def misfit(draws: Sequence[Draw], declared: Setting, *, simulations: int = 1000, seed: int = 0) -> float:
    """The p-value of Pearson's chi-square of the draws against the declared setting, simulated.

    Args:
        draws: Tokens drawn at a few places, each place with one ``best``.
        declared: How they should be drawn.
        simulations: Draws of the same size under the declared setting.
        seed: Of the simulation.
    """
    rng = random.Random(seed)  # noqa: S311 - a simulation
    places = {tuple(draw.best): draw.best for draw in draws}
    tables = [_expected(best, declared) for best in places.values()]
    seen = _seen(draws).values()
    observed = sum(map(_chi_square, seen, tables))
    sizes = [counts.total() for counts in seen]
    simulated = (
        sum(
            _chi_square(Counter(rng.choices(list(table), list(table.values()), k=size)), table)
            for table, size in zip(tables, sizes, strict=True)
        )
        for _ in range(simulations)
    )
    return (1 + sum(value >= observed for value in simulated)) / (1 + simulations)


def _seen(draws: Sequence[Draw]) -> dict[tuple[str, ...], Counter[str]]:
    """How often each token was drawn, by place."""
    seen: dict[tuple[str, ...], Counter[str]] = {tuple(draw.best): Counter() for draw in draws}
    for draw in draws:
        seen[tuple(draw.best)][draw.token] += 1
    return seen


def _expected(best: Mapping[str, float], declared: Setting) -> dict[str, float]:
    """Probabilities of the tokens that the setting admits, in the order of ``best``."""
    chances = declared.chances(best)
    return {token: chances[token] for token in best if chances.get(token)}


def _chi_square(counts: Counter[str], table: Mapping[str, float]) -> float:
    """Over the cells of at least 2 %; the rest, and what the table does not have, is one cell."""
    size = counts.total()
    large = {token: p for token, p in table.items() if p >= SMALLEST_CELL}
    rest = max(1 - sum(large.values()), SMALLEST_CELL / 2)
    others = size - sum(counts[token] for token in large)
    cells = [(counts[token], p) for token, p in large.items()] + [(others, rest)]
    return sum((count - size * p) ** 2 / (size * p) for count, p in cells)


SMALLEST_CELL = 0.02


def _counted(draws: Sequence[Draw]) -> list[tuple[Draw, int]]:
    """Each kind of draw once, with how often it came: the same place is drawn from many times."""
    counts = Counter((draw.token, tuple(draw.best.items())) for draw in draws)
    return [(Draw(token=token, best=dict(best)), count) for (token, best), count in counts.items()]


def _e_value(counted: Sequence[tuple[Draw, int]], declared: Setting, other: Setting) -> float:
    ratio = sum(
        count * (log(max(other.probability(draw), FLOOR)) - log(max(declared.probability(draw), FLOOR)))
        for draw, count in counted
    )
    return exp(ratio) if ratio < MOST_EVIDENCE else inf


MOST_EVIDENCE = 700.0
"""Natural logarithm; beyond it a float overflows."""


def _scaled(best: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Probabilities after temperature, the best first. What is beyond the listed tokens is left out."""
    top = max(best.values())
    weights = {token: exp((value - top) / temperature) for token, value in best.items()}
    whole = sum(weights.values())
    return {token: weights[token] / whole for token in sorted(weights, key=lambda token: -weights[token])}


def _nucleus(scaled: Mapping[str, float], top_p: float) -> dict[str, float]:
    """The fewest of the best tokens that reach ``top_p`` together."""
    kept: dict[str, float] = {}
    reached = 0.0
    for token, p in scaled.items():
        if reached >= top_p:
            break
        kept[token] = p
        reached += p
    return kept
