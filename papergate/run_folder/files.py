"""The names of all files of a run, and how a file is written so that it is either not there or whole.

A run folder holds a folder for each promise, with

``manifest.json``, ``completions.jsonl``, ``acknowledged.json``, ``sessions.jsonl``, ``writer.lock``
    what was asked and what came; `papergate.completions.store` writes them
``preflight.json``, ``drift.json``
    what was checked of the deployment before it was asked
``replayed.jsonl``
    the completions of a log that was judged, in place of a store
``questions.jsonl``
    what was asked, word for word; not there where the benchmark's text must not be shown
``shard.json``
    of a run that is a part of another, asked on one of several machines: which part, and of what
``promise.json``, ``golden-run/verdict.json``
    what the verdict was judged by: the promise, its benchmark file, and the golden run where there is one
``golden-answers.json``
    of a trusted deployment: answers with their log-probabilities, with which others are compared
``grades.jsonl``, ``problems.jsonl``, ``verdict.json``
    what was made of it; the verdict comes last, so that it never stands without the others
``verdicts.jsonl``
    every verdict that the promise ever had here, oldest first; only ever appended

and beside these folders ``report.html``, ``transcripts/`` with the texts that the page shows, ``performance/`` with a
file for each workload, and ``servers/`` with the logs and locks of servers that the run started.
"""

import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from papergate.errors import StoreError
from papergate.files import bytes_written, private_folder, reason, write_whole

MANIFEST_FILE = "manifest.json"
COMPLETIONS_FILE = "completions.jsonl"
MARK_FILE = "acknowledged.json"
SESSIONS_FILE = "sessions.jsonl"
LOCK_FILE = "writer.lock"
REPLAYED_FILE = "replayed.jsonl"
QUESTIONS_FILE = "questions.jsonl"
GRADES_FILE = "grades.jsonl"
PROBLEMS_FILE = "problems.jsonl"
VERDICT_FILE = "verdict.json"
HISTORY_FILE = "verdicts.jsonl"
PREFLIGHT_FILE = "preflight.json"
SHARD_FILE = "shard.json"
PROMISE_FILE = "promise.json"
GOLDEN_FOLDER = "golden-run"
"""In the folder of a promise: the record of its golden run."""
DRIFT_FILE = "drift.json"
GOLDEN_ANSWERS_FILE = "golden-answers.json"

PAGE_FILE = "report.html"
TRANSCRIPTS_FOLDER = "transcripts"
LOOKS_FOLDER = "coordinated"
"""Beside the run folders of shards: what their coordinator says, a file a promise."""
SPEED_FOLDER = "performance"
SWEEP_FILE = "against-concurrency.json"
"""In the folder of speed: the same figures side by side."""
SERVERS_FOLDER = "servers"
EVIDENCE = (
    MANIFEST_FILE,
    COMPLETIONS_FILE,
    MARK_FILE,
    SESSIONS_FILE,
    REPLAYED_FILE,
    SHARD_FILE,
    PREFLIGHT_FILE,
    DRIFT_FILE,
    PROMISE_FILE,
    f"{GOLDEN_FOLDER}/{VERDICT_FILE}",
    GRADES_FILE,
    PROBLEMS_FILE,
    VERDICT_FILE,
    HISTORY_FILE,
)
"""Files of a promise that prove something of it; others are locks, pages and logs, or a text that has a licence."""
PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,254}", re.ASCII)
"""A name that means the same in every file system and in the lines of ``sha256sum``."""

BALLAST_FILE = ".room"
ROOM_FOR_JUNIT, ROOM_FOR_PAGE = 1 << 18, 1 << 19
"""Bytes. The page of one promise takes some 50 to 130 kB."""
BALLAST = ROOM_FOR_JUNIT + ROOM_FOR_PAGE
"""Bytes kept back for the reports of a session whose disk fills up meanwhile."""
LEAST_ROOM = 1 << 20
"""Bytes; a disk with less room holds no run."""


def new_run(parent: Path = Path("runs")) -> Path:
    """A folder for a new run, named by the time; sessions that begin in the same second get folders of their own."""
    return parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def require_usable(run: Path, option: str = "--run DIR") -> None:
    """See that the folder ``run`` can be written, before anything expensive starts; it is made.

    ``option`` is how another folder is given.

    Raises:
        StoreError: it cannot.
    """
    try:
        private_folder(run)
        with TemporaryFile(dir=run) as file:
            file.write(b"\0" * LEAST_ROOM)
            file.flush()
    except OSError as error:
        raise StoreError(f"{run} cannot be written: {reason(error)}; give another folder: {option}") from error


def keep_room(run: Path) -> None:
    """Keep back what the reports need at the end; where that cannot be, the session goes on without.

    A file that is there from an earlier session serves.
    """
    with suppress(OSError):
        if not (run / BALLAST_FILE).exists():
            write_whole(run / BALLAST_FILE, b"\1" * BALLAST)


def give_room(run: Path, *, but: int = 0) -> None:
    """Give back what was kept, ``but`` for so many bytes."""
    with suppress(OSError):
        if but:
            os.truncate(run / BALLAST_FILE, but)
        else:
            (run / BALLAST_FILE).unlink(missing_ok=True)


def promise_folders(run: Path, file: str = VERDICT_FILE) -> list[Path]:
    """The folders of promises in ``run`` that hold ``file``, by name."""
    return sorted(path.parent for path in run.glob(f"*/{file}"))


def holds_completions(run: Path) -> bool:
    """Whether papergate asked and got answers that it stored, so that they can be judged again."""
    return any(path.stat().st_size for path in run.glob(f"*/{COMPLETIONS_FILE}"))


def evidence_files(run: Path) -> list[Path]:
    """The files of ``run`` that prove something, in the order of their names, which their sums and a bundle keep."""
    of_promises = [path for name in EVIDENCE for path in run.glob(f"*/{name}")]
    return sorted([*of_promises, *speed_files(run)], key=lambda path: path.relative_to(run).as_posix())


def is_evidence(name: str) -> bool:
    """Whether ``name``, a path in a run, is that of a file of evidence."""
    folder, _, file = name.partition("/")
    return bool(PLAIN_NAME.fullmatch(folder)) and (file in EVIDENCE or _is_speed(folder, file))


def _is_speed(folder: str, file: str) -> bool:
    return folder == SPEED_FOLDER and file.endswith(".json") and bool(PLAIN_NAME.fullmatch(file)) and file != SWEEP_FILE


def looks_file(crew: Path, promise: str) -> Path:
    """Where the coordinator of the shards in ``crew`` says up to which look to ask ``promise``."""
    return crew / LOOKS_FOLDER / f"{promise}.json"


def completions_size(folder: Path) -> int:
    """Bytes of completions in the folder of a promise; 0 where there are none."""
    path = folder / COMPLETIONS_FILE
    return path.stat().st_size if path.exists() else 0


def servers_folder(run: Path) -> Path:
    """Where the servers that ``run`` starts keep their logs and locks."""
    return run / SERVERS_FOLDER


def speed_file(run: Path, workload: str) -> Path:
    """Where the record of ``workload`` lies."""
    return run / SPEED_FOLDER / f"{workload}.json"


def speed_files(run: Path) -> list[Path]:
    """The records of all workloads of ``run``."""
    return sorted(path for path in (run / SPEED_FOLDER).glob("*.json") if path.name != SWEEP_FILE)


def json_text(value: object, *, indent: int | None = None) -> str:
    """``value`` as JSON, decimal numbers as the texts they are."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str) + "\n"


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    private_folder(path.parent)
    with bytes_written(path) as file:
        file.writelines(json_text(row).encode(errors="replace") for row in rows)


def write_text(path: Path, text: str) -> None:
    """Write a file that replaces an earlier one as a whole; what no UTF-8 can hold, as in a file name, becomes "?".

    Raises:
        OSError: the disk refused; an earlier file stays as it was.
    """
    private_folder(path.parent)
    write_whole(path, text.encode(errors="replace"))
