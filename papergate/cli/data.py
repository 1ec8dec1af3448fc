"""``papergate data check``: are the problems here, and which text of them? Nothing is asked of a model."""

import argparse
from typing import Any

from papergate.acceptance.options import options_in
from papergate.acceptance.selection import Setup, read_setup
from papergate.benchmarks.checking import CheckedData, check_data
from papergate.errors import OptionsError
from papergate.printable import printable
from papergate.promises import Task

ALL_HERE, NOT_ALL = 0, 1


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``data`` to the command line."""
    parser = subparsers.add_parser(
        "data", help="check the problems before anything is spent", epilog="example: papergate data check a100"
    )
    inner = parser.add_subparsers(required=True, metavar="COMMAND")
    check = inner.add_parser(
        "check",
        help="which benchmarks are here, with which text",
        description="Say which benchmarks are here, their text by its digest, and what is missing. Nothing is asked of "
        "a model, and nothing is downloaded without --download. Exit 0: all can be asked; 1: not all.",
        epilog="example: papergate data check a100 --data aime2024=aime.jsonl --protocol vendor",
    )
    check.add_argument("target", nargs="*", metavar="TARGET", help="targets whose benchmarks are checked; default: all")
    check.add_argument(
        "--data", action="append", default=[], metavar="BENCHMARK=FILE", help="local copy of a benchmark; repeat"
    )
    check.add_argument("--targets", action="append", default=[], metavar="DIR", help="folder with targets of your own")
    check.add_argument("--protocol", choices=["paper", "vendor"], default="paper", help="vendor: for documents' tools")
    check.add_argument("--download", action="store_true", help="fetch what is missing from its origins")
    check.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check every benchmark that is wanted, show what was found, and return the exit code."""
    setup = read_setup(options_in(args))
    found = [
        check_data(
            setup.benchmarks[name],
            setup.options.data.get(name),
            tasks=tasks if args.protocol == "vendor" else (),
            download=args.download,
        )
        for name, tasks in _wanted(setup, args.target).items()
    ]
    for one in found:
        print(lines_of(one))
    return NOT_ALL if any(one.state == "missing" for one in found) else ALL_HERE


def lines_of(checked: CheckedData) -> str:
    """Name and state, then what was found, a line each."""
    first, *more = checked.says
    head = f"{checked.name:<14} {checked.state:<11} {printable(first)}"
    return "\n".join((head, *(f"{'':<27}{printable(line.strip())}" for line in more)))


def _wanted(setup: Setup, targets: list[str]) -> dict[str, tuple[Task, ...]]:
    """The benchmarks of the targets' promises, and how the tools of their documents ask them.

    Raises:
        OptionsError: there is no such target.
    """
    known = {target.name for target in setup.targets}
    if unknown := sorted(set(targets) - known):
        raise OptionsError(f"{unknown[0]}: no such target; known: {', '.join(sorted(known))}")
    tasks: dict[str, list[Task]] = {}
    for promise in setup.promises:
        if not targets or promise.target in targets:
            of_it = tasks.setdefault(promise.benchmark, [])
            if promise.task and promise.task not in of_it:
                of_it.append(promise.task)
    return {name: tuple(found) for name, found in sorted(tasks.items())}
