"""Content digests of a benchmark, independent of file format, row order and ids.

Definition, version 1, with ``N`` = NFC, line ends to LF, outer white space removed, and ``A`` = the integer as text for
AIME, ``N`` otherwise::

    row      sha256(N(problem) + U+001F + A(answer))
    STRICT   sha256 of the sorted row digests, one a line, newline at the end
    LOOSE    the same over problem text reduced to lower-case [a-z0-9] and answers without white space
    ANSWERS  sha256 of the sorted lines "id TAB A(answer)"; or of the sorted answers alone, where ids differ
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from papergate.benchmarks.records import Problem

UNIT_SEPARATOR = "\x1f"


def normal(text: str) -> str:
    """NFC, line ends to LF, outer white space removed; inner white space is kept."""
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").strip()


def strict_digest(problems: Sequence[Problem]) -> str:
    """The digest that tells one published text from another."""
    return _of_rows((normal(problem.text), problem.answer) for problem in problems)


def loose_digest(problems: Sequence[Problem]) -> str:
    """The digest that survives a change of markup, case and spacing."""
    letters = ((re.sub("[^a-z0-9]", "", problem.text.lower()), problem) for problem in problems)
    return _of_rows((text, re.sub(r"\s", "", problem.answer)) for text, problem in letters)


def answers_digest(problems: Sequence[Problem]) -> str:
    """The digest of which answer belongs to which id."""
    return _of_lines(f"{problem.id}\t{problem.answer}" for problem in problems)


def sorted_answers_digest(problems: Sequence[Problem]) -> str:
    """The digest of the answers alone, where every hub has ids of its own."""
    return _of_lines(problem.answer for problem in problems)


def _of_rows(rows: Iterable[tuple[str, str]]) -> str:
    return _of_lines(_sha256(f"{text}{UNIT_SEPARATOR}{answer}") for text, answer in rows)


def _of_lines(lines: Iterable[str]) -> str:
    return _sha256("\n".join(sorted(lines)) + "\n")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
