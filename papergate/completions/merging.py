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
from papergate.run_folder.preflight import PreflightRecord, write_preflight
from papergate.run_folder.shard import ShardRecord, read_shard

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


def merge_runs(runs: Sequence[Path], into: Path, *, each: bool = False) -> dict[str, str]:
    """Join ``runs`` into the new run folder ``into``, to be judged; the folder is there whole or not at all.

    A promise that one run holds whole comes with its verdict there, which tells how it was judged.

    With ``each``, a promise that cannot be joined is left out, and returned with the reason.

    Raises:
        StoreError: they are not all parts of one run, or one is missing, doubled, incomplete or damaged (with ``each``:
            none can be joined); or the disk refused. The runs stay as they are.
    """
    _refuse_twice(runs)
    if into.exists():
        raise StoreError(f"{into} is there already; a merge makes a new folder: give another name to -o")
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
        raise StoreError(f"a record of {', '.join(map(str, runs))} changed while it was merged: {damage}") from damage
    except OSError as error:
        raise StoreError(f"{into} cannot be written: {reason(error)}; make room, or give another folder") from error
    return refused


def refuse_others(runs: Sequence[Path], expected: Mapping[str, str]) -> None:
    """See that ``runs`` hold no other promises than those expected, each under its protocol.

    Raises:
        StoreError: they do: whatever else was tried would be left out of the family, or change it.
    """
    for promise, folders in _stores(runs).items():
        protocols = {read_manifest(folder).protocol for folder in folders}
        if {expected.get(promise)} != protocols:
            asked = f"asked with protocol {', '.join(sorted(protocols))}; the matrix file "
            names = f"names it with {expected[promise]}" if promise in expected else "does not name it"
            raise StoreError(f"{folders[0]}: {promise} was {asked}{names}. Leave this run out, or mend the file")


def _join_all(stores: Mapping[str, Sequence[Path]], draft: Path, *, each: bool) -> dict[str, str]:
    """Join every promise; with ``each``, those that cannot be joined are left out, and returned with the reason."""
    refused: dict[str, str] = {}
    for promise, folders in stores.items():
        try:
            join(promise, folders, draft / promise)
        except StoreError as error:
            if not each:
                raise
            shutil.rmtree(draft / promise, ignore_errors=True)
            refused[promise] = str(error)
    if refused and len(refused) == len(stores):
        raise StoreError("\n".join(["no promise can be joined, and nothing is left to judge:", *refused.values()]))
    return refused


def _refuse_twice(runs: Sequence[Path]) -> None:
    places = Counter(run.resolve() for run in runs)
    if twice := [place for place, times in places.items() if times > 1]:
        raise StoreError(f"{twice[0]} is given twice; give each run once")


def _stores(runs: Sequence[Path]) -> dict[str, list[Path]]:
    """The folders of each promise, over all runs."""
    stores: dict[str, list[Path]] = {}
    for run in runs:
        folders = promise_folders(run, MANIFEST_FILE)
        if not folders:
            raise StoreError(f"{run} holds no completions; give the folders of runs that were asked with --shard")
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
        raise StoreError(f"{whole[0]} holds all of {promise}, and {folders[0].parent} a part: two runs are two tries")
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
        raise StoreError(f"{promise} is in {len(folders)} runs that are no shards ({both}): each is a try of its own")
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
        raise StoreError(f"{folder}: shard {manifest.shard} is not complete; run its command again, then merge")
    if f"{record.index}/{record.count}" != manifest.shard:
        raise StoreError(f"{folder}: its record is of shard {record.index}/{record.count}, not of {manifest.shard}")
    return Part(folder=folder, manifest=manifest, record=record)


def _complete(promise: str, parts: Sequence[Part]) -> list[Part]:
    first = parts[0]
    against = [*_other_runs(first, parts), *_other_plans(first, parts)]
    held = Counter(part.record.index for part in parts)
    against += [f"shard {index} is given {times} times" for index, times in sorted(held.items()) if times > 1]
    missing = [index for index in range(first.record.count) if index not in held]
    named = ", ".join(map(str, missing[:NAMED])) + (f" and {len(missing) - NAMED} more" if missing[NAMED:] else "")
    against += [f"missing of {first.record.count} shards: {named}"] * bool(missing)
    if against:
        raise StoreError(f"{promise} cannot be merged:\n  - " + "\n  - ".join(against))
    return sorted(parts, key=lambda part: part.record.index)


def _other_runs(first: Part, parts: Sequence[Part]) -> Iterator[str]:
    """Where the runs or the releases that answered them differ."""
    for part in parts[1:]:
        for line in _as_whole(part.manifest).difference(_as_whole(first.manifest), shards=True):
            yield f"{part.folder} is of another run than {first.folder}: {line}"


def _other_plans(first: Part, parts: Sequence[Part]) -> Iterator[str]:
    for part in parts[1:]:
        ours, theirs = part.record, first.record
        apart = [name for name in PLAN if getattr(ours, name) != getattr(theirs, name)]
        if apart:
            numbers = f"{ours.count} shards up to {ours.look} samples, and {theirs.count} up to {theirs.look}"
            yield f"{part.folder} has another plan than {first.folder} ({', '.join(apart)} differ): {numbers}"


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
        raise StoreError(
            f"{part.folder}: shard {part.manifest.shard} lacks {len(missing)} of its {len(planned)} samples and holds "
            f"{len(others)} that are not its own, or of a later look; run its command again until it is complete"
        )
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
