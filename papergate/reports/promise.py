"""One promise as the page tells it: the sentences of the first screen, pictures, tables, and the data of the script."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from papergate.completions.table import column
from papergate.diagnosis.kinds import Kind
from papergate.errors import StoreError
from papergate.reports.answers import LETTERS, LOOKS, Answers, Ended, answers_of, letter_of
from papergate.reports.drawings import closeness, drawn, endpoints_table, parts_by_endpoint
from papergate.reports.pictures import Picture, Table
from papergate.reports.said import Said, both, noted, plain
from papergate.reports.speed import duration, number
from papergate.run_folder.verdict import Group, VerdictRecord, read_verdict

UNVERIFIED = {"attached", "from_file"}
"""Notes that say that nobody saw the hardware."""
OF_POLICY = {"not_gating", "waived", "waiver_expired"}
"""Notes that say whether a broken promise breaks the build."""
HARDEST = 3
"""Problems that the first screen names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One row of a table with a bar in it: a share of 1, with the ends of its interval where it has one."""

    name: Said
    share: float
    cells: tuple[str, ...]
    style: str = "bar-plain"
    low: float | None = None
    high: float | None = None
    filter: str = ""
    """Which answers its link shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A promise on the page."""

    place: int
    """Its number on the page."""
    record: VerdictRecord
    answers: Answers | None
    """None where the grades are not beside the record."""
    golden: Answers | None
    """Those of the golden run; None without one, or where it is no longer there."""
    earlier: bool
    """Whether the last session ended in an error, so that the record is one of before."""
    stands: bool | None
    """Whether its failure stands among all promises of the run; None where that says nothing."""

    @property
    def closeness(self) -> Picture | None:
        """The picture of the first screen; None of a trial, which is held against nothing."""
        return None if self.record.is_trial else closeness(self.record)

    @property
    def pictures(self) -> list[Picture]:
        """All others."""
        return drawn(self.record, self.answers, judged=not self.record.is_trial)

    @property
    def verdict(self) -> Said:
        """The verdict in a sentence."""
        judged, record = self.record.judgement, self.record
        failed = "high_sentence" if judged.d > 0 else "low_sentence"
        name = _SENTENCES.get(record.verdict, failed)
        low, high = judged.interval
        return both(
            name,
            score=f"{100 * judged.score:.2f}",
            reference=f"{100 * judged.reference:.2f}",
            whose=both("of_the_golden_run" if record.promised.reference == "golden" else "of_the_paper"),
            allowed=self.allowed,
            points=f"{100 * abs(judged.d):.2f}",
            side=both("above" if judged.d > 0 else "below"),
            low=f"{100 * low:.2f}",
            high=f"{100 * high:.2f}",
        )

    @property
    def told(self) -> Said:
        """The sentence that stands in the terminal and in JUnit."""
        return noted(self.record.said)

    @property
    def allowed(self) -> Said:
        """How far the score may be from what was promised."""
        if self.record.promised.tolerance == "gain":
            return both("allowed_gain")
        number, _, unit = self.record.promised.tolerance.partition(" ")
        return both("allowed_tolerance", number=number, unit=both(f"tolerance_{unit}"))

    @property
    def why(self) -> list[Said]:
        """Why it is not kept: what withholds the verdict, then the likely causes."""
        return [*map(noted, self.record.reasons), *map(noted, self.record.causes)]

    @property
    def policy(self) -> list[Said]:
        """What the policy says of it, waivers too: on the first screen, in the open."""
        return [noted(one) for one in self.record.notes if one.code in OF_POLICY]

    @property
    def notes(self) -> list[Said]:
        """What a reader must know beside the verdict."""
        return [*map(noted, self.record.notes)]

    @property
    def remarks(self) -> list[Said]:
        """What the numbers can show."""
        return [*map(noted, self.record.remarks)]

    @property
    def facts(self) -> Iterator[tuple[Said, Said, str]]:
        """What a newcomer asks first, with the answer, and the place on the page that shows more."""
        if not self.record.is_trial:
            yield both("ask_margin"), self._margin, ""
        yield both("ask_problems"), self._problems, f"problems-{self.place}" if self.answers else ""
        yield both("ask_cut"), self._cut, f"ends-{self.place}" if self.answers else ""
        yield both("ask_length"), self._length, f"pictures-{self.place}"
        yield both("ask_server"), self._server, f"asked-{self.place}"
        yield both("ask_speed"), self._speed, f"pictures-{self.place}"
        yield both("ask_trust"), self._trust, f"trust-{self.place}"

    @property
    def hardware(self) -> Said:
        """On what it ran, as far as anybody saw."""
        name = "hardware_not_verified" if self._unverified else "hardware_here"
        return both(name, hardware=self.record.hardware)

    @property
    def planned(self) -> int:
        """Samples that were planned."""
        return sum(self.record.counts.samples)

    @property
    def ends(self) -> list[Bar]:
        """How every planned sample ended; the counts add up to the plan."""
        if self.answers is None:
            return []
        counts = Counter(column(self.answers.of, "ended"))
        return [self._end(ended, counts[ended]) for ended in Ended if counts[ended] or ended in _ALWAYS]

    @property
    def kinds(self) -> list[Bar]:
        """What the graded completions look like."""
        whole = sum(self.record.kinds.values()) or 1
        return [
            Bar(
                name=both(kind),
                share=count / whole,
                cells=(f"{count:,}", _percent(count / whole)),
                style="bar-correct" if kind == Kind.COMPLETE else "bar-wrong",
                filter=f"looks-{LOOKS[kind]}" if self.looks and kind in LOOKS else "",
            )
            for kind, count in self.record.kinds.items()
        ]

    @property
    def looks(self) -> list[str]:
        """What each planned sample looks like, a letter for each, a text for each problem; none where all are whole."""
        if self.answers is None or {*column(self.answers.of, "kind")} <= {None, Kind.COMPLETE}:
            return []
        letters = (LOOKS.get(kind or "", "-") for kind in column(self.answers.of, "kind"))
        return _letters(self.record, self.answers, letters)

    @property
    def groups(self) -> Mapping[str, Sequence[Bar]]:
        """Subjects, levels or families with their scores."""
        return {name: [_group_bar(row) for row in rows] for name, rows in self.record.aggregates.groups.items()}

    @property
    def endpoints(self) -> Table | None:
        """The servers side by side; None where one alone answered."""
        parts = parts_by_endpoint(self.record, self.answers) if self.answers else []
        return endpoints_table(parts) if parts else None

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script works on."""
        record, answers = self.record, self.answers
        moved = {move.problem for move in record.golden.moved} if record.golden else set()
        marks = [record.thought_marks[1]] if record.thought_marks else []
        return {
            "promise": record.promise,
            "stamp": answers.stamp if answers else "",
            "problems": record.counts.problems,
            "codes": _letters(record, answers, _codes(answers)) if answers else [],
            "looks": self.looks,
            "moved": [place for place, problem in enumerate(record.counts.problems) if problem in moved],
            "golden": _golden_rates(record),
            "marks": marks,
            "shown": record.benchmark.confidential is False,
        }

    @property
    def first_wrong(self) -> str:
        """Where a wrong answer can be read; empty where there is none."""
        if self.answers is None:
            return ""
        place = {problem: number for number, problem in enumerate(self.record.counts.problems)}
        ends = zip(self.answers.of, column(self.answers.of, "ended"), strict=True)
        wrong = (key for key, ended in ends if ended in _WRONG)
        return next((f"#answers/{self.place}/{place[problem]}/{sample}/wrong" for problem, sample in wrong), "")

    @property
    def _unverified(self) -> bool:
        return bool(UNVERIFIED & {one.code for one in self.record.notes})

    @property
    def _margin(self) -> Said:
        judged, (low, high) = self.record.judgement, self.record.judgement.interval
        return both(
            "margin",
            points=f"{100 * judged.d:+.2f}",
            allowed=self.allowed,
            low=f"{100 * (low - judged.reference):+.2f}",
            high=f"{100 * (high - judged.reference):+.2f}",
        )

    @property
    def _problems(self) -> Said:
        counts = self.record.counts
        rates = [(c / k, p) for p, c, k in zip(counts.problems, counts.correct, counts.samples, strict=True)]
        hardest = [problem for rate, problem in sorted(rates) if rate < 1][:HARDEST]
        never, always = sum(rate == 0 for rate, _ in rates), sum(rate == 1 for rate, _ in rates)
        return both(
            "which_problems",
            n=len(rates),
            always=always,
            mixed=len(rates) - always - never,
            never=never,
            hardest=", ".join(hardest) or "-",
        )

    @property
    def _cut(self) -> Said:
        return both("how_many_cut", cut=self.record.truncations, planned=f"{self.planned:,}")

    @property
    def _length(self) -> Said:
        cap, mean = f"{self.record.sampling.max_tokens:,}", self.record.tokens.per_sample
        tokens = [*filter(None, column(self.answers.of, "tokens"))] if self.answers else []
        if mean is None:
            return both("length_not_counted", cap=cap)
        longest = f"{max(tokens):,}" if tokens else "-"
        return both("how_long", mean=f"{mean:,.0f}", longest=longest, cap=cap)

    @property
    def _server(self) -> Said:
        engine = self.record.engine
        named = {*filter(None, column(self.answers.of, "endpoint"))} if self.answers else set()
        where = both("at_addresses", addresses=", ".join(sorted(named))) if named else plain("")
        return both("which_server", engine=f"{engine.engine} {engine.version}", model=engine.model, where=where)

    @property
    def _speed(self) -> Said:
        times = self.record.times
        if not times or not times.stream_tokens_per_s.count:
            return both("speed_not_taken")
        at_most = both("at_most", n=times.concurrency) if times.concurrency else both("elsewhere")
        return both(
            "how_fast",
            ttft=duration(times.ttft_s.p50),
            rate=number(times.stream_tokens_per_s.p50),
            at_most=at_most,
        )

    @property
    def _trust(self) -> Said:
        return both("trust", hardware=self.hardware, notes=len(self.record.notes))

    def _end(self, ended: Ended, count: int) -> Bar:
        share = count / self.planned
        style = {Ended.CORRECT: "bar-correct", Ended.CUT: "bar-cut", Ended.UNDECIDED: "bar-open"}.get(
            ended, "bar-wrong"
        )
        style = "bar-error" if ended in {Ended.FAILED, Ended.MISSING} else style
        return Bar(
            name=both(f"ended_{ended}"),
            share=share,
            cells=(f"{count:,}", _percent(share)),
            style=style,
            filter=LETTERS[ended] if count else "",
        )


_SENTENCES = {"pass": "kept_sentence", "inconclusive": "open_sentence", "trial": "trial_sentence"}
"""By verdict; a failure is too low or too high."""
_ALWAYS = {Ended.CORRECT, Ended.WRONG}
"""Ways to end that are told even where nothing ended so."""
_WRONG = {Ended.WRONG, Ended.LOOP, Ended.CUT, Ended.UNANSWERED, Ended.SERVER}


def told(run: Path, records: Sequence[VerdictRecord], broken: set[str], standing: Mapping[str, bool]) -> Iterator[Told]:
    """The promises of a run, with what their folders hold of their answers."""
    for place, record in enumerate(records):
        answers = answers_of(run / record.promise, record)
        yield Told(
            place=place,
            record=record,
            answers=answers if answers.grades else None,
            golden=_golden_answers(record),
            earlier=record.promise in broken,
            stands=standing.get(record.promise),
        )


def _golden_answers(record: VerdictRecord) -> Answers | None:
    folder = Path(record.golden.folder) if record.golden and record.golden.folder else None
    try:
        theirs = read_verdict(folder) if folder else None
    except StoreError:
        return None
    return answers_of(folder, theirs) if folder and theirs else None


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _group_bar(row: Group) -> Bar:
    reach = 2 * row.se
    return Bar(
        name=plain(row.group),
        share=row.score,
        low=max(row.score - reach, 0.0),
        high=min(row.score + reach, 1.0),
        cells=(f"{row.n:,}", f"{100 * row.score:.1f} ± {100 * reach:.1f}"),
    )


def _letters(record: VerdictRecord, answers: Answers, of: Iterable[str]) -> list[str]:
    """A letter for each planned sample, a text for each problem."""
    letters: dict[str, list[str]] = {problem: [] for problem in record.counts.problems}
    for (problem, _), letter in zip(answers.of, of, strict=True):
        letters[problem].append(letter)
    return ["".join(found) for found in letters.values()]


def _codes(answers: Answers) -> Iterator[str]:
    """How the page names each planned sample."""
    ends = zip(column(answers.of, "ended"), column(answers.of, "cut"), strict=True)
    return (letter_of(ended, cut=cut) for ended, cut in ends)


def _golden_rates(record: VerdictRecord) -> list[list[int]]:
    golden = record.golden
    return [[c, k] for c, k in zip(golden.correct, golden.planned, strict=True)] if golden else []
