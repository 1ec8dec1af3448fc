"""EvalScope: ``predictions/MODEL/NAME.jsonl``, and the golds in ``reviews/MODEL/NAME.jsonl``.

Thoughts are kept apart there and are put back in front. A sample that failed has no line; where none of a problem came,
neither has the problem. Rows are numbered within their file, n samples of a problem in its place. MATH-500 is a file
for each of its levels, its rows with the ids of the problems.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from papergate.engines.logs.files import read_source
from papergate.engines.logs.numbering import problems_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, asked_in, message_text, object_of, objects

ACCEPTS = "predictions/MODEL/*.jsonl, lines of {index, model_output, messages}, or reviews/MODEL/*.jsonl"
CUT = {"max_tokens", "model_length"}
"""What it calls ``length``."""


def _fits(row: Columns) -> bool:
    return row.keys() >= {"index", "messages"} and ("model_output" in row or "sample_score" in row)


def _numbered(row: Columns) -> bool:
    return _fits(row) and str(row["index"]).isdecimal()


def _entry(path: Path) -> Path:
    """The predictions, where they are there: only they say why a text ended."""
    predictions = _twin(path, "predictions")
    return predictions if path.absolute() == _twin(path, "reviews") and predictions.exists() else path


def _twin(path: Path, kind: str) -> Path:
    """The file of the same name in the folder ``kind`` of the run."""
    whole = path.absolute()
    return whole.parent.parent.parent / kind / whole.parent.name / whole.name


def _rows(source: Source) -> Iterator[Row]:
    rows = dict(_indexed(source))  # a resumed run may hold a sample twice; its last one counts, as for the tool itself
    golds = _golds(dict(_indexed(read_source(reviews)))) if (reviews := _twin(source.path, "reviews")).exists() else {}
    problems = problems_of(((number, _prompt(row)) for number, row in rows.items()), source.path)
    for number in sorted(rows):
        yield _row(rows[number], str(problems[number]), golds.get(number))


def _indexed(source: Source) -> Iterator[tuple[int, Columns]]:
    for _, row in source.columns(_numbered, ACCEPTS):
        yield int(str(row["index"])), row


def _row(row: Columns, number: str, gold: str | None) -> Row:
    message, (output, choice) = _answer(row), _output(row)
    failed = not message or output.get("error") is not None
    return Row(
        problem=str(_metadata(row).get("question_id") or number),
        text=None if failed else message_text(message.get("content")),
        cut=choice.get("stop_reason") in CUT,
        error=str(output.get("error") or "") if failed else "",
        gold=gold,
        model=str(row.get("model") or message.get("model") or ""),
        prompt=asked_in(row["messages"]),
    )


def _prompt(row: Columns) -> str:
    return json.dumps([message.get("content") for message in objects(row["messages"]) if message.get("role") == "user"])


def _answer(row: Columns) -> Columns:
    """The model's message, the last of the conversation in predictions and reviews alike; empty where there is none."""
    last = objects(row["messages"])[-1:]
    return last[0] if last and last[0].get("role") == "assistant" else {}


def _output(row: Columns) -> tuple[Columns, Columns]:
    """What the server sent and its first choice, empty in reviews."""
    output = object_of(row.get("model_output"))
    return output, next(iter(objects(output.get("choices"))), {})


def _metadata(row: Columns) -> Columns:
    score = object_of(row.get("sample_score"))
    return next(iter(objects([row.get("metadata"), score.get("sample_metadata")])), {})


def _golds(reviews: Mapping[int, Columns]) -> dict[int, str]:
    """The gold of each sample that has one; of several accepted answers none is the gold."""
    targets = {number: row.get("target") for number, row in reviews.items()}
    return {
        number: str(target[0]) for number, target in targets.items() if isinstance(target, list) and len(target) == 1
    }


EVALSCOPE = Layout(tool="EvalScope", accepts=ACCEPTS, fits=_fits, rows=_rows, entry=_entry)
