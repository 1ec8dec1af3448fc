"""Asking in steps, a look after each, until the verdict is decided; or judging what exists already."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from types import MappingProxyType

from papergate import __version__
from papergate.acceptance.gradebook import Gradebook
from papergate.acceptance.independence import examined
from papergate.acceptance.judging import assess, graded
from papergate.acceptance.own_rules import with_own_rules
from papergate.acceptance.records import Acceptance, Case, Receipt
from papergate.acceptance.refusals import (
    check_engine,
    refuse_a_part,
    refuse_holes,
    refuse_lost,
    withholding,
)
from papergate.acceptance.terms import terms_of
from papergate.completions.manifest import Manifest
from papergate.completions.policy import seed_of
from papergate.completions.progress import Discreet, Progress, Score, Silent
from papergate.completions.runner import ask
from papergate.completions.store import Kept, Store
from papergate.completions.table import Key, Planned, Table, column
from papergate.engines import Completion, Engine, Finish, Request
from papergate.run_folder.notes import Note, note
from papergate.scoring import AnswerKind, Grade, Grader, check_golds
from papergate.statistics.budget import Spent, why_not
from papergate.statistics.counts import Counts

Show = Callable[[Score], Progress]
"""Makes the display of a run, given what tells the running score."""


def silently(_: Score) -> Progress:
    """Show nothing."""
    return Silent()


def accept(case: Case, engine: Engine, store: Store, show: Show = silently) -> Acceptance:
    """Ask until the verdict is decided or the samples are spent, and judge.

    Raises:
        RequestsLost: completions stayed failed after their retries; what came is kept in ``store``.
        PapergateError: anything else outside the model's answers is wrong.
    """
    check_golds([problem.gold for problem in case.problems], AnswerKind(case.benchmark.spec.answer))
    case = replace(case, allocated=True)
    most = case.settings.fixed_samples or case.settings.max_samples
    refuse_a_part(case, store.__contains__, str(store.folder), most)
    case = replace(case, stored=_samples_known(case, store))
    refuse_holes(case, store)
    with Grader(case.settings.grader) as grader, Gradebook(case, grader) as book:
        shown = Discreet(show(book.running)) if case.benchmark.spec.confidential else show(book.running)
        shown.say(note("progress_longest", model=case.identity.model, benchmark=case.benchmark.spec.title))
        check_engine(case, engine)
        found = until_decided(case, store, book, lambda k: ask_look(case, k, engine, store, book, shown))
    return replace(with_own_rules(found, store.read), sessions=store.sessions())


def ask_look(case: Case, k: int, engine: Engine, store: Store, book: Gradebook, shown: Progress) -> None:
    """Ask the samples of the look at ``k`` that are missing, and put down on what they were drawn.

    Raises:
        RequestsLost: completions stayed failed after their retries; what came is kept in ``store``.
        PapergateError: anything else outside the model's answers is wrong.
    """
    before = len(store)
    with withholding(case):
        ask(engine, requests_of(case, k, book.mean_tokens()), store, case.settings.policy, shown, book.take)
    if len(store) > before:
        store.remember(manifest_of(replace(case, identity=engine.identity())))
    refuse_lost(case, store, k)


def until_decided(case: Case, store: Kept, book: Gradebook, gather: Callable[[int], None]) -> Acceptance:
    """Look after look until the verdict is decided or the samples are spent; ``gather`` brings those of a look.

    Raises:
        PapergateError: something outside the model's answers is wrong.
    """
    started, stored = time.monotonic(), len(store)
    found: Acceptance | None = None
    looks: list[Counts] = []
    every, left = case.settings.looks, _looks(case, store)
    for number, k in enumerate(left, start=len(every) - len(left) + 1):
        if found and (stopped := _over_budget(found, k, store, fresh=len(store) - stored, started=started)):
            return replace(found, stopped=stopped)
        book.begin(k, every[-1])
        gather(k)
        found = book.look(k, store)
        looks.append(found.counts)
        found = examined(replace(found, looks=tuple(looks), looks_taken=number), last=k == every[-1])
        if found.settled:
            break
    assert found is not None, "there is at least one look"
    return found


def replay(case: Case, completions: Iterable[Completion], *, diagnosed: bool = True) -> Acceptance:
    """Judge completions that were made elsewhere, all of them or the first ``settings.samples`` of each problem.

    The planned samples of every problem are those up to the highest number that any of them has; or those of a look
    that the golden run allocates, where the file has exactly these. A sample that failed or is
    missing is not correct. Where such samples could change the verdict, the result is inconclusive.

    Raises:
        EngineError: the samples are copies of each other.
        StoreError: ``settings.samples`` would judge a part of them.
    """
    done = {(each.problem, each.sample): each for each in completions}
    came = {key: each for key, each in done.items() if each.finish is not Finish.FAILED}
    read = partial(map, done.__getitem__)
    return judge_known(case, came, done.keys() - came.keys(), read, place="the file", diagnosed=diagnosed)


def judge_known(
    case: Case,
    came: Collection[Key],
    failed: Collection[Key],
    read: Callable[[Iterable[Key]], Iterable[Completion]],
    *,
    place: str,
    diagnosed: bool = True,
    last: bool = True,
) -> Acceptance:
    """Judge the completions that ``came`` and those that ``failed`` as `replay` does; ``read`` brings them one by one.

    ``diagnosed`` False looks at no text's kind, which takes most of the time and decides nothing. ``last`` False is for
    a run that could have looked again: what waits for further samples there waits here, too.

    Raises:
        EngineError: the samples are copies of each other.
        StoreError: ``settings.samples`` would judge a part of what ``place`` holds.
    """
    refuse_a_part(case, lambda key: key in came or key in failed, place, case.settings.fixed_samples)
    case, k = _as_planned(case, chain(came, failed))
    planned = case.planned(k)
    receipts, grades = Table(Receipt), Table(Grade)
    with Grader(case.settings.grader) as grader:
        for receipt, grade in graded(case, grader, read(_of_plan(came, planned)), diagnosed=diagnosed):
            receipts.put(receipt.key, receipt)
            grades.put(receipt.key, grade)
    for receipt in map(Receipt.of, read(_of_plan(failed, planned))):
        receipts.put(receipt.key, receipt)
    found = assess(case, k, Planned(receipts, planned), Planned(grades, planned))
    return examined(with_own_rules(found, read), last=last)


def _of_plan(keys: Iterable[Key], planned: Mapping[str, int]) -> Iterator[Key]:
    return (key for key in keys if key[1] < planned.get(key[0], 0))


def requests_of(case: Case, k: int, mean_tokens: Mapping[str, float] = MappingProxyType({})) -> list[Request]:
    """The samples of the look at ``k``, the longest answers first, so that no run waits for one at its end.

    ``mean_tokens`` of the answers so far tell how long; where there are none, long prompts tend to have long answers.
    """
    planned, wanted, ordered = case.planned(k), set(case.keys(k)), list(case.problems)
    if not case.settings.letter:
        ordered.sort(key=lambda problem: (-mean_tokens.get(problem.id, 0.0), -len(problem.prompt)))
    return [
        Request(
            problem=problem.id,
            sample=sample,
            prompt=problem.prompt,
            sampling=case.sampling,
            seed=seed_of(case.settings.run_seed, problem.id, sample),
            shots=problem.shots,
            form=case.form,
        )
        for sample in range(max(planned.values()))
        for problem in ordered
        if (problem.id, sample) in wanted
    ]


def manifest_of(case: Case) -> Manifest:
    """What decides the meaning of this run's completions."""
    benchmark, identity = case.benchmark, case.identity
    return Manifest(
        promise=case.promise.id,
        protocol=case.settings.protocol,
        letter=case.settings.letter,
        engine=identity.engine,
        model=identity.model,
        revision=identity.revision,
        template=identity.template,
        benchmark=benchmark.spec.name,
        benchmark_digest=benchmark.digest,
        prompt_digest=case.prompt_digest,
        sampling=case.sampling,
        run_seed=case.settings.run_seed,
        shard=str(case.settings.shard or ""),
        harness=__version__,
        engine_version=identity.version,
        environment=dict(identity.environment),
        terms=terms_of(case.rule, case.reference),
    )


def _as_planned(case: Case, known: Iterable[Key]) -> tuple[Case, int]:
    """The case with the plan that the ``known`` samples follow, and the look of it."""
    if case.settings.fixed_samples:
        return case, case.settings.fixed_samples
    samples = {problem.id: 0 for problem in case.problems}
    for problem, sample in known:
        if problem in samples:
            samples[problem] = max(samples[problem], sample + 1)
    most = max(samples.values(), default=0) or 1
    allocated = replace(case, allocated=True)
    look = next((k for k in range(1, most + 1) if allocated.planned(k) == samples), None)
    return (allocated, look) if look else (case, most)


def _samples_known(case: Case, store: Store) -> int:
    """How many samples every problem has in ``store``."""
    ids = [problem.id for problem in case.problems]
    return next(k for k in range(len(store) + 1) if not all((name, k) in store for name in ids))


def _looks(case: Case, store: Kept) -> tuple[int, ...]:
    """The looks at which the verdict is taken, from the last one whose samples are all stored.

    A look at a part of what is known would let a resumed run end where fewer samples happened to suit.
    """
    looks = case.settings.looks
    passed = sum(not _missing(case, k, store) for k in looks)
    return looks[max(passed - 1, 0) :]


def _missing(case: Case, k: int, store: Kept) -> int:
    """Samples of the look at ``k`` that ``store`` does not hold."""
    return sum((name, sample) not in store for name, samples in case.planned(k).items() for sample in range(samples))


def _over_budget(found: Acceptance, k: int, store: Kept, *, fresh: int, started: float) -> Note | None:
    """Why the samples of a look at ``k`` that are still missing do not fit the budget; None where they do."""
    tokens = [*column(found.receipts, "output_tokens")]
    spent = Spent(
        samples=len(tokens),
        tokens=None if None in tokens else sum(filter(None, tokens)),
        fresh=fresh,
        elapsed_s=time.monotonic() - started,
    )
    return why_not(found.case.settings.budget, spent, _missing(found.case, k, store))
