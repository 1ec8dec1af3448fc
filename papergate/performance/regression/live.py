"""Two live servers in turns, and the verdict on the pair."""

from dataclasses import replace

from papergate.errors import WorkloadError
from papergate.performance.load import Server, measure_pairs
from papergate.performance.records import LoadRun
from papergate.performance.regression.rule import (
    RESTART_SD,
    Gate,
    Slowdown,
    balanced,
    clusters_of,
    judge_slowdown,
    log_ratios,
)
from papergate.performance.validity import fitness, refuse_lost
from papergate.performance.workloads import Workload
from papergate.run_folder.notes import note
from papergate.verdict import Verdict
from papergate.words import worded

FEWEST_BLOCKS = 16
"""Blocks of a comparison: eight clusters, each of a block AB and a block BA, show their own spread well enough."""


def paired(workload: Workload) -> Workload:
    """The workload with enough requests for `FEWEST_BLOCKS` blocks."""
    return workload.model_copy(update={"count": max(workload.count, FEWEST_BLOCKS * workload.in_flight)})


def against_live(new: Server, old: Server, workload: Workload, gate: Gate, *, salt: str) -> Slowdown:
    """The verdict on two servers that run already; `RESTART_SD` stands in for restarts that were not seen.

    Raises:
        RequestsLost: a request failed on either side.
        WorkloadError: the workload does not fit, or the two give outputs of different lengths.
    """
    runs = measure_pairs(new, old, paired(workload), salt=salt)
    for run in runs:
        refuse_lost(run)
    refuse_unequal(*runs)
    ratios = log_ratios(runs[0].answered, runs[1].answered)
    clusters = clusters_of(balanced(ratios, workload.in_flight), workload.in_flight)
    found = judge_slowdown(clusters, gate, unseen_sd=RESTART_SD)
    reasons = fitness(runs[0], open_loop=False).reasons
    return replace(found, verdict=Verdict.INCONCLUSIVE, reasons=reasons) if reasons else found


def refuse_unequal(new: LoadRun, old: LoadRun) -> None:
    """Latencies of outputs of different lengths are no pair.

    Raises:
        WorkloadError: some differ.
    """
    pairs = zip(new.requests, old.requests, strict=True)
    unequal = sum(a.output_tokens != b.output_tokens for a, b in pairs)
    if unequal:
        raise worded(WorkloadError, note("outputs_unequal", unequal=unequal, prompts=len(new.requests)))
