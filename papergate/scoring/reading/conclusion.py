"""The text after the thought, up to where the model handed over."""

import re
from collections.abc import Iterator
from functools import lru_cache

from papergate.scoring.reading.run_on import before_another_question
from papergate.thoughts import ThoughtMarks, is_quoted, marks_in

_BOX_TOKENS = re.compile(r"<[|｜]begin_of_box[|｜]>(.*?)(<[|｜]end_of_box[|｜]>|$)", re.DOTALL)
_ANSWER = re.compile(r"<(answer|final_answer|choice|response)>(.*?)(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_HEADERS = re.compile(
    r"<\|im_start\|>\s*assistant|<\|start\|>\s*assistant|<start_of_turn>\s*model|<[|｜]assistant[|｜]>"
    r"|<\|start_header_id\|>\s*assistant\s*<\|end_header_id\|>",
    re.IGNORECASE,
)
_ANGLE_TOKEN = re.compile(  # a pattern with one first character is searched for ten times as fast
    r"<(?:[|｜][^<>|｜\n]{1,40}[|｜]>(?:\s*(?:user|system|human)\b)?"
    r"|(?:/?s|[be]os|eod|pad|eot|end_of_turn|end_of_text|unused\d+|SPECIAL_\d+)>|start_of_turn>\s*user\b)",
    re.IGNORECASE,
)
_SQUARE_TOKEN = re.compile(r"\[(?:\|\w{1,20}\|\]|/?INST\]|EOS\]|e~\[|UNUSED(?:_TOKEN_)?\d+\])", re.IGNORECASE)
_ENDS = re.compile(
    r"end|eo[smtd](?:\b|_id)|e~|/s>|return|user|human|system|stop|pad|inst\b|unused|special|结束|用户", re.IGNORECASE
)
_ASKED_AGAIN = re.compile(
    r"[<\[](?:[^<>\[\]]{1,40}[>\]]\s*(?:user|human)\b|[|｜]?user[|｜]?[>\]]|INST\])", re.IGNORECASE
)
_USUAL_CLOSE = "</think>"
_BOXED = re.compile(r"\\[fB]?box")
_ESCAPES = {"\x07": r"\a", "\x08": r"\b", "\x0b": r"\v", "\x0c": r"\f"}
_ESCAPED = re.compile(r"[\x07\x08\x0b\x0c](?=[a-z]{2})")


@lru_cache(1)  # the extraction asks, and the search for the answer elsewhere asks again
def conclusion_of(text: str, *, thinks: bool, marks: ThoughtMarks | None = None) -> str | None:
    """The last text outside the thoughts that says something; None where no thought was closed.

    Args:
        text: The completion.
        thinks: Whether the model's template opens the thought, so that a text without any mark is all thought.
        marks: The model's own marks, beside the known ones.
    """
    if usual := _after_only_close(text, marks):
        return usual  # nearly every text; the thought need not be searched
    if not thinks and next(marks_in(text, marks), None) is None:
        return before_another_question(_until_handed_over(text))
    told, before = None, ""
    for part in _outside(text, marks):
        if told and _ASKED_AGAIN.search(before):
            break
        told, before = _until_handed_over(part) or told or "", part
    return told


def _after_only_close(text: str, marks: ThoughtMarks | None) -> str:
    """What follows the usual mark where it stands once and no other mark follows it."""
    start = text.rfind(_USUAL_CLOSE)
    end = start + len(_USUAL_CLOSE)
    if start < 0 or text.find(_USUAL_CLOSE, 0, start) >= 0 or is_quoted(text, start, end):
        return ""
    rest = text[end:]
    return _until_handed_over(rest) if next(marks_in(rest, marks), None) is None else ""


def _outside(text: str, marks: ThoughtMarks | None) -> Iterator[str]:
    """What stands after each mark that closes, up to the next mark."""
    found = list(marks_in(text, marks))
    ends = [*(mark.start for mark in found[1:]), len(text)]
    for mark, end in zip(found, ends, strict=False):
        if mark.closes:
            yield text[mark.end : end]


def _until_handed_over(text: str) -> str:
    """The text up to the token that ends it; tokens before it say nothing, but those of a box are a box."""
    if any(map(text.__contains__, _ESCAPES)):  # JSON once too often: "\b" became a backspace
        text = _ESCAPED.sub(lambda escape: _ESCAPES[escape[0]], text)
    if "<" in text:
        text = next((answer[2] for answer in reversed(list(_ANSWER.finditer(text))) if answer[2].strip()), text)
        text = _HEADERS.sub("\n", _BOX_TOKENS.sub(_box_of_tokens, text))
    read, at = "", 0
    tokens = [*_SQUARE_TOKEN.finditer(text), *(_ANGLE_TOKEN.finditer(text) if "<" in text else ())]
    for token in sorted(tokens, key=re.Match.start):
        read, at = read + text[at : token.start()], token.end()
        if read.strip() and (_ENDS.search(token[0]) or _BOXED.search(read)):
            return read.strip()
    return (read + text[at:]).strip()


def _box_of_tokens(box: re.Match[str]) -> str:
    """The box between two tokens; without the second one it is cut off."""
    return rf"\boxed{{{box[1]}" + ("}" if box[2] else "")
