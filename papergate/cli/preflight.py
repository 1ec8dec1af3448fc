"""``papergate preflight``: is a server set up as its promises need it? A few hundred short requests, and no run."""

import argparse
import sys
from functools import partial
from typing import Any

from papergate.acceptance.options import add_language_option, options_in
from papergate.completions.progress import progress_for
from papergate.errors import OptionsError
from papergate.gate import preflights
from papergate.run_folder.notes import note
from papergate.words import worded

IN_ORDER, FAILED = 0, 1
OPTIONS = {
    "endpoint": ("URL", "the server; repeat for several"),
    "data": ("BENCHMARK=FILE", "local copy of a benchmark, whose problems are the prompts"),
    "targets": ("DIR", "folder with targets of your own"),
}
"""Those that may be repeated."""


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``preflight`` to the command line."""
    parser = subparsers.add_parser(
        "preflight",
        help="check a server before it is asked; exit 0: in order, 1: the run would be spoilt",
        description="Check a server before a run is paid for: limits, a whole answer, temperature, top_p, seeds.",
        epilog="example: papergate preflight a100 --endpoint http://10.0.0.5:8081",
    )
    add_deployment(parser)
    parser.set_defaults(run=run)


def add_deployment(parser: argparse.ArgumentParser) -> None:
    """Which deployment a command is about, and how it is reached."""
    parser.add_argument("target", metavar="TARGET", help="the target whose deployment the server is")
    for name, (metavar, what) in OPTIONS.items():
        parser.add_argument(f"--{name}", action="append", default=[], metavar=metavar, help=what)
    parser.add_argument("--ray", metavar="URL", help="dashboard of the Ray cluster that serves it; URL#APPLICATION")
    parser.add_argument("--ca-file", metavar="FILE", help="certificates (PEM) to trust for https endpoints")
    parser.add_argument("--model", metavar="NAME", help="name under which the server serves the model")
    add_language_option(parser.add_argument)


def run(args: argparse.Namespace) -> int:
    """Check every server of the target, show what was found, and return the exit code."""
    options = options_in(args)
    show = partial(progress_for, sys.stdout, language=options.language)
    records = preflights(options, targets=[args.target], show=show)
    if not records:
        raise worded(OptionsError, note("no_server_of_target", target=args.target))
    return FAILED if any(record.failed for record in records) else IN_ORDER
