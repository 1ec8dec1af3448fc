"""What a sentence states."""

import re
from collections.abc import Iterator

from papergate.scoring.reading.formulas import (
    INEQUALITY,
    RELATION,
    formulas_in,
    is_name,
    last_side,
    masked,
    on_one_line,
)
from papergate.scoring.reading.values import MARKUP, NUMBER, Value, value_at, with_unit

MAX_TAIL = 20_000  # characters of the conclusion that are searched; bounds the regular expressions
MAX_SENTENCE = 2_000  # characters of a sentence that are read; bounds the regular expressions

_BOILERPLATE = re.compile(r"\s*I hope (?:it|this) (?:is correct|helps)[.!]?\s*$", re.IGNORECASE)
_DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|$)", re.DOTALL)
_SENTENCE_ENDS = re.compile(
    r"\s(?=(?:So|Thus|Therefore|Hence|Finally|In conclusion)\b)|(?<=\.\$)\s|(?<=\.\\\])\s|(?<=\S)\.(?=\s|$)|。|；|\n"
)
_UNDECIDED = re.compile(
    r"[?？]|\b(?:might|may|could|perhaps|maybe|possibly|unsure|unable|partial|suppose|assume)\b"
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
    r"[\s*_#>]*(?:(?:and\s+)?(?:so|thus|therefore|hence|consequently|finally|the\s+solutions?|it\s+follows"
    r"|we\s+(?:can\s+|now\s+)?(?:conclude|find|obtain|get|deduce)|the\s+(?:correct|required|desired|requested)"
    r"|(?:in\s+)?(?:conclusion|summary)|in\s+the\s+end|to\s+conclude|overall|altogether|in\s+(?:total|all))\b"
    r"|因此|所以|因而|从而|综上|故|于是|由此|最终|最后|总之|解得|得到|可得|结论|donc\b|por\s+lo\s+tanto)",
    re.IGNORECASE,
)
_COPULA = re.compile(
    r"\b(?:total\s+(?:\w+\s+)?of|is|are|was|were|being|becomes?|equals?|est|es|ist|remains?|gives?|gets?|yields?|obtain|have|has|had|makes?|total(?:s|ed)?"
    r"|(?:must|should|would|will|can|could|out\s+to|found\s+to|seen\s+to)\s+be|leaves\s+(?:\w+\s+)?with)\b"
    r"|(?:simplif(?:y|ies)|reduces?|expands?|evaluates?|amounts?|comes?|converts?|corresponds?|rounds?|adds?\s+up|works?\s+out)\s+(?:out\s+)?to\b"
    r"|'s\b|:|=|是|为|等于|共有|共|有|得到?|剩下?|需要?"
)
_GOVERNED = re.compile(
    r"\b(?:in|after|within|for|of|by|per|every|each|at|on|from|than|into|with|over|during|modulo|mod|to|step|case|d'ici|dans)"
    r"\s*(?:the\s+)?[$\\(*_]*\s*$",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:when|if|where|since|because|for|with|given|assuming|as|(?:attained|achieved|reached|occurs?)\s+at)\s*[\s$\\(]*$|当|若|如果",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(
    r"\b(?:when(?:ever)?|if|where|because|since|while)\b(?:(?!\bthen\b)[^,;:])*$|(?:当|若|如果|因为)[^,，]*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(  # what has a number as its name
    r"\b(?:step|case|equation|problem|example|exercise|figure|part|question|method|approach|line|no\.)\s*[(#]?$",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\b(?:that|who)\s+$")  # digits that add up to 8
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}$)")
_EQUATION = re.compile(r"\bequations?\s+(?:of|for|is|are|becomes)\b|方程", re.IGNORECASE)


def tail_of(text: str) -> str:
    """The end of a text, without drawings and what is said out of politeness."""
    text = _DRAWING.sub(" ", text[-MAX_TAIL:])
    return _BOILERPLATE.sub("", text.replace("：", ":").replace("＝", "=")).strip()


def sentences_of(text: str) -> list[str]:
    """The sentences that say something; a formula over several lines is one."""
    text = _INTRODUCES.sub(" ", on_one_line(text))
    return [part.strip() for part in _SENTENCE_ENDS.split(text) if MARKUP.sub("", part)]


def value_of(sentence: str) -> str | None:
    """What a sentence states, else its last formula, else its last number."""
    sentence = sentence[-MAX_SENTENCE:]
    return stated_by(sentence) or _last_formula(sentence) or _last_number(sentence)


def stated_by(sentence: str) -> str | None:
    """The last value in a sentence that follows an "is" or ends an equation."""
    if _EQUATION.search(sentence):
        return _last_formula(sentence, whole=True)
    stated = list(_after_copulas(sentence))
    ends = [value.end for _, value in stated]
    computed = [(start, side) for start, side in _equations(sentence) if not any(start < end for end in ends)]
    found = sorted([*((start, value.text) for start, value in stated), *computed])
    return found[-1][1] if found else None


def settled_by(sentence: str) -> str | None:
    """What a sentence states, else its only value that no preposition governs, else its only value."""
    sentence = sentence[-MAX_SENTENCE:]
    if is_undecided(sentence) or _BOX.search(sentence):
        return None
    if stated := stated_by(sentence):
        return stated
    formulas = ((start, last_side(formula)) for start, formula in formulas_in(sentence) if not is_name(formula))
    found = [*formulas, *_numbers(masked(sentence))]
    free = {value for start, value in found if not _GOVERNED.search(sentence[:start])}
    values = free or {value for _, value in found}
    return values.pop() if len(values) == 1 else None


def is_undecided(sentence: str) -> bool:
    """Whether a sentence doubts, asks, or names a task that is left."""
    return _UNDECIDED.search(sentence) is not None


def _after_copulas(sentence: str) -> Iterator[tuple[int, Value]]:
    """The values after each "is" outside formulas; after a stated value, `when x is 2` and a colon state no other."""
    prose = masked(sentence)
    stated = False
    for copula in _COPULA.finditer(prose):
        at = copula.start()
        if stated and (copula[0] == ":" or _SUBORDINATE.search(prose, 0, at) or _RELATIVE.search(prose, 0, at)):
            continue
        if value := value_at(sentence, copula.end()):
            stated = True
            yield copula.end(), value


def _equations(sentence: str) -> Iterator[tuple[int, str]]:
    """What the equations compute that are no conditions, such as `for $x = 2$`."""
    prose = masked(sentence)
    for start, formula in formulas_in(sentence):
        if RELATION.search(formula) and not (
            _CONDITION.search(prose, 0, start) or _SUBORDINATE.search(prose, 0, start)
        ):
            yield start, last_side(formula)


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
    return values[-1] if values else None


def _numbers(sentence: str) -> Iterator[tuple[int, str]]:
    """Start and text of each number, with a decimal comma as a point."""
    for match in re.finditer(rf"(?<![A-Za-z0-9_.])-?(?:\d+,\d{{1,2}}(?!\d)|{NUMBER}(?:/\d+)?)", sentence):
        if not _NUMBERED.search(sentence, 0, match.start()):
            yield match.start(), with_unit(sentence, _DECIMAL_COMMA.sub(".", match[0]), match.end()).text
