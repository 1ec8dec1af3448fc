"""lighteval: ``details/MODEL/TIME/details_TASK_TIME.parquet``, a row for each problem, all its samples in it.

Its rows are shuffled; ``doc.id`` numbers the problems in the order of the task's data. An API request that failed, or
whose first sample is empty, leaves one empty text for all samples of its problem, so empty texts count as failed.
Whether the token limit ended a text is not written. Thoughts that the server kept apart are put back in front; what
``remove_reasoning_tags`` cuts off is cut from a copy only. The model's name is in ``results_TIME.json``.
"""

from collections.abc import Iterator

from papergate.engines.logs.files import json_of
from papergate.engines.logs.rows import Columns, Layout, Row, Source, holding, listed, object_of, with_thought
from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.words import worded

ACCEPTS = "details_*.parquet of a generating task, rows of {doc, model_response, metric}"
EMPTY = "its text is empty, which is how the tool writes a request that failed"
_fits = holding({"doc", "model_response", "metric"})


def _rows(source: Source) -> Iterator[Row]:
    model = _model(source)
    for place, row in source.columns(_fits, ACCEPTS):
        doc, response = object_of(row["doc"]), object_of(row["model_response"])
        if not (doc.get("id") and listed(response.get("text"))):
            raise worded(PredictionsError, note("lighteval_without_id", place=place, accepts=ACCEPTS))
        for sample, text in enumerate(_texts(doc, response)):
            yield Row(
                problem=str(doc["id"]),
                sample=sample,
                text=text or None,
                error="" if text else EMPTY,
                gold=_gold(doc),
                model=model,
            )


def _texts(doc: Columns, response: Columns) -> list[str]:
    """A text for each sample that was asked for; one that failed has left an empty one for all of them."""
    texts, thoughts = listed(response["text"]), listed(response.get("reasonings") or [])
    thoughts += [None] * (len(texts) - len(thoughts))
    whole = [with_thought(str(thought or ""), str(text or "")) for thought, text in zip(thoughts, texts, strict=True)]
    return whole + [""] * (int(str(doc.get("num_samples") or 1)) - len(whole))


def _gold(doc: Columns) -> str | None:
    """The choice at ``gold_index``; of several that are accepted none is the gold."""
    choices, index = listed(doc.get("choices")), listed(doc.get("gold_index"))
    return str(choices[index[0]]) if len(index) == 1 and isinstance(index[0], int) and index[0] < len(choices) else None


def _model(source: Source) -> str:
    """From ``results/MODEL/results_TIME.json``, where the tool's folders are as it made them."""
    run = source.path.absolute().parent
    details = next((folder for folder in run.parents if folder.name == "details"), run.parent)
    results = details.with_name("results") / run.parent.relative_to(details) / f"results_{run.name}.json"
    return str(object_of(json_of(results).get("config_general")).get("model_name") or "")


LIGHTEVAL = Layout(tool="lighteval", accepts=ACCEPTS, fits=_fits, rows=_rows)
