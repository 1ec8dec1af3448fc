"""One verdict on several promises of one deployment: have they lost in common?

Each difference is measured in margins of its own promise (tolerance and delta together), and all count alike. Their
mean estimates a loss that the promises have in common, and needs far fewer samples than each promise alone. A loss of
one promise alone is diluted: the pooled verdict stands beside the separate ones and replaces none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from papergate.errors import PromiseError
from papergate.run_folder.notes import Note, note
from papergate.statistics.counts import Counts
from papergate.statistics.reference import Reference
from papergate.statistics.rule import FEW_DISSENTING, Decision, Measured, Rule, conclude, interval, weigh
from papergate.words import worded


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One promise and its result."""

    counts: Counts
    reference: Reference
    rule: Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Pooled:
    """The verdict on all parts together. Differences are in margins: at -1 a promise has lost tolerance and delta."""

    decision: Decision
    difference: float
    tolerance: float
    """Mean of the parts' tolerances, each in its own margin."""
    lo: float
    hi: float
    p_value: float
    alpha: float
    """Largest chance to fail a perfect deployment on one side, and to pass a common loss of the margin."""
    parts: tuple[float, ...]
    """Difference of each promise."""

    @property
    def note(self) -> Note:
        """What was seen, what was allowed, and at which error rate; in percent."""
        verdict = {Decision.PASS: "pass", Decision.INCONCLUSIVE: "inconclusive"}.get(self.decision, "fail")
        pooled = note(
            "pooled",
            difference=100 * self.difference,
            interval=[100 * self.lo, 100 * self.hi],
            each=[100 * part for part in self.parts],
            tolerance=100 * self.tolerance,
            alpha=100 * self.alpha,
        )
        return note("verdict", pooled, verdict=verdict)


def pool(parts: Sequence[Part]) -> Pooled:
    """The verdict on a loss that all ``parts`` have in common; valid at all looks, as the verdict on each is.

    Raises:
        PromiseError: fewer than two promises, a gain, or promises with different error rates.
        StoreError: a golden run asked other problems.
    """
    rule = _rule([part.rule for part in parts])
    found = [weigh(part.counts, part.reference, part.rule) for part in parts]
    margins = [float(part.rule.margin) for part in parts]
    differences = tuple(float(one.difference) / margin for one, margin in zip(found, margins, strict=True))
    difference, n = math.fsum(differences) / len(parts), len(parts)
    measured = Measured(
        score=0.5,  # a mean of differences has no end of the scale
        difference=difference,
        least=-math.inf,
        most=math.inf,
        admitted=abs(difference) <= rule.tolerance or (not rule.two_sided and difference > 0),
        variance=math.fsum((one.se_measured / m) ** 2 for one, m in zip(found, margins, strict=True)) / n**2,
        reference_variance=math.fsum((one.se_reference / m) ** 2 for one, m in zip(found, margins, strict=True)) / n**2,
        samples=1,
        dissenting=FEW_DISSENTING,
        minority=FEW_DISSENTING,
    )
    together, decision = interval(measured, rule), conclude(measured, rule)
    few = sum(part.counts.dissenting for part in parts) < FEW_DISSENTING
    return Pooled(
        decision=Decision.INCONCLUSIVE if few else decision,
        difference=difference,
        tolerance=float(rule.tolerance),
        lo=together.lo,
        hi=together.hi,
        p_value=together.p_value,
        alpha=float(rule.alpha),
        parts=differences,
    )


def _rule(rules: Sequence[Rule]) -> Rule:
    """The rule in margins: the mean tolerance, and a margin of 1."""
    if len(rules) < 2:  # noqa: PLR2004 - one promise has its own verdict
        raise PromiseError(f"{len(rules)} promise is given; a pooled verdict needs two or more of one deployment")
    if any(rule.above for rule in rules):
        raise worded(PromiseError, note("pool_of_gain"))
    alphas = sorted({rule.alpha for rule in rules})
    if len(alphas) > 1:
        raise PromiseError(
            f"the promises have error rates {', '.join(f'{float(a):g}' for a in alphas)}; give one to all"
        )
    tolerance = sum((rule.tolerance / rule.margin for rule in rules), Fraction(0)) / len(rules)
    two_sided = all(rule.two_sided for rule in rules)
    return Rule(tolerance=tolerance, delta=1 - tolerance, alpha=alphas[0], two_sided=two_sided)
