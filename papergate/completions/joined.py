"""The stores of all shards of a run, read as one while they are written."""

from collections.abc import Iterable, Iterator, KeysView, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from papergate.completions.store import completion_at, contents_of, opened_completions, refuse_damaged
from papergate.completions.table import Key, Table
from papergate.engines.records import Completion
from papergate.run_folder.files import COMPLETIONS_FILE


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    """Where a completion is."""

    store: int
    start: int
    length: int


class Joined:
    """What the shards in ``folders`` hold as of the last `refresh`; nothing of it is written."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._held = Table(_Held)

    def refresh(self) -> None:
        """Read the stores again.

        Raises:
            StoreError: one is not there, or damaged.
        """
        for number, folder in enumerate(self._folders):
            contents = contents_of(folder)
            refuse_damaged(folder, contents)
            for key, (start, length) in contents.succeeded.items():
                self._held.put(key, _Held(store=number, start=start, length=length))

    def __contains__(self, key: Key) -> bool:
        """Whether this problem and sample has a completion that did not fail."""
        return key in self._held

    def __len__(self) -> int:
        """How many problems and samples have a completion that did not fail."""
        return len(self._held)

    def __iter__(self) -> Iterator[Key]:
        """The problems and samples that have one."""
        return iter(self._held)

    def keys(self) -> KeysView[Key]:
        """The problems and samples that have one."""
        return self._held.keys()

    def read(self, keys: Iterable[Key]) -> Iterator[Completion]:
        """The completion of each problem and sample, one at a time.

        Raises:
            KeyError: one has none.
            StoreError: a record was edited since.
        """
        with ExitStack() as stack:
            files = [stack.enter_context(opened_completions(folder)) for folder in self._folders]
            for held in map(self._held.__getitem__, keys):
                place = (held.start, held.length)
                yield completion_at(files[held.store], place, self._folders[held.store] / COMPLETIONS_FILE)
