"""The faults of real deployments, each on a real socket: what is lost is nothing, or is said."""

import contextlib
import multiprocessing
import os
import random
import signal
import socket
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from papergate.completions.policy import Policy, seed_of
from papergate.completions.progress import Silent
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.endpoints.address import Access, Address
from papergate.engines.records import Finish, Request
from papergate.engines.remote.engine import RemoteEngine
from papergate.engines.remote.timeouts import Timeouts
from papergate.errors import EngineError, EngineTimeout
from papergate.promises.records import Sampling
from tests.meta.completions.test_store import manifest
from tests.meta.engines.test_remote import certificate
from tests.meta.stored import read_store
from tests.servers.faulty_server import MODEL, FaultyServer, always, answer_to, first

SAMPLING = Sampling(temperature=Decimal("0.6"), max_tokens=128)
QUICK = Policy(concurrency=4, first_wait_s=0.001, longest_wait_s=0.002)
SHORT = Timeouts(first_token_s=1, idle_s=1, total_s=3)
"""Short enough for a test, long enough for a good answer from a busy machine."""


def requests(problems=6, samples=2):
    return [
        Request(
            problem=f"p{problem}",
            sample=sample,
            prompt=f"{problem}?",
            sampling=SAMPLING,
            seed=seed_of(0, f"p{problem}", sample),
        )
        for problem in range(problems)
        for sample in range(samples)
    ]


def whole(completions, given):
    """Whether every request has the one answer that the server gives to it."""
    texts = {key: completion.text for key, completion in completions.items()}
    return texts == {(each.problem, each.sample): answer_to(each.prompt, each.seed) for each in given}


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "run", manifest(run_seed=0)) as opened:
        yield opened


REPEATED = {
    "reset": "connection failed",
    "stall": "the stream stalled: no token for 1 s",
    "ping": "the stream stalled: no token for 1 s",
    "silence": "no token came within 1 s",
    "busy": "answered 429 .*'slow down'",
    "broken": "answered 500 .*'Internal Server Error'",
    "html_503": "answered 503 .*Backend fetch failed",
    "truncated_json": "broken JSON",
    "drip": "not finished within 3 s",
    "cut": "ended after 35 characters without a finish reason",
    "mindie": "'Engine callback timeout: server tokenTimeout'",
    "empty": r"finished and has no text at all .the server counts 1\d tokens",
    "endless_500": "answered 500 .*'CUDA out of memory'",
    "late_words": "overloaded, try later",
    "cut_words": "the answer broke off after '{'",
    "error_event": "'EngineCore died'",
}
"""Faults that another attempt may get past, and what is said of them."""


@pytest.mark.parametrize("fault", REPEATED)
def test_a_passing_fault_loses_nothing(store, fault):
    with FaultyServer(plan=first(1, fault)) as server:
        ask(RemoteEngine([server.url], MODEL, timeouts=SHORT), requests(2), store, QUICK, Silent())
    assert whole(store.completions(), requests(2))
    assert {completion.attempts for completion in store.completions().values()} == {2}


@pytest.mark.parametrize(("fault", "words"), REPEATED.items())
def test_a_lasting_fault_is_a_failure_in_the_servers_words_and_never_a_text(store, fault, words):
    policy = Policy(attempts=1)
    with FaultyServer(plan=always(fault)) as server:
        ask(RemoteEngine([server.url], MODEL, timeouts=SHORT), requests(2), store, policy, Silent())
    assert not store.completions()
    for failure in store.failures().values():
        assert (failure.text, failure.finish, failure.attempts) == (None, Finish.FAILED, 1)
        with pytest.raises(EngineError, match=words):
            raise EngineError(failure.error)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("refuse", "answered 400 .*maximum context length"),
        ("html", "answered 200 .text/html. .*Backend fetch failed.* where a stream was asked for"),
        ("packed", "compresses streams .gzip., against the request"),
        ("whole_json", "answered 200 .application/json. .* where a stream was asked for"),
    ],
)
def test_a_fault_that_will_not_pass_is_not_repeated(store, fault, words):
    with FaultyServer(plan=always(fault)) as server:
        ask(RemoteEngine([server.url], MODEL), requests(2), store, QUICK, Silent())
    assert len(server.log) == 4
    with pytest.raises(EngineError, match=words):
        raise EngineError(store.failures()["p0", 0].error)


@pytest.mark.parametrize("oddity", ["wrong_type", "bytewise", "after_the_end", "farewell", "leave"])
def test_an_oddity_is_no_fault(store, oddity):
    with FaultyServer(plan=always(oddity)) as server:
        ask(
            RemoteEngine([server.url], MODEL, timeouts=SHORT),
            requests(),
            store,
            QUICK,
            Silent(),
        )
    assert whole(store.completions(), requests())
    assert {completion.attempts for completion in store.completions().values()} == {1}
    assert len(server.log) == len(requests())


def test_the_end_of_a_connection_with_tls_hides_nothing_of_the_answer(store, tmp_path):
    with FaultyServer(plan=always("farewell"), certificate=certificate(tmp_path)) as server:
        engine = RemoteEngine([server.url], MODEL, ca_file=tmp_path / "cert.pem")
        ask(engine, requests(), store, QUICK, Silent())
    assert whole(store.completions(), requests())
    assert len(server.log) == len(requests())


def test_an_answer_that_ends_at_once_is_one(store):
    with FaultyServer(plan=always("ends_at_once")) as server:
        ask(RemoteEngine([server.url], MODEL), requests(1), store, QUICK, Silent())
    assert {(each.text, each.finish, each.attempts) for each in store.completions().values()} == {("", Finish.STOP, 1)}


def test_a_storm_of_429_is_waited_out_as_the_server_asks(store):
    with FaultyServer(plan=lambda asked: "busy" if asked.number <= 60 else "answer") as server:
        ask(RemoteEngine([server.url], MODEL), requests(10), store, Policy(attempts=20, first_wait_s=0.0), Silent())
    assert whole(store.completions(), requests(10))
    assert len(server.log) == 60 + 20


def test_a_server_that_is_killed_and_comes_back_is_waited_for(store):
    policy = Policy(concurrency=4, first_wait_s=0.05, longest_wait_s=0.1)
    with FaultyServer(delay_s=0.02) as server:
        engine = RemoteEngine([server.url], MODEL)
        revived = FaultyServer(port=server.port)

        class Killer(Silent):
            """After three answers the server dies; it is back after the first failures."""

            def __init__(self):
                self.answers = 0
                self.up = contextlib.ExitStack()
                self.retries = 0

            def finished(self, *_):
                self.answers += 1
                if self.answers == 3:
                    server.die()

            def retrying(self, *_):
                self.retries += 1
                if self.retries == 6:
                    self.up.enter_context(revived)

        killer = Killer()
        with killer.up:
            ask(engine, requests(10), store, policy, killer)
    assert whole(store.completions(), requests(10))
    assert killer.retries >= 6
    answered = Counter((asked.prompt, asked.seed) for asked, _ in revived.log)
    assert set(answered.values()) == {1}


def test_of_two_endpoints_one_dies_and_the_other_takes_over(store):
    with FaultyServer(delay_s=0.02) as other, FaultyServer(delay_s=0.02) as dying:
        engine = RemoteEngine([dying.url, other.url], MODEL)

        class Killer(Silent):
            answers = 0

            def finished(self, *_):
                self.answers += 1
                if self.answers == 6:
                    dying.die()

        ask(engine, requests(20), store, QUICK, Killer())
    assert whole(store.completions(), requests(20))
    assert 0 < len(dying.log) < len(other.log)


def test_a_server_that_never_comes_back_stops_the_run_and_keeps_what_there_is(store):
    with FaultyServer() as server:
        engine = RemoteEngine([server.url], MODEL)
        ask(engine, requests(3), store, QUICK, Silent())
    with pytest.raises(EngineError, match=r"16 requests in a row were lost.*connection failed"):
        ask(engine, requests(50), store, QUICK, Silent())
    assert whole(store.completions(), requests(3))


def test_a_host_that_swallows_connections_is_given_up(store):
    """A listener whose queue is full drops every further attempt to connect."""
    with FaultyServer() as server, socket.socket() as deaf:
        engine = RemoteEngine([server.url], MODEL, timeouts=Timeouts(connect_s=0.2))
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        with contextlib.ExitStack() as held:
            for _ in range(4):
                filler = held.enter_context(socket.socket())
                filler.setblocking(False)  # noqa: FBT003 - the standard library's signature
                filler.connect_ex(deaf.getsockname())
            swallowing = f"http://127.0.0.1:{deaf.getsockname()[1]}"
            engine._addresses[server.url] = Address.of(swallowing, Access(key=None, key_env=""))
            ask(engine, requests(1), store, Policy(attempts=2, first_wait_s=0.001), Silent())
    assert "no connection was made within 0.2 s" in store.failures()["p0", 0].error


def test_a_stalled_server_is_an_error_at_the_start():
    with FaultyServer(plan=always("silence")) as server, pytest.raises(EngineTimeout, match="no token came"):
        RemoteEngine([server.url], MODEL, timeouts=SHORT).check(SAMPLING, ["2+2?"])


def test_a_silent_server_is_told_from_a_slow_queue_soon_after_the_start():
    limits = Timeouts(trial_s=0.3)
    said = r"no token came within 0\.3 s to a trial request; look at the server's log and at its queue"
    with FaultyServer(plan=always("silence")) as server, pytest.raises(EngineTimeout, match=said):
        RemoteEngine([server.url], MODEL, timeouts=limits).check(SAMPLING, ["2+2?"])


# -- kill -9 -----------------------------------------------------------------------------------------------------------

KILLS = 60
LATEST_KILL_S = 0.15
SEED = 20240
GIVEN = requests(400)
"""More than sixty such runs can ask for before they are killed."""


class Acknowledging(Silent):
    """Writes the key of every completion that the runner reports as stored; a file survives the death of its writer."""

    def __init__(self, path: Path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def start(self, **_):
        os.write(self._file, b"started\n")

    def finished(self, completion):
        os.write(self._file, f"{completion.problem} {completion.sample}\n".encode())


def run_to_its_end(folder: Path, url: str, acknowledged: Path) -> None:
    with Store.open(folder, manifest(run_seed=0)) as store:
        ask(RemoteEngine([url], MODEL), GIVEN, store, Policy(concurrency=8), Acknowledging(acknowledged))


def run_killed_after(moment_s, folder, url, acknowledged):
    """A run in a process of its own, killed so many seconds after it began to ask."""
    before = acknowledged.stat().st_size if acknowledged.exists() else 0
    process = multiprocessing.get_context("forkserver").Process(target=run_to_its_end, args=(folder, url, acknowledged))
    process.start()
    while process.is_alive() and (not acknowledged.exists() or acknowledged.stat().st_size == before):
        time.sleep(0.001)
    process.join(moment_s)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_killed_at_many_random_moments_a_run_keeps_what_it_acknowledged_and_ends_as_if_undisturbed(tmp_path):
    multiprocessing.get_context("forkserver").set_forkserver_preload([__name__])
    folder, acknowledged, moments = tmp_path / "run", tmp_path / "acknowledged", random.Random(SEED)
    with FaultyServer(delay_s=0.05) as server:
        for _ in range(KILLS):
            asked_before, acknowledged_before = len(server.log), keys(acknowledged)
            run_killed_after(moments.uniform(0.0, LATEST_KILL_S), folder, server.url, acknowledged)
            asked_again = {(each.prompt, each.seed) for each, _ in server.log[asked_before:]}
            assert not asked_again & {(f"{p}?", seed_of(0, f"p{p}", s)) for p, s in acknowledged_before}
            assert {(f"p{p}", s) for p, s in keys(acknowledged)} <= set(read_store(folder)[1])
        run_to_its_end(folder, server.url, acknowledged)
    completions = read_store(folder)[1]
    assert whole(completions, GIVEN)
    assert len((folder / "completions.jsonl").read_bytes().split(b"\n")) - 1 == len(completions)


def keys(acknowledged):
    lines = acknowledged.read_text().splitlines() if acknowledged.exists() else []
    pairs = (line.removeprefix("p").split() for line in lines if line != "started")
    return {(int(problem), int(sample)) for problem, sample in pairs}
