"""The command line: what papergate does without pytest."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from papergate import __version__
from papergate.cli import suite
from papergate.cli.parser import Parser
from papergate.cli.telling import tell
from papergate.errors import PapergateError
from papergate.printable import printable
from papergate.words import explain, language_for_errors

USAGE_ERROR = 2
CRASHED = 70
"""EX_SOFTWARE of sysexits.h: papergate itself broke, which says nothing of any promise."""
INTERRUPTED = 130
"""As a shell has it after Ctrl-C."""
DEBUG = "PAPERGATE_DEBUG"
"""Variable that shows the whole traceback of a crash."""

MODULES = (
    "suite",
    "data",
    "preflight",
    "golden",
    "drift",
    "grade",
    "judge",
    "fleet",
    "merge",
    "pool",
    "plan",
    "runs",
    "compare",
    "history",
    "targets",
    "statement",
    "bundle",
    "verify",
    "doctor",
)
"""In the order of the help. Each adds the command of its name; suite adds gate, perf and where."""
COMPLETION = "_ARGCOMPLETE"
"""Variable by which argcomplete is asked for completions."""


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand and return its exit status; papergate's own errors are one message and status 2."""
    if sys.stderr is None:  # the caller closed it
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end of the process
    given = sys.argv[1:] if argv is None else argv
    if given and given[0] in suite.FOLDERS and not {"-h", "--help"} & {*given} and COMPLETION not in os.environ:
        suite.run(given[0], given[1:])
    parser = parser_of(given[:1])
    if COMPLETION in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
    args = parser.parse_args(given)
    try:
        status: int = args.run(args)
    except PapergateError as error:
        language = language_for_errors(getattr(args, "language", None))
        tell(f"papergate: {explain(error, language)}\n")
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort, so that no crash looks like a verdict
        return _crashed(error)
    return status


def parser_of(command: Sequence[str] = ()) -> Parser:
    """The parser of papergate; only what ``command`` names is imported, where it is one."""
    parser = Parser(
        prog="papergate",
        description="Does this deployment of a reasoning model score what the paper says?",
        epilog="example: papergate gate a100 --endpoint http://10.0.0.5:8081",
    )
    parser.add_argument("--version", action="version", version=f"papergate {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in [*set(command) & {*MODULES}] or MODULES:
        import_module(f"papergate.cli.{name}").add_parser(subparsers)
    return parser


def _crashed(error: Exception) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    tell(
        f"papergate: a fault in papergate itself, no verdict: {type(error).__name__}: {printable(str(error))} "
        f"({Path(place.filename).name}, line {place.lineno}); please report it, with what {DEBUG}=1 shows\n"
    )
    return CRASHED
