"""Two runs of one panel of problems: how far apart they are, and what of that is more than chance.

Every problem is compared with itself, so that only the noise within problems counts. Of a table of many comparisons all
p-values are adjusted together (Holm): the chance that anything at all is marked where nothing changed is `ALPHA`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import comb

from papergate.statistics.beside_golden import Move, Run, compare
from papergate.statistics.family import holm
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Rule, weigh

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A later run minus an earlier one. Scores are fractions of 1."""

    difference: Fraction
    lo: float
    hi: float
    """The interval of the verdict's own rule: each end errs in at most 5 % of comparisons, at all looks together."""
    p_value: float
    """Two-sided, of the score."""
    moved: tuple[Move, ...]
    """Problems whose rate changed beyond chance: Fisher's exact test, Holm over all problems."""
    length_ratio: float | None
    """Mean output tokens over those of the earlier run; None where either did not count."""
    length_p_value: float
    """Exact sign test over the problems; 1 where lengths cannot be compared."""
    score_changed: bool = False
    """Whether the difference is more than chance among all comparisons of the table; the same of the length below."""
    length_changed: bool = False


def change(now: Run, before: Run, tokens: Sequence[tuple[float | None, float | None]], rule: Rule) -> Change:
    """What changed; ``tokens`` are the mean output tokens of each problem, now and before.

    Raises:
        StoreError: the runs asked other problems, or asked them otherwise.
    """
    found = weigh(now.counts, Reference.golden(before.counts), rule)
    beside = compare(now, before)
    return Change(
        difference=found.difference,
        lo=found.lo,
        hi=found.hi,
        p_value=min(1.0, 2 * found.p_value),
        moved=beside.moved,
        length_ratio=None if beside.length_ratio is None else float(beside.length_ratio),
        length_p_value=sign_test([a - b for a, b in tokens if a is not None and b is not None]),
    )


def marked(changes: Sequence[Change | None]) -> list[Change | None]:
    """The changes of a table, those marked that are more than chance among all of them."""
    made = [one for one in changes if one]
    adjusted = holm([p for one in made for p in (one.p_value, one.length_p_value)])
    pairs = iter(zip(adjusted[::2], adjusted[1::2], strict=True))
    return [one and _with_marks(one, *next(pairs)) for one in changes]


def sign_test(differences: Sequence[float]) -> float:
    """Two-sided p-value that positive and negative differences are equally likely; exact, ties are left out."""
    up, down = sum(one > 0 for one in differences), sum(one < 0 for one in differences)
    n, most = up + down, max(up, down)
    tail = sum(comb(n, count) for count in range(most, n + 1))
    return min(1.0, float(Fraction(2 * tail, 2**n)))


def _with_marks(one: Change, score: float, length: float) -> Change:
    return replace(one, score_changed=score <= ALPHA, length_changed=length <= ALPHA)
