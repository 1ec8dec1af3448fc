"""The table of a session's workloads in a terminal."""

from collections.abc import Mapping, Sequence
from typing import TextIO

from papergate.reports.speed import UNDEFINED, Speed, duration, number
from papergate.reports.table import console_of, print_line, print_rows, shortened
from papergate.run_folder.speed import SpeedRecord
from papergate.run_folder.verdict import Spread
from papergate.words import Language, label, say

HEADINGS = ("verdict", "valid", "TTFT p50 / p99", "TPOT p50 / p99", "e2e p50 / p99", "tok/s", "workload")
"""Labels of the columns; the field's abbreviations are their own."""


def print_speeds(speeds: Sequence[Speed], file: TextIO, *, width: int, colour: bool, language: Language = "en") -> None:
    """One row a workload; below the table what must be said beside the figures."""
    console = console_of(file, width, colour=colour)
    rows = [(speed.verdict, *_cells(speed, language), speed.workload) for speed in speeds]
    print_rows(console, HEADINGS, rows, language)
    for speed in speeds:
        if speed.note:
            print_line(console, f"{speed.workload}: {shortened(say(speed.note, language), language)}")
        if speed.record:
            for line in named_lines(speed.record):
                print_line(console, f"  {line}")
        for one in speed.record.causes if speed.record else ():
            print_line(console, f"{speed.workload}: {say(one, language)}")


def named_lines(record: SpeedRecord) -> list[str]:
    """The figures under the names of another tool, and how they were taken otherwise."""
    if not record.named:
        return []
    told = ", ".join(f"{name} {_figure(value)}" for name, value in record.named.items())
    return [f"{record.definition}: {told}", *(f"differs: {one}" for one in record.differs)]


def _figure(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"p{name}={_figure(inner)}" for name, inner in value.items())
    return f"{value:.6g}" if isinstance(value, float) else UNDEFINED if value is None else str(value)


def _cells(speed: Speed, language: Language) -> list[str]:
    """Whether the figures are valid, and the figures where they are."""
    metrics = speed.figures.metrics if speed.figures else None
    valid = UNDEFINED if speed.record is None else label("no" if speed.unfit else "yes", language)
    if metrics is None:
        return [valid, *[UNDEFINED] * (len(HEADINGS) - 3)]
    spreads = (metrics.ttft_s, metrics.tpot_s, metrics.e2e_s)
    return [valid, *map(_p50_p99, spreads), number(metrics.output_tokens_per_s)]


def _p50_p99(spread: Spread) -> str:
    return f"{duration(spread.p50)} / {duration(spread.p99)}" if spread.count else UNDEFINED
