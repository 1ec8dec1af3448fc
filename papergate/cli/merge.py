"""``papergate merge``: the shards of a run, asked on many machines, joined and judged as one run."""

import argparse
from pathlib import Path
from typing import Any

from papergate.acceptance.options import add_judging_options, options_in
from papergate.cli.runs import print_judged
from papergate.gate import merge, merge_fleet
from papergate.promises import read_fleet
from papergate.reports.junit import write_junit


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``merge`` to the command line."""
    parser = subparsers.add_parser(
        "merge",
        help="join runs that were asked with --shard, and judge them as one; exit codes as those of papergate gate",
        description="Join the shards of a run into one new run folder and judge it, without hardware or server. A "
        "shard that is missing, incomplete, given twice, or of another run, plan or release is refused: exit 2.",
        epilog="example: papergate merge shard-0 shard-1 -o runs/whole",
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of the shards")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUN", help="folder of the whole run")
    parser.add_argument("--holm", action="store_true", help="a failure must be sure among all promises together (Holm)")
    parser.add_argument("--fleet", type=Path, metavar="FILE", help="matrix file whose promises are one family (Holm)")
    parser.add_argument("--junitxml", type=Path, metavar="FILE", help="JUnit report with a test case for each promise")
    add_judging_options(parser.add_argument)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Merge, print the verdicts, and return the exit code."""
    options = options_in(args)
    if args.fleet:
        ended = merge_fleet(args.runs, args.output, options, read_fleet(args.fleet))
    else:
        ended = merge(args.runs, args.output, options)
    if args.junitxml:
        write_junit(args.junitxml, ended.lines, options.language)
    return print_judged(ended, options.language)
