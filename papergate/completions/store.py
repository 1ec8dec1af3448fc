"""The record of a run: a manifest and one line of JSON per completion, kept through kill -9 and power loss.

A run folder holds

``manifest.json``
    what the completions mean, see :class:`~papergate.completions.manifest.Manifest`
``completions.jsonl``
    one record per line, only ever appended. The newline comes *first*: whatever an interrupted write left behind
    stays on a line of its own and cannot spoil the record that follows it.
``sessions.jsonl``
    what the completions were drawn on (versions, devices, endpoints), a line for each set-up that was not the last
``writer.lock``
    held by the one process that writes

Readers take no lock. A line that is not whole JSON is the rest of an interrupted write: it was never acknowledged, so
it is skipped and its completion asked again.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson
from filelock import FileLock, Timeout
from pydantic import ValidationError

from papergate.completions.manifest import Manifest
from papergate.engines.records import Completion, Finish
from papergate.errors import StoreError

MANIFEST_FILE = "manifest.json"
COMPLETIONS_FILE = "completions.jsonl"
SESSIONS_FILE = "sessions.jsonl"
LOCK_FILE = "writer.lock"

Key = tuple[str, int]
"""Problem id and sample index."""
Place = tuple[int, int]
"""First byte and length of a record in the file."""


class Store:
    """The completions of one run, written by one process; every ``append`` is on disk when it returns."""

    def __init__(self, folder: Path, manifest: Manifest, lock: FileLock) -> None:
        self.folder = folder
        self.manifest = manifest
        self._lock = lock
        self._appending = threading.Lock()
        path = folder / COMPLETIONS_FILE
        lines = _Lines.read(path)
        self._done = lines.succeeded
        self._failed = lines.failed
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._file, lines.whole_bytes)
        self._remember()
        _sync_folder(folder)

    @classmethod
    def open(cls, folder: Path, manifest: Manifest) -> Self:
        """Create the run in ``folder``, or resume it.

        Raises:
            StoreError: the folder belongs to another run (every difference is shown), another process writes it, or
                it cannot be read or written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = _only_writer(folder)
        except OSError as error:
            raise StoreError(f"{folder} cannot be written: {error}; choose another folder for runs") from error
        try:
            _claim(folder, manifest)
            return cls(folder, manifest, lock)
        except OSError as error:
            lock.release()
            raise StoreError(f"{folder} cannot be written: {error}; choose another folder for runs") from error
        except BaseException:
            lock.release()
            raise

    def __contains__(self, key: Key) -> bool:
        """Whether this problem and sample has a completion that did not fail."""
        return key in self._done

    def __len__(self) -> int:
        """How many problems and samples have a completion that did not fail."""
        return len(self._done)

    @property
    def failed(self) -> int:
        """How many problems and samples were asked and have only failures."""
        return len(self._failed)

    def append(self, *completions: Completion) -> None:
        """Write completions; they are on disk, through power loss, when this returns.

        Raises:
            StoreError: the disk refused, for example because it is full; nothing stored before is harmed.
        """
        records = [orjson.dumps(completion) for completion in completions]
        data = b"".join(b"\n" + record for record in records)
        with self._appending:
            start = self._write(data)
            for completion, record in zip(completions, records, strict=True):
                _note(completion, (start + 1, len(record)), self._done, self._failed)
                start += 1 + len(record)

    def read(self, keys: Iterable[Key]) -> Iterator[Completion]:
        """The last completion of each problem and sample that did not fail, one at a time: all may be gigabytes.

        Raises:
            KeyError: one has none.
        """
        return self._read(self._done[key] for key in keys)

    def completions(self) -> dict[Key, Completion]:
        """The last completion of every problem and sample that did not fail, read from disk."""
        return {(done.problem, done.sample): done for done in self.read(list(self._done))}

    def failures(self) -> dict[Key, Completion]:
        """The last failure of every problem and sample that has nothing else, read from disk."""
        return {(done.problem, done.sample): done for done in self._read(list(self._failed.values()))}

    def sessions(self) -> tuple[dict[str, str], ...]:
        """The set-ups that the completions were drawn on, in their order; see `Manifest.situation`."""
        path = self.folder / SESSIONS_FILE
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        return tuple(orjson.loads(line) for line in lines if line)

    def close(self) -> None:
        """Let another process write; may be called twice."""
        with self._appending:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
                self._lock.release()

    def __enter__(self) -> Self:
        """Use the store as a context: closed at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _remember(self) -> None:
        """Put down the set-up of this session, where it is not that of the last."""
        known, mine = self.sessions(), self.manifest.situation
        if mine not in known[-1:]:
            written = b"".join(orjson.dumps(session) + b"\n" for session in (*known, mine))
            _write_whole(self.folder / SESSIONS_FILE, written)

    def _read(self, places: Iterable[Place]) -> Iterator[Completion]:
        path = self.folder / COMPLETIONS_FILE
        with path.open("rb") as file:
            for start, length in places:
                file.seek(start)
                yield _completion(orjson.loads(file.read(length)), f"{path}, byte {start}")

    def _write(self, data: bytes) -> int:
        """Append all of ``data`` at the returned offset and wait for the disk; on an error, take back what went out."""
        if self._file < 0:
            raise StoreError(f"{self.folder} is closed")
        size = os.fstat(self._file).st_size
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, size)
            raise StoreError(
                f"{self.folder / COMPLETIONS_FILE} cannot be written: {error.strerror}; the {len(self)} completions "
                "stored before are kept; make room and run the same command again",
            ) from error
        return size


def read_store(folder: Path) -> tuple[Manifest, dict[Key, Completion]]:
    """The manifest and the last successful completion of every problem and sample; safe while a run writes.

    Raises:
        StoreError: ``folder`` holds no run, or one that cannot be read.
    """
    return _read_manifest(folder), _completions(folder / COMPLETIONS_FILE)[0]


def read_failures(folder: Path) -> dict[Key, Completion]:
    """The last failure of every problem and sample that has nothing else; safe while a run writes."""
    return _completions(folder / COMPLETIONS_FILE)[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lines:
    """What the file holds, without its texts."""

    succeeded: dict[Key, Place]
    failed: dict[Key, Place]
    whole_bytes: int
    """Up to the end of the last whole record; what follows is the rest of an interrupted write."""

    @classmethod
    def read(cls, path: Path) -> Self:
        succeeded, failed, whole_bytes = dict[Key, Place](), dict[Key, Place](), 0
        for place, completion in _records(path):
            _note(completion, place, succeeded, failed)
            whole_bytes = sum(place)
        return cls(succeeded=succeeded, failed=failed, whole_bytes=whole_bytes)


def _note(completion: Completion, place: Place, succeeded: dict[Key, Place], failed: dict[Key, Place]) -> None:
    """Put down where the last record of a problem and sample stands; a failure counts only where nothing else is."""
    key = (completion.problem, completion.sample)
    if completion.finish is not Finish.FAILED:
        succeeded[key] = place
        failed.pop(key, None)
    elif key not in succeeded:
        failed[key] = place


def _records(path: Path) -> Iterator[tuple[Place, Completion]]:
    """Every whole record with its place."""
    if not path.exists():
        return
    start = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            record = line.rstrip(b"\n")
            try:
                fields = orjson.loads(record)
            except orjson.JSONDecodeError:
                fields = None  # blank, or the rest of an interrupted write
            if fields is not None:
                yield (start, len(record)), _completion(fields, f"{path}, line {number}")
            start += len(line)


def _completion(fields: object, where: str) -> Completion:
    try:
        assert isinstance(fields, dict)
        return Completion(**fields | {"finish": Finish(fields["finish"])})
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{where}: not a completion of papergate ({error!r}); was the file edited?") from error


def _completions(path: Path) -> tuple[dict[Key, Completion], dict[Key, Completion]]:
    """(succeeded, only failed), the last record of each."""
    succeeded, failed = dict[Key, Completion](), dict[Key, Completion]()
    for _, completion in _records(path):
        kind = failed if completion.finish is Finish.FAILED else succeeded
        kind[completion.problem, completion.sample] = completion
    return succeeded, {key: completion for key, completion in failed.items() if key not in succeeded}


def _only_writer(folder: Path) -> FileLock:
    # thread_local=False: the thread that closes a store need not be the one that opened it
    lock = FileLock(folder / LOCK_FILE, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(
            f"{folder} is being written by another process (it holds {LOCK_FILE}); wait for it, or give this run a "
            "folder of its own",
        ) from None
    return lock


def _claim(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a new run, or see that the stored one is the same run."""
    if not (folder / MANIFEST_FILE).exists():
        if (folder / COMPLETIONS_FILE).exists():
            raise StoreError(f"{folder} holds {COMPLETIONS_FILE} but no {MANIFEST_FILE}; restore it or move the folder")
        _write_whole(folder / MANIFEST_FILE, manifest.model_dump_json(indent=2).encode() + b"\n")
        return
    difference = manifest.difference(_read_manifest(folder))
    if difference:
        raise StoreError(
            f"{folder} holds another run:\n  " + "\n  ".join(difference) + "\nresume with the stored settings, or give "
            "this run a folder of its own",
        )


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{folder} holds no run: {MANIFEST_FILE} is missing") from None
    except (OSError, ValidationError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either not there or whole."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive power loss."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
