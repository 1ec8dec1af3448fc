"""Runs a server and ends it when the process that wanted it is gone, even after ``kill -9``.

A script of its own: ``python guard.py OWNER_PID LOG COMMAND...`` prints the pid of a new session's head and returns;
that head runs COMMAND with its output in LOG. It ends the whole session's group on SIGTERM or when the owner no longer
runs; when the server ends by itself, so does the guard.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

LOOK_EVERY_S = 0.5
"""A server left over for half a second does no harm."""
GRACE_S = 15.0
"""A server that needs longer to let go of its devices is killed."""


GONE = ""
ENDED = (GONE, "Z", "X")
"""States of a process that runs no more; Z waits for its parent to ask how it ended."""


def started_at(pid: int) -> str | None:
    """When a process was started, in clock ticks; None if it does not run.

    Tells a process from a later one with the same number.
    """
    state, _, started = _stat(pid)
    return None if state in ENDED else started


def group_runs(head: int) -> bool:
    """Whether any process of the group that ``head`` opened still runs, with or without its head."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return any(group == str(head) and state not in ENDED for state, group, _ in map(_stat, numbers))


def _stat(pid: int) -> tuple[str, str, str]:
    """State, process group and start of a process, as in proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return GONE, "", ""
    return fields[0], fields[2], fields[19]


def detach(log: str) -> None:
    """Become a daemon at the head of a session of its own, with its output in ``log``; print its pid."""
    if child := os.fork():
        sys.stdout.write(str(child))
        sys.stdout.flush()
        os._exit(0)
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    silence = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((silence, 0), (output, 1), (output, 2)):
        os.dup2(source, target)


def run(owner: int, command: list[str]) -> None:
    """Run ``command`` until it ends, ``owner`` ends, or SIGTERM comes."""
    born = started_at(owner)
    told_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told_to_stop.append(number))
    server = subprocess.Popen(command)  # noqa: S603 - the caller's own command
    while server.poll() is None:
        if told_to_stop or born is None or started_at(owner) != born:
            end_group(server)
        time.sleep(LOOK_EVERY_S)


def end_group(server: "subprocess.Popen[bytes]") -> None:
    """End the server and every process it started, and this guard with them."""
    os.killpg(0, signal.SIGTERM)
    try:
        server.wait(GRACE_S)
    finally:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    detach(sys.argv[2])
    run(int(sys.argv[1]), sys.argv[3:])
