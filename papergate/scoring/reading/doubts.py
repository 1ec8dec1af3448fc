"""Whether the words around a box leave open if it is the answer: supposed, reported, one of two, taken back later.

What denies plainly is read by `denials`. Here a closed list of words says only that a reader must look: the grade of
such an answer is never `correct`. What concludes ("so", "therefore", "we get") ends a doubt that stands before it.
"""

import re

MAX_AROUND = 200  # characters of the sentence on each side of a box; bounds the regular expressions
MAX_AFTER = 2_000  # characters after the box in which a later sentence may take it back

_SENTENCE_ENDS = re.compile(r"[.!?](?=\s)|[。！？]|\n\s*\n")
_CONCLUDES = re.compile(
    r"\b(?:so|thus|hence|therefore|then|consequently|we\s+(?:get|obtain|have|find|conclude|see))\b"
    r"|[:;：；]|所以|因此|故|从而|于是|得到|则|[，,]\s*(?:正确|最终|最后)?答案(?:是|为)",
    re.IGNORECASE,
)
_ATTEMPT = (
    r"retract\w*|miscalculat\w*|erroneous\w*|(?:first|initial|previous|earlier|old|original)\s+"
    r"(?:guess|answer|attempt|result|thought|idea|claim)|guess(?:es|ed)?|doubt\w*|interpretation|reading"
)
_BEFORE = re.compile(
    r"\b(?:suppos(?:e|ing)|assum(?:e|ing)|imagine|imagining|pretend|hypothetical\w*"
    r"|(?:if|had)\b.*\b(?:would|might|could)\b|might|let|though|although|another|mistakenly"
    r"|(?:I|we|you|they|he|she|someone|somebody|people|one|book|textbook|student|author|key|task|instructions?|prompt)"
    r"\s+(?:\w+\s+)?(?:sa(?:y|ys|id)|claim(?:s|ed)?|argue[sd]?|wrote|thought|asked|asks|reads?|got|states?)\b.*"
    r"|(?:first|initially|earlier|previously|originally)\s+(?:I|we)|asked\s+(?:me\s+)?(?:to|for)|looks?\s+like|such\s+as|sample|format|template|placeholder"
    rf"|e\.g|no,|{_ATTEMPT})(?!\w)|\b(?:if\s+(?:so|not)|otherwise),?\W*$"
    r"|如果|若|假设|假如|难道|例如|格式|先|之前|原来|起初|有误|错误地|误以为|有人|据说",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"^\W*(?:text\W*)?or\W*\d+(?![\d./%\\])|\b(?:{_ATTEMPT}|mistaken?|wrong\w*|incorrect\w*|slip|ruled\s+out"
    r"|(?:is|was|seems|looks)\s+too\s+\w+|if|unless)\b|\b(?:but|yet|though|although|however)\b(?!\s+th(?:at|is)\b).*(?:\b(?:not|only|could|can)\b|n[’']t\b|\d)|≠"
    r"|吗|误|错|矛盾|舍去|但|如果",
    re.IGNORECASE,
)
_TURNED = re.compile(r"\d|\b(?:other|others|else|so|because|where|right|correct|indeed)\b", re.IGNORECASE)
_LATER = re.compile(
    r"(?:^|[.!?]\s|[。！？\n])[\s*_(]*(?:(?:wait|hmm+|actually|sorry|oops)\b|no[,.:!]|edit(?:ed)?\s*:|correction|on\s+second\s+thought|scratch\s+that"
    r"|(?:please\s+)?(?:ignore|disregard)|(?:however|but),?\s+(?:this|it|that|the)\b|I\s+(?:mis\w+|over\w+|made|was\s+wrong|forgot|retract)"
    r"|更正|修正|抱歉|等等|不对|但)"
    r"|\bI(?:\s+am|[’']m)\s+(?:unable|not\s+able|not\s+sure)|\bI\s+(?:do|did|could|can)(?:\s*not|n[’']t)\s+(?:know|solve|find|tell|determine|decide|give|finish)"
    r"|\b(?:is|are|remains?)\s+unknown|无法(?:给出|求|确定|解|得)|不知道",
    re.IGNORECASE,
)


def is_doubtful(text: str, start: int, end: int) -> bool:
    """Whether the sentence of the box between two places, or what follows it, leaves open if this is the answer."""
    before, after = _last(_SENTENCE_ENDS, text[max(start - MAX_AROUND, 0) : start]), text[end : end + MAX_AROUND]
    after = _SENTENCE_ENDS.split(after, maxsplit=1)[0]
    doubt = _AFTER.search(after)
    return bool(
        _BEFORE.search(_last(_CONCLUDES, before))
        or (doubt and not _TURNED.search(after[: doubt.start()]))
        or _LATER.search(text, end, end + MAX_AFTER)
    )


def _last(ends: re.Pattern[str], text: str) -> str:
    """What stands after the last match."""
    at = max((match.end() for match in ends.finditer(text)), default=0)
    return text[at:]
