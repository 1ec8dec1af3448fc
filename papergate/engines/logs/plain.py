"""One completion a line, as papergate itself and many scripts write it: an id and a text, under any of their names."""

from collections.abc import Iterator, Sequence

from papergate.engines.logs.rows import (
    Columns,
    Layout,
    Row,
    Source,
    asked_in,
    first,
    has_words,
    id_of_text,
    is_text,
    sample_number,
)
from papergate.engines.records import Finish
from papergate.engines.remote.answer import finish_of
from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.words import worded

ID_FIELDS = ("problem", "unique_id", "problem_id", "id", "ID", "index", "idx", "doc_id")
PROMPT_FIELDS = ("problem", "question", "prompt", "input")
TEXT_FIELDS = ("text", "response", "prediction", "completion", "output", "generation")
GOLD_FIELDS = ("gold", "gold_answer", "answer", "target", "expected_answer")
FINISH_FIELDS = ("finish_reason", "finish", "stop_reason")
"""What they hold beside a whole answer or a cut one (abort, error, content_filter ..) left no answer."""
SAMPLE_FIELDS = ("sample", "sample_index", "repeat", "repeat_idx")
ACCEPTS = f"one completion a line, an id ({', '.join(ID_FIELDS)}) or the problem, and a text ({', '.join(TEXT_FIELDS)})"


def _fits(row: Columns) -> bool:
    identified = first(row, ID_FIELDS) is not None or bool(_prompt(row))
    return identified and any(name in row for name in TEXT_FIELDS)


def _prompt(row: Columns) -> str:
    """The problem's text, whichever column has it; scripts put it under the name of an id too."""
    named = first(row, PROMPT_FIELDS)
    asked = asked_in(named) if isinstance(named, list) else named
    return next((str(value) for value in (asked, first(row, ID_FIELDS)) if has_words(value)), "")


def _identity(row: Columns, prompt: str) -> str:
    """The id; of a row that has none, or the text in its place, one that is made from the text."""
    names = (row[name] for name in ID_FIELDS if row.get(name) is not None and not is_text(row[name]))
    found = next(names, None)
    return id_of_text(prompt) if found is None else str(found)


def _one(row: Columns, names: Sequence[str], place: str) -> object:
    """The first of these columns that holds something, which is one text: the samples of a list are not told apart."""
    value = first(row, names)
    if isinstance(value, list | dict):
        field = next(name for name in names if row.get(name) is value)
        raise worded(PredictionsError, note("answer_no_text", place=place, field=field, kind=type(value).__name__))
    return value


def _rows(source: Source) -> Iterator[Row]:
    for place, row in source.columns(_fits, ACCEPTS):
        yield _row(row, place)


def _row(row: Columns, place: str) -> Row:
    text, gold, number = _one(row, TEXT_FIELDS, place), _one(row, GOLD_FIELDS, place), first(row, SAMPLE_FIELDS)
    reason = str(first(row, FINISH_FIELDS) or "stop")
    finish = Finish.STOP if reason.isdigit() else finish_of(reason)  # vLLM names the end token by its number
    failed = row.get("success") is False or finish is Finish.FAILED or text is None
    prompt = _prompt(row)
    return Row(
        problem=_identity(row, prompt),
        sample=None if number is None else sample_number(number, place),
        text=None if failed else str(text),
        cut=finish is Finish.LENGTH,
        finish=finish,
        finish_reason=str(first(row, FINISH_FIELDS) or "") or None,
        error=str(row.get("error") or f"finish {first(row, FINISH_FIELDS)}") if failed else "",
        gold=None if gold is None else str(gold),
        model=str(row.get("model") or ""),
        prompt=prompt,
    )


PLAIN = Layout(tool="papergate and others", accepts=ACCEPTS, fits=_fits, rows=_rows)
