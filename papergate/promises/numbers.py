"""Numbers that people write, held exactly: scores in percent, fractions. None is long, so none can take long."""

import re
from fractions import Fraction

LONGEST = 40
"""Characters of a number; a Fraction of '1e999999999' would fill the memory."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,2})?|[+-]?\.\d+([eE][+-]?\d{1,2})?|[+-]?\d+/0*[1-9]\d*", re.ASCII)


def exact(value: object) -> Fraction:
    """A number, or text such as ``1/30``, held exactly as it is written.

    Raises:
        ValueError: it is none, or longer than any score is written.
    """
    try:
        text = str(value).strip()
    except ValueError:
        text = ""  # an integer of thousands of digits
    if isinstance(value, bool) or len(text) > LONGEST or not _NUMBER.fullmatch(text):
        raise ValueError(f"{_shown(text)} is not a number; write 79.8 or '1/30', at most {LONGEST} characters")
    return Fraction(text)


def percent(value: object) -> Fraction:
    """A score in percent, from 0 to 100, as it is written.

    Up to 1 it could be a fraction that someone forgot to multiply: such a score says what it is, ``"0.8 %"``.

    Raises:
        ValueError: it is no such score.
    """
    text = str(value).strip() if isinstance(value, str) else ""
    says_percent = text.endswith("%")
    found = exact(text[:-1] if says_percent else value)
    if not 0 <= found <= 100:  # noqa: PLR2004 - percent
        raise ValueError(
            f"the reference is {float(found / 100):.1%}; a score is at least 0 and less than or equal to 100 percent"
        )
    if 0 < found <= 1 and not says_percent:
        seems = f"is below 1 %; write {float(100 * found):g}" if found < 1 else "may be 1 % or 100 %; write 100"
        raise ValueError(f"{value} {seems}, or '{value} %' with the sign if the score is that low")
    return found


def _shown(text: str) -> str:
    return repr(text if len(text) <= LONGEST else f"{text[:LONGEST]}..")
