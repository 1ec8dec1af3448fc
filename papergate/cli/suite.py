"""Where the suite is, and running it: ``papergate gate`` is pytest on the files that the wheel carries."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import papergate

FOLDERS = {"gate": "tests/accuracy", "perf": "tests/perf"}
"""The tests that each command runs. pytest reads all that follows the command: its own options and the gate's."""
WHERE = 'Print where the suite is, to run it by pytest itself: pytest "$(papergate where)" -m a100 --endpoint URL'


def root() -> Path:
    """The folder that holds the suite's conftest.py: the clone, or the place where the wheel laid it."""
    package = Path(papergate.__file__).parent
    installed = package / "suite"
    return installed if installed.is_dir() else package.parent


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``gate``, ``perf`` and ``where`` to the command line; pytest reads what follows the first two."""
    from papergate.acceptance.options import add_options
    from papergate.performance.options import add_speed_options

    gate = subparsers.add_parser(
        "gate",
        help="test the promises of a target",
        description="Test the promises of a target. Every option of pytest works too: -k, -x, -n, --junitxml ..",
        epilog="example: papergate gate a100 -k aime2024 --endpoint http://10.0.0.5:8081 --junitxml=r1.xml",
    )
    target = gate.add_argument(
        "target", nargs="?", metavar="TARGET", help="its name, or an expression as pytest -m takes"
    )
    target.completer = _targets
    add_options(gate.add_argument)
    perf = subparsers.add_parser(
        "perf",
        help="measure workloads",
        description="Measure workloads. Every option of pytest and pytest-benchmark works too.",
        epilog="example: papergate perf --endpoint http://10.0.0.5:8081 --model r1 --benchmark-json=perf.json",
    )
    add_options(perf.add_argument)
    add_speed_options(perf.add_argument)
    where = subparsers.add_parser(
        "where", help="print where the suite is", description=WHERE, epilog="example: papergate where"
    )
    where.set_defaults(run=run_where)


def _targets(**_: object) -> list[str]:
    """Names that complete a target."""
    from papergate.promises import TARGETS

    return sorted(path.stem for path in TARGETS.glob("*.toml"))


def run(command: str, arguments: list[str]) -> NoReturn:
    """Become pytest on the tests of ``command``; its exit status is that of papergate."""
    pytest = [sys.executable, "-P", "-m", "pytest", *suite_arguments(FOLDERS[command], arguments)]
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
