"""What is known of a promise before anything expensive starts; whatever can be refused then is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from papergate.acceptance.golden import Golden, golden_of, read_golden
from papergate.acceptance.options import Options
from papergate.acceptance.own_log import notes_of_own_log, refuse_the_same_run
from papergate.acceptance.predictions import with_ids_of
from papergate.acceptance.records import Case, Settings
from papergate.acceptance.selection import Setup
from papergate.acceptance.terms import reference_of, rule_of, task_of
from papergate.benchmarks import Benchmark, BenchmarkSpec, Problem, as_asked, load
from papergate.completions.policy import Policy
from papergate.engines import EngineIdentity
from papergate.engines.replay import Predictions
from papergate.engines.spec import Ability
from papergate.engines.start import ENGINES
from papergate.promises import Promise, Task
from papergate.promises.policy import GatePolicy, today
from papergate.run_folder.notes import Note
from papergate.run_folder.verdict import Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """A promise that can be tested: all that an engine's answers are held against."""

    promise: Promise
    benchmark: Benchmark
    problems: tuple[Problem, ...]
    golden: Golden | None
    settings: Settings
    predictions: Predictions | None
    """Completions that exist already, under the benchmark's ids; None where an engine is asked."""
    source_notes: tuple[Note, ...] = ()
    """What is to be noted of where these come from."""

    def case(self, identity: EngineIdentity) -> Case:
        """The case of the engine that answers."""
        return Case(
            promise=self.promise,
            benchmark=self.benchmark,
            identity=identity,
            settings=self.settings,
            problems=self.problems,
            reference=reference_of(self.promise, self.golden.run.counts if self.golden else None),
            sampling_known=identity.engine in ENGINES and Ability.DRAWS in ENGINES[identity.engine].can,
        )


class Benchmarks:
    """The benchmarks of a session, each loaded once."""

    def __init__(self, specs: Mapping[str, BenchmarkSpec], data: Mapping[str, Path]) -> None:
        self._specs, self._data = specs, data
        self._loaded: dict[str, Benchmark] = {}

    def load(self, name: str, variant: str = "") -> Benchmark:
        """The benchmark, from the user's file or its origins, those of the text called ``variant`` first.

        Raises:
            BenchmarkError: it cannot be read or fetched, or it is not the benchmark that it claims to be.
        """
        key = f"{name} {variant}".rstrip()
        if key not in self._loaded:
            self._loaded[key] = load(self._specs[name], self._data.get(name), variant=variant)
        return self._loaded[key]

    def asked(self, name: str, task: Task | None) -> tuple[Problem, ...]:
        """Its problems with the prompts of a tool's ``task``; with its own where there is none.

        Raises:
            BenchmarkError: as `load`; or the tool shows solved problems, which are not here.
        """
        problems = self.load(name, task.variant if task else "").problems
        return as_asked(task, problems, self._specs[name], self._data.get(name)) if task else problems


def prepare(promise: Promise, setup: Setup, benchmarks: Benchmarks, *, fail_alpha: float | None = None) -> Ready:
    """Everything that can be refused before an engine starts, refused.

    Raises:
        PapergateError: the promise, its benchmark, the golden run or the stored completions cannot be used.
    """
    options = setup.options
    task, spec = task_of(promise, options.protocol), setup.benchmarks[promise.benchmark]
    golden = read_golden(options.golden, spec, task) if options.golden else None
    benchmark = benchmarks.load(promise.benchmark, task.variant if task else "")
    predictions = with_ids_of(benchmark, setup.predictions) if setup.predictions else None
    problems = _answered(benchmarks.asked(promise.benchmark, task), predictions)[: options.limit]
    rule_of(promise, problems=benchmark.spec.problems)
    golden = golden_of(golden, problems, benchmark.digest) if golden else None
    if golden and predictions:
        refuse_the_same_run(golden.place, predictions.path)
    reference_of(promise, golden.run.counts if golden else None)
    return Ready(
        promise=promise,
        benchmark=benchmark,
        problems=problems,
        golden=golden,
        settings=replace(
            settings_of(promise, options), fail_alpha=fail_alpha, standing=standing_of(promise, setup.policy)
        ),
        predictions=predictions,
        source_notes=notes_of_own_log(predictions.path, promise, benchmark, options.protocol) if predictions else (),
    )


def standing_of(promise: Promise, policy: GatePolicy | None) -> Standing | None:
    """What ``policy`` says of ``promise`` today."""
    if policy is None:
        return None
    tier, waiver = policy.tier_of(promise.id), policy.waiver_of(promise.id)
    if waiver is None:
        return Standing(tier=tier)
    expires = waiver.expires.isoformat()
    return Standing(tier=tier, reason=waiver.reason, expires=expires, expired=waiver.expires < today())


def settings_of(promise: Promise, options: Options) -> Settings:
    """How the options say that ``promise`` is tested."""
    deployment, vendor = promise.deployment, options.protocol == "vendor"
    task, tool = task_of(promise, options.protocol), promise.tool
    letter = options.letter and task is not None
    policy = Policy(
        concurrency=options.concurrency or (deployment.concurrency.get(promise.benchmark) if vendor else None),
        requests_per_s=deployment.query_per_second if vendor else None,
    )
    if letter and tool:
        policy = replace(policy, attempts=tool.attempts, batches=tool.batches)
    return Settings(
        protocol=options.protocol,
        samples=options.samples,
        max_samples=options.max_samples,
        budget=options.budget,
        limit=options.limit,
        trial=options.trial,
        preflight=options.preflight,
        run_seed=options.run_seed,
        shard=options.shard,
        grader=options.grader or (task.grader if task else "strict"),
        letter=letter,
        policy=policy,
    )


def _answered(problems: tuple[Problem, ...], predictions: Predictions | None) -> tuple[Problem, ...]:
    """The benchmark's problems; of a file of completions, those that it answers."""
    if predictions is None:
        return problems
    held = set(predictions.problems)
    return tuple(problem for problem in problems if problem.id in held)
