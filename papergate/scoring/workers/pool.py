"""Worker processes that can be killed, and the threads that wait for them.

Each worker is a fresh interpreter (never a fork) behind a pipe. It is started when first needed, warmed up once, and
given one comparison at a time, so that the clock of a comparison starts when the comparison starts. Nothing here uses
signals or the event loop of the caller: it works from the main thread, other threads, asyncio and xdist workers.
"""

import contextlib
import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import papergate
from papergate.errors import PapergateError
from papergate.scoring.answers import limits
from papergate.scoring.records import AnswerKind, Comparison

_WORKER = [sys.executable, "-m", "papergate.scoring.workers.worker"]
_CHUNK = 1 << 16
_WALL_LIMIT = "wall limit"


class WorkerDied(PapergateError):
    """A comparison process ended before it answered."""


class Worker:
    """One comparison process: started, asked, killed."""

    def __init__(self) -> None:
        self._served = 0
        self._unread = b""
        self._process = subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
            _WORKER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            bufsize=0,
            start_new_session=True,  # an interrupt reaches the caller alone, who ends the workers
        )
        try:
            self._read_line(limits.START_S)
        except (TimeoutError, WorkerDied):
            self.kill()
            raise

    @property
    def worn_out(self) -> bool:
        """Whether it served so many comparisons that a fresh one takes less memory."""
        return self._served >= limits.RECYCLE_AFTER

    def compare(self, gold: str, answer: str, kind: AnswerKind, grader: str) -> Comparison:
        """Compare two answers under the limits.

        Raises:
            TimeoutError: The wall clock ran out; kill the worker.
            WorkerDied: The worker was killed by one of its own limits.
        """
        request = {"gold": gold, "answer": answer, "kind": kind, "grader": grader}
        self._served += 1
        self._write(json.dumps(request).encode() + b"\n")
        return Comparison(**json.loads(self._read_line(limits.WALL_S)))

    def kill(self) -> int:
        """End the process and return its status: minus the signal that ended it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self._process.wait()

    def died_of(self) -> str:
        """Which limit ended the process."""
        status = self._process.wait()
        self.kill()
        if status in (-signal.SIGPROF, -signal.SIGXCPU):
            return "CPU limit"
        return f"worker ended with status {status}"

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[self._process.stdin.write(rest) or 0 :]
        except BrokenPipeError as error:
            raise WorkerDied("a comparison process ended before it was asked") from error

    def _read_line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(seconds):
                    raise TimeoutError
                chunk = os.read(self._process.stdout.fileno(), _CHUNK)
                if not chunk:
                    raise WorkerDied("a comparison process ended before it answered")
                self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line


class Pool:
    """Up to `workers` comparison processes, started when first needed. Use as a context manager, from any thread."""

    def __init__(self, workers: int) -> None:
        self._seats: queue.SimpleQueue[Worker | None] = queue.SimpleQueue()
        self._size = workers
        self._closed = threading.Event()
        for _ in range(workers):
            self._seats.put(None)

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every comparison process."""
        self.close()

    def compare(self, gold: str, answer: str, kind: AnswerKind, grader: str) -> Comparison:
        """Compare two answers in a worker; a runaway is killed and the comparison undecided.

        What the wall limit cut is asked again in a fresh worker: a machine may be busy, and no grade depends on that.
        """
        for _ in range(limits.ASKED):
            result = self._asked(gold, answer, kind, grader)
            if result.reason != _WALL_LIMIT:
                break
        return result

    def _asked(self, gold: str, answer: str, kind: AnswerKind, grader: str) -> Comparison:
        worker = self._seats.get()
        try:
            if worker is None:
                worker = Worker()
            result = worker.compare(gold, answer, kind, grader)
        except TimeoutError:
            return self._undecided(worker, _WALL_LIMIT)
        except WorkerDied:
            return self._undecided(worker, worker.died_of() if worker else "no comparison process could be started")
        except BaseException:
            self._replace(worker)
            raise
        self._seats.put(worker if not worker.worn_out else self._retired(worker))
        return result

    def warm_up(self) -> None:
        """Start every worker now instead of with its first comparison."""
        seats = [self._seats.get() for _ in range(self._size)]
        for seat in seats:
            self._seats.put(seat or Worker())

    def close(self) -> None:
        """End every worker; waits for comparisons that are still running."""
        for _ in range(self._size):
            worker = self._seats.get()
            if worker is not None:
                worker.kill()
        for _ in range(self._size):
            self._seats.put(None)

    def _undecided(self, worker: Worker | None, reason: str) -> Comparison:
        self._replace(worker)
        return Comparison(equal=None, rule="limit", reason=reason)

    def _replace(self, worker: Worker | None) -> None:
        if worker is not None:
            worker.kill()
        self._seats.put(None)

    @staticmethod
    def _retired(worker: Worker) -> None:
        worker.kill()


def _environment() -> dict[str, str]:
    """The caller's environment with this very package importable, and one thread a worker."""
    root = str(Path(papergate.__file__).parents[1])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part)
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
