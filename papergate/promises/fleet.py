"""A fleet: which promises a release must keep, over targets, models, benchmarks and protocols, as one TOML file.

::

    title = "release 2026.12"

    [[jobs]]
    targets = ["a100", "h200"]
    models = ["deepseek-r1-distill-qwen-7b"]     # left out: every model of the targets
    benchmarks = ["aime2024", "math500"]         # left out: every benchmark
    protocol = "paper"                           # left out: paper
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from papergate.errors import PromiseError
from papergate.promises.base import Record, Text
from papergate.promises.files import mistakes_of, read_toml
from papergate.promises.records import Promise

Names = Annotated[tuple[Text, ...], Field(min_length=1)]


class Job(Record):
    """A part of the matrix: each promise that all its lists name."""

    targets: Names
    models: Names | None = None
    benchmarks: Names | None = None
    protocol: Literal["paper", "vendor"] = "paper"

    def names(self, promise: Promise) -> bool:
        """Whether ``promise`` is of this job."""
        return (
            promise.target in self.targets
            and (self.models is None or promise.deployment.model in self.models)
            and (self.benchmarks is None or promise.benchmark in self.benchmarks)
        )


class Fleet(Record):
    """All jobs of a release."""

    title: str = ""
    jobs: Annotated[tuple[Job, ...], Field(min_length=1)]

    def expand(self, promises: Iterable[Promise]) -> Mapping[str, str]:
        """The protocol of each promise that the fleet must keep, by its id, in the order of ``promises``.

        Raises:
            PromiseError: a name is in no promise of its job, or a promise is named under two protocols.
        """
        known = tuple(promises)
        expected: dict[str, str] = {}
        for number, job in enumerate(self.jobs, start=1):
            found = [promise for promise in known if job.names(promise)]
            _refuse_idle_names(job, f"jobs.{number}", found)
            for promise in found:
                if expected.setdefault(promise.id, job.protocol) != job.protocol:
                    raise PromiseError(f"jobs.{number}: {promise.id} has another protocol in an earlier job")
        return {promise.id: expected[promise.id] for promise in known if promise.id in expected}


def read_fleet(path: Path) -> Fleet:
    """The fleet in a TOML file.

    Raises:
        PromiseError: the file is wrong, with every mistake.
    """
    try:
        return Fleet.model_validate(read_toml(path))
    except ValidationError as error:
        raise PromiseError(f"{path}:\n  " + "\n  ".join(mistakes_of(error))) from error


def _refuse_idle_names(job: Job, place: str, found: Iterable[Promise]) -> None:
    """A name that adds nothing is a mistake: a gate must not shrink by a misspelt word."""
    met = [(promise.target, promise.deployment.model, promise.benchmark) for promise in found]
    for column, (field, names) in enumerate(
        (("targets", job.targets), ("models", job.models or ()), ("benchmarks", job.benchmarks or ()))
    ):
        idle = [name for name in names if name not in {row[column] for row in met}]
        if idle:
            raise PromiseError(
                f"{place}.{field}: {', '.join(idle)}: no promise of this job has it; "
                "papergate fleet FILE lists what a fleet names, pytest --markers the targets"
            )
