"""Does the rule err as rarely as stated at every score? ``python -m studies.grid``.

Cells: problems 5 to 14,042, scores 0 to 100 %, problems that are all alike, spread, or certain; damage at the margin as
one shift in logits, as a share of every problem, or as whole problems; above the reference too. The reference is exact,
or a golden run of 64 samples that every simulated gate draws anew.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from papergate.promises.tolerance import Tolerance
from papergate.statistics.panels import Panel, beta_panel, lose
from papergate.statistics.power import Gate, simulate_gate
from papergate.statistics.reference import ReferenceKind
from papergate.statistics.rule import Rule

FALSE_FAILS, FALSE_PASSES = 0.04, 0.03
"""Promised in every cell: perfect deployments that fail on either side, deployments at the margin that pass."""
BEYOND_CHANCE = 3.0
"""Standard errors above a promised figure before a cell counts as one that misses it."""
PROBLEMS = {5: "1 problem", 10: "1 problem", 30: "1 problem", 198: "0.5 points", 500: "0.5 points", 14042: "0.5 points"}
SCORES = (0.0, 0.02, 0.05, 0.2, 0.5, 0.8, 0.95, 0.97, 0.99, 0.995, 1.0)
SHAPES = ("alike", "spread .4", "spread .15", "certain")
DAMAGES = ("shift", "share", "problems")
MOST_DRAWS = 3_000_000
"""Replicates times problems of a cell at most: memory and minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One deployment against one reference."""

    problems: int
    score: float
    shape: str
    damage: str
    """Empty for a perfect deployment; ``+`` before it where the score rises."""
    promised: Panel
    actual: Panel

    @property
    def title(self) -> str:
        return f"{self.problems} problems, {100 * self.score:g} %, {self.shape}, {self.damage or 'perfect'}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    cell: Cell
    replicates: int
    errs: float
    """Share of wrong verdicts."""
    samples: float

    def misses(self) -> bool:
        promised = FALSE_PASSES if self.cell.damage else FALSE_FAILS
        return self.errs > promised + BEYOND_CHANCE * (promised * (1 - promised) / self.replicates) ** 0.5


def panels(problems: int) -> Iterator[tuple[float, str, Panel]]:
    """Every score in every shape that has it."""
    for score in SCORES:
        for shape in SHAPES:
            if shape == "alike":
                yield score, shape, Panel(rates=(score,) * problems)
            elif 0 < score < 1:
                yield score, shape, _uneven(problems, score, shape)


def _uneven(problems: int, score: float, shape: str) -> Panel:
    if shape == "certain":  # at most one problem is between 0 and 1, so that the mean is the score
        whole = int(score * problems + 1e-9)
        rest = (score * problems - whole,) * (whole < problems)
        return Panel(rates=(1.0,) * whole + rest + (0.0,) * (problems - whole - 1))
    share = Fraction(shape.split()[1])
    return beta_panel(score, problems=problems, within_share=share)


def damaged(panel: Panel, loss: float, damage: str) -> Panel:
    """``panel`` with ``loss`` less of its score."""
    rates = np.array(panel.rates)
    if damage == "shift":
        return lose(panel, loss)
    if damage == "share":
        return _panel(rates * (1 - loss / panel.mean))
    order = np.argsort(-rates)
    before = np.cumsum(rates[order]) - rates[order]
    rates[order] -= np.clip(loss * rates.size - before, 0, rates[order])
    return _panel(rates)


def raised(panel: Panel, gain: float, damage: str) -> Panel:
    """The mirror image of `damaged`."""
    mirrored = damaged(Panel(rates=tuple(1 - rate for rate in panel.rates)), gain, damage)
    return _panel(1 - np.array(mirrored.rates))


def _panel(rates: np.ndarray) -> Panel:
    return Panel(rates=tuple(np.clip(rates, 0, 1).tolist()))  # rounding may step over an end


def cells(problems: int) -> Iterator[Cell]:
    margin = float(rule_of(problems).margin)
    for score, shape, panel in panels(problems):
        yield Cell(problems=problems, score=score, shape=shape, damage="", promised=panel, actual=panel)
        for sign, change, room in (("", damaged, panel.mean), ("+", raised, 1 - panel.mean)):
            for damage in DAMAGES if margin <= room + 1e-12 else ():
                actual = change(panel, margin, damage)
                yield Cell(
                    problems=problems, score=score, shape=shape, damage=sign + damage, promised=panel, actual=actual
                )


def rule_of(problems: int) -> Rule:
    return Rule.within(Tolerance.parse(PROBLEMS[problems]), problems=problems)


def measured(cell: Cell, reference: ReferenceKind, replicates: int) -> Row:
    samples = 64 if reference is ReferenceKind.GOLDEN else None
    gate = Gate(rule=rule_of(cell.problems), reference=reference, reference_samples=samples)
    replicates = max(100, min(replicates, MOST_DRAWS // cell.problems))
    ends, taken = simulate_gate(gate, cell.promised, cell.actual, replicates=replicates, seed=11)
    errs = (ends == 1).mean() if cell.damage else (ends > 1).mean()
    return Row(cell=cell, replicates=replicates, errs=float(errs), samples=float(taken.mean()))


def main() -> int:
    """Print the worst cells of each kind; 1 if a promised figure is missed beyond chance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=2000, help="simulated gates a cell (2000)")
    parser.add_argument("--worst", type=int, default=8, help="cells printed of each kind (8)")
    parser.add_argument("--reference", choices=("exact", "golden"), default="exact")
    parser.add_argument("--problems", type=int, nargs="*", default=list(PROBLEMS))
    args = parser.parse_args()
    started, kind = time.process_time(), ReferenceKind(args.reference)
    rows = [measured(cell, kind, args.replicates) for problems in args.problems for cell in cells(problems)]
    for title, chosen in (
        ("a perfect deployment fails", [row for row in rows if not row.cell.damage]),
        ("a deployment at the margin passes", [row for row in rows if row.cell.damage]),
    ):
        print(f"\n{title}, {args.reference} reference, {len(chosen)} cells; the worst:")
        for row in sorted(chosen, key=lambda one: -one.errs)[: args.worst]:
            print(
                f"  {row.errs:.3f}  {row.cell.title}  ({row.replicates} gates, {row.samples:.1f} samples of a problem)"
            )
    missed = [row for row in rows if row.misses()]
    print(
        f"\n{len(missed)} of {len(rows)} cells miss a promised figure; {time.process_time() - started:.0f} CPU seconds"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
