"""How a gate ends, before a token is spent: chances of its verdicts by simulation, of a single run exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from papergate.statistics.intervals import all_correct_lower_bound, design_information, mixture_variance
from papergate.statistics.looks import LOOKS
from papergate.statistics.panels import Panel, lose
from papergate.statistics.reference import PRINTED_STEP, Reference, ReferenceKind
from papergate.statistics.rule import Decision, Rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

REPLICATES = 2000
"""Simulated gates per table row: chances are off by at most 1.1 points (one standard error)."""
SEED = 6
ROUNDING_GUARD = 1e-12
"""More than a difference in floats is off, less than any step of a score."""
DECISIONS = (Decision.INCONCLUSIVE, Decision.PASS, Decision.FAIL_LOW, Decision.FAIL_HIGH)
"""A simulated decision is its place in this tuple."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """A rule, the kind of reference it holds a score against, and when it looks."""

    rule: Rule
    reference: ReferenceKind
    reference_samples: int | None = None
    """Samples per problem of the golden run, or behind the printed score: every simulated gate draws it anew.

    None: the printed score is the truth. With an exact reference the draw is held for the truth by the rule.
    """
    looks: tuple[int, ...] = LOOKS
    resumed: float = 0.0
    """Chance that a decided gate is nonetheless resumed to the next look, whose verdict then replaces the first."""

    @classmethod
    def of(cls, rule: Rule, reference: Reference, *, looks: tuple[int, ...] = LOOKS) -> "Gate":
        """The gate of a promise."""
        samples = reference.samples if reference.counts is None else reference.counts.fewest
        return cls(rule=rule, reference=reference.kind, reference_samples=samples, looks=looks)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """How a gate ends for a deployment that lost ``loss`` of its score: chances, and samples per problem on average."""

    loss: Fraction
    passes: float
    fails_low: float
    fails_high: float
    inconclusive: float
    samples: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _References:
    """One reference per simulated gate: its score, and its variance as ``fixed + per_run`` times that of one run."""

    score: "Floats"
    fixed: "Floats"
    per_run: float

    def at(self, rows: "Integers") -> "_References":
        return _References(score=self.score[rows], fixed=self.fixed[rows], per_run=self.per_run)


def outlook(
    gate: Gate,
    panel: Panel,
    loss: Fraction = Fraction(0),
    *,
    promised: Panel | None = None,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> Outlook:
    """Simulate ``gate`` on a deployment that lost ``loss`` on ``panel``.

    The reference stems from ``promised``, by default the intact panel.
    """
    actual = lose(panel, float(loss))
    ends, samples = simulate_gate(gate, promised or panel, actual, replicates=replicates, seed=seed)
    inconclusive, passes, low, high = ((ends == code).mean() for code in range(len(DECISIONS)))
    return Outlook(
        loss=loss,
        passes=float(passes),
        fails_low=float(low),
        fails_high=float(high),
        inconclusive=float(inconclusive),
        samples=float(samples.mean()),
    )


def simulate_gate(
    gate: Gate, promised: Panel, actual: Panel, *, replicates: int, seed: int
) -> tuple["Integers", "Integers"]:
    """Decisions (places in `DECISIONS`) and samples per problem of ``replicates`` gates, both of shape (replicates,).

    The reference is drawn anew for every gate from ``promised``; samples are drawn from ``actual``.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    references = _draw_references(rng, gate, promised, replicates)
    correct = np.zeros((replicates, len(actual.rates)), dtype=np.int64)
    ends, samples = np.zeros(replicates, dtype=np.int64), np.zeros(replicates, dtype=np.int64)
    going, k = np.arange(replicates), 0
    for look in gate.looks:
        correct[going] += rng.binomial(look - k, actual.rates, size=(going.size, len(actual.rates)))
        k = look
        ends[going], samples[going] = decide_many(correct[going], k, references.at(going), gate.rule), k
        going = going[(ends[going] == 0) | (rng.random(going.size) < gate.resumed)]
    return ends, samples


def decide_many(correct: "Integers", k: int, references: _References, rule: Rule) -> "Integers":
    """`rule.decide` for many results at once; ``correct`` has shape (gates, problems), every problem ``k`` samples."""
    import numpy as np

    score, variance = correct.mean(axis=1) / k, panel_variance(correct, k)
    difference = score - references.score
    total = variance + references.fixed + references.per_run * k * variance
    radius = _radius(1 / total, rule)
    lo, hi = np.maximum(difference - radius, -references.score), np.minimum(difference + radius, 1 - references.score)
    bound = all_correct_lower_bound(correct.shape[1] * k, float(rule.alpha))
    lo = np.where(score == 1, np.minimum(lo, bound - references.score), lo)
    hi = np.where(score == 0, np.maximum(hi, 1 - bound - references.score), hi)
    return _decisions(difference, lo, hi, rule)


def panel_variance(correct: "Integers", k: int) -> "Floats":
    """`Counts.variance` for many results of ``k`` samples at once; shape (gates,)."""
    problems = correct.shape[1]
    if k == 1:
        rate = (correct.sum(axis=1) + 0.5) / (problems + 1)
        single: Floats = rate * (1 - rate) / problems
        return single
    variance: Floats = ((correct * (k - correct)).sum(axis=1) / (k * (k - 1)) + 1 / k) / (problems**2 * k)
    return variance


def _draw_references(rng: "np.random.Generator", gate: Gate, panel: Panel, replicates: int) -> _References:
    import numpy as np

    nothing, k = np.zeros(replicates), gate.reference_samples
    if k is None:
        return _References(score=nothing + panel.mean, fixed=nothing, per_run=0.0)
    counts = rng.binomial(k, panel.rates, size=(replicates, len(panel.rates)))
    score = counts.mean(axis=1) / k
    if gate.reference is ReferenceKind.GOLDEN:
        return _References(score=score, fixed=panel_variance(counts, k), per_run=0.0)
    step = float(PRINTED_STEP)
    printed = np.round(score / step) * step
    if gate.reference is ReferenceKind.EXACT:
        return _References(score=printed, fixed=nothing, per_run=0.0)
    return _References(score=printed, fixed=nothing + step**2 / 12, per_run=1 / k)


def _radius(information: "Floats", rule: Rule) -> "Floats":
    """`anytime_radius` for many at once."""
    import numpy as np

    alpha = float(rule.alpha)
    scaled = information * mixture_variance(design_information(float(rule.margin), alpha), alpha)
    radius: Floats = np.sqrt((1 + 1 / scaled) * (np.log1p(scaled) - 2 * np.log(2 * alpha)) / information)
    return radius


def _decisions(difference: "Floats", lo: "Floats", hi: "Floats", rule: Rule) -> "Integers":
    import numpy as np

    margin, tolerance = float(rule.margin), float(rule.tolerance) + ROUNDING_GUARD
    literal = difference > ROUNDING_GUARD if rule.above else np.abs(difference) <= tolerance
    admitted = literal if rule.two_sided else literal | (difference > ROUNDING_GUARD)
    proven = lo > 0 if rule.above else (lo > -margin) & ((hi < margin) | (not rule.two_sided))
    passes, low, high = (
        admitted & proven,
        ~admitted & (difference <= 0) & (hi < 0),
        ~admitted & (difference > 0) & (lo > 0),
    )
    return np.select([passes, low, high], [1, 2, 3], default=0)


def accepted_counts(*, samples: int, promised: Fraction, rule: Rule) -> tuple[int, ...]:
    """Counts of correct samples, out of ``samples`` in all, that the literal assert accepts."""
    return tuple(c for c in range(samples + 1) if rule.admits(Fraction(c, samples) - promised))


def pass_probability(rates: Sequence[float], *, k: int, promised: Fraction, rule: Rule) -> float:
    """Chance that the literal assert holds after ``k`` samples of each problem; exact but for float rounding.

    The number of correct samples is a sum of binomials, one per problem, so its distribution is their convolution.
    """
    import numpy as np

    chances = np.ones(1)
    for rate in rates:
        one = np.ones(1)
        for _ in range(k):
            one = np.convolve(one, (1 - rate, rate))
        chances = np.convolve(chances, one)
    accepted = list(accepted_counts(samples=len(rates) * k, promised=promised, rule=rule))
    return float(chances[accepted].sum())
