"""The end of a session: its page, from the records on disk and from what went wrong."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from papergate.errors import StoreError
from papergate.files import reason
from papergate.reports.page import TextsMissing, write_page
from papergate.reports.speed import Speed, by_name, speed_of
from papergate.reports.table import Line
from papergate.run_folder.files import MANIFEST_FILE, VERDICT_FILE, promise_folders, speed_files
from papergate.run_folder.history import refuse_changed
from papergate.run_folder.notes import note
from papergate.run_folder.speed import read_speed, read_speeds
from papergate.run_folder.verdict import read_verdict, read_verdicts
from papergate.words import Language, say, worded


def line_of(run: Path, promise: str, *, error: str = "", judged: bool = True) -> Line:
    """How ``promise`` ended in this session: its record, or the ``error`` that left it without one."""
    if not judged:
        return Line(promise=promise, error=error)
    try:
        return Line(promise=promise, record=read_verdict(run / promise), error=error)
    except StoreError as unreadable:
        return Line(promise=promise, error=str(unreadable))


def holds_a_run(folder: Path) -> bool:
    """Whether a folder looks like that of a run: of promises, or of speed."""
    return bool(_promises(folder) or speed_files(folder))


def stored_lines(run: Path) -> list[Line]:
    """How each promise of a stored run ended, by name."""
    return [_stored_line(run, promise) for promise in _promises(run)]


def _promises(run: Path) -> list[str]:
    return sorted({folder.name for file in (VERDICT_FILE, MANIFEST_FILE) for folder in promise_folders(run, file)})


def _stored_line(run: Path, promise: str) -> Line:
    try:
        refuse_changed(run / promise)
    except StoreError as changed:
        return Line(promise=promise, error=str(changed))
    line = line_of(run, promise)
    return line if line.record or line.error else replace(line, error=say(note("unjudged", run=str(run))))


def unreached(run: Path, language: Language = "en") -> str:
    """Why a promise that the session did not come to has no verdict."""
    return say(note("unreached", run=str(run)), language)


def killed(run: Path, language: Language = "en") -> str:
    """Why a promise has no verdict whose process was killed."""
    return say(note("worker_killed", run=str(run)), language)


def workload_of(run: Path, workload: str, *, verdict: str, error: str, measured: bool) -> Speed:
    """How ``workload`` ended in this session; it leaves a record unless nothing was ``measured``."""
    if not measured:
        return Speed(workload=workload, verdict="error", error=error)
    try:
        return Speed(workload=workload, verdict=verdict, record=read_speed(run, workload), error=error)
    except StoreError as unreadable:
        return Speed(workload=workload, verdict="error", error=str(unreadable))


def write_run_page(
    run: Path, lines: Sequence[Line], speeds: Sequence[Speed] = (), *, language: Language = "en", root: str = ""
) -> Path:
    """Write the page of a run: this session's ``lines`` and ``speeds``, and what earlier sessions left.

    The page holds every language; ``language`` is the one that it opens in. ``root`` is that of the run's evidence.

    Raises:
        StoreError: the page cannot be written; an earlier one stays. Or the texts beside the page cannot be.
    """
    errors = [(line.promise, line.error) for line in lines if line.record is None]
    broken = {promise for promise, _ in errors}
    try:
        verdicts = read_verdicts(run)
        refused = [(promise, why) for promise, why in verdicts.refused if promise not in broken]
        return write_page(
            verdicts.records, [*errors, *refused], run, _all_speeds(run, speeds), language=language, root=root
        )
    except TextsMissing:
        raise
    except OSError as error:
        raise worded(StoreError, note("page_not_written", run=f"{run}", reason=reason(error))) from error
    except Exception as error:
        raise worded(StoreError, note("page_failed", kind=type(error).__name__, error=f"{error}")) from error


def _all_speeds(run: Path, speeds: Sequence[Speed]) -> list[Speed]:
    """The workloads of this session, and those that earlier ones left, readable or not."""
    stored, mine = read_speeds(run), {speed.workload for speed in speeds}
    earlier = [speed_of(record) for record in stored.records if record.workload not in mine]
    refused = [Speed(workload=name, verdict="error", error=why) for name, why in stored.refused if name not in mine]
    return by_name([*speeds, *earlier, *refused])
