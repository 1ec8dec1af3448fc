"""``papergate golden``: what a trusted deployment leaves for others to be compared with."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from papergate.acceptance.drifting import ANSWERS, TOKENS, Making
from papergate.acceptance.options import options_in, refuse_not_above_zero
from papergate.cli.preflight import add_deployment
from papergate.diagnosis.drift import by_divergence, thresholds
from papergate.errors import StoreError
from papergate.files import reason
from papergate.gate import golden_made
from papergate.printable import printable
from papergate.run_folder.golden_answers import require_room_for_golden, write_golden_answers
from papergate.run_folder.notes import note
from papergate.words import worded


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``golden`` to the command line."""
    parser = subparsers.add_parser(
        "golden",
        help="make golden answers, with which `papergate drift` compares",
        epilog="example: papergate golden make a100 --endpoint http://10.0.0.5:8081 -o golden/r1-qwen-14b",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    make = commands.add_parser(
        "make",
        help="store answers of a trusted deployment with their log-probabilities, and what faithful ones differ by",
        description="Store answers of a trusted deployment with their log-probabilities, and measure its own noise. "
        "Where harm begins is measured on a copy in four bits: in process it is made, of a server --damaged names one. "
        "Without it, 50 times the noise is taken, as on the embedded model; docs/drift.md names all such numbers.",
        epilog="example: papergate golden make a100 --endpoint http://10.0.0.5:8081 -o golden/r1-qwen-14b",
    )
    add_deployment(make)
    make.add_argument("-o", "--output", required=True, type=Path, metavar="FOLDER", help="where they are written")
    make.add_argument("--answers", type=int, default=ANSWERS, metavar="N", help=f"answers of each kind ({ANSWERS})")
    make.add_argument("--tokens", type=int, default=TOKENS, metavar="N", help=f"most tokens of an answer ({TOKENS})")
    make.add_argument(
        "--faithful",
        action="append",
        default=[],
        metavar="URL",
        help="another server of these weights that is right too: another dtype, batch or card; repeat for several",
    )
    make.add_argument(
        "--damaged", action="append", default=[], metavar="URL", help="a server of these weights in four bits"
    )
    make.set_defaults(run=run_make)


def run_make(args: argparse.Namespace) -> int:
    """Make and keep golden answers, and say from where on others differ."""
    refuse_not_above_zero({"--answers": args.answers, "--tokens": args.tokens}.get, "--answers", "--tokens")
    making = Making(
        answers=args.answers, tokens=args.tokens, faithful=tuple(args.faithful), damaged=tuple(args.damaged)
    )
    require_room_for_golden(args.output)
    say_so = partial(print, flush=True)
    record = golden_made(options_in(args), target=args.target, making=making, say_so=say_so)
    try:
        path = write_golden_answers(args.output, record)
    except OSError as error:
        raise worded(StoreError, note("output_not_written", file=f"{args.output}", reason=reason(error))) from error
    limits = thresholds(record.variations, by_divergence)
    how = "measured" if limits.measured else "assumed from the noise; --damaged URL measures it"
    print(f"warning from {limits.warn:.2g} on, failure from {limits.fail:.2g} on ({how})")
    print(printable(f"golden answers: {path}"))
    return 0
