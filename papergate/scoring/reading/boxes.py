"""The boxes of a text, and which of them are its answer."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from papergate.scoring.reading.denials import is_denied

MAX_BOXES = 50  # more final boxes than any question has answers; bounds the walk over 10,000 of them
MAX_TAKEN_BACK = 1_000  # boxes that the text takes back; bounds the walk over 100,000 of them
MAX_JOINT = 100  # characters between two boxes that answer together; bounds the regular expression
MAX_UNBALANCED = 20  # boxes that never close, each read to the end of the text; bounds the walk over 100,000 of them
_MAX_NAME = len(r"\fcolorb")  # what stands before the "ox" of the longest name

_NAME = re.compile(r"\\(?:[fbB]?b|B|frameb|(f?)(colorb))$")
_COLOUR = re.compile(r"\s*\{[^{}]{0,40}\}")
_SIGN = re.compile(r"(?:[=$]\s*|\\[(\[]\s*|\bis\s+|(?:^|\n)(?=-$))(-|−|\\pm)\s*$")
_MAX_SIGN = len(r"\[  \pm  ")
_NOT_SIGNED = re.compile(r"[=,<>]|^\\text")
_IS_SUM = re.compile(r"[-+]|\\[pm][pm]\b")
_BRACE = re.compile(r"(?:ed)?\s*(?:\[[^\]{}]{0,40}\]\s*){0,2}\{")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_BARE = re.compile(r"ed\s*(?:\[([^\[\]{}]{1,40})\]|\(([^(){}]{1,40})\)|(-?[\d.,]*\d|(?<=\s)\\?\w+))")
_MATH_ENDS = re.compile(r"\$|\\\]|\\\)|\n\s*\n")
_BETWEEN = re.compile(  # separators, names, conjunctions and doubts
    r"(?:[\s$,;.、，；/|*()≠]|\\[\]\[()]|\\q?quad|\\[,;! ]|\\neq?\b|\\text\{(?![^{}]*\bnot\b)[^{}]*\}"
    r"|and|or|和|或|与|[–—]|\b(?:else|vs|maybe|possibly|perhaps|alternatively)\b|\\\\|\n\s*(?:-|\d+\.)\s|[A-Za-z]\w*\s*="
    r"|(?:\b(?:case|part|candidate|possibility|option|version|reading|interpretation|guess|answer|solution)\s+)?\(?\b(?:\w|[ivx]{2,4})\b(?:\)|\s*:))*",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(r"\\[vh]?phantom\s*\{(?:\\.|[^{}\\])*\}")
_SINGLE_CELL = re.compile(
    r"\\begin\{(array|aligned|gathered|split|tabular)\}(?:\{[clr|]*\})?([^&\\]*(?:\\(?![\\b])[^&\\]*)*)\\end\{\1\}"
)


class Box(NamedTuple):
    """Where a box starts and ends, and what is in it; `content` is None where the text ends inside the box."""

    start: int
    end: int
    content: str | None
    seen: str = ""
    """What can be seen of the content of a box that was cut off."""


def boxes_backwards(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and content of each whole box, the last one first."""
    for box in _all_backwards(text):
        if box.content is not None:
            yield box.start, box.end, box.content


def final_boxes(text: str) -> tuple[list[Box], bool]:
    """The last boxes that together answer one question, in their order, and whether the text ends inside a box.

    A box that is cut off takes the answer with it, unless what can be seen of it repeats the box before.
    """
    found: list[Box] = []
    taken_back = 0
    for box in _all_backwards(text):
        if box.content is None and not (found or _repeats(text, box)):
            return [], True
        if not box.content:
            continue
        if is_denied(text, box.start, box.end):
            taken_back += 1
            if taken_back > MAX_TAKEN_BACK:
                break
            continue
        if found and not _are_joined(text, box.end, found[-1].start):
            break
        found.append(box)
        if len(found) > MAX_BOXES:
            break
    return found[::-1], False


def _all_backwards(text: str) -> Iterator[Box]:
    end, unclosed = len(text), 0
    while (end := text.rfind("ox", 0, end)) >= 0 and unclosed < MAX_UNBALANCED:
        name = _NAME.search(text, max(end - _MAX_NAME, 0), end) if text[end - 1 : end] in {"b", "B"} else None
        box = _box_at(text, name.start(), _after_colours(text, name, end + len("ox"))) if name else None
        unclosed += box is not None and box.content is None
        if box is not None:
            yield box


def _after_colours(text: str, name: re.Match[str], at: int) -> int:
    r"""Where the content of `\colorbox{yellow}{..}` begins: after one colour, after two of `\fcolorbox`."""
    for _ in range(bool(name[2]) + bool(name[1])):
        colour = _COLOUR.match(text, at)
        at = colour.end() if colour else at
    return at


def _box_at(text: str, start: int, at: int) -> Box | None:
    """The box that starts at `start` and whose name ends before or after "ed" at `at`."""
    brace = _BRACE.match(text, at)
    if brace is None:
        bare = _BARE.match(text, at)
        return Box(start, bare.end(), next(filter(None, bare.groups()))) if bare else None
    depth = 1
    for mark in _BRACES.finditer(text, brace.end()):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0:
            return _signed(text, Box(start, mark.end(), _cleaned(text[brace.end() : mark.start()])))
    return _unclosed(text, start, brace.end())


def _signed(text: str, box: Box) -> Box:
    r"""The box with the sign that stands before it in its formula: `$x=-\boxed{7}$` is minus seven."""
    sign = _SIGN.search(text, max(box.start - _MAX_SIGN, 0), box.start)
    if sign is None or not box.content or _NOT_SIGNED.search(box.content):
        return box
    inside = f"({box.content})" if _IS_SUM.search(box.content, 1) else box.content
    return Box(sign.start(1), box.end, f"{sign[1]}{inside}")


def _unclosed(text: str, start: int, at: int) -> Box:
    r"""A box without its last brace: forgotten where the formula around it ends (`$\boxed{42$`), else cut off."""
    ends = _MATH_ENDS.search(text, at)
    seen = text[at : ends.start() if ends else len(text)]
    whole = ends is not None and seen.count("{") == seen.count("}")
    return Box(start, at + len(seen), _cleaned(seen) if whole else None, seen.strip())


def _cleaned(content: str) -> str:
    """The content without what prints nothing; the cell of a table that has only one."""
    if "\\" not in content:
        return content.strip()
    content = _INVISIBLE.sub("", content).strip()
    cell = _SINGLE_CELL.fullmatch(content)
    return cell[2].strip() if cell else content


def _repeats(text: str, cut: Box) -> bool:
    before = next(boxes_backwards(text[: cut.start]), None)
    return bool(cut.seen) and before is not None and before[2].startswith(cut.seen)


def _are_joined(text: str, end: int, start: int) -> bool:
    """Whether nothing but separators, names and conjunctions stands between two boxes."""
    return start - end <= MAX_JOINT and _BETWEEN.fullmatch(text, end, start) is not None
