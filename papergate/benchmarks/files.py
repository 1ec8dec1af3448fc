"""Reading the rows of a published file: jsonl, json, csv, parquet, or a folder of MMLU's csv files."""

import csv
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from papergate.errors import BenchmarkError

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
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()]
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _rows_of(path: Path) -> list[dict[str, object]]:
    if path.is_dir():
        return [row for file in sorted(path.glob("*_test.csv")) for row in _mmlu_rows(file)]
    readers = {".jsonl": _jsonl, ".json": _json, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix)
    if reader is None:
        raise BenchmarkError(f"{path}: not a format papergate reads; give {FORMATS}")
    try:
        return reader(path)
    except FileNotFoundError as error:
        raise BenchmarkError(f"{path}: no such file; give {FORMATS}") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path}: not a {path.suffix} file: {error}") from error


def _jsonl(path: Path) -> list[dict[str, object]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if line.strip():
            row = _decoded(line, f"line {number}")
            rows.append(row)
    return rows


def _decoded(line: str, place: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    if not isinstance(row, dict):
        raise ValueError(f"{place}: {type(row).__name__} where an object is expected")  # noqa: TRY004 - a bad file, not a bug
    return row


def _json(path: Path) -> list[dict[str, object]]:
    """A list of rows, or an object of rows keyed by their index as OpenCompass writes it."""
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = list(content.values()) if isinstance(content, dict) else content
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("neither a list of objects nor an object of objects")
    return rows


def _csv(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


def _mmlu_rows(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    subject = path.stem.removesuffix("_test")
    return [{**dict(zip(MMLU_COLUMNS, row, strict=True)), "subject": subject} for row in rows]


def _parquet(path: Path) -> list[dict[str, object]]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise BenchmarkError(f"{path}: reading parquet needs pyarrow; pip install -e '.[hub]'") from error
    rows: list[dict[str, object]] = parquet.read_table(path).to_pylist()
    return rows
