"""Whether the words around a box leave open if it is the answer: supposed, reported, one of two, taken back later.

What denies plainly is read by `denials`. Here a reader must look, and the grade is never `correct`: where the sentence
states nothing of the box (it stands alone, is announced, concluded, equated or counted), or holds a word of a closed
class (conditions, verbs of saying, orders, earlier answers). What concludes ("so", "we get") ends a doubt before it.
"""

import re
from functools import lru_cache

from papergate.scoring.reading.denials import CLOSERS, MAX_CACHED

MAX_AROUND = 200  # characters of the sentence on each side of a box; bounds the regular expressions
MAX_PART = 60  # characters before a box that tell that it is a part of a formula or of a list
MIN_WORKED = 100  # characters before its sentence that work an answer out; less says little beside what follows it
MIN_EXPLAINED = 300  # characters after an answer that is given first and explained then
MAX_AFTER = 2_000  # characters after the box in which a later sentence may take it back

_SENTENCE_ENDS = re.compile(r"[.!?](?=\s)|[。！？]|\n\s*\n")
_CONCLUDES = re.compile(
    r"\b(?:so|thus|hence|therefore|then|consequently|we\s+(?:get|obtain|have|find|conclude|see))\b"
    r"|\b(?:contrary\s+to|unlike|despite)\b[^,]*,|,\s+it(?:[’']s|\s+is)\b|(?<!anything )(?<!all )\bbut\W*$"
    r"|[:;：；]|所以|因此|故|从而|于是|得到|[，,]\s*(?:正确|最终|最后)?答案(?:是|为)",
    re.IGNORECASE,
)
_ALONE = re.compile(  # no words of its sentence, or those of most conclusions: none of them doubts
    r"(?:\W|\d|\\[a-z]+|\{[a-z]+\*?\}|\b(?:the\s+)?(?:final\s+)?answer\b(?:\s+is\b)?)*", re.IGNORECASE
)
_STATES = re.compile(  # what stands before a box that is stated
    r"\b(?:answers?|solutions?|results?|so|thus|hence|therefore|then|finally|final|consequently|conclude|total|[Ww]e)\b"
    r"|(?:[=≈~≡:>]|\\(?:approx|implies|to|Rightarrow|equiv|[lg]eq?))[\W&]*$"
    r"|\b(?:is|are|be|was|were|equals?|been|in|of|to|at|by|as|gives?|giving|yields?|obtain|gets?|get|has|have|had|leaves?|leaving"
    r"|needs?|makes?|takes?|contains?|exactly|only|still|yes|indeed|there|finds?|remains?|but|it[’']s|that[’']s|with|expect"
    r"|no\s+other\s+\w+\s+than)\W*$"
    r"|\bis,\s+for\s+(?:example|instance),\W*$|\b(?:since|because|despite)\b[^.]*,\W*$"
    r"|[A-Za-z\d]$|答案|所以|因此|故|从而|于是|综上|[为是有得到共剩即等于]\W*$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"[\s$)\\]*(?:text\W*)?(?!(?:here|from|as|into|instead|for|to|on|out|off|up|down|with|if|when|or|and|but)\b)"
    r"(?:[a-z]{2,}|[\u4e00-\u9fff]{1,2}(?=[。，,.\s]|$))",
    re.IGNORECASE,
)
_SUPPOSED = (
    r"\b(?:for\s+comparison|(?<!least )(?<!greatest )(?:upper|lower)\s+bound"
    r"|suppos(?:e|ing)|assum(?:e|ing)|imagin(?:e|ing)|pretend|hypothetical\w*|let|though|although|another|might|perhaps|maybe|(?:we|you|one)\s+would"
    r"|(?:if|had|were)\b.*\b(?:would|could))\b|\b(?:if\s+(?:so|not)|otherwise),?\W*$"
    r"|(?:如果|若|假如|假设|要是)(?!设|记|令)|难道"
)
_SAID = (
    r"\b(?:say|says|said|claim(?:s|ed)?|argue[sd]?|assert(?:s|ed)?|insist(?:s|ed)?|propose[sd]?|suggest(?:s|ed)?"
    r"|believe[sd]?|expects|thinks|thought|wrote|guess(?:es|ed)?|asked\s+(?:\w+\s+)?(?:to|for)|looks?\s+like|reads)\b"
    r"|有人|同学|据说|可能[是为]?\W*$"
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
    r"^\W*(?:text\W*)?(?:or(?:\W*\d+(?![\d./%\\])|\s+(?:there|so|near|maybe|perhaps|possibly)\w*)"
    r"|(?:came|went|gave|turned|appeared|resulted|seemed|looked|failed|was|were|had|would|could|might|used\s+to)\b"
    r"|(?:is|are|seems|looks|appears)\s+(?!(?:the|our|my|an?|its|what|indeed|also|thus|hence|therefore|clearly|only|not"
    r"|right|correct|already|attained|possible|obtained|prime|even|odd|in)\b))"
    rf"|{_ATTEMPT}|\b(?:guess|mistaken?|wrong\w*|incorrect\w*|slip|ruled\s+out|misprint|typo|erratum|trap|decoy|distractor|bound|estimate|if|unless|provided)\b"
    r"|,\W*(?:until|before|except)\b|^\W*can(?:not|[’']t)\s+(?:occur|happen|hold|exist|stand|work|arise|appear)"
    r"|\b(?:but|yet|though|although|however)\b(?!\s+th(?:at|is)\b).*(?:\b(?:not|only|could|can|missing|incomplete|open|fails?)\b|n[’']t\b|\d)"
    r"|≠|吗|只是|不满足|误|错|矛盾|舍去|不对|但|如果",
    re.IGNORECASE,
)
_TURNED = re.compile(
    r"\d|\b(?:other|others|else|so|because|where|right|correct|indeed|only)\b|(?-i:\b[A-HJ-Z]\b)", re.IGNORECASE
)
_QUESTION = re.compile(r"[^.!?。！？\n]*[?？](?!\S)")
_UNSTATED = re.compile(  # a bound, a part of a formula, one of a list
    r"(?:\\(?:[lgn]eq?|[lg]t)|[<≠]|(?<=[\w)}] )>)[\s{}=$]*$|\{\?\}\s*\{=\}\s*$|\\sqrt\{\W*$|\\(?:cdot|times)\s*$"
    r"|\\[dt]?frac\s*(?:\{[^{}]*\})?\{\W*$|\b(?:let|try)\s+\S{0,12}\W*$|\be\.g\.\W*$|\d,\s*\d+,\s*$",
    re.IGNORECASE,
)
_GOES_ON = re.compile(  # the formula, the table or a choice goes on, or another number is concluded
    r"[^\S\n]*(?:[-+/]\s*[\d\\(]|\\(?:cdot|times|div|to|neq?)\b|[\\ ]*\\lightning|\^(?!\{?\\circ))|[^$\]]*\\\\[^$]*="
    r"|[\s$]*\|[^\n]*\n\s*\||\W*(?:divided\s+by|times\s+the|plus|minus|give\s+or|at\s+best|apart\s+from|not\s+(?:prov|check|verifi)ed)\b"
    r"|[^.;\n]*(?:\b(?:is|are|mean)\b|\\(?:Long)?[rR]ightarrow\b.*=|\\implies.*=)\s*\$?\d"
)
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2}|[\u4e00-\u9fff]")
_EXPLAINS = re.compile(
    r"\W*(?:(?:note|notice|remark|check|checking|testing|verif\w+|explanation|in\s+fact|indeed|to\s+(?:see|verify|check)"
    r"|(?:one|you|we)\s+(?:can|may|could)|alternatively|since|because|where|here|i\s+hope|hope|let\s+me\s+know|feel\s+free"
    r"|would\s+you|use|if|thank\w*|an?\s+(?:\w+\s+){0,2}(?:mistake|error|slip|answer)|i\s+put|this|these|that|it\s+(?:is|can)"
    r"|both|all|the\s+(?:answer|other)|no\s+other|don[’']t\s+forget|\\boxed|we\s+are\s+done|done|q\.?e\.?d|great|good|happy|enjoy|please|best)\b|验证|检验|注|其中|希望|如有|经检验|祝|谢|证毕|完毕)"
    r"|\s*\*{1,2}[\w ]{1,30}[:.]?\*{1,2}",
    re.IGNORECASE,
)
_NEGATIVE = (
    r"(?:(?:\bnot|n[’']t)\b(?!\s+(?:hard|difficult|surpris))|contradict|wrong|incorrect|fail|impossible|ignor|violat"
    r"|mistaken|mistake(?!\s+to)|error|absurd|exclud|overcount)"
)
_LATER = re.compile(
    r"(?:^|[.!?…]\s|[。！？\n])[ *_(]{0,9}(?:(?:wait|hold\s+on|hmm+|actually|sorry|oops)\b"
    r"|(?:edit|update|correction|erratum|revised)\b"
    r"|no(?:[,.:!]|\s+wait)|on\s+(?:second\s+thought|reflection)|looking\s+back|in\s+hindsight|scratch\s+that|(?:please\s+)?(?:ignore|disregard)\b"
    rf"|(?:(?:however|but),?\s+)?(?:this|that|it)\b[^.\n\d]{{0,60}}{_NEGATIVE}"
    r"|(?-i:I)\s+(?:mis\w+|over\w+|made|was\s+wrong|forgot|retract|withdraw|take\s+(?:this|that|it)\s+back)"
    r"|(?:but|however),?\s+the\s+(?:problem|question)\b|(?:(?!\b(?:otherwise|if|suppose|would)\b)[^.\n]){0,80}\bcontradiction"
    r"|[^.\n]{0,40}\bmust\s+be\s+(?:replaced|corrected|revised|changed)|重新"
    r"|(?:it|the\s+(?:\w+\s+)?(?:answer|value|result|count|total|number))\s+(?:should\s+be|is\s+not|isn[’']t)\b"
    r"|更正|修正|抱歉|等等|不对|但|[^。\n\d]{0,20}(?:不成立|矛盾|不对|有误|错了))"
    r"|\b(?-i:I)(?:\s+am|[’']m)\s+(?:unable|not\s+(?:able|sure))"
    r"|\b(?-i:I)\s+(?:do|did|could|can)(?:\s*not|n[’']t)\s+(?:know|solve|find|tell|determine|decide|give|finish)"
    r"|\b(?:is|are|remains?)\s+unknown|无法(?:给出|求|确定|解|得)|不知道",
    re.IGNORECASE,
)
_RESTATES = re.compile(
    r"(?:^|[.!?]\s|\n)(?:(?!\b(?:if|would|suppose)\b)[^.\n]){0,60}\b(?:answer|result|value|count|total)(?:\s+\w+){0,3}\s+"
    r"(?:is|was|becomes)\W{0,4}(-?[\d.,]*\d)|(?:结果|总数|答案)应?该?[为是]\W{0,3}(-?[\d.,]*\d)",
    re.IGNORECASE,
)
_LAST_NUMBER = re.compile(
    r"(?<=[.!?。\n])(?:[^.!?。\n]|\.(?=\d)){0,200}?(?<![\w.^_{\\])(-?(?:\d[\d.,]*)?\d)[*$]*[.!。][*$\s]*$"
)
_ASIDE = re.compile(
    r"\b(?:if|would|could|note|remark|about|approx\w*|(?:sum|product)\s+of|check\w*|verif\w*|divisible|mistakes?|example|other|fails?|wrong|step|part|question)\b"
    r"|[=<>\\^]",
    re.IGNORECASE,
)


def is_doubtful(text: str, start: int, end: int) -> bool:
    """Whether the sentence of the box between two places, or what follows it, leaves open if this is the answer."""
    before = text[max(start - MAX_AROUND, 0) : start].rpartition("\n\n")[2]
    if _is_part(before[-MAX_PART:]):
        return True
    if not (_ALONE.fullmatch(before) or _is_stated(_last(_SENTENCE_ENDS, before), text, end)):
        return True
    return bool(text[end : end + MAX_AFTER].strip(CLOSERS)) and _is_taken_up(text, start, end)


def _is_stated(before: str, text: str, end: int) -> bool:
    """Whether the words of its sentence before a box, or what it counts, state it and do not doubt it."""
    return _ALONE.fullmatch(before) is not None or (
        (_STATES.search(before) or _COUNTED.match(text, end)) is not None and not _is_put_in_doubt(before)
    )


@lru_cache(MAX_CACHED)  # few headings stand before most answers
def _is_part(before: str) -> bool:
    return _UNSTATED.search(before) is not None


@lru_cache(MAX_CACHED)
def _is_put_in_doubt(before: str) -> bool:
    return any((_BEFORE.search(_last(_CONCLUDES, before)), _LABELLED.search(before), _ALL_BUT.search(before)))


def _is_taken_up(text: str, start: int, end: int) -> bool:
    """Whether what follows a box between two places leaves it open, takes it back or states another number."""
    rest, *later = _SENTENCE_ENDS.split(text[end : end + MAX_AROUND].partition("\n\n")[0], maxsplit=1)
    return bool(
        _is_left_open(rest)
        or _GOES_ON.match(text, end, end + MAX_AROUND)
        or (start < MIN_WORKED and len(text) - end < MIN_EXPLAINED and any(map(_is_no_explanation, later)))
        or _QUESTION.match(text, end, end + MAX_AROUND)
        or _LATER.search(text, end, end + MAX_AFTER)
        or any(told not in text[start:end] for told in _restated(text, end))
    )


def _is_no_explanation(after: str) -> bool:
    """Whether what follows the sentence of a box says something else than why it is so, or that it is."""
    return _WORD.search(after) is not None and _EXPLAINS.match(after) is None


def _restated(text: str, end: int) -> list[str]:
    """The numbers that later sentences state as the result, and the one that the last of them ends with."""
    stated = [told for match in _RESTATES.finditer(text, end, end + MAX_AFTER) for told in match.groups() if told]
    last = _LAST_NUMBER.search(text, max(end, len(text) - MAX_AROUND))
    return [*stated, last[1]] if last and not _ASIDE.search(last[0]) else stated


def _is_left_open(rest: str) -> bool:
    """Whether the rest of the sentence says so, and not of another value."""
    doubt = _AFTER.search(rest)
    return doubt is not None and not _TURNED.search(rest[: doubt.start()])


def _last(ends: re.Pattern[str], text: str) -> str:
    """What stands after the last match."""
    return ends.split(text)[-1]
