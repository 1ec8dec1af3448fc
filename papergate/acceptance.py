"""The whole flow for one promise: ask, grade, estimate, judge; ask again until the verdict is decided."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from papergate import __version__
from papergate.benchmarks import Benchmark, BenchmarkSpec, Problem
from papergate.completions.manifest import Manifest
from papergate.completions.policy import Policy, seed_of
from papergate.completions.progress import Progress, Silent
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.engines import Completion, Engine, EngineIdentity, Finish, Request
from papergate.engines.replay import Predictions
from papergate.errors import EngineError, PredictionsError, PromiseError, RequestsLost, StoreError
from papergate.promises import Promise, Sampling
from papergate.scoring import AnswerKind, Attempt, Grade, Grader, GraderMode, Outcome, check_golds, equivalent
from papergate.statistics.budget import Budget, Spent, why_not
from papergate.statistics.counts import Counts
from papergate.statistics.looks import LOOKS, next_look
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Decision, Rule
from papergate.verdict import Judgement, Verdict, judge, judge_literal

ProtocolName = Literal["paper", "vendor"]
Key = tuple[str, int]
"""Problem id and sample index."""

SURELY_NOT_BY_CHANCE = 10
"""Problems that must all repeat themselves before repeats are called copies: a long answer never repeats by chance, and
of so many short ones not all do."""

SHORT_GOLD = 200
"""Characters; some tools store the whole worked solution as the gold, which says nothing of its id."""

NAMED = 5
"""Lost requests that a message names one by one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How a promise is tested."""

    protocol: ProtocolName = "paper"
    """``paper``: the paper's sampling, the mean of k samples, the three-way verdict. ``vendor``: the vendor document's
    sampling, one sample, the literal rule alone."""
    samples: int | None = None
    """Samples per problem, fixed; None looks after 2, 3, 4, 6 .. and stops once decided."""
    max_samples: int = LOOKS[-1]
    budget: Budget = field(default_factory=Budget)
    """Looked at before each further look; what it stops stays inconclusive."""
    fail_alpha: float | None = None
    """Largest p-value at which a failure stands, where many promises are judged together; None: the rule's own."""
    limit: int | None = None
    """Only the first so many problems: a trial of the set-up, which cannot pass."""
    run_seed: int = 0
    grader: GraderMode = "strict"
    policy: Policy = field(default_factory=Policy)

    @property
    def fixed_samples(self) -> int | None:
        """Samples per problem where their number is not the statistics' to choose."""
        return 1 if self.protocol == "vendor" and self.samples is None else self.samples


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is tested, before anything is asked."""

    promise: Promise
    benchmark: Benchmark
    identity: EngineIdentity
    settings: Settings
    problems: tuple[Problem, ...]
    """Those that are asked: all of the benchmark's, or fewer in a partial run."""
    reference: Reference

    @property
    def sampling(self) -> Sampling:
        """How the protocol draws."""
        return sampling_of(self.promise, self.settings.protocol)

    @property
    def rule(self) -> Rule:
        """The rule that the promise's tolerance states."""
        return rule_of(self.promise, problems=self.benchmark.spec.problems)

    @property
    def partial(self) -> str | None:
        """What is missing from a run that cannot pass; None for a whole one."""
        asked, whole = len(self.problems), self.benchmark.spec.problems
        return None if asked == whole else f"{asked} of {whole} problems"


@dataclass(frozen=True, kw_only=True, slots=True)
class Acceptance:
    """One promise, tested: the judgement and all that is needed to argue with it."""

    case: Case
    completions: Mapping[Key, Completion]
    grades: Mapping[Key, Grade]
    counts: Counts
    judgement: Judgement
    withheld: str = ""
    """Why the judgement is not given as the verdict; empty where it is."""
    stopped: str = ""
    """Why asking ended before a verdict; empty where it did not."""

    @property
    def decided(self) -> bool:
        """Whether further samples are not needed."""
        return self.judgement.decision is not Decision.INCONCLUSIVE and not self.withheld

    @property
    def verdict(self) -> Verdict:
        """The judgement's, unless it is withheld; a partial run cannot pass."""
        return Verdict.INCONCLUSIVE if self.case.partial or self.withheld else self.judgement.verdict

    @property
    def accepted(self) -> bool:
        """Whether the test of this promise passes."""
        return not self.case.partial and not self.withheld and not self.judgement.blocks

    @property
    def sentence(self) -> str:
        """One line for a person: what was seen, what was promised, and why."""
        partial = f"partial run, {self.case.partial}, which cannot pass" if self.case.partial else ""
        reasons = [reason for reason in (partial, self.withheld, self.stopped) if reason]
        if not reasons:
            return self.judgement.sentence
        seen = self.judgement.sentence.removeprefix(f"{self.judgement.verdict}: ")
        return f"{self.verdict}: {'; '.join(reasons)}; so far {seen}"

    @property
    def truncated(self) -> frozenset[Key]:
        """The samples that were cut off: by the token limit, or inside their thought."""
        cut = {key for key, done in self.completions.items() if done.finish is Finish.LENGTH}
        return frozenset(cut | {key for key, grade in self.grades.items() if grade.reason == "truncated"})

    @property
    def tally(self) -> dict[str, int]:
        """How the samples ended: by outcome, by the reason of the incorrect, and what came cut off or not at all."""
        outcomes = Counter(grade.outcome for grade in self.grades.values())
        reasons = Counter(grade.reason for grade in self.grades.values())
        finishes = Counter(done.finish for done in self.completions.values())
        return {
            **{str(outcome): outcomes[outcome] for outcome in Outcome},
            **{reason: reasons[reason] for reason in ("truncated", "unanswered", "empty")},
            "length_limit": finishes[Finish.LENGTH],
            "failed": finishes[Finish.FAILED],
            "missing": sum(self.counts.samples) - len(self.grades) - finishes[Finish.FAILED],
            "present_not_extracted": sum(grade.present_elsewhere for grade in self.grades.values()),
        }


def accept(case: Case, engine: Engine, store: Store, progress: Progress | None = None) -> Acceptance:
    """Ask until the verdict is decided or the samples are spent, and judge.

    Raises:
        RequestsLost: completions stayed failed after their retries; what came is kept in ``store``.
        PapergateError: anything else outside the model's answers is wrong.
    """
    check_golds([problem.gold for problem in case.problems], AnswerKind(case.benchmark.spec.answer))
    shown = progress or Silent()
    shown.say(f"checking {case.identity.model} with the longest prompt of {case.benchmark.spec.title}")
    _check(case, engine)
    started, stored, found = time.monotonic(), len(store), None
    _refuse_a_part(case, store)
    with Grader(case.settings.grader) as grader:
        for k in _looks(case.settings, _samples_known(case, store)):
            if found and (stopped := _over_budget(found, k, store, fresh=len(store) - stored, started=started)):
                return replace(found, stopped=stopped)
            ask(engine, requests_of(case, k), store, case.settings.policy, shown)
            _refuse_lost(case, store, k)
            found = _looked(case, k, store, grader, found)
            if found.decided:
                break
    assert found is not None, "there is at least one look"
    return found


def _check(case: Case, engine: Engine) -> None:
    """Let the engine refuse what cannot work; a server's words that may quote a confidential problem are withheld."""
    try:
        engine.check(case.sampling, [problem.prompt for problem in case.problems])
    except EngineError as error:
        if not case.benchmark.spec.confidential:
            raise
        raise type(error)(
            f"the engine refused the longest prompt of {case.benchmark.spec.title}; its words are withheld, as they "
            "may quote a problem that must not be shown: see the server's own log"
        ) from None


def _looked(case: Case, k: int, store: Store, grader: Grader, before: Acceptance | None) -> Acceptance:
    """The verdict on the first ``k`` samples in ``store``; those of the look before are not graded again."""
    known = before.grades if before else {}
    completions = {key: done for key, done in store.completions().items() if key[1] < k}
    _refuse_copies(completions)
    fresh = {key: done for key, done in completions.items() if key not in known}
    return assess(case, k, completions, {**known, **graded(case, grader, fresh)})


def _over_budget(found: Acceptance, k: int, store: Store, *, fresh: int, started: float) -> str:
    """Why the samples of a look at ``k`` that are still missing do not fit the budget; empty where they do."""
    missing = sum((problem.id, sample) not in store for problem in found.case.problems for sample in range(k))
    tokens = [done.output_tokens for done in found.completions.values()]
    spent = Spent(
        samples=len(tokens),
        tokens=None if None in tokens else sum(filter(None, tokens)),
        fresh=fresh,
        elapsed_s=time.monotonic() - started,
    )
    return why_not(found.case.settings.budget, spent, missing)


def replay(case: Case, completions: Iterable[Completion]) -> Acceptance:
    """Judge completions that were made elsewhere, all of them or the first ``settings.samples`` of each problem.

    The planned samples of every problem are the most that any problem has. One that failed or is missing is not
    correct; where it could turn the verdict, there is none.

    Raises:
        EngineError: the samples are copies of each other.
    """
    asked = {problem.id for problem in case.problems}
    most = case.settings.fixed_samples
    stored = {
        (done.problem, done.sample): done
        for done in completions
        if done.problem in asked and (most is None or done.sample < most)
    }
    present = {key: done for key, done in stored.items() if done.finish is not Finish.FAILED}
    k = most or max(Counter(problem for problem, _ in stored).values(), default=1)
    _refuse_copies(present)
    with Grader(case.settings.grader) as grader:
        return assess(case, k, stored, graded(case, grader, present))


def with_ids_of(benchmark: Benchmark, predictions: Predictions) -> Predictions:
    """``predictions`` with the benchmark's ids, also where the log only numbers its problems from 0.

    Numbers stand for the benchmark's order only where each answered problem has its gold, and some are short, so
    that `refuse_other_golds` sees another order.

    Raises:
        PredictionsError: some of the log's problems are not the benchmark's.
    """
    ids = [problem.id for problem in benchmark.problems]
    unknown = [problem for problem in predictions.problems if problem not in set(ids)]
    if not unknown:
        return predictions
    by_number = {str(number): problem for number, problem in enumerate(ids)}
    answered = {done.problem for done in predictions.completions if done.finish is not Finish.FAILED}
    seen = answered <= predictions.golds.keys() and _short(predictions.golds)
    if seen and by_number.keys() >= set(predictions.problems):
        return predictions.renamed(by_number)
    raise PredictionsError(
        f"{predictions.path}: {len(unknown)} of its {len(predictions.problems)} problems, first {unknown[0]!r}, are "
        f"not in {benchmark.source}; give the log of one benchmark, and the file that was asked: "
        f"--data {benchmark.spec.name}=FILE. Numbers of rows stand for its order where the log has all golds"
    )


def refuse_other_golds(predictions: Predictions, golds: Mapping[str, str]) -> None:
    """See that the file and the benchmark mean the same problems by the same ids.

    Raises:
        PredictionsError: the file states another gold answer for a problem.
    """
    stated = {problem: gold for problem, gold in _short(predictions.golds).items() if problem in golds}
    other = [problem for problem, gold in stated.items() if equivalent(golds[problem], gold).equal is False]
    if other:
        raise PredictionsError(
            f"{predictions.path}: {len(other)} of its {len(stated)} gold answers differ from the benchmark's, first "
            f"for {other[0]!r}: its ids are those of another file or order; give that file: --data BENCHMARK=FILE"
        )


def _short(golds: Mapping[str, str]) -> dict[str, str]:
    return {problem: gold for problem, gold in golds.items() if len(gold) <= SHORT_GOLD}


def assess(case: Case, k: int, completions: Mapping[Key, Completion], grades: Mapping[Key, Grade]) -> Acceptance:
    """The verdict on ``k`` planned samples of every problem."""
    counts = counts_of(case, k, grades, {Outcome.CORRECT})
    judgement = _judged(case, counts)
    return Acceptance(
        case=case,
        completions=completions,
        grades=dict(grades),
        counts=counts,
        judgement=judgement,
        withheld=_turned_by_unknown(case, k, counts, grades, judgement) or _lost_in_the_family(case, judgement),
    )


def _judged(case: Case, counts: Counts) -> Judgement:
    decide = judge_literal if case.settings.protocol == "vendor" else judge
    return decide(counts, case.reference, case.rule)


def _turned_by_unknown(case: Case, k: int, counts: Counts, grades: Mapping[Key, Grade], judgement: Judgement) -> str:
    """Where samples that were not graded, or could not be, could turn the verdict, it cannot be told either."""
    wrong = Counter(problem for (problem, _), grade in grades.items() if grade.outcome is Outcome.INCORRECT)
    at_best = replace(counts, correct=tuple(k - wrong[problem.id] for problem in case.problems))
    unknown = sum(at_best.correct) - sum(counts.correct)
    if not unknown or _judged(case, at_best).decision is judgement.decision:
        return ""
    undecided = sum(grade.outcome is Outcome.UNDECIDED for grade in grades.values())
    causes = ((undecided, "grades could not be told"), (unknown - undecided, "samples are missing or failed"))
    named = " and ".join(f"{count} {cause}" for count, cause in causes if count)
    return f"{named}; counted as right the verdict would be another"


def _lost_in_the_family(case: Case, judgement: Judgement) -> str:
    """A failure that is not sure enough among all promises of the session is none yet."""
    most, p = case.settings.fail_alpha, judgement.evidence.p_value
    if most is None or judgement.verdict is not Verdict.FAIL or p <= most:
        return ""
    return f"it fails by itself (p = {p:.2g}), but among the promises of this session needs p = {most:.2g} (Holm)"


def counts_of(case: Case, k: int, grades: Mapping[Key, Grade], right: Iterable[Outcome]) -> Counts:
    """Samples of each problem whose outcome is in ``right``, out of the ``k`` planned; one without a grade is not."""
    counted = frozenset(right)
    correct = Counter(problem for (problem, _), grade in grades.items() if grade.outcome in counted)
    return Counts(
        correct=tuple(correct[problem.id] for problem in case.problems),
        samples=(k,) * len(case.problems),
        problems=tuple(problem.id for problem in case.problems),
        prompts=prompt_digest(case.benchmark.spec),
    )


def graded(case: Case, grader: Grader, completions: Mapping[Key, Completion]) -> dict[Key, Grade]:
    """The grade of every completion."""
    golds = {problem.id: problem.gold for problem in case.problems}
    spec, thinks = case.benchmark.spec, case.promise.deployment.thinks
    kind = AnswerKind(spec.answer)
    attempts = (
        Attempt(text=done.text, gold=golds[problem], kind=kind, thinks=thinks, letters=spec.letters)
        for (problem, _), done in completions.items()
    )
    return dict(zip(completions, grader.grade(attempts), strict=True))


def requests_of(case: Case, k: int) -> list[Request]:
    """The first ``k`` samples of every problem, the longest prompts first: they tend to have the longest answers."""
    ordered = sorted(case.problems, key=lambda problem: -len(problem.prompt))
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


def sampling_of(promise: Promise, protocol: ProtocolName) -> Sampling:
    """How the protocol draws; the paper's token limit gives way to what the deployment can give at most."""
    vendor = promise.deployment.sampling
    if protocol == "vendor":
        return vendor
    paper = promise.score.sampling
    return paper.model_copy(update={"max_tokens": min(paper.max_tokens, vendor.max_tokens)})


def rule_of(promise: Promise, *, problems: int) -> Rule:
    """The rule that the promise's tolerance states for so many problems.

    Raises:
        PromiseError: no number of samples can prove it.
    """
    if promise.tolerance.unit == "gain":
        return Rule.gain()
    return Rule.within(promise.tolerance, problems=problems)


def prompt_digest(spec: BenchmarkSpec) -> str:
    """What the user turns of a benchmark are made of, beside its text: sha256 of the template."""
    return hashlib.sha256(spec.prompt.encode()).hexdigest()


def reference_of(promise: Promise, golden: Counts | None = None) -> Reference:
    """What the score is held against: the golden run where there is one, else the published number.

    Raises:
        PromiseError: nobody published the number, and no golden run is given.
    """
    if golden is not None:
        return Reference.golden(golden)
    score, samples = promise.score.fraction, promise.score.samples
    if score is None:
        raise PromiseError(
            f"{promise.id}: nobody published this score; its reference is a golden run: {promise.score.source}. "
            "Make that run with papergate, then give its folder: --golden RUN"
        )
    if promise.score.reference == "sampled" and samples is not None:
        return Reference.sampled(score, samples=samples)
    return Reference.exact(score, samples=samples)


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


def _refuse_a_part(case: Case, store: Store) -> None:
    """A verdict on fewer samples than are known would let anyone stop where the score suits.

    Raises:
        StoreError: every problem has more samples in ``store`` than these settings would look at.
    """
    fixed = case.settings.fixed_samples or case.settings.max_samples
    if all((problem.id, fixed) in store for problem in case.problems):
        raise StoreError(
            f"{store.folder} holds more than {fixed} samples of every problem, and a verdict on a part of them would "
            "be a choice; leave out --samples and --max-samples, or give this run a folder of its own"
        )


def _refuse_copies(completions: Mapping[Key, Completion]) -> None:
    """Repeats that are all the same text are one sample, however often it is counted.

    Raises:
        EngineError: no problem of several has two samples that differ.
    """
    texts: dict[str, list[str | None]] = {}
    for (problem, _), done in completions.items():
        texts.setdefault(problem, []).append(done.text)
    repeated = [found for found in texts.values() if len(found) > 1]
    if len(repeated) >= SURELY_NOT_BY_CHANCE and all(len(set(found)) == 1 for found in repeated):
        raise EngineError(
            f"all samples of each of {len(repeated)} problems are the same text: copies, not independent draws. Is the "
            "temperature 0, a cache in front, or the seed ignored? One run of this deployment is: --protocol vendor"
        )


def _refuse_lost(case: Case, store: Store, k: int) -> None:
    """A sample that never came is no wrong answer: without it no score can be stated."""
    wanted = {(problem.id, sample) for problem in case.problems for sample in range(k)}
    lost = {key: done for key, done in store.failures().items() if key in wanted}
    if not lost:
        return
    confidential = case.benchmark.spec.confidential  # a server may quote the problem in its error
    named = "".join(
        f"\n  - {name} sample {sample}: {'(its words may quote a problem)' if confidential else done.error}"
        for (name, sample), done in [*lost.items()][:NAMED]
    )
    more = f"\n  and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    raise RequestsLost(
        f"{len(lost)} of {len(wanted)} samples never came, so no score can be stated:{named}{more}\n"
        f"  What came is kept; mend the engine, then --run {store.folder.parent} asks only for these"
    )
