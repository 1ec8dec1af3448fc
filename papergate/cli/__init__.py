"""The command line."""

import argparse

from papergate.cli import grade


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand and return its exit status."""
    parser = argparse.ArgumentParser(prog="papergate")
    subparsers = parser.add_subparsers(required=True)
    grade.add_parser(subparsers)
    args = parser.parse_args(argv)
    status: int = args.run(args)
    return status
