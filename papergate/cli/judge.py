"""``papergate judge``: the verdict on results that were made elsewhere."""

import argparse
import json
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from papergate.acceptance.options import add_language_option
from papergate.errors import PredictionsError, PromiseError
from papergate.files import MEBIBYTE, Twice, each_once, read_plain, reason
from papergate.printable import printable
from papergate.promises.files import shortened
from papergate.promises.numbers import exact, percent
from papergate.promises.tolerance import Tolerance
from papergate.run_folder.notes import Note, note
from papergate.statistics.counts import Counts
from papergate.statistics.pooled import Part
from papergate.statistics.reference import Reference
from papergate.statistics.rule import ALPHA, Rule
from papergate.verdict import Judgement, Verdict, judge, numbers
from papergate.words import Language, language_of, say, worded

KEPT, BROKEN = 0, 1
"""Exit codes: the promise does not block, or it does."""

REQUIRED = ("correct", "problems", "paper", "tolerance")
"""Options that state a result where there is no file."""

EPILOG = """\
example: papergate judge --correct 24 --problems 30 --paper 79.8 --tolerance "1 problem"

The file holds one JSON object:
  counts            correct samples of each problem, or counts_rle: [correct, problems] pairs
  k                 planned samples of every problem, or a list with one number each
  ref_percent       the printed score, such as 79.8 (or "0.8 %", with the sign where it is at most 1); with ref_k, the
                    samples behind it, its own error counts in the verdict
  ref_counts, ref_k a golden run instead: correct samples and planned samples of each problem
  tolerance         "1 problem" or "0.5 points"; or tol_fraction and delta_fraction, such as "1/30" and "1/60"
  alpha, two_sided  error rate of one side (0.05), and whether a score can be too high (true)
  problems, ref_problems  ids, so that a golden run of other problems is refused
Exit code 0: kept (also a score too high for a paper, with a warning), 1: broken or not decided, 2: cannot be judged.
"""


Exact = Annotated[Fraction, BeforeValidator(exact)]
Percent = Annotated[Fraction, BeforeValidator(percent)]
MOST_BYTES = 16 * MEBIBYTE
"""Counts of a million problems."""
MOST_PROBLEMS = 10**6
Repeats = Annotated[StrictInt, Field(ge=1, le=MOST_PROBLEMS)]
Samples = Annotated[StrictInt, Field(ge=1, le=MOST_PROBLEMS)]


class ResultFile(BaseModel):
    """A result, its reference and its rule, as a JSON file states them."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    counts: tuple[StrictInt, ...] | None = None
    counts_rle: tuple[tuple[StrictInt, Repeats], ...] | None = None
    k: Samples | tuple[Samples, ...]
    problems: tuple[str, ...] | None = None
    ref_percent: Percent | None = None
    ref_counts: tuple[StrictInt, ...] | None = None
    ref_k: Samples | tuple[Samples, ...] | None = None
    ref_problems: tuple[str, ...] | None = None
    tolerance: str | None = None
    tol_fraction: Exact | None = None
    delta_fraction: Exact | None = None
    alpha: Exact = ALPHA
    two_sided: StrictBool = True
    note: str = ""


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``judge`` to the command line."""
    parser = subparsers.add_parser(
        "judge",
        help="say whether results made elsewhere keep a promise",
        description="Say whether results made elsewhere keep a promise.",
        epilog=EPILOG,
    )
    parser.add_argument("file", nargs="?", type=Path, help="JSON file with counts of each problem; see below")
    parser.add_argument(
        "--correct",
        type=int,
        metavar="C",
        help="correct samples of all problems; for K above 1 a file with counts of each decides sooner",
    )
    parser.add_argument("--problems", type=int, metavar="N", help="problems of the benchmark")
    parser.add_argument("--samples", type=int, metavar="K", default=1, help="planned samples of each problem (1)")
    parser.add_argument("--paper", metavar="PERCENT", help="the printed score, such as 79.8")
    parser.add_argument("--paper-samples", type=int, metavar="K", help="samples per problem behind the printed score")
    parser.add_argument(
        "--reference",
        choices=("exact", "sampled"),
        default="exact",
        help="exact: the printed score is the promise; sampled: its own error counts in the verdict",
    )
    parser.add_argument("--tolerance", metavar="WORDS", help="'1 problem' or '0.5 points'")
    parser.add_argument("--one-sided", action="store_true", help="a score above the reference never fails")
    parser.add_argument("--json", action="store_true", help="print all numbers as one JSON object")
    add_language_option(parser.add_argument)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge, print, and return the exit code."""
    judgement = _from_file(args) if args.file else _from_options(args)
    text = printable(_text(judgement, language_of(args.language)))
    sys.stdout.write(f"{json.dumps(_numbers(judgement), indent=2) if args.json else text}\n")
    return BROKEN if judgement.blocks else KEPT


def _text(judgement: Judgement, language: Language) -> str:
    warnings = (note("warning", one) for one in _warnings(judgement))
    return "\n".join(say(one, language) for one in (judgement.note, *warnings))


def _numbers(judgement: Judgement) -> dict[str, object]:
    warnings = _warnings(judgement)
    told = {"warnings": [say(one) for one in warnings], "warning_codes": [one.code for one in warnings]}
    return {**numbers(judgement), **told}


def _warnings(judgement: Judgement) -> tuple[Note, ...]:
    """Those of the judgement, and that a failure by counts alone leaves something out."""
    return (*judgement.notes, *((note("counts_alone"),) if judgement.verdict is Verdict.FAIL else ()))


def _from_options(args: argparse.Namespace) -> Judgement:
    missing = [f"--{name}" for name in REQUIRED if getattr(args, name) is None]
    if missing:
        raise worded(
            PredictionsError, note("result_missing", missing=", ".join(missing), options=", --".join(REQUIRED))
        )
    if max(args.problems, args.samples) > MOST_PROBLEMS:
        raise worded(PredictionsError, note("result_too_large", most=MOST_PROBLEMS))
    counts = Counts.spread(args.correct, problems=args.problems, k=args.samples)
    rule = Rule.within(tolerance_option(args.tolerance), problems=counts.n, two_sided=not args.one_sided)
    return judge(counts, _paper(args), rule)


def tolerance_option(words: str) -> Tolerance:
    """The tolerance in the user's words.

    Raises:
        PromiseError: it is none.
    """
    try:
        found = Tolerance.parse(words)
    except ValueError:
        found = None
    if found is None or found.unit == "gain":  # a gain has no width to judge or to plan by
        gain = "; a gain is planned with its target: papergate gate TARGET --gain-over MODEL --plan" if found else ""
        raise worded(PromiseError, note("tolerance_malformed", words=words, gain=gain))
    return found


def _paper(args: argparse.Namespace) -> Reference:
    score = percent_option(args.paper)
    if args.reference == "exact":
        return Reference.exact(score, samples=args.paper_samples)
    return Reference.sampled(score, samples=args.paper_samples)


def percent_option(text: str) -> Fraction:
    """The score printed in percent, as a fraction of 1.

    Raises:
        PromiseError: it is none.
    """
    try:
        return percent(text) / 100
    except ValueError as error:
        raise PromiseError(f"--paper: {error}") from None


def _from_file(args: argparse.Namespace) -> Judgement:
    given = [name for name in REQUIRED if getattr(args, name) is not None]
    if given:
        raise worded(PredictionsError, note("result_stated_twice", file=f"{args.file}", given=", --".join(given)))
    part = part_of(args.file)
    return judge(part.counts, part.reference, part.rule)


def part_of(path: Path) -> Part:
    """The result in a file, what it is held against, and by which rule.

    Raises:
        PapergateError: the file is no result.
    """
    result = _read(path)
    counts = _counts(result)
    return Part(counts=counts, reference=_reference(result), rule=_rule(result, problems=counts.n))


def _read(path: Path) -> ResultFile:
    try:
        return ResultFile.model_validate_json(_once_each(read_plain(path, most=MOST_BYTES)))
    except OSError as error:
        raise worded(PredictionsError, note("file_unread", file=f"{path}", reason=reason(error))) from None
    except Twice as twice:
        raise worded(
            PredictionsError, note("result_field_twice", file=f"{path}", field=shortened(f"{twice}"))
        ) from None
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, mistake['loc'])) or 'file'}: {mistake['msg']}" for mistake in error.errors())
        raise worded(PredictionsError, note("result_malformed", file=f"{path}", mistakes="; ".join(mistakes))) from None


def _once_each(data: bytes) -> bytes:
    """``data``, where no object in it states a field twice: it would not be clear which of both counts.

    Raises:
        Twice: one does.
    """
    with suppress(ValueError, RecursionError):  # no JSON: refused with its place by what reads it next
        json.loads(data, object_pairs_hook=each_once)
    return data


def _counts(result: ResultFile) -> Counts:
    if (result.counts is None) is (result.counts_rle is None):
        raise worded(PredictionsError, note("counts_twice"))
    if sum(times for _, times in result.counts_rle or ()) > MOST_PROBLEMS:
        raise worded(PredictionsError, note("counts_too_many", most=MOST_PROBLEMS))
    correct = result.counts or tuple(c for c, times in result.counts_rle or () for _ in range(times))
    return Counts(correct=correct, samples=_samples(result.k, len(correct)), problems=result.problems)


def _samples(k: int | tuple[int, ...], problems: int) -> tuple[int, ...]:
    return (k,) * problems if isinstance(k, int) else k


def _reference(result: ResultFile) -> Reference:
    if (result.ref_percent is None) is (result.ref_counts is None):
        raise worded(PromiseError, note("references_two"))
    if result.ref_counts is not None:
        return Reference.golden(_golden(result.ref_counts, result))
    score = (result.ref_percent or Fraction(0)) / 100
    if isinstance(result.ref_k, tuple):
        raise worded(PromiseError, note("ref_k_malformed"))
    return Reference.exact(score) if result.ref_k is None else Reference.sampled(score, samples=result.ref_k)


def _golden(correct: tuple[int, ...], result: ResultFile) -> Counts:
    if result.ref_k is None:
        raise worded(PromiseError, note("ref_k_missing"))
    return Counts(correct=correct, samples=_samples(result.ref_k, len(correct)), problems=result.ref_problems)


def _rule(result: ResultFile, *, problems: int) -> Rule:
    if result.tolerance is not None and result.tol_fraction is None and result.delta_fraction is None:
        tolerance = tolerance_option(result.tolerance)
        return Rule.within(tolerance, problems=problems, alpha=result.alpha, two_sided=result.two_sided)
    if result.tolerance is not None or result.tol_fraction is None or result.delta_fraction is None:
        raise worded(PromiseError, note("tolerances_two"))
    return Rule(
        tolerance=result.tol_fraction, delta=result.delta_fraction, alpha=result.alpha, two_sided=result.two_sided
    )
