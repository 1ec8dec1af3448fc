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
from itertools import compress

from papergate.statistics.counts import Counts
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Decision, Rule, decide, weigh

Groups = tuple[Hashable, ...]
"""The group of each sample of a problem."""
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
NEGLIGIBLE = 1e-9
"""Of a variance, what rounding leaves of none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """The samples of one problem that came, in the order in which they were asked."""

    right: tuple[bool, ...]
    answers: tuple[str | None, ...]
    """As they were read; None where there is none, which says nothing."""
    places: tuple[str, ...]
    """Server or device of each; empty where it is not known."""
    looks: tuple[int, ...]
    """Number of the look for which each was asked, from 1."""


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


@dataclass(kw_only=True, slots=True)
class Share:
    """The problems whose samples are shared out among the groups in one way; each sum counts them by their weight."""

    sizes: Counter[Hashable]
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
    """A failure that would be none, were each look a single draw: samples asked side by side may share their noise."""
    counted = weigh(counts, reference, rule, variance=variance_by_looks(drawn, counts))
    if decide(counted, rule) in (Decision.FAIL_LOW, Decision.FAIL_HIGH):
        return None
    return Alarm(kind="side_by_side", clear=False, p_value=counted.p_value)


def variance_by_looks(drawn: Iterable[Drawn], counts: Counts) -> float:
    """Variance of the score from how far the looks of each problem lie apart; at least that from single samples.

    The samples of a look are a cluster (Liang and Zeger, 1986). With h right of s in a look, c of k in all, the squares
    (h - s c/k)^2 add up to sigma^2 (k - sum s^2/k) on average where samples are independent, and to more where those
    of a look agree. One look alone shows nothing of it: then each problem counts as a single sample.
    """
    sums = [_scatter(problem) for problem in drawn if len({*problem.looks}) > 1]
    if not sums:
        alone = Counts.spread(round(counts.score * counts.n), problems=counts.n, k=1)
        return float(max(counts.variance, alone.variance))
    by_looks, by_samples = (math.fsum(column) for column in zip(*sums, strict=True))
    return float(counts.variance) * max(1.0, by_looks / by_samples if by_samples else 1.0)


def _scatter(problem: Drawn) -> tuple[float, float]:
    """Variance of the problem's score, from its looks and from its samples."""
    k, c = len(problem.right), sum(problem.right)
    sizes, hits = Counter(problem.looks), Counter(compress(problem.looks, problem.right))
    squares = math.fsum((hits[look] - size * c / k) ** 2 for look, size in sizes.items())
    free = k - sum(size**2 for size in sizes.values()) / k
    return squares / free / k, c * (k - c) / (k - 1) / k**2


def unanimity_of(drawn: Iterable[Drawn], counts: Counts, reference: Reference) -> Alarm | None:
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


def _no_two_differ(drawn: Iterable[Drawn]) -> bool:
    """Whether all answers to each problem are one, right or wrong, and some problem has two answers."""
    answers = [[answer for answer in problem.answers if answer is not None] for problem in drawn]
    return any(len(found) > 1 for found in answers) and all(len(set(found)) <= 1 for found in answers)


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


def compared(drawn: Iterable[tuple[Sequence[bool], Groups]], weight: Weight = alike) -> Contrast | None:
    """Groups within problems: right or wrong, and the group, of each sample. None where too little could differ."""
    surplus, shares, dissenting = dict[Hashable, float](), dict[Groups, Share](), 0
    for right, groups in drawn:
        k, c = len(right), sum(right)
        counted = weight(c, k)
        share = shares.get(groups) or shares.setdefault(groups, Share(sizes=Counter(groups)))
        share.problems += counted
        if not 0 < c < k:
            continue
        dissenting += min(c, k - c)
        share.noise += counted**2 * c * (k - c) / (k * (k - 1))
        share.right += counted * c
        for group, hits in Counter(compress(groups, right)).items():
            surplus[group] = surplus.get(group, 0.0) + counted * hits
    return _contrast(surplus, shares.values()) if dissenting >= FEWEST_DISSENTING else None


def _contrast(hits: Mapping[Hashable, float], shares: Iterable[Share]) -> Contrast | None:
    """The groups' right samples beside those expected, in units of what they vary together."""
    surplus, spread, together = dict(hits), Counter[Hashable](), Counter[tuple[Hashable, ...]]()
    for share in shares:
        k = share.sizes.total()
        for group, size in share.sizes.items():
            surplus[group] = surplus.get(group, 0.0) - share.right * size / k
            spread[group] += share.problems * size * (1 - size / k)  # type: ignore[assignment]
            for other, count in share.sizes.items():
                together[group, other] += share.noise * size * ((group == other) - count / k)  # type: ignore[assignment]
    groups = [group for group in surplus if together[group, group] > NEGLIGIBLE]
    statistic, rank = _quadratic_form(
        [surplus[one] for one in groups], [[together[a, b] for b in groups] for a in groups]
    )
    if not rank:
        return None
    most = max(groups, key=lambda one: abs(surplus[one]) / math.sqrt(together[one, one]))
    differences = {group: surplus[group] / spread[group] for group in groups}
    return Contrast(p_value=chi_square_tail(statistic, rank), group=most, differences=differences)


def _among_places(drawn: Sequence[Drawn]) -> Alarm | None:
    """Servers against each other, for either way in which one may be worse (Bonferroni); the loss is the plain one."""
    ways = [compared(((problem.right, problem.places) for problem in drawn), weight) for weight in (alike, by_noise)]
    plain, surest = ways[0], min((way for way in ways if way), key=lambda way: way.p_value, default=None)
    if plain is None or surest is None or (p_value := min(1.0, len(ways) * surest.p_value)) > SUSPICIOUS:
        return None
    clear, group = p_value <= CLEAR, surest.group
    return Alarm(kind="places", clear=clear, p_value=p_value, group=group, difference=plain.differences[group])


def _over_time(drawn: Sequence[Drawn], level: float) -> Alarm | None:
    """Later samples against earlier ones at a few cuts, and all looks against each other (Bonferroni)."""
    most = max((len(problem.right) for problem in drawn), default=0)
    cuts = sorted({1, *(round(most * share) for share in SPLITS)} - {0, most})
    ways: list[tuple[Hashable, Callable[[Drawn], Groups]]] = [(cut, partial(_cut, cut=cut)) for cut in cuts]
    if len({look for problem in drawn for look in problem.looks}) > len(SPLITS):
        ways.append((LOOKS, lambda problem: problem.looks))
    found = [(way, compared((problem.right, groups(problem)) for problem in drawn)) for way, groups in ways]
    way, surest = min(((way, one) for way, one in found if one), default=(None, None), key=_p_value)
    if surest is None or surest.p_value * len(ways) > level:
        return None
    p_value = surest.p_value * len(ways)
    if way == LOOKS:
        return Alarm(kind=LOOKS, clear=True, p_value=p_value, group=surest.group, difference=surest.difference)
    late = surest.difference if surest.group else -surest.difference
    return Alarm(kind="time", clear=True, p_value=p_value, group=way, difference=late)


def _p_value(found: tuple[Hashable, Contrast]) -> float:
    return found[1].p_value


def _cut(problem: Drawn, *, cut: int) -> Groups:
    """Whether each sample comes from the ``cut`` on."""
    k = len(problem.right)
    return (False,) * min(cut, k) + (True,) * (k - cut)


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
