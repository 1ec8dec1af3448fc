"""Asking a vendor's tool: its output, or why there is none."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PROBE_TIMEOUT_S = 20.0
"""A healthy management tool answers within two seconds; a hung driver never does."""
KILLED_WITHIN_S = 2.0
QUOTED_CHARACTERS = 200
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a tool wrote, whatever its exit status: some tell of one damaged device by it and list the others."""

    text: str
    problem: str
    """What to say where ``text`` holds no device."""
    hung: bool = False


def is_here(tool: str) -> bool:
    """Whether the program is on PATH."""
    return shutil.which(tool) is not None


def ask(*command: str, timeout_s: float = PROBE_TIMEOUT_S) -> Answer:
    """Run a tool to its end, or for ``timeout_s``.

    One that hangs in its driver cannot even be killed, so its end is not waited for.
    """
    said = " ".join(command)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(  # noqa: S603 - constant commands
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
        except OSError as error:
            return Answer(text="", problem=f"{said}: {error.strerror or error}")
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _kill(process)
            problem = f"{said} did not answer within {timeout_s:g} s: its driver may hang"
            return Answer(text="", problem=problem, hung=True)
        text, errors = _read(out), _read(err)
    return Answer(text=text, problem=_problem(said, status, f"{errors}\n{text}"))


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each line of a table that is drawn with bars; border lines have none."""
    for line in text.splitlines():
        if line.strip().startswith("|"):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def pairs(text: str) -> dict[str, str]:
    """The first value of each ``Key : value`` line."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            found.setdefault(key.strip(), value.strip())
    return found


def after(label: str, text: str) -> str:
    """The word after ``label`` in ``text``; empty where it is missing or the tool does not know it."""
    match = re.search(rf"{re.escape(label)}\s*:?\s*([^\s|]+)", text)
    return match[1] if match and match[1].lower() not in {"unknown", "n/a", "[n/a]", "na"} else ""


def mib(text: str) -> int | None:
    """MiB of a text such as ``81920 MiB``, ``98304MiB`` or ``128 GB``; None where it has no unit that is known."""
    match = re.search(r"([\d.]+)\s*([KMGT]?)i?B\b", text)
    if not match:
        return None
    return round(float(match[1]) * {"": 1 / 1024**2, "K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}[match[2]])


def version_in(file: Path, key: str = "Version") -> str:
    """The value of ``key=...`` in a file of an installation; empty where there is none."""
    with contextlib.suppress(OSError):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            name, equals, value = line.partition("=")
            if equals and name.strip().lower() == key.lower():
                return value.strip().strip("[]")
    return ""


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(KILLED_WITHIN_S)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return _COLOURS.sub("", file.read().decode(errors="replace"))


def _problem(said: str, status: int, words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if re.search(r"\w", line)]
    quoted = " / ".join(lines)[:QUOTED_CHARACTERS]
    if status:
        return f"{said} ended with status {status} and said: {quoted or 'nothing'}"
    return f"{said} printed nothing that papergate can read: {quoted}" if quoted else f"{said} printed nothing"
