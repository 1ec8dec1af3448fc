"""papergate's rule beside those of other tools, on the same deployments: ``make study`` (seeded).

Every rule gets the same golden run of 64 samples, and the tolerance where it has one:

papergate       its verdict, looks after 2 to 64 samples
NeMo Evaluator  `nel gate`: 95 % t interval of the differences problem by problem; GO where it lies above -tolerance,
                NO-GO where it lies below, else inconclusive; one look
Wilson          vLLM's proposed accuracy gate: the one-sided 95 % Wilson bound of all samples is at least 95 % of the
                reference
ratio           tt-inference-server: the score of one run is at least 95 % of the reference
single run      the score of one run lies within the tolerance, as vendor documents have it
until it passes single runs with fresh seeds, three at most, until one lies within the tolerance

``--real REFERENCE DEPLOYMENT`` draws from real completions in place of simulated ones: two logs with golds, graded by
the real grader. Each deployment has the rates of its log; runs are drawn with replacement.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist

import numpy as np

from papergate.promises.tolerance import Tolerance
from papergate.statistics.panels import Panel, lose
from papergate.statistics.power import Gate, simulate_gate
from papergate.statistics.reference import ReferenceKind
from papergate.statistics.rule import Rule
from studies.simulate import AIME, MATH

GOLDEN = 64
ALLOWED_RATIO = 0.95
"""Default of tt-inference-server (tolerance 0.05) and rtol of vLLM's proposed gate."""
TRIES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One deployment against one reference, and the rule of the promise."""

    title: str
    promised: Panel
    actual: Panel
    rule: Rule


Outcome = tuple[float, float, float, float]
"""Shares that pass, fail and stay undecided, and samples of a problem."""


def of_papergate(one: Setting, rng: np.random.Generator, runs: int) -> Outcome:
    gate = Gate(rule=one.rule, reference=ReferenceKind.GOLDEN, reference_samples=GOLDEN)
    ends, taken = simulate_gate(gate, one.promised, one.actual, replicates=runs, seed=int(rng.integers(2**31)))
    return float((ends == 1).mean()), float((ends > 1).mean()), float((ends == 0).mean()), float(taken.mean())


def of_nemo(k: int) -> Callable[[Setting, np.random.Generator, int], Outcome]:
    def outcome(one: Setting, rng: np.random.Generator, runs: int) -> Outcome:
        differences = rates(rng, one.actual, k, runs) - rates(rng, one.promised, GOLDEN, runs)
        n, tolerance = differences.shape[1], float(one.rule.tolerance)
        half = t_quantile(0.975, n - 1) * differences.std(axis=1, ddof=1) / math.sqrt(n)
        mean = differences.mean(axis=1)
        go, no_go = (mean - half > -tolerance).mean(), (mean + half < -tolerance).mean()
        return float(go), float(no_go), float(1 - go - no_go), k

    return outcome


def of_wilson(k: int) -> Callable[[Setting, np.random.Generator, int], Outcome]:
    def outcome(one: Setting, rng: np.random.Generator, runs: int) -> Outcome:
        score, samples = rates(rng, one.actual, k, runs).mean(axis=1), k * len(one.actual.rates)
        z2 = NormalDist().inv_cdf(0.95) ** 2
        spread = np.sqrt(z2 * (score * (1 - score) / samples + z2 / (4 * samples**2)))
        bound = (score + z2 / (2 * samples) - spread) / (1 + z2 / samples)
        passes = (bound >= ALLOWED_RATIO * rates(rng, one.promised, GOLDEN, runs).mean(axis=1)).mean()
        return float(passes), float(1 - passes), 0.0, k

    return outcome


def of_ratio(one: Setting, rng: np.random.Generator, runs: int) -> Outcome:
    golden = rates(rng, one.promised, GOLDEN, runs).mean(axis=1)
    passes = (rates(rng, one.actual, 1, runs).mean(axis=1) >= ALLOWED_RATIO * golden).mean()
    return float(passes), float(1 - passes), 0.0, 1


def of_single_runs(tries: int) -> Callable[[Setting, np.random.Generator, int], Outcome]:
    def outcome(one: Setting, rng: np.random.Generator, runs: int) -> Outcome:
        golden = rates(rng, one.promised, GOLDEN, runs).mean(axis=1)
        tolerance = float(one.rule.tolerance) + 1e-12
        passed, taken = np.zeros(runs, dtype=bool), np.zeros(runs)
        for _ in range(tries):
            taken += ~passed
            passed |= np.abs(rates(rng, one.actual, 1, runs).mean(axis=1) - golden) <= tolerance
        return float(passed.mean()), float(1 - passed.mean()), 0.0, float(taken.mean())

    return outcome


RULES = {
    "papergate": of_papergate,
    "NeMo Evaluator, 64 samples": of_nemo(64),
    "NeMo Evaluator, 4 samples": of_nemo(4),
    "Wilson, 16 samples": of_wilson(16),
    "ratio 0.95, 1 sample": of_ratio,
    "single run": of_single_runs(1),
    "until it passes, 3 runs": of_single_runs(TRIES),
}


def rates(rng: np.random.Generator, panel: Panel, k: int, runs: int) -> np.ndarray:
    """Share of right samples of each problem in each run, shape (runs, problems)."""
    return rng.binomial(k, panel.rates, size=(runs, len(panel.rates))) / k


def t_quantile(probability: float, freedom: int) -> float:
    """Student's t by the first terms of Cornish and Fisher; off by less than 0.001 from 20 degrees on."""
    z = NormalDist().inv_cdf(probability)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def simulated() -> Iterator[list[Setting]]:
    """The seven models of a benchmark at each loss."""
    for bench in (AIME, MATH):
        rule = bench.rule()
        for words, loss in (("nothing", Fraction(0)), ("the tolerance", rule.tolerance), ("the margin", rule.margin)):
            title = f"{bench.name}, lost {words}"
            panels = bench.panels()
            yield [Setting(title=title, promised=p, actual=lose(p, float(loss)), rule=rule) for p in panels]


def real(reference: Path, deployment: Path) -> Iterator[list[Setting]]:
    """Completions of two real deployments: each against itself, and the second against the first."""
    first, second = graded(reference), graded(deployment)
    shared = [problem for problem in first if problem in second]
    panels = [Panel(rates=tuple(one[problem] for problem in shared)) for one in (first, second)]
    rule = Rule.within(Tolerance.parse("1 point"), problems=len(shared))
    apart = 100 * (panels[1].mean - panels[0].mean)
    for title, actual in (
        ("real completions, against themselves", panels[0]),
        (f"another run, {apart:+.1f} points", panels[1]),
    ):
        yield [Setting(title=title, promised=panels[0], actual=actual, rule=rule)]


def graded(path: Path) -> dict[str, float]:
    """The rate of every problem in a log, by the real grader."""
    from papergate.engines.replay import read_predictions
    from papergate.scoring import AnswerKind, Attempt, Grader, Outcome

    log = read_predictions(path)
    right: dict[str, list[bool]] = {}
    with Grader() as grader:
        attempts = (
            Attempt(text=one.text, gold=log.golds[one.problem], kind=AnswerKind.MATH, thinks=True)
            for one in log.completions
        )
        for one, grade in zip(log.completions, grader.grade(attempts), strict=True):
            right.setdefault(one.problem, []).append(grade.outcome is Outcome.CORRECT)
    return {problem: sum(found) / len(found) for problem, found in right.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="simulated runs of each model (1000)")
    parser.add_argument("--real", type=Path, nargs=2, metavar="LOG")
    args = parser.parse_args()
    print("| deployment | rule | pass | fail | undecided | samples of a problem |\n" + "|---" * 6 + "|")
    for settings in real(*args.real) if args.real else simulated():
        for name, rule in RULES.items():
            rng = np.random.default_rng(7)
            ends = np.mean(
                [rule(one, rng, max(100, args.runs * 30 // len(one.actual.rates))) for one in settings], axis=0
            )
            shares = " | ".join(f"{share:.3f}" for share in ends[:3])
            print(f"| {settings[0].title} | {name} | {shares} | {ends[3]:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
