"""Whether a run can be used: the client fit, the load as asked for. Otherwise no figures are reported."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from papergate.errors import RequestsLost
from papergate.performance.metrics import percentile, queueing_s
from papergate.performance.records import LoadRun
from papergate.run_folder.notes import Note, note
from papergate.verdict import Verdict
from papergate.words import worded

MOST_LATENESS_S = 0.005
"""p99 of the event loop's lateness. Measured: at most 1.2 ms in clients that added less than 1 ms to the median TTFT,
at least 7.7 ms in those that added more than 3.6 ms."""
MOST_CPU = 0.85
"""Share of one core: a single-threaded client beyond it queues what it receives."""
MOST_QUEUEING_S = 0.005
"""p99 of actual - intended send time in an open loop: later than this, the load was not the one intended."""
NAMED = 3
"""Failed requests whose error a message quotes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitness:
    """How the client did, and why its run cannot be used, if so. Seconds, shares of 1."""

    lateness_p99_s: float | None
    cpu: float
    queueing_p99_s: float | None
    reasons: tuple[Note, ...] = ()
    short_outputs: bool = False
    """Whether one of them is the server's doing, not the client's: it ended outputs early."""

    @property
    def valid(self) -> bool:
        """Whether the run's figures may be stated."""
        return not self.reasons

    @property
    def note(self) -> Note:
        """Why there are no figures."""
        return note("verdict", note("run_unfit", *self.reasons), verdict=Verdict.INCONCLUSIVE.value)


def fitness(run: LoadRun, *, open_loop: bool) -> Fitness:
    """Judge the client of ``run``: event-loop lateness, CPU, actual against intended send times, output lengths."""
    lateness = percentile(run.client.lateness_s, 99)
    queueing = percentile([queueing_s(request) for request in run.requests], 99)
    cpu = run.client.cpu_s / run.client.wall_s if run.client.wall_s else 0.0
    seen = Fitness(
        lateness_p99_s=lateness.value if lateness else None,
        cpu=cpu,
        queueing_p99_s=queueing.value if queueing else None,
    )
    short = tuple(_short_outputs(run))
    return replace(seen, reasons=(*_reasons(seen, open_loop=open_loop), *short), short_outputs=bool(short))


def refuse_lost(run: LoadRun) -> None:
    """A run with failed requests has no figures: those that failed are often those that would have been slow.

    Raises:
        RequestsLost: with their number and the first errors.
    """
    if run.failed:
        errors = "; ".join(f"prompt {request.prompt}: {request.error}" for request in run.failed[:NAMED])
        seen = {"failed": len(run.failed), "requests": len(run.requests), "errors": errors}
        raise worded(RequestsLost, note("load_requests_failed", workload=run.workload, **seen))


def _reasons(seen: Fitness, *, open_loop: bool) -> Iterator[Note]:
    if seen.lateness_p99_s is None:
        yield note("client_untold")
    elif seen.lateness_p99_s >= MOST_LATENESS_S:
        yield note("client_late", seen_ms=1e3 * seen.lateness_p99_s, most_ms=1e3 * MOST_LATENESS_S)
    if seen.cpu >= MOST_CPU:
        yield note("client_busy", share=seen.cpu, most=MOST_CPU)
    if open_loop and seen.queueing_p99_s is not None and seen.queueing_p99_s >= MOST_QUEUEING_S:
        yield note("requests_late", seen_ms=1e3 * seen.queueing_p99_s, most_ms=1e3 * MOST_QUEUEING_S)


def _short_outputs(run: LoadRun) -> Iterator[Note]:
    """Outputs that ended by themselves although the server took ``ignore_eos``: another workload than the one asked."""
    short = [request for request in run.answered if not request.cut_off]
    if run.settings.get("ignore_eos") and short:
        yield note("outputs_short", short=len(short), outputs=len(run.answered))
