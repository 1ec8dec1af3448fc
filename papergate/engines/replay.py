"""Who answers: stored completions, of papergate or of another harness."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from papergate.engines.logs import Row, read_log
from papergate.engines.logs.rows import quotable
from papergate.engines.records import Completion, Finish
from papergate.engines.spec import EngineSpec
from papergate.errors import EngineRefused, PredictionsError
from papergate.run_folder.notes import note
from papergate.thoughts import ThoughtMarks, marks_in
from papergate.words import worded


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictions:
    """The completions of one log, all of one model on one benchmark."""

    path: Path
    model: str
    """As the log names it; empty where it does not."""
    completions: tuple[Completion, ...]
    golds: Mapping[str, str]
    """Gold answer by problem id, for the problems whose rows state one."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """The problem as it was asked by its id, for the problems whose rows have it. Never to be shown."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """The benchmark or subset that a problem is of by its id, where the log holds several."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Ids of the problems, in the order of the log."""
        return tuple(dict.fromkeys(completion.problem for completion in self.completions))

    @property
    def samples(self) -> int:
        """Most samples that any problem has: what the run had planned for each."""
        return max(Counter(completion.problem for completion in self.completions).values())

    def renamed(self, ids: Mapping[str, str]) -> "Predictions":
        """The same under other ids of the problems."""
        return replace(
            self,
            completions=tuple(replace(done, problem=ids[done.problem]) for done in self.completions),
            golds={ids[problem]: gold for problem, gold in self.golds.items()},
            prompts={ids[problem]: prompt for problem, prompt in self.prompts.items()},
            parts={ids[problem]: part for problem, part in self.parts.items()},
        )

    def without(self, parts: Collection[str]) -> "Predictions":
        """The same without the problems of ``parts``."""
        kept = {problem for problem in self.problems if self.parts.get(problem) not in parts}
        return replace(
            self,
            completions=tuple(done for done in self.completions if done.problem in kept),
            golds={problem: gold for problem, gold in self.golds.items() if problem in kept},
            prompts={problem: prompt for problem, prompt in self.prompts.items() if problem in kept},
            parts={problem: part for problem, part in self.parts.items() if problem in kept},
        )


def read_predictions(path: Path) -> Predictions:
    """Read the log at ``path``, a file or the folder of a run; failed samples stay failed, they are no wrong answers.

    Raises:
        PredictionsError: it is missing, empty, broken or no such log, with the place; or it mixes several models.
    """
    rows = read_log(path)
    _refuse_later_numbers(rows, path)
    models = sorted({row.model for row in rows if row.model})
    if len(models) > 1:
        raise worded(
            PredictionsError, note("log_of_models", log=f"{path}", count=len(models), models=", ".join(models))
        )
    return Predictions(
        path=path,
        model=models[0] if models else "",
        completions=tuple(_completions(rows, path)),
        golds={row.problem: row.gold for row in rows if row.gold is not None},
        prompts={row.problem: row.prompt for row in rows if row.prompt},
        parts={row.problem: row.part for row in rows if row.part},
    )


def refuse_without_thoughts(predictions: Predictions, marks: ThoughtMarks | None = None) -> None:
    """A log in which no thought is ever closed holds answers alone, or another tool cut the thoughts off.

    Raises:
        PredictionsError: no completion closes a thought; a thinking model's text has no answer before that.
    """
    if not any(mark.closes for done in predictions.completions for mark in marks_in(done.text or "", marks)):
        raise worded(PredictionsError, note("log_without_thoughts", log=f"{predictions.path}"))


def refuse_thoughts(predictions: Predictions, marks: ThoughtMarks | None = None) -> None:
    """Texts that are graded whole must hold no thoughts: in a thought that was cut off, a guess would count.

    Raises:
        PredictionsError: a completion has a mark of a thought.
    """
    marked = sum(any(marks_in(done.text or "", marks)) for done in predictions.completions)
    if marked:
        seen = {"marked": marked, "count": len(predictions.completions)}
        raise worded(PredictionsError, note("log_with_thoughts", log=f"{predictions.path}", **seen))


def _completions(rows: Iterable[Row], path: Path) -> Iterator[Completion]:
    """One completion a row; rows of one id without a sample number are numbered in their order."""
    seen: Counter[str] = Counter()
    taken: set[tuple[str, int]] = set()
    for row in rows:
        sample = seen[row.problem] if row.sample is None else row.sample
        if (row.problem, sample) in taken:
            raise worded(
                PredictionsError, note("sample_twice", log=f"{path}", sample=sample, problem=quotable(row.problem))
            )
        taken.add((row.problem, sample))
        seen[row.problem] += 1
        yield _completion(row, sample)


def _refuse_later_numbers(rows: Iterable[Row], path: Path) -> None:
    """Planned samples are counted from number 0: where all of them begin later, one of each problem would seem lost."""
    lowest = min((row.sample or 0 for row in rows), default=0)
    if lowest:
        raise worded(PredictionsError, note("samples_numbered_from", log=f"{path}", lowest=lowest))


def _completion(row: Row, sample: int) -> Completion:
    if row.text is None:
        error = row.error or "marked as failed in the file"
        return Completion(problem=row.problem, sample=sample, text=None, finish=Finish.FAILED, error=error)
    return Completion(
        problem=row.problem,
        sample=sample,
        text=row.text,
        finish=row.finish or (Finish.LENGTH if row.cut else Finish.STOP),
        finish_reason=row.finish_reason,
    )


NO_FILE = "the completions are stored in a file: give --predictions FILE"


def _start(*_: object) -> NoReturn:
    raise EngineRefused(NO_FILE)


SPEC = EngineSpec(
    name="replay",
    title="stored completions",
    can=frozenset(),
    needs="a file of completions: --predictions FILE",
    missing=lambda _: NO_FILE,
    start=_start,
    not_attached="about stored completions: give --predictions in place of --endpoint",
)
