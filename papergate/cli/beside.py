"""What ``compare`` and ``history`` share: tables on the terminal, a page where one is asked for."""

import argparse
import shutil
import sys
from pathlib import Path

from papergate.errors import OptionsError
from papergate.files import bytes_written, reason
from papergate.reports.beside import Beside, notes, tables
from papergate.reports.beside_page import beside_page
from papergate.reports.pictures import Table
from papergate.reports.said import Said
from papergate.reports.table import console_of, print_line, print_rows
from papergate.run_folder.notes import note
from papergate.words import LANGUAGES, VARIABLE, Language, language_of, say, worded


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Where the tables go, and in which language."""
    parser.add_argument("--html", type=Path, metavar="FILE", help="page to write, in the style of a run's report")
    parser.add_argument("--language", choices=[*LANGUAGES], help=f"language of both; default: {VARIABLE}, else en")


def tell(beside: Beside, heading: str, args: argparse.Namespace) -> int:
    """Print ``beside``, write the page, and return the exit code."""
    language = language_of(args.language)
    if args.html:
        _write(args.html, beside_page(beside, heading, language).encode(errors="replace"))
    console = console_of(sys.stdout, shutil.get_terminal_size().columns, colour=sys.stdout.isatty())
    for name, table in tables(beside):
        print_line(console, name.texts[language], "bold")
        heads, *rows = _texts(table, language)
        print_rows(console, heads, rows, language)
    for one in notes(beside):
        print_line(console, say(one, language))
    if args.html:
        print_line(console, f"page: {args.html}")
    return 0


def _texts(table: Table, language: Language) -> list[list[str]]:
    cells = [table.heads, *table.rows]
    return [[cell.texts[language] if isinstance(cell, Said) else cell for cell in row] for row in cells]


def _write(path: Path, page: bytes) -> None:
    if path.exists() and not path.is_file():
        raise worded(OptionsError, note("html_no_file", file=f"{path}"))
    try:
        with bytes_written(path) as file:
            file.write(page)
    except OSError as error:
        raise worded(OptionsError, note("html_not_written", file=f"{path}", reason=reason(error))) from error
