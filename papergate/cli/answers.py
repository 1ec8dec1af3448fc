"""What `papergate grade` reads: JSON Lines of any length, a line at a time, or a log as `--predictions` takes it."""

import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from papergate.engines import Finish
from papergate.engines.logs import Row, read_log
from papergate.engines.logs.plain import FINISH_FIELDS, GOLD_FIELDS, ID_FIELDS
from papergate.engines.logs.rows import first, has_words, id_of_text
from papergate.engines.remote.answer import FINISHES
from papergate.errors import PredictionsError
from papergate.files import MEBIBYTE, reason
from papergate.run_folder.notes import note
from papergate.scoring import AnswerKind, Attempt
from papergate.scoring.equivalence import check_readable
from papergate.thoughts import ThoughtMarks
from papergate.words import worded

STDIN = "-"
IDS = ("id", "unique_id", "problem_id", "idx", "index", *ID_FIELDS)
"""Under these names an answer's id is looked for; a problem's own text last."""
OPTION_FIELDS = ("options", "choices")
MOST_LINE = 64 * MEBIBYTE  # bytes of a line; bounds the memory that a file without line ends takes
QUOTED = 80  # characters of a gold in a message
_LONGEST_INTEGER = 18  # digits; a longer one stays the text that it is in the file


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One answer that is graded, or that never came."""

    identity: object
    attempt: Attempt
    error: str = ""
    """Why no answer came: a failed request is no wrong answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Which fields hold what, and how the answers are read."""

    gold_field: str
    answer_field: str
    """Empty where the file decides: `answer`, else `response`."""
    mode: str
    """`answer` for bare answers, `response` for whole completions; empty where the field decides."""
    kind: AnswerKind
    thinks: bool
    letters: str
    marks: ThoughtMarks | None = None
    golds: Mapping[str, str] = field(default_factory=dict)
    """Gold answers by id, from a file of their own."""

    def field_of(self, row: Mapping[str, Any]) -> str:
        """The field of the given answer."""
        return self.answer_field or self.mode or ("answer" if "answer" in row else "response")

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether a line holds a gold and a given answer."""
        return self.field_of(row) in row and (self.gold_field in row or str(first(row, IDS)) in self.golds)


@contextmanager
def opened(source: str, layout: Layout) -> Iterator[Iterator[Item]]:
    """The answers of a file, a log or standard input, with a bar on stderr where that is a terminal.

    Raises:
        PredictionsError: it cannot be read, or a line of it is not what is accepted.
    """
    path = Path(source)
    if source != STDIN and (path.is_dir() or path.name.endswith((".json", ".parquet", ".eval"))):
        yield _of_log(path, layout)
        return
    place = "standard input" if source == STDIN else source
    with _stream(source) as stream:
        rows = _rows(stream, place)
        head = next(rows, None)
        if head is not None and source != STDIN and not layout.fits(head[1]) and _is_log(path):
            yield _of_log(path, layout)
        else:
            yield (_item(row, number, layout, place) for number, row in chain([head] if head else [], rows))


def golds_of(path: Path) -> dict[str, str]:
    """Gold answers by each id of a row, its problem's text included, from JSON Lines such as a benchmark's file.

    Raises:
        PredictionsError: it cannot be read, or a line of it has no id or no gold answer.
    """
    golds: dict[str, str] = {}
    with _stream(str(path)) as stream:
        for number, row in _rows(stream, str(path)):
            ids, gold = [str(row[name]) for name in IDS if row.get(name) is not None], first(row, GOLD_FIELDS)
            if not ids or gold is None:
                seen = {"fields": sorted(row), "ids": ", ".join(IDS), "golds": ", ".join(GOLD_FIELDS)}
                raise worded(PredictionsError, note("gold_without_id", file=f"{path}", line=number, **seen))
            golds |= dict.fromkeys([*ids, *map(id_of_text, filter(has_words, ids))], str(gold))
    return golds


@contextmanager
def _stream(source: str) -> Iterator[IO[bytes]]:
    """The bytes of the source, unpacked; reading a file moves a bar on a terminal."""
    if source == STDIN:
        if sys.stdin is None:
            raise worded(PredictionsError, note("input_closed"))
        yield sys.stdin.buffer
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - entered below, where its errors are those of a line
    except OSError as error:
        raise worded(PredictionsError, note("answers_unread", file=source, reason=reason(error))) from error
    with file, _with_bar(file, Path(source)) as read:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=read)) if source.endswith(".gz") else read


@contextmanager
def _with_bar(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    if not (sys.stderr.isatty() and path.is_file()):
        yield file
        return
    from rich.console import Console
    from rich.progress import wrap_file

    with wrap_file(file, path.stat().st_size, description="grading", console=Console(stderr=True)) as read:
        yield read


def _rows(lines: IO[bytes], place: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line that is not blank."""
    number = 0
    try:
        for number, line in enumerate(iter(partial(lines.readline, MOST_LINE + 1), b""), start=1):
            if len(line) > MOST_LINE:
                raise worded(
                    PredictionsError, note("line_too_long", place=place, line=number, most=MOST_LINE // MEBIBYTE)
                )
            if line.strip():
                yield number, _parsed(line.decode("utf-8-sig"), f"{place}, line {number}")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        seen = {"place": place, "line": number, "error": f"{error}"}
        raise worded(PredictionsError, note("answers_undecoded", **seen)) from error


def _parsed(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise worded(PredictionsError, note("answer_malformed", place=place, error=f"{error}")) from error
    if not isinstance(row, dict):
        raise worded(PredictionsError, note("answer_no_object", place=place, kind=type(row).__name__))
    return row


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_INTEGER else text


def _item(row: Mapping[str, Any], number: int, layout: Layout, place: str) -> Item:
    name = layout.field_of(row)
    identity = first(row, IDS)
    gold = row.get(layout.gold_field, layout.golds.get(str(identity)))
    for needed, is_there in ((layout.gold_field, gold is not None), (name, name in row)):
        if not is_there:
            seen = {"field": needed, "fields": sorted(row)}
            raise worded(PredictionsError, note("answer_without_field", place=place, line=number, **seen))
    _require_held(str(gold), layout, f"{place}, line {number}")
    return Item(
        identity=number if identity is None else identity,
        attempt=_attempt(
            row[name],
            str(gold),
            layout,
            bare=layout.mode == "answer" or (not layout.mode and name == "answer"),
            cut=FINISHES.get(str(first(row, FINISH_FIELDS)).lower()) is Finish.LENGTH,
            options=_options(first(row, OPTION_FIELDS), layout.letters),
        ),
    )


def _require_held(gold: str, layout: Layout, place: str) -> None:
    """A gold that its kind cannot hold would make every answer wrong; mathematics may be prose, which equals itself."""
    if layout.kind is not AnswerKind.MATH and not check_readable(gold, layout.kind):
        raise worded(PredictionsError, note("gold_unread", place=place, gold=gold[:QUOTED], kind=layout.kind))


def _attempt(
    text: object,
    gold: str,
    layout: Layout,
    *,
    bare: bool = False,
    cut: bool = False,
    options: Mapping[str, str] | None = None,
) -> Attempt:
    return Attempt(
        text=None if text is None else str(text),
        gold=gold,
        kind=layout.kind,
        thinks=layout.thinks,
        letters=layout.letters,
        options=options,
        marks=layout.marks,
        cut=cut,
        bare=bare,
    )


def _options(stated: object, letters: str) -> dict[str, str] | None:
    """The texts of the options by their letters, from a list in their order or an object."""
    if isinstance(stated, dict):
        return {str(letter): str(text) for letter, text in stated.items()}
    return dict(zip(letters, map(str, stated), strict=False)) if isinstance(stated, list) else None


def _is_log(path: Path) -> bool:
    """Whether a file whose first line is no pair of answers is the log of a tool."""
    try:
        return bool(read_log(path))
    except PredictionsError:
        return False


def _of_log(path: Path, layout: Layout) -> Iterator[Item]:
    """The samples of a log; those that failed are named and not graded."""
    rows = read_log(path)
    missing = next((row for row in rows if row.gold is None and row.problem not in layout.golds), None)
    if missing is not None:
        raise worded(PredictionsError, note("gold_missing", file=f"{path}", problem=missing.problem))
    for number, row in enumerate(rows, start=1):
        _require_held(_gold_of(row, layout), layout, f"{path}, sample {number}")
    return (_of_row(row, layout) for row in rows)


def _gold_of(row: Row, layout: Layout) -> str:
    return layout.golds.get(row.problem, row.gold or "")


def _of_row(row: Row, layout: Layout) -> Item:
    identity = row.problem if row.sample is None else f"{row.problem}/{row.sample}"
    return Item(
        identity=identity,
        attempt=_attempt(row.text, _gold_of(row, layout), layout, cut=row.cut),
        error="" if row.text is not None else row.error or "failed",
    )
