"""Answers in words: numbers, dates, and phrases without the words that change nothing."""

import re
from fractions import Fraction

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL = {word: at for at, word in enumerate(_UNITS)} | {word: 10 * at for at, word in enumerate(_TENS, 2)}
SCALES = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
    "百": 10**2, "千": 10**3, "万": 10**4, "亿": 10**8,
}  # fmt: skip
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "twelfth": 12, "hundredth": 100,
    "thousandth": 1_000, "millionth": 1_000_000,
}  # fmt: skip
PLURAL_PARTS = {f"{part}s": size for part, size in _PARTS.items() if part not in {"half", "halves", "quarter"}} | {
    "halves": 2
}
_NEGATIVE = {"negative", "minus"}
_DIGITS = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_TIMES = {"十": 10, "百": 100, "千": 1_000}
_NUMERALS = f"[{''.join(_DIGITS)}{''.join(_TIMES)}万]+"
_NUMERAL = re.compile(f"的?{_NUMERALS}")
_CHINESE = re.compile(
    f"第?(?:(?P<under>{_NUMERALS})分之)?(?P<over>负?{_NUMERALS})(?:点(?P<decimals>[{''.join(_DIGITS)}]+))?[个名位次项种只条件]?"
)
_WORD_BREAK = re.compile(r"[\s\-]+")

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?P<rest>[a-z]*)\.?"
_DAY = r"(?P<day>\d{1,2})(?:\^?\{?(?:st|nd|rd|th)\}?)?"
_YEAR = r"(?:\s*,?\s*(?P<year>\d{4}))?"
_WEEKDAY = re.compile(r"(?:on )?(?P<weekday>mon|tue|wed|thu|fri|sat|sun)(?P<rest>[a-z]*)\.?")
_DATES = (
    re.compile(rf"(?:on )?{_MONTH}\s*{_DAY}{_YEAR}"),
    re.compile(rf"(?:on )?(?:the )?{_DAY}\s*(?:of )?{_MONTH}{_YEAR}"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"),
    re.compile(r"(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]"),
)
_MONTH_OF_YEAR = re.compile(rf"{_MONTH},?\s*(?P<year>\d{{4}})")
_ONLY_MONTH = re.compile(_MONTH)
_CHINESE_DAY = re.compile(r"(?:星期|周|礼拜)(?P<day>[一二三四五六日天])")
_LONGEST_DATE = 40  # characters

_EMPTY_WORDS = {
    "a", "an", "the", "on", "in", "at", "it", "its", "is", "of", "with", "are", "be", "to", "there", "s",
    "this", "that",
    "they", "exists", "exist", "due", "all", "set",
}  # fmt: skip
_SAME_PHRASE = {
    "是的": "是", "不是": "否", "对的": "对", "不对": "错", "错误": "错", "正确": "对", "无解": "no solution",
    "none": "no solution", "empty": "no solution",
    "no answer": "no solution",
    "无实数解": "no real solution", "不存在": "does not exist", "dne": "does not exist", "偶数": "even", "奇数": "odd",
    "yes": "是", "no": "否", "undefined": "does not exist", "doe not": "does not exist", "does not": "does not exist",
}  # fmt: skip
DOMAINS = {  # words that only say which numbers a letter stands for
    "integer", "all", "any", "every", "real", "number", "natural", "positive", "each", "constant", "arbitrary", "whole",
    "be", "is", "are", "a", "an", "some", "and", "of", ",", "value",
}  # fmt: skip
_KINDS = {  # nouns that only name what sort of thing an adjective belongs to
    "card", "ball", "marble", "door", "box", "team", "player", "option", "choice", "color", "colour",
    "number", "function",
    "triangle", "shape", "day", "side", "quadrilateral", "person", "student", "bag", "block", "chip",
    "solution", "answer",
    "statement", "figure", "plane", "line", "graph", "value", "case",
}  # fmt: skip
NUMBERED = _KINDS | {  # things that are told apart by a number: `Player 1`
    "quadrant", "column", "row", "question", "problem", "step", "group", "machine", "year", "urn", "room", "week",
    "month", "round", "city", "car", "train", "stage", "type",
}  # fmt: skip
_IRREGULAR = {
    "grey": "gray", "colour": "color", "centre": "center", "metre": "meter", "first": "1st", "second": "2nd",
    "third": "3rd", "fourth": "4th", "fifth": "5th",
    "people": "person", "children": "child", "men": "man", "women": "woman", "vertices": "vertex", "dice": "die",
    "rad": "radian", "弧度": "radian", "matrices": "matrix", "indices": "index", "parabolae": "parabola",
}  # fmt: skip
_TWO = 2  # words of a phrase whose order does not count
_MIN_STEM = 3  # letters of a word whose plural is not told apart
_SPOKEN_SIGNS = {"percent": "%", "degree": "°", "degrees": "°"}
_VERDICT = re.compile(r"(yes|no|true|false),[ a-z]+[.!]?", re.IGNORECASE)
_SUBJECT = re.compile(
    r"^(?:the|it|this|that|they|these|he|she|there)\b.*\b(?:is|are|was)\b ?(?!the answer)", re.IGNORECASE
)
_PHRASE = re.compile(r"[A-Za-z]+(?:[ '’\-]+[A-Za-z]+)*[.!]?")
_LONG_WORD = 4  # letters; shorter words may be products of variables
_SHORT_WORDS = {
    "yes",
    "no",
    "odd",
    "red",
    "one",
    "two",
    "six",
    "ten",
    "dne",
    "the",
    "not",
    "all",
    "day",
    "cat",
    "dog",
    "boy",
}
_NO_PHRASE = {  # words that have a meaning of their own to the grammar
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log",
    "ln", "exp",
    "sqrt", "pi", "gcd", "lcm", "max", "min", "infty", "inf", "infinity", "theta", "alpha", "beta", "lambda", "cis",
    "and", "or", "is", "are", "for", "where", "with", "such", "given", "assuming", "if", "when", "equals", "percent",
    "degrees", "about", "approximately", "roughly", "since", "because", "mod", "base",
}  # fmt: skip


def phrase_of(text: str) -> str:
    """A phrase in lower case, empty for what may be anything else than words."""
    if verdict := _VERDICT.fullmatch(text):
        return verdict[1].lower()
    if not _PHRASE.fullmatch(text):
        return ""
    text = _SUBJECT.sub("", text)
    words = re.findall(r"[a-z]+", text.lower())
    if words and (words[0] in _SMALL or words[0] in _NEGATIVE):
        return " ".join(words)
    if not words or set(words) & _NO_PHRASE:
        return ""
    says_something = any(len(word) >= _LONG_WORD or word in _SHORT_WORDS for word in words)
    return " ".join(words) if says_something else ""


def quantity_of(phrase: str) -> tuple[Fraction, str] | None:
    """A number in words with what is counted, None where a phrase does not begin with a number."""
    words = phrase.split()
    for count in range(len(words), 0, -1):
        number = number_of(" ".join(words[:count]))
        if number is not None:
            rest = " ".join(words[count:])
            return number, _SPOKEN_SIGNS.get(rest, rest)
    return None


def same_phrase(one: str, other: str) -> bool:
    """Whether two phrases say the same: one may add the kind of thing that the other's adjective belongs to."""
    shorter, longer = sorted((plain(one), plain(other)), key=len)
    words = [sorted(phrase.split()) for phrase in (shorter, longer)]
    if shorter.replace(" ", "") == longer.replace(" ", "") or (words[0] == words[1] and len(words[0]) == _TWO):
        return True  # `nonnegative` and `non-negative`, `triangle, isosceles`
    return shorter == longer or any(longer == f"{shorter} {kind}" for kind in _KINDS)


def number_of(words: str) -> Fraction | None:
    """The number that words say: `twenty-five`, `negative seven`, `two thirds`, 十二; None for other words."""
    if chinese := _CHINESE.fullmatch(words):
        under = _chinese_number(chinese["under"]) if chinese["under"] else Fraction(1)
        return _chinese_number(chinese["over"], chinese["decimals"] or "") / under if under else None
    whole, joint, rest = words.lower().partition(" and ")
    if joint and rest.split()[-1:] and rest.split()[-1].removesuffix("s") in {"half", "third", "quarter"}:
        numbers = (number_of(whole), number_of(rest))
        return None if None in numbers else numbers[0] + numbers[1]  # type: ignore[operator]
    parts = [part for part in _WORD_BREAK.split(words.lower()) if part and part != "and"]
    sign = -1 if parts and parts[0] in _NEGATIVE else 1
    parts = parts[sign < 0 :]
    part = _PARTS.get(parts[-1].removesuffix("s"), _PARTS.get(parts[-1])) if parts else None
    over = parts[:-1] if part else parts
    if part and over in ([], ["a"], ["one"]):
        return Fraction(sign, part)
    count = _whole_number(over)
    return None if count is None else Fraction(sign * count, part or 1)


def is_numeral(word: str) -> bool:
    """Whether a single word is a number: `seven`, 七, 的七."""
    return word in _SMALL or _NUMERAL.fullmatch(word) is not None


def _whole_number(parts: list[str]) -> int | None:
    if not parts or any(part not in _SMALL and part not in SCALES for part in parts) or parts[0] in SCALES:
        return None
    total = group = 0
    for part in parts:
        if part in _SMALL:
            group += _SMALL[part]
        elif part in {"hundred", "dozen"}:
            group *= SCALES[part]
        else:
            total, group = total + group * SCALES[part], 0
    return total + group


def _chinese_number(text: str, decimals: str = "") -> Fraction:
    sign = -1 if text.startswith("负") else 1
    total = section = digit = 0
    for character in text.removeprefix("负"):
        if character in _DIGITS:
            digit = digit * 10 + _DIGITS[character]
        elif character in _TIMES:
            section, digit = section + (digit or 1) * _TIMES[character], 0
        else:
            total, section, digit = (total + section + digit) * 10_000, 0, 0
    part = Fraction(int("0" + "".join(str(_DIGITS[character]) for character in decimals)), 10 ** len(decimals))
    return sign * (total + section + digit + part)


def date_of(text: str) -> str:
    """A date, weekday or month in one spelling, empty for anything else."""
    if len(text) > _LONGEST_DATE or not (text[:1].isalnum()):
        return ""
    text = text.lower().strip(" .")
    for pattern in _DATES:
        if (match := pattern.fullmatch(text)) and (month := _month_of(match)):
            return f"date {month}/{int(match['day'])}" + (f"/{match['year']}" if match["year"] else "")
    if (match := _MONTH_OF_YEAR.fullmatch(text)) and (month := _month_of(match)):
        return f"date {month}/{match['year']}"
    for pattern, names in ((_WEEKDAY, _DAYS), (_ONLY_MONTH, _MONTHS)):
        match = pattern.fullmatch(text)
        if match and (name := _full_name(match[match.lastindex - 1] + match["rest"], names)):  # type: ignore[operator]
            return name
    chinese = _CHINESE_DAY.fullmatch(text)
    return _DAYS["一二三四五六日".index(chinese["day"].replace("天", "日"))] if chinese else ""


def _month_of(match: re.Match[str]) -> int:
    if match["month"].isdecimal():
        return int(match["month"])
    name = _full_name(match["month"] + match["rest"], _MONTHS)
    return _MONTHS.index(name) + 1 if name else 0


def _full_name(short: str, names: list[str]) -> str:
    return next((name for name in names if name.startswith(short)), "")


def plain(phrase: str) -> str:
    """A phrase without articles, prepositions and plurals: `on the circles` is `circle`."""
    words = [_stem(word) for word in phrase.split() if word not in _EMPTY_WORDS]
    phrase = " ".join(words) or phrase
    return _SAME_PHRASE.get(phrase, phrase)


def _stem(word: str) -> str:
    word = _IRREGULAR.get(word, word).removesuffix("条件").removesuffix("了") or word
    word = word.removesuffix("s") if len(word) > _MIN_STEM and not word.endswith("ss") else word
    return word.removesuffix("ward") if word not in {"forward", "award", "reward", "toward"} else word
