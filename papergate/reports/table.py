"""The verdict table of a terminal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from papergate.printable import one_line, printable
from papergate.reports.family import family_of
from papergate.run_folder.notes import note
from papergate.run_folder.verdict import VerdictRecord
from papergate.words import Language, label, say

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
WIDE = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
"""Characters of Chinese, Japanese and Korean."""
OPENS, CLOSES = "（《【「『“‘", "）》】」』”’，。；：、？！"
"""Signs that do not end a line, and those that do not begin one."""
UNIT = re.compile(rf"\s*[{OPENS}]*(?:[^\s{WIDE}]+|[{WIDE}])[{CLOSES}]*")
"""What a line break leaves whole: a word, or one wide character, with the signs beside it."""
HEADINGS = ("verdict", "score", "interval", "promised", "n_x_k", "tokens", "promise")
"""Labels of the columns."""


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
        return bool(self.record and self.record.is_trial)


def print_table(
    lines: Sequence[Line],
    file: TextIO,
    *,
    width: int,
    colour: bool,
    quiet: bool = False,
    language: Language = "en",
) -> None:
    """One row a promise; below the table what each reader must know: sentences and warnings.

    ``quiet`` leaves out what stands beside the sentences, and the sentences of promises that are kept.
    """
    console = console_of(file, width, colour=colour)
    rows = [(line.verdict, *_numbers(line.record, language), line.promise) for line in lines]
    print_rows(console, HEADINGS, rows, language)
    for line in lines:
        if line.record and not (quiet and line.record.accepted):
            print_line(console, say(line.record.said, language))
            for text in [] if quiet else _beside(line.record, language):
                print_line(console, f"  {text}")
        elif line.asked:
            print_line(console, f"{line.promise}: {line.asked}")
    for error, promises in _errors(lines).items():
        print_line(console, f"{label('error', language)}{label('colon', language)}{shortened(error, language)}")
        if len(lines) > 1:
            print_line(console, f"  {say(note('of_promises', promises=promises), language)}")
    together = family_of([line.record for line in lines if line.record])
    if together and not quiet:
        print_line(console, f"\n{say(together.note, language)}")


def _errors(lines: Sequence[Line]) -> dict[str, list[str]]:
    """Each error once, with the promises that it left without a verdict."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if not (line.record or line.asked):
            found.setdefault(line.error, []).append(line.promise)
    return found


def console_of(file: TextIO, width: int, *, colour: bool) -> "Console":
    """What prints tables."""
    from rich.console import Console

    return Console(file=file, width=width, force_terminal=colour, no_color=not colour, highlight=False)


def print_rows(
    console: "Console", headings: Sequence[str], rows: Sequence[Sequence[str]], language: Language = "en"
) -> None:
    """Rows under their headings, in the colour of the verdict that they begin with, and an empty line."""
    styles = ["dim", *(STYLES.get(row[0], "dim") for row in rows)]
    said = [[label(name, language) for name in headings], *([label(row[0], language), *row[1:]] for row in rows)]
    cells = [[one_line(cell) for cell in row] for row in said]
    for text, style in zip(_aligned(cells, console.width), styles, strict=True):
        print_line(console, text, style)
    console.print()


def print_line(console: "Console", text: str, style: str = "") -> None:
    """Text as it may be shown, on a line of its own: in a terminal wrapped at words, in a log whole, to be searched."""
    from rich.text import Text

    shown = printable(text)
    lines = [_wrapped(line, console.width) for line in shown.split("\n")] if console.is_terminal else [shown]
    console.print(Text("\n".join(lines), style=style), soft_wrap=True)


def _wrapped(line: str, width: int) -> str:
    """Broken at spaces and beside Chinese characters; a word or address stays whole, even one that is too long."""
    from rich.cells import cell_len

    indent = line[: len(line) - len(line.lstrip())]
    lines = [""]
    for unit in UNIT.findall(line):
        if lines[-1] and cell_len(lines[-1] + unit) > width:
            lines.append(indent + unit.lstrip())
        else:
            lines[-1] += unit
    return "\n".join(lines)


def shortened(error: str, language: Language = "en") -> str:
    """An error whose further lines are indented, and cut where they are many."""
    lines = [line.strip() for line in error.splitlines()]
    cut = note("lines_left_out", shown=MOST_LINES, lines=len(lines))
    return "\n  ".join([*lines[:MOST_LINES], *([say(cut, language)] if len(lines) > MOST_LINES else [])])


def _beside(record: VerdictRecord, language: Language) -> list[str]:
    """Why answers are wrong, what a reader must know, then what the numbers can show."""
    further = record.causes[int(not record.accepted) :]  # the sentence of a red names the first
    causes = [note("likely_cause", cause) for cause in further]
    return [say(one, language) for one in (*causes, *(note("note", one) for one in record.notes), *record.remarks)]


def _aligned(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Columns under each other; those that a narrow terminal has no room for go to further lines."""
    from rich.cells import cell_len

    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    before = _separators(widths, width)
    padded = ([cell + " " * (size - cell_len(cell)) for cell, size in zip(row, widths, strict=True)] for row in rows)
    return ["".join(gap + cell for gap, cell in zip(before, row, strict=True)) for row in padded]


def _separators(widths: Sequence[int], width: int) -> list[str]:
    """What stands before each column: nothing, two spaces, or the start of a further line."""
    separators, used = [""], widths[0]
    for size in widths[1:]:
        fits = used + 2 + size <= width
        separators.append("  " if fits else "\n    ")
        used = used + 2 + size if fits else 4 + size
    return separators


def _numbers(record: VerdictRecord | None, language: Language) -> list[str]:
    if record is None:
        return ["-"] * (len(HEADINGS) - 2)
    judged, tokens = record.judgement, record.tokens.output
    size = f"{judged.n} x {record.counts.samples_each}"
    counted = "-" if tokens is None else f"{tokens:,}"
    if record.is_trial:
        return ["-", "-", _promised(record, language), size, counted]
    low, high = (abs(100 * end) for end in judged.interval)
    return [
        f"{100 * judged.score:.2f} %",
        f"[{low:.1f}, {high:.1f}]",
        _promised(record, language),
        size,
        counted,
    ]


def _promised(record: VerdictRecord, language: Language) -> str:
    reference, tolerance = f"{100 * record.judgement.reference:.1f} %", record.promised.tolerance
    if tolerance == "gain":
        return f"> {reference}"
    return f"{reference} ± {say(record.promised.within, language)}"
