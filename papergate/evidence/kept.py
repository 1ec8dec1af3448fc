"""What a bundle keeps of a promise besides its completions: its grades, and the benchmark without its text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from papergate.acceptance.preparing import Benchmarks
from papergate.benchmarks import Benchmark, BenchmarkSpec, Problem
from papergate.benchmarks.digests import answers_digest, sorted_answers_digest
from papergate.completions.table import Key
from papergate.files import MOST_DATA, parsed, read_kept, text_of
from papergate.promises import Task
from papergate.run_folder.files import GRADES_FILE, PROBLEMS_FILE
from papergate.run_folder.verdict import AskedBenchmark
from papergate.scoring import Grade, Outcome

COUNTED = {"problem", "correct", "samples", "score", "completions", "truncated", "output_tokens"}
"""What a row of problems counts; its other fields are the groups of the problem."""


def read_grades(folder: Path) -> dict[Key, Grade]:
    """The grades as the run put them down.

    Raises:
        ValueError, TypeError, KeyError: they are not what papergate writes.
    """
    grades = dict[Key, Grade]()
    for row in read_rows(folder / GRADES_FILE):
        key = str(row.pop("problem")), int(row.pop("sample"))
        if key in grades:
            raise ValueError(f"{GRADES_FILE} has two grades of {key[0]} sample {key[1]}")
        row.pop("kind", None)  # what the text looks like, which no verdict rests on
        grades[key] = Grade(**{**row, "outcome": Outcome(row["outcome"])})
    return grades


class KeptBenchmark(Benchmarks):
    """The benchmark of one promise: from the user's file or generated; else its ids and right answers alone."""

    def __init__(
        self, spec: BenchmarkSpec, data: Mapping[str, Path], asked: AskedBenchmark, problems: tuple[Problem, ...]
    ) -> None:
        super().__init__({spec.name: spec}, data)
        self.complete = spec.name in data or spec.layout == "embedded"
        if not self.complete:
            self._loaded[spec.name] = Benchmark(
                spec=spec,
                problems=problems,
                digest=asked.digest,
                variant=asked.variant,
                known=asked.known,
                source=asked.source,
                file_sha256=asked.file_sha256,
            )

    def load(self, name: str, variant: str = "") -> Benchmark:
        """The benchmark; whichever text is kept was asked."""
        return super().load(name) if not (self.complete and variant) else super().load(name, variant)

    def asked(self, name: str, task: Task | None) -> tuple[Problem, ...]:
        """Its problems; without their texts there is no prompt to make."""
        return super().asked(name, task) if self.complete else self.load(name).problems


def kept_problems(folder: Path, grades: Mapping[Key, Grade]) -> tuple[Problem, ...]:
    """The problems without their text: ids, groups, and the right answers that the grades state.

    Raises:
        ValueError, TypeError, KeyError: they are not what papergate writes.
    """
    golds = {problem: grade.gold for (problem, _), grade in grades.items()}
    return tuple(_problem(row, golds) for row in read_rows(folder / PROBLEMS_FILE))


def golds_are_published(spec: BenchmarkSpec, problems: tuple[Problem, ...]) -> bool | None:
    """Whether the right answers are those that ``spec``, papergate's own, publishes a digest of; None: it has none."""
    if spec.answers is None and spec.answers_sorted is None:
        return None
    return answers_digest(problems) == spec.answers or sorted_answers_digest(problems) == spec.answers_sorted


def _problem(row: Mapping[str, Any], golds: Mapping[str, str]) -> Problem:
    name = str(row["problem"])
    gold = golds.get(name, "")
    group = tuple((label, str(value)) for label, value in row.items() if label not in COUNTED)
    return Problem(id=name, text="", answer=gold, gold=gold, prompt="", group=group)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines.

    Raises:
        ValueError: it holds something else.
    """
    rows = [parsed(line) for line in text_of(read_kept(path, most=MOST_DATA)).split("\n") if line]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path.name} holds lines that are no objects")
    return rows
