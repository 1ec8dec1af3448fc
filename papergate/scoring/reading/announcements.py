"""The answer that a text announces, or, for a model that does not think, leaves to be guessed."""

import re
from collections.abc import Iterator

from papergate.scoring.reading.denials import is_taken_back
from papergate.scoring.reading.formulas import FORMULA, formulas_in
from papergate.scoring.reading.hints import has_any
from papergate.scoring.reading.sentences import (
    CHANGED,
    CONCLUDES,
    sentences_of,
    settled_by,
    stated_by,
    tail_of,
    value_of,
)
from papergate.scoring.reading.values import MAX_WHOLE, Value, value_alone, value_at

MAX_ANCHORS = 20  # announcements looked at, the last ones
MAX_WORDS = 4  # words of an answer that is a name; more are a sentence
_MAX_BEFORE = 40  # characters before an announcement in which a denial or a condition counts

_VERB = (
    r"(?::(?!\s*=)|\b(?:is|are|was|equals|est|es|ist|comes\s+(?:out\s+)?to|turns\s+out\s+to\s+be"
    r"|(?:should|must|would|will|has\s+to)\s+be)\b)"
)
_IS = rf"(?:{_VERB}|=>?|-{{1,2}}>?(?=\s)|[→–—]|\|(?!\s*\n)|of\s+(?=\S+\s*(?:\n|$)))"
_NOUN = r"(?:final[\s_]+(?:answer|result)|answers?|ans|réponse|respuesta|antwort)"
_ANCHOR = re.compile(
    rf"\b{_NOUN}\b[\s*_\"'`]*(?:(?:\([^()\n]{{1,40}}\)\s*)?[,*_\"'`\s]*(?:(?:therefore|thus|hence|then),?\s+)?(?:{_IS}|\n|(?=\\[\[(]|\$))"
    rf"|(?:(?:to|for|of|in|as)\s[^.:\n]{{1,80}}?\s|,\s[^.:,\n]{{1,60}},\s)[,*_\"'`\s]*(?:(?:therefore|thus|hence|then),?\s+)?(?:{_VERB}|\n))"
    r"|(?:答案|最终结果|最后结果|结果)[\s*_\"]*(?:不是[^,，。\n]{1,20}[,，]\s*而)?(?:应[该当]?|就)?(?:[:=是为】|]|等于|$)+|(?:^|[\n。])\s*[*_]*答[*_]*\s*:"
    r"|#{4}\s+(?=[-$\d])|^\s*ans\.(?=\s)",
    re.IGNORECASE | re.MULTILINE,
)
_HINTS_OF_FINAL = ("final", "answer", "最终", "最后", "答")
_HINTS = ("answer", "final", "réponse", "respuesta", "antwort", "结果", "答", "####")  # every announcement has one, or:
_ANS = re.compile(r"[Aa][Nn][Ss](?<!\w...)\b")
_HINTS_OF_REVERSED = ("answer", "solution", "result", "答案")
_FINAL = re.compile(r"\bfinal\s|最终|最后|(?:^|\n)[\s*_#>]*(?:the\s+)?(?:answer\b|答)", re.IGNORECASE)
_REVERSED = re.compile(
    r"\s+(?:is|are)\s+(?:(?:therefore|thus|hence|then|indeed)\s+)?(?:the|our|my)\s+"
    r"(?:(?:final|correct|required|desired|only)\s+)*(?:answer|solution|result)s?\b|(?:就)?是(?:最终)?答案",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\b(?:if|whether|suppose|assum(?:e|ing)|unless|check|verify|confirm|not|nor|cannot|never|until)\b|n't\b"
    r"|如果|若|假设|是否|不能?确定|无法确定|不知道)[^.,;:!?。\n]*$|\b(?:wrong|incorrect|false)\s*$|错误(?:的)?$",
    re.IGNORECASE,
)
_APPROXIMATE = re.compile(r"[\s*_$\\(]*(?:approx|about|roughly|around|≈|约)", re.IGNORECASE)
_ASIDE = re.compile(
    r"[\s*_(]*(?:check|verify|verification|note|recall|alternatively"
    r"|(?:we|you|one)\s+(?:can|may|could)\s+(?:also\s+)?(?:check|verify)|(?:let\s+us|let's|to)\s+(?:check|verify)"
    r"|验证|检验|注)\b|[\s*_]*\((?-i:[A-Z])[a-z]",
    re.IGNORECASE,
)
_FIRST_PART = r"\bpart\s*\(?(?:a|i|1)\b"  # there is a second one
_OF_A_PART = re.compile(_FIRST_PART, re.IGNORECASE)
_NO_ANSWER = re.compile(  # a question, or an announcement that is denied, conditional or a bound
    r"\?\W*$|\banswers?\b[^.;]{0,200}(?:\b(?:not|cannot|between|at\s+(?:least|most)|if)\b|n't\b)|\b(?:if|whether)\b[^.;]{0,200}\banswers?\b"
    rf"|\banswers?\b[^.;]{{0,20}}{_FIRST_PART}|(?:如果|若|假如|假设)[^。;]{{0,200}}答案",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?<![\\\w])[^\W\d_]{4,}")
_GOES_ON = re.compile(
    r"(?<=[$)\]])[ \t]+(?:as\s+an?\b"
    r"|(?!(?:because|since|as|when|where|for|if|which|or|and|with|so|cm|mm|km|kg|m|g)\b)[a-z]{2,})"
)
_SUBJECT = re.compile(r"[\s*_]*the\s", re.IGNORECASE)
_NAME = re.compile(
    r"[*_\"'“‘`(]*((?:\\text\{[^{}]*\}|[^\W\d_][\w'’-]*)(?: [\w'’-]+)*)[*_\"'”’`)]*[ \t]*(?=[.,;!。，]|\n|$)"
)
_ASSESSMENT = re.compile(
    r"(?:not|in|as|an?|the|based|given|shown|found|consistent|correct|right|wrong|incorrect|valid|verified|confirmed|reasonable"
    r"|clear|obvious|known|expected|simply|simple|exact|unique|indeed|also|still|approximately|about|above|below|that|this|to"
    r"|always|therefore|thus|what|it|we|you|i|of|for|only|just|correctly)\b",
    re.IGNORECASE,
)
_CHINESE_SENTENCE = re.compile(r"[是有为的不\d]|正确|错误|合理|一致|唯一|[\u4e00-\u9fff]{9}")
_UNFINISHED = re.compile(
    r"(?:[，、;(（+/=<>×÷−-]|\b(?:step|part|case)\s*\d*:|\b(?:and|or|the|an?|of|to|is|are|by|with|for|we|then|that|in|from|if|so|because)|[则和与是为即]"
    r"|(?:^|[.!\n])\s*(?:now|next|then|let\s+us|let[’']s|we\s+now)\b[^.!\d$\\\n]*\.?)[\s*_]*$",
    re.IGNORECASE,
)


def announced(text: str, *, final: bool = False, cut: bool = False) -> str | None:
    """The answer that the last announcement with an answer gives ("the answer is", "Answer:", 答案).

    Args:
        text: The text after the thought.
        final: Whether only an announcement of the final answer counts, and no approximation: beside a box.
        cut: Whether the text ends at the token limit; then a value at its very end may be a part of one.
    """
    if final and not has_any(text, _HINTS_OF_FINAL):
        return None  # nearly every text after a box; cheaper than to prepare it
    tail = tail_of(text)
    for anchor in _anchors(tail):
        after = tail[anchor.end() :]
        if final and (not _FINAL.search(anchor[0]) or _APPROXIMATE.match(after)):
            continue
        value = _value_after(tail, anchor)
        if value and value.text and not (cut and value.end >= len(tail)) and _stands(tail, value.end):
            return value.text
    return None if final else _announced_backwards(tail)


def guessed(text: str) -> tuple[str, str] | None:
    """The answer of a text that announces none, with the rule: the whole of a short one, or its last value."""
    tail = tail_of(text)
    if _breaks_off(tail):
        return None
    if whole := value_alone(tail):
        return whole, "whole"
    if len(tail) <= MAX_WHOLE and not (_WORDS.search(tail) or CONCLUDES.match(tail) or stated_by(tail)):
        return tail, "whole"
    told = (part for part in sentences_of(tail) if not (_ASIDE.match(part) or _NO_ANSWER.search(part)))
    for sentence in reversed(list(told)):
        if value := value_of(sentence):
            return value, "last-value"
    return (tail, "whole") if len(tail) <= MAX_WHOLE and not _NO_ANSWER.search(tail) else None


def _anchors(tail: str) -> Iterator[re.Match[str]]:
    """The announcements, the last one first, without those under a condition or of a first part."""
    found = list(_ANCHOR.finditer(tail)) if has_any(tail, _HINTS) or _ANS.search(tail) else []
    for anchor in reversed(found[-MAX_ANCHORS:]):
        before = tail[max(anchor.start() - _MAX_BEFORE, 0) : anchor.start()]
        if not (_OF_A_PART.search(anchor[0]) or _DENIED.search(before)):
            yield anchor


def _value_after(tail: str, anchor: re.Match[str]) -> Value | None:
    """The value, the name, or what the sentence states that follows an announcement."""
    at = anchor.end()
    value = value_at(tail, at) or _name_at(tail, at)
    if not anchor[0].rstrip(" *_").endswith((":", "\n")) or (value and not _is_subject(tail, at, value.end)):
        return value
    settled = settled_by(next(iter(sentences_of(tail[at:])), ""))
    return Value(settled, at) if settled else value


def _is_subject(tail: str, at: int, end: int) -> bool:
    """Whether a sentence goes on about a value: "The fraction 3/4 as a decimal", "$21$ converted to base $3$"."""
    return bool(_SUBJECT.match(tail, at) or _GOES_ON.match(tail, end))


def _stands(tail: str, end: int) -> bool:
    """Whether what follows a value neither denies nor changes it."""
    return not (CHANGED.match(tail, end) or is_taken_back(tail, end))


def _name_at(tail: str, at: int) -> Value | None:
    """A short name: `Evelyn`, `east`, `no solution`; not a judgement such as "consistent with the estimate"."""
    start = len(tail) - len(tail[at:].lstrip(" \n*_:"))
    name = _NAME.match(tail, start)
    if (
        name is None
        or len(name[1].split()) > MAX_WORDS
        or _ASSESSMENT.match(name[1])
        or _CHINESE_SENTENCE.search(name[1])
    ):
        return None
    return Value(name[1], name.end())


def _announced_backwards(tail: str) -> str | None:
    """The value in `Hence, 42 is the answer`."""
    if not has_any(tail, _HINTS_OF_REVERSED):
        return None
    for anchor in reversed(list(_REVERSED.finditer(tail))[-MAX_ANCHORS:]):
        sentence = sentences_of(tail[: anchor.start()])[-1:]
        before = CONCLUDES.sub("", sentence[0], count=1).strip(" ,，*_`") if sentence else ""
        formulas = formulas_in(before)
        value = value_at(before, 0)
        if value and value.end == len(before) and not _DENIED.search(before):
            return value.text
        if formulas and before.endswith(("$", "\\)", "\\]")):
            return formulas[-1][1]
    return None


def _breaks_off(tail: str) -> bool:
    """Whether the text ends inside a sentence, an announcement that says nothing, or the formula it announces."""
    if _UNFINISHED.search(tail, max(len(tail) - MAX_WHOLE, 0)):
        return True
    anchors = list(_ANCHOR.finditer(tail))
    if not anchors:
        return False
    after = tail[anchors[-1].end() :]
    return not after.strip("\n *_:`\"'>#-") or _opens_formula(after)


def _opens_formula(after: str) -> bool:
    opened = re.match(r"[\s*_:]*(\\\[|\\\(|\$(?!\d))", after)
    return opened is not None and FORMULA.match(after, opened.start(1)) is None
