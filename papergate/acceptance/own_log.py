"""A log that papergate wrote itself: whatever it claims is compared with what it is, before it is judged."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from papergate.acceptance.terms import ProtocolName, prompt_digest, sampling_of, task_of
from papergate.benchmarks import Benchmark
from papergate.completions.contents import Contents
from papergate.completions.manifest import Manifest
from papergate.completions.store import contents_of, read_manifest, read_sessions, refuse_damaged
from papergate.engines.logs.papergate_run import first_line, own_files
from papergate.errors import PredictionsError, StoreError
from papergate.files import MOST_LOG, open_kept, read_plain, unpacked
from papergate.promises import Promise
from papergate.run_folder.files import COMPLETIONS_FILE, MANIFEST_FILE
from papergate.run_folder.history import read_history
from papergate.run_folder.notes import Note, note
from papergate.words import worded


def notes_of_own_log(log: Path, promise: Promise, benchmark: Benchmark, protocol: ProtocolName) -> tuple[Note, ...]:
    """What is to be noted of the log at ``log``, where papergate wrote it; nothing of other tools' logs.

    Raises:
        PapergateError: it is not as papergate wrote it, or it was drawn for something else than the promise.
    """
    return tuple(found for file in own_files(log) for found in _notes_of(file, promise, benchmark, protocol))


def refuse_the_same_run(golden: Path, run: Path) -> None:
    """A run is no reference for itself.

    Raises:
        StoreError: both begin with the same completion, so one is the other at an earlier time, or a copy; ``run`` may
            be a file in its folder.
    """
    run = run.parent if run.is_file() else run
    ours, theirs = _first_record(run), _first_record(golden)
    if golden.resolve() == run.resolve() or (ours and ours == theirs):
        raise worded(StoreError, note("golden_of_itself", golden=f"{golden}", run=f"{run}"))


def _first_record(folder: Path) -> bytes:
    """The first stored completion of ``folder``, at most its beginning. Empty if nothing is stored.

    No other run has this line: the times of the completion and the hash of the manifest are in it.
    """
    path = folder / COMPLETIONS_FILE
    if not path.is_file():
        return b""
    with open(open_kept(path, os.O_RDONLY), "rb") as records:  # noqa: PTH123 - of a descriptor
        return first_line(records)


def _notes_of(file: Path, promise: Promise, benchmark: Benchmark, protocol: ProtocolName) -> Iterator[Note]:
    folder = file.parent
    if file.name != COMPLETIONS_FILE or not (folder / MANIFEST_FILE).exists():
        _refuse_edited(file)
        yield note("log_without_manifest")
        return
    manifest = read_manifest(folder)
    _refuse_contradiction(manifest, folder, promise, benchmark, protocol)
    refuse_damaged(folder, contents_of(folder))
    read_sessions(folder)
    yield note("log_of_own_run", promise=manifest.promise, engine=manifest.engine)
    if history := read_history(folder):
        last = history[-1]
        yield note("log_judged_before", verdict=last.verdict, at=last.at, times=len(history))


def _refuse_contradiction(
    manifest: Manifest, folder: Path, promise: Promise, benchmark: Benchmark, protocol: ProtocolName
) -> None:
    """See that the run was drawn as the promise is judged."""
    as_judged = {
        "protocol": protocol,
        "benchmark": benchmark.spec.name,
        "benchmark_digest": benchmark.digest,
        "prompt_digest": prompt_digest(benchmark.spec, task_of(promise, protocol)),
        "sampling": sampling_of(promise, protocol),
    }
    if difference := manifest.model_copy(update=as_judged).difference(manifest):
        raise PredictionsError(
            f"{folder / MANIFEST_FILE} says that the log is of another run than {promise.id} states:\n  "
            + "\n  ".join(difference).replace("this run", "the promise")
            + "\nJudge it by the promise and the protocol that it was drawn for: papergate runs judge, or --protocol"
        )


def _refuse_edited(file: Path) -> None:
    """A file without its manifest still holds checksums, and each record names the one before it."""
    with _opened(file) as records:
        contents = Contents.read_alone(records)
    if contents.damages:
        places = len(contents.damages) + contents.more_damages
        raise worded(
            PredictionsError, note("own_log_damaged", file=f"{file}", damage=contents.damages[0], count=places)
        )


def _opened(file: Path) -> BinaryIO:
    if file.suffix == ".gz":
        return BytesIO(unpacked(read_plain(file, most=MOST_LOG), most=MOST_LOG))
    return open(open_kept(file.resolve(), os.O_RDONLY), "rb")  # noqa: PTH123 - of a descriptor
