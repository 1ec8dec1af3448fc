"""The text after the thought, up to where the model handed over."""

import re
from collections.abc import Iterator
from functools import lru_cache

from papergate.promises.thoughts import KNOWN_MARKS, ThoughtMarks

_QUOTES = "`\"'“”"  # a mark between two of these is spoken of, not written
_HARMONY = "analysis"  # how a thought of gpt-oss begins where the special tokens were dropped from the text
_HARMONY_MARKS = ThoughtMarks("", "assistantfinal")
_BOX_TOKENS = re.compile(r"<[|｜]begin_of_box[|｜]>(.*?)<[|｜]end_of_box[|｜]>", re.DOTALL)
_ANSWER = re.compile(r"<(answer|final_answer|choice)>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_HEADERS = re.compile(
    r"<\|im_start\|>\s*assistant|<\|start\|>\s*assistant|<start_of_turn>\s*model|<[|｜]assistant[|｜]>"
    r"|<\|start_header_id\|>\s*assistant\s*<\|end_header_id\|>",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"<[|｜][^<>|｜\n]{1,40}[|｜]>(?:\s*(?:user|system|human)\b)?|\[\|\w{1,20}\|\]|\[/?INST\]|\[EOS\]|\[UNUSED_TOKEN_\d+\]"
    r"|<(?:/?s|[be]os|eod|pad|eot|end_of_turn|end_of_text|unused\d+)>|<start_of_turn>\s*user\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"end|eo[smtd]\b|/s>|return|user|human|system|stop|pad|inst\b|unused|结束|用户", re.IGNORECASE)
_BOXED = re.compile(r"\\[fB]?box")
_ESCAPES = {"\x07": r"\a", "\x08": r"\b", "\x0b": r"\v", "\x0c": r"\f"}
_ESCAPED = re.compile(r"[\x07\x08\x0b\x0c](?=[a-z]{2})")


def conclusion_of(text: str, *, thinks: bool, marks: ThoughtMarks | None = None) -> str | None:
    """The last text outside the thoughts that says something; None where no thought was closed.

    Args:
        text: The completion.
        thinks: Whether the model's template opens the thought, so that a text without any mark is all thought.
        marks: The model's own marks, None for all known ones.
    """
    told = None
    for part in _outside(text, thinks=thinks, marks=marks or _marks_in(text)):
        told = _until_handed_over(part) or told or ""
    return told


def has_closed_thought(text: str, marks: ThoughtMarks | None = None) -> bool:
    """Whether a mark that closes a thought stands in the text."""
    return any(_closes(mark[0], marks) for mark in _written(_pattern(marks or _marks_in(text)), text))


def _marks_in(text: str) -> ThoughtMarks | None:
    return _HARMONY_MARKS if text.startswith(_HARMONY) else None


@lru_cache(8)
def _pattern(marks: ThoughtMarks | None) -> re.Pattern[str]:
    pairs = KNOWN_MARKS if marks is None else (marks,)
    return re.compile("|".join(re.escape(mark) for pair in pairs for mark in pair if mark))


def _closes(mark: str, marks: ThoughtMarks | None) -> bool:
    return mark in {pair.closes for pair in (KNOWN_MARKS if marks is None else (marks,))}


def _written(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The marks that the model wrote, without those it quotes."""
    for mark in pattern.finditer(text):
        before, after = text[mark.start() - 1 : mark.start()], text[mark.end() : mark.end() + 1]
        if not (before and after and before in _QUOTES and after in _QUOTES):
            yield mark


def _outside(text: str, *, thinks: bool, marks: ThoughtMarks | None) -> Iterator[str]:
    """What stands after each mark that closes, up to the next mark; the whole text where no mark is."""
    found = list(_written(_pattern(marks), text))
    if not found and not thinks:
        yield text
    ends = [*(mark.start() for mark in found[1:]), len(text)]
    for mark, end in zip(found, ends, strict=False):
        if _closes(mark[0], marks):
            yield text[mark.end() : end]


def _until_handed_over(text: str) -> str:
    """The text up to the token that ends it; tokens before it say nothing, but those of a box are a box."""
    text = _ESCAPED.sub(lambda escape: _ESCAPES[escape[0]], text)  # JSON once too often: "\b" became a backspace
    text = next((answer[2] for answer in reversed(list(_ANSWER.finditer(text))) if answer[2].strip()), text)
    text = _HEADERS.sub("\n", _BOX_TOKENS.sub(lambda box: rf"\boxed{{{box[1]}}}", text))
    read, at = "", 0
    for token in _TOKEN.finditer(text):
        read, at = read + text[at : token.start()], token.end()
        if read.strip() and (_ENDS.search(token[0]) or _BOXED.search(read)):
            return read.strip()
    return (read + text[at:]).strip()
