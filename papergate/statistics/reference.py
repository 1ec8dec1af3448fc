"""What a score is held against: a printed number taken as exact, the same with its sampling error, or a golden run."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from papergate.errors import PromiseError, StoreError
from papergate.run_folder.notes import note
from papergate.statistics.counts import Counts
from papergate.words import worded

PRINTED_STEP = Fraction(1, 1000)
"""Papers print percent with one decimal: an error spread evenly over one step of 0.1 points."""


class ReferenceKind(StrEnum):
    """How the reference's own uncertainty enters the verdict."""

    EXACT = "exact"
    SAMPLED = "sampled"
    GOLDEN = "golden"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """The score that is promised, a fraction of 1, and what its own error comes from."""

    kind: ReferenceKind
    score: Fraction
    samples: int | None = None
    """Samples per problem behind a printed score; None where the source does not say."""
    counts: Counts | None = None
    """What a golden run counted."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be a reference."""
        if self.kind is ReferenceKind.SAMPLED and self.samples is None:
            raise worded(PromiseError, note("reference_samples_missing"))
        if not 0 <= self.score <= 1:
            raise worded(PromiseError, note("reference_out_of_range", score=float(self.score)))
        if self.samples is not None and self.samples < 1:
            raise worded(PromiseError, note("reference_of_no_samples", samples=self.samples))

    @classmethod
    def exact(cls, score: Fraction, *, samples: int | None = None) -> "Reference":
        """A printed score taken as exact: the promise itself. ``samples`` only tell how noisy it is."""
        return cls(kind=ReferenceKind.EXACT, score=score, samples=samples)

    @classmethod
    def sampled(cls, score: Fraction, *, samples: int) -> "Reference":
        """A printed score whose sampling error, of a mean over ``samples`` runs, counts in the verdict."""
        return cls(kind=ReferenceKind.SAMPLED, score=score, samples=samples)

    @classmethod
    def golden(cls, counts: Counts) -> "Reference":
        """A stored run of a trusted platform under this same harness."""
        return cls(kind=ReferenceKind.GOLDEN, score=counts.score, counts=counts)

    @property
    def is_golden(self) -> bool:
        """Whether this is a run under the same harness, not a number on paper."""
        return self.kind is ReferenceKind.GOLDEN

    def variance(self, run_variance: Fraction) -> Fraction:
        """SE_ref^2 as the verdict counts it; ``run_variance`` is that of one run of the model."""
        own = self.own_variance(run_variance)
        return Fraction(0) if own is None or self.kind is ReferenceKind.EXACT else own

    def own_variance(self, run_variance: Fraction) -> Fraction | None:
        """Squared error of the reference itself, of sampling and of rounding in print; None where it cannot be told."""
        if self.counts is not None:
            return self.counts.variance
        if self.samples is None:
            return None
        return run_variance / self.samples + PRINTED_STEP**2 / 12

    def refuse_other_problems(self, counts: Counts) -> None:
        """See that a golden run asked the same problems in the same words.

        Raises:
            StoreError: it did not.
        """
        if self.counts is None:
            return
        seen = _other_questions(self.counts, counts)
        if seen:
            raise worded(StoreError, note("golden_asked_otherwise", seen=seen))


def _other_questions(golden: Counts, measured: Counts) -> str | None:
    if golden.n != measured.n:
        return f"{golden.n} problems, this run {measured.n}"
    if golden.problems is not None and measured.problems is not None and golden.problems != measured.problems:
        different = sum(a != b for a, b in zip(golden.problems, measured.problems, strict=True))
        return f"{different} of {golden.n} problems are others, or in another order"
    if golden.prompts is not None and measured.prompts is not None and golden.prompts != measured.prompts:
        return f"its prompts have the digest {golden.prompts}, those of this run {measured.prompts}"
    return None
