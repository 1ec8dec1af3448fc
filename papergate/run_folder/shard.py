"""``shard.json``: which part of a promise a folder holds, written whenever that part is complete up to a look.

Beside the folders of shards that are coordinated, ``coordinated/PROMISE.json`` says up to which look all are to ask.
"""

from pathlib import Path
from typing import Literal

from papergate.run_folder.files import SHARD_FILE
from papergate.run_folder.stored import Stored


class ShardRecord(Stored):
    """A part of a promise that was asked on one machine, and the plan of the whole."""

    index: int
    count: int
    look: int
    """Samples of a problem, on average over the whole, up to which this part is complete; 0 where no look is."""
    problems: tuple[str, ...]
    """All that the whole asks, in the order of the benchmark."""
    samples: tuple[int, ...]
    """How many samples of each problem the whole has at this look."""
    papergate: str
    gave_up: str = ""
    """Why the last session ended before what its coordinator asked for; empty where it did not."""
    session: str = ""
    """Tells sessions that gave up apart."""

    def keys(self) -> set[tuple[str, int]]:
        """The samples of this part: problem and number."""
        return {
            (problem, sample)
            for place, (problem, samples) in enumerate(zip(self.problems, self.samples, strict=True))
            for sample in range((self.index - place) % self.count, samples, self.count)
        }


def write_shard(folder: Path, record: ShardRecord) -> None:
    """Put down in the folder of a promise that its part is complete.

    Raises:
        OSError: the disk refused.
    """
    record.write(folder / SHARD_FILE)


def read_shard(folder: Path) -> ShardRecord | None:
    """What the folder of a promise says of its part; None where no look of it is complete, or it is no part.

    Raises:
        StoreError: it is damaged, or of a later release.
    """
    path = folder / SHARD_FILE
    return ShardRecord.read(path) if path.exists() else None


class LooksRecord(Stored):
    """What the coordinator of shards says of one promise."""

    look: int
    """Samples of a problem, on average over the whole, up to which every shard is to ask."""
    state: Literal["open", "closed", "stopped"]
    """``open``: another look may follow; ``closed``: none does; ``stopped``: the promise was given up."""
    why: str = ""
    session: str
    beats: int
    """Grows while the coordinator lives."""


def write_looks(path: Path, record: LooksRecord) -> None:
    """Say it to all shards.

    Raises:
        OSError: the disk refused.
    """
    record.write(path)


def read_looks(path: Path) -> LooksRecord | None:
    """What the coordinator said last; None where it said nothing yet.

    Raises:
        StoreError: it is damaged, or of a later release.
    """
    return LooksRecord.read(path) if path.exists() else None
