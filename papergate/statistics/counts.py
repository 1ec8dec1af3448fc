"""How many samples of each problem are correct: all that the score and its error need."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.words import worded

NAMED = 5
"""Impossible counts that a message names one by one."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Correct samples of each problem, out of the samples that were planned for it.

    The denominator is always what was planned: a sample that is missing, crashed or was cut off is not correct.

    Raises:
        PredictionsError: the numbers cannot be a result.
    """

    correct: tuple[int, ...]
    samples: tuple[int, ...]
    """Planned samples of each problem."""
    problems: tuple[str, ...] | None = None
    """Ids of the problems, in the order of the counts; None where they are not known."""
    prompts: str | None = None
    """Digest of the prompts that were asked; None where it is not known."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be a result, all mistakes at once."""
        mistakes = list(_mistakes(self))
        if mistakes:
            raise worded(PredictionsError, note("counts_malformed", mistakes="; ".join(mistakes)))

    @classmethod
    def equal(cls, correct: tuple[int, ...], k: int) -> "Counts":
        """Counts of problems that were all asked ``k`` times."""
        return cls(correct=correct, samples=(k,) * len(correct))

    @classmethod
    def spread(cls, correct: int, *, problems: int, k: int) -> "Counts":
        """Counts of a result known only in total, spread evenly: no other way it can lie has a wider error."""
        if not 0 <= correct <= problems * k:
            raise PredictionsError(
                f"{correct} correct of {problems} problems x {k} samples; 0 to {problems * k} are possible"
            )
        share, rest = divmod(correct, max(problems, 1))
        return cls.equal((share + 1,) * rest + (share,) * (problems - rest), k)

    @property
    def n(self) -> int:
        """Number of problems."""
        return len(self.correct)

    @property
    def fewest(self) -> int:
        """Planned samples of the problem that has fewest."""
        return min(self.samples)

    @property
    def average(self) -> Fraction:
        """Planned samples of a problem, on average."""
        return Fraction(sum(self.samples), self.n)

    @property
    def most(self) -> int:
        """Planned samples of the problem that has most."""
        return max(self.samples)

    @cached_property
    def dissenting(self) -> float:
        """Samples that disagree with the most of their problem, counted by their weight in the variance.

        As few as there are of them, so little is known of that variance. One that dissents in problem i adds 1/k_i^2
        to it, so it is known as well as from (sum w)^2 / sum w^2 equal ones, w = 1/k_i^2 (Satterthwaite, 1946); with
        equal k that is their number. Unweighted, problems that are asked often would vouch for those asked least.
        Problems with a single sample dissent as one problem.
        """
        pairs, fewest = list(zip(self.correct, self.samples, strict=True)), self.fewest
        repeated = [(min(c, k - c), (fewest / k) ** 2) for c, k in pairs if k > 1]
        single = [c for c, k in pairs if k == 1]
        each = [*repeated, (min(sum(single), len(single) - sum(single)), 1.0)]
        squared = math.fsum(count * weight**2 for count, weight in each)
        return math.fsum(count * weight for count, weight in each) ** 2 / squared if squared else 0.0

    @property
    def minority(self) -> int:
        """The wrong samples or the right ones, whichever are fewer: with few of them the score lies near an end."""
        right = sum(self.correct)
        return min(right, sum(self.samples) - right)

    @cached_property
    def score(self) -> Fraction:
        """pass@1: mean over problems of the share of correct samples, exactly."""
        shares = Counter(zip(self.correct, self.samples, strict=True))
        return sum((times * Fraction(c, k) for (c, k), times in shares.items()), Fraction(0)) / self.n

    @cached_property
    def variance(self) -> Fraction:
        """Variance of the score over this fixed panel of problems, one imaginary dissenting sample included.

        V = [sum c(k-c) / (k^2 (k-1)) + 1/min(k)^2] / n^2; for equal k this is [sum c(k-c) / (k(k-1)) + 1/k] / (n^2 k).
        The problems are no draw from a population: the gate asks about these very problems, so only the noise within
        each of them counts. The imaginary sample keeps V above zero where all samples agree.

        Problems with a single sample show no noise of their own. It is bounded by that of one rate shared by the m of
        them, p = (C + 1/2) / (m + 1), because the mean of p(1-p) is at most mean p (1 - mean p).
        """
        return sum((noise / k for noise, k in _noises(self)), Fraction(0)) / self.n**2

    @cached_property
    def run_variance(self) -> Fraction:
        """Variance of the score of one run, in which every problem is asked once; k times `variance` for equal k."""
        return sum((noise for noise, _ in _noises(self)), Fraction(0)) / self.n**2


def _noises(counts: Counts) -> Iterator[tuple[Fraction, int]]:
    """Estimates of p(1-p), summed over problems with the same number of samples, and that number."""
    shares = Counter(zip(counts.correct, counts.samples, strict=True))
    for (c, k), times in shares.items():
        if k > 1:
            yield times * Fraction(c * (k - c), k * (k - 1)), k
    repeated = [k for k in counts.samples if k > 1]
    if repeated:
        dissenting = min(repeated)
        yield Fraction(1, dissenting), dissenting
    single = shares[0, 1] + shares[1, 1]
    if single:
        rate = Fraction(2 * shares[1, 1] + 1, 2 * (single + 1))
        yield single * rate * (1 - rate), 1


def _mistakes(counts: Counts) -> Iterator[str]:
    if not counts.correct:
        yield "there is no problem"
    if len(counts.correct) != len(counts.samples):
        yield f"{len(counts.correct)} counts of correct samples, {len(counts.samples)} of planned samples"
    if counts.problems is not None and len(counts.problems) != len(counts.correct):
        yield f"{len(counts.correct)} counts, {len(counts.problems)} ids of problems"
    pairs = enumerate(zip(counts.correct, counts.samples, strict=False), start=1)
    wrong = [f"problem {i}: {c} of {k}" for i, (c, k) in pairs if not 0 <= c <= k or k < 1]
    if wrong:
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        yield f"0 to k correct of at least 1 planned sample are possible, seen {', '.join(wrong[:NAMED])}{more}"
