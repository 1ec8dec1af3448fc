"""Whether two answers are the same, by their exact normal forms and, where that is permitted, by numbers.

Nothing here starts a process or calls sympy. It says yes or no only where it is certain; everything else is undecided
here, and left to the worker.
"""

import re
from functools import lru_cache

from papergate.scoring.answers import algebra
from papergate.scoring.answers.algebra import TooComplex, Undefined
from papergate.scoring.answers.comparing import Comparer, spelled
from papergate.scoring.answers.names import resolved
from papergate.scoring.answers.numeric import NeedsNumbers
from papergate.scoring.answers.shapes import Relation, Shape, shape_of
from papergate.scoring.answers.spelling import Unreadable, ascii_spelling
from papergate.scoring.answers.syntax import parse
from papergate.scoring.extraction import extract
from papergate.scoring.records import AnswerKind, Comparison

MAX_CACHED = 4_096  # answers whose shape is remembered: golds, and what many samples agree on
_WRAPPER = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|textnormal|mathit|textrm|textit)\s*\{([^{}\\]*)\}")
_SPACING = re.compile(r"(?:\\[,;:! ]|\\q?quad\b|\\left(?![a-z.])|\\right(?![a-z.])|\\displaystyle\b|[\s~])+")
_LOOSE_SPACE = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")
_LETTER = re.compile(r"\(?([A-Ja-j])\)?[.:]?|\(([A-J])\).*|([A-J])[.):]\s*[A-Za-z].*", re.DOTALL)
_GOLD_LETTER = re.compile(r"\(?([A-J])\)?")
_BARE_LOG = re.compile(r"log(?!\s*_)")  # natural to some authors, common to others
_NO_EXACT_FORM = (Unreadable, TooComplex, Undefined, NeedsNumbers, RecursionError)
_QUOTES = '*`"“”‘’ '  # Markdown and quotation marks around an answer
_BOX = re.compile(r"\\f?box")


def equivalent(
    gold: str, answer: str, kind: AnswerKind = AnswerKind.MATH, *, steps: int | None = algebra.MAX_STEPS
) -> Comparison:
    """Compare two answers without leaving the process.

    Args:
        gold: The right answer.
        answer: The given answer.
        kind: What sort of answer is asked for.
        steps: What the exact arithmetic may cost, None where something else limits it.

    Returns:
        Yes or no with the layer that decided, or None where these layers are not certain.
    """
    one, other = _bare(gold), _bare(answer)
    if one == other or _squeezed(one) == _squeezed(other):
        return Comparison(equal=True, rule="same text")
    letters = _same_letter(_squeezed(one), _squeezed(other), kind)
    if letters is not None:
        return Comparison(equal=letters, rule="letter")
    algebra.allow(steps)
    try:
        return _compare(one, other, kind)
    except _NO_EXACT_FORM as error:
        return Comparison(equal=None, rule="none", reason=f"no exact form: {error}")


def vote_key(answer: str, kind: AnswerKind = AnswerKind.MATH) -> str:
    """A canonical spelling: answers with the same key are one class of a plurality vote."""
    text = _bare(answer)
    algebra.allow(algebra.MAX_STEPS)
    if kind is AnswerKind.CHOICE:
        match = _LETTER.fullmatch(_squeezed(text))
        return next(filter(None, match.groups())).upper() if match else text
    try:
        return spelled(resolved(_read(text)))
    except _NO_EXACT_FORM:
        return _squeezed(text)


def check_readable(gold: str, kind: AnswerKind) -> bool:
    """Whether a gold answer can be compared with anything but its own text."""
    if kind is AnswerKind.INTEGER:
        return gold.strip().isdecimal()
    if kind is AnswerKind.CHOICE:
        return _LETTER.fullmatch(_squeezed(_bare(gold))) is not None
    algebra.allow(algebra.MAX_STEPS)
    try:
        _read(_bare(gold))
    except _NO_EXACT_FORM:
        return False
    return True


def _bare(text: str) -> str:
    """The answer out of its box and its quotation marks."""
    if _BOX.search(text):
        text = extract(text, kind=AnswerKind.MATH, thinks=False).answer or text
    return text.strip().strip(_QUOTES).removeprefix("=").strip()


@lru_cache(MAX_CACHED)
def _squeezed(text: str) -> str:
    """The answer without its typography; digits and letters that stand apart stay apart."""
    text = _SPACING.sub(" ", _WRAPPER.sub(r"\1", ascii_spelling(text).strip("$")))
    return _LOOSE_SPACE.sub("", text)


def _same_letter(gold: str, answer: str, kind: AnswerKind) -> bool | None:
    """Compare options of a multiple choice, None where the gold answer or the answer is none."""
    wanted = _GOLD_LETTER.fullmatch(gold)
    given = _LETTER.fullmatch(answer)
    if wanted and given:
        return wanted[1] == str(next(filter(None, given.groups()))).upper()
    return False if kind is AnswerKind.CHOICE else None


@lru_cache(MAX_CACHED)
def _read(text: str, *, common_log: bool = False) -> Shape:
    return shape_of(parse(text), common_log=common_log)


def _compare(gold: str, answer: str, kind: AnswerKind) -> Comparison:
    readings = (False, True) if _BARE_LOG.search(gold) or _BARE_LOG.search(answer) else (False,)
    for common_log in readings:
        comparer = Comparer()
        one, other = (resolved(_read(text, common_log=common_log)) for text in (gold, answer))
        if kind is AnswerKind.INTEGER:
            other = _last_side(other)
        equal = comparer.same(one, other)
        if equal:
            break
    reason = None if equal is not None else "no certain numerical comparison"
    return Comparison(equal=equal, rule=comparer.layer, reason=reason)


def _last_side(shape: Shape) -> Shape:
    """The value an equation ends with, when an integer is asked for: `m + n = 25`."""
    if isinstance(shape, Relation) and set(shape.signs) == {"="}:
        return shape.operands[-1]
    return shape
