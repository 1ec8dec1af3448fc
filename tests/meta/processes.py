"""Processes that tests start: each is ended with all that it started, whatever happens to the test."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest

LIMIT_S = 1800.0
"""Only a hang takes as long: the longest session of these tests takes a minute on two quiet cores."""


@contextmanager
def started(command, **options):
    """A process in a group of its own; on leaving, the whole group is killed."""
    process = subprocess.Popen(command, start_new_session=True, text=True, **options)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
            pipe.close()


def ran(command, **options):
    """The finished process with its output as text; stderr apart unless ``options`` say otherwise."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    with started(command, **pipes) as process:
        out, err = process.communicate(timeout=LIMIT_S)
        return subprocess.CompletedProcess(command, process.returncode, out, err)


def wait_until(condition, what):
    """Return when ``condition()`` holds; fail with ``what`` where it never does."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {LIMIT_S:.0f} s")
        time.sleep(0.01)
