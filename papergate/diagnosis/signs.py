"""Signs of damage in a text, found without a model: loops, broken characters, foreign scripts, lost blanks.

Each limit was chosen on healthy answers of R1-Distill-Llama-8B and R1-Distill-Qwen-1.5B (3,483 with a closed thought);
false alarms are given with it. `python -m studies.false_alarms FILE` counts them on transcripts of yours.
"""

import re
import unicodedata
import zlib
from collections import Counter

LONG_CHARACTERS = 1_500
"""Rates are taken from here on: a shorter text has too few characters for a rate."""
TAIL_BYTES = 4_000
"""A loop fills the end of a text."""
LOOP_RATIO = 0.20
"""Compressed size against raw size of the tail (zlib, level 6); healthy tails are above it but for 3 in 3,483."""
NOISE_RATIO = 0.60
"""The highest healthy ratio was 0.55; random characters reach 0.7."""
LONGEST_PERIOD = 600
"""Characters of what a loop repeats."""
FEWEST_COPIES, FEWEST_LOOPED = 4, 300
"""Copies, and characters in all, that make a tail a loop."""
MOST_REPLACED = 2
"""U+FFFD in one healthy answer; 0.6 % of them have one or two."""
BLANKS = (0.08, 0.40)
"""Gaps per character, runs of blanks counted once, of a long text in ASCII; healthy ones have 0.11 to 0.29."""
LONGEST_WORD = 40
"""Letters of a Latin word; the longest healthy one had 20."""
FOREIGN_LETTERS = 5
"""Letters of a script that the prompt does not use; 0 of 3,483 healthy answers have so many."""
SALAD_SCRIPTS = 3
"""Foreign scripts in one text that no writer mixes."""
MOSTLY = 0.8
"""Share of ASCII from which a text is judged by its gaps and its compression."""

SCRIPTS = (
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "CYRILLIC",
    "HEBREW",
    "ARABIC",
    "DEVANAGARI",
    "BENGALI",
    "TAMIL",
    "THAI",
)
"""As the names of their letters begin in Unicode; Latin and Greek belong to mathematics everywhere."""

_MARKS = ("Ġ", "Ċ", "<0x", "<|")
"""What tokenizers write inside themselves; cheap to look for before the pattern is."""
_LEFTOVER = re.compile(r"[ĠĊ]\w|<0x[0-9A-F]{2}>|<\|im_(?:start|end)\|>|<\|(?:eot_id|start_header_id)\|>")
_WORD = re.compile(rf"[A-Za-z]{{{LONGEST_WORD},}}")
_FOREIGN = re.compile(r"[^\x00-\u036f\u0370-\u03ff\u2000-\u2bff\ufffd\U0001d400-\U0001d7ff]")
_NEEDLE = 64
"""Characters at the end whose last occurrence before it tells the period."""


def period_of_tail(text: str) -> str:
    """What the end of ``text`` repeats, at least four times and over 300 characters; empty where it repeats nothing."""
    tail = text.rstrip()[-(FEWEST_COPIES * LONGEST_PERIOD) :]
    before = tail.rfind(tail[-_NEEDLE:], 0, -1)
    period = len(tail) - _NEEDLE - before
    looped = max(FEWEST_COPIES * period, FEWEST_LOOPED)
    found = before >= 0 and len(tail) >= looped and tail[-looped:-period] == tail[period - looped :]
    return tail[-period:] if found else ""


def is_loop(text: str) -> bool:
    """Whether the text ends in a repetition, exact or with a counter that runs."""
    return bool(period_of_tail(text)) or (len(text) >= LONG_CHARACTERS and _ratio(text[-TAIL_BYTES:]) < LOOP_RATIO)


def is_garbled(text: str, prompt: str = "") -> bool:
    """Whether the text is no writing: one sign repeated, broken characters, tokens of a tokenizer, scripts mixed."""
    period, words = period_of_tail(text), text.split()
    return (
        (bool(period) and not any(map(str.isalnum, period)))
        or text.count("\ufffd") > MOST_REPLACED
        or (any(mark in text for mark in _MARKS) and _LEFTOVER.search(text) is not None)
        or len(foreign_scripts(text, prompt)) >= SALAD_SCRIPTS
        or any(_WORD.search(word) for word in words if len(word) >= LONGEST_WORD)
        or (len(text) >= LONG_CHARACTERS and _is_noise(text, words))
    )


def foreign_scripts(text: str, prompt: str = "") -> Counter[str]:
    """Letters of each script that stands in ``text`` and not in ``prompt``; Latin and Greek are never foreign."""
    found = Counter(map(_script, _FOREIGN.findall(text)))
    home = set(map(_script, _FOREIGN.findall(prompt)))
    return Counter({script: count for script, count in found.items() if script and script not in home})


def is_foreign(text: str, prompt: str = "") -> bool:
    """Whether the text goes over into a script that its prompt does not use."""
    return foreign_scripts(text, prompt).total() >= FOREIGN_LETTERS


def _is_noise(text: str, words: list[str]) -> bool:
    """Of a text in ASCII, for the most part; other scripts have other gaps and other ratios."""
    gaps = len(words) / (len(words) + sum(map(len, words)))
    lost_or_added = not BLANKS[0] <= gaps <= BLANKS[1]
    ascii_only = len(text.encode("ascii", "ignore")) > MOSTLY * len(text)
    return ascii_only and (lost_or_added or _ratio(text[-TAIL_BYTES:]) > NOISE_RATIO)


def _ratio(text: str) -> float:
    raw = text.encode()
    return len(zlib.compress(raw, 6)) / len(raw)


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return next((script for script in SCRIPTS if name.startswith(script)), "")
