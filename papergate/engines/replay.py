"""Who answers: a file of stored completions, of papergate or of another harness.

Read are JSON lines (``.jsonl``, ``.jsonl.gz``) with one completion each, and the JSON objects keyed by row that
OpenCompass and AISBench write (``.json``). The same column is accepted under the names that the harnesses give it.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from papergate.engines.records import END_OF_THOUGHT, Completion, Finish
from papergate.errors import PredictionsError

ID_FIELDS = ("problem", "unique_id", "problem_id", "id", "ID", "index", "idx", "doc_id")
TEXT_FIELDS = ("text", "response", "prediction", "completion", "output", "generation")
GOLD_FIELDS = ("gold", "gold_answer", "answer", "target", "expected_answer")
SAMPLE_FIELDS = ("sample", "sample_index", "repeat", "repeat_idx")
ACCEPTED = f"one JSON object a line with an id ({', '.join(ID_FIELDS)}) and a text ({', '.join(TEXT_FIELDS)})"

Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictions:
    """The completions of one file, all of one model on one benchmark."""

    path: Path
    model: str
    """As the file names it; empty where it does not."""
    completions: tuple[Completion, ...]
    golds: Mapping[str, str]
    """Gold answer by problem id, for the problems whose rows state one."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Ids of the problems, in the order of the file."""
        return tuple(dict.fromkeys(completion.problem for completion in self.completions))

    @property
    def samples(self) -> int:
        """Most samples that any problem has: what the run had planned for each."""
        return max(Counter(completion.problem for completion in self.completions).values())


def read_predictions(path: Path) -> Predictions:
    """Read a file of completions; failed samples stay failed, they are no wrong answers.

    Raises:
        PredictionsError: the file is missing, empty or not such a file, with the line where it stops being one; or it
            mixes several models.
    """
    rows = list(_rows(path))
    if not rows:
        raise PredictionsError(f"{path}: no completions in it; --predictions takes {ACCEPTED}")
    models = sorted({str(row["model"]) for row in rows if row.get("model")})
    if len(models) > 1:
        raise PredictionsError(
            f"{path}: completions of {len(models)} models ({', '.join(models)}); give one file per model"
        )
    return Predictions(
        path=path,
        model=models[0] if models else "",
        completions=tuple(_completions(rows, path)),
        golds={
            str(_first(row, ID_FIELDS)): str(gold) for row in rows if (gold := _first(row, GOLD_FIELDS)) is not None
        },
    )


def refuse_without_thoughts(predictions: Predictions) -> None:
    """A file in which no thought is ever closed holds answers alone, or another tool cut the thoughts off.

    Raises:
        PredictionsError: no completion has ``</think>``; without it a thinking model's text has no answer.
    """
    if not any(END_OF_THOUGHT in (done.text or "") for done in predictions.completions):
        raise PredictionsError(
            f"{predictions.path}: no completion closes its thought with {END_OF_THOUGHT}, so none has an answer. If "
            "the thoughts were cut off when the file was written, say so: --thoughts-stripped grades the texts whole"
        )


def _rows(path: Path) -> Iterator[Row]:
    try:
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PredictionsError(f"{path}: no such file; --predictions takes {ACCEPTED}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise PredictionsError(f"{path}: cannot be read: {error}; --predictions takes {ACCEPTED}") from error
    return _keyed_rows(text, path) if path.suffix == ".json" else _line_rows(text, path)


def _keyed_rows(text: str, path: Path) -> Iterator[Row]:
    """The rows of one JSON object keyed by row number, or of a list."""
    content = _json(text, f"{path}")
    listed = enumerate(content) if isinstance(content, list) else content.items() if isinstance(content, dict) else ()
    for key, row in listed:
        yield {"id": str(key), **_object(row, f"{path}: row {key}")}


def _line_rows(text: str, path: Path) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{path}: line {number}"
            yield _object(_json(line, place), place)


def _json(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise PredictionsError(f"{place}: not JSON ({error}); --predictions takes {ACCEPTED}") from error


def _object(row: object, place: str) -> Row:
    if not isinstance(row, dict):
        raise PredictionsError(
            f"{place}: {type(row).__name__} where an object is expected; --predictions takes {ACCEPTED}"
        )
    return row


def _completions(rows: Iterable[Row], path: Path) -> Iterator[Completion]:
    """One completion a row; rows of one id without a sample number are numbered in their order."""
    seen: Counter[str] = Counter()
    taken: set[tuple[str, int]] = set()
    for number, row in enumerate(rows, start=1):
        problem = _first(row, ID_FIELDS)
        if problem is None or not any(name in row for name in TEXT_FIELDS):
            raise PredictionsError(
                f"{path}: row {number} has the columns {', '.join(row)}; --predictions takes {ACCEPTED}"
            )
        sample = _first(row, SAMPLE_FIELDS)
        key = str(problem), seen[str(problem)] if sample is None else _number(sample, f"{path}: row {number}")
        if key in taken:
            raise PredictionsError(f"{path}: row {number} is sample {key[1]} of {key[0]!r} again; keep one of each")
        taken.add(key)
        seen[str(problem)] += 1
        yield _completion(row, *key)


def _number(sample: object, place: str) -> int:
    if not str(sample).isdecimal():
        raise PredictionsError(f"{place}: sample {sample!r} is no whole number from 0; number the samples of a problem")
    return int(str(sample))


def _completion(row: Row, problem: str, sample: int) -> Completion:
    text = _first(row, TEXT_FIELDS)
    failed = row.get("success") is False or row.get("finish") == Finish.FAILED or text is None
    if failed:
        error = str(row.get("error") or "marked as failed in the file")
        return Completion(problem=problem, sample=sample, text=None, finish=Finish.FAILED, error=error)
    cut = row.get("finish_reason", row.get("finish")) == "length"
    return Completion(problem=problem, sample=sample, text=str(text), finish=Finish.LENGTH if cut else Finish.STOP)


def _first(row: Row, names: Iterable[str]) -> object:
    return next((row[name] for name in names if row.get(name) is not None), None)
