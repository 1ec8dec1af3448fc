"""What the page tells of each completion at a glance; the texts stay on disk."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from string import ascii_lowercase
from typing import Any, BinaryIO

import orjson

from papergate.completions.contents import Key, Place
from papergate.completions.lines import hash_of
from papergate.diagnosis.kinds import Kind
from papergate.engines.records import Finish
from papergate.files import open_kept
from papergate.run_folder.files import COMPLETIONS_FILE, GRADES_FILE, QUESTIONS_FILE, REPLAYED_FILE
from papergate.run_folder.verdict import VerdictRecord
from papergate.scoring import Outcome

Fields = Mapping[str, Any]


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
    place: Place | None = None
    """Where its line is; None where none came. Lines are in the order in which answers came."""

    @property
    def letter(self) -> str:
        """How the page's data names it."""
        letter = LETTERS[self.ended]
        return letter.upper() if self.cut else letter


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """The planned samples of a promise, and what goes with their texts."""

    of: Mapping[Key, Answer]
    grades: Mapping[Key, Fields]
    questions: Mapping[str, str]
    """What was asked, by problem; empty where it must not be shown, or was not put down."""
    source: Path | None
    """The file that holds the lines; None where there is none."""
    stamp: str
    """Another one for other completions or other grades."""

    def in_order(self) -> list[tuple[Key, Answer]]:
        """Those that came, in the order in which they came."""
        came = [(answer.place, key, answer) for key, answer in self.of.items() if answer.place]
        return [(key, answer) for _, key, answer in sorted(came, key=lambda one: one[0])]


@dataclass(kw_only=True, slots=True)
class _Lines:
    """What a file of completions says, without the texts."""

    source: Path | None = None
    link: int = 0
    found: dict[Key, tuple[Fields, Place]] = field(default_factory=dict)


def answers_of(folder: Path, record: VerdictRecord) -> Answers:
    """What is known of each planned sample of the promise in ``folder``; what cannot be read is not known."""
    replayed = record.engine.engine == REPLAY
    lines, (grades, graded) = _lines_in(folder / (REPLAYED_FILE if replayed else COMPLETIONS_FILE)), _grades_of(folder)
    return Answers(
        of={key: _answer(grades.get(key), lines.found.get(key)) for key in planned_of(record)},
        grades=grades,
        questions=_questions_of(folder) if record.benchmark.confidential is False else {},
        source=lines.source,
        stamp=f"{hash_of(graded, lines.link):016x}",
    )


def planned_of(record: VerdictRecord) -> Iterator[Key]:
    """Problem and number of every planned sample."""
    for problem, samples in zip(record.counts.problems, record.counts.samples, strict=True):
        yield from ((problem, sample) for sample in range(samples))


def _answer(grade: Fields | None, line: tuple[Fields, Place] | None) -> Answer:
    if line is None:
        return Answer(ended=_ended(grade, None), kind=grade.get("kind") if grade else None)
    fields, place = line
    cut = fields.get("finish") == Finish.LENGTH or bool(grade and grade.get("reason") in {"truncated", "cut off"})
    return Answer(
        ended=_ended(grade, fields),
        cut=cut,
        kind=grade.get("kind") if grade else None,
        tokens=fields.get("output_tokens"),
        ttft_s=fields.get("ttft_s"),
        e2e_s=fields.get("e2e_s"),
        endpoint=fields.get("endpoint"),
        place=place,
    )


def _ended(grade: Fields | None, line: Fields | None) -> Ended:
    if grade is None:
        return Ended.FAILED if line and line.get("finish") == Finish.FAILED else Ended.MISSING
    if grade["outcome"] != Outcome.INCORRECT:
        return Ended.CORRECT if grade["outcome"] == Outcome.CORRECT else Ended.UNDECIDED
    if grade.get("kind") == Kind.LOOP:
        return Ended.LOOP
    return _BY_REASON.get(grade.get("reason") or "", Ended.WRONG)


def _lines_in(path: Path) -> _Lines:
    try:
        with open(open_kept(path, os.O_RDONLY), "rb") as file:  # noqa: PTH123 - of a descriptor
            return _read(file, path)
    except OSError:
        return _Lines()


def _read(file: BinaryIO, source: Path) -> _Lines:
    """The last line of each sample that did not fail, else its last failure; no more than one text is held."""
    lines, at = _Lines(source=source), 0
    for line in file:
        if fields := _fields(line):
            key = (fields["problem"], fields["sample"])
            if key not in lines.found or fields["finish"] != Finish.FAILED:
                lines.found[key] = (fields, (at, len(line.rstrip(b"\n"))))
        lines.link = hash_of(line, lines.link)
        at += len(line)
    return lines


def _fields(line: bytes) -> Fields | None:
    """What the line says beside its text; None where it is no record, which judging has said before."""
    try:
        fields = orjson.loads(line)
        return {name: fields[name] for name in _KEPT}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


_KEPT = ("problem", "sample", "finish", "output_tokens", "ttft_s", "e2e_s", "endpoint")


def _grades_of(folder: Path) -> tuple[dict[Key, Fields], bytes]:
    """The grades by problem and sample, and the bytes that hold them; none where they cannot be read."""
    data = _bytes_of(folder / GRADES_FILE)
    rows = _rows_in(data, GRADE_FIELDS)
    return {(row["problem"], row["sample"]): row for row in rows}, data


def _questions_of(folder: Path) -> dict[str, str]:
    rows = _rows_in(_bytes_of(folder / QUESTIONS_FILE), QUESTION_FIELDS)
    return {row["problem"]: row["question"] for row in rows}


def _rows_in(data: bytes, needed: frozenset[str]) -> list[Fields]:
    """The objects of a file of the run's; none at all where one of them is damaged or lacks a field."""
    try:
        rows = [orjson.loads(line) for line in data.splitlines()]
    except orjson.JSONDecodeError:
        return []
    return rows if all(isinstance(row, dict) and row.keys() >= needed for row in rows) else []


def _bytes_of(path: Path) -> bytes:
    try:
        with open(open_kept(path, os.O_RDONLY), "rb") as file:  # noqa: PTH123 - of a descriptor
            return file.read()
    except OSError:
        return b""
