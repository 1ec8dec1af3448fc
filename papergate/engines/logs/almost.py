"""A log that almost fits: which of its columns may be ids and completions, and the two commands that make it fit."""

import json
import shlex
from collections.abc import Sequence

from papergate.engines.logs.plain import GOLD_FIELDS
from papergate.engines.logs.rows import Columns, Source, has_words, is_text

FITTED = "fitted.jsonl"
SHORTEST_TEXT = 20
"""Characters of a completion on average; shorter columns hold answers or names."""


def how_to_fit(source: Source) -> str:
    """The two commands, for rows with a column of long texts and one of ids or problems; empty for other files."""
    rows = [row for _, row in source.entries if isinstance(row, dict)]
    texts = [name for name in source.head if _mean_length(name, rows) >= SHORTEST_TEXT]
    if not rows or not texts or source.path.suffix == ".parquet":
        return ""
    text = max(texts, key=lambda name: _mean_length(name, rows))
    made_here = "id" if source.path.suffix == ".json" else ""  # the row's key, which the file does not have
    names = (name for name in source.head if name not in {text, made_here})
    identity = next((name for name in names if _tells_problems(name, rows)), None)
    if identity is None:
        return ""
    gold = next((name for name in GOLD_FIELDS if name in source.head), None)
    wanted = {"problem" if has_words(rows[0][identity]) else "id": identity, "response": text} | (
        {"gold": gold} if gold else {}
    )
    pairs = ", ".join(f"{name}: .[{json.dumps(column)}]" for name, column in wanted.items())
    each = ".[] | " if source.path.suffix == ".json" else ""
    return (
        f"\nIf {identity!r} tells the problem and {text!r} is the completion, two commands make it fit:\n"
        f"  jq -c {shlex.quote(f'{each}{{{pairs}}}')} {shlex.quote(str(source.path))} > {FITTED}\n"
        f"  pytest tests/accuracy -m replay --predictions {FITTED} --data BENCHMARK=FILE --model NAME"
    )


def _mean_length(name: str, rows: Sequence[Columns]) -> float:
    """Characters of a column whose values are all texts; 0 of another."""
    values = [row.get(name) for row in rows]
    lengths = [len(value) for value in values if isinstance(value, str)]
    return sum(lengths) / len(values) if len(lengths) == len(values) else 0.0


def _tells_problems(name: str, rows: Sequence[Columns]) -> bool:
    """Whether a column may hold ids or problems: texts or whole numbers, and not the same in all rows."""
    values = [row.get(name) for row in rows]
    told = all(isinstance(value, str | int) and not isinstance(value, bool) for value in values)
    return told and (len({str(value) for value in values}) > 1 or len(rows) == 1 or is_text(values[0]))
