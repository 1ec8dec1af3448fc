"""Recorded completions: which answer a text commits to, by style; the tables are printed where one is missed."""

import json
from collections import Counter
from pathlib import Path

from papergate.scoring import AnswerKind, Attempt, Outcome, extract

CASES = Path(__file__).parent / "cases"


def recorded(name):
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines()]


def table(rows, kinds):
    """How many of each style were read as each kind, one line a style."""
    counts = Counter(zip((row["style"] for row in rows), kinds, strict=True))
    return "\n".join(f"{style}: {kind} {count}" for (style, kind), count in sorted(counts.items()))


def kind_of_reading(wanted, got):
    if wanted == got:
        return "right letter" if wanted else "no letter, rightly"
    return "missed" if got is None else "other letter" if wanted else "letter from nowhere"


def test_every_recorded_style_of_a_choice_is_read_and_no_letter_comes_from_nowhere():
    rows = recorded("choice.jsonl")
    got = [
        extract(
            row["text"], kind=AnswerKind.CHOICE, thinks=False, letters=row["letters"], options=row.get("options")
        ).answer
        for row in rows
    ]
    kinds = [kind_of_reading(row["answer"], letter) for row, letter in zip(rows, got, strict=True)]
    assert set(kinds) <= {"right letter", "no letter, rightly"}, table(rows, kinds)


def test_every_recorded_text_is_graded_by_the_answer_it_commits_to(grader):
    rows = recorded("reading.jsonl")
    attempts = [
        Attempt(text=row["text"], gold=row["gold"], kind=AnswerKind(row["kind"]), thinks=row["thinks"]) for row in rows
    ]
    right = [grade.outcome is Outcome.CORRECT for grade in grader.grade(attempts)]
    kinds = ["as recorded" if row["right"] == told else "not so" for row, told in zip(rows, right, strict=True)]
    assert set(kinds) == {"as recorded"}, table(rows, kinds)


def test_equal_boxes_are_one_answer_and_unequal_ones_a_list(grader):
    texts = [r"\boxed{2/4} or \boxed{0.5}", r"\boxed{1/2}, \boxed{0.25}"]
    grades = grader.grade(Attempt(text=text, gold="0.5") for text in texts)
    assert [grade.outcome for grade in grades] == [Outcome.CORRECT, Outcome.INCORRECT]


def test_a_bare_choice_is_read_like_a_box(grader):
    answers = ["(C)", "C. 5 m", "option C", "c", "C and D", "Carbon"]
    grades = grader.grade(Attempt(text=answer, gold="C", kind=AnswerKind.CHOICE, bare=True) for answer in answers)
    assert [grade.outcome is Outcome.CORRECT for grade in grades] == [True, True, True, True, False, False]
