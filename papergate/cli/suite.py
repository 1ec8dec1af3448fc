"""Where the suite stands, and running it: ``papergate gate`` is pytest on the files that the wheel carries."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

import papergate

FOLDERS = {"gate": "tests/accuracy", "perf": "tests/perf"}
"""The tests that each command runs. pytest reads all that follows the command: its own options and the gate's."""
WHERE = 'Print where the suite stands, to run it by pytest itself: pytest "$(papergate where)" -m a100 --endpoint URL'


def root() -> Path:
    """The folder that holds the suite's conftest.py: the clone, or the place where the wheel laid it."""
    package = Path(papergate.__file__).parent
    installed = package / "suite"
    return installed if installed.is_dir() else package.parent


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``where`` to the command line, and ``gate`` and ``perf`` to its help."""
    subparsers.add_parser("gate", help="test the promises of a target: papergate gate a100 --endpoint URL")
    subparsers.add_parser("perf", help="measure workloads: papergate perf --endpoint URL --model NAME")
    where = subparsers.add_parser("where", help="print where the suite stands", description=WHERE)
    where.set_defaults(run=run_where)


def run(command: str, arguments: list[str]) -> NoReturn:
    """Become pytest on the tests of ``command``; its exit status is that of papergate."""
    pytest = [sys.executable, "-m", "pytest", *suite_arguments(FOLDERS[command], arguments)]
    os.execv(sys.executable, pytest)  # noqa: S606 - this interpreter, and what the user typed


def run_where(_: argparse.Namespace) -> int:
    """Print the folder of the accuracy tests."""
    print(root() / FOLDERS["gate"])
    return 0


def suite_arguments(folder: str, given: list[str]) -> list[str]:
    """Arguments of pytest for ``papergate gate TARGET OPTION ...``; the target may be left out."""
    target = [] if not given or given[0].startswith("-") else ["-m", given[0]]
    place = root()
    settings = [f"--rootdir={place}", f"-c={place / 'pyproject.toml'}", f"-ocache_dir={Path.cwd() / '.pytest_cache'}"]
    return [str(place / folder), *settings, *target, *given[bool(target) :]]
