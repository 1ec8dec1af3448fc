"""The way of each promise through a session: prepared, asked or read, judged, saved."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from papergate.acceptance.base import base_of, base_options, refuse_no_gain, refuse_one_model
from papergate.acceptance.coordinating import coordinate
from papergate.acceptance.crew import Announcements, Crew, given_up
from papergate.acceptance.flow import Show, accept, manifest_of, replay, silently
from papergate.acceptance.independence import with_preflight
from papergate.acceptance.predictions import refuse_other_golds
from papergate.acceptance.preflights import Preflights
from papergate.acceptance.preparing import Benchmarks, Ready, prepare
from papergate.acceptance.records import Acceptance, Case
from papergate.acceptance.saving import save, save_replayed
from papergate.acceptance.selection import Setup
from papergate.acceptance.shards import Asked, ask_part, give_up
from papergate.acceptance.workers import Workers
from papergate.completions.shard import Shard
from papergate.completions.store import Store, refuse_unsound
from papergate.engines import Engine, EngineIdentity
from papergate.engines.held import Engines
from papergate.engines.replay import Predictions, refuse_thoughts, refuse_without_thoughts
from papergate.engines.start import demand_here
from papergate.errors import PapergateError
from papergate.promises import Promise
from papergate.run_folder.files import give_room, keep_room, require_usable
from papergate.run_folder.history import forget_verdict
from papergate.run_folder.verdict import VerdictRecord
from papergate.statistics.family import holm_alpha
from papergate.statistics.rule import ALPHA
from papergate.verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """A promise, tested: the judgement with all that it rests on, and the record that is on disk."""

    acceptance: Acceptance
    record: VerdictRecord


class Gate:
    """Tests the promises of one session, one after another, into one run folder."""

    def __init__(
        self, setup: Setup, engines: Engines, run: Path, *, promises: int, workers: Workers | None = None
    ) -> None:
        """``promises`` is how many the session tests: with ``holm``, a failure must be sure among all of them."""
        self._setup, self._engines, self._run = setup, engines, run
        self._benchmarks = Benchmarks(setup.benchmarks, setup.options.data)
        self._preflights = Preflights(setup.options.language) if setup.options.preflight else None
        self._promises, self._workers = promises, workers or Workers()
        self._given_up = given_up(setup.options.coordinate) if setup.options.coordinate else frozenset[str]()

    @property
    def shard(self) -> Shard | None:
        """Which part of each promise this session asks; None where it tests them."""
        return self._setup.options.shard

    def test(self, promise: Promise, show: Show = silently) -> Tested:
        """Test ``promise``; its record is on disk when this returns.

        Raises:
            PapergateError: anything outside the model's answers is wrong. A verdict of an earlier session stays on
                disk until samples are asked for.
        """
        golden = self._base_of(promise, show) if self._setup.options.gain_over else None
        ready, folder = self._prepared(promise, golden), self._run / promise.id
        if ready.predictions:
            found = replayed(ready, self._setup)
            save_replayed(ready.predictions.completions, folder)
        elif self._setup.options.coordinates:
            found = coordinate(ready, self._crew(promise), folder, show)
        else:
            engine = self._engine(ready, folder, show)
            found = asked(self._case(ready, engine), engine, folder, show)
        record = save(found, folder, ready.golden)
        if found.verdict is Verdict.FAIL and record.gates:
            self._workers.fail(promise.id)
        return Tested(acceptance=found, record=record)

    def ask(self, promise: Promise, show: Show = silently) -> Asked:
        """Ask this session's shard of ``promise`` and judge nothing; its coordinator hears how it ended.

        Raises:
            PapergateError: anything outside the model's answers is wrong; what came is kept.
        """
        try:
            return self._ask(promise, show)
        except PapergateError as error:
            if self._setup.options.coordinate and self.shard:
                give_up(self._run / promise.id, self.shard, str(error))
            raise

    def _ask(self, promise: Promise, show: Show) -> Asked:
        ready, folder = self._prepared(promise), self._run / promise.id
        engine = self._engine(ready, folder, show)
        case = self._case(ready, engine)
        with Store.open(folder, manifest_of(case)) as store:
            return ask_part(case, engine, store, self._looks(case), show)

    def _looks(self, case: Case) -> Iterable[int]:
        """Up to which looks a shard asks: all that are fixed, or as its coordinator says."""
        looks = case.settings.looks
        options = self._setup.options
        if options.coordinate is None:
            return looks
        heard = Announcements(options.coordinate, case.promise.id, patience_s=options.wait_s)
        return heard.looks(looks[0])

    def _crew(self, promise: Promise) -> Crew:
        options = self._setup.options
        assert options.coordinate, "this session coordinates"
        return Crew(options.coordinate, promise.id, options.shards, stale=self._given_up, patience_s=options.wait_s)

    def _base_of(self, promise: Promise, show: Show) -> Path:
        """The golden run of a gain: that of its base, asked now unless it was before."""
        options = self._setup.options
        demand_here(promise, options.attached)
        refuse_no_gain(promise, options)
        assert options.gain_over, "there is a base"
        asked_so = base_options(options, self._run, problems=self._setup.benchmarks[promise.benchmark].problems)
        assert asked_so.run, "the base has a folder"
        base, setup = base_of(promise, options.gain_over), replace(self._setup, options=asked_so, policy=None)
        if options.endpoints and not options.ray:  # who a server is costs nothing to ask
            refuse_one_model(
                *(
                    self._engines.start(one, name).identity()
                    for one, name in ((promise, options.model), (base, options.gain_over))
                )
            )
        workers = Workers(
            count=self._workers.count
        )  # not a promise of this session: its failure does not fail the session
        try:
            Gate(setup, self._engines, asked_so.run, promises=self._promises, workers=workers).test(base, show)
        finally:
            give_room(asked_so.run)
        return asked_so.run / base.id

    def _prepared(self, promise: Promise, golden: Path | None = None) -> Ready:
        require_usable(self._run)
        keep_room(self._run)
        if self._setup.predictions is None and not self._setup.options.coordinates:
            demand_here(promise, self._setup.options.attached)  # the cheapest refusal comes first
        setup = replace(self._setup, options=replace(self._setup.options, golden=golden)) if golden else self._setup
        return prepare(promise, setup, self._benchmarks, fail_alpha=self._fail_alpha)

    def _engine(self, ready: Ready, folder: Path, show: Show) -> Engine:
        """The engine that answers; it and the store in ``folder`` are sound."""
        refuse_unsound(folder)
        engine = self._engines.start(ready.promise, self._setup.options.model)
        if self._preflights:
            self._preflights.hold(ready, engine, folder, show)
        return engine

    def _case(self, ready: Ready, engine: Engine) -> Case:
        """The case of ``engine``, with as many requests in flight as serve it best where nobody says how many."""
        policy = self._workers.share_of(ready.settings.policy, engine.concurrency, promises=self._promises)
        return replace(ready, settings=replace(ready.settings, policy=policy)).case(engine.identity())

    @property
    def _fail_alpha(self) -> float | None:
        """Largest p-value at which the next failure stands; None for the rule's own."""
        if not self._setup.holm or self._setup.options.trial:
            return None
        return holm_alpha(float(ALPHA), self._promises, failed=self._workers.failed)


def asked(case: Case, engine: Engine, folder: Path, show: Show = silently) -> Acceptance:
    """Ask ``engine`` until its verdict is decided; completions are kept in ``folder``, and resumed there.

    Raises:
        PapergateError: anything outside the model's answers is wrong; what came is kept.
    """
    case = with_preflight(case, folder)
    with Store.open(folder, manifest_of(case)) as store:
        forget_verdict(folder)  # from here on it is this session's, or none; the history keeps the earlier ones
        return accept(case, engine, store, show)


def replayed(ready: Ready, setup: Setup) -> Acceptance:
    """Judge the stored completions of ``ready``.

    Raises:
        PapergateError: they are not what the promise is about, or cannot be judged.
    """
    predictions, stripped = ready.predictions, setup.options.thoughts_stripped
    assert predictions, "there are stored completions"
    refuse_other_golds(predictions, {problem.id: problem.gold for problem in ready.problems})
    deployment = ready.promise.deployment
    if stripped:
        refuse_thoughts(predictions, deployment.thought_marks)
        deployment = deployment.model_copy(update={"thinks": False})
        ready = replace(ready, promise=ready.promise.model_copy(update={"deployment": deployment}))
    elif deployment.thinks:
        refuse_without_thoughts(predictions, deployment.thought_marks)
    found = replay(ready.case(_author(predictions, stripped=stripped)), predictions.completions)
    return replace(found, source_notes=ready.source_notes)


def _author(predictions: Predictions, *, stripped: bool) -> EngineIdentity:
    """Who wrote a file of completions, as far as it says."""
    return EngineIdentity(
        engine="replay",
        version=predictions.path.name,
        model=predictions.model,
        environment={"thoughts": "cut off before (--thoughts-stripped)"} if stripped else {},
    )
