"""The table of a session's workloads in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from papergate.reports.speed import UNDEFINED, Speed, duration, number
from papergate.reports.table import console_of, print_rows, shortened

HEADINGS = ("verdict", "valid", "TTFT p50 / p99", "TPOT p50 / p99", "e2e p50 / p99", "tok/s", "workload")


def print_speeds(speeds: Sequence[Speed], file: TextIO, *, width: int, colour: bool) -> None:
    """One row a workload; below the table what must be said beside the figures."""
    from rich.text import Text

    console = console_of(file, width, colour=colour)
    print_rows(console, [HEADINGS, *((speed.verdict, *_cells(speed), speed.workload) for speed in speeds)])
    for speed in speeds:
        if speed.sentence:
            console.print(Text(f"{speed.workload}: {shortened(speed.sentence)}"), soft_wrap=True)


def _cells(speed: Speed) -> list[str]:
    """Whether the figures are valid, and the figures where they are."""
    metrics: Mapping[str, Any] = speed.figures["metrics"] if speed.figures else {}
    spreads = (metrics.get(key, {}) for key in ("ttft_s", "tpot_s", "e2e_s"))
    return [
        UNDEFINED if speed.record is None else "no" if speed.unfit else "yes",
        *(
            " / ".join(duration(spread[p]) for p in ("p50", "p99")) if "p50" in spread else UNDEFINED
            for spread in spreads
        ),
        number(metrics.get("output_tokens_per_s")),
    ]
