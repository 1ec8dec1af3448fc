"""Finding the final answer in a completion.

Rules, in the order they are tried, each named in the grade: `boxes` (several final boxes that together answer one
question), `box` (the last balanced box), `answer-is` (an announced answer), `concluded` (a value that stands apart at
the end, or what the last sentence states), and for a model that does not think `whole` and `last-value`. A thinking
model had room to conclude, so nothing is guessed for it. Multiple choice has rules of its own, see `reading.choice`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from papergate.scoring.reading.announcements import announced, guessed
from papergate.scoring.reading.boxes import Box, final_boxes
from papergate.scoring.reading.closing import concluded, set_apart
from papergate.scoring.reading.conclusion import conclusion_of
from papergate.scoring.reading.denials import without_struck
from papergate.scoring.reading.doubts import is_doubtful
from papergate.scoring.records import AnswerKind, Extraction
from papergate.thoughts import ThoughtMarks, marks_in

_OF_BOXES = {"box", "boxes"}
_MAX_END = 20  # characters at the end of a text that tell whether its conclusion ends there, too
_EMPTY_BOX = re.compile(r"\\[fb]?box(?:ed)?\s*\{\s*\}")


def extract(
    text: str | None,
    *,
    kind: AnswerKind,
    thinks: bool,
    letters: str = "ABCD",
    options: Mapping[str, str] | None = None,
    marks: ThoughtMarks | None = None,
    cut: bool = False,
) -> Extraction:
    """The final answer of a completion.

    Args:
        text: The completion, None where none came.
        kind: What sort of answer is asked for.
        thinks: Whether the model thinks; then a completion without a closed thought is truncated and has no answer.
        letters: The options of a multiple-choice problem.
        options: The text of each option by its letter, where it is known.
        marks: The model's own marks of its thought, beside the known ones.
        cut: Whether the completion ended at the token limit; then its last sentence is no conclusion.

    Returns:
        The answer with the rule that found it, and the reason `doubtful` where the words around it leave it open; or
        the reason why there is none: `empty`, `truncated` (in the thought), `cut off` (in a box), `unanswered`.
    """
    if not text or text.isspace():
        return _none("empty")
    conclusion = conclusion_of(text, thinks=thinks, marks=marks)
    if conclusion is None:
        return _none("truncated")
    cut = cut and text.rstrip().endswith(conclusion[-_MAX_END:])
    conclusion = without_struck(conclusion)
    boxes, is_cut_off = final_boxes(conclusion)
    if kind is AnswerKind.CHOICE:
        from papergate.scoring.reading.choice import chosen

        choice = chosen(conclusion, letters, options, cut=cut)
        found = Extraction(answer=choice.letter, rule=choice.rule) if choice else None
    elif is_cut_off:
        found = None
    else:
        found = _boxed(boxes, conclusion) or _said(
            conclusion, thinks=thinks or any(mark.closes for mark in marks_in(text, marks)), cut=cut
        )
    if not (found and found.answer):
        return _none("cut off" if is_cut_off else "unanswered")
    of_boxes = found.rule in _OF_BOXES and boxes
    doubtful = of_boxes and is_doubtful(conclusion, boxes[0].start, boxes[-1].end)
    return replace(found, reason="doubtful") if doubtful else found


def _none(reason: str) -> Extraction:
    return Extraction(answer=None, rule="none", reason=reason)


def _boxed(boxes: list[Box], conclusion: str) -> Extraction | None:
    """The final boxes, unless the text goes on to announce another final answer."""
    if not boxes:
        return None
    if later := announced(conclusion[boxes[-1].end :], final=True):
        return Extraction(answer=later, rule="answer-is")
    answers = tuple(dict.fromkeys(box.content or "" for box in boxes))
    return Extraction(answer=", ".join(answers), rule="boxes" if len(answers) > 1 else "box")


def _said(conclusion: str, *, thinks: bool, cut: bool) -> Extraction | None:
    """What a text without a box announces, concludes, or leaves to be guessed."""
    conclusion = _EMPTY_BOX.sub("", conclusion)
    answer = announced(conclusion, cut=cut)
    if answer and thinks and not cut and (apart := set_apart(conclusion)) not in (None, answer):
        return Extraction(answer=apart, rule="concluded")
    if answer:
        return Extraction(answer=answer, rule="answer-is")
    if thinks:
        answer = None if cut else concluded(conclusion)
        return Extraction(answer=answer, rule="concluded") if answer else None
    guess = None if cut else guessed(conclusion)
    return Extraction(answer=guess[0], rule=guess[1]) if guess else None
