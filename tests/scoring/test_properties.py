"""Properties of equivalence, extraction and grading over drawn answers, their spellings and their near misses."""

import pytest
from hypothesis import assume, example, given, note
from hypothesis import strategies as st

from papergate.scoring import AnswerKind, Attempt, Outcome, equivalent, extract, vote_key
from papergate.scoring.answers import algebra
from papergate.scoring.answers.grammar import parse
from papergate.scoring.answers.shapes import Reading, numeral, shape_of
from papergate.scoring.reading import announcements, denials
from papergate.scoring.reading.hints import has_any
from tests.scoring.strategies import commands, near_misses, noise, sets, spelling, surds, tuples, values

plain_numerals = st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{1,5})?", fullmatch=True)
spelled_value = values.flatmap(lambda value: st.tuples(st.just(value), spelling(value), spelling(value)))


@given(spelled_value)
def test_formatting_never_changes_a_grade(drawn):
    _, one, other = drawn
    assert equivalent(one, other).equal is True


@given(plain_numerals)
@example("-0")
@example("007.50")
def test_a_plain_numeral_is_what_the_grammar_reads(text):
    algebra.allow(algebra.MAX_STEPS)
    assert repr(numeral(text)) == repr(shape_of(parse(text), Reading()))


@given(plain_numerals, plain_numerals, st.sampled_from([AnswerKind.MATH, AnswerKind.INTEGER]))
@example("2.50", "2.5", AnswerKind.MATH)
@example("0", "-0.0", AnswerKind.MATH)
@example("025", "25", AnswerKind.INTEGER)
@example("1.234", "1234", AnswerKind.MATH)
def test_two_plain_numerals_are_graded_as_in_braces(one, other, kind):
    assert equivalent(one, other, kind).equal is equivalent(f"{{{one}}}", f"{{{other}}}", kind).equal


@given(spelled_value)
def test_equivalence_is_reflexive(drawn):
    assert equivalent(drawn[1], drawn[1]).equal is True


@given(values.flatmap(lambda value: st.tuples(spelling(value), near_misses(value).flatmap(spelling))))
def test_different_values_are_never_equal(drawn):
    assert equivalent(*drawn).equal is False


@given(noise, noise)
@example("x=5", "5")
@example("90^\\circ", "\\frac{\\pi}{2}")
@example("5\\%", "0.05")
@example("|\\frac{a}{b}+\\frac{c}{d}|", "\\frac{a}{b}+\\frac{c}{d}")
@example("2+\\sqrt3, 2-\\sqrt3", "\\frac12, \\lim_{x\\to0}x")
def test_equivalence_is_symmetric(one, other):
    assert equivalent(one, other).equal is equivalent(other, one).equal


@given(tuples, st.data())
def test_order_matters_for_tuples(ordered, data):
    assume(len(set(ordered.items)) > 1)
    other = data.draw(near_misses(ordered))
    assert equivalent(data.draw(spelling(ordered)), data.draw(spelling(other))).equal is False


@given(sets, st.data())
def test_order_does_not_matter_for_sets(unordered, data):
    assert equivalent(data.draw(spelling(unordered)), data.draw(spelling(unordered))).equal is True


@given(surds, st.data())
def test_equal_answers_share_a_vote(surd, data):
    assert vote_key(data.draw(spelling(surd))) == vote_key(data.draw(spelling(surd)))


@given(noise, noise)
@example("(" * 40 + "x+1" + ")^{16}+1" * 40, "1")
@example("10^{-10^{9}}", "0.333333")
@example("\\{k\\pi \\mid \\in\\mathbb{Z}\\}", "P(1,2,2)")
@example("\\ldots + \\ldots", "\\int_0xed")
@example("\\sum_{i=1}^{i} x", "\\sum_{i=1}^{n} x")
@example("\\sin(" * 50 + "x" + ")" * 50, "9^{9^{9^{9}}}")
def test_nothing_is_raised_in_process(one, other):
    assert equivalent(one, other).rule != "error"
    vote_key(one)
    for kind in AnswerKind:
        extract(one, kind=kind, thinks=False)


@given(st.lists(commands, max_size=20).map(" ".join), spelled_value)
def test_text_before_the_box_never_matters(before, drawn):
    assume("boxed" not in before)
    _, gold, answer = drawn
    answer = answer.replace("$", "")
    found = extract(f"{before} so \\boxed{{{answer}}}.", kind=AnswerKind.MATH, thinks=False)
    assert found.answer == answer.strip()
    assert equivalent(gold, found.answer).equal is True


@given(noise.filter(lambda text: "box" not in text), spelled_value)
def test_thoughts_never_matter(thought, drawn):
    _, _, answer = drawn
    answer = answer.replace("$", "")
    text = f"{thought}\\boxed{{{thought}}}</think>\\boxed{{{answer}}}"
    assume("</think>" not in thought)
    assert extract(text, kind=AnswerKind.MATH, thinks=True).answer == answer.strip()


@pytest.mark.parametrize("gold", ["\\frac{1}{2}", "(1,2)", "x=5", "\\text{even}"])
@given(st.lists(noise, min_size=1, max_size=3))
def test_every_completion_gets_a_grade(grader, gold, texts):
    attempts = [Attempt(text=text, gold=gold, bare=True) for text in texts]
    grades = list(grader.grade(attempts))
    note(f"{[grade.rule for grade in grades]}")
    assert [grade.outcome in Outcome for grade in grades] == [True] * len(texts)


pieces = [
    "\\boxed{",
    "\\[",
    "\\]",
    "</think>",
    "<|im_end|>",
    "Answer: ",
    "is ",
    "or ",
    "42",
    "\n\n",
    "答案",
    "**",
    "<answer>",
]
fragments = st.sampled_from([*"}$AC=()选.", *pieces, "</answer>", "⟦B⟧", "not ", "so "])


@given(st.lists(fragments, max_size=25).map("".join), st.booleans(), st.booleans())
def test_every_text_has_an_answer_or_a_reason_and_a_choice_is_one_of_the_letters(text, thinks, cut):
    for kind in AnswerKind:
        found = extract(text, kind=kind, thinks=thinks, cut=cut)
        assert bool(found.answer) is (found.reason is None)
        if kind is AnswerKind.CHOICE:
            assert found.answer is None or found.answer in "ABCD"


@given(st.lists(fragments, max_size=25).map("".join))
def test_a_completion_cut_at_the_limit_is_never_given_more_answers(text):
    for kind in AnswerKind:
        cut = extract(text, kind=kind, thinks=True, cut=True)
        assert cut.answer is None or extract(text, kind=kind, thinks=True).answer is not None


@pytest.mark.parametrize(
    ("pattern", "hints"),
    [
        (denials._BEFORE, denials._HINTS),
        (denials._AFTER, denials._HINTS),
        (announcements._ANCHOR, announcements._HINTS),
        (announcements._REVERSED, announcements._HINTS_OF_REVERSED),
        (announcements._FINAL, announcements._HINTS_OF_FINAL),
    ],
    ids=["denied before", "denied after", "announced", "announced backwards", "final"],
)
@given(st.data())
def test_no_text_that_a_pattern_reads_is_without_its_hints(pattern, hints, data):
    text = data.draw(st.from_regex(pattern))
    assert has_any(text, hints) or (pattern is announcements._ANCHOR and announcements._ANS.search(text))
