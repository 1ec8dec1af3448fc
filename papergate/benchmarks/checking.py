"""Which data are here before anything is spent: their text by its digest, how many problems, and what is missing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from papergate.benchmarks.loader import load
from papergate.benchmarks.records import Benchmark, BenchmarkSpec
from papergate.benchmarks.shots import as_asked
from papergate.errors import BenchmarkError
from papergate.promises.tool import Task

State = Literal["here", "other text", "missing"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedData:
    """One benchmark: whether it can be asked here, and with which text."""

    name: str
    state: State
    """``other text``: it can be asked, but its text is on no list, or is another than a document's tool has."""
    says: tuple[str, ...]
    """What was found or is missing, with the remedy; a line each."""


def check_data(
    spec: BenchmarkSpec, data: Path | None, *, tasks: tuple[Task, ...] = (), download: bool = False
) -> CheckedData:
    """Whether the problems of ``spec`` are here, and what each of the ``tasks`` of documents' tools needs beside.

    ``data`` is the user's file; else origins are asked: without ``download``, what an earlier run fetched.
    """
    variants = sorted({task.variant for task in tasks}) or [""]
    try:
        found = {variant: load(spec, data, variant=variant, download=download) for variant in variants}
    except BenchmarkError as error:
        return CheckedData(name=spec.name, state="missing", says=tuple(str(error).splitlines()))
    texts = {one.digest: one for one in found.values()}
    others = [_other(variant, one) for variant, one in found.items()]
    lacking = [line for task in tasks for line in _lacking(task, found[task.variant], spec, data)]
    says = (*map(_seen, texts.values()), *filter(None, others), *lacking)
    if lacking:
        return CheckedData(name=spec.name, state="missing", says=says)
    known = all(one.known for one in texts.values()) and not any(others)
    return CheckedData(name=spec.name, state="here" if known else "other text", says=says)


def _seen(found: Benchmark) -> str:
    return f"{len(found.problems)} problems, text: {found.variant} (digest {found.digest[:12]}), from {found.source}"


def _other(variant: str, found: Benchmark) -> str:
    """What differs from the text that a document's tool has; empty where nothing does."""
    return f"a document's tool has the text {variant!r}" if variant not in ("", found.variant) else ""


def _lacking(task: Task, found: Benchmark, spec: BenchmarkSpec, data: Path | None) -> list[str]:
    """What a tool shows before each question and is not here; empty where all is."""
    try:
        _ = as_asked(task, found.problems, spec, data) if task.shots else ()
    except BenchmarkError as error:
        return str(error).splitlines()
    return []
