"""What is taken as the final answer of a completion."""

import pytest

from papergate.scoring import AnswerKind, extract
from papergate.thoughts import ThoughtMarks


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
        (r"\boxed{3} fits. Final answer: \boxed{3", "3", "box"),
        (r"\colorbox{yellow}{42} \bbox[red]{6} no: \fcolorbox{red}{white}{7}", "7", "box"),
        (r"\Boxed{42}", "42", "box"),
        (r"\framebox[2cm][c]{42}", "42", "box"),
        (r"\boxed(42)", "42", "box"),
        (r"\boxed[42]", "42", "box"),
        ("\x08oxed{\x0crac12}", r"\frac12", "box"),
        (r"$\boxed{42$, as said", "42", "box"),
        (r"\boxed{\begin{array}{c}42\end{array}}", "42", "box"),
        (r"\boxed{\vphantom{\}}42}", "42", "box"),
        (r"$\boxed{42}$, not $\boxed{24}$.", "42", "box"),
        (r"\boxed{(3, 3)} \text{ for (a) and } \boxed{(1, 1)}", "(3, 3), (1, 1)", "boxes"),
        (r"Part one: \boxed{6}. Final answer: 42", "42", "answer-is"),
        (r"\boxed{\frac13}. The final answer is about 0.333", r"\frac13", "box"),
        (r"\boxed{5}+\boxed{7}=\boxed{12}", "12", "box"),
        (r"\(\boxed{1}\) and \(\boxed{-2}\)", "1, -2", "boxes"),
        (r"$x_1=\boxed{1}$, $x_2=\boxed{2}$", "1, 2", "boxes"),
        (r"\boxed{8} \boxed{8}", "8", "box"),
        ("The answer is 42.", "42", "answer-is"),
        ("Final answer: $\\frac{3}{4}$", r"\frac{3}{4}", "answer-is"),
        ("所以答案是 12。", "12", "answer-is"),
        ("one apple, so 3 + 4 pears make 7 in all", "7", "last-value"),
        ("hence $x>5$ holds", "x>5", "last-value"),
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
        (r"thought</think> so \boxed{4", True, "cut off"),
        (r"\boxed{3} was wrong. \boxed{4", False, "cut off"),
        (r"\boxed{\frac{1}{2", False, "cut off"),
        ("t</think>We have\n\\[\nx = \\frac{4 \\pm 128}{2}\n\\]\n\\[\nx = \\frac", True, "unanswered"),
        ("t</think>We factor:\n\n1. $x = 2$\n2", True, "unanswered"),
        ("t</think>Add them.\n\n\\[ x = 5 \\]", True, "unanswered"),
        ("t</think>Therefore the total is 4", True, "unanswered"),
        ("t</think>Therefore \\[ x + y = 12.", True, "unanswered"),
        ("t</think>Therefore the total is \\(\\frac{1}{2", True, "unanswered"),
    ],
)
def test_missing_answer_has_a_reason(text, thinks, reason):
    assert found(text, thinks=thinks) == (None, reason)


def test_marks_of_the_thought_can_be_stated():
    text = r"<< \boxed{1} >> \boxed{2}"
    assert extract(text, kind=AnswerKind.MATH, thinks=True).reason == "truncated"
    assert extract(text, kind=AnswerKind.MATH, thinks=True, marks=ThoughtMarks("<<", ">>")).answer == "2"


@pytest.mark.parametrize(
    "text",
    [
        "[unused16]is it 36?[unused17]The answer is 42.[unused10]",
        "<longcat_think>is it 36?</longcat_think>The answer is 42.",
        "<|START_THINKING|>36<|END_THINKING|><|START_RESPONSE|>The answer is 42.<|END_RESPONSE|>",
        "<Thought>36</Thought>\n<Output>The answer is 42.</Output>",
        '<|channel|>analysis<|message|>36<|end|><|channel|>final <|constrain|>json<|message|>{"answer": 42}<|return|>',
        "<think>36</think>\n<response>\n综上，周长为 42 厘米。\n</response>\n</s>",
    ],
)
def test_the_thought_of_every_known_model_is_not_read(text):
    assert found(text, thinks=True)[0] in {"42", r"42\text{ 厘米}"}


def test_a_mark_that_is_quoted_or_sent_again_ends_no_thought():
    assert found(r"a thought</think>\boxed{42}</think>", thinks=True) == ("42", "box")
    assert found(r"a thought</think>Answer: \boxed{42}. It closes with `</think>` here.", thinks=True) == ("42", "box")


@pytest.mark.parametrize(
    "token",
    ["<|im_end|>", "</s>", "<eos>", "[EOS]", "<｜end▁of▁sentence｜>", "<|im_start|>user", "<SPECIAL_12>", "[unused10]"],
)
def test_text_after_an_end_token_is_nobodys(token):
    assert found(rf"a thought</think>\boxed{{42}}{token}\boxed{{7}}", thinks=True) == ("42", "box")


def test_a_completion_cut_at_the_limit_concludes_nothing():
    said = "a thought</think>Therefore the total is 42."
    assert extract(said, kind=AnswerKind.MATH, thinks=True).answer == "42"
    assert extract(said, kind=AnswerKind.MATH, thinks=True, cut=True).reason == "unanswered"
    letter = "a thought</think>So it must be C."
    assert extract(letter, kind=AnswerKind.CHOICE, thinks=True).answer == "C"
    assert extract(letter, kind=AnswerKind.CHOICE, thinks=True, cut=True).reason == "unanswered"
    assert extract("Answer: 42.\n\nQuestion: 3 +", kind=AnswerKind.MATH, thinks=False, cut=True).answer == "42"
    assert extract("the total is 42", kind=AnswerKind.MATH, thinks=False).answer == "42"
    assert extract("the total is 42", kind=AnswerKind.MATH, thinks=False, cut=True).reason == "unanswered"
    number = "a thought</think>The answer is 42"
    assert extract(number, kind=AnswerKind.MATH, thinks=True).answer == "42"
    assert extract(number, kind=AnswerKind.MATH, thinks=True, cut=True).reason == "unanswered"


@pytest.mark.parametrize(
    "goes_on",
    [
        "Q: What is 3 + 3?\nA: The answer is 6.",
        "Question: What is 3 + 3?\nAnswer: 6",
        "**Problem 2.**\nFind it.\n\n**Solution:** \\boxed{6}",
        "Problem:\nFind $3+3$.\n\nSolution:\nFinal Answer: The final answer is $6$. I hope it is correct.",
        "Next Problem: Find it.\nMy Answer: 6",
        "# Exercise 4.\nThe answer is 6.",
        "[Question]\n[Answer] 6",
        "Human: And 3 + 3?\n\nAssistant: The answer is 6.",
        "### Instruction:\nWrite of 6 cats.",
        "问题：3+3等于多少？\n答案：6",
        "第2题：求3+3。答案是6。",
    ],
)
@pytest.mark.parametrize(
    "said", ["#### 42", "It is 42. The answer is 42.", "so $\\boxed{42}$.", "42", "答案是42。", "【答案】42"]
)
def test_another_question_after_the_answer_is_not_read(said, goes_on):
    assert found(f"{said}\n\n{goes_on}")[0] == "42"


@pytest.mark.parametrize(
    "text",
    [
        "**Problem:** Multiply 6 by 7.\n\n**Solution:** The answer is 42.",
        "We restate it.\n\nQuestion: What is 6 times 7?\nAnswer: 42",
        "p: 3\nq: 42",
    ],
)
def test_a_question_before_the_answer_ends_nothing(text):
    assert found(text)[0] in {"42", "q: 42"}


def test_a_letter_before_another_question_is_read():
    said = "D\n\nQuestion: Which gas is lightest?\nA. H2\nB. He\nAnswer: A"
    assert found(said, kind=AnswerKind.CHOICE)[0] == "D"


def test_the_answer_to_a_later_turn_is_not_read():
    turn = "<think>a</think>\\boxed{42}<|im_end|>\n<|im_start|>user\nAnd 3 + 3?<|im_end|>\n<|im_start|>assistant\n"
    assert found(turn + "<think>b</think>\\boxed{6}", thinks=True)[0] == "42"
    prompt = "<|im_start|>user\nWhat is 6 times 7?<|im_end|>\n<|im_start|>assistant\n<think>b</think>\\boxed{42}"
    assert found(prompt, thinks=True)[0] == "42"


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


def test_text_of_an_option_is_its_letter_where_it_is_known():
    options = {"A": "3 m/s", "B": "5 m/s", "C": "7 m/s", "D": "7 m/s"}
    told = [
        extract(f"Answer: {text}", kind=AnswerKind.CHOICE, thinks=False, options=options).answer
        for text in ("5 m/s", "7 m/s", "9 m/s")
    ]
    assert told == ["B", None, None]


def test_many_boxes_and_megabytes_are_read():
    assert found("\\boxed{1} no " * 10_000 + r"\boxed{2}") == ("2", "box")
    assert found("x" * 10_000_000 + r"\boxed{2}") == ("2", "box")
    assert found("\\boxed{" * 100_000)[0] is None
    assert found("Answer: " * 100_000)[0] is None
    assert found("\\boxed{1}? " * 90_000) == (None, "unanswered")
    assert found("<!-- " * 200_000 + r"\boxed{2}") == ("2", "box")
    assert found("so it is $x = 1$, " * 50_000 + "so it is 42.")[0] == "42"
    assert found("A or " * 100_000 + "Answer: C", kind=AnswerKind.CHOICE) == ("C", "answer-is")


@pytest.mark.parametrize("sign", ["\n", " ", "\n \n", "_", "*", "---\n"])
def test_a_long_run_of_one_sign_before_the_end_ends_nothing(sign):
    run = "t</think>So we get " + sign * (20_000 // len(sign))
    assert found(run + "\n\n5", thinks=True)[0] == "5"
    assert found(run + " is 5.", thinks=True)[0] in {"5", None}


def test_a_value_after_marks_that_say_nothing_is_read():
    assert found("t</think>****\n\n5", thinks=True) == ("5", "concluded")
