"""What testing a promise costs and how it ends, from its files alone: nothing is started, loaded or fetched."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

from papergate.acceptance import Settings, reference_of, rule_of, sampling_of
from papergate.acceptance.golden import Golden, read_golden
from papergate.acceptance.preparing import settings_of
from papergate.acceptance.selection import Setup
from papergate.benchmarks import BenchmarkSpec
from papergate.errors import PromiseError
from papergate.promises import Promise
from papergate.statistics.looks import looks_within
from papergate.statistics.panels import Panel, beta_panel, golden_panel
from papergate.statistics.plan import Cost, Plan, plan, plan_text, single_run
from papergate.statistics.power import Gate
from papergate.statistics.reference import Reference

SIMULATED_DRAWS = 400_000
"""Replicates times problems of a simulated row: some seconds a promise. Chances are off by 1.1 points at 500 problems
(one standard error 1.8), less where problems are few."""
MOST_REPLICATES = 2000


def planned(promise: Promise, setup: Setup, *, tokens_per_s: float | None) -> str:
    """The plan of a promise under the options of ``setup``, in words.

    Raises:
        PapergateError: it has none.
    """
    spec, options = setup.benchmarks[promise.benchmark], setup.options
    golden = read_golden(options.golden, spec) if options.golden else None
    return promise_plan(promise, spec, settings_of(promise, options), tokens_per_s=tokens_per_s, golden=golden)


def promise_plan(
    promise: Promise, spec: BenchmarkSpec, settings: Settings, *, tokens_per_s: float | None, golden: Golden | None
) -> str:
    """The plan of one promise in words and a table: samples, tokens, hours and chances.

    Raises:
        PromiseError: no number of samples can prove the promise, it is a gain, or its score is known from a golden run
            only.
    """
    rule = rule_of(promise, problems=spec.problems)
    reference = reference_of(promise, golden.run.counts if golden else None)
    if rule.above:
        raise PromiseError("any score above the reference keeps this promise; how far above is not stated")
    panel = golden_panel(golden.run.counts) if golden else beta_panel(float(reference.score), problems=spec.problems)
    looks = looks_within(max_samples=settings.max_samples, fixed=settings.fixed_samples)
    gate = Gate.of(rule, reference, looks=looks)
    cost = _cost(spec, tokens_per_s, golden)
    head = _promised(promise, reference, settings)
    if settings.protocol == "vendor":
        run = single_run(gate, panel, promised=reference.score, k=looks[0])
        return f"{head}\n{run.sentence}\n{_price(cost, spec, looks[0])}"
    return f"{head}\n{plan_text(replace(_simulated(gate, panel), cost=cost))}\n{_source(cost, golden)}"


def _promised(promise: Promise, reference: Reference, settings: Settings) -> str:
    """What is planned for: score, tolerance, sampling."""
    whose = " of the golden run" * reference.is_golden
    drawn = sampling_of(promise, settings.protocol)
    return (
        f"promised {float(100 * reference.score):.1f} %{whose} ± {promise.tolerance.text}, drawn with temperature "
        f"{drawn.temperature}, top_p {drawn.top_p}, max_tokens {drawn.max_tokens} (protocol {settings.protocol})"
    )


@cache
def _simulated(gate: Gate, panel: Panel) -> Plan:
    """Promises of one model behind several engines share one simulation."""
    replicates = min(MOST_REPLICATES, SIMULATED_DRAWS // len(panel.rates))
    return plan(gate, panel, cost=Cost(), replicates=replicates)


def _cost(spec: BenchmarkSpec, tokens_per_s: float | None, golden: Golden | None) -> Cost:
    """A golden run's measured length, else the benchmark file's rough one."""
    run = golden.run if golden else None
    measured = Fraction(run.output_tokens, run.completions) if run and run.output_tokens and run.completions else None
    return Cost(tokens_per_sample=float(measured or spec.expected_tokens), tokens_per_s=tokens_per_s)


def _source(cost: Cost, golden: Golden | None) -> str:
    length = "measured in the golden run" if golden else "a rough figure of the benchmark file"
    speed = f"{cost.tokens_per_s:g} tokens/s" if cost.tokens_per_s else "speed not known (--tokens-per-s)"
    return f"{cost.tokens_per_sample:.0f} tokens a sample, {length}; {speed}"


def _price(cost: Cost, spec: BenchmarkSpec, k: int) -> str:
    samples = k * spec.problems
    hours = cost.hours(samples)
    time = f"{hours:.2g} hours" if hours else "speed not known (--tokens-per-s)"
    return f"it takes {samples} samples, about {cost.tokens(samples):.0f} tokens, {time}"
