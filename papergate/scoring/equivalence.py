"""Whether two answers are the same, by their exact normal forms and by numbers.

Nothing here starts a process, and nothing is raised: an answer that no grammar reads is not the right one, and what
cannot be told within the steps allowed is undecided. Steps are counted, not seconds, so that every machine gives the
same grade.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from papergate.scoring.answers import algebra, limits, wording
from papergate.scoring.answers.algebra import OutOfSteps, TooComplex, Undefined
from papergate.scoring.answers.comparing import Comparer, spelled, whole_numbers, without_remark
from papergate.scoring.answers.grammar import parse
from papergate.scoring.answers.letters import renamings
from papergate.scoring.answers.names import resolved
from papergate.scoring.answers.nodes import Node, Tree
from papergate.scoring.answers.shapes import (
    Based,
    Reading,
    Relation,
    Scalar,
    Shape,
    Words,
    exact_numeral,
    numeral,
    shape_of,
)
from papergate.scoring.answers.spelling import Unreadable, ascii_spelling
from papergate.scoring.extraction import extract
from papergate.scoring.records import AnswerKind, Comparison
from papergate.scoring.stack import apart

GOLD_UNREAD = "the gold answer is not understood"
DECIMAL = 10  # the base of a numeral that states none
MAX_CACHED = 4_096  # answers whose shape is remembered: golds, and what many samples agree on
_WRAPPER = re.compile(
    r"\\(?:text|mathrm|mathbf|textbf|mbox|textnormal|mathit|textrm|textit|underline|textcolor\s*\{[^{}]*\})"
    r"\s*\{([^{}\\]*)\}"
)
_SPACING = re.compile(r"(?:\\[,;:! ]|\\q?quad\b|\\left(?![a-z.])|\\right(?![a-z.])|\\displaystyle\b|[\s~])+")
_LOOSE_SPACE = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")
_DENIED = r"(?!.*\b(?:wrong|incorrect|not|never|neither|except|least|most|or|and|million|thousand)\b)"
_LETTER = re.compile(  # a letter alone, before the text of its option, or after the name of what is chosen
    r"\(?([A-Ja-j])\)?[.:]?|(?:[Oo]ption|[Cc]hoice|[Aa]nswer|选项?)[:：]? ?\(?([A-J])\)?[.:]?|"
    rf"{_DENIED}(?:\(([A-J])\)[.:]? (?:[A-Z]|[a-z]{{3}}|[\d$(-]|\\[A-Za-z]).*|"
    r"([A-J])[.):](?:\s+\S|\s*[A-Za-z]).*|[A-Za-z ]{3,}\(([A-J])\))",
    re.DOTALL,
)
_GOLD_LETTER = re.compile(r"\(?([A-J])\)?[.:]?")
_LETTERS = re.compile(r"\(?([A-J])\)?(?:(?:,|;|、|and|和| )*\(?([A-J])\)?)+")
_STATEMENTS = re.compile(r"(?:\b(?:I{1,3}|IV|VI{0,3})\b(?:,|;|、|\band\b|\bonly\b|和|[ .])*)+")
_STEPS = re.compile(r"floor|ceil|\\bmod|!!")  # functions of whole numbers
_WHOLE_LETTERS = frozenset({"n", "m", "k"})
_ANY_LETTER = re.compile(r"[^\W\d_]")
_BARE_LOG = re.compile(r"log(?!\s*_)")  # natural to some authors, common to others
_COUNTED = re.compile(r"[CPA]\}?\s*(?:_(?:\w+|\{\w+\})\s*\^|\^(?:\w+|\{\w+\})\s*_|\()")  # C_5^2 counts, or is a power
_PROGRAMMED = re.compile(r"\*\s*[IE]\b|\b[IE]\s*\*")  # the constants of computer algebra systems
_NATURAL = re.compile(r"ℕ|\\mathbb *\{?N|\\N\b|\\in *N\b")  # with zero, or without it
_SMALL_NUMERAL = re.compile(r"(?<![\d.])\d+[eE]-\d")  # a difference, or a numeral
USUAL = Reading()
_PLAIN = re.compile(r"-?\d{1,18}(?:\.\d{1,5})?", re.ASCII)  # with one meaning, too short to stand for another number
_NO_VALUE = (TooComplex, Undefined)
_QUOTES = '*`"“”‘’ '  # Markdown and quotation marks around an answer
_BOX = re.compile(r"\\f?box")


def equivalent(
    gold: str, answer: str, kind: AnswerKind = AnswerKind.MATH, *, steps: int = algebra.MAX_STEPS
) -> Comparison:
    """Compare two answers without leaving the process.

    Args:
        gold: The right answer.
        answer: The given answer.
        kind: What sort of answer is asked for.
        steps: What the arithmetic may cost.

    Returns:
        Yes or no with the layer that decided, or None where these layers are not certain. Nothing is raised.
    """
    try:
        if len(gold) + len(answer) <= limits.MAX_SHALLOW_CHARS:
            with suppress(RecursionError):
                return _within(steps, gold, answer, kind)
        return apart(lambda: _within(steps, gold, answer, kind))
    except OutOfSteps as error:
        return Comparison(equal=None, rule="limit", reason=f"step limit: {error}")
    except RecursionError:
        return Comparison(equal=None, rule="limit", reason="nested too deeply")
    except Exception as error:  # noqa: BLE001 - the one boundary: a fault of ours is undecided, never a wrong answer
        return Comparison(equal=None, rule="error", reason=f"{type(error).__name__} in comparison")


def _within(steps: int, gold: str, answer: str, kind: AnswerKind) -> Comparison:
    algebra.allow(steps)
    return _decided(_bare(gold), _bare(answer), kind)


def vote_key(answer: str, kind: AnswerKind = AnswerKind.MATH) -> str:
    """A canonical spelling: answers with the same key are one class of a plurality vote. Nothing is raised."""
    text = _bare(answer)
    if kind is AnswerKind.CHOICE:
        match = _LETTER.fullmatch(_unwrapped(text))
        return _letter(match) if match else text
    if len(text) > limits.MAX_CHARS:
        return text
    try:
        return apart(lambda: _spelled(text)) if len(text) > limits.MAX_SHALLOW_CHARS else _spelled(text)
    except Exception:  # noqa: BLE001 - an answer without a canonical form is a class of its own text
        return _squeezed(text)


def _spelled(text: str) -> str:
    algebra.allow(algebra.MAX_STEPS)
    shape = _read_or_error(text, USUAL)
    return _squeezed(text) if isinstance(shape, Exception) else spelled(without_remark(shape))


def check_readable(gold: str, kind: AnswerKind) -> bool:
    """Whether a gold answer can be compared with anything but its own text."""
    if kind is AnswerKind.INTEGER:
        return gold.strip().isdecimal()
    if kind is AnswerKind.CHOICE:
        return _LETTER.fullmatch(_unwrapped(_bare(gold))) is not None
    algebra.allow(algebra.MAX_STEPS)
    return not isinstance(_read_or_error(_bare(gold), USUAL), Exception)


def _bare(text: str) -> str:
    """The answer out of its box and its quotation marks; an empty box, as a question has it, holds none."""
    if "box" in text and _BOX.search(text):
        found = extract(text, kind=AnswerKind.MATH, thinks=False)
        text = found.answer if found.answer and found.rule in {"box", "boxes"} else text
    return text.strip().strip(_QUOTES).removeprefix("=").strip()


@lru_cache(MAX_CACHED)
def _squeezed(text: str) -> str:
    """The answer without its typography; digits and letters that stand apart stay apart."""
    return _LOOSE_SPACE.sub("", _unwrapped(text))


@lru_cache(MAX_CACHED)
def _unwrapped(text: str) -> str:
    """The answer without sizes and text wrappers, its words apart."""
    return _SPACING.sub(" ", _WRAPPER.sub(r"\1", ascii_spelling(text).strip("$"))).strip()


def _decided(gold: str, answer: str, kind: AnswerKind) -> Comparison:
    if gold == answer:
        return Comparison(equal=True, rule="same text")
    if kind is not AnswerKind.CHOICE and _PLAIN.fullmatch(gold) and _PLAIN.fullmatch(answer):
        return Comparison(equal=exact_numeral(gold) == exact_numeral(answer), rule="exact value")
    if len(answer) > limits.MAX_CHARS + len(gold):
        return Comparison(equal=False, rule="unreadable", reason="unreadable")
    one, other = _squeezed(gold), _squeezed(answer)
    if one == other:
        return Comparison(equal=True, rule="same text")
    letters = _same_letters(_unwrapped(gold), _unwrapped(answer), kind)
    if letters is not None:
        return Comparison(equal=letters, rule="letter")
    return _compared(gold, answer, kind)


def _same_letters(gold: str, answer: str, kind: AnswerKind) -> bool | None:
    """Compare options of a multiple choice, None where the gold answer or the answer is none."""
    wanted = (_LETTER if kind is AnswerKind.CHOICE else _GOLD_LETTER).fullmatch(gold)
    given = _LETTER.fullmatch(answer)
    if wanted and given:
        return _letter(wanted) == _letter(given)
    if kind is AnswerKind.CHOICE:
        return False
    several = [_letters_of(text) for text in (gold, answer)]
    return True if all(several) and several[0] == several[1] else None


def _letter(match: re.Match[str]) -> str:
    return str(next(filter(None, match.groups()))).upper()


def _letters_of(text: str) -> str:
    """The options that an answer names, in order: `BC` and `B, C`, `I and III`; empty where it is something else."""
    if _STATEMENTS.fullmatch(text):
        return " ".join(sorted(set(re.findall(r"\b[IV]+\b", text))))
    if not _LETTERS.fullmatch(text):
        return ""
    letters = re.findall(r"[A-J]", text)
    return "".join(sorted(letters)) if len(set(letters)) == len(letters) else ""


def _read(text: str, reading: Reading) -> Shape:
    if _PLAIN.fullmatch(text):
        return numeral(text)
    squeezed = _squeezed(text)
    if date := wording.date_of(squeezed):
        return Words(text=date)
    phrase = wording.phrase_of(squeezed)
    tree = Tree(Node("word", name=phrase), 0) if phrase else parse(text, numerals=reading.numerals)
    return shape_of(tree, reading)


@lru_cache(MAX_CACHED)
def _read_and_counted(text: str, reading: Reading) -> tuple[Shape | Exception, int]:
    """What an answer says, or why it says nothing; and the steps that it took to read."""

    def shape_or_error() -> Shape | Exception:
        try:
            return resolved(_read(text, reading))
        except (Unreadable, *_NO_VALUE) as error:
            return error.with_traceback(None)

    return algebra.counted(shape_or_error)


def _read_or_error(text: str, reading: Reading) -> Shape | Exception:
    """What an answer says, or why it says nothing; each comparison pays for it, so no grade depends on those before."""
    found, steps = _read_and_counted(text, reading)
    algebra.spend_once((text, reading), steps)
    return found


def _compared(gold: str, answer: str, kind: AnswerKind) -> Comparison:
    """The usual reading decides, unless another one that authors use makes the two agree."""
    one, other = _read_or_error(gold, USUAL), _read_or_error(answer, USUAL)
    first = _compared_shapes(one, other, USUAL, kind)
    if first.equal or first.rule == "unreadable" or not _ANY_LETTER.search(gold + answer):
        return first
    others = (
        _compared_shapes(_read_or_error(gold, reading), _read_or_error(answer, reading), reading, kind)
        for reading in _other_readings(gold, answer, one, other)
    )
    return next((result for result in others if result.equal), first)


def _other_readings(gold: str, answer: str, one: Shape | Exception, other: Shape | Exception) -> Iterator[Reading]:
    """The ways to read what authors write differently, beside the usual one."""
    both = f"{gold} {answer}"
    if _BARE_LOG.search(both):
        yield Reading(common_log=True)
    if _COUNTED.search(both):
        yield Reading(counting=True)
    if _SMALL_NUMERAL.search(both):
        yield Reading(numerals=True)
    if _NATURAL.search(both):
        yield Reading(from_zero=True)
    if _PROGRAMMED.search(both):
        yield Reading(renames=(("I", "i"), ("E", "e")))
    if "floor" in both and "[" in both:
        yield Reading(floors=True)
    if _STEPS.search(both):
        yield Reading(whole=True)
    if not (isinstance(one, Exception) or isinstance(other, Exception)):
        for renaming in renamings(one, other):
            yield Reading(renames=renaming)


def _compared_shapes(
    one: Shape | Exception, other: Shape | Exception, reading: Reading, kind: AnswerKind
) -> Comparison:
    if isinstance(one, Exception) or isinstance(other, Exception):
        return _without_value(one, other)
    if isinstance(one, Scalar) and isinstance(other, Based) and other.base != DECIMAL:
        return Comparison(equal=False, rule="base")  # the question states none
    if kind is AnswerKind.INTEGER:
        other = _last_side(other)
    comparer = Comparer(whole_numbers(one) | whole_numbers(other) | (_WHOLE_LETTERS if reading.whole else frozenset()))
    try:
        equal = comparer.same(one, other)
    except _NO_VALUE as error:
        return Comparison(equal=None, rule="none", reason=f"no exact form: {error}")
    if equal is not None:
        return Comparison(equal=equal, rule=comparer.layer)
    return Comparison(equal=None, rule="none", reason="no certain numerical comparison")


def _without_value(one: Shape | Exception, other: Shape | Exception) -> Comparison:
    """An answer outside of the grammar only equals its own text; one that has no value is no number."""
    if isinstance(one, Unreadable):
        return Comparison(equal=False, rule="unreadable", reason=GOLD_UNREAD)
    if isinstance(other, Unreadable):
        return Comparison(equal=False, rule="unreadable", reason="unreadable")
    if isinstance(one, Undefined) != isinstance(other, Undefined):
        return Comparison(equal=False, rule="exact value")
    error = one if isinstance(one, Exception) else other
    return Comparison(equal=None, rule="none", reason=f"no exact form: {error}")


def _last_side(shape: Shape) -> Shape:
    """The value an equation ends with, when an integer is asked for: `m + n = 25`."""
    if isinstance(shape, Relation) and set(shape.signs) == {"="}:
        return shape.operands[-1]
    return shape
