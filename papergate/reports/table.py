"""The verdict table of a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from papergate.printable import one_line, printable
from papergate.reports.family import family_of
from papergate.run_folder.verdict import VerdictRecord
from papergate.words import say

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    "pass": "bold green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "trial": "bold cyan",
    "error": "bold magenta",
    "recorded": "bold",
    "asked": "bold",
}

MOST_LINES = 12
"""Of an error in the terminal; a server's log is longer, and the page has it whole."""
HEADINGS = ("verdict", "score", "interval", "promised", "n x k", "tokens", "promise")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One promise of this session: its record, or the error that left it without one."""

    promise: str
    record: VerdictRecord | None = None
    asked: str = ""
    """What was asked of it, where this session asks a shard and judges nothing."""
    error: str = ""
    """In full, with its remedy; the table shows no more than `MOST_LINES` of it."""

    @property
    def verdict(self) -> str:
        """What the table says first."""
        return self.record.verdict if self.record else "asked" if self.asked else "error"

    @property
    def is_trial(self) -> bool:
        """Whether only the set-up was tried."""
        return self.verdict == "trial"


def print_table(lines: Sequence[Line], file: TextIO, *, width: int, colour: bool, quiet: bool = False) -> None:
    """One row a promise; below the table what each reader must know: sentences and warnings.

    ``quiet`` leaves out what stands beside the sentences, and the sentences of promises that are kept.
    """
    console = console_of(file, width, colour=colour)
    print_rows(console, [HEADINGS, *((line.verdict, *_numbers(line.record), line.promise) for line in lines)])
    for line in lines:
        if line.record and not (quiet and line.record.accepted):
            print_line(console, line.record.sentence)
            for note in [] if quiet else _beside(line.record):
                print_line(console, f"  {note}")
        elif line.asked:
            print_line(console, f"{line.promise}: {line.asked}")
    for error, promises in _errors(lines).items():
        print_line(console, f"error: {shortened(error)}")
        if len(lines) > 1:
            print_line(console, f"  of: {', '.join(promises)}")
    together = family_of([line.record for line in lines if line.record])
    if together and not quiet:
        print_line(console, f"\n{say(together.note)}")


def _errors(lines: Sequence[Line]) -> dict[str, list[str]]:
    """Each error once, with the promises that it left without a verdict."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if not (line.record or line.asked):
            found.setdefault(line.error, []).append(line.promise)
    return found


def console_of(file: TextIO, width: int, *, colour: bool) -> "Console":
    """Whoever prints tables."""
    from rich.console import Console

    return Console(file=file, width=width, force_terminal=colour, no_color=not colour, highlight=False)


def print_rows(console: "Console", rows: Sequence[Sequence[str]]) -> None:
    """Rows under each other, in the colour of the verdict in their first cell, and an empty line."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    for row, text in zip(cells, _aligned(cells, console.width), strict=True):
        print_line(console, text, STYLES.get(row[0], "dim"))
    console.print()


def print_line(console: "Console", text: str, style: str = "") -> None:
    """Text as it may be shown, on a line of its own: in a terminal wrapped at words, in a log whole, to be searched."""
    from rich.text import Text

    console.print(Text(printable(text), style=style), soft_wrap=not console.is_terminal)


def shortened(error: str) -> str:
    """An error whose further lines are indented, and cut where they are many."""
    lines = [line.strip() for line in error.splitlines()]
    left_out = [f"({MOST_LINES} of {len(lines)} lines; the report has all)"] if len(lines) > MOST_LINES else []
    return "\n  ".join([*lines[:MOST_LINES], *left_out])


def _beside(record: VerdictRecord | None) -> list[str]:
    """Why answers are wrong, what a reader must know, then what the numbers can show."""
    if record is None:
        return []
    causes = [
        f"likely cause: {say(one)}" for one in record.causes[int(not record.accepted) :]
    ]  # the sentence of a red names the first
    notes = [f"note: {say(one)}" for one in record.notes]
    return causes + notes + [*map(say, record.remarks)]


def _aligned(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Columns under each other; the last one goes to a line of its own where the terminal is too narrow."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    separator = "  " if sum(widths) + 2 * len(widths) <= width else "\n    "
    aligned = ("  ".join(map(str.ljust, row, widths[:-1])) for row in rows)
    return [f"{numbers}{separator}{row[-1]}" for numbers, row in zip(aligned, rows, strict=True)]


def _numbers(record: VerdictRecord | None) -> list[str]:
    if record is None:
        return ["-"] * (len(HEADINGS) - 2)
    judged, tokens = record.judgement, record.tokens.output
    size = f"{judged.n} x {record.counts.samples_each}"
    counted = "-" if tokens is None else f"{tokens:,}"
    if record.verdict == "trial":
        return ["-", "-", _promised(record), size, counted]
    low, high = (abs(100 * end) for end in judged.interval)
    return [
        f"{100 * judged.score:.2f} %",
        f"[{low:.1f}, {high:.1f}]",
        _promised(record),
        size,
        counted,
    ]


def _promised(record: VerdictRecord) -> str:
    reference, tolerance = f"{100 * record.judgement.reference:.1f} %", record.promised.tolerance
    return f"> {reference}" if tolerance == "gain" else f"{reference} ± {tolerance}"
