"""``papergate pool``: one verdict on several promises of one deployment."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from papergate.acceptance.options import add_language_option
from papergate.cli.judge import BROKEN, KEPT, part_of
from papergate.statistics.pooled import pool
from papergate.statistics.rule import Decision
from papergate.words import language_of, say


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``pool`` to the command line."""
    parser = subparsers.add_parser(
        "pool",
        help="say whether several promises of one deployment have lost in common",
        description="One verdict on several promises of one deployment, each difference in margins of its own promise. "
        "It needs fewer samples than each promise alone; a loss of one promise alone it may not see.",
        epilog="example: papergate pool aime.json math.json\n\n"
        "Each file is as papergate judge --help describes it. Exit codes are those of papergate judge.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON file of one promise's result")
    parser.add_argument("--json", action="store_true", help="print all numbers as one JSON object")
    add_language_option(parser.add_argument)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge, print, and return the exit code."""
    found = pool([part_of(file) for file in args.files])
    sentence = say(found.note, language_of(args.language))
    text = json.dumps({**asdict(found), "sentence": sentence}, indent=2) if args.json else sentence
    sys.stdout.write(f"{text}\n")
    return KEPT if found.decision is Decision.PASS else BROKEN
