"""What a report leaves in the folder of a promise, and how it is read again."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

VERDICT_FILE = "verdict.json"
GRADES_FILE = "grades.jsonl"
PROBLEMS_FILE = "problems.jsonl"

Summary = Mapping[str, Any]
"""Everything a report states of one promise, as plain values."""


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    _write(path, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))


def write_summary(folder: Path, summary: Summary) -> None:
    """Write the verdict; it replaces an earlier one as a whole."""
    _write(folder / VERDICT_FILE, json.dumps(summary, ensure_ascii=False, indent=1) + "\n")


def read_summary(folder: Path) -> Summary | None:
    """The summary in ``folder``, or None where there is no verdict."""
    path = folder / VERDICT_FILE
    if not path.exists():
        return None
    summary: Summary = json.loads(path.read_text(encoding="utf-8"))
    return summary


def read_summaries(run_folder: Path) -> list[Summary]:
    """Every summary of a run, by promise."""
    folders = sorted(path.parent for path in run_folder.glob(f"*/{VERDICT_FILE}"))
    return [summary for folder in folders if (summary := _readable(folder))]


def _readable(folder: Path) -> Summary | None:
    """The summary in ``folder``; None where an edited or foreign file stands there: its promise has no verdict."""
    try:
        return read_summary(folder)
    except (OSError, ValueError):
        return None


def forget(folder: Path) -> None:
    """Remove the verdict of an earlier session: until this one has its own, there is none."""
    (folder / VERDICT_FILE).unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(path.suffix + ".draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105 - the atomic rename is the point
