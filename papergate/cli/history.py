"""``papergate history``: scores, lengths and speed over the releases of a deployment."""

import argparse
from pathlib import Path
from typing import Any

from papergate.cli.beside import add_output_options, tell
from papergate.reports.beside import over_time


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``history`` to the command line."""
    parser = subparsers.add_parser(
        "history",
        help="scores, lengths and speed over releases, and which changes are more than chance",
        description="List every promise of the runs in a folder, oldest first, each against the one before it.",
        epilog="example: papergate history runs --html history.html",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder that holds the folders of runs")
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the tables, and write the page where one is asked for."""
    return tell(over_time(args.folder), "history_heading", args)
