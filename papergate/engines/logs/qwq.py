"""QwQ's eval: a line for each answer, the data's own columns and the text in ``gen``; the problem is told by its text.

Answers are written as they come, so the samples of a problem stand anywhere. Whether the token limit ended a text is
not written. A request that failed leaves no line, one that was longer than the context an object with ``end_reason``.
"""

from collections.abc import Iterator

from papergate.engines.logs.rows import Columns, Layout, Row, Source, asked_in, first, id_of_text, listed, object_of

ACCEPTS = "lines of {prompt, gen, answer}"
EMPTY = "its text is empty: the server said nothing, or only a thought that the tool does not keep"


def _fits(row: Columns) -> bool:
    return bool(row.get("prompt")) and isinstance(row.get("gen"), list)


def _rows(source: Source) -> Iterator[Row]:
    for _, row in source.columns(_fits, ACCEPTS):
        prompt, gold = asked_in(row["prompt"]), first(row, ("answer", "gold"))
        for found in listed(row["gen"]):
            text = found if isinstance(found, str) else ""
            yield Row(
                problem=id_of_text(prompt),
                text=text or None,
                error="" if text else str(object_of(found).get("end_reason") or EMPTY),
                gold=None if gold is None else str(gold),
                prompt=prompt,
                part=str(row.get("task") or ""),
            )


QWQ = Layout(tool="QwQ's eval", accepts=ACCEPTS, fits=_fits, rows=_rows)
