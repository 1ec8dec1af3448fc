"""One door to an event loop: uvloop's, where it is installed."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run_in_loop(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run in an event loop of its own, uvloop's where there is one: whatever the loop does costs less there."""
    with loop_runner() as runner:
        return runner.run(coroutine)


@contextmanager
def loop_runner() -> Iterator[asyncio.Runner]:
    """What runs one coroutine after another in such a loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    runner = asyncio.Runner(loop_factory=factory)
    try:
        yield runner
    finally:
        with _uninterrupted():
            runner.close()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let a Ctrl-C wait: a loop that is closed half leaves threads that fail when they report to it."""
    if threading.current_thread() is not threading.main_thread() or not callable(signal.getsignal(signal.SIGINT)):
        yield
        return
    came = list[int]()
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt
