"""What is taken as the final answer of a completion."""

import pytest

from papergate.scoring import AnswerKind, extract


def found(text, *, kind=AnswerKind.MATH, thinks=False, letters="ABCD"):
    extraction = extract(text, kind=kind, thinks=thinks, letters=letters)
    return extraction.answer, extraction.rule if extraction.answer is not None else extraction.reason


@pytest.mark.parametrize(
    ("text", "answer", "rule"),
    [
        (r"so \boxed{42}.", "42", "box"),
        (r"\boxed{\frac{1}{2}} \text{ (about 0.5)}", r"\frac{1}{2}", "box"),
        (r"\fbox{7}", "7", "box"),
        (r"\boxed 42", "42", "box"),
        (r"\boxed{1} then \boxed{\{1,2\}}", r"\{1,2\}", "box"),
        (r"first \boxed{1}, but no: \boxed{2} and {", "2", "box"),
        (r"\boxed{3} was wrong. \boxed{4", "3", "box"),
        (r"\boxed{5}+\boxed{7}=\boxed{12}", "12", "box"),
        (r"\(\boxed{1}\) and \(\boxed{-2}\)", "1, -2", "boxes"),
        (r"$x_1=\boxed{1}$, $x_2=\boxed{2}$", "1, 2", "boxes"),
        (r"\boxed{8} \boxed{8}", "8", "box"),
        ("The answer is 42.", "42", "answer-is"),
        ("Final answer: $\\frac{3}{4}$", r"\frac{3}{4}", "answer-is"),
        ("所以答案是 12。", "12", "answer-is"),
        ("one apple, so 3 + 4 pears make 7 in all", "7", "last-number"),
        ("hence $x>5$ holds", "x>5", "last-math"),
        ("3/4", "3/4", "whole"),
    ],
)
def test_answer_is_found_by_a_named_rule(text, answer, rule):
    assert found(text) == (answer, rule)


@pytest.mark.parametrize(
    ("text", "thinks", "reason"),
    [
        (None, False, "empty"),
        ("  \n", True, "empty"),
        (r"so far \boxed{4}", True, "truncated"),
        (r"<think> so far \boxed{4}", False, "truncated"),
        ("thought</think>", True, "unanswered"),
        ("thought</think> There were 4 of them", True, "unanswered"),
        (r"\boxed{}", False, "unanswered"),
    ],
)
def test_missing_answer_has_a_reason(text, thinks, reason):
    assert found(text, thinks=thinks) == (None, reason)


def test_only_text_after_the_last_thought_counts():
    assert found(r"\boxed{1}</think>\boxed{2}</think>\boxed{3}", thinks=True) == ("3", "box")


@pytest.mark.parametrize(
    "text", [r"\boxed{C}", r"\boxed{\text{(C)}}", "Answer: C", "The answer is (C) because", "**Answer:** C"]
)
def test_letter_is_found(text):
    assert found(text, kind=AnswerKind.CHOICE)[0] == "C"


def test_letter_outside_the_options_is_no_answer():
    assert found(r"\boxed{E}", kind=AnswerKind.CHOICE) == (None, "unanswered")
    assert found(r"\boxed{E}", kind=AnswerKind.CHOICE, letters="ABCDE")[0] == "E"


def test_many_boxes_and_megabytes_are_read():
    assert found("\\boxed{1} no " * 10_000 + r"\boxed{2}") == ("2", "box")
    assert found("x" * 10_000_000 + r"\boxed{2}") == ("2", "box")
    assert found("\\boxed{" * 100_000)[0] is None
