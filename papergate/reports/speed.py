"""What a report shows of speed: the records of a run's workloads, as rows and words."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPEED_FOLDER = "performance"
"""Folder of a run for the records of its workloads, a file each."""
SWEEP_FILE = "against-concurrency.json"
"""Beside them; the same figures side by side."""
NEEDED = {"workload", "metrics", "client", "series", "digest", "concurrency"}
"""What tells a record from another file."""
UNDEFINED = "-"
LATENCIES = (("TTFT", "ttft_s"), ("TPOT", "tpot_s"), ("ITL", "itl_s"), ("e2e", "e2e_s"))

Record = Mapping[str, Any]
"""What a workload left."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """One workload of a run: its record, or the error that left it without one."""

    workload: str
    verdict: str
    """Beside the baseline; ``recorded`` where there is none, ``inconclusive`` for a run of no use, ``error``."""
    record: Record | None = None
    error: str = ""

    @property
    def unfit(self) -> Sequence[str]:
        """Why its figures are no figures, if so."""
        reasons: Sequence[str] = self.record["client"]["reasons"] if self.record else ()
        return reasons

    @property
    def figures(self) -> Record | None:
        """The record, where its figures may be stated."""
        return None if self.unfit else self.record

    @property
    def sentence(self) -> str:
        """What must be said beside the figures; empty where nothing must."""
        if self.record is None:
            return f"error: {self.error}"
        if self.unfit:
            return f"inconclusive: the run cannot be used: {'; '.join(self.unfit)}"
        slowdown = self.record["slowdown"]
        return self.error or (slowdown["sentence"] if slowdown else "")


def speed_file(run_folder: Path, workload: str) -> Path:
    """Where the record of ``workload`` lies."""
    return run_folder / SPEED_FOLDER / f"{workload}.json"


def read_record(run_folder: Path, workload: str) -> Record | None:
    """The record of ``workload``; None where there is none."""
    return _readable(speed_file(run_folder, workload))


def read_speeds(run_folder: Path) -> list[Speed]:
    """Every record of a run."""
    paths = (run_folder / SPEED_FOLDER).glob("*.json")
    records = (record for path in paths if path.name != SWEEP_FILE and (record := _readable(path)))
    return [Speed(workload=record["workload"], verdict=_verdict(record), record=record) for record in records]


def by_name(speeds: Iterable[Speed]) -> list[Speed]:
    """In the order of their names; a concurrency of 16 comes after one of 4."""
    return sorted(
        speeds,
        key=lambda speed: [
            (int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", speed.workload)
        ],
    )


def latency_rows(record: Record) -> Iterator[tuple[str, list[str]]]:
    """Every latency by name with its p50, p90, p99 and count, as texts."""
    for name, key in LATENCIES:
        spread = record["metrics"][key]
        yield name, [*(duration(spread.get(p)) for p in ("p50", "p90", "p99")), str(spread["count"])]


def rate_rows(record: Record) -> Iterator[tuple[str, str]]:
    """What is one number for the whole run: throughput, goodput where bounds are given, tokens of a chunk."""
    metrics = record["metrics"]
    yield "output tokens / s", number(metrics["output_tokens_per_s"])
    yield "all tokens / s", number(metrics["total_tokens_per_s"])
    yield "requests / s", number(metrics["requests_per_s"])
    if "goodput_per_s" in metrics:
        yield "goodput, requests / s", number(metrics["goodput_per_s"])
    yield "tokens per chunk", number(metrics["tokens_per_chunk"])
    yield "requests", number(metrics["requests"])
    yield "window", duration(metrics["window_s"])


def client_words(record: Record) -> str:
    """How the client did, in a sentence."""
    client = record["client"]
    return (
        f"{'unusable' if client['reasons'] else 'fit'}: event loop late by {duration(client['lateness_p99_s'])} (p99), "
        f"{client['cpu']:.0%} of a core, sent {duration(client['queueing_p99_s'])} after the intended time (p99), "
        f"{client['reconnects']} reconnects, {client['loop']}, stamps of the {client.get('stamps', UNDEFINED)}"
    )


def times_words(times: Mapping[str, Any] | None) -> str:
    """What the samples of a promise took, and that this was no benchmark; empty where nobody noted times."""
    if not times or not times["stream_tokens_per_s"]["count"]:
        return ""
    shown = (
        ("TTFT", "ttft_s", duration),
        ("TPOT", "tpot_s", duration),
        ("tok/s of one stream", "stream_tokens_per_s", number),
    )
    parts = [
        f"{name} p50 {show(times[key].get('p50'))}, p90 {show(times[key].get('p90'))}" for name, key, show in shown
    ]
    asked = f"at a concurrency of at most {times['concurrency']}" if times["concurrency"] else "elsewhere"
    return f"{'; '.join(parts)}: recorded while asking {asked}, not a benchmark"


def load_words(record: Record) -> str:
    """How the requests arrived."""
    if record["concurrency"]:
        return f"closed loop, {record['concurrency']} in flight"
    return f"open loop, {record['requests_per_s']:g} requests / s"


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


def _verdict(record: Record) -> str:
    if record["client"]["reasons"]:
        return "inconclusive"
    return record["slowdown"]["verdict"] if record["slowdown"] else "recorded"


def _readable(path: Path) -> Record | None:
    """The record in a file; None where there is none, or a foreign or edited one."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.keys() >= NEEDED else None
