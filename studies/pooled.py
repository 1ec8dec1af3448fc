"""What a pooled verdict saves, and how often it errs: ``python -m studies.pooled`` (seeded).

AIME, MATH-500 and GPQA-Diamond of one model (scores of R1-Distill-Qwen-14B), exact references. Damage is a common loss
in margins, or a loss of one promise alone. Every promise is asked so that all learn equally fast: k in proportion to
the variance of one run over the margin squared, at least 2.
"""

import argparse
import math
import sys
from fractions import Fraction
from statistics import fmean

import numpy as np

from papergate.promises.tolerance import Tolerance
from papergate.statistics.counts import Counts
from papergate.statistics.panels import Panel, beta_panel, lose
from papergate.statistics.pooled import Part, pool
from papergate.statistics.power import Gate, simulate_gate
from papergate.statistics.reference import Reference, ReferenceKind
from papergate.statistics.rule import Decision, Rule

PROMISES = {
    "AIME": (30, "0.697", "1 problem"),
    "MATH-500": (500, "0.939", "0.5 points"),
    "GPQA": (198, "0.591", "1 point"),
}
LOOKS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64)
"""Samples of a problem of the promise that needs most."""
LOSSES = {
    "nothing": (0, 0, 0),
    "half a margin, common": (0.5, 0.5, 0.5),
    "a margin, common": (1, 1, 1),
    "two margins, common": (2, 2, 2),
    "a margin of AIME alone": (1, 0, 0),
    "three margins of AIME alone": (3, 0, 0),
}


def rule_of(problems: int, words: str) -> Rule:
    return Rule.within(Tolerance.parse(words), problems=problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=400)
    args = parser.parse_args()
    panels = [beta_panel(float(score), problems=n) for n, score, _ in PROMISES.values()]
    rules = [rule_of(n, words) for n, _, words in PROMISES.values()]
    needs = [(panel.run_sd / float(rule.margin)) ** 2 for panel, rule in zip(panels, rules, strict=True)]
    print(
        "| lost | PASS | FAIL | INCONCLUSIVE | samples | samples of the separate verdicts | share |\n"
        + "|---" * 7
        + "|"
    )
    for seed, (title, losses) in enumerate(LOSSES.items()):
        actual = [lose(p, loss * float(r.margin)) for p, r, loss in zip(panels, rules, losses, strict=True)]
        found = [one_run(actual, rules, needs, seed=(seed, i)) for i in range(args.replicates)]
        apart = math.fsum(
            separate(panel, one, rule, args.replicates) for panel, one, rule in zip(panels, actual, rules, strict=True)
        )
        print(row(title, found, apart), flush=True)
    return 0


def one_run(
    actual: list[Panel], rules: list[Rule], needs: list[float], *, seed: tuple[int, int]
) -> tuple[Decision, int]:
    """How one pooled run ends, and its samples in all."""
    rng = np.random.default_rng(seed)
    correct = [np.zeros(len(panel.rates), dtype=np.int64) for panel in actual]
    samples = [0] * len(actual)
    references = [Reference.exact(Fraction(score)) for _, score, _ in PROMISES.values()]
    for look in LOOKS:
        for place, panel in enumerate(actual):
            k = max(2, math.ceil(look * needs[place] / max(needs)))
            correct[place] += rng.binomial(k - samples[place], panel.rates)
            samples[place] = k
        counts = [Counts.equal(tuple(one.tolist()), k) for one, k in zip(correct, samples, strict=True)]
        parts = zip(counts, references, rules, strict=True)
        found = pool([Part(counts=c, reference=reference, rule=rule) for c, reference, rule in parts])
        if found.decision is not Decision.INCONCLUSIVE:
            break
    return found.decision, sum(k * one.n for k, one in zip(samples, counts, strict=True))


def separate(promised: Panel, actual: Panel, rule: Rule, replicates: int) -> float:
    """Samples in all that the promise's own verdict takes."""
    gate = Gate(rule=rule, reference=ReferenceKind.EXACT)
    _, taken = simulate_gate(gate, promised, actual, replicates=replicates, seed=3)
    return float(taken.mean()) * len(promised.rates)


def row(title: str, found: list[tuple[Decision, int]], apart: float) -> str:
    ends = [decision for decision, _ in found]
    fails = sum(end in (Decision.FAIL_LOW, Decision.FAIL_HIGH) for end in ends) / len(ends)
    taken = fmean(samples for _, samples in found)
    shares = (ends.count(Decision.PASS) / len(ends), fails, ends.count(Decision.INCONCLUSIVE) / len(ends))
    return (
        f"| {title} | {' | '.join(f'{one:.3f}' for one in shares)} | {taken:.0f} | {apart:.0f} | {taken / apart:.2f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
