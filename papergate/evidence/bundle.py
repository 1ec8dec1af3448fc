"""A run as one file: its evidence, the sums of it, and the JUnit report that quotes their root."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from papergate.completions.store import contents_of, refuse_damaged
from papergate.errors import EvidenceError
from papergate.evidence.container import pieces
from papergate.evidence.records import BUNDLE_FORMAT
from papergate.files import MEBIBYTE, bytes_written, open_kept, read_plain, reason
from papergate.printable import one_line
from papergate.run_folder.files import (
    MANIFEST_FILE,
    PROMISE_FILE,
    VERDICT_FILE,
    is_evidence,
    json_text,
    promise_folders,
)
from papergate.run_folder.history import refuse_changed_in
from papergate.run_folder.notes import note
from papergate.run_folder.sums import Sum, root_of, sum_in, sums_of
from papergate.words import worded

HEAD, SUMS, JUNIT = "bundle.json", "SHA256SUMS", "junit.xml"
MOST_JUNIT = 64 * MEBIBYTE


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundled:
    """What was written."""

    root: str
    files: int
    size: int


def write_bundle(run: Path, target: Path, junit: Path | None = None) -> Bundled:
    """Write the evidence of ``run`` to ``target``; the same run gives the same bytes.

    Raises:
        EvidenceError: the run holds no verdict, or one that nobody can recompute; or a file cannot be read or written.
        StoreError: a file of the run cannot be read, or is not as papergate wrote it.
    """
    _refuse_unfinished(run)
    _refuse_unsound(run)
    sums = sums_of(run)
    _refuse_odd_names(run, sums)
    own = heads(sums, read_junit(junit) if junit else None)
    members = [sum_in(BytesIO(data), name, len(data)) for name, data in own.items()] + [*sums]
    if target.exists() and not target.is_file():
        raise worded(EvidenceError, note("bundle_no_file", file=f"{target}"))
    try:
        with bytes_written(target) as file:
            for piece in pieces(members):
                _write(file, piece, run, own)
            size = file.tell()
    except OSError as error:
        raise worded(EvidenceError, note("bundle_not_written", file=f"{target}", reason=reason(error))) from error
    return Bundled(root=root_of(sums), files=len(sums), size=size)


def heads(sums: Sequence[Sum], junit: bytes | None) -> dict[str, bytes]:
    """The members that stand before the evidence, and what they hold."""
    digest = None if junit is None else hashlib.sha256(junit).hexdigest()
    first = {
        HEAD: json_text({"format": BUNDLE_FORMAT, JUNIT: digest}).encode(),
        SUMS: "".join(one.line for one in sums).encode(),
    }
    return first if junit is None else first | {JUNIT: junit}


def read_junit(path: Path) -> bytes:
    """The JUnit report at ``path``.

    Raises:
        EvidenceError: it cannot be read.
    """
    try:
        return read_plain(path, most=MOST_JUNIT)
    except OSError as error:
        raise worded(EvidenceError, note("bundle_report_unread", file=f"{path}", reason=reason(error))) from error


def _refuse_unfinished(run: Path) -> None:
    """A bundle is about verdicts, each with the promise that it was judged by."""
    if not promise_folders(run, VERDICT_FILE):
        raise worded(EvidenceError, note("bundle_of_no_verdict", run=f"{run}"))
    lacking = [folder.name for folder in promise_folders(run, VERDICT_FILE) if not (folder / PROMISE_FILE).exists()]
    if lacking:
        raise worded(EvidenceError, note("bundle_without_promise", run=f"{run}", promise=lacking[0], file=PROMISE_FILE))


def _refuse_unsound(run: Path) -> None:
    """What ``papergate runs check`` calls damaged is no evidence: its receiver would have to call it altered."""
    for folder in promise_folders(run, MANIFEST_FILE):
        refuse_damaged(folder, contents_of(folder))
    refuse_changed_in(run)


def _refuse_odd_names(run: Path, sums: Sequence[Sum]) -> None:
    for one in sums:
        if not is_evidence(one.name):
            raise worded(EvidenceError, note("bundle_odd_name", run=f"{run}", name=one_line(one.name)))


def _write(file: BinaryIO, piece: bytes | Sum, run: Path, own: Mapping[str, bytes]) -> None:
    if isinstance(piece, bytes):
        file.write(piece)
    elif piece.name in own:
        file.write(own[piece.name])
    else:
        _copy(run / piece.name, piece, file)


def _copy(path: Path, seen: Sum, file: BinaryIO) -> None:
    """The data of a file whose sum was ``seen`` a moment ago."""
    with open(open_kept(path, os.O_RDONLY), "rb") as source:  # noqa: PTH123 - of a descriptor
        if sum_in(source, seen.name, seen.size, copy=file) != seen or source.read(1):
            raise worded(EvidenceError, note("bundle_changed", file=f"{path}"))
