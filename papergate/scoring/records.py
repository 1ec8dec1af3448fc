"""The records of scoring: what is graded, what was found, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from papergate.thoughts import ThoughtMarks


class AnswerKind(StrEnum):
    """What sort of answer a benchmark asks for."""

    MATH = "math"
    INTEGER = "integer"
    CHOICE = "choice"


class Outcome(StrEnum):
    """How a grade ends; `undecided` means that no answer was reached within the limits, never a wrong answer."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One completion beside the gold answer of its problem.

    Attributes:
        text: The completion, or None where none came.
        gold: The right answer.
        kind: What sort of answer is asked for.
        thinks: Whether the model thinks before it answers, so that a completion whose thought is never closed is
            truncated.
        letters: The options of a multiple-choice problem.
        options: The text of each option by its letter, where it is known.
        marks: The model's own marks of its thought, beside the known ones.
        cut: Whether the completion ended at the token limit.
        bare: Whether `text` is the bare final answer, from which nothing needs to be extracted.
        solution: The whole worked solution, where it is known: some tools read the right answer from it.
        no_answer: Why it is incorrect whatever its text says, such as `refused`; empty where the text decides.
    """

    text: str | None
    gold: str
    kind: AnswerKind = AnswerKind.MATH
    thinks: bool = False
    letters: str = "ABCD"
    options: Mapping[str, str] | None = None
    marks: ThoughtMarks | None = None
    cut: bool = False
    bare: bool = False
    solution: str = ""
    no_answer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extraction:
    """The final answer found in a completion, the rule that found it, or the reason why there is none.

    An answer with the reason `doubtful` is one that the words around it leave open; it is never graded right.
    """

    answer: str | None
    rule: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Whether two answers are the same: True, False, or None where it could not be told.

    Attributes:
        equal: The decision; None is neither yes nor no.
        rule: The layer that decided.
        reason: Why it is undecided, None otherwise.
        extracted: What a peer's grader read in a whole completion, None where the answer was given.
    """

    equal: bool | None
    rule: str
    reason: str | None = None
    extracted: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grade:
    """The result of one attempt, with all that is needed to argue with it.

    Attributes:
        outcome: Correct, incorrect or undecided.
        extracted: The answer that was compared, None where there was none.
        gold: The right answer.
        rule: How the answer was found and what settled the comparison, as `extraction/comparison`.
        reason: Why it is undecided (`doubtful`: the words around the box leave open if it is the answer), or incorrect
            without a comparison: `empty`, `unanswered`, `truncated` (it ends in the thought), `cut off` (it ends in the
            box of the answer), `refused`, `ended_by_server`.
        seconds: Wall time spent on this grade.
        present_elsewhere: The right answer stands in the text, but is not the one that was extracted.
    """

    outcome: Outcome
    extracted: str | None
    gold: str
    rule: str
    reason: str | None
    seconds: float
    present_elsewhere: bool = False
