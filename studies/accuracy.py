r"""How often the answer checker is right: the rows of docs/scoring.md that recorded data repeat, beside math-verify.

    python -m studies.accuracy SHARED [GRADER ...]     graders: strict (default), math-verify

SHARED is the folder that PAPERGATE_SHARED names. Rows that were measured on texts before their misses were mended
cannot be measured again; docs/scoring.md says so. Near misses are those of tests/scoring/test_near_misses.py.
Conclusions lose their boxes; problems are split by a digest.
"""

import argparse
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from papergate.scoring import AnswerKind, Attempt, Grader, Outcome
from papergate.scoring.extraction import conclusion_of
from papergate.scoring.reading.boxes import boxes_backwards
from studies.scoring import gold_of, rows_of

CHOICE = Path(__file__).parents[1] / "tests" / "scoring" / "cases" / "choice.jsonl"
DISTILLS = (
    "r1distill_llama8b__math500_100x16__self_ct1",
    "r1distill_llama8b__math500_100x16__self_opt",
    "r1distill_qwen1.5b__gsm8k_500",
)
SALT = "nobox-2026:"  # of the split by problem
LETTERS = "letters"  # math-verify reads none by default
Labelled = tuple[str, Attempt, bool]
"""Set, attempt, whether the answer is right."""


def pairs(shared: Path) -> Iterator[Labelled]:
    for row in rows_of(shared / "cases" / "equivalence.jsonl"):
        attempt = Attempt(text=row["answer"], gold=row["gold"], bare=row["mode"] == "answer")
        yield ("firm labels" if row["tier"] == "core" else "labels by a convention"), attempt, row["label"]
        if row["mode"] == "freetext":
            yield "texts without a box", attempt, row["label"]


def letters() -> Iterator[Labelled]:
    """Each text with its letter and a wrong one; one that gives none with one letter."""
    for row in rows_of(CHOICE):
        given = row["answer"]
        for gold in {given, "A" if given != "A" else "B"} if given else {"C"}:
            attempt = Attempt(
                text=row["text"],
                gold=gold,
                kind=AnswerKind.CHOICE,
                letters=row["letters"],
                options=row.get("options"),
            )
            yield LETTERS, attempt, gold == given


def unboxed(text: str) -> str:
    """The text with the contents of its boxes, and without the boxes."""
    for start, end, content in boxes_backwards(text):
        text = text[:start] + content + text[end:]
    return text


def half(key: object) -> str:
    return "looked at" if hashlib.sha256(f"{SALT}{key}".encode()).digest()[0] % 2 else "never looked at"


def base_models(shared: Path) -> Iterator[Labelled]:
    for row in rows_of(shared / "datasets" / "math_500.jsonl"):
        attempt = Attempt(text=unboxed(row["solution"]), gold=row["answer"])
        yield f"MATH-500 solutions without boxes, {half(row['unique_id'])}", attempt, True
    for row in rows_of(shared / "transcripts" / f"{DISTILLS[-1]}.jsonl.gz"):
        steps = re.sub(r"<<[^>]*>>", "", row["gold"].rpartition("####")[0]).strip()
        yield (
            f"GSM8K solutions without their last line, {half(row['idx'])}",
            Attempt(text=steps, gold=gold_of(row)),
            True,
        )


def conclusions(shared: Path) -> Iterator[Labelled]:
    """Graded with their boxes, to be graded alike without."""
    rows = [row for name in DISTILLS for row in rows_of(shared / "transcripts" / f"{name}.jsonl.gz")]
    ends = [(row, end) for row in rows if "\\boxed" in (end := conclusion_of(row["response"], thinks=True) or "")]
    with Grader(workers=1) as grader:
        grades = list(grader.grade(Attempt(text=end, gold=gold_of(row)) for row, end in ends))
    for (row, end), grade in zip(ends, grades, strict=True):
        if grade.outcome is not Outcome.UNDECIDED:
            name = f"conclusions without boxes, {half(row.get('unique_id', row.get('idx')))}"
            attempt = Attempt(text=f"</think>{unboxed(end)}", gold=gold_of(row), thinks=True)
            yield name, attempt, grade.outcome is Outcome.CORRECT


def table(labelled: Iterable[Labelled], mode: Any) -> None:  # noqa: ANN401 - a GraderMode
    kept = [one for one in labelled if mode == "strict" or one[0] != LETTERS]
    with Grader(mode, workers=1) as grader:
        grades = grader.grade(attempt for _, attempt, _ in kept)
        counts = Counter((name, label, grade.outcome) for (name, _, label), grade in zip(kept, grades, strict=True))
    print(f"\n| {mode} | pairs | right | false accepts | undecided |\n|---|---|---|---|---|")
    for name in dict.fromkeys(name for name, _, _ in kept):
        own = {key[1:]: times for key, times in counts.items() if key[0] == name}
        right = own.get((True, Outcome.CORRECT), 0) + own.get((False, Outcome.INCORRECT), 0)
        undecided = sum(times for (_, outcome), times in own.items() if outcome is Outcome.UNDECIDED)
        total, accepted = sum(own.values()), own.get((False, Outcome.CORRECT), 0)
        print(f"| {name} | {total:,} | {right / total:.1%} | {accepted} | {undecided} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("graders", nargs="*", default=["strict"])
    args = parser.parse_args()
    labelled = [*pairs(args.shared), *letters(), *base_models(args.shared), *conclusions(args.shared)]
    for mode in args.graders:
        table(labelled, mode)


if __name__ == "__main__":
    main()
