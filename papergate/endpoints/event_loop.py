"""One door to an event loop: uvloop's, where it is installed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run_in_loop(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run in an event loop of its own, uvloop's where there is one: whatever the loop does costs less there."""
    with loop_runner() as runner:
        return runner.run(coroutine)


def loop_runner() -> asyncio.Runner:
    """What runs one coroutine after another in such a loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    return asyncio.Runner(loop_factory=factory)
