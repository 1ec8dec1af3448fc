"""Two deployments that are ours to start: started in turns, one at a time, and the verdict on all starts together."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from papergate.performance.load import Server, draw_prompts, measure
from papergate.performance.prompts import Prompt
from papergate.performance.records import LoadRun
from papergate.performance.regression.live import refuse_unequal
from papergate.performance.regression.rule import Gate, Slowdown, judge_slowdown, log_ratios
from papergate.performance.validity import Fitness, fitness, refuse_lost
from papergate.performance.workloads import Workload
from papergate.run_folder.notes import note
from papergate.verdict import Verdict

RESTARTS = 4
"""Starts of each side: with fewer, t over the starts is too wide to prove a slowdown of 10 %."""

Start = Callable[[], AbstractContextManager[Server]]
"""Starts an engine anew, and ends it on leaving."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Restarted:
    """A comparison over restarts."""

    first: LoadRun
    """The first run of the deployment that is judged: its figures are those on record."""
    fitness: Fitness
    """Of the first run, with the reasons of every start of both sides."""
    baseline: str
    """Name and version of the baseline's server."""
    slowdown: Slowdown


def against_restarted(
    new: Start, old: Start, workload: Workload, gate: Gate, *, salt: str, restarts: int = RESTARTS
) -> Restarted:
    """The verdict on ``restarts`` starts of each side in the order AB BA AB BA: a cluster is one start of both.

    Both halves of a cluster are asked the same prompts, other clusters other ones. Whatever differs from one start to
    the next is in the spread of the clusters, so that nothing unseen has to be assumed.

    Raises:
        RequestsLost: a request failed on either side.
        WorkloadError: the workload does not fit, or the two give outputs of different lengths.
        EngineError: an engine does not start.
    """
    pairs = [
        _cluster(new, old, workload, salt=f"{salt} start {number}", new_first=number % 2 == 0)
        for number in range(restarts)
    ]
    clusters = [log_ratios(ours.answered, theirs.answered) for ours, theirs in pairs]
    found = judge_slowdown(clusters, gate, unseen_sd=0.0)
    fit = _fitness(pairs, open_loop=workload.requests_per_s is not None)
    if not fit.valid:
        found = replace(found, verdict=Verdict.INCONCLUSIVE, reasons=fit.reasons)
    return Restarted(first=pairs[0][0], fitness=fit, baseline=pairs[0][1].server, slowdown=found)


def _cluster(new: Start, old: Start, workload: Workload, *, salt: str, new_first: bool) -> tuple[LoadRun, LoadRun]:
    """One start of each side, ``new`` and ``old`` in this order in the result, whichever came first."""
    first, prompts = _run(new if new_first else old, workload, salt, None)
    second, _ = _run(old if new_first else new, workload, salt, prompts)
    ours, theirs = (first, second) if new_first else (second, first)
    refuse_unequal(ours, theirs)
    return ours, theirs


def _run(
    start: Start, workload: Workload, salt: str, prompts: Sequence[Prompt] | None
) -> tuple[LoadRun, Sequence[Prompt]]:
    """One start, measured; the first of a cluster draws the prompts, the second is given them."""
    with start() as server:
        asked = draw_prompts(server, workload, salt=salt) if prompts is None else prompts
        run = measure(server, workload, salt=salt, prompts=asked)
    refuse_lost(run)
    return run, asked


def _fitness(pairs: Sequence[tuple[LoadRun, LoadRun]], *, open_loop: bool) -> Fitness:
    starts = {
        (number, side): fitness(run, open_loop=open_loop)
        for number, pair in enumerate(pairs, start=1)
        for side, run in zip(("deployment", "baseline"), pair, strict=True)
    }
    return replace(
        next(iter(starts.values())),
        reasons=tuple(
            note("of_start", why, number=number, side=side)
            for (number, side), fit in starts.items()
            for why in fit.reasons
        ),
        short_outputs=any(fit.short_outputs for fit in starts.values()),
    )
