"""The sums of a run's evidence, as ``sha256sum`` writes and checks them, and the one digest that stands for all.

::

    (cd RUN && sha256sum FILE ..)                 the lines, in the order of the names
    (cd RUN && sha256sum FILE .. | sha256sum)     the root

JUnit, the page and the terminal quote the root, so that none of them is among the files that it covers.
"""

import hashlib
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from papergate.errors import StoreError
from papergate.files import CHUNK, open_kept, reason
from papergate.run_folder.files import evidence_files


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """What one file holds."""

    name: str
    """Path in the run, with ``/``."""
    size: int
    sha256: str
    crc32: int
    """What a zip file states beside the data."""

    @property
    def line(self) -> str:
        """As ``sha256sum`` writes it."""
        return f"{self.sha256}  {self.name}\n"


def sums_of(run: Path) -> tuple[Sum, ...]:
    """The sum of each file of evidence in ``run``.

    Raises:
        StoreError: one cannot be read.
    """
    return tuple(_sum_of(path, path.relative_to(run).as_posix()) for path in evidence_files(run))


def root_of(sums: Iterable[Sum]) -> str:
    """One digest for all files: sha256 of their lines, 64 hex digits."""
    return hashlib.sha256("".join(one.line for one in sums).encode()).hexdigest()


def sum_in(file: BinaryIO, name: str, size: int, copy: BinaryIO | None = None) -> Sum:
    """The sum of the next ``size`` bytes of ``file``, or of fewer where it ends before; also written to ``copy``."""
    digest, crc, left = hashlib.sha256(), 0, size
    while left and (data := file.read(min(left, CHUNK))):
        digest.update(data)
        crc = zlib.crc32(data, crc)
        if copy:
            copy.write(data)
        left -= len(data)
    return Sum(name=name, size=size - left, sha256=digest.hexdigest(), crc32=crc)


def _sum_of(path: Path, name: str) -> Sum:
    try:
        with open(open_kept(path, os.O_RDONLY), "rb") as file:  # noqa: PTH123 - of a descriptor
            return sum_in(file, name, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from error
