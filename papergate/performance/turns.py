"""Two live servers in turns, and the verdict on the pair."""

from papergate.performance.compare import RESTART_SD, Gate, Slowdown, balanced, clusters_of, judge_slowdown, log_ratios
from papergate.performance.load import Server, measure_pairs
from papergate.performance.validity import refuse_lost
from papergate.performance.workloads import Workload

FEWEST_BLOCKS = 16
"""Blocks of a comparison: eight clusters, each of a block AB and a block BA, show their own spread well enough."""


def paired(workload: Workload) -> Workload:
    """The workload with enough requests for `FEWEST_BLOCKS` blocks."""
    return workload.model_copy(update={"count": max(workload.count, FEWEST_BLOCKS * workload.in_flight)})


def paired_ratios(new: Server, old: Server, workload: Workload, *, salt: str) -> list[list[float]]:
    """Log ratios of end-to-end latencies, new over old, in clusters of ABBA.

    Raises:
        RequestsLost: a request failed on either side.
        WorkloadError: the workload does not fit.
    """
    runs = measure_pairs(new, old, paired(workload), salt=salt)
    for run in runs:
        refuse_lost(run)
    ratios = log_ratios(runs[0].answered, runs[1].answered)
    return clusters_of(balanced(ratios, workload.in_flight), workload.in_flight)


def against_live(new: Server, old: Server, workload: Workload, gate: Gate, *, salt: str) -> Slowdown:
    """The verdict on two servers that run already; `RESTART_SD` stands in for restarts that were not seen."""
    return judge_slowdown(paired_ratios(new, old, workload, salt=salt), gate, unseen_sd=RESTART_SD)
