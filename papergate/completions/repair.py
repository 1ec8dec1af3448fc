"""Repairing a store on demand: what is whole is kept, the file as it was is set aside, and the run remembers both."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

import orjson

from papergate.completions.contents import Contents
from papergate.completions.lines import NEWLINE, hash_of, sealed
from papergate.completions.manifest import REPAIR
from papergate.completions.store import (
    completion_at,
    contents_in,
    contents_of,
    only_writer,
    read_sessions,
    write_sessions,
)
from papergate.errors import StoreError
from papergate.files import MOST_LOG, NotPlain, open_kept, read_kept, reason, sync_folder, unpacked, write_whole
from papergate.run_folder.files import COMPLETIONS_FILE, HISTORY_FILE, MANIFEST_FILE, MARK_FILE, SESSIONS_FILE
from papergate.run_folder.history import read_history
from papergate.run_folder.notes import note
from papergate.run_folder.stored import SEAL
from papergate.words import worded

MOST_UNPACKED = 1 << 34
"""No run foreseen has a tenth of it."""
GZIP = b"\x1f\x8b"
BETWEEN = " \t\r\n,[]\0\ufeff"
"""What tools put between the records of a file that they save again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """What was done to one store."""

    kept: int
    """Records."""
    aside: Path
    """Where the file is as it was."""


def repair(folder: Path) -> Repair | None:
    """Keep the whole records of the store in ``folder``, sealed anew; None where nothing is wrong with it.

    What was damaged is asked for again when the run is resumed; the report names the repair.

    Raises:
        StoreError: it is being written, cannot be read or written, or holds the records of another run.
    """
    try:
        lock = only_writer(folder)
    except OSError as error:
        raise worded(StoreError, note("output_not_written", file=f"{folder}", reason=reason(error))) from error
    try:
        _repair_sessions(folder)
        _repair_history(folder)
        return _repaired(folder)
    except OSError as error:
        raise worded(StoreError, note("repair_failed", folder=f"{folder}", reason=reason(error))) from error
    finally:
        lock.release()


def _repaired(folder: Path) -> Repair | None:
    path = folder / COMPLETIONS_FILE
    found = contents_of(folder)
    if not found.damages:
        return None
    if found.foreign:
        raise worded(StoreError, note("repair_of_another_run", file=f"{path}", manifest=MANIFEST_FILE))
    aside = _set_aside(path)
    with _opened(aside) as as_is, _as_saved_before(aside) as as_before:
        before = contents_in(folder, as_before)
        file, whole = (as_before, before) if before.records > found.records else (as_is, found)
        _rewrite(folder, file, whole)
    said = f"{COMPLETIONS_FILE} was repaired: {whole.records} records kept, the file as it was is {aside.name}"
    write_sessions(folder, (*read_sessions(folder), {REPAIR: said}))
    return Repair(kept=whole.records, aside=aside)


def _rewrite(folder: Path, file: BinaryIO, whole: Contents) -> None:
    """The last records of ``whole``, in their order, as a new file and its mark."""
    path = folder / COMPLETIONS_FILE
    now = Contents(run_seed=whole.run_seed, mark=None, link=hash_of(read_kept(folder / MANIFEST_FILE)))
    descriptor, draft = mkstemp(prefix=f".{path.name}.", dir=folder)
    with open(descriptor, "wb") as new:  # noqa: PTH123 - of a descriptor
        for place in sorted([*whole.succeeded.values(), *whole.failed.values()]):
            completion = completion_at(file, place, path)
            line, now.link = sealed(completion, now.link or 0)
            now.note(completion.problem, completion.sample, completion.finish, (now.size + 1, len(line) - 1))
            now.size += new.write(line)
        new.flush()
        os.fsync(descriptor)
    os.replace(draft, path)  # noqa: PTH105 - the atomic rename is the point
    write_whole(folder / MARK_FILE, now.now().encoded())


def _set_aside(path: Path) -> Path:
    """A second name for the file as it is, which nothing has."""
    descriptor, name = mkstemp(prefix=f"{path.stem}.set-aside-", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    if path.exists():
        Path(name).unlink()
        os.link(path, name, follow_symlinks=False)
    sync_folder(path.parent)
    return Path(name)


def _opened(path: Path) -> BinaryIO:
    return open(open_kept(path, os.O_RDONLY), "rb")  # noqa: PTH123 - of a descriptor; the caller closes it


def _as_saved_before(path: Path) -> BytesIO:
    """The lines that were there before a tool packed, encoded or laid out the whole file otherwise."""
    try:
        data = read_kept(path, most=MOST_LOG)
    except NotPlain:
        return BytesIO()  # larger than any tool saves again
    if data.startswith(GZIP):
        data = unpacked(data, most=MOST_UNPACKED)
    lines = BytesIO()
    lines.writelines(map(_line_of, _objects(_decoded(data))))
    lines.seek(0)
    return lines


def _line_of(record: object) -> bytes:
    """``record`` as one line; nothing where papergate cannot have written it, such as half of a letter."""
    try:
        return NEWLINE + orjson.dumps(record) if isinstance(record, dict) and record else b""
    except TypeError:
        return b""


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:2]:
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _objects(text: str) -> Iterator[object]:
    """The JSON objects in ``text``, whatever is between them; ends where something else is."""
    decoder, at = json.JSONDecoder(), 0
    while True:
        while at < len(text) and text[at] in BETWEEN:
            at += 1
        try:
            found, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield found


def _repair_sessions(folder: Path) -> None:
    """Keep the lines of set-ups that can be read; the file as it was is set aside."""
    try:
        read_sessions(folder)
    except StoreError:
        path = folder / SESSIONS_FILE
        aside = _set_aside(path)
        lines = [line for line in (read_kept(path) if path.exists() else b"").split(NEWLINE) if _is_object(line)]
        kept = [{name: value for name, value in orjson.loads(line).items() if name != SEAL} for line in lines]
        said = {REPAIR: f"{SESSIONS_FILE} was repaired: the file as it was is {aside.name}"}
        write_sessions(folder, [*kept, said])


def _repair_history(folder: Path) -> None:
    """Set a history aside that is not as it was written; the report says that there was one."""
    try:
        read_history(folder)
    except StoreError:
        path = folder / HISTORY_FILE
        aside = _set_aside(path)
        path.unlink()
        said = {REPAIR: f"{HISTORY_FILE}, the earlier verdicts, was damaged: the file as it was is {aside.name}"}
        write_sessions(folder, (*read_sessions(folder), said))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False
