"""verifiers: ``results.jsonl`` of releases 0.1 to 0.3, ``traces.jsonl`` of 0.4, a line for each rollout.

The older releases name the model in ``metadata.json`` beside the log, the newer ones in each line. A trace holds the
messages of a rollout as nodes and the requests as calls. A request that the server refused leaves no answer; the tool
calls that rollout ``ok`` all the same, and counts it as wrong.
"""

from collections.abc import Iterator

from papergate.engines.logs.files import json_of
from papergate.engines.logs.rows import (
    Columns,
    Layout,
    Row,
    Source,
    asked_in,
    first,
    holding,
    last_of,
    object_of,
    objects,
    said_by,
)

ACCEPTS = "results.jsonl, lines of {example_id, prompt, completion, answer}"
COLUMNS = {"example_id", "prompt", "completion"}
TRACES_ACCEPTS = "traces.jsonl, lines of {task, traces} with one trace each"
IDS = ("id", "idx")
LIMITS = {"max_output_tokens", "max_total_tokens"}
"""Reasons to stop that end an answer as the token limit of the server does."""
NO_ANSWER = "no answer of the model is in it"
_fits = holding(COLUMNS)
_fits_traces = holding({"task", "traces"})


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


def _traced(source: Source) -> Iterator[Row]:
    for _, row in source.columns(_fits_traces, TRACES_ACCEPTS):
        yield _traced_row(row)


def _traced_row(row: Columns) -> Row:
    """The rollout of one agent; its answer is the last message that the model wrote.

    Raises:
        ValueError: several agents took part, so nothing says whose answer counts.
    """
    traces = objects(row["traces"])
    if len(traces) > 1:
        raise ValueError(f"a rollout of {len(traces)} agents: nothing says whose answer counts")
    trace = traces[0] if traces else {}
    task = object_of(row["task"])
    data, calls = object_of(task.get("data")), objects(trace.get("calls"))
    last = calls[-1] if calls else {}
    written = [node for node in objects(trace.get("nodes")) if node.get("sampled")]
    error = _error_in(row, trace, last) or ("" if written else NO_ANSWER)
    gold = data.get("answer")
    return Row(
        problem=str(first(data, IDS) if first(data, IDS) is not None else task["key"]),
        text=None if error else said_by(object_of(written[-1].get("message"))),
        cut=last.get("finish_reason") == "length" or trace.get("stop_condition") in LIMITS,
        error=error,
        gold=None if gold is None else str(gold),
        model=str(last.get("model") or ""),
        prompt=asked_in(data.get("prompt")),
    )


def _error_in(row: Columns, trace: Columns, call: Columns) -> str:
    """Why the rollout has no answer, if its last request, its agent or its environment says so."""
    told = [object_of(call.get("error")), *objects(trace.get("errors")), *objects(row.get("errors"))]
    return next((f"{one.get('type')}: {one.get('message')}" for one in told if one), "")


VERIFIERS = Layout(tool="verifiers", accepts=ACCEPTS, fits=_fits, rows=_rows)
VERIFIERS_TRACES = Layout(tool="verifiers", accepts=TRACES_ACCEPTS, fits=_fits_traces, rows=_traced)
