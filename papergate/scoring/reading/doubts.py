"""Whether the words around a box leave open if it is the answer: supposed, reported, one of two, taken back later.

What denies plainly is read by `denials`. Here closed classes of words (conditions, verbs of saying, orders, earlier
answers) say only that a reader must look: the grade of such an answer is never `correct`. What concludes ("so",
"therefore", "we get") ends a doubt that stands before it.
"""

import re

MAX_AROUND = 200  # characters of the sentence on each side of a box; bounds the regular expressions
MAX_AFTER = 2_000  # characters after the box in which a later sentence may take it back

_SENTENCE_ENDS = re.compile(r"[.!?](?=\s)|[。！？]|\n\s*\n")
_CONCLUDES = re.compile(
    r"\b(?:so|thus|hence|therefore|then|consequently|we\s+(?:get|obtain|have|find|conclude|see))\b"
    r"|\b(?:contrary\s+to|unlike|despite)\b[^,]*,|,\s+it(?:[’']s|\s+is)\b|(?<!anything )(?<!all )\bbut\W*$"
    r"|[:;：；]|所以|因此|故|从而|于是|得到|[，,]\s*(?:正确|最终|最后)?答案(?:是|为)",
    re.IGNORECASE,
)
_SUPPOSED = (
    r"\b(?:suppos(?:e|ing)|assum(?:e|ing)|imagin(?:e|ing)|pretend|hypothetical\w*|let|though|although|another|might"
    r"|(?:if|had|were)\b.*\b(?:would|could))\b|\b(?:if\s+(?:so|not)|otherwise),?\W*$"
    r"|(?:如果|若|假如|假设|要是)(?!设|记|令)|难道"
)
_SAID = (
    r"\b(?:say|says|said|claim(?:s|ed)?|argue[sd]?|assert(?:s|ed)?|insist(?:s|ed)?|propose[sd]?|suggest(?:s|ed)?"
    r"|believe[sd]?|expects|thinks|thought|wrote|guess(?:es|ed)?|asked\s+(?:\w+\s+)?(?:to|for)|looks?\s+like|reads)\b"
    r"|有人|同学|据说"
)
_SHOWN = (
    r"\b(?:(?:sample|model)\s+(?:output|answer|response)|(?<!requested )(?<!required )format|template|placeholder"
    r"|such\s+as|e\.g|worked\s+example)\b|例如|示例|格式"
)
_EARLIER = (
    r"(?<!number of )\b(?:previous|earlier|former|naive|tentative|preliminary|wrong|common|usual|tempting|typical)"
    r"\s+(?:\w+\s+)?(?:count|result|value|question|problem|mistake|error|calculation)s?\b"
    r"|(?<!number of )\b(?:previous|earlier|former|naive|tentative|preliminary|wrong|first|initial|original|old)"
    r"\s+(?:answer|guess|attempt|idea|thought|claim|approach|hunch)(?:es|s)?\b"
    r"|\b(?:initially|earlier|previously|originally),?\s+we\b|\bno,|先|之前|原来|起初|有误|错误地|误以为"
)
_FIRST_PERSON = (  # not the point or the integral I
    r"\b(?-i:I)(?:[’'](?:d|m|ve)\b|\s+(?!(?:get|obtain|find|have|conclude|think|believe|deduce|see|now|finally|therefore"
    r"|choose|am\s+(?:confident|sure|certain|mistaken)|did\s+not\s+expect|corrected|changed|is|be|and|on|to|of)\b)(?-i:[a-z])+)"
)
_ATTEMPT = r"\b(?:retract\w*|miscalculat\w*|erroneous\w*|mistakenly|doubt(?:s|ful)?|interpretation)\b"
_ORDER = (
    r"^\W*(?:strike|discard|reject|drop|forget|ignore|disregard|avoid|erase|delete|replace|beware|never|do\s+not"
    r"|don[’']t)\b"
)
_OTHER_BOX = r"\\[fb]?box(?:ed)?\s*\{[^{}]*\}.*[a-z]{2}"
_BEFORE = re.compile(
    f"{_SUPPOSED}|{_SAID}|{_SHOWN}|{_EARLIER}|{_FIRST_PERSON}|{_ATTEMPT}|{_ORDER}|{_OTHER_BOX}", re.IGNORECASE
)
_LABELLED = re.compile(rf"(?:{_SAID}|{_SHOWN}|\b(?:example|sample)\b|样例)\W*[:：]\W*$", re.IGNORECASE)
_ALL_BUT = re.compile(r"\b(?:anything\s+but|far\s+from|other\s+than|nowhere\s+near|hardly|scarcely)\W*$", re.IGNORECASE)
_AFTER = re.compile(
    r"^\W*(?:text\W*)?(?:or\W*\d+(?![\d./%\\])|(?:was|were|had|would|could|might|used\s+to)\b"
    r"|(?:is|are|seems|looks|appears)\s+(?!(?:the|our|my|an?|its|what|indeed|also|thus|hence|therefore|clearly|only|not"
    r"|right|correct|already|attained|possible|obtained|prime|even|odd|in)\b))"
    rf"|{_ATTEMPT}|\b(?:guess|mistaken?|wrong\w*|incorrect\w*|slip|ruled\s+out|if|unless|provided)\b"
    r"|,\W*(?:until|before|except)\b"
    r"|\b(?:but|yet|though|although|however)\b(?!\s+th(?:at|is)\b).*(?:\b(?:not|only|could|can)\b|n[’']t\b|\d)"
    r"|≠|吗|误|错|矛盾|舍去|不对|但|如果",
    re.IGNORECASE,
)
_TURNED = re.compile(
    r"\d|\b(?:other|others|else|so|because|where|right|correct|indeed)\b|(?-i:\b[A-HJ-Z]\b)", re.IGNORECASE
)
_QUESTION = re.compile(r"[^.!?。！？\n]*[?？](?!\S)")
_NEGATIVE = (
    r"(?:(?:\bnot|n[’']t)\b(?!\s+(?:hard|difficult|surpris))|contradict|wrong|incorrect|fail|impossible|ignor|violat"
    r"|mistaken|mistake(?!\s+to)|error|absurd|exclud|overcount)"
)
_LATER = re.compile(
    r"(?:^|[.!?]\s|[。！？\n])[\s*_(]*(?:(?:wait|hold\s+on|hmm+|actually|sorry|oops|edit|update|correction|erratum|revised)\b"
    r"|no[,.:!]|on\s+(?:second\s+thought|reflection)|scratch\s+that|(?:please\s+)?(?:ignore|disregard)\b"
    rf"|(?:(?:however|but),?\s+)?(?:this|that|it)\b[^.\n\d]{{0,60}}{_NEGATIVE}"
    r"|(?-i:I)\s+(?:mis\w+|over\w+|made|was\s+wrong|forgot|retract)"
    r"|(?:it|the\s+(?:\w+\s+)?(?:answer|value|result|count|total|number))\s+(?:should\s+be|is\s+not|isn[’']t)\b"
    r"|更正|修正|抱歉|等等|不对|但|[^。\n\d]{0,20}(?:不成立|矛盾|不对|有误|错了))"
    r"|\b(?-i:I)(?:\s+am|[’']m)\s+(?:unable|not\s+(?:able|sure))"
    r"|\b(?-i:I)\s+(?:do|did|could|can)(?:\s*not|n[’']t)\s+(?:know|solve|find|tell|determine|decide|give|finish)"
    r"|\b(?:is|are|remains?)\s+unknown|无法(?:给出|求|确定|解|得)|不知道",
    re.IGNORECASE,
)


def is_doubtful(text: str, start: int, end: int) -> bool:
    """Whether the sentence of the box between two places, or what follows it, leaves open if this is the answer."""
    before, after = _last(_SENTENCE_ENDS, text[max(start - MAX_AROUND, 0) : start]), text[end : end + MAX_AROUND]
    return bool(
        _BEFORE.search(_last(_CONCLUDES, before))
        or _LABELLED.search(before)
        or _ALL_BUT.search(before)
        or _is_left_open(_SENTENCE_ENDS.split(after, maxsplit=1)[0])
        or _QUESTION.match(after)
        or _LATER.search(text, end, end + MAX_AFTER)
    )


def _is_left_open(rest: str) -> bool:
    """Whether the rest of the sentence says so, and not of another value."""
    doubt = _AFTER.search(rest)
    return doubt is not None and not _TURNED.search(rest[: doubt.start()])


def _last(ends: re.Pattern[str], text: str) -> str:
    """What stands after the last match."""
    at = max((match.end() for match in ends.finditer(text)), default=0)
    return text[at:]
