"""What a sentence states."""

import re
from collections.abc import Iterator
from functools import lru_cache

from papergate.scoring.reading.denials import is_denied, is_taken_back
from papergate.scoring.reading.formulas import (
    FORMULA,
    INEQUALITY,
    RELATION,
    content_of,
    formulas_in,
    is_formula,
    is_name,
    last_side,
    masked,
    on_one_line,
    placed_formulas,
)
from papergate.scoring.reading.values import LIST_MARKER, MARKUP, NUMBER, Value, value_at, with_unit

MAX_TAIL = 20_000  # characters of the conclusion that are searched; bounds the regular expressions
MAX_SENTENCE = 2_000  # characters of a sentence that are read; bounds the regular expressions

_POLITENESS = re.compile(
    r"\s+(?:I\s+)?(?:this\s+(?:completes|concludes|finishes|is\s+(?:the|our)\s+(?:final\s+)?(?:answer|result))|let\s+me\s+know|(?:please\s+)?feel\s+free"
    r"|hope\s+(?:it|this|that)|is\s+there\s+anything|that[’']s\s+it)\b[^\n\d$\\]*$",
    re.IGNORECASE,
)
_BLANKS, _BLANK_LINES = re.compile(r"[ \t]{3,}"), re.compile(r"\n(?:[ \t]{0,2}\n){2,}")  # long runs take long to match
_MARKS = re.compile(r"([*_])\1{3,}")
_LABEL_INSIDE = re.compile(
    r"(\\\[|\\\(|\$\$?)\s*\\text(?:bf)?\{\s*((?:the\s+)?(?:final\s+)?answer|答案)\s*(?:is\s*)?:?\s*\}\s*[:=]?",
    re.IGNORECASE,
)
_RULES = ("---", "***", "___")
_RULE = re.compile(r"^[ \t]{0,3}(?:-{3,}|\*{3,}|_{3,})[ \t]*$", re.MULTILINE)
_CODE_LINE = re.compile(r"^```\w*\n([^\n]+)\n```[ \t]*$", re.MULTILINE)
_DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|$)|<<[^<>\n]{1,80}>>", re.DOTALL)
_SENTENCE_ENDS = re.compile(
    r"\s(?=(?:So|Thus|Therefore|Hence|Finally|In conclusion)\b)|(?<=\x1f)\s*"
    r"|(?<=[^\s\x1f])(?<!\n\d)(?<!\n\d\d)\.(?=\s|$)|。|；|\n"
)
_UNDECIDED = re.compile(
    r"[?？]|\b(?:might|may|could|perhaps|maybe|possibly|unsure|unable|partial|whether|claim(?:s|ed)?|says?|said|thinks?|thought|believes?|guess\w*|contradict\w*|example|(?:upper|lower)\s+bound|suppose|assume)\b"
    r"|\b(?:must|(?:needs?|ha(?:ve|s)|remains?|wants?|left|next\s+\w+)\s+to)\s+(?:\w+\s+)?"
    r"(?:show|prove|check|verify|find|determine|compute|calculate|consider|decide|examine|test|see)\b"
    r"|可能|也许|或许|假设|不能确定|无法|尚未|还需|是否",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(  # what stands apart on the next line ends the sentence
    r"(?<=[:,\w])[ \t*_]*\n\s*(?=\\\[|\$\$)|(?<=:)[ \t*_]*\n\s*(?=-?\d[\d.,/]*\s*(?:\n|$))"
)
_BOX = re.compile(r"\\[fB]?box")
CONCLUDES = re.compile(
    r"[\s*_#>]*(?:\d{1,2}\.\s[\s*_]*)?(?:(?:and\s+)?(?:so|thus|therefore|hence|consequently|finally|the\s+solutions?|it\s+follows"
    r"|we\s+(?:can\s+|now\s+)?(?:conclude|find|obtain|get|deduce)|the\s+(?:correct|required|desired|requested)"
    r"|(?:in\s+)?(?:conclusion|summary)|in\s+the\s+end|to\s+conclude|overall|altogether|in\s+(?:total|all))\b"
    r"|因此|所以|因而|从而|综上|解集|故|于是|由此|最终|最后|总之|解得|得到|可得|结论|donc\b|por\s+lo\s+tanto)",
    re.IGNORECASE,
)
_CONSEQUENCE = re.compile(r"[,;]?\s(?:and\s+)?(?:so|hence|thus|therefore|which\s+means)\s+(?:that\s+)?", re.IGNORECASE)
CHANGED = re.compile(  # what makes another value of the one before it, or sets one beside it
    r"[\s*_$)\\]*(?:\.{2,}|…|[,;—–-]+)\s*(?:no(?![ \t]+(?!it\b|that|this|wait)[a-z])|wait|actually|hmm)\b"
    r"|[\s*_$)\\]*(?:\b(?:squared|cubed|factorial|digits)\b|\b(?:plus|minus|times|(?:divided|multiplied)\s+by)\s+[\d$\\(-]|\btimes\s+(?:as|the|that|what)\b"
    r"|\b(?:to|through|over|but|alternatively|out\s+of|(?:less|more|fewer|greater)\s+than|per\s*cent\s+of)\b[^.;\n]{0,40}\d"
    r"|[,&|]\s*(?:alternatively\b[^.;\n]{0,40})?(?<!,)\s*\d|\bin\s+base\b|\bat\s+(?:most|least)\b"
    r"|\b(?:or|and)\s+(?:more|less|fewer|greater|higher|lower|above|below|up)\b"
    r"|\(?\s*or\b|[到至或]|还是|的(?:一半|平方|立方|.?次方|\d|[二两三四五六七八九十百]))",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(  # what makes a bound, a multiple, a denial of the value after it
    r"(?:\b(?:than(?:\s+or\s+equal\s+to)?|close\s+to|(?:multiple|factor|divisor|power|part)s?\s+of|divi(?:sible|ded)\s+by"
    r"|(?:differs?|different)\s+from|exceeds?|twice|thrice|half(?:\s+of)?|double|unlike|except|contradicts?|between|(?<!add\s)(?<!adds\s)up\s+to"
    r"|not(?:\s+equal(?:\s+to)?)?|cannot(?:\s+be)?|(?:is|are|be)\s+at\s+(?:least|most)|add|subtract|multipl\w+\s+(?:\w+\s+)?by"
    r"|divide\s+(?:\w+\s+)?by|plus|minus|times)|n[’']t(?:\s+be)?|不是|不等于|不为|大于|小于|超过|低于|高于|至[少多][为是]"
    r"|除以|乘以|减去|加上)[\s$\\(\[*_:]*$",
    re.IGNORECASE,
)
_COPULA = re.compile(
    r"\b(?:total\s+(?:\w+\s+)?of|is|are|was|were|being|becomes?|equals?|est|es|ist|remains?|gives?|gets?|yields?|obtain|have|has|had|makes?|total(?:s|ed)?"
    r"|(?:must|should|would|will|can|could|out\s+to|found\s+to|seen\s+to)\s+be|(?:written|expressed|rewritten|simplified|given|represented)\s+(?:as|by)|leads?\s+to|results?\s+in|leaves\s+(?:\w+\s+)?with)\b"
    r"|(?:simplif(?:y|ies)|reduces?|expands?|evaluates?|amounts?|comes?|converts?|corresponds?|rounds?|adds?\s+up|works?\s+out)\s+(?:(?:out|up|down|off)\s+)?to\b"
    r"|'s\b|:|=|是|为|等于|共有|共|有|得到?|剩下?|需要?|[大小]值(?=\s*[-\d$\\])"
)
_GOVERNED = re.compile(
    r"\b(?:between(?:\s+\S+\s+and)?|in|after|within|for|of|by|per|every|each|at|on|from|than|into|with|over|during|modulo|mod|to|step|case|d'ici|dans)"
    r"\s*(?:the\s+)?[$\\(*_]*\s*$|\bthe\s+(?:remaining|other)\s+[$\\(*_]*$",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:when|if|where|since|because|for|with|given|assuming|as|at)\s*[\s$\\(]*(?:\w{1,3}\s*=)?$", re.IGNORECASE
)
_SUBORDINATE = re.compile(
    r"\b(?:when(?:ever)?|if|where|because|since|while)\b(?:(?!\bthen\b)[^,;:])*$|(?:当(?!.*时)|若|如果|因为|此时)[^,，]*$|[(（][^)）]*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(  # what has a number as its name
    r"\b(?:step|case|equation|problem|example|exercise|figure|part|question|method|approach|line|no\.)\s*[(#]?$",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\b(?:that|who)\s+$")  # digits that add up to 8
_OR = re.compile(r"\bor\b|或")  # x = 2 or x = 3
_JOINED = re.compile(r"[\s,，、]*(?:\band\b|和|且)?\s*")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}$)")
_EQUATION = re.compile(
    r"(?<!\bof the )(?<!\bto the )\bequations?\s+(?:of|for|is|are|becomes)\b|方程[是为:]", re.IGNORECASE
)


@lru_cache(1)  # a value that stands apart at the end is looked for twice
def tail_of(text: str) -> str:
    r"""The end of a text without drawings, rules and politeness; `\[\text{Answer: } 5\]` is `Answer: \[5\]`."""
    text = _DRAWING.sub(" ", text[-MAX_TAIL:])
    text = _CODE_LINE.sub(r"\n\1\n", text) if "```" in text else text
    text = _RULE.sub("", text) if any(rule in text for rule in _RULES) else text
    text = _BLANK_LINES.sub("\n\n", _BLANKS.sub("  ", text.rstrip()))
    text = _LABEL_INSIDE.sub(r"\2: \1", _MARKS.sub(r"\1\1\1", text))
    text = text.replace("：", ":").replace("＝", "=").strip()
    polite = _POLITENESS.search(text, max(text.rfind("\n"), 0))
    return text[: polite.start()].rstrip() if polite else text


def sentences_of(text: str) -> list[str]:
    """The sentences that say something; a formula over several lines is one."""
    text = _INTRODUCES.sub(" ", on_one_line(text))
    ends = [end.span() for end in _SENTENCE_ENDS.finditer(FORMULA.sub(_hidden, text))]
    starts, stops = [0, *(stop for _, stop in ends)], [*(start for start, _ in ends), len(text)]
    parts = (text[start:stop] for start, stop in zip(starts, stops, strict=True))
    return [part.strip() for part in parts if MARKUP.sub("", part)]


def value_of(sentence: str) -> str | None:
    """What a sentence states after its last "so", else anywhere; else its last formula, else its last number."""
    sentence = sentence[-MAX_SENTENCE:]
    so = max((end.end() for end in _CONSEQUENCE.finditer(masked(sentence))), default=0)
    for part in (sentence[so:], sentence):
        if value := stated_by(part) or _last_formula(part) or _last_number(part):
            return value
    return None


def stated_by(sentence: str) -> str | None:
    """The last value in a sentence that follows an "is" or ends an equation."""
    return next((value.text for _, value in reversed(_stated(sentence))), None)


def _stated(sentence: str) -> list[tuple[int, Value]]:
    """Where the values stand that follow an "is" or end an equation; of a sentence about an equation, itself."""
    if _EQUATION.search(sentence):
        equation = _last_formula(sentence, whole=True)
        return [(0, Value(equation, len(sentence)))] if equation else []
    stated = list(_after_copulas(sentence))
    ends = [value.end for _, value in stated]
    computed = [(start, side) for start, side in _equations(sentence) if not any(start < end for end in ends)]
    return sorted([*stated, *computed])


def settled_by(sentence: str) -> str | None:
    """What a sentence states, else its only value that no preposition governs, else its only value."""
    sentence = sentence[-MAX_SENTENCE:]
    if is_undecided(sentence) or _BOX.search(sentence):
        return None
    found = _stated(sentence)[-1:] or _only(sentence)
    return next((value.text for start, value in found if _is_told(sentence, start, value.end)), None)


def leads_elsewhere(before: str) -> bool:
    """Whether a value after these words is a bound, a multiple or a denied one: "more than", "is not"."""
    return _ELSEWHERE.search(before) is not None or is_denied(before, len(before), len(before))


def _is_told(sentence: str, start: int, end: int) -> bool:
    return not (leads_elsewhere(sentence[:start]) or CHANGED.match(sentence, end) or is_taken_back(sentence, end))


def _only(sentence: str) -> list[tuple[int, Value]]:
    """The only formula that no preposition governs, else the only such value, else the only value."""
    formulas = [(at, Value(last_side(told), end)) for at, end, told in placed_formulas(sentence) if not is_name(told)]
    found = [*formulas, *_numbers(masked(sentence))]
    for among in (formulas, found):
        free = [(at, value) for at, value in among if not _GOVERNED.search(sentence[:at])]
        if len({value.text for _, value in free}) == 1:
            return free[:1]
    return found[:1] if len({value.text for _, value in found}) == 1 else []


def is_undecided(sentence: str) -> bool:
    """Whether a sentence doubts, asks, or names a task that is left."""
    return _UNDECIDED.search(sentence) is not None


def _hidden(formula: re.Match[str]) -> str:
    """As many signs as the formula has; the last one tells that it ends a sentence."""
    if not is_formula(content_of(formula)):
        return formula[0]
    ends = next(part for part in formula.groups() if part is not None).rstrip().endswith(".")
    return "#" * (len(formula[0]) - 1) + ("\x1f" if ends else "#")


def _after_copulas(sentence: str) -> Iterator[tuple[int, Value]]:
    """The values after each "is" outside formulas; after a stated one, `when x is 2` and a colon state no other."""
    prose = masked(sentence)
    stated, either = False, 0
    for copula in _COPULA.finditer(prose):
        taken = copula[0] == "=" and _CONDITION.search(prose, 0, copula.end())  # at x = 3
        if taken or copula.start() < either or (stated and _is_aside(prose, copula)):
            continue
        if value := value_at(sentence, copula.end()):
            stated = True
            either = value.end if _OR.search(sentence, copula.end(), value.end) else 0
            yield copula.end(), value


def _is_aside(prose: str, copula: re.Match[str]) -> bool:
    at = copula.start()
    return bool(copula[0] == ":" or _SUBORDINATE.search(prose, 0, at) or _RELATIVE.search(prose, 0, at))


def _equations(sentence: str) -> list[tuple[int, Value]]:
    """What the equations compute but conditions, `for $x = 2$, $y = 3$`; `$x = 2$ or $x = 3$` is one value."""
    prose, condition = masked(sentence), 0
    told: list[tuple[int, Value]] = []
    for start, end, formula in placed_formulas(sentence):
        if not RELATION.search(formula):
            continue
        side = last_side(formula)
        also = condition and _JOINED.fullmatch(prose, condition, start)
        if also or _CONDITION.search(prose, 0, start) or _SUBORDINATE.search(prose, 0, start):
            condition = end if " " in prose[:start].strip() else 0  # one that begins the sentence ends with its comma
        elif told and _is_another_case(told[-1][1], side, prose[told[-1][1].end : start]):
            at, before = told.pop()
            told.append((at, Value(f"{before.text}, {side}", end)))
        else:
            told.append((start, Value(side, end)))
    return told


def _is_another_case(before: Value, side: str, between: str) -> bool:
    """Whether an equation names the same thing as the one before an "or"."""
    name, is_named, _ = side.partition("=")
    return bool(is_named and before.text.startswith(f"{name}=") and _OR.fullmatch(between.strip(" ,")))


def _last_formula(sentence: str, *, whole: bool = False) -> str | None:
    found = [(start, formula) for start, formula in formulas_in(sentence) if not is_name(formula)]
    free = [formula for start, formula in found if not _GOVERNED.search(sentence[:start])]
    related = [formula for formula in free if RELATION.search(formula) or INEQUALITY.search(formula)]
    chosen = related or free or [formula for _, formula in found]
    return None if not chosen else chosen[-1] if whole else last_side(chosen[-1])


def _last_number(sentence: str) -> str | None:
    found = list(_numbers(sentence))
    free = [value for start, value in found if not _GOVERNED.search(sentence[:start])]
    values = free or [value for _, value in found]
    return values[-1].text if values else None


def _numbers(sentence: str) -> Iterator[tuple[int, Value]]:
    """Each number with where it starts, with a decimal comma as a point."""
    marker = LIST_MARKER.match(sentence)
    end = marker.end() - 1 if marker else 0
    for match in re.finditer(rf"(?<![A-Za-z0-9_.])-?(?:\d+,\d{{1,2}}(?!\d)|{NUMBER}(?:/\d+)?)", sentence):
        if match.start() >= end and not _NUMBERED.search(sentence, 0, match.start()):
            value = with_unit(sentence, _DECIMAL_COMMA.sub(".", match[0]), match.end())
            end = value.end
            yield match.start(), value
