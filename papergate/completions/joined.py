"""The stores of all shards of a run, read as one while they are written."""

from collections.abc import Iterable, Iterator, KeysView, Sequence
from contextlib import ExitStack
from pathlib import Path

from papergate.completions.contents import Key, Place
from papergate.completions.store import completion_at, contents_of, opened_completions, refuse_damaged
from papergate.engines.records import Completion
from papergate.run_folder.files import COMPLETIONS_FILE


class Joined:
    """What the shards in ``folders`` hold as of the last `refresh`; nothing of it is written."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._places: dict[Key, tuple[int, Place]] = {}

    def refresh(self) -> None:
        """Read the stores again.

        Raises:
            StoreError: one is not there, or damaged.
        """
        for number, folder in enumerate(self._folders):
            contents = contents_of(folder)
            refuse_damaged(folder, contents)
            self._places |= {key: (number, place) for key, place in contents.succeeded.items()}

    def __contains__(self, key: Key) -> bool:
        """Whether this problem and sample has a completion that did not fail."""
        return key in self._places

    def __len__(self) -> int:
        """How many problems and samples have a completion that did not fail."""
        return len(self._places)

    def keys(self) -> KeysView[Key]:
        """The problems and samples that have one."""
        return self._places.keys()

    def read(self, keys: Iterable[Key]) -> Iterator[Completion]:
        """The completion of each problem and sample, one at a time.

        Raises:
            KeyError: one has none.
            StoreError: a record was edited since.
        """
        with ExitStack() as stack:
            files = [stack.enter_context(opened_completions(folder)) for folder in self._folders]
            for number, place in map(self._places.__getitem__, keys):
                yield completion_at(files[number], place, self._folders[number] / COMPLETIONS_FILE)
