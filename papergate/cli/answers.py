"""What `papergate grade` reads: JSON Lines of any length, a line at a time, or a log as `--predictions` takes it."""

import gzip
import json
import os
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from papergate.engines import Finish
from papergate.engines.logs import Row, read_log
from papergate.engines.logs.plain import FINISH_FIELDS, GOLD_FIELDS, ID_FIELDS
from papergate.engines.logs.rows import first, has_words, id_of_text, quotable
from papergate.engines.remote.answer import FINISHES
from papergate.errors import OptionsError, PredictionsError
from papergate.files import MEBIBYTE, Twice, each_once, reason
from papergate.printable import one_line
from papergate.run_folder.notes import note
from papergate.scoring import AnswerKind, Attempt
from papergate.scoring.equivalence import check_readable, vote_key
from papergate.thoughts import ThoughtMarks
from papergate.words import worded

STDIN = "-"
IDS = ("id", "unique_id", "problem_id", "idx", "index", *ID_FIELDS)
"""Under these names an answer's id is looked for; a problem's own text last."""
OPTION_FIELDS = ("options", "choices")
GOLD = "gold"
"""The field of the right answer where no option names another."""
SOLVED = "#### "
"""GSM8K's golds are worked solutions, and the answer stands after this."""
PACKED = b"\x1f\x8b"
"""The first bytes of gzip; no JSON begins so."""
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
    """Gold answers by id, from a file of their own; they count before those of a line."""

    @property
    def names_fields(self) -> bool:
        """Whether the user named a field, in whose place no other one may be read."""
        return bool(self.answer_field) or self.gold_field != GOLD

    def field_of(self, row: Mapping[str, Any]) -> str:
        """The field of the given answer."""
        has_answer = "answer" in row and self.gold_field != "answer"
        return self.answer_field or self.mode or ("answer" if has_answer else "response")

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
    if source != STDIN and (os.path.isdir(source) or source.endswith((".json", ".parquet", ".eval"))):  # noqa: PTH112 - no error
        yield _of_log(path, layout)
        return
    place = "standard input" if source == STDIN else source
    with _stream(source) as stream:
        rows = _rows(stream, place)
        head = next(rows, None)
        if head is None:
            raise worded(PredictionsError, note("answers_none", place=place))
        if source != STDIN and not (layout.fits(head[1]) or layout.names_fields) and _is_log(path):
            yield _of_log(path, layout)
        else:
            yield (_item(row, number, layout, place) for number, row in chain([head], rows))


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
            for identity in (*ids, *map(id_of_text, filter(has_words, ids))):
                if golds.setdefault(identity, str(gold)) != str(gold):
                    said = note("gold_of_two", file=f"{path}", line=number, id=quotable(identity))
                    raise worded(PredictionsError, said)
    return golds


@contextmanager
def _stream(source: str) -> Iterator[IO[bytes]]:
    """The bytes of the source, unpacked; reading a file moves a bar on a terminal."""
    if source == STDIN:
        if sys.stdin is None:
            raise worded(PredictionsError, note("input_closed"))
        yield _unpacked(sys.stdin.buffer, sys.stdin.buffer)
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - entered below, where its errors are those of a line
    except OSError as error:
        raise worded(PredictionsError, note("answers_unread", file=source, reason=reason(error))) from error
    with file, _with_bar(file, Path(source)) as read:
        yield _unpacked(file, read)


def _unpacked(file: BinaryIO, read: BinaryIO) -> IO[bytes]:
    """What ``read`` reads of ``file``, unpacked where its first bytes are those of gzip, whatever its name."""
    packed = cast("BufferedReader", file).peek(len(PACKED)).startswith(PACKED)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=read)) if packed else read


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
                yield number, _parsed(line, f"{place}, line {number}")
    except (OSError, EOFError, zlib.error) as error:
        seen = {"place": f"{place}, line {number + 1}", "error": f"{error}"}
        raise worded(PredictionsError, note("answers_undecoded", **seen)) from error


def _parsed(line: bytes, place: str) -> dict[str, Any]:
    """The object in a line, its numbers as they are written."""
    try:
        row = json.loads(
            line.decode("utf-8-sig"),
            parse_int=_integer,
            parse_float=str,
            parse_constant=_constant,
            object_pairs_hook=each_once,
        )
    except UnicodeDecodeError as error:
        raise worded(PredictionsError, note("answers_undecoded", place=place, error=f"{error}")) from error
    except Twice as error:
        raise worded(
            PredictionsError, note("answer_field_twice", place=place, field=one_line(f"{error}", QUOTED))
        ) from error
    except (ValueError, RecursionError) as error:
        raise worded(PredictionsError, note("answer_malformed", place=place, error=f"{error}")) from error
    if not isinstance(row, dict):
        raise worded(PredictionsError, note("answer_no_object", place=place, kind=type(row).__name__))
    return row


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_INTEGER else text


def _constant(text: str) -> str | None:
    """NaN, as Python writes what is missing, is nothing; an infinity stays its text."""
    return None if text == "NaN" else text


def _item(row: Mapping[str, Any], number: int, layout: Layout, place: str) -> Item:
    name = layout.field_of(row)
    identity = first(row, IDS)
    gold = layout.golds.get(str(identity), row.get(layout.gold_field))
    for needed in [name] if gold is not None else [name, layout.gold_field]:
        if needed not in row:
            seen = {"field": needed, "fields": sorted(row)}
            raise worded(PredictionsError, note("answer_without_field", place=place, line=number, **seen))
    line = f"{place}, line {number}"
    _require_text(layout.gold_field, gold, line)
    _require_text(name, row[name], line)
    return Item(
        identity=number if identity is None else identity,
        attempt=_attempt(
            row[name],
            _held("" if gold is None else str(gold), layout, line),
            layout,
            bare=layout.mode == "answer" or (not layout.mode and name == "answer"),
            cut=FINISHES.get(str(first(row, FINISH_FIELDS)).lower()) is Finish.LENGTH,
            options=_options(first(row, OPTION_FIELDS), layout.letters),
        ),
    )


def _require_text(field: str, value: object, place: str) -> None:
    """See that a field holds one text; a list of samples would be graded as the text of a list."""
    if isinstance(value, list | dict):
        seen = {"field": field, "kind": type(value).__name__}
        raise worded(PredictionsError, note("answer_no_text", place=place, **seen))


def _held(gold: str, layout: Layout, place: str) -> str:
    """The right answer of a gold.

    A gold that its kind cannot hold would make every answer wrong; mathematics may be prose, which equals itself.
    """
    answer = gold.rpartition(SOLVED)[2].strip()
    is_known = layout.kind is not AnswerKind.CHOICE or vote_key(answer, layout.kind) in set(layout.letters)
    is_read = layout.kind is AnswerKind.MATH or check_readable(answer, layout.kind)
    if not (answer and is_known and is_read):
        raise worded(PredictionsError, note("gold_unread", place=place, gold=gold[:QUOTED], kind=layout.kind))
    return answer


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
    if layout.names_fields:
        raise worded(OptionsError, note("fields_of_log", log=f"{path}"))
    rows = read_log(path)
    missing = next((row for row in rows if row.gold is None and row.problem not in layout.golds), None)
    if missing is not None:
        raise worded(PredictionsError, note("gold_missing", file=f"{path}", problem=missing.problem))
    golds = [_held(_gold_of(row, layout), layout, f"{path}, sample {at}") for at, row in enumerate(rows, start=1)]
    return (_of_row(row, gold, layout) for row, gold in zip(rows, golds, strict=True))


def _gold_of(row: Row, layout: Layout) -> str:
    return layout.golds.get(row.problem, row.gold or "")


def _of_row(row: Row, gold: str, layout: Layout) -> Item:
    identity = row.problem if row.sample is None else f"{row.problem}/{row.sample}"
    return Item(
        identity=identity,
        attempt=_attempt(row.text, gold, layout, bare=layout.mode == "answer", cut=row.cut),
        error="" if row.text is not None else row.error or "failed",
    )
