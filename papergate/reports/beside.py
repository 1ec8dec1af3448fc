"""Runs side by side, and releases over time: the same table of scores, lengths and speed, and what changed in it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from papergate.acceptance.golden import run_of
from papergate.errors import StoreError
from papergate.printable import one_line
from papergate.promises.tolerance import Tolerance
from papergate.reports.pictures import HEIGHT, WIDTH, Axis, Picture, Sketch, Table, Tick
from papergate.reports.said import Said, both, plain
from papergate.reports.speed import duration, number
from papergate.run_folder.files import VERDICT_FILE, promise_folders
from papergate.run_folder.history import read_history, refuse_changed_in
from papergate.run_folder.notes import Note, note
from papergate.run_folder.speed import SpeedRecord, read_speeds
from papergate.run_folder.verdict import VerdictRecord, read_verdicts
from papergate.statistics.changes import ALPHA, Change, change, marked
from papergate.statistics.rule import Rule
from papergate.words import worded

COLUMNS = (
    "run",
    "verdict",
    "score",
    "interval",
    "n_x_k",
    "difference",
    "tokens_per_sample",
    "length",
    "moved",
    "engine",
)
SPEED_COLUMNS = ("run", "workload", "TTFT p50", "TPOT p50", "e2e p50", "output_tokens_per_s", "engine")
MARK = " *"
NAMED = 10
"""Moved problems of a comparison that are listed."""
COARSE = "1 problem"
"""Margin that the interval of a difference is planned for where the promise is a gain, which states none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """A promise in one run."""

    run: str
    at: str
    """When its verdict was put down; empty where the run does not say."""
    record: VerdictRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A promise in one run beside the one that it is compared with."""

    tested: Tested
    change: Change | None = None
    why: str = ""
    """Why it cannot be compared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What is compared with each other."""

    name: str
    lines: Sequence[Line]


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """All of it."""

    groups: Sequence[Group]
    speeds: Sequence[tuple[str, SpeedRecord]]

    @property
    def comparisons(self) -> int:
        """How many scores, and how many lengths, are compared."""
        return sum(line.change is not None for group in self.groups for line in group.lines)


def side_by_side(runs: Sequence[Path]) -> Beside:
    """Each benchmark of ``runs``: the first run that has it, and the others against that one.

    Raises:
        StoreError: a run holds no verdict, or one that cannot be read.
    """
    tested = [one for run in runs for one in tested_in(run)]
    return _beside(tested, runs, by=lambda one: one.record.benchmark.name, against_first=True)


def over_time(folder: Path) -> Beside:
    """Each promise of the runs in ``folder``, oldest first, each against the one before it.

    Raises:
        StoreError: ``folder`` holds no finished run, or one that cannot be read.
    """
    runs = sorted(path for path in folder.glob("*") if path.is_dir() and promise_folders(path, VERDICT_FILE))
    if not runs:
        raise worded(StoreError, note("runs_unfinished", folder=f"{folder}"))
    tested = sorted((one for run in runs for one in _tested_in(run)), key=lambda one: (one.at, one.run))
    return _beside(tested, runs, by=lambda one: one.record.promise, against_first=False)


def tested_in(run: Path) -> list[Tested]:
    """Every verdict of ``run``.

    Raises:
        StoreError: it holds none, or one that cannot be read.
    """
    tested = _tested_in(run)
    if not tested:
        raise worded(StoreError, note("compare_without_verdict", run=f"{run}"))
    return tested


def tables(beside: Beside) -> Iterator[tuple[Said, Table]]:
    """A table for each group, and one of the workloads."""
    heads = tuple(both(name) for name in COLUMNS)
    for group in beside.groups:
        yield plain(one_line(group.name)), Table(heads=heads, rows=tuple(map(_row, group.lines)))
    if beside.speeds:
        rows = tuple(_speed_row(run, record) for run, record in beside.speeds)
        yield both("speed"), Table(heads=tuple(both(name) for name in SPEED_COLUMNS), rows=rows)


def notes(beside: Beside) -> Iterator[Note]:
    """The rule of the marks, the problems that moved, and what could not be compared."""
    yield note("changes_rule", count=2 * beside.comparisons, percent=100 * ALPHA)
    for group in beside.groups:
        for line in group.lines:
            if line.why:
                yield note("changes_refused", group=group.name, run=line.tested.run, why=line.why)
            if line.change and line.change.moved:
                problems = [[one.problem, float(one.golden_rate), float(one.rate)] for one in line.change.moved]
                named = {"count": len(problems), "problems": problems[:NAMED]}
                yield note("changes_moved", group=group.name, run=line.tested.run, **named)


def picture(group: Group) -> Picture:
    """The scores of a group with their intervals, in the order of the table."""
    judged = [line.tested.record.judgement for line in group.lines]
    ends = [end for one in judged for end in (*one.interval, one.score)]
    room = max(max(ends) - min(ends), 0.01) / 10
    low, high = max(0.0, min(ends) - room), min(1.0, max(ends) + room)
    sketch = Sketch(
        x=Axis(low=0, high=len(judged) + 1, size=WIDTH), y=Axis(low=low, high=high, size=HEIGHT, upward=True)
    )
    for place, (one, line) in enumerate(zip(judged, group.lines, strict=True), start=1):
        sketch.line((place, place), one.interval, f"interval ink-{line.tested.record.verdict}")
        sketch.dot(place, one.score, f"fill-{line.tested.record.verdict}", 5)
    return Picture(
        title=both("scores_in_order"),
        caption=both("scores_in_order_caption"),
        x=both("place_in_table"),
        columns=tuple(Tick(at=sketch.x.at(place), label=str(place)) for place in range(1, len(judged) + 1)),
        rows=sketch.y.ticks(lambda share: f"{100 * share:g}"),
        marks=tuple(sketch.marks),
    )


def _tested_in(run: Path) -> list[Tested]:
    """Every verdict of ``run``; a trial has none."""
    found = read_verdicts(run)
    if found.refused:
        raise StoreError(found.refused[0][1])
    refuse_changed_in(run)
    records = [one for one in found.records if not one.is_trial]
    return [Tested(run=run.name, at=_when(run / one.promise), record=one) for one in records]


def _when(folder: Path) -> str:
    history = read_history(folder)
    return history[-1].at if history else ""


def _beside(
    tested: Sequence[Tested], runs: Sequence[Path], *, by: Callable[[Tested], str], against_first: bool
) -> Beside:
    groups: dict[str, list[Line]] = {}
    for one in tested:
        lines = groups.setdefault(by(one), [])
        lines.append(_line(one, lines[: 1 if against_first else None]))
    changes = iter(marked([line.change for lines in groups.values() for line in lines]))
    done = [
        Group(name=name, lines=[Line(tested=one.tested, change=next(changes), why=one.why) for one in lines])
        for name, lines in groups.items()
    ]
    speeds = [(run.name, record) for run in runs for record in read_speeds(run).records]
    return Beside(groups=done, speeds=sorted(speeds, key=lambda pair: pair[1].workload))


def _line(one: Tested, before: Sequence[Line]) -> Line:
    if not before:
        return Line(tested=one)
    other = before[-1].tested
    try:
        return Line(tested=one, change=_change(one.record, other.record))
    except StoreError as error:
        return Line(tested=one, why=str(error))


def _change(now: VerdictRecord, before: VerdictRecord) -> Change:
    if now.benchmark.digest != before.benchmark.digest:
        raise worded(StoreError, note("compare_other_text", now=now.benchmark.digest, before=before.benchmark.digest))
    order = {problem: place for place, problem in enumerate(before.counts.problems)}
    tokens = [
        (_mean(now, place), _mean(before, order[name]))
        for place, name in enumerate(now.counts.problems)
        if name in order
    ]
    tolerance = Tolerance.parse(COARSE if now.promised.tolerance == "gain" else now.promised.tolerance)
    return change(run_of(now), run_of(before), tokens, Rule.within(tolerance, problems=now.judgement.n))


def _mean(record: VerdictRecord, place: int) -> float | None:
    tokens, completions = record.counts.output_tokens[place], record.counts.completions[place]
    return None if tokens is None or not completions else tokens / completions


def _row(line: Line) -> tuple[str | Said, ...]:
    record, found = line.tested.record, line.change
    judged, tokens = record.judgement, record.tokens.per_sample
    low, high = judged.interval
    return (
        one_line(f"{line.tested.run} {line.tested.at}".strip()),
        both(record.verdict),
        f"{100 * judged.score:.2f} %",
        f"{100 * low:.2f} - {100 * high:.2f} %",
        f"{judged.n} x {record.counts.samples_each}",
        _difference(found) if found else "-",
        "-" if tokens is None else f"{tokens:,.0f}",
        _length(found) if found else "-",
        str(len(found.moved)) if found else "-",
        one_line(f"{record.engine.engine} {record.engine.version}, papergate {record.papergate}"),
    )


def _difference(found: Change) -> str:
    ends = f"{100 * float(found.difference):+.2f} [{100 * found.lo:+.2f}, {100 * found.hi:+.2f}]"
    return ends + MARK * found.score_changed


def _length(found: Change) -> str:
    if found.length_ratio is None:
        return "-"
    return f"{100 * (found.length_ratio - 1):+.1f} %{MARK * found.length_changed}"


def _speed_row(run: str, record: SpeedRecord) -> tuple[str, ...]:
    seen = record.metrics
    figures = [duration(each.p50) for each in (seen.ttft_s, seen.tpot_s, seen.e2e_s)] if seen else ["-"] * 3
    rate = number(seen.output_tokens_per_s) if seen else "-"
    return (one_line(run), one_line(record.workload), *figures, rate, one_line(record.engine))
