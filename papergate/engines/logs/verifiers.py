"""verifiers: ``results.jsonl``, a line for each rollout, and the model's name in ``metadata.json`` beside it."""

from collections.abc import Iterator

from papergate.engines.logs.files import json_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, asked_in, holding, last_of, said_by

ACCEPTS = "results.jsonl, lines of {example_id, prompt, completion, answer}"
COLUMNS = {"example_id", "prompt", "completion"}
_fits = holding(COLUMNS)


def _rows(source: Source) -> Iterator[Row]:
    model = str(json_of(source.path.with_name("metadata.json")).get("model") or "")
    for _, row in source.columns(_fits, ACCEPTS):
        yield _row(row, model)


def _row(row: Columns, model: str) -> Row:
    completion, gold = row["completion"], row.get("answer")
    text = completion if isinstance(completion, str) else said_by(last_of(completion, "assistant"))
    failed = bool(row.get("error")) or not completion
    return Row(
        problem=str(row["example_id"]),
        text=None if failed else text,
        cut=row.get("is_truncated") is True,
        error=str(row.get("error") or "its completion is empty") if failed else "",
        gold=str(gold) if gold else None,
        model=model,
        prompt=asked_in(row["prompt"]),
    )


VERIFIERS = Layout(tool="verifiers", accepts=ACCEPTS, fits=_fits, rows=_rows)
