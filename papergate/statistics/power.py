"""How a gate ends, before a token is spent: chances of its verdicts by simulation, of a single run exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING

from papergate.statistics.allocation import ENOUGH_SAMPLES, FEWEST, Allocation
from papergate.statistics.looks import LOOKS
from papergate.statistics.panels import Panel, lose
from papergate.statistics.reference import PRINTED_STEP, Reference, ReferenceKind
from papergate.statistics.rule import Decision, Measured, Rule, conclude

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
    allocated: bool = True
    """Whether samples follow the rates of a golden run, where it tells them; else every problem gets the same."""
    resumed: float = 0.0
    """Chance that a decided gate is nonetheless resumed to the next look, whose verdict then replaces the first."""

    @classmethod
    def of(cls, rule: Rule, reference: Reference, *, looks: tuple[int, ...] = LOOKS) -> "Gate":
        """The gate of a promise."""
        samples = reference.samples if reference.counts is None else reference.counts.fewest
        return cls(rule=rule, reference=reference.kind, reference_samples=samples, looks=looks)

    @property
    def allocates(self) -> bool:
        """Whether problems get different numbers of samples."""
        known = self.reference is ReferenceKind.GOLDEN and (self.reference_samples or 0) >= ENOUGH_SAMPLES
        return self.allocated and known and not self.rule.above and len(self.looks) > 1


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
    """One reference per simulated gate: its score, its variance, and how it spreads the samples."""

    score: "Floats"
    fixed: "Floats"
    per_run: float
    """Its variance is ``fixed`` and so many times that of one run of the model."""
    shares: "Floats | None" = None
    """Shares of the problems, shape (gates, problems); None where all get the same."""

    def samples(self, k: int, rows: "Integers", problems: int) -> "Integers":
        """`Allocation.samples` of the gates in ``rows``."""
        import numpy as np

        if self.shares is None:
            return np.full((rows.size, problems), k)
        planned: Integers = np.maximum(np.floor(k * self.shares[rows] + 0.5), min(FEWEST, k)).astype(np.int64)
        return planned


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draws:
    """The samples of all gates, and what `dependence.variance_by_looks` needs of their looks.

    Each array has shape (gates, problems).
    """

    correct: "Integers"
    samples: "Integers"
    looks: "Integers"
    """That brought samples of the problem."""
    hits_squared: "Integers"
    """Sum of h^2 over the looks, each with h right of s samples."""
    hits_by_size: "Integers"
    """Sum of h s."""
    sizes_squared: "Integers"
    """Sum of s^2."""

    @classmethod
    def none(cls, gates: int, problems: int) -> "_Draws":
        """Nothing is drawn yet."""
        import numpy as np

        return cls(**{field.name: np.zeros((gates, problems), dtype=np.int64) for field in fields(cls)})

    def add(self, rows: "Integers", hits: "Integers", planned: "Integers") -> None:
        """Put down a look of the gates in ``rows``: ``hits`` more are right, and ``planned`` samples are there now."""
        sizes = planned - self.samples[rows]
        self.correct[rows] += hits
        self.samples[rows] = planned
        self.looks[rows] += sizes > 0
        self.hits_squared[rows] += hits**2
        self.hits_by_size[rows] += hits * sizes
        self.sizes_squared[rows] += sizes**2

    def variances_by_looks(self, rows: "Integers") -> "Floats":
        """`dependence.variance_by_looks` of the gates in ``rows``, of shape (rows,)."""
        import numpy as np

        columns = (self.correct, self.samples, self.hits_squared, self.hits_by_size, self.sizes_squared)
        c, k, hits_squared, hits_by_size, sizes_squared = (column[rows] for column in columns)
        own, _ = panel_variances(c, k)
        several, rate = self.looks[rows] > 1, c / k
        squares = hits_squared - 2 * rate * hits_by_size + rate**2 * sizes_squared
        by_looks = (several * squares / np.where(several, k**2 - sizes_squared, 1)).sum(axis=1)
        by_samples = (several * c * (k - c) / (np.maximum(k - 1, 1) * k**2)).sum(axis=1)
        shared = np.where(by_samples > 0, by_looks / np.where(by_samples > 0, by_samples, 1), 1)
        problems = k.shape[1]
        alone = (rate.sum(axis=1) + 0.5) / (problems + 1)
        alone *= (1 - alone) / problems
        found: Floats = np.where(several.any(axis=1), own * np.maximum(shared, 1), np.maximum(own, alone))
        return found


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
) -> tuple["Integers", "Floats"]:
    """Decisions (places in `DECISIONS`) and samples per problem of ``replicates`` gates, both of shape (replicates,).

    The reference is drawn anew for every gate from ``promised``; samples are drawn from ``actual``.
    """
    import numpy as np

    rng, problems = np.random.default_rng(seed), len(actual.rates)
    references = _draw_references(rng, gate, promised, replicates)
    drawn = _Draws.none(replicates, problems)
    ends, taken = np.zeros(replicates, dtype=np.int64), np.zeros(replicates)
    going = np.arange(replicates)
    for look in gate.looks:
        planned = references.samples(look, going, problems)
        drawn.add(going, rng.binomial(planned - drawn.samples[going], actual.rates), planned)
        taken[going] = planned.mean(axis=1)
        ends[going] = decide_many(drawn.correct[going], planned, references, going, gate.rule)
        if look != gate.looks[-1]:
            ends[_premature(drawn, references, going[ends[going] > 1], gate.rule)] = 0
        going = going[(ends[going] == 0) | (rng.random(going.size) < gate.resumed)]
    return ends, taken


def _premature(drawn: _Draws, references: _References, rows: "Integers", rule: Rule) -> "Integers":
    """Those of the gates in ``rows``, which fail, whose failure waits: `dependence.premature_failure`."""
    correct, samples = drawn.correct[rows], drawn.samples[rows]
    ends = decide_many(correct, samples, references, rows, rule, variance=drawn.variances_by_looks(rows))
    return rows[ends <= 1]


def decide_many(
    correct: "Integers",
    samples: "Integers",
    references: _References,
    rows: "Integers",
    rule: Rule,
    *,
    variance: "Floats | None" = None,
) -> "Integers":
    """What the rule decides of each result, whose score has ``variance`` where that is not its own.

    Both arrays have shape (gates, problems), ``rows`` are their references.
    """
    import numpy as np

    score = (correct / samples).mean(axis=1)
    own, run_variance = panel_variances(correct, samples)
    variance = own if variance is None else variance
    reference = references.score[rows]
    reference_variance = references.fixed[rows] + references.per_run * run_variance
    difference = score - reference
    tolerance = float(rule.tolerance) + ROUNDING_GUARD
    literal = difference > ROUNDING_GUARD if rule.above else np.abs(difference) <= tolerance
    admitted = literal if rule.two_sided else literal | (difference > ROUNDING_GUARD)
    minority = np.minimum(correct.sum(axis=1), (samples - correct).sum(axis=1))
    columns = (score, difference, -reference, 1 - reference, admitted, variance, reference_variance)
    counted = (samples.min(axis=1) * samples.shape[1], dissenting(correct, samples), minority)
    results = zip(*(column.tolist() for column in (*columns, *counted)), strict=True)
    return np.array([DECISIONS.index(conclude(Measured(*result), rule)) for result in results], dtype=np.int64)


def dissenting(correct: "Integers", samples: "Integers") -> "Floats":
    """`Counts.dissenting` of many results at once, of shape (gates,)."""
    import numpy as np

    single = samples == 1
    alone = np.minimum((correct * single).sum(axis=1), ((1 - correct) * single).sum(axis=1))
    count = np.minimum(correct, samples - correct) * ~single
    weight = (samples.min(axis=1)[:, None] / samples) ** 2.0
    first, second = (count * weight).sum(axis=1) + alone, (count * weight**2).sum(axis=1) + alone
    weighed: Floats = first**2 / np.where(second > 0, second, 1)
    return weighed


def panel_variances(correct: "Integers", samples: "Integers") -> tuple["Floats", "Floats"]:
    """`Counts.variance` and `Counts.run_variance` of many results at once, each of shape (gates,)."""
    import numpy as np

    problems, single = samples.shape[1], samples == 1
    noise = correct * (samples - correct) / (samples * np.maximum(samples - 1, 1))
    dissenting = np.where(single.all(axis=1), np.inf, np.where(single, np.iinfo(np.int64).max, samples).min(axis=1))
    alone = single.sum(axis=1)
    rate = ((correct * single).sum(axis=1) + 0.5) / (alone + 1)
    shared = alone * rate * (1 - rate)
    variance: Floats = ((noise / samples).sum(axis=1) + dissenting**-2.0 + shared) / problems**2
    run_variance: Floats = (noise.sum(axis=1) + 1 / dissenting + shared) / problems**2
    return variance, run_variance


def _draw_references(rng: "np.random.Generator", gate: Gate, panel: Panel, replicates: int) -> _References:
    import numpy as np

    nothing, k = np.zeros(replicates), gate.reference_samples
    if k is None:
        return _References(score=nothing + panel.mean, fixed=nothing, per_run=0.0)
    counts = rng.binomial(k, panel.rates, size=(replicates, len(panel.rates)))
    score = counts.mean(axis=1) / k
    if gate.reference is ReferenceKind.GOLDEN:
        fixed, _ = panel_variances(counts, np.full_like(counts, k))
        shares = [Allocation.neyman(row).shares for row in (counts / k).tolist()] if gate.allocates else None
        return _References(score=score, fixed=fixed, per_run=0.0, shares=None if shares is None else np.array(shares))
    step = float(PRINTED_STEP)
    printed = np.round(score / step) * step
    if gate.reference is ReferenceKind.EXACT:
        return _References(score=printed, fixed=nothing, per_run=0.0)
    return _References(score=printed, fixed=nothing + step**2 / 12, per_run=1 / k)


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
