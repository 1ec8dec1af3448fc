"""papergate's own ``completions.jsonl``, as a run left it: the last answer counts, and a failure only where none came.

A run appends: a sample that failed and was asked again has two lines. The model's name is in ``manifest.json`` beside
the file.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from papergate.engines.logs.files import ENDINGS, json_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, holding, sample_number
from papergate.engines.records import Finish
from papergate.errors import PredictionsError
from papergate.files import parsed, text_of
from papergate.run_folder.files import COMPLETIONS_FILE, MANIFEST_FILE
from papergate.run_folder.notes import note
from papergate.words import worded

COLUMNS = {"problem", "sample", "seed", "text", "finish", "attempts"}
_fits = holding(COLUMNS)
ACCEPTS = f"{COMPLETIONS_FILE} of a run, lines of {{{', '.join(sorted(COLUMNS))}, ..}}"


FIRST_LINES, MOST_BYTES = 3, 1 << 26
"""A line of a run follows an empty one."""


def own_files(path: Path) -> list[Path]:
    """The files of papergate's own at ``path``, a file or a folder, among those that `read_log` reads."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in files if file.is_file() and file.name.endswith(ENDINGS) and _fits(_first_row(file))]


def first_line(file: IO[bytes] | gzip.GzipFile) -> bytes:
    """The first line with text, at most its first `MOST_BYTES`. Empty if no line has text."""
    lines = (file.readline(MOST_BYTES).strip() for _ in range(FIRST_LINES))
    return next(filter(None, lines), b"")


def _first_row(path: Path) -> Columns:
    """The first row of a file of JSON lines; empty where it is another file."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            row = parsed(text_of(first_line(file)))
    except (OSError, ValueError, EOFError):
        return {}
    return row if isinstance(row, dict) else {}


def _rows(source: Source) -> Iterator[Row]:
    manifest = json_of(source.path.with_name(MANIFEST_FILE))
    if shard := manifest.get("shard"):
        raise worded(PredictionsError, note("log_is_shard", log=f"{source.path}", shard=shard))
    model = str(manifest.get("model") or "")
    last: dict[tuple[str, int], Columns] = {}
    for place, row in source.columns(_fits, ACCEPTS):
        key = str(row["problem"]), sample_number(row["sample"], place)
        if row["finish"] != Finish.FAILED or key not in last:
            last[key] = row
    for (problem, sample), row in last.items():
        finish, reason = _finish(row["finish"], problem), row.get("finish_reason")
        yield Row(
            problem=problem,
            sample=sample,
            text=None if finish is Finish.FAILED else str(row["text"]),
            finish=finish,
            finish_reason=str(reason) if reason else None,
            error=str(row.get("error") or ""),
            model=model,
        )


def _finish(found: object, problem: str) -> Finish:
    try:
        return Finish(str(found))
    except ValueError:
        raise worded(
            PredictionsError, note("log_other_finish", problem=problem, finish=found, known=", ".join(Finish))
        ) from None


PAPERGATE = Layout(tool="papergate", accepts=ACCEPTS, fits=_fits, rows=_rows)
