"""``papergate runs``: what a run folder holds, and whether all of it is as it was written."""

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from papergate.acceptance.options import add_judging_options, add_language_option, options_in
from papergate.completions.contents import Contents
from papergate.completions.repair import repair
from papergate.completions.store import contents_of, read_manifest, read_sessions
from papergate.errors import StoreError
from papergate.files import reason
from papergate.gate import Ended, judge_again
from papergate.printable import one_line, printable
from papergate.reports.run import holds_a_run, stored_lines
from papergate.reports.table import print_table
from papergate.run_folder.files import COMPLETIONS_FILE, HISTORY_FILE, MANIFEST_FILE, PAGE_FILE
from papergate.run_folder.history import Entry, changed_files, missing_files, read_history, refuse_misplaced
from papergate.run_folder.notes import note
from papergate.run_folder.preflight import read_preflight
from papergate.run_folder.verdict import VerdictRecord, read_verdict
from papergate.words import Language, language_of, say, worded

SOUND, DAMAGED = 0, 1
NAMED = 20
"""Damages of one store that are listed; a file saved in another encoding has one a line."""


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``runs`` to the command line."""
    parser = subparsers.add_parser(
        "runs", help="look after the folders of runs", epilog="example: papergate runs show runs/20260131-120000-ab12"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = commands.add_parser(
        "list",
        help="list the runs of a folder, newest first, with their verdicts",
        epilog="example: papergate runs list",
    )
    listed.add_argument("folder", type=Path, nargs="?", default=Path("runs"), metavar="DIR", help="folder of runs")
    listed.set_defaults(run=run_list)
    shown = commands.add_parser(
        "show",
        help="show the verdicts of a run as they were given; exit codes as those of papergate gate",
        epilog="example: papergate runs show runs/20260131-120000-ab12",
    )
    shown.add_argument("folder", type=Path, metavar="RUN", help="folder of a run")
    add_language_option(shown.add_argument)
    shown.set_defaults(run=run_show)
    check = commands.add_parser(
        "check",
        help="say whether the completions of a run are as they were written; exit 0: yes, 1: no",
        description="Say whether a run's completions are as they were written. Without --repair nothing is changed.",
        epilog="example: papergate runs check runs/20260131-120000-ab12",
    )
    check.add_argument("folder", type=Path, metavar="RUN", help="folder of a run, or of one promise in it")
    check.add_argument(
        "--repair",
        action="store_true",
        help="keep the whole records and set the damaged file aside; the report will say so",
    )
    check.set_defaults(run=run_check)
    again = commands.add_parser(
        "judge",
        help="judge what a run holds again, offline; exit codes as those of papergate gate",
        description="Judge the completions of a run again, without its hardware or server. A new verdict replaces the "
        "earlier one; what cannot be judged leaves record and page as they are.",
        epilog="example: papergate runs judge runs/20260131-120000-ab12 --data math500=math_500.jsonl",
    )
    again.add_argument("folder", type=Path, metavar="RUN", help="folder of a run")
    add_judging_options(again.add_argument)
    again.set_defaults(run=run_judge)


def run_list(args: argparse.Namespace) -> int:
    """Print a line for each run, newest first, and return the exit code."""
    try:
        folders = sorted((folder for folder in args.folder.iterdir() if holds_a_run(folder)), reverse=True)
    except OSError as error:
        raise worded(StoreError, note("runs_unread", folder=args.folder, reason=reason(error))) from error
    if not folders:
        raise worded(StoreError, note("runs_none", folder=args.folder))
    for folder in folders:
        verdicts = Counter(line.verdict for line in stored_lines(folder))
        told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        print(f"{one_line(str(folder), 1000)}  {told or 'speed only'}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the verdicts of a run as they stand, and return the exit code."""
    if not args.folder.is_dir() or not holds_a_run(args.folder):
        raise worded(StoreError, note("run_none", folder=args.folder))
    ended = Ended(folder=args.folder, lines=tuple(stored_lines(args.folder)))
    return print_judged(ended, language_of(args.language))


def run_check(args: argparse.Namespace) -> int:
    """Check every store of the run, print its state, and return the exit code."""
    damaged = [folder for folder in _stores(args.folder) if not _is_sound(folder, args.folder, mend=args.repair)]
    return DAMAGED if damaged else SOUND


def run_judge(args: argparse.Namespace) -> int:
    """Judge the run again, print its verdicts, and return the exit code."""
    options = options_in(args)
    return print_judged(judge_again(args.folder, options), options.language)


def print_judged(ended: Ended, language: Language) -> int:
    """Print the verdicts on a stored run, and return the exit code."""
    width = shutil.get_terminal_size().columns
    print_table(ended.lines, sys.stdout, width=width, colour=sys.stdout.isatty(), language=language)
    print(printable(ended.page_error or say(note("report_at", path=str(ended.folder / PAGE_FILE)), language)))
    return ended.exit_code


def _stores(run: Path) -> list[Path]:
    """The folders of promises in ``run``, or itself."""
    try:
        folders = [run, *sorted(run.iterdir())] if run.is_dir() else []
    except OSError as error:
        raise worded(StoreError, note("file_unread", file=f"{run}", reason=reason(error))) from error
    found = [
        folder for folder in folders if any((folder / name).exists() for name in (MANIFEST_FILE, COMPLETIONS_FILE))
    ]
    if not found:
        raise worded(StoreError, note("run_not_there", run=f"{run}"))
    return found


def _is_sound(folder: Path, run: Path, *, mend: bool) -> bool:
    """Print the state of one store of ``run``, repaired first where that is asked for."""
    try:
        if mend and (done := repair(folder)):
            kept = f"{folder}: repaired: {done.kept} records kept; {done.aside.name} is the file as it was"
            print(printable(kept))
        if folder != run:
            refuse_misplaced(folder, read_manifest(folder).promise)
        read_sessions(folder)
        read_preflight(folder)
        contents, verdict, history = contents_of(folder), read_verdict(folder), read_history(folder)
        damages = [*contents.damages, *_of_verdict(folder, verdict, history)]
    except StoreError as error:
        print(printable(f"{folder}: damaged:\n  - {error}"))
        return False
    lines = [f"  - {damage}" for damage in damages[:NAMED]]
    if more := max(0, len(damages) - NAMED) + contents.more_damages:
        lines.append(f"  - and {more} more")
    before = f" after {', '.join(one.verdict for one in history[:-1])}" if verdict and len(history) > 1 else ""
    judged = f"verdict {verdict.verdict}{before}" if verdict else "no verdict"
    state = f"{folder}: {'damaged' if lines else 'sound'}: {_holds(contents)}, {judged}"
    print(printable("\n".join([state, *lines])))
    if lines:
        remedy = f"  restore the files from a copy, or: papergate runs check {folder} --repair"
        print(printable(remedy), file=sys.stderr)
    return not lines


def _of_verdict(folder: Path, verdict: VerdictRecord | None, history: Sequence[Entry]) -> list[str]:
    """What was changed since the last verdict was put down."""
    if verdict is None:
        return []
    made_with = f"what the last verdict in {HISTORY_FILE} was made with"
    return [
        *(
            f"{name} is not {made_with}: it was edited or replaced; judge again"
            for name in changed_files(folder, history)
        ),
        *(f"{name} is missing of {made_with}; restore it, or judge again" for name in missing_files(folder, history)),
    ]


def _holds(contents: Contents) -> str:
    held = [f"{len(contents.succeeded)} completions", f"{len(contents.failed)} failures"]
    if contents.unsealed:
        held.append(f"{contents.unsealed} records without checksums, from an earlier papergate")
    if contents.interrupted:
        held.append(f"{contents.interrupted} interrupted writes, which count for nothing")
    return ", ".join(held)
