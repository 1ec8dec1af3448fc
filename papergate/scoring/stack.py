"""A stack of its own for work that goes deep: how deep its caller stands, in how small a stack, changes no grade."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

R = TypeVar("R")

BYTES = 16 << 20  # some times what `FRAMES` take; only what is used is real
FRAMES = 3_000  # Python's own limit is 1,000, of which a test runner takes a tenth
_ONE = threading.Lock()  # both settings are those of the whole process


def apart(work: Callable[[], R]) -> R:
    """What ``work`` returns or raises, in a new thread that may go `FRAMES` deep."""
    found: Future[R] = Future()
    with _ONE:
        frames, stack_bytes = sys.getrecursionlimit(), threading.stack_size(BYTES)
        sys.setrecursionlimit(max(frames, FRAMES))
        try:
            thread = threading.Thread(target=_keep, args=(work, found))
            thread.start()
            thread.join()
        finally:
            threading.stack_size(stack_bytes)
            sys.setrecursionlimit(frames)
    return found.result()


def _keep(work: Callable[[], R], found: Future[R]) -> None:
    try:
        found.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
        found.set_exception(error)
