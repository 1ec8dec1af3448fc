"""AISBench: a line for each request that was answered, and those that failed in a file of their own beside it.

``NAME.jsonl`` has no line for a request that failed; ``NAME_failed.jsonl`` has one, with the error. Whether the token
limit ended a text is not written, nor is the name of the model: the folder's name is that of its configuration.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from papergate.engines.logs.files import read_source
from papergate.engines.logs.numbering import problems_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, listed
from papergate.errors import PredictionsError

ACCEPTS = "lines of {data_abbr, id, success, origin_prompt, prediction, gold}"
ANSWERED, FAILED = {"data_abbr", "id", "prediction"}, {"data_abbr", "id", "error_info"}


def _fits(row: Columns) -> bool:
    return row.keys() >= ANSWERED and str(row["id"]).isdecimal()


def _rows(source: Source) -> Iterator[Row]:
    rows = [*_checked(source, ANSWERED), *_failed(source.path)]
    prompts = [(int(str(row["id"])), json.dumps(row.get("origin_prompt", row.get("input")))) for row in rows]
    problems = problems_of(prompts, source.path)
    for (number, _), row in zip(prompts, rows, strict=True):
        yield from _samples(row, str(problems[number]))


def _samples(row: Columns, problem: str) -> Iterator[Row]:
    """The samples in one row: a prediction, or a list of them where one request drew several."""
    if "prediction" not in row or row.get("success") is False:
        yield Row(problem=problem, text=None, error=str(row.get("error_info") or ""))
        return
    gold = row.get("gold")
    for text in listed(row["prediction"]):
        yield Row(problem=problem, text=str(text), gold=None if gold is None else str(gold))


def _failed(path: Path) -> Iterator[Columns]:
    beside = path.with_name(f"{path.stem}_failed.jsonl")
    return _checked(read_source(beside), FAILED) if beside.exists() else iter(())


def _checked(source: Source, columns: set[str]) -> Iterator[Columns]:
    for place, row in source.columns():
        if not row.keys() >= columns:
            raise PredictionsError(f"{place} has the columns {', '.join(row)}; give {ACCEPTS}")
        yield row


AISBENCH = Layout(tool="AISBench", accepts=ACCEPTS, fits=_fits, rows=_rows)
