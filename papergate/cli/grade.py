"""`papergate grade`: score again any file of answers, one JSON object a line."""

import argparse
import json
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import tee
from pathlib import Path
from typing import TextIO

from papergate.cli.answers import GOLD, QUOTED, Item, Layout, golds_of, opened
from papergate.cli.telling import tell
from papergate.errors import OptionsError, PredictionsError
from papergate.files import reason, text_written
from papergate.printable import one_line, printable
from papergate.promises.tool import GraderMode
from papergate.run_folder.notes import Note, note
from papergate.scoring import AnswerKind, Grade, Grader, Outcome
from papergate.scoring.equivalence import GOLD_UNREAD
from papergate.thoughts import ThoughtMarks
from papergate.words import Language, language_for_errors, say, worded

_GRADERS: tuple[GraderMode, ...] = ("strict", "aisbench", "math-verify")
_ALL = "all"
_STDOUT = "-"
_EXIT_GRADED = 0
_FAILED = "failed"
_LETTERS = re.compile(r"[A-J]+")  # as many as the checker knows as options
LEAST_LETTERS = 2
_OPEN_THOUGHT = "truncated"  # the checker's reason
_TOLD = {_OPEN_THOUGHT, GOLD_UNREAD}
MAX_TOLD = 50  # disagreements told on the terminal; the output file has every one

EPILOG = """\
example: papergate grade answers.jsonl -o grades.jsonl

IN is a JSON Lines file, plain or gzip, with a gold and a given answer a line; or a log as --predictions takes it (file
or folder). Samples of a log that failed are written as failed and not graded. - stands for standard output, and for
lines on standard input.
Exit code 0: every line has its grade, 2: the input or the output is refused, 70: papergate itself broke, 130: Ctrl-C.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `grade` to the subcommands."""
    parser = subparsers.add_parser(
        "grade",
        help="grade a JSON Lines file of gold and given answers, or a log",
        epilog=EPILOG,
    )
    parser.add_argument("input", metavar="IN.jsonl", help="one JSON object a line, a log, or - for standard input")
    parser.add_argument("-o", "--output", required=True, metavar="OUT.jsonl", help="one grade a line; - for stdout")
    parser.add_argument("--mode", choices=("answer", "response"), help="bare answers, or whole completions")
    parser.add_argument("--gold-field", metavar="NAME", default=GOLD, help="field of the right answer")
    parser.add_argument(
        "--answer-field", metavar="NAME", help="field of the given answer (default: `answer` or `response`, as --mode)"
    )
    parser.add_argument("--golds", type=Path, metavar="FILE", help="JSON Lines with the right answers by id")
    parser.add_argument("--kind", choices=[kind.value for kind in AnswerKind], default=AnswerKind.MATH.value)
    parser.add_argument("--letters", default="ABCD", help="letters of the options, for --kind choice")
    parser.add_argument("--thinks", action="store_true", help="a response whose thought is never closed is truncated")
    parser.add_argument("--thought-marks", nargs=2, metavar=("OPEN", "CLOSE"), help="the model's marks of its thought")
    graders = parser.add_mutually_exclusive_group()
    graders.add_argument(
        "--grader",
        choices=(*_GRADERS, _ALL),
        default="strict",
        help="whose rules; `all` grades by each, writes the strict grade with every outcome, and lists disagreements",
    )
    graders.add_argument(
        "--compare",
        nargs=2,
        choices=_GRADERS,
        metavar="GRADER",
        help=f"two of {', '.join(_GRADERS)}: writes the grade of the first with both outcomes, and a table of the two",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="comparison processes at most")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Grade the file; 0 when every line got a grade.

    Raises:
        PapergateError: the options, the input or the output are refused.
    """
    _require_sound(args)
    graders = _graders(args)
    tally = Tally(graders)
    with opened(args.input, _layout(args)) as items, _writing(args.output) as output:
        for line in _graded(items, graders, args.workers):
            tally.count(line)
            output.write(json.dumps(line) + "\n")
    tell(printable(tally.text(language_for_errors(None))))
    return _EXIT_GRADED


def _require_sound(args: argparse.Namespace) -> None:
    if args.workers is not None and args.workers < 1:
        raise worded(OptionsError, note("workers_malformed", workers=args.workers))
    if len(set(args.letters)) < max(len(args.letters), LEAST_LETTERS) or not _LETTERS.fullmatch(args.letters):
        raise worded(OptionsError, note("letters_malformed", letters=args.letters))
    if args.thought_marks and not (all(map(str.strip, args.thought_marks)) and len(set(args.thought_marks)) > 1):
        raise worded(OptionsError, note("marks_malformed"))
    if args.gold_field in (args.answer_field, args.mode):
        raise worded(OptionsError, note("fields_are_one", field=args.gold_field))
    if args.compare and len(set(args.compare)) == 1:
        raise worded(OptionsError, note("graders_are_one", grader=args.compare[0]))
    if any(_holds(source, args.output) for source in (args.input, args.golds) if source):
        raise worded(OptionsError, note("output_is_input", file=args.output))


def _holds(source: str | Path, output: str) -> bool:
    """Whether the grades would take the place of what is read, under whatever names; of a folder, a file in it."""
    try:
        if not stat.S_ISREG(os.stat(output).st_mode):  # noqa: PTH116
            return False
        inside = Path(output).resolve().is_relative_to(Path(source).resolve())
        return inside or os.path.samefile(source, output)  # noqa: PTH121
    except (OSError, ValueError):  # one of them is not there, or is no name of a file
        return False


class Tally:
    """What is told at the end: outcomes of each grader, disagreements, and how often each pair of outcomes came."""

    def __init__(self, graders: Sequence[GraderMode]) -> None:
        self._graders = graders
        self._outcomes: Counter[tuple[str, ...]] = Counter()
        self._told: list[str] = []
        self._disagreements = 0
        self._reasons: Counter[object] = Counter()
        self._unread = ""

    def count(self, line: dict[str, object]) -> None:
        """Take one line of the output."""
        outcomes = _outcomes_of(line)
        self._outcomes[outcomes] += 1
        self._reasons[line["reason"] if line["reason"] in _TOLD else None] += 1
        if line["reason"] == GOLD_UNREAD and not self._unread:
            self._unread = one_line(str(line["gold"]), QUOTED)
        if len(set(outcomes)) > 1:
            self._disagreements += 1
            if len(self._told) < MAX_TOLD:
                told = ", ".join(f"{grader} {outcome}" for grader, outcome in zip(self._graders, outcomes, strict=True))
                self._told.append(f"{line['id']}: gold {line['gold']!r}, extracted {line['extracted']!r}: {told}")

    def text(self, language: Language) -> str:
        """The report, with a last line break."""
        lines = [self._summary(at, grader) for at, grader in enumerate(self._graders)]
        lines += [say(one, language) for one in self._doubts()]
        lines += [row for at in range(1, len(self._graders)) for row in self._table(at)]
        more = self._disagreements - len(self._told)
        lines += [*self._told, *([f"and {more} more lines on which they differ"] if more else [])]
        return "".join(f"{line}\n" for line in lines)

    def _doubts(self) -> Iterator[Note]:
        """What makes answers wrong that may be right: it is more likely the file or an option than the model."""
        if self._unread:
            yield note("golds_not_understood", times=self._reasons[GOLD_UNREAD], gold=self._unread)
        if self._reasons[_OPEN_THOUGHT] == self._reasons.total():
            yield note("thoughts_all_open", times=self._reasons.total())

    def _summary(self, at: int, grader: str) -> str:
        counts: Counter[str] = Counter()
        for outcomes, times in self._outcomes.items():
            counts[outcomes[at]] += times
        told = [f"{counts[outcome]} {outcome}" for outcome in Outcome]
        told += [f"{counts[_FAILED]} failed and not graded"] if counts[_FAILED] else []
        return f"{grader}: {counts.total() - counts[_FAILED]} graded: {', '.join(told)}"

    def _table(self, at: int) -> Iterator[str]:
        """How often the first grader (a row an outcome) and another (a column an outcome) said what."""
        first, other = self._graders[0], self._graders[at]
        pairs: Counter[tuple[str, str]] = Counter()
        for outcomes, times in self._outcomes.items():
            pairs[outcomes[0], outcomes[at]] += times
        width = max(len(first), *map(len, Outcome)) + 2
        yield f"{first:<{width}}{other}:{''.join(f'{outcome:>12}' for outcome in Outcome)}"
        for outcome in Outcome:
            counts = "".join(f"{pairs[outcome, theirs]:>12}" for theirs in Outcome)
            yield f"  {outcome:<{width + len(other) - 1}}{counts}"


def _graders(args: argparse.Namespace) -> tuple[GraderMode, ...]:
    if args.compare:
        return tuple(args.compare)
    return tuple(grader for grader in _GRADERS if args.grader in {grader, _ALL})


def _layout(args: argparse.Namespace) -> Layout:
    return Layout(
        gold_field=args.gold_field,
        answer_field=args.answer_field or "",
        mode=args.mode or "",
        kind=AnswerKind(args.kind),
        thinks=args.thinks,
        letters=args.letters,
        marks=ThoughtMarks(*args.thought_marks) if args.thought_marks else None,
        golds=golds_of(args.golds) if args.golds else {},
    )


def _graded(items: Iterator[Item], graders: Sequence[GraderMode], workers: int | None) -> Iterator[dict[str, object]]:
    """A line of the output for each answer, while they come; the graders keep step, so that few answers are held."""
    own, *theirs = tee(items, len(graders) + 1)
    with ExitStack() as stack:
        streams = [
            stack.enter_context(Grader(mode, workers=workers)).grade(item.attempt for item in copy)
            for mode, copy in zip(graders, theirs, strict=True)
        ]
        for item, *grades in zip(own, *streams, strict=True):
            yield _line(item, graders, grades)


@contextmanager
def _writing(name: str) -> Iterator[TextIO]:
    """Standard output, or the file, which takes its name only when it was written to the end."""
    try:
        if not _is_standard_output(name):
            with text_written(Path(name)) as file:
                yield file
            return
        if sys.stdout is None:
            raise worded(PredictionsError, note("output_closed"))
        yield sys.stdout
        sys.stdout.flush()
    except OSError as error:
        raise worded(PredictionsError, note("grades_not_written", file=name, reason=reason(error))) from error


def _is_standard_output(name: str) -> bool:
    """Whether it is standard output under any name, /dev/stdout too: opened again, it would be written over."""
    try:
        return name == _STDOUT or os.path.samestat(os.stat(name), os.fstat(1))  # noqa: PTH116
    except (OSError, ValueError):  # it is not there, or standard output is closed
        return False


def _line(item: Item, graders: Sequence[GraderMode], grades: Sequence[Grade]) -> dict[str, object]:
    grade = grades[0]
    line: dict[str, object] = {
        "id": item.identity,
        "outcome": _FAILED if item.error else grade.outcome.value,
        "extracted": grade.extracted,
        "gold": grade.gold,
        "rule": grade.rule,
        "reason": item.error or grade.reason,
        "present_elsewhere": grade.present_elsewhere,
        "seconds": round(grade.seconds, 6),
    }
    if len(graders) > 1:
        outcomes = [_FAILED if item.error else one.outcome.value for one in grades]
        line["outcomes"] = dict(zip(graders, outcomes, strict=True))
    return line


def _outcomes_of(line: dict[str, object]) -> tuple[str, ...]:
    outcomes = line.get("outcomes")
    return tuple(outcomes.values()) if isinstance(outcomes, dict) else (str(line["outcome"]),)
