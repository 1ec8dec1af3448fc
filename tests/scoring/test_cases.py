"""Recorded cases: our own, and the shared ones where they are."""

import gzip
import json
from pathlib import Path

import pytest

from papergate.scoring import Attempt, Outcome, check_golds

OWN = [json.loads(line) for line in (Path(__file__).parent / "cases" / "equivalence.jsonl").read_text().splitlines()]
EXPECTED = {True: Outcome.CORRECT, False: Outcome.INCORRECT, None: Outcome.UNDECIDED}
EQUAL_BY_CONVENTION = {
    frozenset({"180^\\circ", "\\pi"}),  # degrees and radians name the same angle
    frozenset({"40_9", "40"}),  # the question states the base
}


def jsonl(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def grades(grader, rows):
    attempts = [Attempt(text=row["answer"], gold=row["gold"], bare=row["mode"] == "answer") for row in rows]
    return list(zip(rows, grader.grade(attempts), strict=True))


@pytest.mark.parametrize("case", OWN, ids=lambda case: f"{case['gold']} | {case['answer']}"[:120])
def test_own_case_is_graded_as_recorded(grader, case):
    grade = next(grader.grade([Attempt(text=case["answer"], gold=case["gold"], bare=True)]))
    assert grade.outcome is EXPECTED[case["equal"]]


def test_shared_core_cases_are_right_and_none_is_falsely_accepted(grader, shared):
    rows = [row for row in jsonl(shared / "cases" / "equivalence.jsonl") if row["tier"] == "core"]
    graded = grades(grader, rows)
    accepted = [row["id"] for row, grade in graded if grade.outcome is Outcome.CORRECT and not row["label"]]
    wrong = [row["id"] for row, grade in graded if grade.outcome is not EXPECTED[row["label"]]]
    assert accepted == []
    assert len(wrong) <= 0.01 * len(rows), wrong


def test_shared_hostile_answers_end_and_none_is_graded_wrong(grader, shared):
    for row, grade in grades(grader, jsonl(shared / "cases" / "hostile.jsonl.gz")):
        if row["must"] == "label+robust":
            assert grade.outcome is EXPECTED[row["label"]], row["id"]
        elif row["label"] is not None:
            assert grade.outcome in {EXPECTED[row["label"]], Outcome.UNDECIDED}, row["id"]


def test_gold_answers_equal_themselves_and_no_other(grader, shared):
    golds = sorted({row["answer"] for row in jsonl(shared / "datasets" / "math_500.jsonl")})
    check_golds(golds)
    pairs = [(one, other) for at, one in enumerate(golds) for other in golds[: at + 1]]
    graded = grader.grade(Attempt(text=other, gold=one, bare=True) for one, other in pairs)
    equal = {
        frozenset(pair) for pair, grade in zip(pairs, graded, strict=True) if grade.outcome is not Outcome.INCORRECT
    }
    assert {frozenset({gold}) for gold in golds} <= equal
    unexplained = {pair for pair in equal if len({_numeral(gold) for gold in pair}) > 1} - EQUAL_BY_CONVENTION
    assert unexplained == set()


def _numeral(gold):
    """The gold without what does not change its value: units, degrees, dollars, names, spacing and order."""
    gold = gold.replace("\\frac14", "\\frac{1}{4}")
    for mark in ("^\\circ", "\\$", "\\!", ",", " ", "\\mbox{cm}^2", "x=", "{", "}"):
        gold = gold.replace(mark, "")
    return "".join(sorted(gold))
