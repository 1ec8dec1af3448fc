"""``papergate statement``: a run on one page, in the shape of the vendors' documents."""

import argparse
import sys
from pathlib import Path
from typing import Any

from papergate.errors import OptionsError
from papergate.files import bytes_written, reason
from papergate.printable import printable
from papergate.reports.statement import markdown, statement_of
from papergate.reports.statement_pdf import pdf
from papergate.run_folder.notes import note
from papergate.words import LANGUAGES, VARIABLE, language_of, worded


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``statement`` to the command line."""
    parser = subparsers.add_parser(
        "statement",
        help="a run on one page: data set, official, measured, error, result",
        description="State a run on one page in the shape of the vendors' documents, with interval, protocol, what is "
        "not verified, and the root of the evidence. Without -o it is printed as Markdown.",
        epilog="example: papergate statement runs/20260131-120000-ab12 -o r1.pdf",
    )
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="file to write: FILE.md or FILE.pdf")
    parser.add_argument("--language", choices=[*LANGUAGES], help=f"its language; default: {VARIABLE}, else en")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write or print the statement."""
    if args.output and args.output.suffix not in {".md", ".pdf"}:
        raise worded(OptionsError, note("statement_name", output=args.output))
    stated = statement_of(args.folder, language_of(args.language))
    if args.output is None:
        sys.stdout.write(printable(markdown(stated)))
        return 0
    data = pdf(stated) if args.output.suffix == ".pdf" else markdown(stated).encode(errors="replace")
    try:
        with bytes_written(args.output) as file:
            file.write(data)
    except OSError as error:
        raise worded(OptionsError, note("statement_not_written", output=args.output, reason=reason(error))) from error
    return 0
