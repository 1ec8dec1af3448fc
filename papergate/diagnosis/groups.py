"""A subject or a level that lost far more than the others, against a golden run of the same problems."""

from collections.abc import Iterator, Mapping, Sequence
from math import erfc, sqrt

from papergate.diagnosis.causes import FALSE_ALARM, Cause, CauseCode, percent

FEWEST_PROBLEMS = 5
"""In a group, and outside it: with fewer the normal approximation says nothing."""
Table = tuple[int, int, int, int]
"""Of one problem: right samples and samples of the run, right samples and samples of the golden run."""


def far_off_groups(groups: Sequence[Mapping[str, str]], tables: Sequence[Table]) -> tuple[Cause, ...]:
    """The one group whose loss differs most surely from that of all other problems; empty where none does.

    Given a problem's right samples of both runs together, those of this run are hypergeometric where both have one
    rate. The losses of the group and of the rest, in samples per sample, are compared by their difference over its
    standard error; the error is shared over all groups that are looked at (Bonferroni).

    Args:
        groups: For each problem its groups, by what they are about.
        tables: For each problem its counts.
    """
    named = sorted({each for problem in groups for each in problem.items()})
    looked = [(name, found) for name in named if (found := _compared(groups, tables, name))]
    sure = [(p, name, cause) for name, (p, cause) in looked if p * len(looked) <= FALSE_ALARM]
    return (min(sure, key=lambda found: found[:2])[2],) if sure else ()


def _compared(
    groups: Sequence[Mapping[str, str]], tables: Sequence[Table], name: tuple[str, str]
) -> tuple[float, Cause] | None:
    """The p-value that a group lost no more than the rest, and what it would be as a cause."""
    inside = [table for group, table in zip(groups, tables, strict=True) if name in group.items()]
    outside = [table for group, table in zip(groups, tables, strict=True) if name not in group.items()]
    if min(len(inside), len(outside)) < FEWEST_PROBLEMS:
        return None
    (one, one_variance), (other, other_variance) = _loss(inside), _loss(outside)
    if one <= other or not one_variance + other_variance:
        return None
    z = (one - other) / sqrt(one_variance + other_variance)
    return erfc(z / sqrt(2)) / 2, _cause(name, inside, outside)


def _loss(tables: Sequence[Table]) -> tuple[float, float]:
    """Lost samples per sample of the run, and the variance of that where nothing is lost."""
    samples = sum(k for _, k, _, _ in tables)
    terms = [*map(_lost, tables)]
    return sum(lost for lost, _ in terms) / samples, sum(variance for _, variance in terms) / samples**2


def _lost(table: Table) -> tuple[float, float]:
    """Golden rate minus own rate times samples, with its variance under one rate for both."""
    right, k, golden, m = table
    both, of = right + golden, k + m
    variance = k * both * (of - both) * m / (of * of * (of - 1)) if of > 1 else 0.0
    return k * golden / m - right, variance * (of / m) ** 2


def _cause(name: tuple[str, str], inside: Sequence[Table], outside: Sequence[Table]) -> Cause:
    samples, right = sum(k for _, k, _, _ in inside), sum(c for c, _, _, _ in inside)
    rates = {"score": _rates(inside), "others": _rates(outside)}
    return Cause(
        code=CauseCode.ONE_GROUP,
        count=samples,
        wrong=samples - right,
        of=samples + sum(k for _, k, _, _ in outside),
        more={"group": f"{name[0]} {name[1]}", **{key: list(pair) for key, pair in rates.items()}},
    )


def _rates(tables: Sequence[Table]) -> Iterator[float]:
    """Shares of right samples in percent: of the run, and of the golden run, each problem with one weight."""
    yield percent(sum(c / k for c, k, _, _ in tables) / len(tables))
    yield percent(sum(g / m for _, _, g, m in tables) / len(tables))
