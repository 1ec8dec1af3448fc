"""The pictures of one promise: what was promised and measured, how the interval closed, lengths, problems, order."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from papergate.completions.table import Key, column
from papergate.reports.answers import Answer, Answers, Ended
from papergate.reports.pictures import HEIGHT, WIDTH, Axis, Picture, Sketch, Table, Tick, from_zero
from papergate.reports.said import Said, both, plain
from papergate.run_folder.verdict import Moved, VerdictRecord

STRIP = 74.0
"""Height of the picture of one score."""
BINS = 30
BLOCKS, FEWEST_IN_A_BLOCK = 12, 20
"""Into how many parts a run is cut to see whether it drifted; each has answers enough to have a rate."""
SMALLEST_DRIFT = 0.01
"""Half of the height of its picture at least: one point."""
MOST_ROWS = 600
"""Of a table: the rest is in ``problems.jsonl``."""
NAMED, LINE = 4, 13.0
"""Moved problems that stand by name in a picture, and the height of a name."""
LONGEST_SHOWN_CAP = 1.25
"""A cap this many times beyond the longest answer is named beside the picture instead of shrinking it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowed:
    """What the promise allows, as fractions of 1."""

    reference: float
    low: float
    high: float
    outer: tuple[float, float] | None
    """How far the interval of a passing score may reach; None where the record does not say."""

    @classmethod
    def by(cls, record: VerdictRecord) -> "Allowed":
        """What the record's rule allows."""
        judged = record.judgement
        low, high = judged.reference - judged.tolerance, judged.reference + judged.tolerance
        delta, above = judged.delta, judged.two_sided is False
        outer = None if delta is None else (max(low - delta, 0.0), 1.0 if above else min(high + delta, 1.0))
        return cls(reference=judged.reference, low=max(low, 0.0), high=1.0 if above else min(high, 1.0), outer=outer)

    def axis(self, seen: Iterable[float], size: float, *, upward: bool = False) -> Axis:
        """An axis that shows the tolerance large, and all that was ``seen``."""
        judged_high = self.reference + (self.reference - self.low)
        known = [self.low, min(judged_high, self.high), self.reference, *seen]
        if self.outer:
            known += [self.outer[0], min(self.outer[1], 2 * judged_high - self.reference)]
        low, high = min(known), max(known)
        margin = max(0.06 * (high - low), 0.002)
        return Axis(low=max(low - margin, 0.0), high=min(high + margin, 1.0), size=size, upward=upward)


def closeness(record: VerdictRecord) -> Picture:
    """The score with its interval, on an axis that shows the tolerance large."""
    judged, allowed = record.judgement, Allowed.by(record)
    sketch = Sketch(x=allowed.axis([judged.score, *judged.interval], WIDTH), y=Axis(low=0, high=STRIP, size=STRIP))
    if allowed.outer:
        sketch.area(allowed.outer, (14, 58), "outer")
    sketch.area((allowed.low, allowed.high), (14, 58), "inner")
    sketch.line((allowed.reference,) * 2, (12, 60), "promised")
    sketch.word(allowed.reference, 7, _reference_name(record), "middle")
    sketch.line(judged.interval, (36, 36), f"interval ink-{record.verdict}")
    for end in judged.interval:
        sketch.line((end, end), (30, 42), f"interval ink-{record.verdict}")
    sketch.dot(judged.score, 36, f"fill-{record.verdict}", 6)
    return Picture(
        title=both("closeness_title"),
        caption=both("closeness_caption" if allowed.outer else "closeness_caption_plain"),
        x=both("score_percent"),
        columns=sketch.x.ticks(_percent),
        rows=(),
        marks=tuple(sketch.marks),
        height=STRIP,
        table=_closeness_table(record, allowed),
    )


def _reference_name(record: VerdictRecord) -> Said:
    name = "golden_run" if record.promised.reference == "golden" else "the_paper"
    return both("named_score", name=both(name), score=f"{100 * record.judgement.reference:.2f}")


def _closeness_table(record: VerdictRecord, allowed: Allowed) -> Table:
    judged = record.judgement
    rows = [
        (both("measured"), _percent2(judged.score)),
        (both("interval"), _span(judged.interval)),
        (both("promised"), _percent2(judged.reference)),
        (both("allowed"), _span((allowed.low, allowed.high))),
    ]
    if allowed.outer:
        rows.append((both("allowed_outer"), _span(allowed.outer)))
    return Table(heads=(both("what"), both("percent")), rows=tuple(rows))


def closing(record: VerdictRecord) -> Picture | None:
    """How the interval closed look by look; None where there was one look."""
    looks, allowed = record.looks, Allowed.by(record)
    if len(looks) < 2:  # noqa: PLR2004 - one look does not close
        return None
    ends = [end for look in looks[1:] for end in (look.lo, look.hi)]  # the first is often far wider than the rest
    sketch = Sketch(x=Axis(low=-0.7, high=len(looks) - 0.3, size=WIDTH), y=allowed.axis(ends, HEIGHT, upward=True))
    whole = (sketch.x.low, sketch.x.high)
    if allowed.outer:
        sketch.area(whole, allowed.outer, "outer")
    sketch.area(whole, (allowed.low, allowed.high), "inner")
    sketch.line(whole, (allowed.reference,) * 2, "promised")
    for place, look in enumerate(looks):
        style = record.verdict if place == len(looks) - 1 else "soft"
        sketch.line((place, place), (look.lo, look.hi), f"interval ink-{style}")
        sketch.dot(place, look.score, f"fill-{style}", 3.5)
    every = math.ceil(len(looks) / 12)
    shown = [place for place in range(len(looks)) if (len(looks) - 1 - place) % every == 0]
    return Picture(
        title=both("closing_title", looks=len(looks)),
        caption=both("closing_caption"),
        x=both("samples_per_problem"),
        columns=tuple(Tick(at=sketch.x.at(place), label=str(looks[place].k)) for place in shown),
        rows=sketch.y.ticks(_percent),
        marks=tuple(sketch.marks),
        table=Table(
            heads=(both("samples_per_problem"), both("score"), both("interval")),
            rows=tuple((str(look.k), _percent2(look.score), _span((look.lo, look.hi))) for look in looks),
        ),
    )


def lengths(record: VerdictRecord, answers: Answers) -> Picture | None:
    """How long answers are, with the cap and what it cut off; None where nobody counted tokens."""
    counted: dict[str, list[int]] = {"bar-correct": [], "bar-wrong": [], "bar-cut": []}
    for tokens, cut, ended in zip(*(column(answers.of, name) for name in ("tokens", "cut", "ended")), strict=True):
        if tokens is not None:
            style = "bar-cut" if cut else "bar-correct" if ended is Ended.CORRECT else "bar-wrong"
            counted[style].append(tokens)
    if not any(counted.values()):
        return None
    cap, longest = record.sampling.max_tokens, max(map(max, filter(None, counted.values())))
    near = cap <= LONGEST_SHOWN_CAP * longest
    names = map(both, ("correct_answers", "other_answers", "cut_answers"))
    groups = [(style, name, of) for (style, of), name in zip(counted.items(), names, strict=True)]
    sketch, table = _stacked(groups, max(cap, longest) if near else longest)
    if near:
        sketch.line((cap, cap), (0, sketch.y.high), "cap")
    return Picture(
        title=both("lengths_title"),
        caption=both("lengths_caption" if near else "lengths_caption_far", cap=f"{cap:,}"),
        x=both("output_tokens_of_an_answer"),
        columns=sketch.x.ticks(),
        rows=sketch.y.ticks(),
        marks=tuple(sketch.marks),
        key=tuple((style, name) for style, name, of in groups if of),
        table=table,
    )


def seconds(answers: Answers) -> Picture | None:
    """How long an answer takes; None where nobody took the time."""
    taken = [seconds for seconds in column(answers.of, "e2e_s") if seconds is not None]
    if not taken:
        return None
    sketch, table = _stacked([("bar-plain", both("answers"), taken)], max(taken))
    return Picture(
        title=both("seconds_title"),
        caption=both("seconds_caption"),
        x=both("seconds_of_an_answer"),
        columns=sketch.x.ticks(),
        rows=sketch.y.ticks(),
        marks=tuple(sketch.marks),
        table=table,
    )


def _stacked(groups: Sequence[tuple[str, Said, Sequence[float]]], most: float) -> tuple[Sketch, Table]:
    """Bars of counts, the groups on top of each other, and the same as a table."""
    across = from_zero(most, WIDTH)
    width = across.high / BINS
    counts = [[sum(1 for _ in of) for of in _binned(values, width)] for _, _, values in groups]
    totals = [sum(column) for column in zip(*counts, strict=True)]
    sketch = Sketch(x=across, y=from_zero(max(totals), HEIGHT, upward=True))
    for place in range(BINS):
        base = 0
        for (style, _, _), binned in zip(groups, counts, strict=True):
            if binned[place]:
                sketch.area(((place + 0.06) * width, (place + 0.94) * width), (base, base + binned[place]), style)
            base += binned[place]
    rows = [
        (f"{_figure(place * width)} - {_figure((place + 1) * width)}", *(str(column[place]) for column in counts))
        for place in range(BINS)
        if totals[place]
    ]
    return sketch, Table(heads=(both("from_to"), *(name for _, name, _ in groups)), rows=tuple(rows))


def _binned(values: Sequence[float], width: float) -> list[list[float]]:
    bins: list[list[float]] = [[] for _ in range(BINS)]
    for value in values:
        bins[min(int(value / width), BINS - 1)].append(value)
    return bins


def beside_golden(record: VerdictRecord) -> Picture | None:
    """Each problem's rate here against the golden run's; None where the record does not have them."""
    golden, counts = record.golden, record.counts
    if golden is None or not golden.planned:
        return None
    theirs = [c / k for c, k in zip(golden.correct, golden.planned, strict=True)]
    ours = [c / k for c, k in zip(counts.correct, counts.samples, strict=True)]
    moved = {move.problem for move in golden.moved}
    axis = Axis(low=-0.04, high=1.04, size=WIDTH)
    sketch = Sketch(x=axis, y=Axis(low=-0.04, high=1.04, size=HEIGHT, upward=True))
    sketch.line((0, 1), (0, 1), "promised")
    places = [*zip(theirs, ours, counts.problems, strict=True)]
    for (x, y), together in Counter((x, y) for x, y, problem in places if problem not in moved).items():
        sketch.dot(x, y, "dot-plain", min(2.5 + math.sqrt(together), 12))
    for x, y, problem in places:
        if problem in moved:
            sketch.dot(x, y, "fill-fail", 4.5)
    _name_moved(sketch, golden.moved[:NAMED])
    return Picture(
        title=both("golden_title"),
        caption=both("golden_caption"),
        x=both("golden_axis"),
        columns=sketch.x.ticks(lambda v: f"{100 * v:g}"),
        rows=sketch.y.ticks(lambda v: f"{100 * v:g}"),
        marks=tuple(sketch.marks),
        table=_golden_table(places),
    )


def _name_moved(sketch: Sketch, moved: Sequence[Moved]) -> None:
    """The names of problems above their dots, one above the other where they would cover each other."""
    taken: list[float] = []
    for move in moved:
        y = sketch.y.at(move.rate) - 8
        while any(abs(y - other) < LINE for other in taken):
            y -= LINE
        taken.append(y)
        end = "end" if move.golden_rate > 0.5 else "start"  # noqa: PLR2004 - letters stay inside the plane
        sketch.word(move.golden_rate, y, plain(move.problem[-24:]), end)


def _golden_table(places: Sequence[tuple[float, float, str]]) -> Table:
    furthest = sorted(places, key=lambda place: -abs(place[0] - place[1]))[:MOST_ROWS]
    rows = tuple((problem, f"{100 * x:.0f}", f"{100 * y:.0f}", f"{100 * (y - x):+.0f}") for x, y, problem in furthest)
    return Table(heads=(both("problem"), both("golden_percent"), both("here_percent"), both("difference")), rows=rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some of a run's answers, beside what the run's own rates of their problems let expect."""

    name: str
    answers: int
    correct: int
    expected: float
    error: float
    """Standard error of the difference of the counts, problems and run as they are."""
    cut: int
    tokens: float | None
    lost: int | None = None
    """Attempts that failed at a server; None where they were not counted."""

    @property
    def rate(self) -> float:
        """Share that is correct."""
        return self.correct / self.answers

    @property
    def difference(self) -> float:
        """Of the share and the expected one."""
        return (self.correct - self.expected) / self.answers

    @property
    def reach(self) -> float:
        """Two standard errors of the difference."""
        return 2 * self.error / self.answers


def parts_in_order(record: VerdictRecord, answers: Answers) -> list[Part]:
    """The run cut into parts in the order in which its answers came; none where they are too few to tell."""
    count = sum(1 for _ in _came(answers))
    blocks = min(BLOCKS, count // FEWEST_IN_A_BLOCK)
    if blocks < 2:  # noqa: PLR2004 - one part has no neighbour
        return []
    ends = [round(count * block / blocks) for block in range(blocks + 1)]
    came, rates, sums = _came(answers), _rates(record), [_Sums() for _ in range(blocks)]
    for block, (begin, end) in zip(sums, pairwise(ends), strict=True):
        for key, answer in islice(came, end - begin):
            block.add(answer, rates[key[0]])
    return [block.part(f"{begin + 1:,} - {end:,}") for block, (begin, end) in zip(sums, pairwise(ends), strict=True)]


def parts_by_endpoint(record: VerdictRecord, answers: Answers) -> list[Part]:
    """The answers of each server, those that lost every attempt too; none where one alone was asked."""
    rates, sums = _rates(record), defaultdict[str, _Sums](_Sums)
    for replica in record.replicas:
        sums[replica.endpoint].lost = replica.lost
    for key, endpoint in zip(answers.of, column(answers.of, "endpoint"), strict=True):
        if endpoint and (answer := answers.of[key]).ended is not Ended.FAILED:
            sums[endpoint].add(answer, rates[key[0]])
    alone = len(sums) < 2  # noqa: PLR2004 - one alone has no other to be held against
    return [] if alone else [sums[name].part(name) for name in sorted(sums)]


def _came(answers: Answers) -> Iterator[tuple[Key, Answer]]:
    return (one for one in answers.in_order() if one[1].ended is not Ended.FAILED)


def _rates(record: VerdictRecord) -> dict[str, float]:
    counts = record.counts
    return {p: c / k for p, c, k in zip(counts.problems, counts.correct, counts.samples, strict=True)}


@dataclass(kw_only=True, slots=True)
class _Sums:
    """A part while its answers are counted."""

    answers: int = 0
    correct: int = 0
    expected: float = 0.0
    variance: float = 0.0
    cut: int = 0
    counted: int = 0
    tokens: int = 0
    lost: int | None = None

    def add(self, answer: Answer, rate: float) -> None:
        """One more, to a problem with this rate."""
        self.answers += 1
        self.correct += answer.ended is Ended.CORRECT
        self.expected += rate
        self.variance += rate * (1 - rate)
        self.cut += answer.cut
        self.counted += answer.tokens is not None
        self.tokens += answer.tokens or 0

    def part(self, name: str) -> Part:
        """What they amount to."""
        return Part(
            name=name,
            answers=self.answers,
            correct=self.correct,
            expected=self.expected,
            error=math.sqrt(self.variance),
            cut=self.cut,
            tokens=self.tokens / self.counted if self.counted else None,
            lost=self.lost,
        )


def over_time(parts: Sequence[Part]) -> Picture | None:
    """Whether the run went up or down while it was asked."""
    if not parts:
        return None
    most = max(SMALLEST_DRIFT, *(abs(part.difference) + part.reach for part in parts))
    sketch = Sketch(
        x=Axis(low=-0.7, high=len(parts) - 0.3, size=WIDTH), y=Axis(low=-most, high=most, size=HEIGHT, upward=True)
    )
    sketch.line((sketch.x.low, sketch.x.high), (0, 0), "promised")
    for place, part in enumerate(parts):
        low, high = part.difference - part.reach, part.difference + part.reach
        sketch.line((place, place), (low, high), "interval ink-plain")
        sketch.dot(place, part.difference, "fill-plain", 3.5)
    return Picture(
        title=both("over_time_title"),
        caption=both("over_time_caption"),
        x=both("parts_of_the_run"),
        columns=tuple(Tick(at=sketch.x.at(place), label=str(place + 1)) for place in range(len(parts))),
        rows=sketch.y.ticks(lambda v: f"{100 * v:+g}" if v else "0"),
        marks=tuple(sketch.marks),
        table=parts_table(both("answers"), parts),
    )


def parts_table(name: Said, parts: Iterable[Part]) -> Table:
    """The parts of a run side by side."""
    return Table(heads=(name, *map(both, _PART_HEADS)), rows=tuple(_part_row(part) for part in parts))


def endpoints_table(parts: Sequence[Part]) -> Table:
    """The servers side by side, with the attempts that each lost."""
    rows = tuple((*_part_row(part), "-" if part.lost is None else f"{part.lost:,}") for part in parts)
    return Table(heads=tuple(map(both, ("endpoint", *_PART_HEADS, "lost_attempts"))), rows=rows)


_PART_HEADS = ("count", "correct_percent", "expected_percent", "difference_2se", "cut_off", "mean_tokens")


def _part_row(part: Part) -> tuple[str, ...]:
    if not part.answers:
        return (part.name, "0", "-", "-", "-", "0", "-")
    return (
        part.name,
        f"{part.answers:,}",
        f"{100 * part.rate:.1f}",
        f"{100 * part.expected / part.answers:.1f}",
        f"{100 * part.difference:+.1f} ± {100 * part.reach:.1f}",
        f"{part.cut:,}",
        "-" if part.tokens is None else f"{part.tokens:,.0f}",
    )


def drawn(record: VerdictRecord, answers: Answers | None, *, judged: bool) -> list[Picture]:
    """The pictures of a promise, where there is something to draw; a trial is not ``judged``."""
    of_answers: list[Callable[[Answers], Picture | None]] = [
        lambda found: lengths(record, found),
        lambda found: over_time(parts_in_order(record, found)),
        seconds,
    ]
    found = [
        closing(record) if judged else None,
        beside_golden(record),
        *(draw(answers) for draw in of_answers if answers),
    ]
    return [picture for picture in found if picture]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"  # noqa: PLR2004 - grouped from here on


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.6g}"


def _percent2(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def _span(ends: tuple[float, float]) -> str:
    return f"{_percent2(ends[0])} - {_percent2(ends[1])}"
