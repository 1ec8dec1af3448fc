"""What a verdict was judged by, kept beside it: it can be recomputed without the target files that were given."""

from pathlib import Path

from papergate.acceptance.golden import Golden
from papergate.benchmarks import BenchmarkSpec
from papergate.promises import Promise
from papergate.run_folder.files import GOLDEN_FOLDER, PROMISE_FILE, VERDICT_FILE
from papergate.run_folder.stored import Stored
from papergate.run_folder.verdict import write_verdict


class JudgedBy(Stored):
    """``promise.json``: the promise with its number resolved, and the benchmark's file."""

    promise: Promise
    benchmark: BenchmarkSpec


def write_judged_by(folder: Path, promise: Promise, spec: BenchmarkSpec, golden: Golden | None) -> None:
    """Write the record and that of the golden run into the folder of a promise.

    Raises:
        OSError: the disk refused.
    """
    JudgedBy(promise=promise, benchmark=spec).write(folder / PROMISE_FILE)
    if golden:
        write_verdict(folder / GOLDEN_FOLDER, golden.record)
    else:
        (folder / GOLDEN_FOLDER / VERDICT_FILE).unlink(missing_ok=True)


def read_judged_by(folder: Path) -> JudgedBy:
    """The record of the promise in ``folder``.

    Raises:
        StoreError: it is missing, damaged, or of a later release.
    """
    return JudgedBy.read(folder / PROMISE_FILE)


def golden_kept(folder: Path) -> Path | None:
    """Where the golden run of the promise in ``folder`` lies; None where it was judged without one."""
    return folder / GOLDEN_FOLDER if (folder / GOLDEN_FOLDER / VERDICT_FILE).exists() else None
