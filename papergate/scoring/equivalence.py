"""Whether two answers are the same, by exact normal forms, without leaving the process."""

import re
from fractions import Fraction

from papergate.scoring.records import AnswerKind, Comparison

MAX_DIGITS = 4_000  # Python itself refuses to convert longer integers

_WRAPPER = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|textnormal|mathit)\s*\{([^{}]*)\}")
_SPACING = re.compile(r"\\[,;:! ]|\\q?quad|\\left(?![a-z])|\\right(?![a-z])|[\s$~]")
_INTEGER = re.compile(r"[+-]?\d+")
_RATIONAL = re.compile(r"([+-]?)\\?[dt]?frac\{?(\d+)\}?\{?(\d+)\}?|([+-]?\d+)/(\d+)|([+-]?\d*\.\d+|[+-]?\d+)\.?")
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?!\d)")


def equivalent(gold: str, answer: str, kind: AnswerKind = AnswerKind.MATH) -> Comparison:
    """Compare two answers by their exact normal forms; undecided (None) where those are not certain."""
    one, other = plain(gold), plain(answer)
    if one == other:
        return Comparison(equal=True, rule="same text")
    if kind is AnswerKind.CHOICE:
        return Comparison(equal=one.strip("()") == other.strip("()"), rule="letter")
    left, right = rational(one), rational(other)
    if left is not None and right is not None:
        return Comparison(equal=left == right, rule="exact value")
    return Comparison(equal=None, rule="none", reason="no exact normal form")


def plain(text: str) -> str:
    """The answer without its typography: text wrappers, spaces and sizes."""
    text = _WRAPPER.sub(r"\1", text.strip())
    return _SPACING.sub("", text)


def rational(text: str) -> Fraction | None:
    """The exact value of an integer, a decimal or a fraction of integers, None for anything else."""
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    match = _RATIONAL.fullmatch(text)
    if match is None or len(text) > MAX_DIGITS:
        return None
    sign, top, bottom, over, under, number = match.groups()
    if number is not None:
        return Fraction(number)
    top, bottom = (sign + top, bottom) if top else (over, under)
    return Fraction(int(top), int(bottom)) if int(bottom) else None


def vote_key(answer: str, kind: AnswerKind = AnswerKind.MATH) -> str:
    """A canonical spelling: answers with the same key are one class of a plurality vote."""
    text = plain(answer)
    value = rational(text) if kind is not AnswerKind.CHOICE else None
    return str(value) if value is not None else text
