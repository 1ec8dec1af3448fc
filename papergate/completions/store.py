"""The record of a run: a manifest and one line of JSON per completion, kept through kill -9 and power loss.

A run folder holds

``manifest.json``
    what the completions mean, see :class:`~papergate.completions.manifest.Manifest`
``completions.jsonl``
    one sealed record per line, see ``lines.py``; only ever appended, nothing in it is ever cut off. The newline comes
    *first*: what an interrupted write left stays on a line of its own and cannot spoil the record that follows it
``acknowledged.json``
    how far the records had been acknowledged at the last look or at the end of the last session
``sessions.jsonl``
    what the completions were drawn on (versions, devices, endpoints), a line for each set-up that was not the last
``writer.lock``
    held by the one process that writes

Readers take no lock. A line that is the beginning of a record was never acknowledged: it is skipped and its completion
asked again. Anything else that is not as it was written is refused with its place, and repaired on demand only.
"""

import errno
import fcntl
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO, Protocol, Self

import orjson
from filelock import FileLock, Timeout
from pydantic import ValidationError

from papergate.completions.contents import Contents, Mark
from papergate.completions.lines import Damaged, hash_of, record_of, sealed
from papergate.completions.manifest import Manifest
from papergate.completions.table import Key, Place
from papergate.engines.records import Completion
from papergate.errors import StoreError
from papergate.files import (
    PRIVATE_FILE,
    open_kept,
    private_folder,
    read_kept,
    reason,
    sync_folder,
    write_whole,
)
from papergate.run_folder.files import COMPLETIONS_FILE, LOCK_FILE, MANIFEST_FILE, MARK_FILE, SESSIONS_FILE
from papergate.run_folder.history import read_history
from papergate.run_folder.notes import note
from papergate.run_folder.stored import SEAL, mistakes_of
from papergate.words import say, worded

NAMED = 5
"""Damages that a message names one by one."""
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
"""How file systems say that they have no locks."""
CHANGED = "changed by others"
SHARED = "end the other program that writes there, then: papergate runs check RUN --repair, and the same command again"
RESTORE = "restore it, or: papergate runs check RUN --repair"


class Kept(Protocol):
    """Completions that can be read: those of one store, or of all shards of a run."""

    def __contains__(self, key: Key) -> bool:
        """Whether this problem and sample has a completion that did not fail."""

    def __len__(self) -> int:
        """How many problems and samples have one."""

    def __iter__(self) -> Iterator[Key]:
        """The problems and samples that have one."""

    def read(self, keys: Iterable[Key]) -> Iterator[Completion]:
        """The completion of each problem and sample, one at a time."""


class Store:
    """The completions of one run, written by one process; every ``append`` is on disk when it returns."""

    def __init__(self, folder: Path, manifest: Manifest, lock: FileLock) -> None:
        self.folder = folder
        self.manifest = manifest
        self._path = folder / COMPLETIONS_FILE
        self._lock = lock
        self._appending = threading.Lock()
        self._file = open_kept(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            with open(os.dup(self._file), "rb") as file:  # noqa: PTH123 - of a descriptor
                self._contents = contents_in(folder, file)
            refuse_damaged(folder, self._contents)
            self._manifest = read_kept(folder / MANIFEST_FILE)
            self._broken = ""
            self._marked = self._contents.mark
            self._remember(manifest.situation)
            self.mark()
            sync_folder(folder)
        except BaseException:
            os.close(self._file)
            raise

    @classmethod
    def open(cls, folder: Path, manifest: Manifest) -> Self:
        """Create the run in ``folder``, or resume it.

        Raises:
            StoreError: the folder belongs to another run (every difference is shown), another process writes it, it is
                damaged, or it cannot be read or written.
        """
        try:
            private_folder(folder)
            lock = only_writer(folder)
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            _claim(folder, manifest)
            return cls(folder, manifest, lock)
        except OSError as error:
            lock.release()
            raise _unwritable(folder, error) from error
        except BaseException:
            lock.release()
            raise

    def __contains__(self, key: Key) -> bool:
        """Whether this problem and sample has a completion that did not fail."""
        return key in self._contents.succeeded

    def __len__(self) -> int:
        """How many problems and samples have a completion that did not fail."""
        return len(self._contents.succeeded)

    def __iter__(self) -> Iterator[Key]:
        """The problems and samples that have a completion that did not fail."""
        return iter(self._contents.succeeded)

    @property
    def unsealed(self) -> int:
        """How many records are from a papergate that did not seal them."""
        return self._contents.unsealed

    @property
    def failed(self) -> int:
        """How many problems and samples were asked and have only failures."""
        return len(self._contents.failed)

    def append(self, *completions: Completion) -> None:
        """Write completions; they are on disk, through power loss, when this returns.

        Raises:
            StoreError: the disk refused, for example because it is full, or the file was removed, replaced or written
                by another process meanwhile; nothing stored before is harmed.
        """
        with self._appending:
            contents, lines, link = self._contents, list[bytes](), self._contents.link
            for completion in completions:
                assert link is not None, "a damaged store is not opened"
                line, link = sealed(completion, link)
                lines.append(line)
            self._write(b"".join(lines))
            contents.link = link
            for completion, line in zip(completions, lines, strict=True):
                place = (contents.size + 1, len(line) - 1)
                contents.note(completion.problem, completion.sample, completion.finish, place)
                contents.size += len(line)

    def mark(self) -> None:
        """Put down that everything acknowledged so far must be there when the run is opened again."""
        now = self._contents.now()
        if now != self._marked and not self._broken:
            write_whole(self.folder / MARK_FILE, now.encoded())
            self._marked = now

    def read(self, keys: Iterable[Key]) -> Iterator[Completion]:
        """The last completion of each problem and sample that did not fail, one at a time: all may be gigabytes.

        Raises:
            KeyError: one has none.
            StoreError: a record was edited since the run was opened.
        """
        return self._read(self._contents.succeeded[key] for key in keys)

    def completions(self) -> dict[Key, Completion]:
        """The last completion of every problem and sample that did not fail, read from disk."""
        return {(done.problem, done.sample): done for done in self.read(list(self._contents.succeeded))}

    def failures(self) -> dict[Key, Completion]:
        """The last failure of every problem and sample that has nothing else, read from disk."""
        return {(done.problem, done.sample): done for done in self._read(list(self._contents.failed.values()))}

    def sessions(self) -> tuple[dict[str, str], ...]:
        """The set-ups that the completions were drawn on, in their order; see `Manifest.situation`.

        Raises:
            StoreError: a line of them is not as papergate wrote it.
        """
        return read_sessions(self.folder)

    def close(self) -> None:
        """Let another process write; may be called twice."""
        with self._appending:
            if self._file >= 0:
                with suppress(OSError):  # then the mark of the last look stands: less is known, nothing is lost
                    self.mark()
                os.close(self._file)
                self._file = -1
                self._lock.release()

    def __enter__(self) -> Self:
        """Use the store as a context: closed at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def remember(self, now: Manifest) -> None:
        """Put down what the completions were drawn on, where that changed while they were asked.

        Raises:
            StoreError: who answers now is not who answered when the run was opened: completions of both may be kept.
        """
        if different := now.difference(self.manifest):
            listed = "\n".join(f"  {line}" for line in different)
            raise worded(StoreError, note("answerer_changed", folder=f"{self.folder}", differences=listed))
        self._remember(now.situation)

    def _remember(self, mine: dict[str, str]) -> None:
        """Put down a set-up, where it is not that of the last session."""
        known = self.sessions()
        self._sessions = known if mine in known[-1:] else (*known, mine)
        if self._sessions != known:
            write_sessions(self.folder, self._sessions)

    def _read(self, places: Iterable[Place]) -> Iterator[Completion]:
        with open(open_kept(self._path, os.O_RDONLY), "rb") as file:  # noqa: PTH123 - of a descriptor
            for place in places:
                yield completion_at(file, place, self._path)

    def _write(self, data: bytes) -> None:
        """Append all of ``data`` and wait for the disk; on an error, take back what went out."""
        if self._file < 0:
            raise worded(StoreError, note("store_closed", folder=f"{self.folder}"))
        if self._broken:
            raise StoreError(self._broken)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as error:
            full = note("store_full", file=str(self._path), reason=error.strerror, kept=len(self))
            self._take_back(say(full))
            raise worded(StoreError, full) from error
        self._refuse_lost(self._contents.size + len(data))

    def _take_back(self, why: str) -> None:
        """Cut off what was never acknowledged; where that fails too, nothing more is written after it."""
        try:
            os.ftruncate(self._file, self._contents.size)
            os.fsync(self._file)
        except OSError:
            self._broken = why

    def _refuse_lost(self, size: int) -> None:
        """Acknowledge nothing that the next session would not find: the name must still be that of this file."""
        here, there = os.fstat(self._file), _status(self._path)
        if there and (there.st_dev, there.st_ino, there.st_size) == (here.st_dev, here.st_ino, size):
            return
        what = "removed" if there is None else "replaced" if there.st_ino != here.st_ino else CHANGED
        saved = SHARED if what == CHANGED else self._saved(here.st_nlink)
        self._broken = f"{self._path} was {what} while this run wrote it; {saved}"
        raise StoreError(self._broken)

    def _saved(self, names: int) -> str:
        """Where the records are now; written again where the file has no name left."""
        if names:
            return "its records are in the file where it is now; put it back and run the same command again"
        try:
            path = self._rescued()
        except OSError as error:
            return f"its {len(self)} completions could not be saved: {reason(error)}"
        if path == self._path:
            return f"its {len(self)} completions were written again; run the same command again"
        return f"its {len(self)} completions are in {path}; put that file back and run the same command again"

    def _rescued(self) -> Path:
        """The whole file again, under its own name if that is free."""
        private_folder(self.folder)
        if not (self.folder / MANIFEST_FILE).exists():
            write_whole(self.folder / MANIFEST_FILE, self._manifest)
            write_sessions(self.folder, self._sessions)
        descriptor, name = mkstemp(prefix="completions.rescued-", suffix=".jsonl", dir=self.folder)
        with open(descriptor, "wb") as rescued, open(os.dup(self._file), "rb") as lost:  # noqa: PTH123 - of descriptors
            lost.seek(0)
            shutil.copyfileobj(lost, rescued)
            rescued.flush()
            os.fsync(descriptor)
        write_whole(self.folder / MARK_FILE, self._contents.now().encoded())
        try:
            os.link(name, self._path)
        except FileExistsError:
            return Path(name)
        os.unlink(name)  # noqa: PTH108 - a descriptor's name
        sync_folder(self.folder)
        return self._path


def read_completions(folder: Path, places: Iterable[Place]) -> Iterator[Completion]:
    """The completions at ``places`` of `contents_of`, one at a time: all of them may be gigabytes."""
    with opened_completions(folder) as file:
        for place in places:
            yield completion_at(file, place, folder / COMPLETIONS_FILE)


def opened_completions(folder: Path, *, buffering: int = -1) -> BinaryIO:
    """The file of completions in ``folder``, to be read; the caller closes it."""
    return open(open_kept(folder / COMPLETIONS_FILE, os.O_RDONLY), "rb", buffering)  # noqa: PTH123 - of a descriptor


def contents_of(folder: Path) -> Contents:
    """What the store in ``folder`` holds and what is wrong with it; safe while a run writes.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """
    path = folder / COMPLETIONS_FILE
    try:
        with open(open_kept(path, os.O_RDONLY), "rb") as file:  # noqa: PTH123 - of a descriptor
            return contents_in(folder, file)
    except FileNotFoundError:
        return contents_in(folder, BytesIO())
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from error


def refuse_damaged(folder: Path, contents: Contents) -> None:
    """Go on only with a store that is as it was written.

    Raises:
        StoreError: it is not, with every place.
    """
    if not contents.damages:
        return
    named = [*map(str, contents.damages[:NAMED])]
    places = {"file": str(folder / COMPLETIONS_FILE), "folder": str(folder)}
    more = len(contents.damages) - len(named) + contents.more_damages
    raise worded(StoreError, note("store_damaged", damages=named, more=more, **places))


def refuse_unsound(folder: Path) -> None:
    """See that ``folder`` holds a store that can be resumed, or none: before an engine is started for it.

    Raises:
        StoreError: it is damaged.
    """
    if (folder / MANIFEST_FILE).exists():
        read_sessions(folder)
        read_history(folder)
        refuse_damaged(folder, contents_of(folder))


def read_sessions(folder: Path) -> tuple[dict[str, str], ...]:
    """The set-ups that the completions in ``folder`` were drawn on, in their order; see `Manifest.situation`.

    Raises:
        StoreError: a line of them is not as papergate wrote it.
    """
    path = folder / SESSIONS_FILE
    try:
        found = tuple(_sessions_in(read_kept(path), path))
    except FileNotFoundError:
        if not (folder / MARK_FILE).exists():
            return ()  # a new store, or one from before
        found = ()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from error
    if not found:
        raise StoreError(f"{path}: it names no session, and there was one; {RESTORE}")
    return found


def write_sessions(folder: Path, sessions: Sequence[Mapping[str, str]]) -> None:
    """Replace the set-ups in ``folder``; a seal is the hash of its line's other fields, seeded with the seal before."""
    link, lines = 0, list[bytes]()
    for session in sessions:
        link = hash_of(orjson.dumps(session), link)
        lines.append(orjson.dumps({**session, SEAL: f"{link:016x}"}) + b"\n")
    write_whole(folder / SESSIONS_FILE, b"".join(lines))


def _sessions_in(data: bytes, path: Path) -> Iterator[dict[str, str]]:
    """The set-ups in ``data``; those that an earlier release wrote have no seal."""
    link, seal = 0, None
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line:
            continue
        session, before = _session(line, f"{path}, line {number}"), seal
        seal = session.pop(SEAL, None)
        link = hash_of(orjson.dumps(session), link)
        if seal != (f"{link:016x}" if seal or before else None):
            raise StoreError(f"{path}, line {number}: edited, or it does not follow the line before it; {RESTORE}")
        yield session


def _session(line: bytes, place: str) -> dict[str, str]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        fields = None
    if isinstance(fields, dict) and all(isinstance(value, str) for value in fields.values()):
        return fields
    raise StoreError(f"{place}: not as papergate wrote it; {RESTORE}")


def only_writer(folder: Path) -> FileLock:
    """The lock of ``folder``, held where its file system has locks.

    Where it has none, as some that are mounted over a network, a second writer is noticed by the first record that
    either writes after the other: nothing of it is acknowledged.

    Raises:
        StoreError: another process holds it.
        OSError: it cannot be made.
    """
    descriptor = open_kept(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    try:
        has_locks = _has_locks(descriptor)
    finally:
        os.close(descriptor)
    # thread_local=False: the thread that closes a store need not be the one that opened it
    lock = FileLock(folder / LOCK_FILE, timeout=0, thread_local=False, mode=PRIVATE_FILE)
    try:
        if has_locks:
            lock.acquire()
    except Timeout:
        raise worded(StoreError, note("store_locked", folder=str(folder), lock=LOCK_FILE)) from None
    return lock


def write_manifest(folder: Path, manifest: Manifest) -> bytes:
    """Write the manifest of a new run; the bytes, which its first record follows."""
    data = manifest.model_dump_json(indent=2).encode() + b"\n"
    write_whole(folder / MANIFEST_FILE, data)
    return data


def _has_locks(descriptor: int) -> bool:
    """Whether the file system of an open file has locks; filelock would leave a mark there that outlives a kill."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in NO_LOCKS
    return True


def read_manifest(folder: Path) -> Manifest:
    """What the completions in ``folder`` mean.

    Raises:
        StoreError: there is no run, or its manifest cannot be read.
    """
    path = folder / MANIFEST_FILE
    try:
        return Manifest.model_validate_json(read_kept(path))
    except FileNotFoundError:
        raise worded(StoreError, note("run_without_manifest", folder=f"{folder}", file=MANIFEST_FILE)) from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from error
    except ValidationError as error:
        raise worded(
            StoreError, note("manifest_unread", file=f"{path}", mistakes="; ".join(mistakes_of(error)))
        ) from None


def contents_in(folder: Path, file: BinaryIO) -> Contents:
    """What the open ``file`` holds, as the completions of ``folder``.

    Raises:
        StoreError: the folder holds no run.
        OSError: it cannot be read.
    """
    # the mark is read before the file: a run that goes on moves both
    manifest, mark, damages = read_manifest(folder), None, list[str]()
    try:
        mark = Mark.decoded(read_kept(folder / MARK_FILE))
    except FileNotFoundError:
        pass  # a store from before, or a new one
    except (OSError, ValueError) as error:
        damages.append(f"{MARK_FILE}: {error}")
    return Contents.read(
        file,
        manifest=read_kept(folder / MANIFEST_FILE),
        run_seed=manifest.run_seed,
        mark=mark,
        damages=damages,
    )


def completion_at(file: BinaryIO, place: Place, path: Path) -> Completion:
    """The completion at ``place`` in the open ``file``.

    Raises:
        StoreError: it is no longer what it was when the file was opened.
    """
    start, length = place
    file.seek(start)
    try:
        return record_of(file.read(length), 0).completion
    except Damaged as damage:
        raise StoreError(f"{path}, byte {start}: {damage}") from damage


def _claim(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a new run, or see that the stored one is the same run."""
    if not (folder / MANIFEST_FILE).exists():
        if (folder / COMPLETIONS_FILE).exists():
            seen = {"completions": COMPLETIONS_FILE, "manifest": MANIFEST_FILE}
            raise worded(StoreError, note("completions_without_manifest", folder=f"{folder}", **seen))
        write_manifest(folder, manifest)
        return
    difference = manifest.difference(read_manifest(folder))
    if difference:
        raise worded(StoreError, note("other_run", folder=str(folder), differences=difference))


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return worded(StoreError, note("runs_not_written", folder=f"{folder}", error=f"{error}"))
