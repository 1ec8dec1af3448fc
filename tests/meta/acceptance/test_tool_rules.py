"""A run that a tool's rules grade: its prompts and shots, papergate's own grade beside, what the tool gets wrong."""

import csv
from contextlib import ExitStack
from dataclasses import replace
from functools import cache

import pytest

from papergate.acceptance.flow import replay
from papergate.acceptance.notes import notes_of
from papergate.acceptance.options import Options
from papergate.acceptance.own_rules import refused_golds
from papergate.acceptance.preparing import Benchmarks, settings_of
from papergate.benchmarks import Benchmark, as_asked, read_specs
from papergate.benchmarks.layouts import problem_of
from papergate.errors import BenchmarkError
from papergate.promises import Task, Tool, read_promises
from papergate.scoring import AnswerKind, Attempt, Grader, Outcome
from papergate.words import say
from tests.meta.tiny_runs import BENCHMARK, SPECS, TINY, case_of, completion_of

TASK = Task(benchmark="tiny-aime", prompt="{problem} Answer.", grader="aisbench", variant="another text")
TOOL = Tool(name="t", title="Tool 1", source="s", fields=("model", "messages"), tasks=(TASK,), attempts=2, batches=True)
WITH_TOOL = TINY.model_copy(update={"tool": TOOL})


@pytest.fixture(autouse=True)
def one_core(monkeypatch):
    """A second process of the tool's grader takes longer to start than it would save."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@pytest.fixture(scope="module")
def graders():
    """One for each tool, by its mode."""
    with ExitStack() as stack:
        yield cache(lambda mode: stack.enter_context(Grader(mode, workers=1)))


def codes(acceptance):
    return {note.code: note for note in notes_of(acceptance)}


def vendor(**options):
    settings = settings_of(WITH_TOOL, Options(protocol="vendor", **options))
    return case_of(WITH_TOOL, protocol="vendor", grader=settings.grader, letter=settings.letter, policy=settings.policy)


def answers(spelled):
    return [
        completion_of(problem, 0, right=True) if place else spelled(completion_of(problem, 0, right=True), problem)
        for place, problem in enumerate(BENCHMARK.problems)
    ]


def test_the_tools_rules_grade_and_papergates_own_stand_beside():
    """`025` is no `25` for AISBench's strings; papergate reads the integer."""
    padded = answers(lambda done, problem: replace(done, text=f"so</think>\\boxed{{0{problem.gold}}}"))
    found = replay(vendor(), padded)
    assert found.counts.correct == (0, *(1,) * 29)
    assert (found.own.score, found.own.differ, found.own.refused) == (1, 1, 0)
    notes = codes(found)
    assert "papergate's own rules give 100.00 %: 1 of 30 answers" in say(notes["own_rules"])
    assert "other_grader" not in notes
    assert "golds_refused" not in notes


def test_papergates_own_rules_can_be_asked_for():
    found = replay(vendor(grader="strict"), answers(lambda done, _: done))
    assert found.own is None
    assert "own_rules" not in codes(found)


def test_what_differs_from_the_document_is_said():
    notes = codes(replay(vendor(), answers(lambda done, _: done)))
    assert notes["document_sends_otherwise"].values["differ"] == ["batches", "attempts", "stream"]
    assert notes["document_asks_other_text"].values["stated"] == "another text"
    to_the_letter = vendor(letter=True)
    assert (to_the_letter.settings.policy.attempts, to_the_letter.settings.policy.batches) == (2, True)
    assert not to_the_letter.form.streamed
    assert "document_sends_otherwise" not in codes(replay(to_the_letter, answers(lambda done, _: done)))


def test_the_paper_protocol_asks_and_grades_as_papergate_does():
    settings = settings_of(WITH_TOOL, Options(grader=None))
    case = case_of(WITH_TOOL, grader=settings.grader)
    assert (settings.grader, case.form, case.task) == ("strict", None, None)
    assert case.prompt_digest != vendor().prompt_digest


def test_right_answers_that_a_tool_refuses_are_counted():
    """Shorthand fractions are LaTeX that the switches of AISBench do not mend."""
    rows = [
        {
            "problem": f"p{gold}",
            "solution": f"It is \\boxed{{{gold}}}.",
            "answer": gold,
            "unique_id": f"test/a/{n}.json",
        }
        for n, gold in enumerate(("\\frac43", "7", "\\frac{1}{2}"))
    ]
    problems = tuple(problem_of(row, place, SPECS["math500"]) for place, row in enumerate(rows))
    promise = next(one for one in read_promises(benchmarks=SPECS) if one.id == "a100-vllm-r1-distill-qwen-14b-math500")
    fields = {"digest": "", "variant": "", "known": True, "source": "", "file_sha256": ""}
    case = replace(
        case_of(promise, problems=problems), benchmark=Benchmark(spec=SPECS["math500"], problems=problems, **fields)
    )
    assert refused_golds(case, "aisbench") == refused_golds(case, "opencompass") == 1
    assert refused_golds(case, "open-r1") == 0


def graded(grader, text, gold, **fields):
    (grade,) = grader.grade([Attempt(text=text, gold=gold, thinks=True, **fields)])
    return grade.outcome, grade.extracted


CHOICE = {"kind": AnswerKind.CHOICE}


@pytest.mark.parametrize(
    ("mode", "text", "gold", "letters", "outcome"),
    [
        ("first-capital", "Maybe B</think>A", "A", "AB", Outcome.CORRECT),
        ("first-capital", "so</think>The answer: A", "A", "AB", Outcome.INCORRECT),  # T is the first capital
        ("first-capital", "so</think>是", "A", "AB", Outcome.INCORRECT),
        ("first-capital", "A, but never closed", "A", "AB", Outcome.INCORRECT),
        ("first-option", "so</think>The answer is C.", "C", "ABCD", Outcome.CORRECT),
        ("first-option", "so</think>1. Apples\nThe correct option is: \\boxed{D}", "D", "ABCD", Outcome.CORRECT),
        ("first-option", "so</think>Cats", "C", "ABCD", Outcome.CORRECT),  # any letter, at last
        ("strict", "so</think>The answer: A", "A", "AB", Outcome.CORRECT),
        ("open-r1", "so</think>The answer: A", "A", "AB", Outcome.CORRECT),  # letters are read by our rules there
    ],
)
def test_letters_are_read_as_the_tool_reads_them(graders, mode, text, gold, letters, outcome):
    assert graded(graders(mode), text, gold, letters=letters, **CHOICE)[0] is outcome


@pytest.mark.parametrize(
    ("mode", "text", "outcome"),
    [
        ("open-r1", "guess \\boxed{32}", Outcome.CORRECT),  # the whole text counts, a thought that never ended too
        ("opencompass", "guess \\boxed{32}", Outcome.INCORRECT),
        ("opencompass", "guess \\boxed{31}</think>\\boxed{32}", Outcome.CORRECT),
        ("open-r1", "</think>$32.1$", Outcome.INCORRECT),
    ],
)
def test_a_worked_solution_is_read_as_the_tool_reads_it(graders, mode, text, outcome):
    solution = "Each of $4$ crates has $8$ pegs, so there are $\\boxed{32}$."
    assert graded(graders(mode), text, "32", solution=solution, kind=AnswerKind.MATH)[0] is outcome


def mmlu(subject, question, answer="A"):
    return {"question": question, "A": "1", "B": "2", "C": "3", "D": "4", "answer": answer, "subject": subject}


@pytest.fixture
def folder(tmp_path):
    for split, rows in {
        "dev": [[f"dev {n}?", "1", "2", "3", "4", "ABCDA"[n]] for n in range(6 - 1)],
        "test": [["two?", "1", "2", "3", "4", "B"]],
    }.items():
        (tmp_path / split).mkdir()
        with (tmp_path / split / f"odd_topics_{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return tmp_path


MMLU = next(one for one in read_promises(benchmarks=SPECS) if one.id == "vastai-vllm-vacc-deepseek-r1-mmlu").task


@pytest.mark.parametrize("place", ["", "test"])
def test_solved_problems_stand_before_as_turns(folder, place):
    problem = problem_of(mmlu("odd_topics", "two?"), 0, SPECS["mmlu"])
    (asked,) = as_asked(MMLU, [problem], SPECS["mmlu"], folder / place)
    assert len(asked.shots) == 5
    user, assistant = asked.shots[3]
    assert user.startswith("There is a single choice question about odd topics. ")
    assert "\nQuestion: dev 3?\nA. 1\n" in user
    assert assistant == "D\n"
    assert asked.prompt.endswith("Question: two?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: ")


def test_too_few_solved_problems_are_refused_with_the_remedy(folder):
    problem = problem_of(mmlu("other", "two?"), 0, SPECS["mmlu"])
    with pytest.raises(BenchmarkError, match="5 solved problems of 'other', and 0 are here; give a folder"):
        as_asked(MMLU, [problem], SPECS["mmlu"], folder)


def test_problems_without_a_tool_keep_their_own_prompt():
    benchmarks = Benchmarks(read_specs(), {})
    assert benchmarks.asked("tiny-aime", None) == BENCHMARK.problems
    asked = benchmarks.asked("tiny-aime", TASK)
    assert asked[0].prompt == f"{BENCHMARK.problems[0].text} Answer."
