"""The rule of a promise, and what a result decides under it."""

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from papergate.errors import PromiseError
from papergate.promises.tolerance import Tolerance
from papergate.run_folder.notes import note
from papergate.statistics.counts import Counts
from papergate.statistics.intervals import (
    BISECTIONS_OF_A_RATE,
    all_correct_lower_bound,
    anytime_p_value,
    anytime_radius,
    design_information,
    exact_lower_bound,
    information_needed,
    log_evidence_above,
    z_value,
)
from papergate.statistics.reference import Reference
from papergate.words import worded

ALPHA = Fraction(1, 20)
"""Error rate of each wrong verdict: failing a perfect deployment low, failing it high, passing one past the margin."""
LEAST_ALPHA, MOST_ALPHA = Fraction(1, 10**12), Fraction(499, 1000)
"""Nearer to 0 or to one half, floating-point numbers no longer tell alpha from them."""
GAIN_MARGIN = Fraction(1, 20)
"""A gain of 5 points is what the interval of a gain is planned for; it is valid for any other."""
SINGLE_RUN_SHARE = Fraction(2, 5)
"""Share of the binomial variance that lies within problems (measured: 0.375 on AIME, 0.415 on MATH-500). It plans
further samples where one sample per problem cannot show it."""
FEW_DISSENTING = 20
"""So many samples must disagree with the rest of their problem before the normal interval decides alone: on fewer its
variance is too uncertain. With 10 in place of 20, runs at the margin pass in up to 3.5 %; with 20 in up to 2.6 %."""


class Decision(StrEnum):
    """What the evidence decides."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    FAIL_LOW = "FAIL_LOW"
    FAIL_HIGH = "FAIL_HIGH"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How far a score may lie from its reference, and how sure the verdict must be. Fractions of 1."""

    tolerance: Fraction
    delta: Fraction
    """How far beyond the tolerance the interval of a passing score may reach."""
    alpha: Fraction = ALPHA
    two_sided: bool = True
    """False: a score above the reference never fails."""
    above: bool = False
    """True: the score has to exceed the reference, which is that of another model (a gain)."""
    words: str = ""
    """The tolerance as the user wrote it, for messages."""

    def __post_init__(self) -> None:
        """Refuse a rule that cannot decide anything."""
        if not (0 <= self.tolerance < 1 and 0 <= self.delta < 1):
            raise worded(
                PromiseError, note("rule_out_of_range", tolerance=float(self.tolerance), delta=float(self.delta))
            )
        if self.margin == 0:
            raise worded(PromiseError, note("rule_without_margin"))
        if not LEAST_ALPHA <= self.alpha <= MOST_ALPHA:
            raise PromiseError(
                f"alpha is {float(self.alpha):g}; an error rate lies above 0 and below 0.5, "
                f"and is computed from {float(LEAST_ALPHA):g} to {float(MOST_ALPHA):g}"
            )

    @classmethod
    def within(cls, tolerance: Tolerance, *, problems: int, alpha: Fraction = ALPHA, two_sided: bool = True) -> "Rule":
        """The rule for a tolerance in the user's words: delta is half of it in problems, all of it in points.

        One problem of few is a coarse tolerance, so little is added to it; half a point of many problems is a fine one.
        """
        allowed = tolerance.fraction(problems)
        delta = allowed / 2 if tolerance.unit == "problem" else allowed
        return cls(tolerance=allowed, delta=delta, alpha=alpha, two_sided=two_sided, words=tolerance.text)

    @classmethod
    def gain(cls, *, alpha: Fraction = ALPHA) -> "Rule":
        """The rule of a gain: the score exceeds the reference."""
        return cls(tolerance=Fraction(0), delta=GAIN_MARGIN, alpha=alpha, two_sided=False, above=True)

    @property
    def margin(self) -> Fraction:
        """Where a pass is excluded: tolerance and delta together."""
        return self.tolerance + self.delta

    def holds(self, difference: Fraction) -> bool:
        """The literal assert, in exact arithmetic."""
        return difference > 0 if self.above else abs(difference) <= self.tolerance

    def admits(self, difference: Fraction) -> bool:
        """The literal assert as far as this rule's sides go: one-sided, no score is too high."""
        return self.holds(difference) or (not self.two_sided and difference > 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The difference from the reference, its errors and its interval. Fractions of 1."""

    difference: Fraction
    se_measured: float
    se_reference: float
    radius: float
    """Half-width of the interval before it is clipped to what a score can be; near the ends, where both sides differ,
    that of the normal one."""
    lo: float
    hi: float
    p_value: float
    """Smallest error rate of one side at which the interval excludes zero, at all looks together; at most 1/2."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the interval needs of a result. Scores and variances are fractions of 1."""

    score: float
    difference: float
    """From the reference."""
    least: float
    most: float
    """Ends of what the difference can be: that of a score of 0, and that of a score of 1."""
    admitted: bool
    """Whether the literal assert holds, as far as the rule's sides go, in exact arithmetic."""
    variance: float
    reference_variance: float
    samples: int
    """Of all problems together, each counted with the samples of the problem that has fewest."""
    dissenting: float
    """See `Counts.dissenting`."""
    minority: int
    """See `Counts.minority`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """Where the true difference lies, at all looks together."""

    radius: float
    lo: float
    hi: float
    p_value: float


def weigh(counts: Counts, reference: Reference, rule: Rule, *, variance: float | None = None) -> Evidence:
    """What ``counts`` say of the difference from ``reference``; ``variance`` of the score, where it is not theirs.

    Raises:
        StoreError: the golden run asked other problems.
    """
    reference.refuse_other_problems(counts)
    difference = counts.score - reference.score
    measured = Measured(
        score=float(counts.score),
        difference=float(difference),
        least=-float(reference.score),
        most=float(1 - reference.score),
        admitted=rule.admits(difference),
        variance=float(counts.variance) if variance is None else variance,
        reference_variance=float(reference.variance(counts.run_variance)),
        samples=counts.n * counts.fewest,
        dissenting=counts.dissenting,
        minority=counts.minority,
    )
    found = interval(measured, rule)
    return Evidence(
        difference=difference,
        se_measured=math.sqrt(measured.variance),
        se_reference=math.sqrt(measured.reference_variance),
        radius=found.radius,
        lo=found.lo,
        hi=found.hi,
        p_value=found.p_value,
    )


def interval(measured: Measured, rule: Rule) -> Interval:
    """The normal mixture's interval, widened where it would decide although its variance rests on few samples.

    Near the ends of the scale, where the score itself is a count of few, by the exact sequence. Elsewhere a pass is
    doubtful where few samples disagree within their problems: the noise that a lost share of every problem would
    bring has not been seen, so it is added.
    """
    found = _normal(measured, rule)
    decision = _decision(found, measured.difference, rule, admitted=measured.admitted)
    if decision is Decision.INCONCLUSIVE:
        return found
    if measured.minority < FEW_DISSENTING:
        return _exact(found, measured, float(rule.alpha))
    if decision is Decision.PASS and measured.dissenting < FEW_DISSENTING:
        return _with_unseen_noise(found, measured, rule)
    return found


def conclude(measured: Measured, rule: Rule) -> Decision:
    """What ``measured`` decides: `weigh` and `decide` on numbers alone, for those who simulate many results."""
    return _decision(interval(measured, rule), measured.difference, rule, admitted=measured.admitted)


def decide(evidence: Evidence, rule: Rule) -> Decision:
    """PASS only where the literal assert holds, FAIL only where it does not, and both only when the interval agrees."""
    return _decision(evidence, evidence.difference, rule, admitted=rule.admits(evidence.difference))


def _normal(measured: Measured, rule: Rule) -> Interval:
    """The normal mixture's, no tighter than the bound of one look at a run in which all or none are correct."""
    difference, alpha = measured.difference, float(rule.alpha)
    information = 1 / (measured.variance + measured.reference_variance)
    design = design_information(float(rule.margin), alpha)
    radius = anytime_radius(information, design, alpha)
    lo, hi = difference - radius, difference + radius
    if measured.score == 1:
        lo = min(lo, all_correct_lower_bound(measured.samples, alpha) + measured.least)
    if measured.score == 0:
        hi = max(hi, 1 - all_correct_lower_bound(measured.samples, alpha) + measured.least)
    p_value = anytime_p_value(difference, information, design, alpha)
    return _clipped(measured, radius=radius, lo=lo, hi=hi, p_value=p_value)


def _exact(found: Interval, measured: Measured, alpha: float) -> Interval:
    """The interval, no tighter than the exact sequence; the reference's error is squared and added (Newcombe, 1998)."""
    score, samples, difference = measured.score, measured.samples, measured.difference
    share = found.radius**2 * measured.reference_variance / (measured.variance + measured.reference_variance)
    below = score - exact_lower_bound(score * samples, samples, alpha)
    above = 1 - score - exact_lower_bound((1 - score) * samples, samples, alpha)
    side = score if difference > 0 else 1 - score
    evidence = log_evidence_above(side * samples, samples, side - math.sqrt(max(difference**2 - share, 0)))
    return _clipped(
        measured,
        radius=found.radius,
        lo=min(found.lo, difference - math.sqrt(below**2 + share)),
        hi=max(found.hi, difference + math.sqrt(above**2 + share)),
        p_value=max(found.p_value, min(0.5, math.exp(-evidence))),
    )


def _with_unseen_noise(found: Interval, measured: Measured, rule: Rule) -> Interval:
    """The interval whose end g counts the noise of a loss of g, at most g (1-g) a sample more.

    Most noise comes of a loss that takes a share of every problem. As in Wilson's interval (1927), the noise is taken
    where the end lies, not where the score does.
    """
    alpha = float(rule.alpha)
    design, seen = design_information(float(rule.margin), alpha), measured.variance + measured.reference_variance
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS_OF_A_RATE):
        gap = (low + high) / 2
        if anytime_radius(1 / (seen + gap * (1 - gap) / measured.samples), design, alpha) > gap:
            low = gap
        else:
            high = gap
    difference, p_value = measured.difference, found.p_value
    return _clipped(measured, radius=high, lo=difference - high, hi=difference + high, p_value=p_value)


def _clipped(measured: Measured, *, radius: float, lo: float, hi: float, p_value: float) -> Interval:
    return Interval(radius=radius, lo=max(lo, measured.least), hi=min(hi, measured.most), p_value=p_value)


def _decision(found: Interval | Evidence, difference: Fraction | float, rule: Rule, *, admitted: bool) -> Decision:
    if admitted:
        return Decision.PASS if _proves_pass(found, rule) else Decision.INCONCLUSIVE
    if difference <= 0 and found.hi < 0:
        return Decision.FAIL_LOW
    if difference > 0 and found.lo > 0:
        return Decision.FAIL_HIGH
    return Decision.INCONCLUSIVE


def _proves_pass(found: Interval | Evidence, rule: Rule) -> bool:
    if rule.above:
        return found.lo > 0
    margin = float(rule.margin)
    return found.lo > -margin and (found.hi < margin or not rule.two_sided)


def runs_needed(counts: Counts, reference: Reference, rule: Rule) -> int | None:
    """Samples per problem, on average, at which a difference like the one seen would be decided; an estimate.

    An observed difference overstates the true one on average, so the figure is rather too small for a failure and too
    large for a pass. None where the reference's own error is too large for any number of samples, or the score lies
    where none decides.
    """
    run_variance = _planning_variance(counts, reference)
    alpha = float(rule.alpha)
    gap = _gap(counts.score - reference.score, rule)
    needed = information_needed(float(gap), design_information(float(rule.margin), alpha), alpha)
    unequal = counts.variance * counts.average if counts.fewest < counts.most else run_variance
    return _samples_for(needed, float(reference.variance(run_variance)), unequal)


def confirming_samples(counts: Counts, reference: Reference, rule: Rule) -> int | None:
    """Samples of every problem at which one look confirms a failure: both its errors are at most alpha.

    A perfect deployment then keeps the literal assert, one that lost the margin breaks it and is told from the
    reference, each with a chance of at least 1 - alpha. None where no number of samples does that.
    """
    alpha, nearest = float(rule.alpha), float(min(rule.tolerance, rule.delta))
    if rule.above or not nearest:
        return None
    design, z = design_information(float(rule.margin), alpha), z_value(1 - alpha)
    needed = max((z / nearest) ** 2, information_needed(float(rule.margin), design, alpha, spread=z))
    run_variance = _planning_variance(counts, reference)
    return _samples_for(needed, float(reference.variance(run_variance)), run_variance)


def _samples_for(information: float, reference_variance: float, run_variance: Fraction) -> int | None:
    """Samples of a problem that give so much information; None where the reference's own error forbids it."""
    room = 1 / information - reference_variance
    return math.ceil(float(run_variance) / room) if room > 0 else None


def _gap(difference: Fraction, rule: Rule) -> Fraction:
    """How far the interval may reach before it touches what it has to exclude."""
    if rule.above or not rule.admits(difference):
        return abs(difference)
    return rule.margin - abs(difference) if rule.two_sided else rule.margin + difference


def _planning_variance(counts: Counts, reference: Reference) -> Fraction:
    """Variance of one run; with one sample per problem that of the golden run, else the usual share of the binomial."""
    if counts.most > 1:
        return counts.run_variance
    if reference.counts is not None:
        return reference.counts.run_variance
    return counts.run_variance * SINGLE_RUN_SHARE
