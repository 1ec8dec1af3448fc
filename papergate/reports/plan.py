"""What testing a promise costs and how it ends, from its files alone: nothing is started, loaded or fetched."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

from papergate.acceptance import Settings, reference_of, rule_of, sampling_of
from papergate.acceptance.base import fixed_samples
from papergate.acceptance.golden import Golden, read_golden
from papergate.acceptance.notes import reproduced
from papergate.acceptance.preparing import settings_of
from papergate.acceptance.selection import Setup
from papergate.acceptance.terms import task_of
from papergate.benchmarks import BenchmarkSpec
from papergate.errors import PromiseError
from papergate.promises import Promise
from papergate.run_folder.notes import Note, note
from papergate.statistics.panels import Panel, beta_panel, golden_panel
from papergate.statistics.plan import LOSSES, Cost, Plan, plan, plan_text, single_run
from papergate.statistics.power import Gate, Outlook, outlook
from papergate.statistics.reference import Reference, ReferenceKind
from papergate.statistics.rule import Rule
from papergate.words import Language, say, worded

SIMULATED_DRAWS = 400_000
"""Replicates times problems of a simulated row: some seconds a promise. Chances are off by 1.1 points at 500 problems
(one standard error 1.8), less where problems are few."""
MOST_REPLICATES = 2000
UNKNOWN_BASE = 0.5
GAINS = LOSSES
"""What a checkpoint may have gained, in the plan of a gain."""


def planned(promise: Promise, setup: Setup, *, tokens_per_s: float | None) -> str:
    """The plan of a promise under the options of ``setup``, in the words of their language.

    Raises:
        PapergateError: it has none.
    """
    spec, options = setup.benchmarks[promise.benchmark], setup.options
    golden = read_golden(options.golden, spec, task_of(promise, options.protocol)) if options.golden else None
    settings = settings_of(promise, options)
    if promise.tolerance.unit == "gain" and (golden or options.gain_over):
        base = None if golden else fixed_samples(options, problems=spec.problems)
        return gain_plan(spec, settings, base, tokens_per_s=tokens_per_s, golden=golden, language=options.language)
    return promise_plan(promise, spec, settings, tokens_per_s=tokens_per_s, golden=golden, language=options.language)


def promise_plan(
    promise: Promise,
    spec: BenchmarkSpec,
    settings: Settings,
    *,
    tokens_per_s: float | None,
    golden: Golden | None,
    language: Language = "en",
) -> str:
    """The plan of one promise in words and a table: samples, tokens, hours and chances.

    Raises:
        PromiseError: no number of samples can prove the promise, or its score is known from a golden run only.
    """
    rule = rule_of(promise, problems=spec.problems)
    reference = reference_of(promise, golden.run.counts if golden else None)
    panel = golden_panel(golden.run.counts) if golden else beta_panel(float(reference.score), problems=spec.problems)
    looks = settings.looks
    gate = Gate.of(rule, reference, looks=looks)
    cost = _cost(spec, tokens_per_s, golden)
    head = _promised(promise, reference, settings)
    beside = [] if golden else [say(one, language) for one in reproduced(promise, problems=spec.problems)]
    if settings.protocol == "vendor":
        run = single_run(gate, panel, promised=reference.score, k=looks[0])
        told = (say(one, language) for one in (head, run.note, _price(cost, spec, looks[0])))
        return "\n".join((*told, *beside))
    table = plan_text(replace(_simulated(gate, panel), cost=cost), language=language)
    return "\n".join((say(head, language), table, say(_source(cost, golden), language), *beside))


def gain_plan(
    spec: BenchmarkSpec,
    settings: Settings,
    base_samples: int | None,
    *,
    tokens_per_s: float | None,
    golden: Golden | None,
    language: Language = "en",
) -> str:
    """What measuring a gain costs and how it ends, for some gains: over ``golden``, or a base that is asked first.

    A base that was not asked yet is planned at 50 %, where answers vary most.

    Raises:
        PromiseError: under the protocol vendor two scores are compared as they are.
    """
    if settings.protocol == "vendor":
        raise worded(PromiseError, note("plan_of_vendor_gain"))
    panel = golden_panel(golden.run.counts) if golden else beta_panel(UNKNOWN_BASE, problems=spec.problems)
    samples = golden.run.counts.fewest if golden else base_samples
    gate = Gate(rule=Rule.gain(), reference=ReferenceKind.GOLDEN, reference_samples=samples, looks=settings.looks)
    cost = _cost(spec, tokens_per_s, golden)
    head = note("plan_gain", percent=100 * panel.mean, golden=golden is not None, samples=samples, looks=[*gate.looks])
    rows = [_gained(gate, panel, gain, cost, spec.problems) for gain in GAINS if gain <= 1 - panel.mean]
    asked = [] if base_samples is None else [_price(cost, spec, base_samples, "plan_base")]
    return "\n".join(say(one, language) for one in (head, *asked, *rows, _source(cost, golden)))


def _gained(gate: Gate, panel: Panel, gain: Fraction, cost: Cost, problems: int) -> Note:
    end = _outlook(gate, panel, -gain)
    samples = end.samples * problems
    return note(
        "plan_gained",
        points=float(100 * gain),
        passes=end.passes,
        fails=end.fails_low,
        samples=round(samples),
        tokens=cost.tokens(samples),
        hours=cost.hours(samples),
    )


@cache
def _outlook(gate: Gate, panel: Panel, loss: Fraction) -> Outlook:
    replicates = min(MOST_REPLICATES, SIMULATED_DRAWS // len(panel.rates))
    return outlook(gate, panel, loss, promised=panel, replicates=replicates)


def _promised(promise: Promise, reference: Reference, settings: Settings) -> Note:
    """What is planned for: score, tolerance, sampling."""
    drawn = sampling_of(promise, settings.protocol)
    return note(
        "plan_promised",
        percent=float(100 * reference.score),
        golden=reference.is_golden,
        tolerance=promise.tolerance.text,
        temperature=str(drawn.temperature),
        top_p=str(drawn.top_p),
        max_tokens=drawn.max_tokens,
        protocol=settings.protocol,
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


def _source(cost: Cost, golden: Golden | None) -> Note:
    speed = cost.tokens_per_s
    return note("plan_cost", tokens=cost.tokens_per_sample, measured=golden is not None, tokens_per_s=speed)


def _price(cost: Cost, spec: BenchmarkSpec, k: int, code: str = "plan_price") -> Note:
    samples = k * spec.problems
    return note(code, samples=samples, tokens=cost.tokens(samples), hours=cost.hours(samples))
