"""From the text of an answer to tokens: one spelling for the many ways to write the same sign."""

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

MAX_TOKENS = 100_000  # more than any answer has; bounds the parser's work


class Unreadable(Exception):
    """An answer is not in the language that the exact layers read."""


class Token(NamedTuple):
    """A piece of an answer.

    Attributes:
        kind: `number`, `based` (`ff_16`), `letter`, `word`, `command` or `sign`.
        text: The number's digits, the letter, the word, the command without its backslash, or the sign.
        spaced: Whether white space stands before it.
    """

    kind: str
    text: str
    spaced: bool = False


_SIGNS = {
    "−": "-", "–": "-", "—": "-", "﹣": "-", "‐": "-", "‑": "-",
    "×": r"\times ", "✕": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "•": r"\cdot ", "÷": r"\div ",
    "√": r"\sqrt ", "∛": r"\sqrt[3] ", "∜": r"\sqrt[4] ",
    "∞": r"\infty ", "≤": r"\le ", "⩽": r"\le ", "≦": r"\le ", "≥": r"\ge ", "⩾": r"\ge ",
    "≧": r"\ge ",
    "≠": r"\ne ", "≈": r"\approx ", "±": r"\pm ", "∓": r"\mp ", "∈": r"\in ", "∪": r"\cup ", "∩": r"\cap ",
    "∅": r"\emptyset ", "∖": r"\setminus ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "°": r"^\circ ",
    "º": r"^\circ ", "′": "'", "’": "'",
    "⁄": "/", "∕": "/", "…": r"\ldots ", "⋯": r"\ldots ", "∠": r"\angle ", "△": "",
    "½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}",
    "，": ",", "、": ",", "；": ";", "：": ":", "。": ".", "（": "(", "）": ")", "【": "[", "】": "]",
    "€": r"\euro ", "£": r"\pound ",
    "¥": r"\yen ", "￥": r"\yen ", "℃": r"^\circ C", "℉": r"^\circ F",
    "∎": "", "■": "", "□": "", "✓": "", "✔": "", "∥": r"\parallel ", "⊥": r"\perp ", "≅": r"\cong ", "∼": r"\sim ",
    "≡": r"\equiv ", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "∣": "|", "″": "''", "”": "''",
    "〇": "0", "ℯ": "e", "‰": "/1000 ", "µ": r"\mu ", "\u00ad": "",
    "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "",
    "π": r"\pi ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\epsilon ",
    "θ": r"\theta ", "λ": r"\lambda ", "μ": r"\mu ", "ν": r"\nu ", "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ",
    "φ": r"\phi ", "ω": r"\omega ", "Δ": r"\Delta ", "Σ": r"\Sigma ", "Ω": r"\Omega ",
}  # fmt: skip
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_RAISED = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+")
_LOWERED = re.compile(f"[{''.join(_SUBSCRIPTS)}]+")
_RAISED_TAG, _LOWERED_TAG = (re.compile(rf"<{tag}>([^<>]*)</{tag}>") for tag in ("sup", "sub"))
_TAGS = re.compile(r"<(b|i|em|strong|u|span|p|div|code)>(.*?)</\1>", re.DOTALL)
_ENTITY = re.compile(r"&(?:lt|gt|le|ge|ne|amp|nbsp|times|pi|minus|deg);")
_CIRCLED = re.compile("[①-⑳]+")  # numbers of statements, which are listed without commas
_ROOTS = {"√": "", "∛": "[3]", "∜": "[4]"}
_UNICODE_ROOT = re.compile(r"([√∛∜])\s*(\d+(?:\.\d+)?|[a-z](?![a-z]))")  # the sign reaches over the whole number
_FULL_WIDTH_FIRST, _FULL_WIDTH_LAST, _FULL_WIDTH_OFFSET = 0xFF01, 0xFF5E, 0xFEE0
_SPOKEN = {  # functions and constants that are also written without a backslash
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh",
    "sinh", "cosh", "tanh", "log",
    "ln", "exp", "cis",
    "sqrt", "pi", "gcd", "lcm", "max", "min", "infty", "theta", "alpha", "beta", "lambda", "Re", "Im", "arg",
}  # fmt: skip
_SPOKEN_AS = {
    "inf": "infty",
    "infinity": "infty",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "arsinh": "arcsinh",
    "arcosh": "arccosh",
    "artanh": "arctanh",
    "asinh": "arcsinh",
}
_SHORT_WORDS = {
    "and", "or", "th", "st", "nd", "rd", "cm", "mm", "km", "kg", "mg", "mL", "ml", "ft", "in", "yd", "mi",
    "lb", "lbs",
    "oz", "hr", "hrs", "min", "sec", "mph", "kph", "am", "pm", "yes", "no", "odd", "day", "for", "is", "per", "all",
    "dm", "nm", "ms", "Hz", "kW", "kJ", "eV", "mol", "if", "the", "way", "deg", "sq", "cu", "men", "cup", "to",
    "If", "For", "Is", "In", "And", "Or", "The", "All", "Yes", "No",
    "mod", "DNE", "not", "Not", "of", "out",
}  # fmt: skip
_PRODUCTS = {"mg", "ms", "nm", "mm", "km", "dm", "kg", "mi"}  # of letters, where no number stands before them
_UNDER_RATES = {"s", "h", "m", "g", "L", "l", "K"}  # units of one letter by which others are divided
_RATE = re.compile(r"(?:[mgJNVL]|mol)\s*/\s*(?:s|h|hr|min|m|cm|g|kg|mol|L|mL|K)(?![A-Za-z])")
_LONG_WORD = 4  # letters; a longer run is a word, a shorter unknown one a product of variables
_TEXT_COMMANDS = {
    "text",
    "mbox",
    "textrm",
    "textnormal",
    "textbf",
    "textit",
    "textsf",
    "hbox",
    "emph",
    "texttt",
    "textsc",
}
_FONT_COMMANDS = {
    "mathrm", "mathbf", "mathit", "mathsf", "operatorname", "boldsymbol", "bold", "bm", "mathcal", "mathbb",
    "rm", "bf",
    "mathnormal", "mathop", "mathtt", "mathbin", "textup", "cal", "mathfrak",
}  # fmt: skip
_SAME_COMMAND = {
    "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "nicefrac": "frac", "sfrac": "frac",
    "flatfrac": "frac", "dbinom": "binom", "tbinom": "binom", "leq": "le", "lt": "<",
    "leqslant": "le", "geq": "ge", "geqslant": "ge", "neq": "ne", "gt": ">", "lbrace": "{", "rbrace": "}", "mid": "|",
    "lbrack": "[", "rbrack": "]", "lvert": "|", "rvert": "|", "vert": "|", "dots": "ldots", "cdots": "ldots",
    "times": "*", "cdot": "*", "ast": "*", "div": "/", "degree": "circ", "deg": "circ", "varnothing": "emptyset",
    "colon": ":", "backslash": "setminus", "smallsetminus": "setminus", "lparen": "(", "rparen": ")", "bmod": "mod",
    "epsilon": "varepsilon", "tg": "tan", "ctg": "cot", "cosec": "csc", "exponentialE": "e", "phi": "varphi",
    "imath": "i", "jmath": "j", "R": "mathbb R", "Z": "mathbb Z", "N": "mathbb N", "Q": "mathbb Q",
    "C": "mathbb C", "rightarrow": "to",
    "cr": "\\", "land": "and", "lor": "or", "wedge": "and", "vee": "or", "thickapprox": "approx", "simeq": "approx",
}  # fmt: skip
_DROPPED = {
    "left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr",
    "Large", "LARGE", "Huge", "HUGE", "normalsize", "footnotesize", "scriptsize", "therefore", "smash", "mathord",
    "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "quad", "qquad", "enspace",
    "thinspace", "hfill",
    "triangle", "space", "boxed", "fbox", ",", ";", ":", "!", " ", "middle", "underline", "uline",
    "bigstar", "nonumber", "\n",
    "/", "ensuremath", "mathstrut", "strut", "protect", "relax", "noindent", "large", "small", "tiny", "huge",
}  # fmt: skip
_WITH_ARGUMENT = {  # what it says is not part of the answer, nor is its first argument
    "color", "textcolor", "colorbox", "fcolorbox", "phantom", "hphantom", "vphantom", "hspace", "vspace",
    "tag", "label", "hskip",
}  # fmt: skip
_BRACED = {"underbrace", "overbrace"}  # what stands below or above them is a remark
_COLOUR_MODEL = re.compile(r"\s*\[[^\]]*\]")
_CONJUNCTIONS = {
    "和": "and",
    "与": "and",
    "及": "and",
    "且": "and",
    "并且": "and",
    "以及": "and",
    "或": "or",
    "或者": "or",
}
_SPOKEN_RELATIONS = {"大于": ">", "小于": "<", "大于等于": "ge", "小于等于": "le", "不等于": "ne", "属于": "in"}
_SPOKEN_OPERATORS = {
    "plus": "+", "minus": "-", "times": "*", "of": "*", "over": "/", "mod": "mod", "modulo": "mod",
}  # fmt: skip
_CHINESE_NAME = re.compile(
    "(?!答案|结果)(?!.*(?:一半|倍|倒数|平方))((?:不等式|[^不非未没错若]){2,})(?:等于|[为是])"
)  # 最大值为
_CHINESE_SCALE = re.compile("([百千]?[万亿])(.+)")  # 万元
_STATES = re.compile(r"[^,;]*?(?:[=<>]|\\(?:le|ge|ne|in)\b)")  # up to the next value of a list
_CURRENCIES = {"$": "dollar", "dollar": "dollar", "euro": "euro", "pound": "pound", "pounds": "pound", "yen": "yen"}
_CURRENCY_CODES = {"USD", "EUR", "CNY", "RMB"}
_ENVIRONMENTS = {"matrix", "pmatrix", "bmatrix", "vmatrix"}
_PREFIXES = _TEXT_COMMANDS | _SPOKEN | {"begin", "end", "quad", "qquad"}
_KNOWN = _SPOKEN | set(_SAME_COMMAND) | {"begin", "end", "frac", "cap", "cup", "setminus", "pm", "mp", "in", "circ"}
_SIGN_COMMANDS = set("{}[]|<>*/():,=+-")
_PIECE = re.compile(
    r"(?P<space>[\s~]+)|\\(?P<command>[A-Za-z]+\*?|.)|(?P<number>\d+\.\d+[eE]-\d{1,4}|\d+(?:\.\d+)?(?:[eE]\+?\d{1,4})?|\.\d+)|(?P<letters>[A-Za-z]+)|(?P<sign>.)",
    re.DOTALL,
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:\{,\}|,\\!\s*|\\[,; ]|~| )\d{3})+(?!\d)")
_DECIMAL_COMMA = re.compile(r"\d+\{,\}\d+")
_SMALL_DECIMAL = re.compile(r"0,0\d+(?![\d,/])")  # no list has a member written 05
_EUROPEAN = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3})+,\d{1,2}|(?:\.\d{3}){2,}|(?: \d{3})+,\d{1,2})(?![\d.,]*\d)")
_IN_BASE = re.compile(r"0([bB])([01]+)(?![\w.])|0([oO])([0-7]+)(?![\w.])|0([xX])([0-9a-fA-F]+)(?![\w.])")
_WITH_LETTERS = re.compile(r"(?=\d*[A-F])([0-9A-F]{2,})_(?:\{(1[1-6])\}|(1[1-6])(?!\d))")
_SMALL_UNIT = r"\s*(m|s|g|L|l|A|V|F|C|N|J|W|mol)\s*"
_MICRO = re.compile(rf"\\mu\s*\\(?:text|mathrm)\{{{_SMALL_UNIT}\}}|\\(?:text|mathrm)\{{\s*\\mu{_SMALL_UNIT}\}}")
_MICRO_SIGN = re.compile(rf"(?<=[\d \}}])[μµ]{_SMALL_UNIT}(?![A-Za-z])")
_CLOCK = re.compile(r"(上午|早上|凌晨|中午|下午|晚上|傍晚)?(\d{1,2})点(?:(\d{1,2})分|(半)|整)?(?![\d.])")
_DIGITS_IN_TEXT = re.compile(r"\\(?:text|mathrm)\{([0-9A-F]+)\}(?=_)")
_BASES = {"b": "2", "o": "8", "x": "16"}
_GROUPED_DECIMALS = re.compile(r"\d+\.\d{3}(?:(?:\\,|\{,\}| )\d{3})*(?:\\,|\{,\}| )\d{1,3}(?!\d)")
_DECIMALS = re.compile(r"\.\d+")
_SMALL_NUMERAL = re.compile(r"\d+[eE]-\d{1,4}(?![\d.])")
_HALF_OF_DAY = re.compile(r"([AaPp])(?:\.\s?[Mm]\.?|[Mm])(?![A-Za-z])")
_BLANK_LINE = re.compile(r"\s*\n\s*\n\s*")
_COMMA_THOUSANDS = re.compile(r"(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})+,\d{3})(?!\d|,\d)")
_GOES_ON = frozenset(" ~,.\\{eEbBoOxX")  # what may stand after the first digits of a number that is written otherwise
_DIGITS_ONLY = re.compile(r"\D+")
_SINGLE = re.compile(r"\s+([A-Za-z])(?![A-Za-z])")  # `\mathbb Z`
_GROUP = re.compile(r"\s*\{")
_RADICAND = re.compile(r"\s*(\d+(?:\.\d+)?)")
_SPELLED = (("US\\$", "\\$"), ("US$", "$"), ("{:}", ":"), ("{.}", "."), ("^{\\prime}", "'"), ("^\\prime", "'"))
_SYSTEM = re.compile(  # equations behind one brace
    r"\\left\s*\\(?:\{|lbrace)\s*\\begin\{(?:array|aligned|matrix|gathered|split)\}(?:\{[lcr| ]*\})?(.*?)"
    r"\\end\{\w+\}\s*\\right\s*\.",
    re.DOTALL,
)
_ANGLE = re.compile(r"[\s{]*-?[\d.]")
_CORNERS = re.compile(r"\s*([A-Z])([A-Z])([A-Z])(?![A-Z])")
_MATH_SPACE = re.compile(r"\\[,;: !]|\\cdot(?![a-z])")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]+")
_NUMBER_OF_WORDS = {
    "percent": "%",
    "percentage": "%",
    "percents": "%",
    "pct": "%",
    "degrees": "°",
    "degree": "°",
    "deg": "°",
    "度": "°",
}


def ascii_spelling(text: str) -> str:
    """The text with typographic and non-Latin signs written as LaTeX, and every digit as an ASCII digit."""
    if "<" in text or "&" in text:
        text = _without_html(text)
    if text.isascii():
        return text
    text = _CIRCLED.sub(lambda run: ",".join(str(int(unicodedata.numeric(sign))) for sign in run[0]), text)
    text = _UNICODE_ROOT.sub(lambda root: f"\\sqrt{_ROOTS[root[1]]}{{{root[2]}}}", text)
    text = _MICRO_SIGN.sub(r"\\text{ u\1}", text)
    text = _CLOCK.sub(_clock, text) if "点" in text else text
    text = _RAISED.sub(lambda run: "^{" + "".join(map(_SUPERSCRIPTS.__getitem__, run[0])) + "}", text)
    text = _LOWERED.sub(lambda run: "_{" + "".join(map(_SUBSCRIPTS.__getitem__, run[0])) + "}", text)
    return "".join(map(_ascii_sign, text))


def _clock(match: re.Match[str]) -> str:
    """`下午3点半` as `3:30 pm`."""
    half = {None: "", "下午": " pm", "晚上": " pm", "傍晚": " pm", "中午": " pm"}.get(match[1], " am")
    return f"{match[2]}:{match[3] or ('30' if match[4] else '00')}{half}"


def _without_html(text: str) -> str:
    """The text without the tags and entities of HTML; a power stays a power."""
    text = _RAISED_TAG.sub(r"^{\1}", text)
    text = _LOWERED_TAG.sub(r"_{\1}", text)
    text = _TAGS.sub(r"\2", text)
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _ascii_sign(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign in _SIGNS:
        return _SIGNS[sign]
    if _FULL_WIDTH_FIRST <= ord(sign) <= _FULL_WIDTH_LAST:
        return chr(ord(sign) - _FULL_WIDTH_OFFSET)
    digit = unicodedata.decimal(sign, None)
    if digit is not None:
        return str(digit)
    if unicodedata.decomposition(sign).startswith("<fraction>"):  # ⅝
        over, _, under = unicodedata.normalize("NFKC", sign).partition("⁄")
        return f"\\frac{{{over}}}{{{under}}}"
    return " " if sign.isspace() else sign


def tokens(text: str, *, numerals: bool = False) -> list[Token]:
    """The tokens of an answer; spacing, sizes and colours are gone.

    Args:
        text: The answer.
        numerals: Whether `2e-3` is a numeral; otherwise it is a difference.

    Raises:
        Unreadable: It holds a sign that no answer is written with, or too much of everything.
    """
    found = list(_Lexer(_unwrapped(ascii_spelling(text)), numerals=numerals).tokens())
    if len(found) > MAX_TOKENS:
        raise Unreadable("too long")
    return _with_operators(found) if any(token.kind == "word" for token in found) else found


def _with_operators(found: list[Token]) -> list[Token]:
    """The tokens with the words between two numbers that tell how to compute as signs: `5 plus 3`, `3/4 of 12`."""
    names_residue = any(token.text == "equiv" for token in found)
    kept = found[:1]
    for token, after in zip(found[1:], [*found[2:], None], strict=False):
        sign = _operator(kept, token.text) if token.kind == "word" and after and after.kind == "number" else ""
        sign = "pmod" if sign == "mod" and names_residue else sign
        kept.append(Token("sign" if sign in set("+-*/") else "command", sign) if sign else token)
    return kept


def _operator(before: list[Token], word: str) -> str:
    """The operation that a word after these tokens names, empty where it names none."""
    is_part = before[-1].text in {"}", "%"} or (len(before) > 1 and before[-2].text in {"/", "frac"})
    is_value = before[-1].kind == "number" or before[-1].text in {")", "}", "%"}
    return _SPOKEN_OPERATORS.get(word, "") if is_value and (word != "of" or is_part) else ""


def _unwrapped(text: str) -> str:
    r"""The text with `\mu\mathrm{m}` as the unit `um`, the digits of `\text{FF}_{16}` bare, systems as cases."""
    for written, plain in _SPELLED:
        text = text.replace(written, plain)
    text = _SYSTEM.sub(r"\\begin{cases}\1\\end{cases}", text) if "\\left" in text else text
    text = _MICRO.sub(r"\\text{ u\1\2}", text) if "\\mu" in text else text
    return _DIGITS_IN_TEXT.sub(r"\1", text) if "}_" in text else text


class _Lexer:
    """One pass over an answer; knows where it stands, how deep in brackets, and what came before."""

    def __init__(self, text: str, *, prose: bool = False, depth: int = 0, numerals: bool = False) -> None:
        self._text = text
        self._numerals = numerals
        self._prose = prose
        self._depth = depth
        self._is_based = "_1" in text or "_{1" in text
        self._after_number = False
        self._after_word = False
        self._in_unit = False
        self._spaced = False
        self._at = 0

    def tokens(self) -> Iterator[Token]:
        while self._at < len(self._text):
            piece = _PIECE.match(self._text, self._at)
            assert piece is not None
            kind = piece.lastgroup
            if kind == "space":
                self._at, self._spaced = piece.end(), True
                if self._depth == 0 and _BLANK_LINE.fullmatch(piece[0]):
                    yield Token("sign", ",", spaced=True)
                continue
            if self._is_based and kind in {"number", "letters"} and (numeral := self._with_letters()):
                yield numeral
                continue
            for token in getattr(self, f"_{kind}")(piece):
                self._after_number = token.kind == "number" or token.text in ")}°"
                self._after_word = token.kind == "word"
                self._in_unit = token.kind == "word" or (self._in_unit and token.text in "/*^{}-")
                yield token
                self._spaced = False

    def _with_letters(self) -> Token | None:
        """`2AF_{16}`, whose digits are below its base; None for anything else."""
        numeral = _WITH_LETTERS.match(self._text, self._at)
        base = int(numeral[2] or numeral[3]) if numeral else 0
        if numeral is None or int(max(numeral[1]), 16) >= base:
            return None
        self._at = numeral.end()
        return Token("based", f"{numeral[1]}_{base}", self._spaced)

    def _number(self, piece: re.Match[str]) -> Iterator[Token]:
        if piece[0].isdigit() and self._text[piece.end() : piece.end() + 1] not in _GOES_ON:  # as most numbers
            self._at = piece.end()
            yield Token("number", piece[0], self._spaced)
            return
        in_base = _IN_BASE.match(self._text, self._at)
        if in_base:
            self._at = in_base.end()
            prefix, digits = filter(None, in_base.groups())
            yield Token("based", f"{digits}_{_BASES[prefix.lower()]}", self._spaced)
            return
        yield self._grouped_number() or self._plain_number(piece)

    def _grouped_number(self) -> Token | None:
        """A numeral with groups of thousands, with a decimal point or as in `1.234,56`; None for any other."""
        european = _EUROPEAN.match(self._text, self._at) if self._depth == 0 else None
        if european:
            self._at = european.end()
            whole, _, part = european[0].partition(",")
            return Token("number", _DIGITS_ONLY.sub("", whole) + (f".{part}" if part else ""), self._spaced)
        is_raised = self._text[self._at - 1 : self._at] in {"^", "_"}  # of `\\int_0^1 817` the end is 1
        grouped = (None if is_raised else _THOUSANDS.match(self._text, self._at)) or (
            _COMMA_THOUSANDS.match(self._text, self._at) if self._depth == 0 else None
        )
        if grouped is None:
            return None
        decimals = _DECIMALS.match(self._text, grouped.end())
        self._at = decimals.end() if decimals else grouped.end()
        return Token("number", _DIGITS_ONLY.sub("", grouped[0]) + (decimals[0] if decimals else ""), self._spaced)

    def _plain_number(self, piece: re.Match[str]) -> Token:
        """A numeral without groups of thousands: `0{,}5`, `1e-3`, `12`."""
        groups = _GROUPED_DECIMALS.match(self._text, self._at)
        if groups:
            self._at = groups.end()
            return Token("number", re.sub(r"[^\d.]", "", groups[0]), self._spaced)
        with_comma = _DECIMAL_COMMA.match(self._text, self._at) or (
            _SMALL_DECIMAL.match(self._text, self._at) if self._depth == 0 else None
        )
        if with_comma:
            self._at = with_comma.end()
            return Token("number", with_comma[0].replace("{,}", ".").replace(",", "."), self._spaced)
        small = _SMALL_NUMERAL.match(self._text, self._at)
        if small and (self._numerals or piece[0] == "1"):
            self._at = small.end()
            return Token("number", small[0], self._spaced)
        self._at = piece.end()
        return Token("number", piece[0], self._spaced)

    def _letters(self, piece: re.Match[str]) -> Iterator[Token]:
        half = _HALF_OF_DAY.match(self._text, self._at) if self._after_number else None
        if half:
            self._at = half.end()
            yield Token("word", f"{half[1].lower()}m", self._spaced)
            return
        self._at = piece.end()
        yield from self._run(piece[0])

    def _run(self, run: str) -> Iterator[Token]:
        spoken = _SPOKEN_AS.get(run.lower(), run)
        if spoken in _SPOKEN and not ((self._prose or self._after_number) and spoken in {"min", "max", "sec"}):
            yield Token("command", spoken, self._spaced)
            yield from self._whole_radicand() if spoken == "sqrt" else ()
        elif run in _CURRENCY_CODES:
            yield Token("currency", run, self._spaced)
        elif run.lower() in _NUMBER_OF_WORDS:
            yield Token("sign", _NUMBER_OF_WORDS[run.lower()], self._spaced)
        elif (
            self._prose
            or len(run) >= _LONG_WORD
            or (run in _SHORT_WORDS and self._stands_alone(run))
            or (self._after_word and len(run) > 1)
            or self._is_in_rate(run)
        ):
            yield Token("word", run, self._spaced)
        else:
            for letter in run:
                yield Token("letter", letter, self._spaced)
                self._spaced = False

    def _whole_radicand(self) -> Iterator[Token]:
        """`sqrt51` without a backslash reaches over the whole number."""
        if number := _RADICAND.match(self._text, self._at):
            self._at = number.end()
            yield from (Token("sign", "{"), Token("number", number[1]), Token("sign", "}"))

    def _is_in_rate(self, run: str) -> bool:
        """Whether letters are a part of `10 m/s` or `36 km/h`."""
        start = self._at - len(run)
        if self._in_unit and self._text[:start].rstrip()[-1:] == "/":
            return run in _UNDER_RATES
        return self._after_number and self._spaced and _RATE.match(self._text, start) is not None

    def _stands_alone(self, run: str) -> bool:
        if run == "mod" and self._text[self._at - len(run) - 1 : self._at - len(run)] == "(":
            return True
        return self._after_number or (run not in _PRODUCTS and (self._spaced or self._at == len(run)))

    def _sign(self, piece: re.Match[str]) -> Iterator[Token]:
        sign = piece[0]
        cjk = None if sign.isascii() else _CJK.match(self._text, self._at)
        self._at = cjk.end() if cjk else piece.end()
        if cjk:
            yield from self._chinese(cjk[0])
        elif sign == "." and self._text.startswith("..", self._at):
            self._at += 2
            yield Token("command", "ldots", self._spaced)
        elif sign == "*" and self._text.startswith("*", self._at):
            self._at += 1
            yield Token("sign", "^", self._spaced)
        elif sign == "$" and self._text.count("$") == 1:
            yield Token("currency", "dollar", self._spaced)
        elif sign in "$&" and not (sign == "&" and self._depth >= 0):
            return
        elif sign.isascii() and sign.isprintable():
            self._depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0)
            yield Token("sign", sign, self._spaced)
        else:
            raise Unreadable(f"the sign {sign!r}")

    def _chinese(self, run: str) -> Iterator[Token]:
        """What a run of Chinese says: a relation, a sign, a conjunction, a number's scale, a name, or a word."""
        if run in _SPOKEN_RELATIONS:
            yield Token("command", _SPOKEN_RELATIONS[run], self._spaced)
        elif run in _NUMBER_OF_WORDS:
            yield Token("sign", _NUMBER_OF_WORDS[run], self._spaced)
        elif self._after_number and (scaled := _CHINESE_SCALE.fullmatch(run)):
            yield from (Token("word", part) for part in (*scaled[1], scaled[2]))
        elif named := _CHINESE_NAME.fullmatch(run):
            yield from self._chinese_name(named[1])
        else:
            yield Token("word", _CONJUNCTIONS.get(run, run), self._spaced)

    def _chinese_name(self, name: str) -> Iterator[Token]:
        """面积为 names 12; before `x = 5` it only tells that this is the solution, and after x it is an equals sign."""
        if _STATES.match(self._text, self._at):
            return
        if not name.startswith("的"):
            yield Token("word", name, self._spaced)
        yield Token("sign", "=", self._spaced)

    def _command(self, piece: re.Match[str]) -> Iterator[Token]:
        name = piece["command"].rstrip("*")
        self._at = piece.end()
        if name in _TEXT_COMMANDS or name in _FONT_COMMANDS:
            yield from self._wrapped(name)
        elif name in {"left", "right"} and self._text.startswith(".", self._at):
            self._at += 1
        elif name == "angle":
            yield from self._angle()
        elif name in _WITH_ARGUMENT:
            self._skip_arguments(2 if name == "fcolorbox" else 1)
        elif name in _BRACED:
            yield from self._without_brace()
        elif name in _CURRENCIES:
            yield Token("currency", _CURRENCIES[name], self._spaced)
        elif name in _DROPPED:
            self._spaced = self._spaced or name in {",", ";", ":", " ", "quad", "qquad", "space"}
        elif name in {"{", "}", "%", "\\", "#", "|", "_", "&"}:
            self._depth += {"{": 1, "}": -1}.get(name, 0)
            yield Token("sign", "%", self._spaced) if name == "%" else Token("command", name, self._spaced)
        elif name in _KNOWN or not name.isalpha():
            yield self._named(_SAME_COMMAND.get(name, name))
        else:
            yield from self._run_together(name)

    def _angle(self) -> Iterator[Token]:
        r"""`\angle ABC` as one name, which is that of `\angle CBA`; `5\angle 30^\circ` is a complex number."""
        if self._after_number and _ANGLE.match(self._text, self._at):
            yield from (Token("sign", "*"), Token("command", "cis"))
        elif corners := _CORNERS.match(self._text, self._at):
            self._at = corners.end()
            first, last = sorted((corners[1], corners[3]))
            yield Token("letter", first + corners[2] + last, self._spaced)

    def _skip_arguments(self, count: int) -> None:
        model = _COLOUR_MODEL.match(self._text, self._at)
        self._at = model.end() if model else self._at
        for _ in range(count):
            opens = _GROUP.match(self._text, self._at)
            if opens:
                self._group_content(opens.end())

    def _without_brace(self) -> Iterator[Token]:
        opens = _GROUP.match(self._text, self._at)
        if opens is None:
            return
        yield from _Lexer(self._group_content(opens.end()), depth=self._depth).tokens()
        if self._text.startswith(("_", "^"), self._at):
            self._at += 1
            self._skip_arguments(1)

    def _run_together(self, name: str) -> Iterator[Token]:
        r"""The parts of a command that lost its space or braces: `\cotx`, `\mboxcm`, `\beginpmatrix`."""
        known = max((part for part in _PREFIXES if name.startswith(part)), key=len, default="")
        rest = name.removeprefix(known)
        if known in {"begin", "end"} and rest in _ENVIRONMENTS:
            yield Token("command", known, self._spaced)
            yield from (Token("sign", "{"), *(Token("letter", letter) for letter in rest), Token("sign", "}"))
        elif known in _TEXT_COMMANDS:
            yield Token("word", rest, self._spaced)
        elif known in {"quad", "qquad"}:
            yield from self._run(rest)
        elif known in _SPOKEN and len(rest) == 1:
            yield Token("command", known, self._spaced)
            yield Token("letter", rest)
        else:
            yield Token("command", name, self._spaced)

    def _named(self, name: str) -> Token:
        if name in _SIGN_COMMANDS and name not in "{}":
            return Token("sign", name, self._spaced)
        if name in {"and", "or"}:
            return Token("word", name, self._spaced)
        return Token("command", name, self._spaced)

    def _wrapped(self, name: str) -> Iterator[Token]:
        r"""The tokens inside `\text{…}` and its like."""
        opens = _GROUP.match(self._text, self._at)
        single = _SINGLE.match(self._text, self._at) if name in _FONT_COMMANDS else None
        if opens is None and single is None:
            return
        if single is not None:
            self._at = single.end()
        content = self._group_content(opens.end()) if opens else single[1] if single else ""
        if name in _FONT_COMMANDS:
            yield from self._in_font(name, content)
            return
        prose = len(content.strip(" ()")) > 1 or self._after_number or self._in_unit
        inner = _Lexer(content, prose=prose, depth=self._depth)
        inner._after_number, inner._spaced = self._after_number, self._spaced
        yield from inner.tokens()

    def _in_font(self, name: str, content: str) -> Iterator[Token]:
        if name == "mathbb":
            yield Token("command", f"mathbb {content.strip()}", self._spaced)
        elif len(content.strip()) == 1 and content.strip().isalpha():
            unit = (self._after_number or self._in_unit) and name == "mathrm" and content.strip() not in "eidxyznk"
            yield Token("word" if unit else "letter", content.strip(), self._spaced)
        else:
            bare = _MATH_SPACE.sub(" ", content)
            words = name in {"mathrm", "operatorname", "textup"} and not any(
                sign in bare for sign in ("\\_" if self._after_number else "\\_^")
            )
            inner = _Lexer(content, prose=words, depth=self._depth)
            inner._after_number, inner._spaced = self._after_number, self._spaced
            yield from inner.tokens()

    def _group_content(self, start: int) -> str:
        depth = 1
        for brace in _BRACES.finditer(self._text, start):
            depth += {"{": 1, "}": -1}.get(brace[0], 0)
            if depth == 0:
                self._at = brace.end()
                return self._text[start : brace.start()]
        raise Unreadable("a brace that never closes")
