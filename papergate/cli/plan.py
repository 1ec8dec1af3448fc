"""``papergate plan``: what a gate costs and how it ends, before a token is spent."""

import argparse
import math
import sys
from collections.abc import Callable
from typing import Any

from papergate.acceptance.options import add_language_option
from papergate.cli.judge import percent_option, tolerance_option
from papergate.errors import PromiseError
from papergate.printable import printable
from papergate.run_folder.notes import note
from papergate.statistics.looks import LOOKS, looks_within
from papergate.statistics.panels import beta_panel
from papergate.statistics.plan import Cost, Plan, plan, plan_text, single_run
from papergate.statistics.power import Gate
from papergate.statistics.reference import ReferenceKind
from papergate.statistics.replicas import Fleet, drawn_looks, scaling_text
from papergate.statistics.rule import Rule
from papergate.words import Language, language_of, say, worded

IN_FLIGHT = 64
"""As many as papergate keeps at a server by itself."""
MOST = 100_000
"""Problems or samples: a simulation of more would not fit the memory, and no benchmark has so many."""


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``plan`` to the command line."""
    parser = subparsers.add_parser(
        "plan",
        help="say what a gate costs and how it ends, before a token is spent",
        description="Simulate a gate on perfect and damaged deployments: chances of its verdicts, samples needed.",
        epilog="example: papergate plan --problems 30 --paper 79.8 --tolerance '1 problem'",
    )
    parser.add_argument("--problems", type=int, metavar="N", required=True, help="problems of the benchmark")
    parser.add_argument("--paper", metavar="PERCENT", required=True, help="the promised score, such as 79.8")
    parser.add_argument("--tolerance", metavar="WORDS", required=True, help="'1 problem' or '0.5 points'")
    parser.add_argument("--one-sided", action="store_true", help="a score above the reference never fails")
    parser.add_argument(
        "--reference",
        choices=[kind.value for kind in ReferenceKind],
        default=ReferenceKind.EXACT.value,
        help="exact: the score is the promise; sampled, golden: its own error counts in the verdict",
    )
    parser.add_argument("--paper-samples", type=int, metavar="K", help="samples per problem behind the promised score")
    parser.add_argument(
        "--max-samples", type=int, metavar="K", default=LOOKS[-1], help="samples per problem at most (64)"
    )
    parser.add_argument("--samples", type=int, metavar="K", help="samples per problem, fixed: one look")
    parser.add_argument(
        "--attempts", type=int, metavar="N", default=1, help="also say what N fresh runs do, of which one has to pass"
    )
    parser.add_argument("--tokens-per-sample", type=float, metavar="T", help="mean output tokens of a completion")
    parser.add_argument("--tokens-per-s", type=float, metavar="V", help="output tokens per second of the deployment")
    add_language_option(parser.add_argument)
    _add_replicas(parser.add_argument)
    parser.set_defaults(run=run)


def _add_replicas(add: Callable[..., object]) -> None:
    add(
        "--replicas",
        type=int,
        metavar="N",
        help="also say how long it takes on 1, 2, 4 .. N replicas",
    )
    add(
        "--in-flight",
        type=int,
        metavar="C",
        default=IN_FLIGHT,
        help="requests in flight on each replica (64)",
    )
    add(
        "--stream-tokens-per-s",
        type=float,
        metavar="V",
        help="speed of one request that has a replica to itself; default: --tokens-per-s divided by --in-flight",
    )


def run(args: argparse.Namespace) -> int:
    """Plan, print, and return the exit code."""
    sys.stdout.write(f"{printable(_text(args, language_of(args.language)))}\n")
    return 0


def _text(args: argparse.Namespace, language: Language) -> str:
    _refuse_no_cost(tokens_per_sample=args.tokens_per_sample, tokens_per_s=args.tokens_per_s)
    promised, gate = percent_option(args.paper), _gate(args)
    panel = beta_panel(float(promised), problems=args.problems)
    cost = Cost(tokens_per_sample=args.tokens_per_sample, tokens_per_s=args.tokens_per_s)
    planned = plan(gate, panel, cost=cost)
    table = plan_text(planned, attempts=args.attempts, language=language)
    text = f"{table}\n{say(single_run(gate, panel, promised=promised).note, language)}"
    return f"{text}\n{_on_replicas(args, planned)}" if args.replicas else text


def _on_replicas(args: argparse.Namespace, planned: Plan) -> str:
    """How long a perfect deployment takes on replicas."""
    _refuse_what_cannot_be(replicas=args.replicas, in_flight=args.in_flight)
    _refuse_no_cost(stream_tokens_per_s=args.stream_tokens_per_s)
    if args.tokens_per_sample is None or args.tokens_per_s is None:
        raise worded(PromiseError, note("replicas_alone"))
    one = Fleet(
        replicas=1,
        tokens_per_s=args.tokens_per_s,
        stream_tokens_per_s=args.stream_tokens_per_s or args.tokens_per_s / args.in_flight,
        in_flight=args.in_flight,
    )
    samples = args.samples or math.ceil(planned.outlooks[0].samples)
    looks = drawn_looks(
        args.problems, samples, tokens_per_sample=args.tokens_per_sample, fixed=args.samples is not None
    )
    return scaling_text(looks, one, args.replicas)


def _gate(args: argparse.Namespace) -> Gate:
    _refuse_what_cannot_be(problems=args.problems, max_samples=args.max_samples, samples=args.samples)
    _refuse_what_cannot_be(paper_samples=args.paper_samples, attempts=args.attempts)
    kind = ReferenceKind(args.reference)
    if kind is not ReferenceKind.EXACT and args.paper_samples is None:
        raise worded(PromiseError, note("reference_without_samples", kind=kind))
    rule = Rule.within(tolerance_option(args.tolerance), problems=args.problems, two_sided=not args.one_sided)
    looks = looks_within(max_samples=args.max_samples, fixed=args.samples)
    return Gate(rule=rule, reference=kind, reference_samples=args.paper_samples, looks=looks)


def _refuse_what_cannot_be(**options: int | None) -> None:
    for name, value in options.items():
        if value is not None and not 1 <= value <= MOST:
            raise worded(PromiseError, note("plan_out_of_range", option=name.replace("_", "-"), value=value, most=MOST))


def _refuse_no_cost(**options: float | None) -> None:
    for name, value in options.items():
        if value is not None and not 0 < value < math.inf:
            raise worded(PromiseError, note("plan_not_above_zero", option=name.replace("_", "-"), value=value))
