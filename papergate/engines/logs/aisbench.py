"""AISBench: a line for each request that was answered, and those that failed in a file of their own beside it.

``NAME.jsonl`` has no line for a request that failed; ``NAME_failed.jsonl`` has one, with the error. Whether the token
limit ended a text is not written, nor is the name of the model: the folder's name is that of its configuration.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from papergate.engines.logs.files import read_source
from papergate.engines.logs.numbering import problems_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, holding, listed

ACCEPTS = "lines of {data_abbr, id, success, origin_prompt, prediction, gold}"
ANSWERED, FAILED = {"data_abbr", "id", "prediction"}, {"data_abbr", "id", "error_info"}


def _fits(row: Columns) -> bool:
    return row.keys() >= ANSWERED and str(row["id"]).isdecimal()


def _rows(source: Source) -> Iterator[Row]:
    rows = [row for _, row in source.columns(holding(ANSWERED), ACCEPTS)] + _failed(source.path)
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


def _failed(path: Path) -> list[Columns]:
    beside = path.with_name(f"{path.stem}_failed.jsonl")
    return [row for _, row in read_source(beside).columns(holding(FAILED), ACCEPTS)] if beside.exists() else []


AISBENCH = Layout(tool="AISBench", accepts=ACCEPTS, fits=_fits, rows=_rows)
