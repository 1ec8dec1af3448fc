"""The rule of a promise, and what a result decides under it."""

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from papergate.errors import PromiseError
from papergate.promises.tolerance import Tolerance
from papergate.statistics.counts import Counts
from papergate.statistics.intervals import (
    all_correct_lower_bound,
    anytime_p_value,
    anytime_radius,
    design_information,
    information_needed,
)
from papergate.statistics.reference import Reference

ALPHA = Fraction(1, 20)
"""Error rate of each wrong verdict: failing a perfect deployment low, failing it high, passing one past the margin."""
GAIN_MARGIN = Fraction(1, 20)
"""A gain of 5 points is what the interval of a gain is planned for; it is valid for any other."""
SINGLE_RUN_SHARE = Fraction(2, 5)
"""Share of the binomial variance that lies within problems (measured: 0.375 on AIME, 0.415 on MATH-500). It plans
further samples where one sample per problem cannot show it."""


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
            raise PromiseError(
                f"tolerance is {float(self.tolerance):g} and delta {float(self.delta):g} of a whole score; "
                "each is at least 0 and below 1"
            )
        if self.margin == 0:
            raise PromiseError(
                "tolerance and delta are both 0, which no number of samples can prove; give a delta above 0"
            )
        if not 0 < self.alpha < Fraction(1, 2):
            raise PromiseError(f"alpha is {float(self.alpha):g}; an error rate lies above 0 and below 0.5")

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
    """Half-width of the interval before it is clipped to what a score can be."""
    lo: float
    hi: float
    p_value: float
    """Smallest error rate of one side at which the interval excludes zero, at all looks together; at most 1/2."""


def weigh(counts: Counts, reference: Reference, rule: Rule) -> Evidence:
    """What ``counts`` say of the difference from ``reference``.

    Raises:
        StoreError: the golden run asked other problems.
    """
    reference.refuse_other_problems(counts)
    difference = counts.score - reference.score
    reference_variance = reference.variance(counts.run_variance)
    information = float(1 / (counts.variance + reference_variance))
    alpha = float(rule.alpha)
    design = design_information(float(rule.margin), alpha)
    radius = anytime_radius(information, design, alpha)
    lo, hi = _clipped(counts, reference, radius, alpha)
    return Evidence(
        difference=difference,
        se_measured=math.sqrt(counts.variance),
        se_reference=math.sqrt(reference_variance),
        radius=radius,
        lo=lo,
        hi=hi,
        p_value=anytime_p_value(float(difference), information, design, alpha),
    )


def _clipped(counts: Counts, reference: Reference, radius: float, alpha: float) -> tuple[float, float]:
    """The interval within what a score can be, no tighter than the exact bound where all or none are correct."""
    difference, promised = float(counts.score - reference.score), float(reference.score)
    lo, hi = max(difference - radius, -promised), min(difference + radius, float(1 - reference.score))
    bound = all_correct_lower_bound(counts.n * counts.fewest, alpha)
    if counts.score == 1:
        lo = min(lo, bound - promised)
    if counts.score == 0:
        hi = max(hi, 1 - bound - promised)
    return lo, hi


def decide(evidence: Evidence, rule: Rule) -> Decision:
    """PASS only where the literal assert holds, FAIL only where it does not, and both only when the interval agrees."""
    literal = rule.admits(evidence.difference)
    if literal and _proves_pass(evidence, rule):
        return Decision.PASS
    if not literal and evidence.difference <= 0 and evidence.hi < 0:
        return Decision.FAIL_LOW
    if not literal and evidence.difference > 0 and evidence.lo > 0:
        return Decision.FAIL_HIGH
    return Decision.INCONCLUSIVE


def _proves_pass(evidence: Evidence, rule: Rule) -> bool:
    if rule.above:
        return evidence.lo > 0
    margin = float(rule.margin)
    return evidence.lo > -margin and (evidence.hi < margin or not rule.two_sided)


def runs_needed(counts: Counts, reference: Reference, rule: Rule) -> int | None:
    """Samples per problem, in all, at which a difference like the one seen would be decided; an estimate.

    An observed difference overstates the true one on average, so the figure is rather too small for a failure and too
    large for a pass. None where the reference's own error is too large for any number of samples, or the score lies
    where none decides.
    """
    run_variance = _planning_variance(counts, reference)
    alpha = float(rule.alpha)
    gap = _gap(counts.score - reference.score, rule)
    needed = information_needed(float(gap), design_information(float(rule.margin), alpha), alpha)
    room = 1 / needed - float(reference.variance(run_variance))
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
