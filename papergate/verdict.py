"""PROMISE KEPT? Pass, fail or inconclusive, with the numbers that force it and a sentence that says so."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from statistics import NormalDist
from typing import Any

from papergate.run_folder.notes import Note, note
from papergate.statistics.counts import Counts
from papergate.statistics.family import chance_that_all_pass, holm
from papergate.statistics.intervals import anytime_p_value, design_information
from papergate.statistics.reference import Reference, ReferenceKind
from papergate.statistics.rule import ALPHA, Decision, Evidence, Rule, decide, runs_needed, weigh
from papergate.words import say

__all__ = ["Decision", "Family", "Judgement", "Rule", "Verdict", "family", "judge", "judge_literal", "numbers"]

MOST_DECIMALS = 4
"""Decimals of a difference in points: enough to tell it from a tolerance at 64 samples of 500 problems."""


class Verdict(StrEnum):
    """Whether the promise is kept, or too little is known."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    TRIAL = "trial"
    """None: only the set-up was tried."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """One promise judged. Scores and errors are fractions of 1."""

    decision: Decision
    literal: bool
    """Whether the score lies within the tolerance, both sides, in exact arithmetic; of a gain, whether it is above."""
    literal_alone: bool
    """True where the literal assert alone decided, as in a vendor's single run; the interval is then only shown."""
    rule: Rule
    reference: Reference
    score: Fraction
    n: int
    k: int
    """Planned samples of the problem that has fewest."""
    average_samples: Fraction
    """Planned samples of a problem, on average."""
    most_samples: int
    evidence: Evidence
    se_paper: float | None
    """The printed score's own error, counted in the verdict or not; None where unknown or where there is none."""
    runs_needed: int | None
    """Samples per problem, in all, expected to decide; None when decided, or when no number does."""

    @property
    def verdict(self) -> Verdict:
        """Pass, fail or inconclusive."""
        low_or_high = (Decision.FAIL_LOW, Decision.FAIL_HIGH)
        return Verdict.FAIL if self.decision in low_or_high else Verdict(self.decision.value.lower())

    @property
    def blocks(self) -> bool:
        """Whether a test of this promise fails: always, unless it passes or a score is only too good for a paper.

        A score above a paper's is reported as a failure and warned of, as correct platforms were measured above papers.
        Above a golden run of the same harness it means other weights, leaked answers, voting or a laxer grader.
        """
        too_good = self.decision is Decision.FAIL_HIGH and not self.reference.is_golden and not self.literal_alone
        return self.verdict is not Verdict.PASS and not too_good

    @property
    def proven_within(self) -> bool:
        """Whether the whole interval lies within the tolerance, without delta."""
        tolerance = float(self.rule.tolerance)
        return not self.rule.above and -tolerance <= self.evidence.lo and self.evidence.hi <= tolerance

    @property
    def further_samples(self) -> int | None:
        """Samples per problem expected to decide, beyond those at hand."""
        return None if self.runs_needed is None else max(1, self.runs_needed - round(self.average_samples))

    @property
    def reference_too_noisy(self) -> bool:
        """Whether the reference's own error keeps any number of samples from deciding."""
        undecided = self.decision is Decision.INCONCLUSIVE and self.runs_needed is None
        return undecided and self.evidence.se_reference > 0

    @property
    def paper_noise_chance(self) -> float | None:
        """Largest chance that a perfect deployment differs from the paper by this much or more, its own error counted.

        Both the measured score and the printed one are then draws around the same truth. A run ends early where its
        score happens to lie far off, so the chance is that of lying so far off at any look, unless there is one only.
        None where the printed score's error is unknown, or there is none.
        """
        return None if self.se_paper is None else _chance(self, math.hypot(self.evidence.se_measured, self.se_paper))

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the verdict alone does not tell."""
        return tuple(_notes(self))

    @property
    def note(self) -> Note:
        """The verdict as a record: what was seen, what was promised, why, and the remedy."""
        doubt = (_doubt(self),) if self.decision is Decision.INCONCLUSIVE else ()
        return note("verdict", note("seen", *doubt, **_seen(self)), verdict=self.verdict.value)

    @property
    def so_far(self) -> Note:
        """What was seen beside what was promised, without what would decide."""
        return note("so_far", note("seen", **_seen(self)))

    @property
    def sentence(self) -> str:
        """The verdict in English, in one line."""
        return say(self.note)


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """All promises of one run together."""

    alpha: float
    """Chance, on either side, that any promise that is kept exactly fails nonetheless, after adjustment."""
    adjusted: tuple[float, ...]
    """Each promise's p-value adjusted by Holm, in the order of the promises; valid at all looks."""
    failed: tuple[bool, ...]

    @property
    def stands(self) -> tuple[bool, ...]:
        """Which failures stand when the family as a whole may err with ``alpha``."""
        return tuple(failed and p <= self.alpha for failed, p in zip(self.failed, self.adjusted, strict=True))

    @property
    def expected_false_failures(self) -> float:
        """Failures of perfect deployments expected at most, on one side, without adjustment."""
        return len(self.failed) * self.alpha

    @property
    def chance_of_a_false_failure(self) -> float:
        """Chance of one or more of them at most, were the promises independent."""
        return 1 - chance_that_all_pass(1 - self.alpha, len(self.failed))

    @property
    def note(self) -> Note:
        """The family's error rate, and what is left of its failures under it."""
        return note(
            "family",
            promises=len(self.failed),
            alpha=self.alpha,
            expected=self.expected_false_failures,
            chance=self.chance_of_a_false_failure,
            stand=sum(self.stands),
            failed=sum(self.failed),
        )


def family(judgements: Sequence[Judgement], *, alpha: Fraction = ALPHA) -> Family:
    """The error rate of many promises judged in one run, and which failures stand under it."""
    return Family(
        alpha=float(alpha),
        adjusted=holm([judgement.evidence.p_value for judgement in judgements]),
        failed=tuple(judgement.verdict is Verdict.FAIL for judgement in judgements),
    )


def judge(counts: Counts, reference: Reference, rule: Rule) -> Judgement:
    """The verdict on ``counts`` under ``rule``, valid at every look and after every resumption.

    Raises:
        StoreError: the golden run asked other problems.
    """
    evidence = weigh(counts, reference, rule)
    decision = decide(evidence, rule)
    needed = runs_needed(counts, reference, rule) if decision is Decision.INCONCLUSIVE else None
    return _judgement(counts, reference, rule, evidence, decision, needed=needed)


def judge_literal(counts: Counts, reference: Reference, rule: Rule) -> Judgement:
    """The verdict of the literal assert alone, as vendor documents state it; the interval is shown beside it.

    Raises:
        StoreError: the golden run asked other problems.
    """
    evidence = weigh(counts, reference, rule)
    if rule.admits(evidence.difference):
        decision = Decision.PASS
    else:
        decision = Decision.FAIL_HIGH if evidence.difference > 0 else Decision.FAIL_LOW
    return _judgement(counts, reference, rule, evidence, decision, literal_alone=True)


def numbers(judgement: Judgement, *, looks: int = 1) -> dict[str, object]:
    """The judgement as plain values for JSON; scores and errors are fractions of 1.

    ``looks`` were taken at its samples, this one included; the interval holds at all of them together, however many.
    """
    evidence = judgement.evidence
    return {
        "verdict": str(judgement.decision),
        "literal": judgement.literal,
        "d": float(evidence.difference),
        "se_measured": evidence.se_measured,
        "se_ref": evidence.se_reference,
        "se_total": math.hypot(evidence.se_measured, evidence.se_reference),
        "se_paper": judgement.se_paper,
        "radius": evidence.radius,
        "lo": evidence.lo,
        "hi": evidence.hi,
        "runs_needed": judgement.runs_needed,
        "reference_too_noisy": judgement.reference_too_noisy,
        "proven_within": judgement.proven_within,
        "blocks": judgement.blocks,
        "p_value": evidence.p_value,
        "paper_noise_chance": judgement.paper_noise_chance,
        "score": float(judgement.score),
        "reference": float(judgement.reference.score),
        "tolerance": float(judgement.rule.tolerance),
        "delta": float(judgement.rule.delta),
        "alpha": float(judgement.rule.alpha),
        "two_sided": judgement.rule.two_sided,
        "looks": looks,
        "n": judgement.n,
        "k": judgement.k,
        "sentence": judgement.sentence,
        "warnings": [say(note) for note in judgement.notes],
        "warning_codes": [note.code for note in judgement.notes],
    }


def _judgement(
    counts: Counts,
    reference: Reference,
    rule: Rule,
    evidence: Evidence,
    decision: Decision,
    *,
    needed: int | None = None,
    literal_alone: bool = False,
) -> Judgement:
    own = None if reference.is_golden else reference.own_variance(counts.run_variance)
    return Judgement(
        decision=decision,
        literal=rule.holds(evidence.difference),
        literal_alone=literal_alone,
        rule=rule,
        reference=reference,
        score=counts.score,
        n=counts.n,
        k=counts.fewest,
        average_samples=counts.average,
        most_samples=counts.most,
        evidence=evidence,
        se_paper=None if own is None else math.sqrt(own),
        runs_needed=needed,
    )


def _seen(judgement: Judgement) -> dict[str, Any]:
    """What the sentence of a verdict states: percent and points, with the decimals they are shown with."""
    rule, promised, evidence = judgement.rule, judgement.reference.score, judgement.evidence
    lo, hi = (abs(100 * (float(promised) + end)) for end in (evidence.lo, evidence.hi))
    return {
        "score": f"{float(100 * judgement.score):.1f}",
        "interval": [f"{lo:.1f}", f"{hi:.1f}"],
        "reference": f"{float(100 * promised):.1f}",
        "golden": judgement.reference.is_golden,
        "tolerance": "gain" if rule.above else rule.words,
        "points": _trimmed(100 * rule.tolerance, 2),
        "apart": _points_apart(evidence.difference, rule.tolerance) if evidence.difference else "0",
        "side": "low" if evidence.difference < 0 else "high",
        "problems": judgement.n,
        "samples": [judgement.k, judgement.most_samples],
        **_not_default(rule),
    }


def _not_default(rule: Rule) -> dict[str, Any]:
    """What of the rule is not the default, else None; without the words of a tolerance, no delta is the default one."""
    return {
        "delta": _trimmed(100 * rule.delta, 2) if not rule.words and not rule.above else None,
        "alpha": None if rule.alpha == ALPHA else f"{float(100 * rule.alpha):g}",
        "one_sided": not rule.two_sided and not rule.above,
    }


def _doubt(judgement: Judgement) -> Note:
    """What would decide."""
    if judgement.further_samples is not None:
        return note("further_samples", samples=judgement.further_samples)
    return note("reference_too_noisy") if judgement.reference_too_noisy else note("undecidable_difference")


def _points_apart(difference: Fraction, tolerance: Fraction) -> str:
    """The difference in points, with as many decimals as show on which side of the tolerance it lies."""
    points, allowed = abs(100 * difference), 100 * tolerance
    for decimals in range(1, MOST_DECIMALS):
        if (round(points, decimals) <= allowed) is (points <= allowed) and round(points, decimals) > 0:
            return f"{float(points):.{decimals}f}"
    return f"{float(points):.{MOST_DECIMALS}f}"


def _trimmed(value: Fraction, decimals: int) -> str:
    """``value`` without the zeros that say nothing."""
    return f"{float(value):.{decimals}f}".rstrip("0").rstrip(".")


def _notes(judgement: Judgement) -> Iterator[Note]:
    if judgement.decision is Decision.FAIL_HIGH and not judgement.reference.is_golden:
        yield note("score_above_paper")
    if _could_be_paper_noise(judgement):
        yield note(
            "could_be_paper_noise",
            samples=judgement.reference.samples,
            error_points=100 * (judgement.se_paper or 0.0),
            chance=judgement.paper_noise_chance,
        )


def _could_be_paper_noise(judgement: Judgement) -> bool:
    """Whether a broken tolerance is likely with the paper's error, unlikely without: then more samples cannot help."""
    taken_as_exact = judgement.reference.kind is ReferenceKind.EXACT and not judgement.rule.above
    if not taken_as_exact or judgement.literal or judgement.verdict is Verdict.PASS:
        return False
    own = _chance(judgement, judgement.evidence.se_measured) if judgement.literal_alone else judgement.evidence.p_value
    return own < float(judgement.rule.alpha) <= (judgement.paper_noise_chance or 0.0)


def _chance(judgement: Judgement, error: float) -> float:
    """Largest chance that normal noise of this error shows the difference or more, on either side, at any look."""
    difference, alpha = float(judgement.evidence.difference), float(judgement.rule.alpha)
    if judgement.literal_alone:
        return 2 * NormalDist().cdf(-abs(difference) / error)
    return 2 * anytime_p_value(difference, error**-2, design_information(float(judgement.rule.margin), alpha), alpha)
