"""What takes an answer back: words before and after it, and marks that strike it through."""

import re
from functools import lru_cache

from papergate.scoring.reading.hints import has_any

MAX_AROUND = 100  # characters before and after an answer that may deny it; bounds the regular expressions
MAX_CACHED = 4_096  # texts before an answer that are remembered

CLOSERS = " \t\r\n.。!*$)]}\\"  # what may end a formula, a sentence and emphasis
_OPENERS = " \t\n\r\u3000$({\\}*_\"“”'"  # what may stand between a word and the answer that it denies
_NOT = r"(?:\bnot|\bnever|\bcannot|n[’']t)"
_WRONG = r"(?:wrong|incorrect|false|mistaken|invalid|impossible|extraneous|rejected|discarded|ruled\s+out)"
_RIGHT = r"(?:right|correct|true|valid|possible|acceptable)"
_ANSWER = r"(?:answer|result|value|solution|option|choice)"
_HOLDS = r"(?:work|fit|hold|satisf|fulfil|meet|match|solve)\w*"
_BEFORE = re.compile(
    rf"(?:\bnot|\bnever|n[’']t\s+be|\bcannot\s+be|\b(?:isn|aren|wasn)[’']t|\b(?:instead\s+of|rather\s+than|neither)"
    rf"|{_NOT}\s+(?:to\s+)?(?:answer|write|say|choose|pick|select|put)(?:\s+with)?"
    rf"|(?:^|[\n.;,!:。(])[\s*_]*(?:the\s+|an?\s+)?{_WRONG}(?:\s+{_ANSWER})?\s*(?:is\s*)?:?"
    r"|\b(?:wrong|incorrect|false|flawed|naive)\s+\w+\s+(?:gives|yields|leads\s+to)"
    r"|\b(?:reject|discard|exclude|dismiss|rule\s+out|disagree\s+with)"
    rf"|\bneither\b[^.\n]*\bnor|\b(?:mistake|error|tempting)\s+(?:is\s+|would\s+be\s+)?to\s+[^.,;:\n]*"
    rf"|\b(?:might|may|would|could)\s+(?:think|guess|believe|expect)\b[^.,;:\n]*|\bnot\s+true\s+(?:that\s+)?[^.,;:\n]*"
    rf"|\b(?:suppose|assume|assuming|imagine|pretend)\s+(?:that\s+)?(?:the|our|my)\s+(?:final\s+)?{_ANSWER}\s+\w+"
    r"|\bformat\b[^.\n]*\b(?:for\s+(?:example|instance)|such\s+as|e\.g\.),?"
    r"|不是|而非|并非|不等于|不可能是|错误(?:的)?(?:答案|结果)?\s*[:：是为]*|[❌✗✘]"
    r"|\\[xb]?cancel|\\sout|\\[vh]?phantom)$",
    re.IGNORECASE,
)
_CLOSERS = r"(?:[\s$})*_\"“”’,，]|\\[)\]]|\\[,;:! ]|\\q?quad\b|\\text\{)*"
_PLAINLY = (  # up to a word, unless another or a value turns it
    rf"(?:(?!\b(?:{_RIGHT}|not|and|but|nothing)\b)[^.,;:!?。\n\d]){{0,40}}?"
)
_AFTER = re.compile(
    rf"{_CLOSERS}(?:(?:(?:but|which|that|this|it)\s+){{0,2}}(?:"
    rf"(?:is|was|are|seems|looks|turns\s+out|must|should|has|have)\s{_PLAINLY}\b(?:{_WRONG}|a\s+(?:trap|mistake|typo)|the\s+format|no\s+{_ANSWER})\b"
    rf"|(?:is|was|does|do|did|could|would)(?:\s+not|n[’']t)\s+(?:be\s+)?(?:(?:the|a|an|our|my|your|what)\s+)?(?:\w+\s+)?"
    rf"(?:{_RIGHT}|answer|asked|{_HOLDS})\b"
    rf"|can(?:not|[’']t|\s+not)\s+be\s+(?:{_RIGHT}|(?:the|our|an?)\b)|fails\b)"
    r"|[.…]*\s*no\b\s*[,:]"
    rf"|would\s+(?:be|have\s+been)\s+(?:{_RIGHT}|the|our|my)\b"
    rf"|[(（]\s*(?:\\text\{{)?[(（]?\s*(?:{_WRONG}|not\s+{_RIGHT}|no|错误?|不对)\b"
    r"|并?(?:是|为)?(?:错误的?|错的|有误|不对|不正确|不成立|不符合|不是(?:正确|最终)?(?:的)?答案)|[❌✗✘]|[?？])"
    rf"|{_CLOSERS}[.。!]?\s*(?:(?:sorry|wait|no|oops|hmm|but|however)[,.!]?\s*){{0,2}}"
    rf"(?:this|that|it|(?:the|my|this|that)\s+(?:above\s+|final\s+)?{_ANSWER})"
    rf"(?:\s+(?:is|was)\s+(?:\w+ly\s+)?(?:{_WRONG}|not\s+{_RIGHT})|[’']s\s+not\s+{_RIGHT}|\s+can(?:not|[’']t)\s+be\s+{_RIGHT})\b",
    re.IGNORECASE,
)
_HINTS = (  # every denial has one of these; looking for them first takes a twentieth of the time
    "no", "n't", "n’t", "nei", "nev", "inst", "rath", "wron", "inco", "fals", "flaw", "nai", "rej",
    "disc", "excl", "dism", "rule", "disa", "mis", "inv", "impo", "extr", "err", "temp", "think",
    "guess", "belie", "expe", "supp", "assu", "imag", "pret", "format", "ancel", "sout",
    "phant", "fail", "would", "trap", "typo", "不", "非", "错", "误", "❌", "✗", "✘", "?", "？",
)  # fmt: skip
_STRUCK = re.compile(
    r"(?<![^\s(*_>])~~(?=\S)[^~\n]+(?<=\S)~~(?![\w\\])|<(del|s|strike)>[^<]{1,200}</\1>|<!--[^<>]{1,200}-->",
    re.IGNORECASE,
)


def without_struck(text: str) -> str:
    """The text without what Markdown or HTML strikes through or hides."""
    return _STRUCK.sub(" ", text) if "~" in text or "<" in text else text


def is_denied(text: str, start: int, end: int) -> bool:
    """Whether the text takes back the answer between two places: "not 5", "5 is wrong", "is it 5?"."""
    before = text[max(start - MAX_AROUND, 0) : start].rstrip(_OPENERS)
    return _denies_what_follows(before.rpartition("\n\n")[2]) or is_taken_back(text, end)


def is_taken_back(text: str, end: int) -> bool:
    """Whether what follows an answer denies it."""
    after = text[end : end + MAX_AROUND]
    return (
        bool(after.strip(CLOSERS)) and has_any(after, _HINTS) and _AFTER.match(text, end, end + MAX_AROUND) is not None
    )


@lru_cache(MAX_CACHED)  # few headings and announcements stand before most answers
def _denies_what_follows(before: str) -> bool:
    return bool(before) and has_any(before, _HINTS) and _BEFORE.search(before) is not None
