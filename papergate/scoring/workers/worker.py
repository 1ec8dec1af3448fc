"""The process in which the graders of other tools compare with sympy, so that a comparison can be killed.

Run as `python -m papergate.scoring.workers.worker`. One JSON object a line comes in on stdin (`gold`, `answer`, `kind`,
`grader`) and one goes out: `equal` (true, false, null), `rule`, `reason`. The CPU timer starts with the comparison and
ends the process by its default action, which also works inside C code; memory is bounded by the address space.
"""

import json
import logging
import os
import resource
import signal
import sys
import warnings
from dataclasses import asdict
from typing import BinaryIO

from papergate.scoring import peers
from papergate.scoring.answers import limits
from papergate.scoring.records import AnswerKind, Comparison

_RLIMIT_CPU_MARGIN_S = 2  # whole seconds beyond the timer; the kernel's own limit is the second line


def main() -> None:
    """Answer requests until stdin ends."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not reach the protocol
    _warm_up()
    resource.setrlimit(resource.RLIMIT_AS, (limits.MEMORY_BYTES, limits.MEMORY_BYTES))
    _send(replies, {"ready": True})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _send(replies, _answer(request))


def _warm_up() -> None:
    """Import math-verify and run it once, so that the first comparison is not slower than the others."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    peers.compare("\\frac{1}{2}", "\\boxed{0.5}", AnswerKind.MATH, "math-verify")


def _answer(request: dict[str, str]) -> dict[str, object]:
    """The reply to one request, computed under the limits; whatever a library raises becomes `undecided`."""
    _start_clock()
    try:
        comparison = peers.compare(request["gold"], request["answer"], AnswerKind(request["kind"]), request["grader"])
    except MemoryError:
        comparison = Comparison(equal=None, rule="limit", reason="memory limit")
    except RecursionError:
        comparison = Comparison(equal=None, rule="limit", reason="nested too deeply")
    except Exception as error:  # noqa: BLE001 - sympy raises nearly everything, and none of it is a wrong answer
        comparison = Comparison(equal=None, rule="error", reason=f"{type(error).__name__} in comparison")
    _stop_clock()
    return asdict(comparison)


def _start_clock() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + limits.CPU_S) + _RLIMIT_CPU_MARGIN_S
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.setitimer(signal.ITIMER_PROF, limits.CPU_S)


def _stop_clock() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)


def _send(replies: BinaryIO, reply: dict[str, object]) -> None:
    replies.write(json.dumps(reply).encode() + b"\n")
    replies.flush()


if __name__ == "__main__":
    main()
