"""Every request is answered and stored once, whatever the engine does meanwhile."""

import asyncio
import io
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from rich.console import Console

from papergate.completions.policy import LONGEST_RETRY_AFTER_S, Policy, seed_of
from papergate.completions.progress import Log, Shown, Silent, Terminal, clock, progress_for
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.engines.records import Completion, EngineIdentity, Finish, Request
from papergate.errors import EngineError, EngineRefused, EngineTimeout, StoreError
from papergate.promises.records import Sampling
from papergate.run_folder.notes import AS_WRITTEN, note
from tests.meta.completions.test_store import manifest
from tests.meta.processes import LIMIT_S, started, wait_until

SAMPLING = Sampling(temperature=Decimal("0.6"), max_tokens=16)
QUICK = Policy(first_wait_s=0.001, longest_wait_s=0.002)


@dataclass(kw_only=True)
class ScriptedEngine:
    """Answers in process; ``script`` maps a problem to the errors of its first attempts."""

    script: dict[str, list[Exception]] = field(default_factory=dict)
    concurrency: int = 4
    seconds: float = 0.0
    asked: Counter = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    busiest: int = 0
    in_flight: int = 0

    def identity(self):
        return EngineIdentity(engine="scripted", version="1", model="none")

    def check(self, sampling, prompts, form=None): ...

    def close(self): ...

    async def complete(self, request):
        self.asked[request.problem, request.sample] += 1
        self.order.append(request.problem)
        self.in_flight += 1
        self.busiest = max(self.busiest, self.in_flight)
        try:
            await asyncio.sleep(self.seconds)
            errors = self.script.get(request.problem)
            if errors:
                raise errors.pop(0)
        finally:
            self.in_flight -= 1
        return Completion(problem=request.problem, sample=request.sample, text="</think>4", finish=Finish.STOP)


def requests(problems, samples=1):
    return [
        Request(
            problem=f"p{problem}",
            sample=sample,
            prompt="2+2?",
            sampling=SAMPLING,
            seed=seed_of(0, f"p{problem}", sample),
        )
        for problem in range(problems)
        for sample in range(samples)
    ]


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "run", manifest(run_seed=0)) as opened:
        yield opened


def transient(times, **settings):
    return [EngineError("503", transient=True, **settings) for _ in range(times)]


def test_every_sample_is_asked_once_and_stored(store):
    engine = ScriptedEngine()
    ask(engine, requests(10, samples=3), store, QUICK, Silent())
    assert set(engine.asked.values()) == {1}
    assert set(store.completions()) == {(f"p{problem}", sample) for problem in range(10) for sample in range(3)}


def test_requests_are_started_in_the_order_given(store):
    engine = ScriptedEngine()
    ask(engine, requests(10), store, QUICK, Silent())
    assert engine.order == [f"p{problem}" for problem in range(10)]


@pytest.mark.parametrize(("policy", "busiest"), [(QUICK, 4), (Policy(concurrency=7), 7)])
def test_the_policy_or_else_the_engine_bounds_what_is_in_flight(store, policy, busiest):
    engine = ScriptedEngine(seconds=0.01)
    ask(engine, requests(20), store, policy, Silent())
    assert engine.busiest == busiest


def test_a_transient_failure_is_repeated(store):
    engine = ScriptedEngine(script={"p3": transient(2)})
    ask(engine, requests(5), store, QUICK, Silent())
    assert engine.asked["p3", 0] == 3
    assert store.completions()["p3", 0].attempts == 3
    assert store.completions()["p4", 0].attempts == 1


def test_a_refusal_is_not_repeated_and_is_stored_as_failed(store):
    engine = ScriptedEngine(script={"p3": [EngineRefused("400 too long")]})
    ask(engine, requests(5), store, QUICK, Silent())
    assert engine.asked["p3", 0] == 1
    failed = store.failures()["p3", 0]
    assert (failed.text, failed.finish, failed.error, failed.attempts) == (None, Finish.FAILED, "400 too long", 1)
    assert len(store) == 4


def test_attempts_end(store):
    engine = ScriptedEngine(script={"p3": transient(99)})
    ask(engine, requests(5), store, Policy(attempts=3, first_wait_s=0.001), Silent())
    assert engine.asked["p3", 0] == 3
    assert store.failures()["p3", 0].attempts == 3


def test_a_resumed_run_asks_for_failures_again_and_for_nothing_else(store):
    ask(ScriptedEngine(script={"p3": [EngineRefused("no")]}), requests(5), store, QUICK, Silent())
    engine = ScriptedEngine()
    ask(engine, requests(6), store, QUICK, Silent())
    assert set(engine.asked) == {("p3", 0), ("p5", 0)}
    attempts = {problem: done.attempts for (problem, _), done in store.completions().items()}
    assert attempts == dict.fromkeys(["p0", "p1", "p2", "p4", "p5"], 1) | {"p3": 2}


def test_nothing_is_asked_when_everything_is_stored(store):
    ask(ScriptedEngine(), requests(5), store, QUICK, Silent())
    engine = ScriptedEngine()
    ask(engine, requests(5), store, QUICK, Silent())
    assert not engine.asked


def test_a_sample_requested_twice_is_a_mistake(store):
    with pytest.raises(ValueError, match="twice"):
        ask(ScriptedEngine(), requests(2) + requests(1), store, QUICK, Silent())


def test_when_nobody_answers_any_more_the_run_stops(store):
    engine = ScriptedEngine(script={f"p{problem}": [EngineRefused("gone")] for problem in range(5, 100)}, concurrency=1)
    with pytest.raises(EngineError, match=r"16 requests in a row were lost, the last with: gone"):
        ask(engine, requests(100), store, QUICK, Silent())
    assert sum(engine.asked.values()) == 5 + 16
    assert len(store.completions()) == 5
    assert len(store.failures()) == 16


def test_failures_between_answers_do_not_stop_a_run(store):
    engine = ScriptedEngine(script={f"p{problem}": [EngineRefused("no")] for problem in range(0, 40, 2)}, concurrency=1)
    ask(engine, requests(40), store, Policy(failures_in_a_row=2), Silent())
    assert (len(store), store.failed) == (20, 20)


def test_what_finished_while_the_disk_was_slow_is_stored_when_the_run_is_stopped(store, monkeypatch):
    stopped, write = threading.Event(), store._write

    class Stopping(ScriptedEngine):
        async def complete(self, request):
            if request.problem == "p5":
                await asyncio.sleep(0.05)
                stopped.set()
                raise KeyError("bug")
            return await super().complete(request)

    def slow_write(data):
        stopped.wait()
        return write(data)

    monkeypatch.setattr(store, "_write", slow_write)
    with pytest.raises(KeyError):
        ask(Stopping(concurrency=6), requests(6), store, QUICK, Silent())
    assert set(store.completions()) == {(f"p{problem}", 0) for problem in range(5)}


def test_a_run_without_progress_is_stopped(store):
    engine = ScriptedEngine(seconds=3600)
    with pytest.raises(EngineTimeout, match=r"no answer finished for 0\.05 s with 4 requests in flight"):
        ask(engine, requests(5), store, Policy(no_progress_s=0.05), Silent())


def test_an_unforeseen_error_of_an_engine_stops_the_run(store):
    engine = ScriptedEngine(script={"p3": [KeyError("bug")]})
    with pytest.raises(KeyError, match="bug"):
        ask(engine, requests(50), store, QUICK, Silent())


def test_a_store_that_cannot_write_stops_the_run(store):
    store.close()
    with pytest.raises(StoreError, match="closed"):
        ask(ScriptedEngine(), requests(5), store, QUICK, Silent())


def test_any_thread_may_ask(store):
    thread = threading.Thread(target=ask, args=(ScriptedEngine(), requests(5), store, QUICK, Silent()))
    thread.start()
    thread.join()
    assert len(store) == 5


def test_attempts_start_no_faster_than_the_rate(store):
    starts, tick_s = [], 0.002  # an event loop's clock and its timers count in whole milliseconds

    class Timed(ScriptedEngine):
        async def complete(self, request):
            starts.append(time.monotonic())
            return await super().complete(request)

    policy = Policy(requests_per_s=50, first_wait_s=0.001)
    begun = time.monotonic()  # from here, not from the first start: that one alone may be late
    ask(Timed(script={"p1": transient(1)}), requests(5), store, policy, Silent())
    assert len(starts) == 6
    for number, start in enumerate(starts):
        assert start - begun >= number / 50 - tick_s


def test_waits_double_stay_bounded_and_differ_between_requests():
    policy, (one, other) = Policy(), requests(2)
    waits = [policy.wait_s(one, attempt, EngineError("", transient=True)) for attempt in range(1, 12)]
    for attempt, wait in enumerate(waits):
        assert min(60, 2**attempt) / 2 <= wait <= min(60, 2**attempt)
    assert waits[0] != policy.wait_s(other, 1, EngineError("", transient=True))


@pytest.mark.parametrize(("asked_for", "wait"), [(120.0, 120.0), (1e9, LONGEST_RETRY_AFTER_S)])
def test_the_server_may_ask_for_a_longer_wait(asked_for, wait):
    assert Policy().wait_s(requests(1)[0], 1, EngineError("", transient=True, retry_after_s=asked_for)) == wait


def test_seeds_differ_fit_31_bits_and_never_change():
    seeds = {seed_of(run, f"p{problem}", sample) for run in range(3) for problem in range(30) for sample in range(64)}
    assert len(seeds) == 3 * 30 * 64
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(0, "aime2024-1", 0) == 924933805


INTERRUPTED = """
import sys
from pathlib import Path
from papergate.completions.policy import Policy
from papergate.completions.progress import progress_for
from papergate.completions.runner import ask
from papergate.completions.store import Store
from tests.meta.completions.test_runner import ScriptedEngine, requests
from tests.meta.completions.test_store import manifest

with Store.open(Path(sys.argv[1]), manifest(run_seed=0)) as store:
    engine = ScriptedEngine(concurrency=8, script={"p9": []})
    engine.seconds = 0.02
    ask(engine, requests(100_000), store, Policy(), progress_for(sys.stdout))
"""


def test_ctrl_c_keeps_what_finished_and_says_how_to_go_on(tmp_path):
    arguments = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    with started(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert "asking 100000 of 100000 samples of 100000 problems" in process.stdout.readline()
        path = tmp_path / "completions.jsonl"
        wait_until(lambda: path.stat().st_size >= 2000, "some stored completions")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
    assert err.rstrip().endswith("KeyboardInterrupt")
    with Store.open(tmp_path, manifest(run_seed=0)) as store:
        kept = len(store)
    assert kept > 0
    resume = f"the same command with --run={tmp_path.parent} asks for the other {100000 - kept}"
    assert f"{kept} of 100000 samples are kept in {tmp_path}; {resume}" in out
    assert "0 in flight" not in out


class Recorder(list):
    def write(self, text):
        self.append(text)

    def flush(self): ...

    def isatty(self):
        return False


def test_a_log_gets_a_line_at_the_beginning_one_per_interval_and_one_at_the_end(store):
    shown = Recorder()
    progress = Shown(Log(shown), lambda: note(AS_WRITTEN, text="running score 75.0%"), every_s=0.0)
    ask(ScriptedEngine(script={"p3": transient(1)}), requests(5), store, QUICK, progress)
    assert shown[0] == "papergate: asking 5 of 5 samples of 5 problems; 0 stored before\n"
    assert shown[-1].startswith("papergate: running score 75.0%; 5/5 samples of 5 problems, ")
    assert not any(word in shown[-1] for word in ("in flight", "left"))
    assert "in flight" in shown[-2]
    assert "1 retries (last: 503; again in 0 s)" in shown[-1]
    assert len(shown) > 2


@pytest.mark.parametrize("error", ["503", "a long story " * 30])
def test_a_terminal_shows_each_fact_in_one_row_of_its_width(error):
    terminal = Terminal(io.StringIO())
    score = note(AS_WRITTEN, text="score 75.0 % [69.1, 80.9], promised 74.0 % ± 1 problem, look 4 of 64")
    progress = Shown(terminal, lambda: score, every_s=0.0)
    progress.start(problems=500, total=32000, stored=12345)
    progress.retrying(error, 1.0)
    progress.tick(128)
    rows = [
        "".join(segment.text for segment in row) for row in Console(width=80).render_lines(terminal._live.renderable)
    ]
    terminal.close()
    assert len(rows) == 3
    for row, fact in zip(
        rows,
        ["score 75.0 %", "12345/32000 samples of 500 problems, time left unknown", "0 failed, 1 retries (last: "],
        strict=True,
    ):
        assert row.startswith(fact)


def test_a_stream_that_is_no_terminal_gets_few_lines(store):
    shown = Recorder()
    ask(ScriptedEngine(), requests(50), store, QUICK, progress_for(shown))
    assert len(shown) == 2


def test_a_log_of_several_runs_says_in_each_line_which_one_it_is_about(store):
    shown = Recorder()
    ask(ScriptedEngine(), requests(5), store, QUICK, progress_for(shown, about="my-promise"))
    assert shown
    assert all(line.startswith("papergate: my-promise: ") for line in shown)


def test_a_quiet_run_shows_what_must_not_be_missed_and_nothing_else(store):
    shown = Recorder()
    quiet = progress_for(shown, quiet=True)
    ask(ScriptedEngine(), requests(5), store, QUICK, quiet)
    assert shown == []
    quiet.say(note(AS_WRITTEN, text="5 samples are kept"))
    assert shown == ["papergate: 5 samples are kept\n"]


def test_time_left_is_readable():
    assert clock(3723.4) == "1:02:03"


def test_a_completion_names_the_endpoints_of_the_attempts_that_failed(store):
    lost = [EngineError("reset", transient=True), EngineError("reset", transient=True), EngineError("no")]
    lost[0].endpoint, lost[2].endpoint = "http://a", "http://b"  # of the second nobody knows where it failed
    engine = ScriptedEngine(script={"p0": lost[:2], "p1": [lost[2]]})
    ask(engine, requests(2), store, QUICK, Silent())
    assert [done.lost_at for done in store.completions().values()] == [("http://a",)]
    assert [done.lost_at for done in store.failures().values()] == [("http://b",)]
