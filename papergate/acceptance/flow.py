"""Asking in steps, a look after each, until the verdict is decided; or judging what exists already."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from papergate import __version__
from papergate.acceptance.gradebook import Gradebook
from papergate.acceptance.judging import assess, graded
from papergate.acceptance.records import Acceptance, Case, Receipt, Settings
from papergate.acceptance.refusals import check_engine, refuse_a_part, refuse_copies, refuse_lost
from papergate.acceptance.terms import prompt_digest
from papergate.completions.manifest import Manifest
from papergate.completions.policy import seed_of
from papergate.completions.progress import Progress, Silent
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.engines import Completion, Engine, Finish, Request
from papergate.scoring import AnswerKind, Grader, check_golds
from papergate.statistics.budget import Spent, why_not
from papergate.statistics.looks import next_look

Show = Callable[[Callable[[], str]], Progress]
"""Makes the display of a run, given what tells the running score."""


def silently(_: Callable[[], str]) -> Progress:
    """Show nothing."""
    return Silent()


def accept(case: Case, engine: Engine, store: Store, show: Show = silently) -> Acceptance:
    """Ask until the verdict is decided or the samples are spent, and judge.

    Raises:
        RequestsLost: completions stayed failed after their retries; what came is kept in ``store``.
        PapergateError: anything else outside the model's answers is wrong.
    """
    check_golds([problem.gold for problem in case.problems], AnswerKind(case.benchmark.spec.answer))
    with Grader(case.settings.grader) as grader, Gradebook(case, grader) as book:
        shown = show(book.running)
        shown.say(f"checking {case.identity.model} with the longest prompt of {case.benchmark.spec.title}")
        check_engine(case, engine)
        settings = case.settings
        refuse_a_part(case, store, str(store.folder), settings.fixed_samples or settings.max_samples)
        return replace(_ask_until_decided(case, engine, store, book, shown), sessions=store.sessions())


def _ask_until_decided(case: Case, engine: Engine, store: Store, book: Gradebook, shown: Progress) -> Acceptance:
    started, stored, found = time.monotonic(), len(store), None
    for k in _looks(case.settings, _samples_known(case, store)):
        if found and (stopped := _over_budget(found, k, store, fresh=len(store) - stored, started=started)):
            return replace(found, stopped=stopped)
        ask(engine, requests_of(case, k, book.mean_tokens()), store, case.settings.policy, shown, book.take)
        refuse_lost(case, store, k)
        found = book.look(k, store)
        if found.decided:
            break
    assert found is not None, "there is at least one look"
    return found


def replay(case: Case, completions: Iterable[Completion]) -> Acceptance:
    """Judge completions that were made elsewhere, all of them or the first ``settings.samples`` of each problem.

    The planned samples of every problem are those up to the highest number that any of them has. One that failed or is
    missing is not correct; where it could turn the verdict, there is none.

    Raises:
        EngineError: the samples are copies of each other.
        StoreError: ``settings.samples`` would judge a part of them.
    """
    asked, most = {problem.id for problem in case.problems}, case.settings.fixed_samples
    known = [done for done in completions if done.problem in asked]
    refuse_a_part(case, frozenset((done.problem, done.sample) for done in known), "the file", most)
    k = most or 1 + max((done.sample for done in known), default=0)
    stored = [done for done in known if done.sample < k]
    came = [done for done in stored if done.finish is not Finish.FAILED]
    refuse_copies(map(Receipt.of, came))
    receipts, grades = {receipt.key: receipt for receipt in map(Receipt.of, stored)}, {}
    with Grader(case.settings.grader) as grader:
        for receipt, grade in graded(case, grader, came):
            receipts[receipt.key], grades[receipt.key] = receipt, grade
    return assess(case, k, receipts, grades)


def requests_of(case: Case, k: int, mean_tokens: Mapping[str, float] = MappingProxyType({})) -> list[Request]:
    """The first ``k`` samples of every problem, the longest answers first, so that no run waits for one at its end.

    ``mean_tokens`` of the answers so far tell how long; where there are none, long prompts tend to have long answers.
    """
    ordered = sorted(case.problems, key=lambda problem: (-mean_tokens.get(problem.id, 0.0), -len(problem.prompt)))
    return [
        Request(
            problem=problem.id,
            sample=sample,
            prompt=problem.prompt,
            sampling=case.sampling,
            seed=seed_of(case.settings.run_seed, problem.id, sample),
        )
        for sample in range(k)
        for problem in ordered
    ]


def manifest_of(case: Case) -> Manifest:
    """What decides the meaning of this run's completions."""
    benchmark, identity = case.benchmark, case.identity
    return Manifest(
        promise=case.promise.id,
        protocol=case.settings.protocol,
        engine=identity.engine,
        model=identity.model,
        revision=identity.revision,
        template=identity.template,
        benchmark=benchmark.spec.name,
        benchmark_digest=benchmark.digest,
        prompt_digest=prompt_digest(benchmark.spec),
        sampling=case.sampling,
        run_seed=case.settings.run_seed,
        harness=__version__,
        engine_version=identity.version,
        environment=dict(identity.environment),
    )


def _samples_known(case: Case, store: Store) -> int:
    """How many samples every problem has in ``store``."""
    ids = [problem.id for problem in case.problems]
    return next(k for k in range(len(store) + 1) if not all((name, k) in store for name in ids))


def _looks(settings: Settings, known: int) -> Iterator[int]:
    """The sample counts at which the verdict is taken; at least one, and none below the ``known`` samples.

    A look at a part of what is known would let a resumed run end where fewer samples happened to suit.
    """
    k = max(known - 1, 0)
    while further := next_look(k, max_samples=settings.max_samples, fixed=settings.fixed_samples):
        yield (k := further)


def _over_budget(found: Acceptance, k: int, store: Store, *, fresh: int, started: float) -> str:
    """Why the samples of a look at ``k`` that are still missing do not fit the budget; empty where they do."""
    missing = sum((problem.id, sample) not in store for problem in found.case.problems for sample in range(k))
    tokens = [receipt.output_tokens for receipt in found.receipts.values()]
    spent = Spent(
        samples=len(tokens),
        tokens=None if None in tokens else sum(filter(None, tokens)),
        fresh=fresh,
        elapsed_s=time.monotonic() - started,
    )
    return why_not(found.case.settings.budget, spent, missing)
