"""``papergate doctor``: what this machine has, and which targets can be tested on it."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from papergate.engines.hardware import PROBES, cpu, look, why_not_here
from papergate.engines.start import ENGINES
from papergate.printable import printable
from papergate.promises import TARGETS, Target, read_targets


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``doctor`` to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="say what this machine has, and which targets can be tested on it",
        description="Ask the tools of the vendors for devices, memory, health and versions; look for the engines.",
        epilog="example: papergate doctor",
    )
    parser.add_argument("--targets", type=Path, action="append", default=[], metavar="DIR", help="targets of your own")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look, print, and return the exit code."""
    targets = [target for _, target in read_targets([TARGETS, *args.targets], engines=ENGINES).values()]
    for line in report(targets):
        sys.stdout.write(f"{printable(line)}\n")
    return 0


def report(targets: list[Target]) -> Iterator[str]:
    """What was found, vendor by vendor, engine by engine and target by target."""
    yield "hardware"
    yield f"  cpu       {cpu()}"
    yield from (line for probe in PROBES for line in _hardware(probe))
    yield "engines"
    for spec in ENGINES.values():
        can = ", ".join(sorted(spec.can)) or "depends on what answers"
        yield f"  {spec.name:<12}{spec.title}; can: {can}"
        yield f"  {'':<12}needs {spec.needs}"
    yield "targets"
    size = max((len(target.name) for target in targets), default=0)
    for target in targets:
        yield f"  {target.name:<{size}}  {_why_not(target) or 'can be tested here'}"


def _hardware(probe: str) -> Iterator[str]:
    found = look(probe)
    yield f"  {probe:<10}{found.in_words()}"
    yield from (f"  {'':<10}{name}: {text}" for name, text in found.environment().items() if name != "hardware")


def _why_not(target: Target) -> str:
    """Why none of the target's deployments can be tested here; empty where one can."""
    if wrong := why_not_here(target.hardware):
        return f"demands {target.hardware.title}; {wrong}"
    missing = [ENGINES[deployment.engine].missing(deployment) for deployment in target.deployments]
    return "; ".join(dict.fromkeys(missing)) if all(missing) else ""
