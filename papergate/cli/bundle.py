"""``papergate bundle``: a run as one file that anyone can check."""

import argparse
from pathlib import Path
from typing import Any

from papergate.evidence.bundle import write_bundle
from papergate.evidence.signature import sign
from papergate.files import MEBIBYTE
from papergate.printable import printable


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``bundle`` to the command line."""
    parser = subparsers.add_parser(
        "bundle",
        help="put the evidence of a run into one file that anyone can check",
        description="Write promises, environment, completions, grades, verdicts and speed of a run to one zip file. No "
        "text of a benchmark is in it, other than what completions repeat. The same run gives the same bytes.",
        epilog="example: papergate bundle runs/20260131-120000-ab12 -o r1.zip --junit accept.xml --sign ~/.ssh/key",
    )
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="zip file to write")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="JUnit report of the run, to go into the bundle")
    parser.add_argument("--sign", type=Path, metavar="KEY", help="key of OpenSSH; the signature is written to FILE.sig")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the bundle, and say what it is known by."""
    done = write_bundle(args.folder, args.output, args.junit)
    print(printable(f"{args.output}: {done.files} files, {done.size / MEBIBYTE:.1f} MiB"))
    print(f"root: {done.root}")
    if args.sign:
        print(printable(f"signature: {sign(args.output, args.sign)}"))
    print(printable(f"check it: papergate verify {args.output}"))
    return 0
