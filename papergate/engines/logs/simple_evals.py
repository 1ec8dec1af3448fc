"""simple-evals: ``TASK_MODEL_allresults.json``, every conversation of a run, in no order and without ids or golds.

Which problem a conversation is about shows in its text alone. A request that failed has an empty answer, or words of
the tool in its place; that is up to the tool's sampler.
"""

from collections.abc import Iterator

from papergate.engines.logs.rows import Columns, Layout, Row, Source, asked_in, id_of_text, last_of, said_by

ACCEPTS = "TASK_MODEL_allresults.json, an object {score, htmls, convos}"
EMPTY = "its text is empty, which is how the tool writes a request that failed"

REFUSED = "No response (bad request)."


def _fits_whole(whole: Columns) -> bool:
    return isinstance(whole.get("convos"), list) and "score" in whole


def _rows(source: Source) -> Iterator[Row]:
    conversations = source.whole["convos"]
    assert isinstance(conversations, list), "seen by _fits_whole"
    for conversation in conversations:
        prompt, text = asked_in(conversation), said_by(last_of(conversation, "assistant"))
        error = text if text == REFUSED else "" if text else EMPTY
        yield Row(problem=id_of_text(prompt), text=None if error else text, error=error, prompt=prompt)


SIMPLE_EVALS = Layout(tool="simple-evals", accepts=ACCEPTS, fits_whole=_fits_whole, rows=_rows)
