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
from papergate.errors import PromiseError, RequestsLost
from papergate.promises import Promise, Sampling
from papergate.scoring import AnswerKind, Attempt, Grade, Grader, GraderMode, Outcome, check_golds
from papergate.statistics.budget import Budget, Spent, why_not
from papergate.statistics.counts import Counts
from papergate.statistics.looks import LOOKS, next_look
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Decision, Rule
from papergate.verdict import Judgement, Verdict, judge, judge_literal

ProtocolName = Literal["paper", "vendor"]
Key = tuple[str, int]
"""Problem id and sample index."""

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
    engine.check(case.sampling, [problem.prompt for problem in case.problems])
    started, stored, found = time.monotonic(), len(store), None
    with Grader(case.settings.grader) as grader:
        for k in _looks(case.settings):
            if found and (stopped := _over_budget(found, k, store, fresh=len(store) - stored, started=started)):
                return replace(found, stopped=stopped)
            ask(engine, requests_of(case, k), store, case.settings.policy, progress or Silent())
            _refuse_lost(case, store, k)
            found = _looked(case, k, store, grader, found)
            if found.decided:
                break
    assert found is not None, "there is at least one look"
    return found


def _looked(case: Case, k: int, store: Store, grader: Grader, before: Acceptance | None) -> Acceptance:
    """The verdict on the first ``k`` samples in ``store``; those of the look before are not graded again."""
    known = before.grades if before else {}
    completions = {key: done for key, done in store.completions().items() if key[1] < k}
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
    """Judge completions that were made elsewhere: every sample there is; a missing one is not correct.

    The planned samples of every problem are the most that any problem has.
    """
    asked = {problem.id for problem in case.problems}
    stored = {(done.problem, done.sample): done for done in completions if done.problem in asked}
    present = {key: done for key, done in stored.items() if done.finish is not Finish.FAILED}
    k = max(Counter(problem for problem, _ in stored).values(), default=1)
    with Grader(case.settings.grader) as grader:
        return assess(case, k, stored, graded(case, grader, present))


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
        withheld=_turned_by_undecided(case, k, grades, judgement) or _lost_in_the_family(case, judgement),
    )


def _judged(case: Case, counts: Counts) -> Judgement:
    decide = judge_literal if case.settings.protocol == "vendor" else judge
    return decide(counts, case.reference, case.rule)


def _turned_by_undecided(case: Case, k: int, grades: Mapping[Key, Grade], judgement: Judgement) -> str:
    """Where the grades that could not be told could turn the verdict, the verdict cannot be told either."""
    undecided = sum(grade.outcome is Outcome.UNDECIDED for grade in grades.values())
    at_best = counts_of(case, k, grades, {Outcome.CORRECT, Outcome.UNDECIDED}) if undecided else None
    if at_best is None or _judged(case, at_best).decision is judgement.decision:
        return ""
    grades_are = "grade" if undecided == 1 else "grades"
    return f"{undecided} {grades_are} could not be told, and counted as right the verdict would be another"


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


def _looks(settings: Settings) -> Iterator[int]:
    """The sample counts at which the verdict is taken; at least one."""
    k = 0
    while further := next_look(k, max_samples=settings.max_samples, fixed=settings.fixed_samples):
        yield (k := further)


def _refuse_lost(case: Case, store: Store, k: int) -> None:
    """A sample that never came is no wrong answer: without it no score can be stated."""
    wanted = {(problem.id, sample) for problem in case.problems for sample in range(k)}
    lost = {key: done for key, done in store.failures().items() if key in wanted}
    if not lost:
        return
    named = "".join(f"\n  - {name} sample {sample}: {done.error}" for (name, sample), done in [*lost.items()][:NAMED])
    more = f"\n  and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    raise RequestsLost(
        f"{len(lost)} of {len(wanted)} samples never came, so no score can be stated:{named}{more}\n"
        "  What came is kept; mend the engine and resume the run, which asks only for these"
    )
