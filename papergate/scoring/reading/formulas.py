"""The formulas of a text, and what an equation computes."""

import re
from collections.abc import Iterator

FORMULA = re.compile(
    r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<!\\)\$((?:\\.|[^$\\])+?)\$(?!\d)"
    r"|\\begin\{(?:align|aligned|equation|gather|multline|eqnarray)\*?\}(.+?)\\end\{\w+\*?\}",
    re.DOTALL,
)
RELATION = re.compile(r"(?<![<>!\\:])=(?!=)|\\equiv(?![A-Za-z])|≡")
INEQUALITY = re.compile(r"[<>≤≥]|\\[lg](?:eq?|t)\b|\\in\b")
_PROSE = re.compile(r"(?<![\\A-Za-z{])[a-z]{2,},?\s+[a-z]{2,}")  # between two prices, not in a formula
_TEXTS = re.compile(r"\\(?:text|mbox)\s*\{[^{}]*\}")
_SIGNS = re.compile(r"\\?[{}]|" + RELATION.pattern)
_DEPTH = {"{": 1, "}": -1, "\\{": 0, "\\}": 0}
_NAME = re.compile(
    r"\(?\s*[A-Za-z](?:_\{?\w+\}?)?'?(?:\s*,\s*[A-Za-z](?:_\{?\w+\}?)?)*\s*\)?|\\[A-Za-z]+"
    r"|[A-Za-z](?:\^\{-1\})?\s*\(\s*[a-z]\s*\)"
)
_FIGURE = re.compile(r"\\(?:angle|triangle|overline|widehat|overrightarrow)\s*\{?\s*[A-Z]{1,4}\s*\}?")
_CONSTANTS = {r"\pi", r"\infty", r"\emptyset", r"\varnothing"}
_CALL = re.compile(r"\\?[A-Za-z]+(?:\^\{-1\})?\s*\(?\s*-?[\d./]+\s*\)?")  # a function of a number
_COMMANDS = re.compile(r"\\(?:text|mathrm|mbox)\s*\{[^{}]*\}|\\[A-Za-z]+|\b(?:sqrt|pi)\b")
_LETTERS = re.compile(r"[A-DF-HJ-Za-df-hj-z]")  # without e and i, which are numbers
_BRACKETED = re.compile(r"\(([^()]*=[^()]*)\)")
_ALIGNED = re.compile(r"\s*\\begin\{(align(?:ed)?\*?|split|gathered)\}(.*)\\end\{\1\}[\s.,]*", re.DOTALL)
_ALIGNMENT = re.compile(r"\\\\(?:\[[^\]]*\])?|(?<!\\)&|\\(?:qquad|quad|Rightarrow|implies|notag)\b")
_PAIR = 2
_LOOSE_END = " \n\t.,;"


def content_of(formula: re.Match[str]) -> str:
    """The formula without its delimiters, its alignment and the punctuation of the sentence around it."""
    content = next(part for part in formula.groups() if part is not None)
    aligned = formula[5] or ((inner := _ALIGNED.fullmatch(content)) and inner[2])
    return _ALIGNMENT.sub(" ", aligned).strip(_LOOSE_END) if aligned else content.strip().rstrip(_LOOSE_END)


def formulas_in(text: str) -> list[tuple[int, str]]:
    """Start and content of each formula; what stands between two prices is none."""
    return [(start, formula) for start, _, formula in placed_formulas(text)]


def placed_formulas(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and content of each formula."""
    for match in FORMULA.finditer(text):
        if is_formula(content := content_of(match)):
            yield match.start(), match.end(), content


def is_formula(content: str) -> bool:
    """Whether it holds something other than prose, such as `10 and then ` between two prices."""
    return bool(content) and _PROSE.search(_TEXTS.sub(" ", content)) is None


def masked(text: str) -> str:
    """The text with each formula as hashes, and the comma or full stop that ends it in its place."""
    return FORMULA.sub(_mask, text)


def on_one_line(text: str) -> str:
    """The text with no line break in a formula."""
    return FORMULA.sub(lambda match: match[0].replace("\n", " ") if is_formula(content_of(match)) else match[0], text)


def last_side(formula: str) -> str:
    """What a formula computes: `f(2) + 1 = 5` is 5; a named value keeps its name, an equation is itself."""
    bare = _BRACKETED.fullmatch(formula)
    sides = sides_of(bare[1] if bare else formula)
    first, last = sides[0], sides[-1]
    if len(sides) == 1 or (last == "0" and len(sides) == _PAIR and not _CALL.fullmatch(first)):
        return formula
    if _NAME.fullmatch(last) and not _has_letters(sides[-2]):
        return sides[-2]
    return f"{first} = {last}" if _NAME.fullmatch(first) else last


def is_relation(formula: str) -> bool:
    """Whether it is an equation or an inequality."""
    return RELATION.search(formula) is not None or INEQUALITY.search(formula) is not None


def is_quantity(formula: str) -> bool:
    """Whether an equation says what one thing is: a name, a function of a number, or a term of numbers."""
    first = sides_of(formula)[0]
    return (
        _NAME.fullmatch(first.strip("|")) is not None or _CALL.fullmatch(first) is not None or not _has_letters(first)
    )


def computes(formula: str) -> bool:
    """Whether an equation works out a number: `18 + 24 = 42`, `p = 2/4 = 1/2`."""
    *sides, last = sides_of(formula)
    worked = [side for side in sides if not _has_letters(side) and side != last and any(c.isdecimal() for c in side)]
    return is_quantity(formula) and bool(worked) and not _has_letters(last)


def sides_of(formula: str) -> list[str]:
    """The sides of the equations in a formula; an equals sign in braces is none."""
    sides, start, depth = [], 0, 0
    for sign in _SIGNS.finditer(formula):
        depth += _DEPTH.get(sign[0], 0)
        if depth == 0 and sign[0] not in _DEPTH:
            sides.append(formula[start : sign.start()].strip())
            start = sign.end()
    return [*sides, formula[start:].strip()]


def is_name(formula: str) -> bool:
    r"""Whether it only names something: `x`, `AB`, `f(x)`, `\angle ABC`; not `\pi`."""
    figure = _FIGURE.fullmatch(formula) is not None or (formula.isalpha() and formula.isupper())
    return figure or (_NAME.fullmatch(formula) is not None and formula not in _CONSTANTS)


def _has_letters(formula: str) -> bool:
    return _LETTERS.search(_COMMANDS.sub(" ", formula)) is not None


def _mask(formula: re.Match[str]) -> str:
    if not is_formula(content_of(formula)):
        return formula[0]
    inner = next(part for part in formula.groups() if part is not None).rstrip()
    mark = inner[-1] if inner[-1:] in {",", ";", "."} else "#"
    return "#" * (len(formula[0]) - 1) + mark
