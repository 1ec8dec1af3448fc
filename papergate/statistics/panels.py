"""Panels of problems to plan on: how likely each problem is solved on one draw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from papergate.statistics.allocation import ENOUGH_SAMPLES
from papergate.statistics.counts import Counts
from papergate.statistics.rule import SINGLE_RUN_SHARE

DRAWS = 400
"""Draws of the Beta distribution behind each problem of a panel, sorted, so that the panel is its quantiles."""
PANEL_SEED = 2024
NEARLY_CERTAIN = 1e-9
"""Rates of a Beta panel keep this distance from 0 and 1, so that a loss can move them."""
STEEPEST_SHIFT = 60.0
"""Ends of the search for a shift in logits; beyond this every rate is 0 or 1 in floating point."""
SHIFT_BISECTIONS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """The rate of each problem."""

    rates: tuple[float, ...]
    golden_samples: int | None = None
    """Samples per problem of the golden run whose rates these are; None of rates that are Beta-distributed."""

    @property
    def mean(self) -> float:
        """Score expected on this panel."""
        return math.fsum(self.rates) / len(self.rates)

    @property
    def run_sd(self) -> float:
        """Standard deviation of the score of one run, every problem asked once."""
        return math.sqrt(math.fsum(rate * (1 - rate) for rate in self.rates)) / len(self.rates)


def beta_panel(mean: float, *, problems: int, within_share: Fraction = SINGLE_RUN_SHARE) -> Panel:
    """A panel of Beta-distributed rates in which a fixed share of the binomial variance lies within problems.

    With E[p(1-p)] = r mu (1-mu) the parameters sum to r/(1-r). The rates are quantiles of seeded draws, shifted by one
    logit to the exact mean.
    """
    import numpy as np

    size = float(within_share / (1 - within_share))
    inner = min(max(mean, NEARLY_CERTAIN), 1 - NEARLY_CERTAIN)
    draws = np.sort(np.random.default_rng(PANEL_SEED).beta(size * inner, size * (1 - inner), problems * DRAWS))
    rates = np.clip(draws.reshape(problems, DRAWS)[:, DRAWS // 2], NEARLY_CERTAIN, 1 - NEARLY_CERTAIN)
    return Panel(rates=shifted(rates.tolist(), inner))


def golden_panel(counts: Counts) -> Panel:
    """The rates of a golden run; with few samples per problem a Beta panel of its score instead."""
    if counts.fewest < ENOUGH_SAMPLES:
        return beta_panel(float(counts.score), problems=counts.n)
    rates = tuple(c / k for c, k in zip(counts.correct, counts.samples, strict=True))
    return Panel(rates=rates, golden_samples=counts.fewest)


def lose(panel: Panel, loss: float) -> Panel:
    """The panel of a deployment that lost ``loss`` of its score, by one shift in logits common to all problems.

    Where that cannot lose so much, because problems are certain, all rates shrink by one factor for the rest.
    """
    if loss == 0:
        return panel
    wanted = max(panel.mean - loss, 0.0)
    damaged = replace(panel, rates=shifted(panel.rates, wanted))
    excess = wanted / damaged.mean if damaged.mean else 1.0
    return replace(damaged, rates=tuple(min(1.0, rate * excess) for rate in damaged.rates))


def shifted(rates: Sequence[float], mean: float) -> tuple[float, ...]:
    """``rates`` with one shift in logits that brings their mean to ``mean``; rates of 0 and 1 cannot move."""
    import numpy as np

    odds = np.array(rates)
    fixed, free = odds[(odds <= 0) | (odds >= 1)], (odds > 0) & (odds < 1)
    logits = np.log(odds[free]) - np.log1p(-odds[free])
    wanted = mean * len(rates) - fixed.sum()
    low, high = -STEEPEST_SHIFT, STEEPEST_SHIFT
    for _ in range(SHIFT_BISECTIONS):
        shift = (low + high) / 2
        low, high = (shift, high) if (1 / (1 + np.exp(-logits - shift))).sum() < wanted else (low, shift)
    odds[free] = 1 / (1 + np.exp(-logits - shift))
    return tuple(odds.tolist())
