"""``papergate drift``: does a deployment compute what the golden one computes? Some 60 answers, and no run."""

import argparse
from pathlib import Path
from typing import Any

from papergate.acceptance.drifting import drift_lines
from papergate.acceptance.options import options_in
from papergate.cli.preflight import add_deployment
from papergate.errors import OptionsError
from papergate.exit_codes import ExitCode
from papergate.gate import drifts
from papergate.printable import printable
from papergate.run_folder.drift import DriftResult
from papergate.run_folder.files import DRIFT_FILE
from papergate.run_folder.notes import note
from papergate.words import worded

WORST_FIRST: tuple[tuple[DriftResult, ExitCode], ...] = (
    ("drifted", ExitCode.BROKEN),
    ("cannot tell", ExitCode.UNDECIDED),
)


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``drift`` to the command line."""
    parser = subparsers.add_parser(
        "drift",
        help="compare a deployment with golden answers; exit 0: pass, 1: drifted, 10: cannot tell",
        description="Give a deployment the tokens of golden answers, compare log-probabilities and greedy answers.",
        epilog="example: papergate drift ascend --endpoint http://10.0.0.5:8081 --golden golden/r1-qwen-14b",
    )
    add_deployment(parser)
    parser.add_argument(
        "--golden", required=True, type=Path, metavar="FOLDER", help="as `papergate golden make` wrote it"
    )
    parser.add_argument("--run", metavar="DIR", dest="folder", help="folder of the record (default: a new run)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare every deployment of the target, show and keep what was found, and return the exit code."""
    options = options_in(args, run=args.folder)
    found = drifts(options, targets=[args.target])
    if not found:
        raise worded(OptionsError, note("no_deployment_here", target=args.target))
    for folder, record in found:
        print(printable("\n".join([*drift_lines(record, options.language), f"record: {folder / DRIFT_FILE}"])))
    results = {record.result for _, record in found}
    return next((code for result, code in WORST_FIRST if result in results), ExitCode.KEPT)
