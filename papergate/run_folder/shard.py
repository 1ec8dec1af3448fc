"""``shard.json``: which part of a promise a folder holds, written whenever that part is complete up to a look."""

from pathlib import Path

from papergate.run_folder.files import SHARD_FILE
from papergate.run_folder.stored import Stored


class ShardRecord(Stored):
    """A part of a promise that was asked on one machine, and the plan of the whole."""

    index: int
    count: int
    look: int
    """Samples of a problem, on average over the whole, up to which this part is complete."""
    problems: tuple[str, ...]
    """All that the whole asks, in the order of the benchmark."""
    samples: tuple[int, ...]
    """How many samples of each problem the whole has at this look."""
    papergate: str

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
