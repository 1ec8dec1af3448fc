"""What a report shows of speed: the records of a run's workloads, as rows and words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from papergate.reports.said import Said, both
from papergate.run_folder.notes import AS_WRITTEN, Note, note
from papergate.run_folder.speed import Client, Metrics, SpeedRecord
from papergate.run_folder.verdict import Spread, Times
from papergate.words import say

UNDEFINED = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """One workload of a run: its record, or the error that left it without one."""

    workload: str
    verdict: str
    """Beside the baseline; ``recorded`` where there is none, ``inconclusive`` for a run of no use, ``error``."""
    record: SpeedRecord | None = None
    error: str = ""

    @property
    def unfit(self) -> Sequence[Note]:
        """Why its figures are no figures, if so."""
        return self.record.client.reasons if self.record else ()

    @property
    def figures(self) -> SpeedRecord | None:
        """The record, where its figures may be stated."""
        record = self.record
        return record if record and record.metrics and record.series and not self.unfit else None

    @property
    def note(self) -> Note | None:
        """What must be said beside the figures; None where nothing must."""
        if self.record is None:
            return note("verdict", note(AS_WRITTEN, text=self.error), verdict="error")
        if self.unfit:
            return note("verdict", note("run_unfit", *self.unfit), verdict="inconclusive")
        if self.error:
            return note(AS_WRITTEN, text=self.error)
        return self.record.slowdown.said if self.record.slowdown else None

    @property
    def sentence(self) -> str:
        """The same in English; empty where there is nothing."""
        return say(self.note) if self.note else ""


def speed_of(record: SpeedRecord) -> Speed:
    """A stored workload, with the verdict that its record states."""
    return Speed(workload=record.workload, verdict=_verdict(record), record=record)


def by_name(speeds: Iterable[Speed]) -> list[Speed]:
    """In the order of their names; a concurrency of 16 comes after one of 4."""
    return sorted(
        speeds,
        key=lambda speed: [
            (int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", speed.workload)
        ],
    )


def latency_rows(metrics: Metrics) -> Iterator[tuple[str, list[str]]]:
    """Every latency by name with its p50, p90, p99 and count, as texts."""
    for name, spread in latencies(metrics):
        yield name, [*(duration(at) for at in (spread.p50, spread.p90, spread.p99)), str(spread.count)]


def latencies(metrics: Metrics) -> tuple[tuple[str, Spread], ...]:
    """Every latency by the name that the field gives it."""
    return ("TTFT", metrics.ttft_s), ("TPOT", metrics.tpot_s), ("ITL", metrics.itl_s), ("e2e", metrics.e2e_s)


def rate_rows(metrics: Metrics) -> Iterator[tuple[str, str]]:
    """What is one number for the whole run: throughput, goodput where bounds are given, tokens of a chunk."""
    yield "output_tokens_per_s", number(metrics.output_tokens_per_s)
    yield "all_tokens_per_s", number(metrics.total_tokens_per_s)
    yield "requests_per_s", number(metrics.requests_per_s)
    if metrics.has_goodput:
        yield "goodput_per_s", number(metrics.goodput_per_s)
    yield "tokens_per_chunk", number(metrics.tokens_per_chunk)
    yield "requests", number(metrics.requests)
    yield "window", duration(metrics.window_s)


def client_words(client: Client) -> Said:
    """How the client did, in a sentence."""
    return both(
        "client_did",
        fit=both("client_unfit" if client.reasons else "client_fit"),
        late=duration(client.lateness_p99_s),
        cpu=f"{client.cpu:.0%}",
        queueing=duration(client.queueing_p99_s),
        reconnects=client.reconnects,
        loop=client.loop,
        stamps=client.stamps or UNDEFINED,
    )


def times_words(times: Times | None) -> Said | None:
    """How long the samples of a promise took, with the remark that this is no benchmark; None without times."""
    if not times or not times.stream_tokens_per_s.count:
        return None
    spreads = {"ttft": times.ttft_s, "tpot": times.tpot_s}
    return both(
        "times_recorded",
        **{f"{name}_p50": duration(spread.p50) for name, spread in spreads.items()},
        **{f"{name}_p90": duration(spread.p90) for name, spread in spreads.items()},
        rate_p50=number(times.stream_tokens_per_s.p50),
        rate_p90=number(times.stream_tokens_per_s.p90),
        asked=both("while_asking", n=times.concurrency) if times.concurrency else both("asked_elsewhere"),
    )


def load_words(record: SpeedRecord) -> Said:
    """How the requests arrived."""
    if record.concurrency:
        return both("closed_loop", n=record.concurrency)
    return both("open_loop", rate=f"{record.requests_per_s:g}")


def measured_words(record: SpeedRecord) -> Said:
    """What was measured, and beside what."""
    baseline = record.baseline
    return both(
        "speed_of_what",
        model=record.model,
        engine=record.engine,
        started=both("started_as", deployment=record.deployment) if record.deployment else "",
        baseline=both("beside_baseline", name=baseline.name, engine=baseline.engine) if baseline else "",
    )


def duration(seconds: float | None) -> str:
    """In milliseconds or seconds, three figures; `UNDEFINED` where there is none."""
    if seconds is None:
        return UNDEFINED
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{_figures(seconds)} s"  # noqa: PLR2004 - rounds to 1 s


def number(value: float | None) -> str:
    """Three figures at least; `UNDEFINED` where there is none."""
    return UNDEFINED if value is None else _figures(value)


def _figures(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:.3g}"  # noqa: PLR2004 - grouped from here on


def _verdict(record: SpeedRecord) -> str:
    if record.client.reasons:
        return "inconclusive"
    return record.slowdown.verdict if record.slowdown else "recorded"
