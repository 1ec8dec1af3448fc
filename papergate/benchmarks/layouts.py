"""From a row of a published file to a problem: one function a layout."""

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from papergate.benchmarks.digests import normal
from papergate.benchmarks.records import BenchmarkSpec, Problem
from papergate.promises.tool import Task

# The same column under the names that the hubs and harnesses give it.
PROBLEM_FIELDS = ("problem", "question", "Problem", "Question", "origin_prompt", "prompt", "input", "text")
ANSWER_FIELDS = ("answer", "Answer", "gold_answer", "expected_answer", "final_answer")
ID_FIELDS = ("unique_id", "id", "ID", "Record ID", "index", "idx")
GROUP_FIELDS = ("subject", "level", "family", "High-level domain")

LETTERS = "ABCD"
GPQA_OPTIONS = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
YES_OR_NO = ("是", "否")
"""The options of CLUEWSC, as its prompt states them."""
NAME = re.compile(r"[\w.:/-]{1,40}", re.ASCII)
"""An id that holds no words of a problem."""
RECORD_SEPARATOR = "\x1e"

Row = Mapping[str, object]


def problem_of(row: Row, index: int, spec: BenchmarkSpec) -> Problem:
    """The problem that ``row``, the ``index``-th of the file, states.

    Raises:
        KeyError: a column is missing; the error's text names the columns that are accepted.
        ValueError: a column holds what the layout cannot read.
    """
    layouts: dict[str, Callable[[Row, int, BenchmarkSpec], Problem]] = {
        "math": _math,
        "embedded": _math,
        "aime": _aime,
        "gpqa": _gpqa,
        "mmlu": _mmlu,
        "cluewsc": _cluewsc,
    }
    return layouts[spec.layout](row, index, spec)


def _math(row: Row, index: int, spec: BenchmarkSpec) -> Problem:
    return _open_answer(row, index, spec, normal(_text(row, ANSWER_FIELDS)))


def _aime(row: Row, index: int, spec: BenchmarkSpec) -> Problem:
    return _open_answer(row, index, spec, _integer(_text(row, ANSWER_FIELDS)))


def _integer(answer: str) -> str:
    r"""``'025'`` is 25, and ``'336^\circ'``, as one hub writes a gold, is 336."""
    number = re.fullmatch(r"(\d+)(?:\.0)?(?:\^\\circ)?", answer.strip())
    if number is None:
        raise ValueError(f"answer {answer!r} is no integer")
    return str(int(number[1]))


def _open_answer(row: Row, index: int, spec: BenchmarkSpec, answer: str) -> Problem:
    text = _text(row, PROBLEM_FIELDS)
    prompt = _filled(spec.prompt, {"problem": normal(text)})
    return Problem(
        id=_id(row, index, spec),
        text=text,
        answer=answer,
        gold=answer,
        prompt=prompt,
        group=_group(row),
        raw=(("problem", text),),
        solution=str(row.get("solution") or ""),
    )


def _gpqa(row: Row, index: int, spec: BenchmarkSpec) -> Problem:
    text = _text(row, PROBLEM_FIELDS)
    published = [_text(row, (field,)) for field in GPQA_OPTIONS]
    options = [option.strip() for option in published]
    order = _shuffled(text, len(options))
    shown = tuple(options[place] for place in order)
    return Problem(
        id=_id(row, index, spec),
        text=text,
        answer=RECORD_SEPARATOR.join(normal(option) for option in options),
        gold=LETTERS[order.index(0)],
        prompt=_with_options(spec.prompt, text, shown),
        options=shown,
        group=_group(row),
        raw=(("problem", text), *zip(LETTERS, (published[place] for place in order), strict=True)),
    )


def _shuffled(text: str, count: int) -> list[int]:
    """An order of the options that depends on the question alone: stable whatever the order of rows."""
    order = list(range(count))
    seed = int.from_bytes(hashlib.sha256(text.strip().encode()).digest()[:8], "big")
    random.Random(seed).shuffle(order)  # noqa: S311 - a reproducible order, not a secret
    return order


def _mmlu(row: Row, index: int, spec: BenchmarkSpec) -> Problem:
    text, options, gold = _text(row, PROBLEM_FIELDS), _mmlu_options(row), str(_first(row, ("answer", "target")))
    letter = LETTERS[int(gold)] if gold.isdigit() else gold
    prompt = _with_options(spec.prompt, text, options)
    # ids of the files number rows within a subject at best: the row's place is the only key they share
    return Problem(
        id=str(index),
        text=text,
        answer=letter,
        gold=letter,
        prompt=prompt,
        options=tuple(options),
        group=_group(row),
        raw=(
            ("problem", text),
            *zip(LETTERS, options, strict=True),
            ("answer", letter),
            ("subject", str(row.get("subject") or "").replace("_", " ")),
        ),
    )


def _mmlu_options(row: Row) -> list[str]:
    choices = row.get("choices")
    return [str(choice) for choice in choices] if isinstance(choices, Sequence) else [_text(row, (x,)) for x in LETTERS]


def _cluewsc(row: Row, index: int, spec: BenchmarkSpec) -> Problem:
    text, spans = _text(row, ("text",)), _first(row, ("target",))
    if not isinstance(spans, Mapping):
        raise ValueError(f"target {spans!r} is no object with span1_text, span2_text")  # noqa: TRY004 - a bad file
    values = {span: _text(spans, (f"{span}_text",)) for span in ("span1", "span2")}
    prompt = _filled(spec.prompt, {"problem": text, **values})
    label = str(_first(row, ("label",))).lower()
    # the text repeats over rows with other spans: the prompt is what is distinct
    gold = "A" if label == "true" else "B"
    return Problem(
        id=str(index),
        text=prompt,
        answer=label,
        gold=gold,
        prompt=prompt,
        options=YES_OR_NO,
        raw=(("text", text), *values.items()),
    )


def asked_by(tool: Task, problem: Problem, shown: Sequence[Problem] = ()) -> Problem:
    """``problem`` with the prompt of a tool, and the solved problems that it shows before."""
    return replace(
        problem,
        prompt=_filled(tool.prompt, dict(problem.raw)),
        shots=tuple((_filled(tool.prompt, dict(one.raw)), _filled(tool.shot_answer, dict(one.raw))) for one in shown),
    )


def _with_options(template: str, text: str, options: Sequence[str]) -> str:
    return _filled(template, {"problem": normal(text), **dict(zip(LETTERS, options, strict=True))})


def _filled(template: str, values: Mapping[str, str]) -> str:
    r"""``template`` with its names filled in, once over: ``\boxed{}`` and braces inside values stay as they are."""
    return re.sub(r"\{(\w+)\}", lambda name: values.get(name[1], name[0]), template)


def _text(row: Row, names: Sequence[str]) -> str:
    return str(_first(row, names))


def _first(row: Row, names: Sequence[str]) -> object:
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise KeyError(f"no column {' | '.join(names)}; the row has: {', '.join(map(str, row))}")


def _id(row: Row, index: int, spec: BenchmarkSpec) -> str:
    """The id of the row; ids are shown, so one that may hold a confidential text gives way to a digest of it."""
    found = str(next((row[name] for name in ID_FIELDS if row.get(name) is not None), index))
    if spec.confidential and not NAME.fullmatch(found):
        return hashlib.sha256(found.encode(errors="replace")).hexdigest()[:12]
    return found


def _group(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(row[name])) for name in GROUP_FIELDS if row.get(name) is not None)
