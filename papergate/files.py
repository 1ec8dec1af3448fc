"""Files, safely: plain files of a bounded size are read; what is written is private, whole, and not through a link.

Inputs of a user may be named through links. Files that papergate keeps in a run are opened without following any: such
a link was planted, or put there by mistake.
"""

import gzip
import json
import os
import re
import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from tempfile import mkstemp
from typing import Any, BinaryIO, TextIO

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""Completions may hold what a licence or a customer keeps confidential; the owner decides who may read them."""
MEBIBYTE = 1 << 20
MOST_TOML = MEBIBYTE
"""The largest target file here has 6 KiB."""
MOST_DATA = 1024 * MEBIBYTE
"""The largest benchmark, MMLU, has 10 MiB; conversations that prompts are made of have some hundred."""
MOST_LOG = 8192 * MEBIBYTE
"""Stored completions: the largest run foreseen has 4 GiB."""
MOST_RECORD = 64 * MEBIBYTE
"""A file of a run that is read as a whole; the verdict on the largest benchmark has some 2 MiB."""
MOST_PACKED_RATIO, MOST_FREE = 100, 64 * MEBIBYTE
"""Real texts pack to a 3rd, endless loops to some 50th of their size; gzip can pack zeros to a 1,000th. Below
``MOST_FREE`` bytes any ratio is harmless."""
CHUNK = MEBIBYTE
MOST_HOLES = 1024 * MEBIBYTE
"""Of a file, never written. papergate leaves none, a power loss no more than what was in flight; a terabyte of them is
made in no time, and takes minutes to read."""

LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape in JSON that may stand for no letter."""


class NotPlain(OSError):
    """A device, fifo, folder or too large a file where a plain file is expected."""


class Twice(Exception):
    """A field that an object of JSON states more than once: it is not clear which of both counts."""


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these fields, for the ``object_pairs_hook`` of `json`.

    Raises:
        Twice: one of them is stated more than once; it is named.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Twice(Counter(name for name, _ in pairs).most_common(1)[0][0])
    return found


def reason(error: OSError) -> str:
    """What went wrong, without the path and the number."""
    return error.strerror or str(error)


def read_plain(path: Path, *, most: int) -> bytes:
    """The bytes of the plain file at ``path``, through links.

    Raises:
        NotPlain: it is no plain file, or has more than ``most`` bytes.
        OSError: it cannot be read.
    """
    return _whole(_open(path, os.O_RDONLY), most)


def text_of(data: bytes) -> str:
    """``data`` as UTF-8, with or without a byte order mark.

    Raises:
        UnicodeDecodeError: it is no UTF-8; a ValueError.
    """
    return data.decode("utf-8-sig")


def parsed(text: str) -> Any:  # noqa: ANN401 - of any shape
    """The JSON in ``text``; half of a surrogate pair, which no UTF-8 can hold, becomes "?".

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds a number of thousands of digits.
    """
    try:
        found = json.loads(text)
        if LONE_SURROGATE.search(text):
            found = json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return found


def require_plain(path: Path, *, most: int) -> None:
    """See that ``path`` is a plain file of at most ``most`` bytes, for readers that open it themselves.

    Raises:
        NotPlain: it is not.
        OSError: there is none.
    """
    status = path.stat()
    _refuse_special(status.st_mode)
    if status.st_size > most:
        raise _too_large(most)


def unpacked(data: bytes, *, most: int) -> bytes:
    """The gzip file ``data``, unpacked.

    Raises:
        NotPlain: it packs more than ``most`` bytes, or so much as no text does.
        OSError: it is no whole gzip file.
    """
    bound = min(most, max(MOST_FREE, MOST_PACKED_RATIO * len(data)))
    unpacker, parts, room = zlib.decompressobj(wbits=31), list[bytes](), bound
    try:
        while data:
            parts.append(unpacker.decompress(data, room + 1))
            room -= len(parts[-1])
            if room < 0:
                raise NotPlain(f"unpacks to more than {bound / MEBIBYTE:g} MiB; unpack it and give the plain file")
            data = unpacker.unconsumed_tail or unpacker.unused_data.lstrip(b"\0")
            if unpacker.eof and data:
                unpacker = zlib.decompressobj(wbits=31)  # a gzip file may have several members
    except zlib.error as error:
        raise gzip.BadGzipFile(f"not a gzip file ({error})") from error
    if not unpacker.eof:
        raise gzip.BadGzipFile("the gzip file ends early")
    return b"".join(parts)


def open_kept(path: Path, flags: int) -> int:
    """A descriptor of the plain file at ``path``, private if it is made now, and never that of a link.

    Raises:
        NotPlain: a link, device, fifo or folder has that name, or next to nothing of the file was ever written.
        OSError: it cannot be opened.
    """
    if path.is_symlink():
        raise NotPlain(f"{path} is a link, which papergate does not follow inside a run; put the file itself there")
    descriptor = _open(path, flags | os.O_NOFOLLOW)
    try:
        refuse_hollow(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def refuse_hollow(descriptor: int) -> None:
    """See that an open file was written, as far as its file system tells; it is read from its beginning after that.

    Raises:
        NotPlain: it has more than `MOST_HOLES` bytes of holes.
    """
    size, at, holes = os.fstat(descriptor).st_size, 0, 0
    while holes <= MOST_HOLES < size and (start := _next(descriptor, at, os.SEEK_HOLE, size)) < size:
        at = _next(descriptor, start, os.SEEK_DATA, size)
        holes += at - start
    os.lseek(descriptor, 0, os.SEEK_SET)
    if holes > MOST_HOLES:
        raise NotPlain(f"{holes // (1024 * MEBIBYTE)} GiB of it were never written; restore the file from a copy")


def read_kept(path: Path, *, most: int = MOST_RECORD) -> bytes:
    """The bytes of a file of a run, which is not followed if it is a link.

    Raises:
        NotPlain: a link, device, fifo or folder has that name, or it has more than ``most`` bytes.
        OSError: it cannot be read.
    """
    return _whole(open_kept(path, os.O_RDONLY), most)


def digest_of_kept(path: Path, *, most: int) -> str:
    """sha256 of a file of a run, which is not held in memory.

    Raises:
        NotPlain: as `read_kept`; what is too large is not read at all.
        OSError: it cannot be read.
    """
    with open(open_kept(path, os.O_RDONLY), "rb") as file:
        if os.fstat(file.fileno()).st_size > most:
            raise _too_large(most)
        return file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a private file that, through power loss, is either as before or whole; a link of that name is replaced."""
    with bytes_written(path) as file:
        file.write(data)


@contextmanager
def text_written(path: Path) -> Iterator[TextIO]:
    """A private text file that takes its name only when it was written to the end; a file that is there keeps its mode.

    A link stays, and what it names is written. A device, a fifo, and whatever ``/dev`` and ``/proc`` name are written
    through as they stand, and never replaced.

    Raises:
        NotPlain: a folder, a socket or a link that leads to itself has that name.
        OSError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    mode = path.stat().st_mode if path.exists() else stat.S_IFREG | PRIVATE_FILE
    if stat.S_ISDIR(mode) or stat.S_ISSOCK(mode):
        _refuse_special(mode)
    if target.is_symlink():
        raise NotPlain("a link that leads to itself")
    if not stat.S_ISREG(mode) or path.is_relative_to("/dev") or path.is_relative_to("/proc"):
        with path.open("a", encoding="utf-8") as file:
            yield file
        return
    descriptor, draft = mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - of a descriptor
            os.fchmod(descriptor, stat.S_IMODE(mode))
            yield file
        os.replace(draft, target)  # noqa: PTH105 - the atomic rename is the point
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)  # noqa: PTH108
        raise


@contextmanager
def bytes_written(path: Path) -> Iterator[BinaryIO]:
    """A private file that, through power loss, is either as before or whole; a link of that name is replaced.

    Raises:
        OSError: it cannot be written; an earlier file stays.
    """
    descriptor, draft = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
            yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, path)  # noqa: PTH105 - the atomic rename is the point
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)  # noqa: PTH108
        raise
    sync_folder(path.parent)


def private_folder(folder: Path) -> None:
    """Make ``folder`` and the missing ones above it, for their user alone; one that is there keeps its mode."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive power loss."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path, flags: int) -> int:
    """A device may act on being opened, so its kind is looked at first; O_NONBLOCK waits for no writer of a fifo."""
    try:
        if path.exists():
            _refuse_special(path.stat().st_mode)
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, PRIVATE_FILE)
    except ValueError as error:
        raise NotPlain(f"{error}: no name of a file") from error
    try:
        _refuse_special(os.fstat(descriptor).st_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _next(descriptor: int, start: int, what: int, size: int) -> int:
    """Where the next hole or data begin; the end of the file where there are none, or its file system cannot tell."""
    try:
        return os.lseek(descriptor, start, what)
    except OSError:
        return size


def _whole(descriptor: int, most: int) -> bytes:
    """All bytes of an open file; the file is closed."""
    with open(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        data = file.read(size + 1) if size <= most else b""
        while size <= most and len(data) <= most and (more := file.read(CHUNK)):  # it grows, or states no size
            data += more
    if max(size, len(data)) > most:
        raise _too_large(most)
    return data


def _too_large(most: int) -> NotPlain:
    return NotPlain(f"it has more than {most / MEBIBYTE:g} MiB; give a smaller file")


def _refuse_special(mode: int) -> None:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a fifo", stat.S_IFSOCK: "a socket"}
    if not stat.S_ISREG(mode):
        raise NotPlain(f"{kinds.get(stat.S_IFMT(mode), 'a device')} where a plain file is expected")
