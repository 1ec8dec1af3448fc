"""``papergate targets``: which targets there are, and what each demands and promises."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from papergate.benchmarks import BENCHMARKS, read_specs
from papergate.engines.start import ENGINES
from papergate.errors import PromiseError
from papergate.printable import printable
from papergate.promises import PAPERS, TARGETS, Promise, Target, read_promises, read_targets
from papergate.promises.records import Deployment
from papergate.suggest import among


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``targets`` to the command line."""
    parser = subparsers.add_parser(
        "targets", help="list the targets, or show what one demands", epilog="example: papergate targets show a100"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = commands.add_parser("list", help="list the targets", epilog="example: papergate targets list")
    listed.set_defaults(run=run_list)
    shown = commands.add_parser(
        "show",
        help="show what a target demands and promises",
        description="Show hardware, deployments with their settings and commands, and promised scores, each with the "
        "document or paper that states it.",
        epilog="example: papergate targets show a100",
    )
    shown.add_argument("target", metavar="TARGET", help="name of the target")
    shown.set_defaults(run=run_show)
    for command in (listed, shown):
        command.add_argument(
            "--targets", action="append", default=[], metavar="DIR", help="folder with targets of your own"
        )


def run_list(args: argparse.Namespace) -> int:
    """Print a line for each target, and return the exit code."""
    targets = _targets(args)
    size = max(map(len, targets))
    for target in targets.values():
        promises = sum(len(deployment.promises) for deployment in target.deployments)
        print(printable(f"{target.name:<{size}}  {promises:>2} promise{'s' * (promises != 1)}  {target.title}"))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the target, and return the exit code."""
    targets = _targets(args)
    if args.target not in targets:
        raise PromiseError(f"{args.target}: no such target{among(args.target, targets)}")
    benchmarks = read_specs([BENCHMARKS, *_folders(args, "benchmarks")])
    places = [TARGETS, *map(Path, args.targets)], [PAPERS, *_folders(args, "papers")]
    promises = read_promises(*places, benchmarks=benchmarks, engines=ENGINES)
    for line in _described(targets[args.target], [each for each in promises if each.target == args.target]):
        print(printable(line))
    return 0


def _folders(args: argparse.Namespace, name: str) -> list[Path]:
    """The folders called ``name`` in those of the user."""
    return [Path(folder) / name for folder in args.targets if (Path(folder) / name).is_dir()]


def _targets(args: argparse.Namespace) -> dict[str, Target]:
    read = read_targets([TARGETS, *map(Path, args.targets)], engines=ENGINES)
    return {target.name: target for _, target in read.values()}


def _described(target: Target, promises: list[Promise]) -> Iterator[str]:
    hardware = target.hardware
    yield f"{target.name}: {target.title}"
    yield f"demands {hardware.title}"
    stated = (("driver", hardware.driver), ("firmware", hardware.firmware), ("toolkit", hardware.toolkit))
    yield from (f"  {name} {version}" for name, version in stated if version)
    for deployment in target.deployments:
        yield from _deployment(deployment)
        yield from (line for each in promises if each.deployment == deployment for line in _promise(each))


def _deployment(deployment: Deployment) -> Iterator[str]:
    drawn = deployment.sampling.model_dump(exclude_none=True)
    yield f"\n{deployment.name}"
    yield f"  stated by  {deployment.source}"
    yield f"  engine     {deployment.engine}, model {deployment.model}"
    yield f"  sampling   {', '.join(f'{name} {value}' for name, value in drawn.items())}"
    for heading, words in (
        ("flags", " ".join(deployment.flags)),
        ("env", " ".join(map("=".join, deployment.env.items()))),
    ):
        if words:
            yield f"  {heading:<9}  {words}"
    for command in deployment.commands:
        first, *more = command.text.strip().splitlines()
        yield f"  line {command.line:<5} {command.does}: {first}{' ..' * bool(more)}"
    yield from (f"  unknown    {one.fact}; chosen: {one.chosen}" for one in deployment.unknown)


def _promise(promise: Promise) -> Iterator[str]:
    score = f"{promise.score.percent} %" if promise.score.percent is not None else "a golden run's"
    yield f"  promises   {promise.benchmark}: {score}, tolerance {promise.tolerance.text}"
    yield f"             {promise.score.source}"
