"""``papergate fleet``: the promises of a matrix file, one job each, for a CI or a scheduler to run."""

import argparse
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from papergate.acceptance.options import options_in
from papergate.acceptance.selection import read_setup
from papergate.printable import printable
from papergate.promises.fleet import read_fleet


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``fleet`` to the command line."""
    parser = subparsers.add_parser(
        "fleet",
        help="list the promises of a matrix file with the command of each",
        description="List the promises that a matrix file of targets, models, benchmarks and protocols names, and the "
        "command that tests each. Nothing is started.",
        epilog="example: papergate fleet fleet.toml",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="matrix file (*.toml), see docs/scale.md")
    parser.add_argument("--targets", action="append", default=[], metavar="DIR", help="folder with targets of your own")
    parser.add_argument("--json", action="store_true", help="a JSON list, as the matrix of a CI takes it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the jobs, and return the exit code."""
    setup = read_setup(options_in(args))
    expected = read_fleet(args.file).expand(setup.promises)
    target_of = {promise.id: promise.target for promise in setup.promises}
    jobs = [_job(promise, target_of[promise], protocol) for promise, protocol in expected.items()]
    print(printable(json.dumps(jobs) if args.json else "\n".join(job["command"] for job in jobs)))
    return 0


def _job(promise: str, target: str, protocol: str) -> Mapping[str, str]:
    command = shlex.join(["papergate", "gate", target, "-k", promise, "--protocol", protocol])
    return {"promise": promise, "target": target, "protocol": protocol, "command": command}
