"""Values in prose: a formula or a plain expression at a place, alone or in a list."""

import re
from typing import NamedTuple

from papergate.scoring.reading.formulas import FORMULA, content_of, is_formula, last_side

CURRENCIES = {"$", "€", "£", "¥"}
MAX_SYMBOLS = 12  # characters of an answer without a digit, such as p - q
MAX_WHOLE = 200  # characters; a longer text is an argument, not an answer
MAX_VALUE = 500  # characters of a plain expression; bounds the regular expression

NUMBER = r"(?:\d{1,3}(?:,(?:\\! ?)?\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+)"
_RUN = re.compile(
    rf"(?:(?:{NUMBER}|[$€£¥](?=\s?-?[\d.])|\\[A-Za-z]+|\\[{{}},;:!%$ ]|[{{}}()\[\]|]|[-−–](?=\s*[\w\\(.$√π∞])"
    r"|[+*/^_=<>≤≥≠≈±·×÷∪∩∈∞π√²³%°](?!\*)|!(?![\w\s]*[=])|:(?=\d)|,(?=\s*[-+(\[{\\\d.$A-Za-z])"
    r"|(?:sqrt|pi|sin|cos|tan|log|ln|infinity)\b|[A-Za-z](?![A-Za-z'’²³]|-[a-z]{3}))[^\S\n]*)+"
)
_HAS_VALUE = re.compile(r"\d|\\(?!text|emph|math|quad|qquad)[A-Za-z]{2,}|[∞π√]|infinity|pi\b")
_LOOSE_END = re.compile(
    r"(?:[\s+*/^_=<>≤≥≠≈±·×÷∪∩∈,:({\[]|[-−–]|\s\.|\\$|(?<=\s)[aAI]\s*$|(?<=[\d)}])\s+[A-Za-z]\s*$)+$"
)
_WHOLE = re.compile(  # a matrix, or a name as text
    r"\\begin\{([a-z]*matrix|array|cases)\}.{1,400}?\\end\{\1\}|\\text\{[^{}]{1,40}\}", re.DOTALL
)
_LEAD = re.compile(
    r"(?:(?<=\n)[>•-][ \t]+|</?[a-z]{1,6}>|not\s[^\s,;.]{1,20},?\s+but\s+(?:rather\s+)?"
    r"|[\s*_\"'“‘`:：=]|\\(?=\$)|(?:,\s*)?(?:of\s+course|clearly|obviously|certainly|definitely)\b,?"
    r"|(?:exactly|simply|just|only|precisely|indeed|also|therefore|thus|hence|then|now|again|still"
    r"|equals?(?:\s+to)?|given\s+by|a\s+total\s+of|approximately|about|roughly|around|nearly"
    r"|value|the\s+(?:\w+\s+)?(?:number|value|point|integer|interval|fraction|decimal|set|ordered\s+(?:pair|triple)|pair|expression|matrix|vector)"
    r")\b(?:\s+of\b)?|an?\s+(?=[\d$\\])|约|大约|共|一共)*",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"[^\S\n]*(?:\\?%|percent(?:age)?\b|°|degrees?\b|(?:hundred|thousand|million|billion|trillion|dozen)s?\b|千[米克]|[万亿千百]"
    r"|(?:[kmc]?m|inch(?:es)?|f(?:oo|ee)t|miles?|hours?|minutes?|seconds?|days?|weeks?|[km]?g|dollars?|cents?|euros?"
    r"|[ap]\.?m\.?|m[lL]|lit(?:er|re)s?|(?:square|cubic)\s\w+)(?:\^?[²³23]|/\w+)?(?![\w])|[€£¥](?!\w)|\$(?!\w))"
)
_PARTS = re.compile(  # 2 hours and 15 minutes
    r"(?P<unit>(?:week|day|hour|minute|dollar)s?|f(?:oo|ee)t)"
    r"(?:,?\s+and\b|,)?\s+(?P<part>\d+(?:\.\d+)?)\s(?P<smaller>(?:day|hour|minute|second|cent)s?|inch(?:es)?)\b"
)
_LIST_JOINT = re.compile(r"[^\S\n]*(?:,\s*(?:and|or)?|;|\band\b|\bor\b|\(\s*or\b|、|和|或|与)\s*")
_CLAUSE_ENDS = re.compile(
    r"[\s*_\"'”’`)]*(?:$|[.;,!?。，；]|\n|(?:respectively|because|since|as|when|where|for|if|which)\b|因为|分别)"
)
_BREAKS = re.compile(r"[(\[{]|[)\]}]|(?<!\d),|,(?!(?:\\! ?)?\d{3})|(?<=\d) (?=\d)(?!\d+/\d|\d{3}\b)")
_ATTACHED = re.compile(rf"^(-?{NUMBER})([gmshlL])$")
_BOX = re.compile(r"\\f?box")
LIST_MARKER = re.compile(r"\s*[*_]*\d{1,2}[.)][*_]*\s+[^\s\d]")
MARKUP = re.compile(r"[\s*_`>#\"'“”。.]+")
_PRICE = re.compile(r"-?\d+,\d{2}(?=\s*[€$£¥](?!\d))")


class Value(NamedTuple):
    """A value and where the text goes on after it."""

    text: str
    end: int


def value_at(text: str, at: int) -> Value | None:
    """The value, or the list of values, that stands at a place, after words such as "exactly" or "equal to"."""
    lead = _LEAD.match(text, at)
    value = _single_at(text, lead.end() if lead else at)
    return _listed(text, at, value) if value else None


def value_alone(text: str) -> str | None:
    """The text where it is a value and nothing else."""
    bare = text.strip().strip("*_`> ").strip()
    value = value_at(bare, 0) if len(bare) <= MAX_WHOLE else None
    return value.text if value and not MARKUP.sub("", bare[value.end :]) else None


def _single_at(text: str, at: int) -> Value | None:
    formula = FORMULA.match(text, at)
    if formula and is_formula(content := content_of(formula)):
        return with_unit(text, last_side(content), formula.end())
    if (whole := _WHOLE.match(text, at)) and (whole[1] or _CLAUSE_ENDS.match(text, whole.end())):
        return Value(whole[0], whole.end())
    if price := _PRICE.match(text, at):
        return Value(price[0].replace(",", "."), price.end())
    run = _RUN.match(text, at, at + MAX_VALUE)
    if run is None or _BOX.search(run[0]) or LIST_MARKER.match(text, text.rfind("\n", 0, at) + 1, at + len("10. A")):
        return None
    value = _LOOSE_END.sub("", _first_of_list(run[0]))
    end = at + len(value)
    if not (_HAS_VALUE.search(value) or (0 < len(value) < MAX_SYMBOLS and _CLAUSE_ENDS.match(text, end))):
        return None
    return with_unit(text, _ATTACHED.sub(r"\1\\text{ \2}", last_side(_balanced(value)).strip("$€£¥ ")), end)


def _first_of_list(run: str) -> str:
    """The run up to its first comma, or to a second number, outside brackets."""
    depth = 0
    for mark in _BREAKS.finditer(run):
        depth += 1 if mark[0] in "([{" else -1 if mark[0] in ")]}" else 0
        if mark[0] in ", " and depth <= 0:
            return run[: mark.start()]
    return run


def _balanced(value: str) -> str:
    """The value without a bracket that opens or closes outside it."""
    value = value.rstrip("| ") if value.count("|") % 2 else value  # the edge of a table
    opened, closed = (len(re.findall(brackets, value)) for brackets in (r"[(\[{]", r"[)\]}]"))
    if opened < closed:
        return value.rstrip(")]}")
    return value.lstrip("([{") if opened > closed else value


def with_unit(text: str, value: str, end: int) -> Value:
    """The value with the unit after it, without a currency."""
    unit = _UNIT.match(text, end)
    if unit is None or unit[0].strip() in CURRENCIES:
        return Value(value, unit.end() if unit else end)
    if parts := _PARTS.match(text, unit.start() + len(unit[0]) - len(unit[0].lstrip())):
        return Value(rf"{value}\text{{ {parts['unit']}}} {parts['part']}\text{{ {parts['smaller']}}}", parts.end())
    name = unit[0].strip()
    return Value(f"{value}{name}" if name in {"%", "\\%", "°"} else rf"{value}\text{{ {name}}}", unit.end())


def _listed(text: str, at: int, value: Value) -> Value:
    """The value with those that follow it in a list, where the list ends with a clause."""
    if "=" not in value.text and "=" in text[at : value.end]:
        return value  # what an equation computes is one value; the next equation computes another
    values, end = [value.text], value.end
    while joint := _LIST_JOINT.match(text, end):
        following = _single_at(text, joint.end())
        if following is None:
            break
        values.append(following.text)
        end = following.end
    return Value(", ".join(values), end) if len(values) > 1 and _CLAUSE_ENDS.match(text, end) else value
