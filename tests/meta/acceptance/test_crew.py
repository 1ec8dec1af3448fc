"""Shards and their coordinator hear of each other over a shared folder, without locks and whatever their clocks say."""

import os
import threading

import pytest

from papergate.acceptance import coordinating, crew
from papergate.acceptance.crew import Announcements, Crew, given_up, shard_folder
from papergate.acceptance.options import options_of
from papergate.acceptance.shards import give_up
from papergate.completions.shard import Shard
from papergate.errors import EngineError, OptionsError, PapergateError, StoreError
from papergate.run_folder.files import COMPLETIONS_FILE, SHARD_FILE, looks_file
from papergate.run_folder.shard import LooksRecord, ShardRecord, read_looks, write_looks, write_shard

PROMISE = "promise"
POLL_S = 0.01
LONG_S = 60.0


def complete(folder, index, look, count=2):
    record = ShardRecord(index=index, count=count, look=look, problems=("p",), samples=(look,), papergate="1")
    write_shard(shard_folder(folder, index) / PROMISE, record)


def crew_of(folder, *, stale=frozenset(), patience_s=LONG_S):
    return Crew(folder, PROMISE, 2, stale=stale, patience_s=patience_s, poll_s=POLL_S)


def announcements(folder, *, patience_s=LONG_S):
    return Announcements(folder, PROMISE, patience_s=patience_s, poll_s=POLL_S)


class AShard(threading.Thread):
    """Asks whatever is announced, at once."""

    def __init__(self, folder, index):
        super().__init__(daemon=True)
        self.folder, self.index = folder, index
        self.asked, self.error = [], None

    def run(self):
        try:
            for look in announcements(self.folder).looks(2):
                self.asked.append(look)
                complete(self.folder, self.index, look)
        except PapergateError as error:
            self.error = error


@pytest.fixture
def shards(tmp_path):
    threads = [AShard(tmp_path, index) for index in range(2)]
    yield threads
    for thread in threads:
        if thread.ident:
            thread.join(LONG_S)
            assert not thread.is_alive()


def test_all_shards_ask_each_look_that_is_needed_and_no_other(tmp_path, shards):
    crew = crew_of(tmp_path)
    for shard in shards:
        shard.start()
    for look in (2, 3, 5):
        crew.gather(look)
    crew.close()
    for shard in shards:
        shard.join(LONG_S)
    assert [shard.asked for shard in shards] == [[2, 3, 5]] * 2
    assert [shard.error for shard in shards] == [None, None]


def test_a_shard_hears_that_its_promise_was_given_up(tmp_path, shards):
    crew = crew_of(tmp_path)
    shards[0].start()
    crew.stop("shard 1 never came")
    shards[0].join(LONG_S)
    assert "shard 1 never came" in str(shards[0].error)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_shards_hear_that_their_coordinator_was_broken_off(tmp_path, monkeypatch, error):
    def broken_off(*_):
        raise error

    monkeypatch.setattr(coordinating, "_judged", broken_off)
    heard = announcements(tmp_path).looks(2)
    assert next(heard) == 2
    with pytest.raises(error):
        coordinating.coordinate(None, crew_of(tmp_path), tmp_path / "whole")
    with pytest.raises(EngineError, match=error.__name__):
        next(heard)


def test_what_an_earlier_coordinator_gave_up_is_not_this_ones_word(tmp_path, shards):
    crew_of(tmp_path).stop("an earlier error")
    for shard in shards:
        shard.start()
    crew = crew_of(tmp_path)
    crew.gather(2)
    crew.close()
    for shard in shards:
        shard.join(LONG_S)
    assert [shard.error for shard in shards] == [None, None]


def test_a_shard_that_comes_back_goes_on_where_the_whole_is(tmp_path):
    complete(tmp_path, 0, 4)
    write_looks(looks_file(tmp_path, PROMISE), LooksRecord(look=5, state="closed", session="x", beats=1))
    assert [*announcements(tmp_path).looks(2)] == [5]


def test_a_coordinator_that_comes_back_asks_no_shard_to_go_back(tmp_path):
    for index in range(2):
        complete(tmp_path, index, 5)
    write_looks(looks_file(tmp_path, PROMISE), LooksRecord(look=5, state="open", session="x", beats=1))
    crew_of(tmp_path).gather(2)
    assert read_looks(looks_file(tmp_path, PROMISE)).look == 5


def test_a_shard_that_never_came_and_one_that_stopped_are_named(tmp_path):
    complete(tmp_path, 0, 2)
    with pytest.raises(StoreError, match=r"2 of 2 shards .* shard 0: complete up to look 2; shard 1: it never came"):
        crew_of(tmp_path, patience_s=0.1).gather(3)


def test_a_shard_that_gives_up_is_not_waited_for(tmp_path):
    give_up(shard_folder(tmp_path, 1) / PROMISE, Shard(index=1, count=2), "the server is gone")
    with pytest.raises(EngineError, match="shard 1/2 gave up: the server is gone"):
        crew_of(tmp_path).gather(2)


def test_what_a_shard_gave_up_before_is_waited_for_and_told_in_the_end(tmp_path):
    complete(tmp_path, 0, 2)
    give_up(shard_folder(tmp_path, 1) / PROMISE, Shard(index=1, count=2), "the server is gone")
    crew = crew_of(tmp_path, stale=given_up(tmp_path), patience_s=0.1)
    with pytest.raises(StoreError, match="shard 1: the server is gone"):
        crew.gather(2)
    complete(tmp_path, 1, 2)
    crew.gather(2)


def test_giving_up_a_later_look_keeps_the_complete_one(tmp_path):
    complete(tmp_path, 0, 2)
    complete(tmp_path, 1, 2)
    give_up(shard_folder(tmp_path, 1) / PROMISE, Shard(index=1, count=2), "full disk")
    crew_of(tmp_path, stale=given_up(tmp_path)).gather(2)


class Clock:
    """Passes a second whenever somebody sleeps, in which something else is done."""

    def __init__(self, meanwhile):
        self._now, self._meanwhile = 0.0, meanwhile

    def monotonic(self):
        return self._now

    def sleep(self, _):
        self._now += 1.0
        next(self._meanwhile)


def test_shards_that_move_are_waited_for_however_long_they_take(tmp_path, monkeypatch):
    complete(tmp_path, 0, 2)
    folder = shard_folder(tmp_path, 1) / PROMISE
    folder.mkdir(parents=True)

    def work():
        for written in range(1, 11):
            (folder / COMPLETIONS_FILE).write_text("x" * written)
            yield
        yield complete(tmp_path, 1, 2)

    monkeypatch.setattr(crew, "time", Clock(work()))
    crew_of(tmp_path, patience_s=2.0).gather(2)
    assert crew.time.monotonic() == 11


def test_no_clock_is_compared(tmp_path):
    for index, stamp in enumerate((0, 4_000_000_000)):
        complete(tmp_path, index, 2)
        for path in shard_folder(tmp_path, index).rglob("*"):
            os.utime(path, (stamp, stamp))
    crew_of(tmp_path, patience_s=LONG_S).gather(2)


def test_a_silent_coordinator_is_an_error_with_the_remedy(tmp_path):
    with pytest.raises(EngineError, match=r"complete up to look 2.*--coordinate DIR --shards N"):
        [*announcements(tmp_path, patience_s=0.1).looks(2)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"--coordinate": "d"}, "give --shard I/N to ask a part there, or --shards N"),
        ({"--coordinate": "d", "--shards": 0}, "give a number above 0"),
        ({"--shards": 2}, "give --coordinate DIR"),
        ({"--wait-hours": 2.0}, "give --coordinate DIR"),
        ({"--coordinate": "d", "--shards": 2, "--endpoint": ["http://h:1"]}, "leave out --endpoint"),
        ({"--coordinate": "d", "--shard": "0/2", "--budget-tokens": 5}, "give --budget-tokens to papergate merge"),
    ],
)
def test_coordinating_needs_to_know_who_asks(given, said):
    with pytest.raises(OptionsError, match=said):
        options_of(given.get)


def test_a_coordinated_shard_has_its_folder_there(tmp_path):
    options = options_of({"--coordinate": str(tmp_path), "--shard": "1/2"}.get)
    assert options.run == shard_folder(tmp_path, 1)
    assert not options.coordinates
    assert options_of({"--coordinate": str(tmp_path), "--shards": 2}.get).coordinates


def test_a_shard_whose_record_is_damaged_is_refused_where_it_is_waited_for(tmp_path):
    complete(tmp_path, 0, 2)
    (shard_folder(tmp_path, 0) / PROMISE / SHARD_FILE).write_text("{")
    assert given_up(tmp_path) == frozenset()
    with pytest.raises(StoreError, match="cannot be read"):
        crew_of(tmp_path).gather(2)
