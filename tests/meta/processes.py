"""Processes that tests start: each is ended with all that it started, whatever happens to the test."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile, gettempdir

import pytest
from filelock import FileLock

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
OWNER = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
"""The process of the whole test run."""
SERVERS = []
"""Fork servers that this process started; they outlast it where others use them too."""


class Forked:
    """A session that was forked and may still run."""

    def __init__(self, command, connection, out, err):
        self.pid = int(connection.recv(32))
        self._command, self._connection, self._streams = command, connection, (out, err)
        self._ended = None

    def ended(self):
        """The finished process, once it has ended."""
        if self._ended is None:
            status = int(self._connection.recv(32))
            for stream in self._streams:
                stream.seek(0)
            self._ended = subprocess.CompletedProcess(self._command, status, *(each.read() for each in self._streams))
        return self._ended

    def end(self):
        """Have the session and all in its group killed, and wait for that."""
        self._connection.shutdown(socket.SHUT_WR)
        return self.ended()


@contextmanager
def forking(module, *arguments, cwd=ROOT, env=None, with_model=False):
    """``python -m module arguments``, forked from a process that has the imports of every session; ended on leaving.

    ``with_model`` says that it loads the embedded model, whose imports are had beforehand too.
    """
    environment = dict(os.environ if env is None else env) | {"PYTEST_ADDOPTS": ADDED}
    arguments = [*map(str, arguments)]
    request = {"module": module, "arguments": arguments, "folder": str(cwd), "environment": environment}
    modules = (*IMPORTED_BY_SESSIONS, *(IMPORTED_BY_THE_MODEL if with_model else ()))
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err, _connection(*modules) as connection:
        socket.send_fds(connection, [json.dumps(request).encode()], (out.fileno(), err.fileno()))
        session = Forked([module, *arguments], connection, out, err)
        try:
            yield session
        finally:
            session.end()


def forked(module, *arguments, **options):
    """The finished process of ``forking``."""
    with forking(module, *arguments, **options) as session:
        return session.ended()


def _connection(*modules):
    """To the fork server with these imports: one for all processes of a test run, which ends with that."""
    path = Path(gettempdir()) / f"papergate-tests-{OWNER}-{len(modules)}"
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(LIMIT_S)
    with FileLock(f"{path}.lock"):
        try:
            connection.connect(str(path))
        except OSError:  # none was started, or it was killed
            path.unlink(missing_ok=True)
            command = [sys.executable, fork_server.__file__, str(path), str(OWNER), *modules]
            SERVERS.append(
                subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True)
            )
            wait_until(lambda: path.exists() or SERVERS[-1].poll() is not None, "the fork server")
            connection.connect(str(path))
    return connection


def wait_until(condition, what, *, pause_s=0.01):
    """Return when ``condition()`` holds, looked at after each pause; fail with ``what`` where it never does."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {LIMIT_S:.0f} s")
        time.sleep(pause_s)
