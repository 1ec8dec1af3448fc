"""Processes that tests start: each is ended with all that it started, whatever happens to the test."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.meta import fork_server

ROOT = Path(__file__).parents[2]

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


IMPORTED_BY_SESSIONS = ("pytest", "papergate.gate", "papergate.performance.measuring", "papergate.reports.junit")
IMPORTED_BY_THE_MODEL = ("torch", "transformers.models.qwen2.modeling_qwen2", "accelerate")
ADDED = "-p no:hypothesispytest -p no:anyio -W ignore::pytest.PytestAssertRewriteWarning"
"""The two plugins come with the tests of papergate, not to a user, and take a third of a short session; transformers
imports one of them, of which pytest would warn."""


def forked(module, *arguments, cwd=ROOT, env=None, with_model=False):
    """The finished process of ``python -m module arguments``, forked from one that has the imports of every session.

    ``with_model`` says that it loads the embedded model, whose imports are had beforehand too.
    """
    environment = dict(os.environ if env is None else env) | {"PYTEST_ADDOPTS": ADDED}
    arguments = [*map(str, arguments)]
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        request = {"module": module, "arguments": arguments, "folder": str(cwd), "environment": environment}
        status = _fork(json.dumps(request).encode(), (out.fileno(), err.fileno()), with_model=with_model)
        out.seek(0), err.seek(0)
        return subprocess.CompletedProcess([module, *arguments], status, out.read(), err.read())


def _fork(request, streams, *, with_model):
    """The exit status of a fork; its whole group is killed, as that of ``started``."""
    server = _fork_server(*IMPORTED_BY_SESSIONS, *(IMPORTED_BY_THE_MODEL if with_model else ()))
    socket.send_fds(server, [request], streams)
    process = int(server.recv(32))
    try:
        return int(server.recv(32))
    except BaseException:
        _fork_server.cache_clear()  # it waits for that session
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)


@cache
def _fork_server(*modules):
    """One for all tests of a worker; it ends when this socket is closed, at the latest with the worker."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(LIMIT_S)
    command = [sys.executable, fork_server.__file__, str(theirs.fileno()), *modules]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()], start_new_session=True)
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def wait_until(condition, what):
    """Return when ``condition()`` holds; fail with ``what`` where it never does."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {LIMIT_S:.0f} s")
        time.sleep(0.01)
