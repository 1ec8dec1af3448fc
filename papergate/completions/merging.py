"""Joining the shards of a run: one store that holds what one machine would have asked.

Everything is refused that could change the result unseen: a shard that is missing, given twice, incomplete or damaged,
of another run, release or plan. The completions alternate between the shards, each shard's in its own order.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

from papergate.completions.contents import Mark
from papergate.completions.lines import Damaged, hash_of, resealed
from papergate.completions.manifest import Manifest
from papergate.completions.store import (
    contents_of,
    opened_completions,
    read_manifest,
    read_sessions,
    refuse_damaged,
    write_manifest,
    write_sessions,
)
from papergate.errors import StoreError
from papergate.files import open_kept, private_folder, reason, sync_folder, write_whole
from papergate.run_folder.files import (
    COMPLETIONS_FILE,
    HISTORY_FILE,
    MANIFEST_FILE,
    MARK_FILE,
    PREFLIGHT_FILE,
    SESSIONS_FILE,
    VERDICT_FILE,
    promise_folders,
)
from papergate.run_folder.history import read_history
from papergate.run_folder.notes import Note, note
from papergate.run_folder.preflight import PreflightRecord, write_preflight
from papergate.run_folder.shard import ShardRecord, read_shard
from papergate.words import note_of, worded

NAMED = 5
"""Mistakes of one kind that a message names one by one."""
BUFFER = 1 << 20
"""Bytes read or written at once."""
Lines = tuple[Sequence[int], Sequence[int]]
"""Where lines begin in a file, and their lengths, in little memory: there may be millions of lines."""
PLAN = ("count", "look", "problems", "samples")
"""Fields of a shard's record that all shards share."""
COPIED = (MANIFEST_FILE, COMPLETIONS_FILE, MARK_FILE, SESSIONS_FILE, HISTORY_FILE, PREFLIGHT_FILE, VERDICT_FILE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What the folder of one shard says of itself."""

    folder: Path
    manifest: Manifest
    record: ShardRecord


def merge_runs(runs: Sequence[Path], into: Path, *, each: bool = False) -> dict[str, StoreError]:
    """Join ``runs`` into the new run folder ``into``, to be judged; the folder is there whole or not at all.

    A promise that one run holds whole comes with its verdict there, which tells how it was judged.

    With ``each``, a promise that cannot be joined is left out, and returned with the reason.

    Raises:
        StoreError: they are not all parts of one run, or one is missing, doubled, incomplete or damaged (with ``each``:
            none can be joined); or the disk refused. The runs stay as they are.
    """
    _refuse_twice(runs)
    if into.exists():
        raise worded(StoreError, note("merge_into_old", folder=f"{into}"))
    stores = _stores(runs)
    try:
        private_folder(into.absolute().parent)
        draft = Path(mkdtemp(prefix=f".{into.name}.", dir=into.absolute().parent))
        try:
            refused = _join_all(stores, draft, each=each)
            draft.rename(into)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        sync_folder(into.absolute().parent)
    except Damaged as damage:
        raise worded(StoreError, note("merge_changed", runs=", ".join(map(str, runs)), damage=f"{damage}")) from damage
    except OSError as error:
        raise worded(StoreError, note("merge_not_written", folder=f"{into}", reason=reason(error))) from error
    return refused


def refuse_others(runs: Sequence[Path], expected: Mapping[str, str]) -> None:
    """See that ``runs`` hold no other promises than those expected, each under its protocol.

    Raises:
        StoreError: they do: whatever else was tried would be left out of the family, or change it.
    """
    for promise, folders in _stores(runs).items():
        protocols = {read_manifest(folder).protocol for folder in folders}
        if {expected.get(promise)} != protocols:
            about = {"folder": f"{folders[0]}", "promise": promise, "asked": sorted(protocols)}
            raise worded(StoreError, note("merge_outside_fleet", **about, named=expected.get(promise, "")))


def _join_all(stores: Mapping[str, Sequence[Path]], draft: Path, *, each: bool) -> dict[str, StoreError]:
    """Join every promise; with ``each``, those that cannot be joined are left out, and returned with the reason."""
    refused: dict[str, StoreError] = {}
    for promise, folders in stores.items():
        try:
            join(promise, folders, draft / promise)
        except StoreError as error:
            if not each:
                raise
            shutil.rmtree(draft / promise, ignore_errors=True)
            refused[promise] = error
    if refused and len(refused) == len(stores):
        raise worded(StoreError, note("merge_leaves_nothing", *map(note_of, refused.values())))
    return refused


def _refuse_twice(runs: Sequence[Path]) -> None:
    places = Counter(run.resolve() for run in runs)
    if twice := [place for place, times in places.items() if times > 1]:
        raise worded(StoreError, note("merge_twice", run=f"{twice[0]}"))


def _stores(runs: Sequence[Path]) -> dict[str, list[Path]]:
    """The folders of each promise, over all runs."""
    stores: dict[str, list[Path]] = {}
    for run in runs:
        folders = promise_folders(run, MANIFEST_FILE)
        if not folders:
            raise worded(StoreError, note("merge_of_nothing", run=f"{run}"))
        for folder in folders:
            stores.setdefault(read_manifest(folder).promise, []).append(folder)
    return stores


def join(promise: str, folders: Sequence[Path], into: Path) -> None:
    """Make the one store of ``promise``: of its shards, or as it is where one run holds all of it."""
    private_folder(into)
    manifests = [read_manifest(folder) for folder in folders]
    if not any(manifest.shard for manifest in manifests):
        _copy(promise, folders, into)
        return
    if whole := [folder for folder, manifest in zip(folders, manifests, strict=True) if not manifest.shard]:
        raise worded(
            StoreError, note("merge_whole_and_part", whole=f"{whole[0]}", promise=promise, part=f"{folders[0].parent}")
        )
    _write(parts_of(promise, folders), into)


def parts_of(promise: str, folders: Sequence[Path]) -> list[Part]:
    """The shards in ``folders`` in the order of their numbers: all of one run, each once, complete up to one look.

    Raises:
        StoreError: with everything that stands against it.
    """
    return _complete(promise, [_part(folder) for folder in folders])


def joined_manifest(parts: Sequence[Part]) -> Manifest:
    """The manifest of the whole."""
    environment = joined_environment([part.manifest.environment for part in parts])
    return _as_whole(parts[0].manifest).model_copy(update={"environment": environment})


def _copy(promise: str, folders: Sequence[Path], into: Path) -> None:
    if len(folders) > 1:
        both = ", ".join(map(str, folders[:NAMED]))
        raise worded(StoreError, note("merge_of_no_shards", promise=promise, count=len(folders), runs=both))
    refuse_damaged(folders[0], contents_of(folders[0]))
    read_history(folders[0])  # a damaged one is refused, like a damaged store
    for name in COPIED:
        if (folders[0] / name).exists():
            _copied(folders[0] / name, into / name)


def _copied(path: Path, to: Path) -> None:
    descriptor = open_kept(path, os.O_RDONLY)
    with open(descriptor, "rb") as file, _made(to) as copy:  # noqa: PTH123 - of a descriptor
        shutil.copyfileobj(file, copy, BUFFER)
        _synced(copy)


def _part(folder: Path) -> Part:
    """The shard in ``folder``.

    Raises:
        StoreError: no look of it is complete.
    """
    manifest, record = read_manifest(folder), read_shard(folder)
    if record is None or not record.look:
        raise worded(StoreError, note("merge_incomplete", folder=f"{folder}", shard=manifest.shard))
    if f"{record.index}/{record.count}" != manifest.shard:
        seen = {"count": record.count, "shard": manifest.shard}
        raise worded(StoreError, note("merge_other_shard", folder=f"{folder}", index=record.index, **seen))
    return Part(folder=folder, manifest=manifest, record=record)


def _complete(promise: str, parts: Sequence[Part]) -> list[Part]:
    first = parts[0]
    against = [*_other_runs(first, parts), *_other_plans(first, parts)]
    held, count = Counter(part.record.index for part in parts), first.record.count
    against += [note("merge_doubled", shard=shard, times=times) for shard, times in sorted(held.items()) if times > 1]
    if missing := [index for index in range(count) if index not in held]:
        against.append(note("merge_missing", count=count, named=missing[:NAMED], more=len(missing[NAMED:])))
    if against:
        raise worded(StoreError, note("merge_refused", *against, promise=promise))
    return sorted(parts, key=lambda part: part.record.index)


def _other_runs(first: Part, parts: Sequence[Part]) -> Iterator[Note]:
    """Where the runs or the releases that answered them differ."""
    for part in parts[1:]:
        for line in _as_whole(part.manifest).difference(_as_whole(first.manifest), shards=True):
            yield note("merge_of_another_run", folder=f"{part.folder}", first=f"{first.folder}", difference=line)


def _other_plans(first: Part, parts: Sequence[Part]) -> Iterator[Note]:
    for part in parts[1:]:
        ours, theirs = part.record, first.record
        apart = [name for name in PLAN if getattr(ours, name) != getattr(theirs, name)]
        if apart:
            plans = {"plan": [ours.count, ours.look], "others": [theirs.count, theirs.look], "apart": apart}
            yield note("merge_of_another_plan", folder=f"{part.folder}", first=f"{first.folder}", **plans)


def _as_whole(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"shard": ""})


def _write(parts: Sequence[Part], into: Path) -> None:
    """The store of all parts."""
    link, size, records = hash_of(write_manifest(into, joined_manifest(parts))), 0, 0
    with _made(into / COMPLETIONS_FILE) as file:
        for line in _in_turns([(part.folder, _places(part)) for part in parts]):
            data, link = resealed(line, link)
            size, records = size + file.write(data), records + 1
        _synced(file)
    write_whole(into / MARK_FILE, Mark(records=records, end=size, link=link).encoded())
    sessions = [session for part in parts for session in read_sessions(part.folder)]
    write_sessions(into, [dict(pairs) for pairs in dict.fromkeys(tuple(one.items()) for one in sessions)])
    _write_preflight(parts, into)


def joined_environment(environments: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What was said of each machine: values that differ stand side by side."""
    said: dict[str, dict[str, None]] = {}
    for environment in environments:
        for name, value in environment.items():
            said.setdefault(name, {})[value] = None
    return {name: " | ".join(values) for name, values in said.items()}


def _places(part: Part) -> Lines:
    """First byte and length of each completion of ``part``, in its order: those of its plan, all and no others.

    Raises:
        StoreError: its store is damaged, or holds more or less.
    """
    contents, planned = contents_of(part.folder), part.record.keys()
    refuse_damaged(part.folder, contents)
    held = set(contents.succeeded)
    missing, others = planned - held, held - planned
    if missing or others:
        seen = {"shard": part.manifest.shard, "missing": len(missing), "planned": len(planned), "others": len(others)}
        raise worded(StoreError, note("merge_other_samples", folder=f"{part.folder}", **seen))
    return contents.succeeded.columns


def _in_turns(stores: Sequence[tuple[Path, Lines]]) -> Iterator[bytes]:
    """A record of each store in turn, until all are through; each still under its own seal."""
    with ExitStack() as stack:
        lines = [
            _lines(places, stack.enter_context(opened_completions(folder, buffering=BUFFER)))
            for folder, places in stores
        ]
        for turn in zip_longest(*lines):
            yield from (line for line in turn if line is not None)


def _made(path: Path) -> BinaryIO:
    new = open_kept(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    return open(new, "wb", buffering=BUFFER)  # noqa: PTH123 - of a descriptor


def _lines(lines: Lines, file: BinaryIO) -> Iterator[bytes]:
    for start, length in zip(*lines, strict=True):
        file.seek(start)
        yield file.read(length)


def _write_preflight(parts: Sequence[Part], into: Path) -> None:
    """What was checked of each shard's servers, each finding once; none where one shard went without."""
    paths = [part.folder / PREFLIGHT_FILE for part in parts]
    if not all(path.exists() for path in paths):
        return
    records = [PreflightRecord.read(path) for path in paths]
    checks = {check.model_dump_json(): check for record in records for check in record.checks}
    seconds = max(record.seconds for record in records)
    write_preflight(into, records[0].model_copy(update={"checks": tuple(checks.values()), "seconds": seconds}))


def _synced(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
