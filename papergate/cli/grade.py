"""`papergate grade`: score again any file of answers, one JSON object a line."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from papergate.errors import PapergateError, PredictionsError
from papergate.scoring import AnswerKind, Attempt, Grade, Grader, GraderMode, Outcome

_GRADERS: tuple[GraderMode, ...] = ("strict", "aisbench", "math-verify")
ID_FIELDS = ("id", "unique_id", "problem_id", "idx", "index")
_ALL = "all"
_EXIT_GRADED, _EXIT_REFUSED = 0, 2


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `grade` to the subcommands."""
    parser = subparsers.add_parser("grade", help="grade a JSON Lines file of gold and given answers")
    parser.add_argument("input", type=Path, metavar="IN.jsonl", help="one JSON object a line")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.jsonl", help="one grade a line")
    parser.add_argument("--mode", choices=("answer", "response"), help="bare answers, or whole completions")
    parser.add_argument("--gold-field", default="gold", help="field of the right answer")
    parser.add_argument("--answer-field", help="field of the given answer (default: `answer` or `response`, as --mode)")
    parser.add_argument("--kind", choices=[kind.value for kind in AnswerKind], default=AnswerKind.MATH.value)
    parser.add_argument("--thinks", action="store_true", help="a response without </think> is truncated")
    parser.add_argument(
        "--grader",
        choices=(*_GRADERS, _ALL),
        default="strict",
        help="whose rules; `all` grades by each, writes the strict grade with every outcome, and lists disagreements",
    )
    parser.add_argument("--workers", type=int, help="comparison processes at most")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Grade the file; 0 when every line got a grade, 2 when the file is refused."""
    try:
        rows = list(_read(args.input))
        attempts = [_attempt(row, number, args) for number, row in rows]
        with _replacing(args.output) as output:
            by_grader = {grader: _grade(attempts, grader, args.workers) for grader in _graders(args.grader)}
            lines = _lines(rows, by_grader)
            output.writelines(json.dumps(line) + "\n" for line in lines)
    except PapergateError as error:
        sys.stderr.write(f"papergate grade: {error}\n")
        return _EXIT_REFUSED
    _report(by_grader, lines)
    return _EXIT_GRADED


def _graders(choice: str) -> tuple[GraderMode, ...]:
    return tuple(grader for grader in _GRADERS if choice in {grader, _ALL})


def _read(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line that is not blank."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PredictionsError(f"{path}: {error}; a UTF-8 file of JSON objects, one a line, is accepted") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _parsed(line, f"{path}, line {number}")


def _parsed(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise PredictionsError(f"{place}: not JSON ({error}); one JSON object a line is accepted") from error
    if not isinstance(row, dict):
        raise PredictionsError(f"{place}: a {type(row).__name__}; one JSON object a line is accepted")
    return row


def _attempt(row: dict[str, Any], number: int, args: argparse.Namespace) -> Attempt:
    field = args.answer_field or args.mode or ("answer" if "answer" in row else "response")
    bare = args.mode == "answer" or (args.mode is None and field == "answer")
    for name in (args.gold_field, field):
        if name not in row:
            raise PredictionsError(
                f"{args.input}, line {number}: no field {name!r} among {sorted(row)}; name it with --gold-field "
                "or --answer-field"
            )
    text = row[field]
    return Attempt(
        text=text if text is None else str(text),
        gold=str(row[args.gold_field]),
        kind=AnswerKind(args.kind),
        thinks=args.thinks,
        bare=bare,
    )


def _grade(attempts: list[Attempt], mode: GraderMode, workers: int | None) -> list[Grade]:
    with Grader(mode, workers=workers) as grader:
        return list(_with_progress(grader.grade(attempts), len(attempts), mode))


def _lines(rows: list[tuple[int, dict[str, Any]]], by_grader: dict[GraderMode, list[Grade]]) -> list[dict[str, object]]:
    first = next(iter(by_grader.values()))
    lines = [_line(_identity(row, number), grade) for (number, row), grade in zip(rows, first, strict=True)]
    if len(by_grader) > 1:
        for at, line in enumerate(lines):
            line["outcomes"] = {grader: grades[at].outcome.value for grader, grades in by_grader.items()}
    return lines


def _report(by_grader: dict[GraderMode, list[Grade]], lines: list[dict[str, object]]) -> None:
    """Print how many of each outcome, and every line on which graders disagree."""
    for grader, grades in by_grader.items():
        counts = Counter(grade.outcome for grade in grades)
        summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
        sys.stderr.write(f"{grader}: {len(grades)} graded: {summary}\n")
    for line in lines:
        outcomes = line.get("outcomes")
        if isinstance(outcomes, dict) and len(set(outcomes.values())) > 1:
            told = ", ".join(f"{grader} {outcome}" for grader, outcome in outcomes.items())
            sys.stderr.write(f"{line['id']}: gold {line['gold']!r}, extracted {line['extracted']!r}: {told}\n")


@contextmanager
def _replacing(path: Path) -> Iterator[IO[str]]:
    """A text file that takes its name only when it was written to the end."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise PredictionsError(f"{path}: cannot be written ({error.strerror})") from error
    part.replace(path)


def _identity(row: Mapping[str, object], number: int) -> object:
    """The line's own id under the names that files give it, else its number."""
    return next((row[name] for name in ID_FIELDS if name in row), number)


def _line(identity: object, grade: Grade) -> dict[str, object]:
    return {
        "id": identity,
        "outcome": grade.outcome.value,
        "extracted": grade.extracted,
        "gold": grade.gold,
        "rule": grade.rule,
        "reason": grade.reason,
        "present_elsewhere": grade.present_elsewhere,
        "seconds": round(grade.seconds, 6),
    }


def _with_progress(grades: Iterator[Grade], total: int, grader: str) -> Iterable[Grade]:
    """The same grades; a progress bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        return grades
    from rich.console import Console
    from rich.progress import track

    return track(grades, total=total, description=f"grading ({grader})", console=Console(stderr=True))
