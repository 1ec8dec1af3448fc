"""The store under any sequence of appends, refused system calls, crashes, resumptions and edits, against a model.

The model is a set: what was acknowledged must be there, what is there must have been given, and what was edited must be
named. System calls are made to fail, or the process to "die", by an injector inside this process.
"""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from papergate.completions.policy import seed_of
from papergate.completions.repair import repair
from papergate.completions.store import Store, contents_of
from papergate.errors import StoreError
from papergate.run_folder.files import COMPLETIONS_FILE
from tests.meta.completions.test_store import completion, end_by_kill, manifest

CALLS = ("write", "fsync", "ftruncate", "replace")
FAILS = st.sampled_from(["once", "stays"])
TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


class Died(BaseException):
    """Stands for kill -9: nothing of papergate catches it."""


class Injector:
    """Makes the ``number``-th system call fail half done: once, or all after it too, or as the last of the process."""

    def __init__(self):
        self._real = {name: getattr(os, name) for name in CALLS}
        self._left = None

    @contextlib.contextmanager
    def armed(self, number, fault):
        self._left, self._fault = number, fault
        for name in CALLS:
            setattr(os, name, self._faulty(name))
        try:
            yield
        finally:
            for name, real in self._real.items():
                setattr(os, name, real)

    def _faulty(self, name):
        def call(*arguments, **options):
            self._left -= 1
            if self._left > 0:
                return self._real[name](*arguments, **options)
            if self._left == 0 and name == "write":
                self._real[name](arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            if self._left == 0 and self._fault == "died":
                raise Died
            if self._left == 0 or self._fault == "stays":
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._real[name](*arguments, **options)

        return call


INJECTOR = Injector()


def is_open(machine):
    return machine.store is not None


def is_closed_and_whole(machine):
    return machine.store is None and not machine.edited


class StoreMachine(RuleBasedStateMachine):
    """One run folder and what is known of it."""

    @initialize()
    def begin(self):
        self.parent = Path(tempfile.mkdtemp())
        self.folder = self.parent / "run"
        self.acknowledged, self.given = {}, {}
        self.store, self.edited = None, False
        self.next = 0
        self.resume()

    def teardown(self):
        if self.store is not None:
            self.store.close()
        shutil.rmtree(self.parent, ignore_errors=True)

    def fresh(self, texts):
        """Completions of samples that nothing was given for."""
        for text in texts:
            key = (f"p{self.next % 3}", self.next // 3)
            self.next += 1
            self.given[key] = text
            yield completion(*key, text, seed=seed_of(1, *key))

    @precondition(is_open)
    @rule(texts=st.lists(TEXTS, min_size=1, max_size=3))
    def append(self, texts):
        done = list(self.fresh(texts))
        self.store.append(*done)
        self.acknowledged |= {(one.problem, one.sample): one.text for one in done}

    @precondition(is_open)
    @rule(
        texts=st.lists(TEXTS, min_size=1, max_size=2),
        number=st.integers(1, 4),
        fault=FAILS,
    )
    def append_while_a_call_fails(self, texts, number, fault):
        done = list(self.fresh(texts))
        with INJECTOR.armed(number, fault):
            try:
                self.store.append(*done)
            except StoreError:
                self.give_up_if_broken()
                return
        self.acknowledged |= {(one.problem, one.sample): one.text for one in done}

    def give_up_if_broken(self):
        """Where what went out could not be taken back, nothing more is written: the run ends."""
        if self.store._broken:
            self.store.close()
            self.store = None

    @precondition(is_open)
    @rule(texts=st.lists(TEXTS, min_size=1, max_size=2), number=st.integers(1, 4))
    def die_while_appending(self, texts, number):
        done = list(self.fresh(texts))
        try:
            with INJECTOR.armed(number, "died"):
                self.store.append(*done)
            self.acknowledged |= {(one.problem, one.sample): one.text for one in done}
        except Died:
            pass
        self.killed()

    @precondition(is_open)
    @rule()
    def killed(self):
        end_by_kill(self.store)
        self.store = None

    @precondition(is_open)
    @rule()
    def mark(self):
        self.store.mark()

    @precondition(is_open)
    @rule(number=st.integers(1, 4), fault=FAILS)
    def close_while_a_call_fails(self, number, fault):
        with INJECTOR.armed(number, fault):
            self.store.close()
        self.store = None

    @precondition(is_closed_and_whole)
    @rule()
    def resume(self):
        self.store = Store.open(self.folder, manifest())

    @precondition(is_closed_and_whole)
    @rule(number=st.integers(1, 6), fault=st.sampled_from(["once", "stays", "died"]))
    def resume_while_a_call_fails(self, number, fault):
        try:
            with INJECTOR.armed(number, fault):
                self.store = Store.open(self.folder, manifest())
        except (StoreError, Died):
            self.store = None

    @precondition(is_closed_and_whole)
    @rule(data=st.data())
    def edit(self, data):
        """Change one byte of an acknowledged record: its text must never be read as another one."""
        path, contents = self.folder / COMPLETIONS_FILE, contents_of(self.folder)
        places = [place for key, place in contents.succeeded.items() if key in self.acknowledged]
        if not places:
            return
        start, length = data.draw(st.sampled_from(places))
        at = start + data.draw(st.integers(0, length - 1))
        damaged = bytearray(path.read_bytes())
        damaged[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(damaged)
        self.edited = True

    @precondition(lambda self: self.edited)
    @rule()
    def repair(self):
        """At most the edited record is lost, or the two whose lines became one, and it is said."""
        found = contents_of(self.folder)
        before = len(found.succeeded)
        repair(self.folder)
        self.edited = False
        kept = contents_of(self.folder)
        assert kept.damages == []
        assert len(kept.succeeded) >= before
        for key in set(self.acknowledged) - set(kept.succeeded):
            del self.acknowledged[key]

    @invariant()
    def nothing_is_lost_and_nothing_invented(self):
        contents = contents_of(self.folder)
        held = set(contents.succeeded)
        assert held <= set(self.given)
        if self.edited:
            assert len(set(self.acknowledged) - held) <= 2
            assert contents.damages or set(self.acknowledged) <= held or len(set(self.acknowledged) - held) == 1
            return
        assert contents.damages == []
        assert set(self.acknowledged) <= held
        if self.store is not None:
            stored = {key: done.text for key, done in self.store.completions().items()}
            assert self.acknowledged.items() <= stored.items() <= self.given.items()


StoreMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("PAPERGATE_TEST_STORE_EXAMPLES", "60")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestStore = StoreMachine.TestCase
