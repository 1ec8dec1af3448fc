"""Are the samples independent draws of one deployment? Tests that hold whatever the rates of the problems are.

Within a problem, independent draws of one deployment may stand in any order: given how many are right, each way to
share them among servers, looks, or earlier and later samples is as likely as any other (Cochran, 1954; Mantel and
Haenszel, 1959). So problems need no common rate, and ones that are always right or never say nothing.

Together the tests of one run raise a false alarm in at most `ALARM` of healthy ones, at all looks together. Unanimity
is looked at each time: a run that has shown a dissent is never unanimous again. The others are made where the rule
decides, and at the last look; only servers that look suspicious are looked at again.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import accumulate, compress

from papergate.statistics.counts import Counts
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Decision, Rule, decide, weigh

Sizes = tuple[tuple[Hashable, int], ...]
"""Groups of the samples of a problem, with how many each has."""
ALARM = 0.01
"""Largest share of healthy runs in which any of the tests raises an alarm."""
UNANIMITY_ALARM = 0.004
PLACES_ALARM = 0.003
"""Of differences between servers or devices; where all samples come from one, it goes to the tests of time."""
CLEAR, SUSPICIOUS = 0.0005, 0.7
"""Of these, the p-value that is an alarm, and the one up to which a verdict waits: looking again while servers are
suspicious spends up to six times `CLEAR`. Without waiting, one bad server of two was named in a quarter of runs."""
FAMILY_SHARE = Fraction(31, 100)
"""Share of the binomial variance that lies within problems, for R1 and its distills; other published models have more.
A model without noise within its problems cannot be told from a temperature that is ignored, by its answers alone."""
SOON = 8
"""Samples of a problem at which unanimity shall be told: where it can be by then, a verdict waits for it."""
FEWEST_DISSENTING = 20
"""So many samples must disagree with the rest of their problem, as the normal approximation wants it."""
SPLITS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
"""Where a run is cut into earlier and later samples, as shares of a problem's samples; and after the first one."""
LOOKS = "looks"
DIGITS = 6
"""Decimals in which the largest deviations must differ; of two groups that deviate alike, the one with the lower score
is named."""
NEGLIGIBLE = 1e-9
"""Of a variance, what rounding leaves of none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """The samples of one problem that came, in the order in which they were asked."""

    right: tuple[bool, ...]
    answers: tuple[str | None, ...]
    """As they were read; None where there is none, which says nothing. All right ones are one answer.
    May be empty where some problem has right and wrong ones, so that not all agree."""
    places: tuple[str, ...]
    """Server or device of each; empty where it is not known."""
    looks: tuple[int, ...]
    """Number of the look for which each was asked, from 1."""
    texts: tuple[Hashable, ...] = ()
    """What tells the text of each from others: a copy has that of its original. Empty where nothing is repeated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """Groups of samples, compared within the problems."""

    p_value: float
    group: Hashable
    """The one that stands out most."""
    differences: Mapping[Hashable, float]
    """Of the score of each from that of the others; fractions of 1."""

    @property
    def difference(self) -> float:
        """Of the group that stands out most."""
        return self.differences[self.group]


@dataclass(slots=True)
class Split:
    """The samples of one problem, shared out among groups."""

    samples: int
    right: int
    sizes: Sizes
    hits: Sizes
    """The right ones of each group."""

    @classmethod
    def of(cls, right: Sequence[bool], groups: Sequence[Hashable]) -> "Split":
        """Of right or wrong, and the group, of each sample."""
        sizes, hits = Counter(groups), Counter(compress(groups, right))
        return cls(len(right), hits.total(), tuple(sizes.items()), tuple(hits.items()))

    @classmethod
    def at(cls, cut: int, before: Sequence[int]) -> "Split":
        """Into the samples before the ``cut`` and, as the group True, those from it on.

        Of each sample, and of all, the right ones ``before`` it.
        """
        k, c = len(before) - 1, before[-1]
        cut = min(cut, k)
        return cls(k, c, ((False, cut), (True, k - cut)), ((False, before[cut]), (True, c - before[cut])))


@dataclass(kw_only=True, slots=True)
class Share:
    """The problems whose samples are shared out among the groups in one way; each sum counts them by their weight."""

    problems: float = 0.0
    right: float = 0.0
    """Of the problems in which samples differ."""
    noise: float = 0.0
    """Sum of c (k - c) / (k (k - 1)), by the square of the weight."""


Weight = Callable[[int, int], float]
"""How much a problem with so many right ones of so many samples counts in a comparison."""


def alike(_right: int, _samples: int) -> float:
    """Each problem by its samples, as Mantel and Haenszel do: strongest where all move by one shift in logits."""
    return 1.0


def by_noise(right: int, samples: int) -> float:
    """The less noise, the more weight: strongest where every problem loses as much, the certain ones too.

    It depends on nothing that the order of the samples changes, so the test holds as with equal weights.
    """
    rate = (right + 1) / (samples + 2)
    return 1 / (rate * (1 - rate))


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """One thing that independent draws of one deployment do not show."""

    kind: str
    """``unanimous``, ``places``, ``time``, ``looks`` or ``side_by_side``."""
    clear: bool
    """Whether it is one; else further samples shall tell."""
    p_value: float
    """As likely as this at most, adjusted for the number of tests of its kind."""
    group: Hashable = None
    difference: float = 0.0


def alarm_of(
    drawn: Sequence[Drawn], counts: Counts, reference: Reference, *, due: bool, last: bool, may_agree: bool = False
) -> Alarm | None:
    """The first alarm that the samples raise.

    Order and places are looked at where a verdict is ``due``, and at the ``last`` look; unanimity at each, unless it is
    known that the sampling is right, so that the answers ``may_agree``.
    """
    alike = None if may_agree else unanimity_of(drawn, counts, reference)
    if alike:
        return alike
    if not (due or last):
        return None
    places = len({place for problem in drawn for place in problem.places})
    apart = _among_places(drawn) if places > 1 else None
    if apart and (apart.clear or not last):
        return apart  # while further samples shall tell, the tests of time wait too: they are made once
    return _over_time(drawn, ALARM - UNANIMITY_ALARM - (PLACES_ALARM if places > 1 else 0.0)) or apart


def premature_failure(drawn: Sequence[Drawn], counts: Counts, reference: Reference, rule: Rule) -> Alarm | None:
    """A failure that would be none, were each look a single draw, or each text.

    Samples asked side by side may share their noise, and those that repeat a text do.
    """
    variance = variance_by_looks(drawn, counts) * shared_by_texts(drawn)
    counted = weigh(counts, reference, rule, variance=variance)
    if decide(counted, rule) in (Decision.FAIL_LOW, Decision.FAIL_HIGH):
        return None
    return Alarm(kind="side_by_side", clear=False, p_value=counted.p_value)


def variance_by_looks(drawn: Iterable[Drawn], counts: Counts) -> float:
    """Variance of the score from how far the looks of each problem lie apart; at least that from single samples.

    One look alone shows nothing of it: then each problem counts as a single sample.
    """
    sums = [_scatter(problem.right, problem.looks) for problem in drawn if len({*problem.looks}) > 1]
    if not sums:
        rate = (counts.score * counts.n + Fraction(1, 2)) / (counts.n + 1)  # as `Counts.variance` has it
        return float(max(counts.variance, rate * (1 - rate) / counts.n))
    return float(counts.variance) * _shared(sums)


def shared_by_texts(drawn: Iterable[Drawn]) -> float:
    """How many times the variance is that from single samples, as samples of one text agree; 1 where none repeats."""
    return _shared([_scatter(problem.right, problem.texts) for problem in drawn if len({*problem.texts}) > 1])


def _shared(sums: Iterable[tuple[float, float]]) -> float:
    """How many times the variance from single samples the one from clusters is; at least once."""
    by_clusters, by_samples = (math.fsum(column) for column in zip(*sums, (0.0, 0.0), strict=True))
    return max(1.0, by_clusters / by_samples if by_samples else 1.0)


def _scatter(right: Sequence[bool], clusters: Sequence[Hashable]) -> tuple[float, float]:
    """Variance of a problem's score, from clusters of its samples and from single ones; Liang and Zeger (1986).

    With h right of s in a cluster, c of k in all, the squares (h - s c/k)^2 add up to sigma^2 (k - sum s^2/k) on
    average where samples are independent, and to more where those of a cluster agree.
    """
    k, c = len(right), sum(right)
    sizes, hits = Counter(clusters), Counter(compress(clusters, right))
    squares = math.fsum((hits[cluster] - size * c / k) ** 2 for cluster, size in sizes.items())
    free = k - sum(size**2 for size in sizes.values()) / k
    return squares / free / k, c * (k - c) / (k - 1) / k**2


def unanimity_of(drawn: Sequence[Drawn], counts: Counts, reference: Reference) -> Alarm | None:
    """That no two answers to any problem differ, where that is unlikely, or would be by `SOON` samples."""
    if not _no_two_differ(drawn):
        return None
    chance, soon = chance_of_unanimity(counts, reference), _soon(counts, reference)
    clear = chance <= UNANIMITY_ALARM
    waits = counts.fewest < SOON and soon <= UNANIMITY_ALARM
    return Alarm(kind="unanimous", p_value=chance, clear=clear) if clear or waits else None


def _soon(counts: Counts, reference: Reference) -> float:
    """The chance of the same at `SOON` samples; by the rates of a golden run, where there is one."""
    if reference.counts is None:
        return _of_a_family(float(counts.score), (SOON,) * counts.n)
    rates = (c / k for c, k in zip(reference.counts.correct, reference.counts.samples, strict=True))
    return math.prod(rate**SOON + (1 - rate) ** SOON for rate in rates)


def _no_two_differ(drawn: Sequence[Drawn]) -> bool:
    """Whether all answers to each problem are one, right or wrong, and some problem has two answers."""
    if any(0 < sum(problem.right) < len(problem.right) for problem in drawn):
        return False
    several = False
    for problem in drawn:
        said = zip(problem.right, problem.answers, strict=True)
        answers = [True if right else answer for right, answer in said if right or answer is not None]
        if len({*answers}) > 1:
            return False
        several = several or len(answers) > 1
    return several


def chance_of_unanimity(counts: Counts, reference: Reference) -> float:
    """Chance that no two samples of any problem differ in being right.

    Beside a golden run it is exact, given how many samples of both runs are right together. Else see `_of_a_family`.
    """
    golden = reference.counts
    if golden is None:
        return _of_a_family(float(counts.score), counts.samples)
    columns = zip(counts.correct, counts.samples, golden.correct, golden.samples, strict=True)
    return math.prod(_all_alike(c + g, k + many, k) for c, k, g, many in columns)


def _of_a_family(score: float, samples: Sequence[int]) -> float:
    """The same for Beta-distributed rates with this mean, of which `FAMILY_SHARE` of the variance is noise."""
    size = float(FAMILY_SHARE / (1 - FAMILY_SHARE))
    chances = {k: _rising(score * size, size, k) + _rising((1 - score) * size, size, k) for k in {*samples}}
    return math.prod(chances[k] for k in samples)


def compared(splits: Iterable[Split], weight: Weight = alike) -> Contrast | None:
    """Groups within problems. None where too little could differ."""
    surplus, shares, dissenting = dict[Hashable, float](), dict[Sizes, Share](), 0
    for one in splits:
        k, c = one.samples, one.right
        counted = weight(c, k)
        share = shares.get(one.sizes) or shares.setdefault(one.sizes, Share())
        share.problems += counted
        if not 0 < c < k:
            continue
        dissenting += min(c, k - c)
        share.noise += counted**2 * c * (k - c) / (k * (k - 1))
        share.right += counted * c
        for group, hits in one.hits:
            surplus[group] = surplus.get(group, 0.0) + counted * hits
    return _contrast(surplus, shares) if dissenting >= FEWEST_DISSENTING else None


def _contrast(hits: Mapping[Hashable, float], shares: Mapping[Sizes, Share]) -> Contrast | None:
    """The groups' right samples beside those expected, in units of what they vary together."""
    surplus, spread, together = dict(hits), Counter[Hashable](), Counter[tuple[Hashable, ...]]()
    for sizes, share in shares.items():
        k = sum(size for _, size in sizes)
        for group, size in sizes:
            surplus[group] = surplus.get(group, 0.0) - share.right * size / k
            spread[group] += share.problems * size * (1 - size / k)  # type: ignore[assignment]
            for other, count in sizes:
                together[group, other] += share.noise * size * ((group == other) - count / k)  # type: ignore[assignment]
    groups = [group for group in surplus if together[group, group] > NEGLIGIBLE]
    statistic, rank = _quadratic_form(
        [surplus[one] for one in groups], [[together[a, b] for b in groups] for a in groups]
    )
    if not rank:
        return None
    apart = {one: surplus[one] / math.sqrt(together[one, one]) for one in groups}
    most = max(groups, key=lambda one: (round(abs(apart[one]), DIGITS), -apart[one]))
    differences = {group: surplus[group] / spread[group] for group in groups}
    return Contrast(p_value=chi_square_tail(statistic, rank), group=most, differences=differences)


def _among_places(drawn: Sequence[Drawn]) -> Alarm | None:
    """Servers against each other, for either way in which one may be worse (Bonferroni); the loss is the plain one."""
    splits = [Split.of(problem.right, problem.places) for problem in drawn]
    ways = [compared(splits, weight) for weight in (alike, by_noise)]
    plain, surest = ways[0], min((way for way in ways if way), key=lambda way: way.p_value, default=None)
    if plain is None or surest is None or (p_value := min(1.0, len(ways) * surest.p_value)) > SUSPICIOUS:
        return None
    clear, group = p_value <= CLEAR, surest.group
    return Alarm(kind="places", clear=clear, p_value=p_value, group=group, difference=plain.differences[group])


def _over_time(drawn: Sequence[Drawn], level: float) -> Alarm | None:
    """Later samples against earlier ones at a few cuts, and all looks against each other (Bonferroni)."""
    most = max((len(problem.right) for problem in drawn), default=0)
    cuts = sorted({1, *(round(most * share) for share in SPLITS)} - {0, most})
    before = [[*accumulate(problem.right, initial=0)] for problem in drawn]
    ways: list[tuple[Hashable, Contrast | None]]
    ways = [(cut, compared(map(partial(Split.at, cut), before))) for cut in cuts]
    if len({look for problem in drawn for look in problem.looks}) > len(SPLITS):
        ways.append((LOOKS, compared(Split.of(problem.right, problem.looks) for problem in drawn)))
    way, surest = min(((way, one) for way, one in ways if one), default=(None, None), key=_p_value)
    if surest is None or surest.p_value * len(ways) > level:
        return None
    p_value = surest.p_value * len(ways)
    if way == LOOKS:
        return Alarm(kind=LOOKS, clear=True, p_value=p_value, group=surest.group, difference=surest.difference)
    late = surest.difference if surest.group else -surest.difference
    return Alarm(kind="time", clear=True, p_value=p_value, group=way, difference=late)


def _p_value(found: tuple[Hashable, Contrast]) -> float:
    return found[1].p_value


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Chance that a chi-square of so many degrees of freedom is ``statistic`` or more; by its finite sums."""
    half = statistic / 2
    if degrees % 2:
        total, term, at = math.erfc(math.sqrt(half)), math.sqrt(half) * math.exp(-half) / math.gamma(1.5), 1.5
    else:
        total, term, at = 0.0, math.exp(-half), 1.0
    for _ in range(degrees // 2):
        total, term, at = total + term, term * half / at, at + 1
    return min(1.0, total)


def _quadratic_form(vector: Sequence[float], matrix: Sequence[Sequence[float]]) -> tuple[float, int]:
    """``v' M^- v`` and the rank of the symmetric ``M``, whose rows may depend on each other: by elimination."""
    rows, total, rank = [[*row, one] for row, one in zip(matrix, vector, strict=True)], 0.0, 0
    for at, row in enumerate(rows):
        pivot = row[at]
        if pivot <= NEGLIGIBLE * max(1.0, matrix[at][at]):
            continue
        total, rank = total + row[-1] ** 2 / pivot, rank + 1
        for below in rows[at + 1 :]:
            factor = below[at] / pivot
            below[at:] = [mine - factor * theirs for mine, theirs in zip(below[at:], row[at:], strict=True)]
    return total, rank


def _rising(rate: float, size: float, k: int) -> float:
    """Chance that all of ``k`` draws at a Beta(rate, size - rate) rate are right."""
    return math.prod((rate + at) / (size + at) for at in range(k))


def _all_alike(right: int, total: int, k: int) -> float:
    """Chance that ``k`` of ``total`` samples, of which so many are right, are all right or all wrong."""
    return (math.comb(right, k) + math.comb(total - right, k)) / math.comb(total, k)
