"""``verdicts.jsonl``: every verdict that a promise ever had in its folder, oldest first.

A line is one JSON object. ``after`` is the seal of the line before it, in the first line the hash of the manifest (or
of nothing, where the folder holds no store); ``seal`` is the hash of everything else in the line. So a verdict that was
edited, moved, or removed from amid others is noticed. ``files`` holds the hashes of the files of the verdict. As in
the store, this guards against accidents and edits, not against a person who computes the seals again.
"""

import json
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from papergate.errors import StoreError
from papergate.files import (
    MOST_DATA,
    NotPlain,
    digest_of_kept,
    parsed,
    private_folder,
    read_kept,
    reason,
    text_of,
    write_whole,
)
from papergate.run_folder.files import (
    GRADES_FILE,
    HISTORY_FILE,
    MANIFEST_FILE,
    PROBLEMS_FILE,
    PROMISE_FILE,
    QUESTIONS_FILE,
    VERDICT_FILE,
    json_text,
    promise_folders,
)
from papergate.run_folder.stored import FORMAT_FIELD, SEAL, Stored, seal_of
from papergate.run_folder.verdict import Earlier, VerdictName, VerdictRecord, read_verdict

MADE_WITH = (GRADES_FILE, PROBLEMS_FILE, QUESTIONS_FILE, PROMISE_FILE, VERDICT_FILE)
"""The files whose hashes an entry holds."""


class Entry(Stored):
    """One verdict of the history."""

    FORMAT: ClassVar[int] = 1

    at: str
    """When it was put down: UTC, as ISO 8601 writes it."""
    promise: str
    verdict: VerdictName
    accepted: bool
    sentence: str
    codes: tuple[str, ...]
    """Codes of its reasons, notes and causes, in this order."""
    n: int
    k: int
    k_most: int
    score: float
    interval: tuple[float, float]
    alpha: float | None
    delta: float | None
    looks: int | None
    further_looks: bool = False
    """Whether a look of the plan could follow; False in entries of releases that did not say."""
    terms: Mapping[str, str]
    """What the promise was held to, in words by name."""
    grader: str
    protocol: str
    golden: str | None
    """Promise of the golden run beside it."""
    files: Mapping[str, str] = Field(default_factory=dict)
    """sha256 of the files of this verdict, by name."""
    papergate: str
    after: str

    @property
    def earlier(self) -> Earlier:
        """What a later verdict states of this one."""
        return Earlier.model_validate(self.model_dump(include=set(Earlier.model_fields)))


def append_verdict(folder: Path, record: VerdictRecord, text: str) -> None:
    """Put ``record``, whose file will hold ``text``, at the end of the history of ``folder``; nothing before changes.

    Raises:
        StoreError: the history is not as papergate wrote it.
        OSError: the disk refused; the history is as it was.
    """
    lines = _lines(folder)
    hashes = {name: digest_of(folder / name) for name in MADE_WITH if (folder / name).exists()}
    entry = _entry(
        record, hashes | {VERDICT_FILE: _hash(text.encode(errors="replace"))}, after=_last_seal(folder, lines)
    )
    private_folder(folder)
    write_whole(folder / HISTORY_FILE, b"\n".join([*lines, _sealed(entry)]) + b"\n")


def read_history(folder: Path) -> tuple[Entry, ...]:
    """Every verdict of the promise in ``folder``, oldest first; none where none was put down.

    Raises:
        StoreError: a line is damaged, edited, or does not follow the line before it, with its place.
    """
    before, entries = _beginnings(folder), []
    for number, line in enumerate(_lines(folder), start=1):
        place = f"{folder / HISTORY_FILE}, line {number}"
        fields = _fields(line, place)
        if fields.get("after") not in before:
            raise _refused(place, "it does not follow the line before it: verdicts were removed, moved or put in")
        entries.append(Entry.of(fields, place))
        before = {fields[SEAL]}
    return tuple(entries)


def remember_verdict(folder: Path) -> None:
    """Take the verdict of a release that kept no history, or one that was put there by hand, into the history.

    Raises:
        StoreError: the history is not as papergate wrote it.
        OSError: the disk refused.
    """
    try:
        record = read_verdict(folder)
    except StoreError:
        return  # a damaged verdict is none
    history = read_history(folder)
    known = history[-1].files.get(VERDICT_FILE) if history else None
    if record and known != digest_of(folder / VERDICT_FILE):
        append_verdict(folder, record, text_of(read_kept(folder / VERDICT_FILE)))


def forget_verdict(folder: Path) -> None:
    """Remove the verdict of an earlier session: until this one has its own, there is none. The history keeps it.

    Raises:
        StoreError: the disk refused, or the history is not as papergate wrote it.
    """
    try:
        remember_verdict(folder)
        (folder / VERDICT_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{folder / VERDICT_FILE} cannot be replaced: {reason(error)}") from error


def changed_files(folder: Path, history: Sequence[Entry]) -> list[str]:
    """Files of the last verdict that are no longer what it was made with; those that are missing are no others.

    Raises:
        StoreError: one cannot be read.
    """
    made_with = history[-1].files if history else {}
    return [name for name, digest in made_with.items() if _is_another(folder / name, digest)]


def _is_another(path: Path, digest: str) -> bool:
    """Whether another file has taken its place; a fifo, a link or a folder has, too."""
    try:
        return path.exists() and digest_of(path) != digest
    except NotPlain:
        return True
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from error


def missing_files(folder: Path, history: Sequence[Entry]) -> list[str]:
    """Files that the last verdict was made with, and that are there no more."""
    return [name for name in (history[-1].files if history else {}) if not (folder / name).exists()]


def refuse_misplaced(folder: Path, promise: str) -> None:
    """See that what ``folder`` holds of ``promise`` is not shown as that of another one.

    Raises:
        StoreError: the folder has another name: it was renamed, or it is a copy.
    """
    if folder.name != promise:
        raise StoreError(
            f"{folder} holds the run of {promise}, and the folder of a promise has its name: it was renamed or copied. "
            "Give it its own name, or remove it"
        )


def refuse_changed(folder: Path) -> None:
    """See that the verdict in ``folder`` is that of its promise, and its files those that the history was made with.

    Raises:
        StoreError: they were edited, replaced or copied from elsewhere, or cannot be read.
    """
    if record := read_verdict(folder):
        refuse_misplaced(folder, record.promise)
    changed = changed_files(folder, read_history(folder))
    if changed:
        raise StoreError(
            f"{folder}: {', '.join(changed)} changed after the verdict in {HISTORY_FILE} was given. Restore what was "
            f"edited or replaced, or judge the run again: papergate runs judge {folder.parent}"
        )


def refuse_changed_in(run: Path) -> None:
    """`refuse_changed` for every verdict of ``run``.

    Raises:
        StoreError: as there.
    """
    for folder in promise_folders(run):
        refuse_changed(folder)


def digest_of(path: Path) -> str:
    """sha256 of a file of a run.

    Raises:
        OSError: it cannot be read, or is larger than any that a verdict is made with.
    """
    return digest_of_kept(path, most=MOST_DATA)


def _entry(record: VerdictRecord, files: Mapping[str, str], *, after: str) -> Entry:
    judged = record.judgement
    return Entry(
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        promise=record.promise,
        verdict=record.verdict,
        accepted=record.accepted,
        sentence=record.sentence,
        codes=tuple(one.code for one in (*record.reasons, *record.notes, *record.causes)),
        n=judged.n,
        k=judged.k,
        k_most=max(record.counts.samples),
        score=judged.score,
        interval=judged.interval,
        alpha=judged.alpha,
        delta=judged.delta,
        looks=judged.looks,
        further_looks=record.further_looks,
        terms=record.terms,
        grader=record.grader,
        protocol=record.protocol,
        golden=record.golden.promise if record.golden else None,
        files=files,
        papergate=record.papergate,
        after=after,
    )


def _lines(folder: Path) -> list[bytes]:
    path = folder / HISTORY_FILE
    try:
        return read_kept(path).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _refused(f"{path}", reason(error)) from None


def _fields(line: bytes, place: str) -> dict[str, Any]:
    """The object in ``line``, whose seal fits."""
    try:
        fields = parsed(text_of(line))
    except ValueError as error:
        raise _refused(place, f"{error}") from None
    if not isinstance(fields, dict):
        raise _refused(place, "it holds no JSON object")
    if fields.get(SEAL) != seal_of(fields):
        raise _refused(place, "its seal does not fit: the line was edited or cut")
    return fields


def _sealed(entry: Entry) -> bytes:
    fields = {FORMAT_FIELD: entry.FORMAT, **json.loads(json_text(entry.fields()))}
    return json_text({**fields, SEAL: seal_of(fields)}).strip().encode()


def _last_seal(folder: Path, lines: list[bytes]) -> str:
    """What the next line follows."""
    if lines:
        return str(_fields(lines[-1], f"{folder / HISTORY_FILE}, line {len(lines)}")[SEAL])
    path = folder / MANIFEST_FILE
    return digest_of(path) if path.exists() else NOTHING


def _beginnings(folder: Path) -> set[str]:
    """What the first line may follow: the manifest, or nothing where the first verdict was on a log."""
    path = folder / MANIFEST_FILE
    try:
        return {NOTHING, digest_of(path)} if path.exists() else {NOTHING}
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from error


def _refused(place: str, what: str) -> StoreError:
    return StoreError(
        f"{place} cannot be read: {what}. Restore the file, or set it aside, which the next report will say: "
        "papergate runs check RUN --repair"
    )


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()


NOTHING = _hash(b"")
"""What the first line of a folder without a store follows."""
