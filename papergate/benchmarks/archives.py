"""Benchmarks in a zip archive at a fixed address, known by its md5: how OpenCompass and AISBench publish theirs."""

import hashlib
import os
import zipfile
from pathlib import Path

from papergate.benchmarks.records import Origin
from papergate.errors import BenchmarkError
from papergate.files import MOST_DATA, private_folder, write_whole
from papergate.run_folder.notes import note
from papergate.words import worded

TIMEOUT_S = 60.0
"""To connect, and between two pieces."""
PIECE_BYTES = 2**20


def from_archive(origin: Origin, download: bool) -> list[Path]:  # noqa: FBT001 - one of several functions of one form
    """The members of the archive that ``origin`` names, kept in the cache; fetched only with ``download``.

    Raises:
        BenchmarkError: it is not here, is another archive than the one that is known, or lacks a member.
        OSError: it cannot be reached or kept.
    """
    archive = cache() / f"{origin.revision}.zip"
    if not archive.is_file():
        if not download:
            raise worded(BenchmarkError, note("archive_not_fetched"))
        _keep(archive, _fetched(origin))
    return [_member(archive, name) for name in origin.files]


def cache() -> Path:
    """Where archives are kept: ``papergate`` in XDG_CACHE_HOME, which is ``~/.cache`` by default."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "papergate"


def _fetched(origin: Origin) -> bytes:
    import requests

    content = bytearray()
    with requests.get(origin.repo, stream=True, timeout=TIMEOUT_S) as answer:
        answer.raise_for_status()
        for piece in answer.iter_content(PIECE_BYTES):
            content += piece
            if len(content) > MOST_DATA:
                raise worded(BenchmarkError, note("archive_large", most=MOST_DATA))
    if (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != origin.revision:
        raise worded(BenchmarkError, note("archive_other_digest", found=found, expected=origin.revision))
    return bytes(content)


def _keep(path: Path, content: bytes) -> None:
    private_folder(path.parent)
    write_whole(path, content)


def _member(archive: Path, name: str) -> Path:
    """A member by its name, in whatever folder of the archive, as a file beside it."""
    kept = archive.with_suffix("") / name
    if kept.is_file():
        return kept
    with zipfile.ZipFile(archive) as opened:
        found = [each for each in opened.infolist() if each.filename.split("/")[-1] == name]
        if len(found) != 1:
            raise worded(BenchmarkError, note("archive_members", count=len(found), name=name))
        if found[0].file_size > MOST_DATA:
            raise worded(BenchmarkError, note("archive_member_large", name=name, size=found[0].file_size))
        _keep(kept, opened.read(found[0]))
    return kept
