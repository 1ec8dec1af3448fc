"""How models mark their thought: the pairs that are known, the pair that a target states, and where a text has them."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple


class ThoughtMarks(NamedTuple):
    """The text that opens a thought and the text that closes it, exactly as the model writes them."""

    opens: str
    closes: str


KNOWN_MARKS = (
    ThoughtMarks("<think>", "</think>"),  # DeepSeek-R1, Qwen3, GLM
    ThoughtMarks("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
    ThoughtMarks("<|im_start|>think", "<|im_start|>answer"),  # s1
    ThoughtMarks("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),  # gpt-oss
    ThoughtMarks("<|channel|>commentary<|message|>", "<|channel|>final<|message|>"),
    ThoughtMarks("<|channel|>analysis<|message|>", "<|channel|>final <|constrain|>json<|message|>"),
    ThoughtMarks("◁think▷", "◁/think▷"),  # Kimi
    ThoughtMarks("<thought>", "</thought>"),  # EXAONE Deep
    ThoughtMarks("<thinking>", "</thinking>"),
    ThoughtMarks("<reasoning>", "</reasoning>"),
    ThoughtMarks("<seed:think>", "</seed:think>"),  # Seed-OSS
    ThoughtMarks("<longcat_think>", "</longcat_think>"),
    ThoughtMarks("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A
    ThoughtMarks("<Thought>", "</Thought>"),  # Marco-o1
    ThoughtMarks("[THINK]", "[/THINK]"),  # Magistral
    ThoughtMarks("[unused16]", "[unused17]"),  # openPangu
)
"""The marks that are recognised in every text."""

_QUOTES = "`\"'“”"  # a mark between two of these is spoken of, not written
_HARMONY = "analysis"  # how a thought of gpt-oss begins where the special tokens were dropped from the text
_HARMONY_CLOSES = "assistantfinal"


class Mark(NamedTuple):
    """Where a mark stands in a text, and whether it closes a thought."""

    start: int
    end: int
    closes: bool


def is_quoted(text: str, start: int, end: int) -> bool:
    """Whether a mark between two places is spoken of, not written."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return bool(before and after) and before in _QUOTES and after in _QUOTES


def marks_in(text: str, stated: ThoughtMarks | None = None) -> Iterator[Mark]:
    """The marks of thoughts that a text has, without those it quotes.

    Args:
        text: A completion.
        stated: The marks of the model, beside the known ones.
    """
    opens, patterns = _patterns(stated, bare_harmony=text.startswith(_HARMONY))
    found = [mark for first, pattern in patterns if first in text for mark in pattern.finditer(text)]
    for mark in sorted(found, key=re.Match.start):
        if not is_quoted(text, *mark.span()):
            yield Mark(mark.start(), mark.end(), mark[0] not in opens)


@lru_cache(8)
def _patterns(
    stated: ThoughtMarks | None, *, bare_harmony: bool
) -> tuple[frozenset[str], list[tuple[str, re.Pattern[str]]]]:
    """The marks that open, and for each first character a pattern of all marks: one is found ten times as fast."""
    pairs = KNOWN_MARKS if stated is None else (*KNOWN_MARKS, stated)
    marks = [mark for pair in pairs for mark in pair] + ([_HARMONY_CLOSES] if bare_harmony else [])
    alike = groupby(sorted(marks, key=itemgetter(0)), key=itemgetter(0))
    patterns = [(first, re.compile("|".join(map(re.escape, group)))) for first, group in alike]
    return frozenset(pair.opens for pair in pairs), patterns
