"""A stated part of a run: which of its samples one of several machines asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from papergate.errors import OptionsError
from papergate.run_folder.notes import note
from papergate.words import worded

MOST_SHARDS = 10_000
"""More than any cluster has nodes; a shard of fewer samples than this bound on samples allows asks nothing."""
TASK, COUNT, FIRST, LAST, STEP = (f"SLURM_ARRAY_TASK_{name}" for name in ("ID", "COUNT", "MIN", "MAX", "STEP"))
INDEX = "JOB_COMPLETION_INDEX"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """One of ``count`` parts of a run, counted from 0."""

    index: int
    count: int

    @classmethod
    def of(cls, text: str, environment: Mapping[str, str]) -> Self:
        """The shard that ``text`` states: ``I/N``, ``auto`` or ``auto/N``.

        ``auto`` is a task of a Slurm array, wherever its numbers begin and however far apart they are. ``auto/N``
        takes the number as it stands, so that one task of an array can be submitted again by itself.

        Raises:
            OptionsError: it states none, or the scheduler's variables do not.
        """
        found = re.fullmatch(r"(auto|\d{1,9})(?:/(\d{1,9}))?", text)
        if not found or (found[1] != "auto" and not found[2]):
            raise worded(OptionsError, note("shard_malformed", shard=text))
        if found[1] != "auto":
            return cls._within(text, int(found[1]), int(found[2]))
        if found[2]:
            return cls._within(text, _number(environment, text, INDEX, TASK), int(found[2]))
        return cls._within(text, *_task_of_array(environment, text))

    @classmethod
    def _within(cls, text: str, index: int, count: int) -> Self:
        if not (0 <= index < count <= MOST_SHARDS):
            raise worded(OptionsError, note("shard_impossible", shard=text, index=index, count=count))
        return cls(index=index, count=count)

    def __str__(self) -> str:
        """``I/N``."""
        return f"{self.index}/{self.count}"

    def holds(self, place: int, sample: int) -> bool:
        """Whether ``sample`` of the problem at ``place`` of the benchmark belongs to this shard.

        Each shard gets the same number of samples, give or take one a problem, and of hard problems, which take
        longest, as many as of others.
        """
        return (place + sample) % self.count == self.index


def _task_of_array(environment: Mapping[str, str], text: str) -> tuple[int, int]:
    """Place of this task in its Slurm array, and how many there are."""
    task, count = _number(environment, text, TASK), _number(environment, text, COUNT)
    first, step = int(environment.get(FIRST, "0")), int(environment.get(STEP, "1")) or 1
    last = int(environment.get(LAST, first + step * (count - 1)))
    place, rest = divmod(task - first, step)
    if rest or last != first + step * (count - 1):
        raise worded(OptionsError, note("shards_uneven", shard=text))
    return place, count


def _number(environment: Mapping[str, str], text: str, *names: str) -> int:
    """The whole number that one of the variables holds."""
    given = {name: environment[name] for name in names if environment.get(name)}
    if len(given) != 1 or not all(value.isdecimal() for value in given.values()):
        raise worded(OptionsError, note("shard_unset", shard=text, names=names, given=given))
    return int(*given.values())
