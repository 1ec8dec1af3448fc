"""Reading the rows of a published file: jsonl, json, csv, parquet, or a folder of MMLU's csv files."""

import csv
import hashlib
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from pathlib import Path

from papergate.errors import BenchmarkError
from papergate.extras import install
from papergate.files import MOST_DATA, parsed, read_plain, reason, require_plain, text_of
from papergate.run_folder.notes import note
from papergate.words import worded

MMLU_COLUMNS = ("question", "A", "B", "C", "D", "answer")
FORMATS = "a .jsonl, .json, .csv or .parquet file, or a folder of *_test.csv files"


def read_rows(paths: Iterable[Path]) -> list[dict[str, object]]:
    """Every row of ``paths``, in order.

    Raises:
        BenchmarkError: a file is missing, or is not what its ending says, with the line where it stops being that.
    """
    return [row for path in paths for row in _rows_of(path)]


def file_digest(paths: Iterable[Path]) -> str:
    """sha256 of the file; of the digests of all of them where there are several."""
    digests = [hashlib.sha256(read_plain(path, most=MOST_DATA)).hexdigest() for path in paths if path.is_file()]
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def rows_of_split(folder: Path, split: str) -> list[dict[str, object]]:
    """The rows of MMLU's ``*_SPLIT.csv`` in ``folder``, in its folder ``SPLIT``, or in the one beside it."""
    for place in (folder, folder / split, folder.parent / split):
        if files := sorted(place.glob(f"*_{split}.csv")):
            return [row for file in files for row in _checked(file, _mmlu_rows)]
    return []


def _rows_of(path: Path) -> list[dict[str, object]]:
    if path.is_dir():
        return rows_of_split(path, "test")
    readers = {".jsonl": _jsonl, ".json": _json, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix)
    if reader is None:
        raise worded(BenchmarkError, note("benchmark_of_no_format", file=f"{path}", formats=FORMATS))
    return _checked(path, reader)


def _checked(path: Path, reader: Callable[[Path], list[dict[str, object]]]) -> list[dict[str, object]]:
    try:
        require_plain(path, most=MOST_DATA)
        return reader(path)
    except FileNotFoundError as error:
        raise worded(BenchmarkError, note("benchmark_no_file", file=str(path), formats=FORMATS)) from error
    except OSError as error:
        raise worded(
            BenchmarkError, note("benchmark_unread", file=f"{path}", reason=reason(error), formats=FORMATS)
        ) from error
    except (ValueError, csv.Error) as error:
        raise worded(
            BenchmarkError, note("benchmark_malformed", file=f"{path}", kind=path.suffix, error=f"{error}")
        ) from error


def _jsonl(path: Path) -> list[dict[str, object]]:
    rows = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            row = _decoded(line, f"line {number}")
            rows.append(row)
    return rows


def _decoded(line: str, place: str) -> dict[str, object]:
    try:
        row = parsed(line)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    if not isinstance(row, dict):
        raise ValueError(f"{place}: {type(row).__name__} where an object is expected")  # noqa: TRY004 - a bad file, not a bug
    return row


def _json(path: Path) -> list[dict[str, object]]:
    """A list of rows, or an object of rows keyed by their index as OpenCompass writes it."""
    content = parsed(_text(path))
    rows = list(content.values()) if isinstance(content, dict) else content
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("neither a list of objects nor an object of objects")
    return rows


def _text(path: Path) -> str:
    return text_of(read_plain(path, most=MOST_DATA))


def _table(path: Path) -> list[list[str]]:
    """Every row of a csv file; a field may have any length, as the file has a bounded one."""
    csv.field_size_limit(MOST_DATA)
    return list(csv.reader(StringIO(_text(path), newline=""), strict=True))


def _csv(path: Path) -> list[dict[str, object]]:
    names, *rows = _table(path) or [[]]
    return [_named(names, row, number) for number, row in enumerate(rows, start=2) if row]


def _named(names: Sequence[str], row: Sequence[str], number: int) -> dict[str, object]:
    if len(row) != len(names):
        raise ValueError(f"row {number} has {len(row)} fields where {len(names)} are expected")
    return dict(zip(names, row, strict=True))


def _mmlu_rows(path: Path) -> list[dict[str, object]]:
    subject = path.stem.rpartition("_")[0]
    rows = enumerate(_table(path), start=1)
    return [{**_named(MMLU_COLUMNS, row, number), "subject": subject} for number, row in rows]


def _parquet(path: Path) -> list[dict[str, object]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise worded(BenchmarkError, note("benchmark_needs_pyarrow", file=f"{path}", install=install("hub"))) from error
    try:
        rows: list[dict[str, object]] = parquet.read_table(path).to_pylist()
    except ArrowException as error:
        raise ValueError(str(error)) from error
    return rows
