"""What the page tells of each completion at a glance; the texts stay on disk."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from enum import StrEnum
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Generic, TypeVar

import orjson
from xxhash import xxh3_64

from papergate.completions.lines import hash_of
from papergate.completions.table import Key, Place, Places, Table
from papergate.diagnosis.kinds import Kind
from papergate.engines.records import Finish
from papergate.files import open_kept
from papergate.run_folder.files import COMPLETIONS_FILE, GRADES_FILE, QUESTIONS_FILE, REPLAYED_FILE
from papergate.run_folder.verdict import VerdictRecord
from papergate.scoring import Outcome

Fields = Mapping[str, Any]
R = TypeVar("R")


class Ended(StrEnum):
    """How a planned sample ended, one way each, so that their counts add up to the plan."""

    CORRECT = "correct"
    WRONG = "wrong"
    LOOP = "loop"
    CUT = "cut"
    """Wrong, and cut off: by the limit, in the thought, or in the answer's box."""
    UNANSWERED = "unanswered"
    SERVER = "server"
    """Refused, filtered or ended by the server."""
    UNDECIDED = "undecided"
    FAILED = "failed"
    MISSING = "missing"


LETTERS: Mapping[Ended, str] = {
    Ended.CORRECT: "c",
    Ended.WRONG: "w",
    Ended.LOOP: "l",
    Ended.CUT: "t",
    Ended.UNANSWERED: "n",
    Ended.SERVER: "s",
    Ended.UNDECIDED: "u",
    Ended.FAILED: "f",
    Ended.MISSING: "m",
}
"""How the page's data names them, in upper case where the completion was cut off."""
LOOKS: Mapping[str, str] = dict(zip(Kind, ascii_lowercase, strict=False))
"""How the page's data names what a completion looks like."""
REPLAY = "replay"
"""Name of the engine where a log was judged."""
_BY_REASON = {
    "truncated": Ended.CUT,
    "cut off": Ended.CUT,
    "refused": Ended.SERVER,
    "ended_by_server": Ended.SERVER,
    "empty": Ended.UNANSWERED,
    "unanswered": Ended.UNANSWERED,
}


GRADE_FIELDS = frozenset({"problem", "sample", "outcome"})
QUESTION_FIELDS = frozenset({"problem", "question"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One planned sample, without its text."""

    ended: Ended
    cut: bool = False
    kind: str | None = None
    """What the completion looks like; None where nobody put it down."""
    tokens: int | None = None
    ttft_s: float | None = None
    e2e_s: float | None = None
    endpoint: str | None = None

    @property
    def letter(self) -> str:
        """How the page's data names it."""
        return letter_of(self.ended, cut=self.cut)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """The planned samples of a promise, and what goes with their texts."""

    of: Mapping[Key, Answer]
    lines: Places
    """Where the line of each is in ``source``, in its order: the last success; then failures of the others."""
    grades: Places
    """Where the grade of each is in ``graded``."""
    questions: Mapping[str, str]
    """What was asked, by problem; empty where it must not be shown, or was not put down."""
    source: Path | None
    """The file that holds the lines; None where there is none."""
    graded: Path
    stamp: str
    """Another one for other completions or other grades."""

    def in_order(self) -> Iterator[tuple[Key, Answer]]:
        """Those that came, in the order in which they came, then those that failed."""
        return ((key, self.of[key]) for key in self.lines if key in self.of)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    """What a line says beside its text."""

    finish: str
    output_tokens: int | None
    ttft_s: float | None
    e2e_s: float | None
    endpoint: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Graded:
    """What a grade says of how its sample ended."""

    outcome: str
    reason: str | None
    kind: str | None


class _Read(Generic[R]):
    """A file of lines, read: what each says, where it is, and a hash of all."""

    def __init__(self, kind: Callable[..., R], path: Path) -> None:
        self.found, self.places, self.path = Table(kind), Places(), path
        self.hash, self._at = xxh3_64(), 0

    def lines(self) -> Iterator[bytes]:
        """One line after another; none where the file cannot be read."""
        with suppress(OSError), open(open_kept(self.path, os.O_RDONLY), "rb") as file:  # noqa: PTH123 - of a descriptor
            for line in file:
                yield line
                self.hash.update(line)
                self._at += len(line)

    def put(self, key: Key, record: R, place: Place) -> None:
        """Put down what a line says, and where it is."""
        self.found.put(key, record)
        self.places.put(key, place)

    def place(self, line: bytes) -> Place:
        """Where the last line is."""
        return self._at, len(line.rstrip(b"\n"))


def answers_of(folder: Path, record: VerdictRecord) -> Answers:
    """What is known of each planned sample of the promise in ``folder``; what cannot be read is not known."""
    replayed = record.engine.engine == REPLAY
    lines, grades = _lines_in(folder / (REPLAYED_FILE if replayed else COMPLETIONS_FILE)), _grades_of(folder)
    of = Table(Answer)
    for key in planned_of(record):
        of.put(key, _answer(grades.found.get(key), lines.found.get(key)))
    return Answers(
        of=of,
        lines=lines.places,
        grades=grades.places,
        questions=_questions_of(folder) if record.benchmark.confidential is False else {},
        source=lines.path if lines.places else None,
        graded=grades.path,
        stamp=f"{hash_of(grades.hash.digest(), lines.hash.intdigest()):016x}",
    )


def letter_of(ended: Ended, *, cut: bool) -> str:
    """How the page's data names an answer that ended so."""
    return LETTERS[ended].upper() if cut else LETTERS[ended]


def planned_of(record: VerdictRecord) -> Iterator[Key]:
    """Problem and number of every planned sample."""
    for problem, samples in zip(record.counts.problems, record.counts.samples, strict=True):
        yield from ((problem, sample) for sample in range(samples))


def _answer(grade: _Graded | None, line: _Line | None) -> Answer:
    kind, ended = grade.kind if grade else None, _ended(grade, line)
    if line is None:
        return Answer(ended=ended, kind=kind)
    return Answer(
        ended=ended,
        cut=line.finish == Finish.LENGTH or bool(grade and grade.reason in {"truncated", "cut off"}),
        kind=kind,
        tokens=line.output_tokens,
        ttft_s=line.ttft_s,
        e2e_s=line.e2e_s,
        endpoint=line.endpoint,
    )


def _ended(grade: _Graded | None, line: _Line | None) -> Ended:
    if grade is None:
        return Ended.FAILED if line and line.finish == Finish.FAILED else Ended.MISSING
    if grade.outcome != Outcome.INCORRECT:
        return Ended.CORRECT if grade.outcome == Outcome.CORRECT else Ended.UNDECIDED
    if grade.kind == Kind.LOOP:
        return Ended.LOOP
    return _BY_REASON.get(grade.reason or "", Ended.WRONG)


def _lines_in(path: Path) -> _Read[_Line]:
    """The last line of each sample that did not fail, else its last failure; no more than one text is held."""
    read, failed = _Read(_Line, path), dict[Key, tuple[_Line, Place]]()
    for line in read.lines():
        fields = _fields(line)
        key = _key_of(fields) if fields else None
        if not (fields and key):
            continue
        said = _Line(
            finish=str(fields["finish"]),
            output_tokens=_number(fields, "output_tokens"),
            ttft_s=_number(fields, "ttft_s"),
            e2e_s=_number(fields, "e2e_s"),
            endpoint=_text(fields, "endpoint"),
        )
        if said.finish == Finish.FAILED:
            failed[key] = said, read.place(line)
        else:
            read.put(key, said, read.place(line))
    for key, (said, place) in failed.items():
        if key not in read.found:
            read.put(key, said, place)
    return read


def _fields(line: bytes) -> Fields | None:
    """What the line says; None where it is no record (judging has already reported that)."""
    try:
        fields = orjson.loads(line)
        return fields if fields.keys() >= {*_KEPT} and _key_of(fields) else None
    except (orjson.JSONDecodeError, AttributeError):
        return None


_KEPT = tuple(one.name for one in dataclass_fields(_Line))


def _grades_of(folder: Path) -> _Read[_Graded]:
    """The grades by problem and sample; none at all where one of them is damaged or lacks a field."""
    read = _Read(_Graded, folder / GRADES_FILE)
    for line in read.lines():
        fields = _row(line, GRADE_FIELDS)
        key = _key_of(fields) if fields else None
        if not (fields and key):
            return _Read(_Graded, folder / GRADES_FILE)
        graded = _Graded(outcome=str(fields["outcome"]), reason=_text(fields, "reason"), kind=_text(fields, "kind"))
        read.put(key, graded, read.place(line))
    return read


def _key_of(fields: Fields) -> Key | None:
    """Problem and sample of a line; None where they cannot be those of one."""
    problem, sample = fields.get("problem"), fields.get("sample")
    return (problem, sample) if isinstance(problem, str) and type(sample) is int and sample >= 0 else None


def _text(fields: Fields, name: str) -> str | None:
    return found if isinstance(found := fields.get(name), str) else None


def _number(fields: Fields, name: str) -> Any:  # noqa: ANN401 - whole or not, as it stands
    return found if type(found := fields.get(name)) in (int, float) else None


def _questions_of(folder: Path) -> dict[str, str]:
    rows = _rows_in(_bytes_of(folder / QUESTIONS_FILE), QUESTION_FIELDS)
    return {row["problem"]: row["question"] for row in rows}


def _rows_in(data: bytes, needed: frozenset[str]) -> list[Fields]:
    """The objects of a file of the run's; none at all where one of them is damaged or lacks a field."""
    rows = [row for line in data.splitlines() if (row := _row(line, needed))]
    return rows if len(rows) == len(data.splitlines()) else []


def _row(line: bytes, needed: frozenset[str]) -> Fields | None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and row.keys() >= needed else None


def _bytes_of(path: Path) -> bytes:
    try:
        with open(open_kept(path, os.O_RDONLY), "rb") as file:  # noqa: PTH123 - of a descriptor
            return file.read()
    except OSError:
        return b""
