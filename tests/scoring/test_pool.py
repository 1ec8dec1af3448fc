"""The comparison processes: limits, threads, event loops, and what happens to a runaway."""

import asyncio
import concurrent.futures
import json
import os
import subprocess
import sys
import threading

import pytest

from papergate.scoring import AnswerKind, Attempt, Grader, Outcome
from papergate.scoring.answers import limits
from papergate.scoring.workers.pool import Pool, Worker
from tests.meta.processes import LIMIT_S

NEEDS_SYMPY = Attempt(text=r"\frac{2}{4}", gold="0.5", bare=True)
RUNAWAY = Attempt(text=r"\prod_{k=1}^{10^{7}}(1+\frac{1}{k!})", gold="1", bare=True)


@pytest.fixture(scope="module")
def peer():
    """The grader of another tool, which works in processes."""
    with Grader("math-verify", workers=2) as grader:
        yield grader


def outcomes(grader, attempts):
    return [grade.outcome for grade in grader.grade(attempts)]


def test_runaway_is_killed_and_undecided_and_the_next_is_graded(peer):
    first, second = peer.grade([RUNAWAY, NEEDS_SYMPY])
    assert first.outcome is Outcome.UNDECIDED
    assert first.reason in {"CPU limit", "wall limit"}  # on a busy machine the wall may come first
    assert second.outcome is Outcome.CORRECT


def test_memory_is_limited():
    script = (
        "from papergate.scoring import peers\n"
        "from papergate.scoring.workers import worker\n"
        "compare = peers.compare\n"
        "peers.compare = lambda gold, *rest: bytearray(1 << 31) if gold == '1' else compare(gold, *rest)\n"
        "worker.main()"
    )
    assert ask(script, "1", "?")["reason"] == "memory limit"


def test_killed_worker_is_undecided_and_replaced():
    with Pool(1) as pool:
        pool.warm_up()
        worker = pool._seats.get()
        worker._process.kill()
        worker._process.wait()
        pool._seats.put(worker)
        assert pool.compare("1", "$1.0$", AnswerKind.MATH, "math-verify").equal is None
        assert pool.compare("1", "$1.0$", AnswerKind.MATH, "math-verify").equal is True


def test_wall_limit_kills_a_worker_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(limits, "WALL_S", 0.01)
    with Pool(1) as pool:
        pool.warm_up()
        comparison = pool.compare("1", f"${RUNAWAY.text}$", AnswerKind.MATH, "math-verify")
    assert (comparison.equal, comparison.reason) == (None, "wall limit")


def test_what_the_wall_limit_cut_is_asked_again_in_a_fresh_worker(monkeypatch):
    first = []

    def compare(worker, *request):
        if not first:
            first.append(worker)
            raise TimeoutError
        return worker_compare(worker, *request)

    worker_compare = Worker.compare
    monkeypatch.setattr(Worker, "compare", compare)
    with Pool(1) as pool:
        assert pool.compare("0.5", "$\\frac{2}{4}$", AnswerKind.MATH, "math-verify").equal is True
    assert first[0]._process.poll() is not None


def test_worker_is_replaced_when_worn_out(monkeypatch):
    monkeypatch.setattr(limits, "RECYCLE_AFTER", 1)
    with Pool(1) as pool:
        assert pool.compare("1", "?", AnswerKind.MATH, "math-verify").equal is False
        assert pool._seats.get() is None
        pool._seats.put(None)


def test_grades_are_the_same_in_worker_threads(peer):
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: outcomes(peer, [NEEDS_SYMPY] * 3), range(8)))
    assert results == [[Outcome.CORRECT] * 3] * 8


def test_grades_are_the_same_beside_an_event_loop(peer):
    async def many():
        return await asyncio.gather(*(asyncio.to_thread(outcomes, peer, [NEEDS_SYMPY]) for _ in range(8)))

    assert asyncio.run(many()) == [[Outcome.CORRECT]] * 8


def test_grades_are_the_same_inside_a_coroutine(peer):
    async def one():
        return outcomes(peer, [NEEDS_SYMPY])

    assert asyncio.run(one()) == [Outcome.CORRECT]


def test_closing_ends_every_process():
    with Pool(2) as pool:
        pool.warm_up()
        workers = [pool._seats.get() for _ in range(2)]
        pids = [worker._process.pid for worker in workers]
        for worker in workers:
            pool._seats.put(worker)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_no_process_is_started_for_what_is_certain():
    before = threading.active_count()
    with Grader(workers=1) as grader:
        assert outcomes(grader, [Attempt(text=r"\boxed{\frac12}", gold="0.5")]) == [Outcome.CORRECT]
        assert grader._pool._seats.get() is None
        grader._pool._seats.put(None)
    assert threading.active_count() == before


def test_prints_of_a_library_do_not_reach_the_protocol():
    script = (
        "from papergate.scoring import peers\n"
        "from papergate.scoring.workers import worker\n"
        "compare = peers.compare\n"
        "peers.compare = lambda *request: print('noise') or compare(*request)\n"
        "worker.main()"
    )
    assert ask(script, "1", "1.0")["equal"] is True


def ask(script, gold, answer):
    """The reply of a worker that was changed by a script."""
    request = json.dumps({"gold": gold, "answer": answer, "kind": "math", "grader": "math-verify"}).encode() + b"\n"
    command = [sys.executable, "-c", "import sys; sys.path.insert(0, '.')\n" + script]
    done = subprocess.run(command, input=request, capture_output=True, check=True, timeout=LIMIT_S)
    ready, reply = map(json.loads, done.stdout.splitlines())
    assert ready == {"ready": True}
    return reply
