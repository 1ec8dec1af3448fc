"""What a grade says: outcome, extracted text, rule, reason, order and time."""

import cProfile

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from papergate.errors import BenchmarkError
from papergate.scoring import AnswerKind, Attempt, Grader, Outcome, check_golds, equivalence, vote_key


def grade_one(grader, **fields):
    return next(grader.grade([Attempt(**fields)]))


def test_grade_carries_what_is_needed_to_argue_with_it(grader):
    grade = grade_one(grader, text=r"so \boxed{0.5}", gold=r"\frac{1}{2}")
    assert (grade.outcome, grade.extracted, grade.gold) == (Outcome.CORRECT, "0.5", r"\frac{1}{2}")
    assert (grade.rule, grade.reason) == ("box/exact value", None)
    assert grade.seconds > 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "empty"),
        ("", "empty"),
        ("let me see \\boxed{5}", "truncated"),
        ("hm</think>", "unanswered"),
        ("hm</think>I give up.", "unanswered"),
    ],
)
def test_completion_without_answer_is_incorrect_for_a_reason(grader, text, reason):
    grade = grade_one(grader, text=text, gold="5", thinks=True)
    assert (grade.outcome, grade.extracted, grade.reason) == (Outcome.INCORRECT, None, reason)


@pytest.mark.parametrize(
    ("text", "present"),
    [
        (r"so it is \boxed{7}", False),
        (r"\boxed{7}</think> I forgot.", False),
        (r"\boxed{7}</think> \boxed{8}", False),
        (r"</think> \boxed{7}, as shown. In base eight it is \boxed{10}", True),
        (r"</think> \boxed{6}, as shown. In base eight it is \boxed{8}", False),
        (r"</think> \boxed{7}", False),
    ],
)
def test_right_answer_of_the_conclusion_that_was_not_extracted_is_reported(grader, text, present):
    assert grade_one(grader, text=text, gold="7", thinks=True).present_elsewhere is present


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        (r"Earlier I found \boxed{7}, an erroneous value.", Outcome.UNDECIDED, "doubtful"),
        (
            r"The sum is \boxed{7}. Suppose we start from 0: \boxed{8} if the door is open.",
            Outcome.UNDECIDED,
            "doubtful",
        ),
        (r"Earlier I found \boxed{8}, an erroneous value.", Outcome.INCORRECT, None),
        (r"Earlier I found 8, an erroneous value. So the sum is \boxed{7}.", Outcome.CORRECT, None),
    ],
)
def test_an_answer_that_the_words_around_it_leave_open_is_never_right(grader, text, outcome, reason):
    grade = grade_one(grader, text=text, gold="7")
    assert (grade.outcome, grade.reason) == (outcome, reason)


@pytest.mark.parametrize(
    "text", ["x" * 10_000_000 + r"\boxed{4}", "\ud800 \\boxed{4} \ud800", "\\boxed{3}, " * 10_000 + r"but \boxed{4}"]
)
def test_huge_and_broken_text_is_graded(grader, text):
    assert grade_one(grader, text=text, gold="4").outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    "answer", ["2^{20000}", "2^{20000}, 1", "10^{5000} million", "\\{10^{9000}\\}", "x < 7^{9999}", "f(2^{20000})=1"]
)
def test_a_number_of_any_length_is_graded(grader, answer):
    for gold in ("1, 2", "204", "\\{1,2\\}"):
        grade = grade_one(grader, text=answer, gold=gold, bare=True)
        assert grade.outcome is Outcome.INCORRECT
    assert grade_one(grader, text=answer, gold=answer + " ", bare=True).outcome is Outcome.CORRECT
    assert vote_key(answer) != vote_key(answer + "7")


def test_an_error_of_ours_is_undecided_and_named(monkeypatch):
    monkeypatch.setattr(equivalence, "_compared", lambda *_: 1 / 0)
    comparison = equivalence.equivalent("1", "x")
    assert (comparison.equal, comparison.rule, comparison.reason) == (None, "error", "ZeroDivisionError in comparison")


def test_an_integral_that_was_computed_before_costs_the_same_steps():
    pair = ("\\frac{\\pi}{4}", "\\int_0^1 \\frac{1}{1+t^2}\\,dt")
    before = equivalence.equivalent(*pair, steps=100)
    assert before.rule == "limit"
    assert equivalence.equivalent(*pair).equal is True
    assert equivalence.equivalent(*pair, steps=100) == before


def test_what_takes_too_many_steps_is_undecided_on_every_machine():
    pair = (
        "\\sin(x+1)^{16}+\\cos(x-1)^{16}",
        "(\\sin x\\cos 1+\\cos x\\sin 1)^{16}+(\\cos x\\cos 1+\\sin x\\sin 1)^{16}",
    )
    allowed = [equivalence.equivalent(*pair, steps=steps) for steps in (10, 40_000)]
    assert [comparison.equal for comparison in allowed] == [None, True]
    assert allowed[0].reason is not None
    assert allowed[0].reason.startswith("step limit")


def test_a_limit_within_another_is_given_up_before_it_takes_seconds():
    with cProfile.Profile() as profile:
        assert equivalence.equivalent("\\lim_{x\\to0}(x\\lim_{y\\to0}y)", "7").equal is None
    assert sum(row.callcount for row in profile.getstats()) < 1_000_000


def test_leading_zeros_of_an_integer_do_not_count(grader):
    for text in ("\\boxed{25}", "\\boxed{025}", "\\boxed{m+n=25}", "\\boxed{25.0}"):
        assert grade_one(grader, text=text, gold="025", kind=AnswerKind.INTEGER).outcome is Outcome.CORRECT
    assert grade_one(grader, text="\\boxed{250}", gold="025", kind=AnswerKind.INTEGER).outcome is Outcome.INCORRECT


def test_letters_are_graded_as_letters(grader):
    right = {"text": "Answer: (B) because", "gold": "B", "kind": AnswerKind.CHOICE}
    assert grade_one(grader, **right).outcome is Outcome.CORRECT
    assert grade_one(grader, **{**right, "gold": "C"}).outcome is Outcome.INCORRECT


def test_order_is_kept_between_quick_and_slow():
    attempts = [
        Attempt(text="1", gold=str(number), bare=True)  # for a process
        if number % 5 == 0
        else Attempt(text="B", gold="ABCD"[number % 4], kind=AnswerKind.CHOICE, bare=True)
        for number in range(40)
    ]
    with Grader("math-verify", workers=1) as grader:
        golds = [grade.gold for grade in grader.grade(attempts)]
    assert golds == [attempt.gold for attempt in attempts]


def test_grades_stream(grader):
    def endless():
        while True:
            yield Attempt(text="1", gold="1", bare=True)

    grades = grader.grade(endless())
    assert [next(grades).outcome for _ in range(1_000)] == [Outcome.CORRECT] * 1_000


def test_every_unreadable_gold_is_named():
    check_golds([r"\frac{1}{2}", "x=5", r"\text{even}"])
    with pytest.raises(BenchmarkError, match=r"'\\\\frac\{1'.*'\?'"):
        check_golds(["1", r"\frac{1", "?"])
    with pytest.raises(BenchmarkError, match="1/2"):
        check_golds(["12", "1/2"], AnswerKind.INTEGER)
    with pytest.raises(BenchmarkError, match="''"):
        check_golds([""], AnswerKind.CHOICE)


@pytest.mark.parametrize(
    ("mode", "gold", "text", "kind", "outcome"),
    [
        ("aisbench", "25", "\\boxed{025}", AnswerKind.INTEGER, Outcome.INCORRECT),
        ("aisbench", "25", "\\boxed{25.0}", AnswerKind.INTEGER, Outcome.CORRECT),
        ("aisbench", "705", "\\boxed{70 and 5}", AnswerKind.INTEGER, Outcome.CORRECT),
        ("aisbench", "5", "thought \\boxed{5}", AnswerKind.INTEGER, Outcome.CORRECT),
        ("aisbench", "5", "\\boxed{5} and \\boxed{}", AnswerKind.INTEGER, Outcome.INCORRECT),
        ("aisbench", r"\frac{1}{2}", "\\boxed{0.5}", AnswerKind.MATH, Outcome.CORRECT),
        ("aisbench", r"\frac43", "\\boxed{\\frac43}", AnswerKind.MATH, Outcome.INCORRECT),
        ("aisbench", "4", "the answer is 4", AnswerKind.MATH, Outcome.INCORRECT),
        ("math-verify", r"\frac43", "\\boxed{\\frac43}", AnswerKind.MATH, Outcome.CORRECT),
        ("math-verify", "4", "the answer is 4", AnswerKind.MATH, Outcome.CORRECT),
        ("aisbench", "B", "\\boxed{B}", AnswerKind.CHOICE, Outcome.CORRECT),
    ],
)
def test_peers_are_graded_by_their_own_rules(peers, mode, gold, text, kind, outcome):
    assert grade_one(peers(mode), text=text, gold=gold, kind=kind).outcome is outcome


class OneGraderServesMany(RuleBasedStateMachine):
    """However readers interleave, each gets its own grades in its own order."""

    @initialize()
    def open_grader(self):
        self.grader = Grader(workers=1)
        self.readers = []

    @rule(numbers=st.lists(st.integers(0, 3), max_size=6))
    def begin(self, numbers):
        attempts = [Attempt(text=str(number), gold="1", bare=True) for number in numbers]
        self.readers.append((iter(numbers), self.grader.grade(attempts)))

    @rule(data=st.data())
    def read(self, data):
        if self.readers:
            numbers, grades = data.draw(st.sampled_from(self.readers))
            number = next(numbers, None)
            grade = next(grades, None)
            assert (grade is None) == (number is None)
            if grade is not None:
                assert grade.extracted == str(number)
                assert (grade.outcome is Outcome.CORRECT) == (number == 1)

    @invariant()
    def starts_no_process_for_what_is_certain(self):
        if hasattr(self, "grader"):
            assert self.grader._pool._seats.qsize() == 1

    def teardown(self):
        if hasattr(self, "grader"):
            self.grader.close()


TestOneGraderServesMany = OneGraderServesMany.TestCase


def test_an_answer_that_was_refused_or_ended_by_the_server_is_wrong_whatever_it_holds(grader):
    grade = grade_one(grader, text="so</think>\\boxed{25}", gold="25", thinks=True, no_answer="refused")
    assert (grade.outcome, grade.extracted, grade.reason) == (Outcome.INCORRECT, None, "refused")
