"""The command line: what papergate does without pytest."""

import argparse
import sys

from papergate import __version__
from papergate.cli import grade, judge, plan, suite
from papergate.errors import PapergateError

USAGE_ERROR = 2


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand and return its exit status; papergate's own errors are one message and status 2."""
    given = sys.argv[1:] if argv is None else argv
    if given and given[0] in suite.FOLDERS:
        suite.run(given[0], given[1:])
    parser = argparse.ArgumentParser(
        prog="papergate", description="Does this deployment of a reasoning model score what the paper says?"
    )
    parser.add_argument("--version", action="version", version=f"papergate {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (suite, grade, judge, plan):
        command.add_parser(subparsers)
    args = parser.parse_args(given)
    try:
        status: int = args.run(args)
    except PapergateError as error:
        print(f"papergate: {error}", file=sys.stderr)
        return USAGE_ERROR
    return status
