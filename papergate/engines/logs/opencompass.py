"""OpenCompass, and AISBench of early 2025: one JSON object keyed by the number of the row.

A request that failed has an empty prediction there, as has an empty answer: an empty one counts as failed. Whether the
token limit ended a text is not written. A run with several workers writes its parts as NAME_0.json, NAME_1.json ..,
each numbered from 0.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from papergate.engines.logs.files import read_source
from papergate.engines.logs.numbering import problems_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, listed

ACCEPTS = "an object {row number: {origin_prompt, prediction, gold}}"
EMPTY = "its prediction is empty, which is how the tool writes a request that failed"
PART = re.compile(r"(.+)_(\d+)")


def _fits(row: Columns) -> bool:
    return "prediction" in row and "origin_prompt" in row and str(row.get("id")).isdecimal() and "data_abbr" not in row


def _entry(path: Path) -> Path:
    """The first part of a log in parts; OpenCompass itself prefers the whole file where both are there."""
    part = PART.fullmatch(path.stem)
    if part is None or path.with_stem(part[1]).exists():
        return path
    start = path.with_stem(f"{part[1]}_0")
    return start if start.exists() else path


def _rows(source: Source) -> Iterator[Row]:
    rows = dict(_numbered(source))
    prompts = ((number, json.dumps(row["origin_prompt"])) for number, row in rows.items())
    problems = problems_of(prompts, source.path)
    for number in sorted(rows):
        yield from _samples(rows[number], str(problems[number]))


def _samples(row: Columns, problem: str) -> Iterator[Row]:
    """The samples in one row: a prediction, or a list of them where one request drew several."""
    gold = row.get("gold")
    for text in listed(row["prediction"]):
        yield Row(
            problem=problem,
            text=str(text) if text else None,
            error="" if text else EMPTY,
            gold=None if gold is None else str(gold),
        )


def _numbered(source: Source) -> Iterator[tuple[int, Columns]]:
    """Every row with its number; each part goes on where the one before it ended."""
    start = 0
    for part in _parts(source):
        end = start
        for _, row in part.columns(_fits, ACCEPTS):
            number = start + int(str(row["id"]))
            end = max(end, number + 1)
            yield number, row
        start = end


def _parts(source: Source) -> Iterator[Source]:
    yield source
    part, number = PART.fullmatch(source.path.stem), 1
    while part and part[2] == "0" and (path := source.path.with_stem(f"{part[1]}_{number}")).exists():
        yield read_source(path)
        number += 1


OPENCOMPASS = Layout(tool="OpenCompass", accepts=ACCEPTS, fits=_fits, rows=_rows, entry=_entry)
