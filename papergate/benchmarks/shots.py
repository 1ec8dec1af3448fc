"""The solved problems that some tools show before each question: the first of MMLU's dev split, by subject."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from papergate.benchmarks.files import read_rows, rows_of_split
from papergate.benchmarks.hubs import fetch
from papergate.benchmarks.layouts import asked_by, problem_of
from papergate.benchmarks.records import BenchmarkSpec, Problem
from papergate.errors import BenchmarkError
from papergate.promises.tool import Task
from papergate.run_folder.notes import note
from papergate.words import worded


def as_asked(task: Task, problems: Sequence[Problem], spec: BenchmarkSpec, data: Path | None) -> tuple[Problem, ...]:
    """``problems`` with the prompts of a tool's ``task``, and the solved problems that it shows.

    Raises:
        BenchmarkError: there are not as many of these for each subject as it shows.
    """
    solved = _by_subject(spec, data) if task.shots else {}
    return tuple(asked_by(task, problem, _shown(task, problem, solved, spec)) for problem in problems)


def _shown(
    task: Task, problem: Problem, solved: Mapping[str, Sequence[Problem]], spec: BenchmarkSpec
) -> Sequence[Problem]:
    subject = _subject(problem)
    shown = solved.get(subject, ())[: task.shots]
    if len(shown) < task.shots:
        seen = {"subject": subject, "found": len(shown), "benchmark": spec.name}
        raise worded(BenchmarkError, note("shots_missing", title=spec.title, shots=task.shots, **seen))
    return shown


def _by_subject(spec: BenchmarkSpec, data: Path | None) -> dict[str, list[Problem]]:
    problems: dict[str, list[Problem]] = {}
    for index, row in enumerate(_rows(spec, data)):
        problem = problem_of(row, index, spec)
        problems.setdefault(_subject(problem), []).append(problem)
    return problems


def _rows(spec: BenchmarkSpec, data: Path | None) -> list[dict[str, object]]:
    if data is None:
        return read_rows(fetch(spec, shots=True)[0])
    beside = data.with_name(data.name.replace("test", "dev"))
    if data.is_dir():
        return rows_of_split(data, "dev")
    return read_rows([beside]) if beside != data and beside.is_file() else []


def _subject(problem: Problem) -> str:
    return dict(problem.raw).get("subject", "")
