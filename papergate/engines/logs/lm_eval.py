"""lm-eval: ``samples_TASK_TIME.jsonl``, a line for each problem and filter, all its samples in it.

A request that fails for good ends lm-eval, and no log is written. An answer without content becomes an empty text,
which counts as failed here: a server that keeps the thought apart gives none where the token limit ends the thought.
Whether the limit ended a text is not written. The model's name is in ``results_TIME.json`` beside the log.
"""

from collections.abc import Iterator

from papergate.benchmarks.layouts import ID_FIELDS
from papergate.engines.logs.files import json_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, first, holding
from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.words import worded

ACCEPTS = "samples_*.jsonl of a generating task, lines of {doc_id, doc, target, resps, filter}"
EMPTY = "its text is empty, which is how the tool writes an answer without content"
COLUMNS = {"doc_id", "doc", "target", "resps"}
_fits = holding(COLUMNS)


def _rows(source: Source) -> Iterator[Row]:
    model = _model(source)
    for place, row in source.columns(_fits, ACCEPTS):
        if row.get("filter") == source.head.get("filter"):  # each filter repeats the same samples
            yield from _samples(row, model, place)


def _samples(row: Columns, model: str, place: str) -> Iterator[Row]:
    doc = row["doc"] if isinstance(row["doc"], dict) else {}
    problem = first(doc, ID_FIELDS)
    for sample, text in enumerate(_texts(row["resps"], place)):
        yield Row(
            problem=str(row["doc_id"] if problem is None else problem),
            sample=sample,
            text=text or None,
            error="" if text else EMPTY,
            gold=str(row["target"]),
            model=model,
        )


def _texts(responses: object, place: str) -> list[str]:
    """The samples of the one request of a generating task; tasks that compare options log numbers instead."""
    match responses:
        case [[*texts]] if all(isinstance(text, str) for text in texts):
            return [str(text) for text in texts]
    raise worded(PredictionsError, note("lm_eval_other_responses", place=place, accepts=ACCEPTS))


def _model(source: Source) -> str:
    time = source.path.name.removesuffix(".gz").removesuffix(".jsonl").rpartition("_")[2]
    return str(json_of(source.path.with_name(f"results_{time}.json")).get("model_name") or "")


LM_EVAL = Layout(tool="lm-eval", accepts=ACCEPTS, fits=_fits, rows=_rows)
