"""``papergate compare``: runs, engines and releases side by side."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from papergate.cli.beside import add_output_options, tell
from papergate.errors import OptionsError
from papergate.reports.beside import side_by_side
from papergate.run_folder.notes import note
from papergate.words import worded


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``compare`` to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="runs side by side: scores, differences by problem, lengths, speed",
        description="Set runs side by side, each against the first that has the benchmark: score and interval, the "
        "difference by problem with its interval, problems that moved, lengths, speed.",
        epilog="example: papergate compare runs/20260131-120000-ab12 runs/20260207-120000-cd34 --html both.html",
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folder of a finished run")
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the tables, and write the page where one is asked for."""
    _refuse_twice(args.runs)
    return tell(side_by_side(args.runs), "compare_heading", args)


def _refuse_twice(runs: Sequence[Path]) -> None:
    if len({path.resolve() for path in runs}) < len(runs):
        raise worded(OptionsError, note("run_named_twice"))
