"""What a finished text that announces no answer comes to: a value apart at its end, or what its last words state."""

import re

from papergate.scoring.reading.formulas import (
    FORMULA,
    computes,
    content_of,
    is_formula,
    is_quantity,
    is_relation,
    last_side,
    masked,
)
from papergate.scoring.reading.sentences import (
    CONCLUDES,
    is_undecided,
    leads_elsewhere,
    sentences_of,
    settled_by,
    stated_by,
    tail_of,
)
from papergate.scoring.reading.values import MAX_WHOLE, value_alone

_PAIRS = (("\\[", "\\]"), ("\\(", "\\)"), ("\\begin", "\\end"), ("{", "}"))
_ENDED = re.compile(r"(?:[.!。！]|\d（[^（）\d\n]{1,4}）|(?<!\\)\$|\\\]|\\\)|\*\*)[\s*_)]*$")
_WORD = re.compile(r"[^\W\d_]")
_DISPLAYS = ("$$", "\\[", "\\begin")
_PARAGRAPH = re.compile(r"(?:^|\n[ \t]*\n)[ \t*_]*$")
_HEADING = re.compile(
    r"[\s*_#>\d.]*(?:(?:final\s+)?(?:answer|result)|conclusion|summary|结论|总结|答案)[\s*_:]*", re.IGNORECASE
)
_PREPARES = re.compile(  # begins a sentence that comes before an answer, or checks one
    r"[\s*_#>\d.)(-]*(?:(?:first(?:ly)?|in\s+the\s+(?:first|second)|second(?:ly)?|next|then|now|let|if|when|given|consider|notice"
    r"|note|recall|observe|remember|try|start|begin|step|case|for\s+instance|assum\w+|substitut\w+|plug\w*|expand|rewrite|express|rearrange|use|using|apply|set|define|question"
    r"|check\w*|verif\w+|confirm\w*|(?:\w+,?\s+){0,2}?the\s+(?:\w+\s+)?equation\s+(?:is|becomes|now)|(?:we|i|you)\s+(?:have|know|need|try|note|are|start|can|gave|compute|calculate)|it\s+(?:remains|is\s+known)"
    r"|the\s+(?:problem|question|task)|to\s+(?:determine|find|solve|calculate|compute|figure|evaluate|answer|see))\b|设|若|如果|当|已知|首先|接下来|下一步|例如|注意|题目|令|第|验证|检验)",
    re.IGNORECASE,
)
_WRONG_WORDS = r"\b(?:wrong|incorrect|impossible|invalid|false)\b|错"
_BOUNDED = re.compile(  # a bound, a step, a denial: what only a conclusion that says so may hold
    r"\b(?:would|candidates?|given|at\s+(?:least|most)|between|however|conjecture|to\s+begin\s+with|(?:first|second|next|this|other)\s+parts?|let[’']s|answers?|but|steps?|cases?"
    rf"|not|never|neither|nor|cannot|no)\b|{_WRONG_WORDS}|n[’']t\b|\\n(?:e|eq)\b|[≠<>≤≥]"
    r"|\\[lg](?:eq?|t)\b|不|没|答案|至少|至多|情况|之间",
    re.IGNORECASE,
)
_TURN = re.compile(  # to the conclusion within a sentence
    r"[,;]\s(?:and\s+)?(?:hence|thus|therefore|(?:but|whereas)\s+(?=the\s+(?:correct|right|true|actual)\b))"
    r"|\basks?\s+for\b[^,.]*,\s(?:which\s+)?(?=is\b)|不是[^，,]*[，,]\s*而?(?=是)|[，,]\s*(?:所以|因此|故)",
    re.IGNORECASE,
)
_DENIAL_OF_A_NOUN = re.compile(r"\b(?:that|which|who)\s+(?:\w+\s+)?(?:not\b|\w+n[’']t\b)", re.IGNORECASE)
_BEGINS = re.compile(r"[\s*_]*(?:\d{1,2}[.)]|[A-Za-z])[\s*_]*|\s*(?:-\s|[^*]*\*\*[^*]*$).*")  # a list item, bold text
_WRONG = re.compile(_WRONG_WORDS, re.IGNORECASE)
_LABELLED = re.compile(r"[\s*_>-]*(?:\d+[.)]\s+)?([^\n:=.$\\\d]{2,80}?)[\s*_]*([:=])((?:(?!\.\s)[^\n])+)")
_LISTED = re.compile(r"[ \t]|[-*•]\s|\d+[.)]\s")
_LEADS_TO = re.compile(
    r"\b(?:is|are|was|were|equals|therefore|thus|hence|so)[\s*_:,]*$|[为是得有][\s*_:,]*$",
    re.IGNORECASE,
)
_OBTAINED = re.compile(r"\b(?:obtain|get|find|gives?|yields?)[\s*_:,]*$", re.IGNORECASE)
_TOTAL = re.compile(
    r"\b(?:solutions?|total|sum|overall|altogether|result|final|answer)\b|总|共|合计|结果", re.IGNORECASE
)
_CHECK = re.compile(  # what checks the answer before it, and finds nothing wrong
    r"\n\s*\n[\s*_#>]*(?:check|verif(?:y|ication|ying))\b"
    r"(?:(?!\b(?:not|wrong|fails?|contradict\w*)\b|n[’']t\b).)*$",
    re.IGNORECASE | re.DOTALL,
)


def set_apart(text: str) -> str | None:
    """The value that a text ends with, where it is a displayed formula and no equation; it outweighs what is before."""
    tail = tail_of(text)
    formula = _formula_apart(tail)
    if formula is None or not formula[0].startswith(_DISPLAYS) or is_relation(content_of(formula)):
        return None
    return _displayed(tail[: formula.start()], content_of(formula))


def concluded(text: str) -> str | None:
    """The answer of a text that has ended: a value that stands apart at its end, else what its last sentence states.

    A text that ends inside a formula or a sentence has not concluded. A sentence that does not begin with "therefore"
    or the like, nor stands under a heading of the answer, must be plain: no step, condition, bound or denial.
    """
    tail = tail_of(text)
    if found := _end_of(tail):
        return found
    checked = _CHECK.sub("", tail)
    return _end_of(checked) if checked != tail else None


def _end_of(tail: str) -> str | None:
    if any(tail.count(opens) > tail.count(closes) for opens, closes in _PAIRS):
        return None
    if formula := _formula_apart(tail):
        return _displayed(tail[: formula.start()], content_of(formula))
    return _last_line(tail) or _last_sentence(tail)


def _formula_apart(tail: str) -> re.Match[str] | None:
    """The formula at the end where it is displayed or a paragraph of its own."""
    last = next(iter([*FORMULA.finditer(tail)][-1:]), None)
    if last is None or tail[last.end() :].strip(" \n.*_") or not is_formula(content_of(last)):
        return None
    return last if last[0].startswith(_DISPLAYS) or _PARAGRAPH.search(tail, 0, last.start()) else None


def _displayed(before: str, content: str) -> str | None:
    """What a formula at the end says: a value, or an equation that was introduced or computes one."""
    said = next(reversed(sentences_of(before)), "")
    introduction = "" if _ENDED.search(before) else said
    if _is_preparing(introduction) or leads_elsewhere(introduction) or _WRONG.search(introduction):
        return None
    if not is_relation(content) or _LEADS_TO.search(introduction):
        return last_side(content) if is_quantity(content) else content
    led = _OBTAINED.search(introduction) or CONCLUDES.match(said)
    if not said or content in before or led or _TOTAL.search(introduction + content):
        return last_side(content) if is_quantity(content) else None
    return last_side(content) if computes(content) and not _LISTED.match(before.rpartition("\n")[2]) else None


def _last_line(tail: str) -> str | None:
    """A last paragraph that is a value, set in bold or bare, or that gives one a name: `Total: 41`."""
    before, _, line = tail.rpartition("\n")
    if len(line) > MAX_WHOLE:
        return None
    alone = not before.strip(" \t") or before.rstrip(" \t").endswith("\n")
    if alone and value_alone(line) and not (before and _BEGINS.fullmatch(line)):
        return _displayed(before, line.strip(" \t*_`>").rstrip("."))
    label = _LABELLED.fullmatch(line)
    if label is None or _is_preparing(label[1]) or not ((alone and not _LISTED.match(line)) or _TOTAL.search(label[1])):
        return None
    told = line if label[2] == "=" else label[3]
    return value_alone(told) or (stated_by(told) if "=" in told else None)


def _last_sentence(tail: str) -> str | None:
    """What the last sentence states where it is a conclusion, or plain."""
    sentences = sentences_of(tail) if _ENDED.search(tail) else []
    if not sentences or not _WORD.search(masked(sentences[-1])) or sentences[-1].rstrip("*_ ").endswith(":"):
        return None
    last, heading = sentences[-1], sentences[-2:-1]
    if CONCLUDES.match(last) or any(_is_heading(line) for line in heading):
        return settled_by(last)
    if _LISTED.match(tail[tail.rfind("\n") + 1 :]):
        return None
    turn = _TURN.search(masked(last))
    return settled_by(last[turn.end() :]) if turn else settled_by(last) if _is_plain(last) else None


def _is_heading(line: str) -> bool:
    """Whether the answer follows: "Conclusion", "So we get:"."""
    return _HEADING.fullmatch(line) is not None or (line.endswith(":") and CONCLUDES.match(line) is not None)


def _is_plain(sentence: str) -> bool:
    return not (_is_preparing(sentence) or _BOUNDED.search(_DENIAL_OF_A_NOUN.sub("", sentence)))


def _is_preparing(sentence: str) -> bool:
    return is_undecided(sentence) or (_PREPARES.match(sentence) is not None and not CONCLUDES.match(sentence))
