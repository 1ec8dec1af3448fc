"""Inspect: ``TIME_TASK_ID.eval``, an archive, or the same as ``.json``.

Epochs are samples, from 1. A sample with an error is failed. Long texts may stand once, among the sample's attachments.
"""

from collections.abc import Iterator

from papergate.engines.logs.rows import (
    Columns,
    Layout,
    Row,
    Source,
    asked_in,
    message_text,
    object_of,
    objects,
    sample_number,
)
from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.words import worded

ACCEPTS = "TIME_TASK_ID.eval or .json, an object {eval, samples}"
CUT = {"max_tokens", "model_length"}
BROKEN_OFF = {"content_filter"}
LONGEST_KIND = 40
ATTACHED = "attachment://"


def _fits_whole(whole: Columns) -> bool:
    return "eval" in whole and isinstance(whole.get("samples"), list)


def _rows(source: Source) -> Iterator[Row]:
    model = str(object_of(source.whole["eval"]).get("model") or "")
    for number, sample in enumerate(objects(source.whole["samples"]), start=1):
        if "id" not in sample:
            raise worded(
                PredictionsError, note("inspect_without_id", log=f"{source.path}", sample=number, accepts=ACCEPTS)
            )
        yield _row(sample, model, f"{source.path}: sample {number}")


def _row(sample: Columns, model: str, place: str) -> Row:
    output, error = object_of(sample.get("output")), object_of(sample.get("error"))
    choice = next(iter(objects(output.get("choices"))), {})
    reason = choice.get("stop_reason")
    failed = bool(error) or not choice or reason in BROKEN_OFF
    target = sample.get("target")
    golds = target if isinstance(target, list) else [target]
    content = _resolved(object_of(choice.get("message")).get("content"), object_of(sample.get("attachments")))
    return Row(
        problem=str(sample["id"]),
        sample=sample_number(sample.get("epoch", 1), place) - 1,
        text=None if failed else message_text(content),
        cut=reason in CUT,
        error=_error(error, output) or f"finish {reason}" if failed else "",
        gold=str(golds[0]) if len(golds) == 1 and golds[0] else None,
        model=model,
        prompt=asked_in(_resolved(sample.get("input"), object_of(sample.get("attachments")))),
    )


def _error(error: Columns, output: Columns) -> str:
    """The kind of an error alone: its message may repeat the request, and with it a problem that must not be shown."""
    said = str(error.get("message") or output.get("error") or "")
    return f"{said.partition('(')[0][:LONGEST_KIND]} (see the log)" if said else ""


def _resolved(value: object, attachments: Columns) -> object:
    """``value`` with each reference to an attachment replaced by its text."""
    if isinstance(value, str) and value.startswith(ATTACHED):
        return attachments.get(value.removeprefix(ATTACHED), value)
    if isinstance(value, list):
        return [_resolved(each, attachments) for each in value]
    if isinstance(value, dict):
        return {name: _resolved(each, attachments) for name, each in value.items()}
    return value


INSPECT = Layout(tool="Inspect", accepts=ACCEPTS, fits_whole=_fits_whole, rows=_rows)
