"""The door to an event loop, and a Ctrl-C while it is closed."""

import asyncio
import os
import signal
import threading
import time

import pytest

from papergate.endpoints.event_loop import loop_runner


def test_a_ctrl_c_while_a_loop_is_closed_waits_for_its_threads():
    closing, done = threading.Event(), []

    def work():
        closing.wait()
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        done.append(True)

    async def begin():
        asyncio.get_running_loop().run_in_executor(None, work)

    def close():
        with loop_runner() as runner:
            runner.run(begin())
            closing.set()

    with pytest.raises(KeyboardInterrupt):
        close()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
