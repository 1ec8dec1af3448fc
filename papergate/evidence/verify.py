"""A bundle checked on another machine, offline: nothing in it is trusted, and everything that can be computed is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from papergate.acceptance.options import Options
from papergate.acceptance.shipped import own
from papergate.errors import EvidenceError
from papergate.evidence.bundle import HEAD, JUNIT, MOST_JUNIT, SUMS, heads, read_junit
from papergate.evidence.container import Member, find_members, hold_against
from papergate.evidence.quotes import Report, read_report, refuse_other_quotes
from papergate.evidence.recompute import check_promise
from papergate.evidence.records import BUNDLE_FORMAT, Refused, Result, Verified, refused
from papergate.files import parsed, private_folder, reason, refuse_hollow, require_plain, text_of
from papergate.printable import one_line
from papergate.run_folder.files import MANIFEST_FILE, VERDICT_FILE, is_evidence, promise_folders
from papergate.run_folder.notes import note
from papergate.run_folder.sums import root_of, sum_in
from papergate.words import worded

MOST_HEAD = 1 << 20
"""Bytes of ``bundle.json`` and of the sums of ten thousand files."""
MOST_BUNDLE = 1 << 40
ROOT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Quoted:
    """What the user holds from elsewhere, to compare the bundle with."""

    root: str = ""
    junit: Path | None = None
    signer: str = ""
    """Who signed the file, once the signature is verified; empty without one."""


def verify_bundle(path: Path, options: Options, quoted: Quoted) -> Verified:
    """Check the bundle at ``path``; ``options`` may name the user's own copies of benchmarks.

    Raises:
        Refused: it is no bundle, of a later release, altered, or not what ``quoted`` quotes.
        EvidenceError: what the user holds from elsewhere cannot be read.
        BenchmarkError: the user's copy of a benchmark cannot be used.
    """
    reports = [_outside(quoted.junit)] if quoted.junit else []
    if quoted.root and not ROOT.fullmatch(quoted.root):
        raise worded(EvidenceError, note("root_malformed", root=one_line(quoted.root)))
    try:
        require_plain(path, most=MOST_BUNDLE)
        with path.open("rb") as file, TemporaryDirectory(prefix="papergate-verify-") as folder:
            refuse_hollow(file.fileno())
            return _verified(file, Path(folder), options, quoted, reports)
    except OSError as error:
        raise refused(Result.UNREADABLE, note("bundle_unread", reason=reason(error))) from error


def _verified(file: BinaryIO, folder: Path, options: Options, quoted: Quoted, reports: Sequence[Report]) -> Verified:
    members = find_members(file)
    _refuse_other_formats(file, members)
    hold_against(file, members)
    evidence = _evidence_of(members)
    root = root_of(member.sum for member in evidence)
    reports = [*reports, *_held_heads(file, members, evidence)]
    _refuse_other_roots(root, quoted, reports)
    _unpack(file, evidence, folder)
    promises = [check_promise(each, options, own()) for each in _promises(folder)]
    for report in reports:
        refuse_other_quotes(report, promises)
    quoting = [report.name for report in reports if report.root]
    quoted_by = ["--root"] * bool(quoted.root) + quoting
    return Verified(root=root, files=len(evidence), quoted_by=quoted_by, signed_by=quoted.signer, promises=promises)


def _promises(run: Path) -> list[Path]:
    """The folders that hold a verdict or completions; others hold what was checked of a deployment, or measured."""
    return sorted({each for file in (VERDICT_FILE, MANIFEST_FILE) for each in promise_folders(run, file)})


def _outside(path: Path) -> Report:
    """The report that the user holds, which must quote a root."""
    try:
        report = read_report(read_junit(path), f"{path}")
    except Refused as error:
        raise worded(EvidenceError, error.said) from None
    if not report.root:
        raise worded(EvidenceError, note("report_without_root", report=f"{path}"))
    return report


def _refuse_other_formats(file: BinaryIO, members: Sequence[Member]) -> None:
    head = next((member for member in members if member.sum.name == HEAD), None)
    if head is None:
        raise refused(Result.UNREADABLE, note("bundle_without_head", file=HEAD))
    try:
        number = parsed(text_of(_data(file, head, MOST_HEAD)))["format"]
    except (ValueError, TypeError, LookupError):
        raise refused(Result.ALTERED, note("bundle_head_malformed", file=HEAD)) from None
    if isinstance(number, int) and number > BUNDLE_FORMAT:
        raise refused(Result.NEWER, note("bundle_newer", format=number, here=BUNDLE_FORMAT))


def _evidence_of(members: Sequence[Member]) -> list[Member]:
    """The members that the sums cover, all of them known and in their order."""
    names = [member.sum.name for member in members]
    evidence = [name for name in names if name not in {HEAD, SUMS, JUNIT}]
    if unknown := next((name for name in evidence if not is_evidence(name)), None):
        raise refused(Result.ALTERED, note("bundle_member_unknown", name=one_line(unknown)))
    own = [HEAD, SUMS, JUNIT] if JUNIT in names else [HEAD, SUMS]
    if names != [*own, *sorted(evidence)]:
        raise refused(Result.ALTERED, note("bundle_out_of_order"))
    return [member for member in members if member.sum.name in set(evidence)]


def _held_heads(file: BinaryIO, members: Sequence[Member], evidence: Sequence[Member]) -> list[Report]:
    """See that sums and head are those of the members; the JUnit report, if there is one."""
    stated = {member.sum.name: _data(file, member, MOST_JUNIT) for member in members[: len(members) - len(evidence)]}
    junit = stated.get(JUNIT)
    for name, data in heads([member.sum for member in evidence], junit).items():
        if stated[name] != data:
            apart = _first_line_apart(stated[name], data)
            raise refused(Result.ALTERED, note("bundle_sums_differ", file=name, line=apart))
    return [] if junit is None else [read_report(junit, f"the {JUNIT} of the bundle")]


def _first_line_apart(stated: bytes, computed: bytes) -> str:
    lines = zip([*stated.split(b"\n"), b""], [*computed.split(b"\n"), b""], strict=False)
    return next((one_line(mine.decode(errors="replace")) for other, mine in lines if other != mine), "")


def _refuse_other_roots(root: str, quoted: Quoted, reports: Sequence[Report]) -> None:
    stated = [("--root", quoted.root), *((report.name, report.root) for report in reports)]
    for name, other in stated:
        if other and other != root:
            raise refused(Result.ALTERED, note("bundle_other_root", report=name, root=one_line(other), files=root))


def _unpack(file: BinaryIO, evidence: Sequence[Member], folder: Path) -> None:
    for member in evidence:
        path = folder / member.sum.name
        private_folder(path.parent)
        file.seek(member.start)
        with path.open("xb") as target:
            sum_in(file, member.sum.name, member.sum.size, copy=target)


def _data(file: BinaryIO, member: Member, most: int) -> bytes:
    if member.sum.size > most:
        said = note("bundle_member_too_large", file=member.sum.name, size=member.sum.size, most=most)
        raise refused(Result.ALTERED, said)
    file.seek(member.start)
    return file.read(member.sum.size)
