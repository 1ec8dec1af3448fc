"""Units: what they measure and how large they are; a word that is no known unit measures only itself."""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from papergate.scoring.answers.wording import plain


class Unit(NamedTuple):
    """A unit: the powers of what it measures, its size in the base units, and whether all of its words are known."""

    measures: tuple[tuple[str, Fraction], ...]
    size: Fraction
    known: bool


_BASES: dict[str, dict[str, int | str]] = {
    "length": {
        "m": 1, "meter": 1, "metre": 1, "inch": "0.0254", "inche": "0.0254", "in": "0.0254", "ft": "0.3048",
        "foot": "0.3048", "feet": "0.3048", "yd": "0.9144", "yard": "0.9144", "mile": "1609.344", "mi": "1609.344",
        "米": 1, "厘米": "0.01", "毫米": "0.001", "分米": "0.1", "千米": 1000, "公里": 1000, "micron": "0.000001",
    },
    "time": {
        "s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "hr": 3600, "day": 86400,
        "week": 604800, "秒": 1, "分钟": 60, "分": 60, "小时": 3600, "时": 3600, "天": 86400, "日": 86400, "周": 604800,
        "fortnight": 1_209_600,
    },
    "months": {"month": 1, "year": 12, "yr": 12, "decade": 120, "century": 1200, "centurie": 1200, "年": 12, "个月": 1},
    "area": {"hectare": 10_000, "ha": 10_000, "公顷": 10_000, "acre": "4046.8564224"},
    "mass": {
        "g": 1, "gram": 1, "ton": 1_000_000, "tonne": 1_000_000, "lb": "453.59237", "pound": "453.59237",
        "oz": "28.349523125", "ounce": "28.349523125", "克": 1, "千克": 1000, "公斤": 1000, "吨": 1_000_000,
    },
    "volume": {
        "l": 1, "L": 1, "liter": 1, "litre": 1, "gallon": "3.785411784", "gal": "3.785411784", "quart": "0.946352946",
        "pint": "0.473176473", "cup": "0.2365882365", "tablespoon": "0.01478676478125", "tbsp": "0.01478676478125",
        "teaspoon": "0.00492892159375", "tsp": "0.00492892159375", "升": 1, "毫升": "0.001",
        "cc": "0.001",
    },
    "dollars": {"cent": "0.01", "dollar": 1, "USD": 1, "penny": "0.01", "pennie": "0.01", "nickel": "0.05",
        "dime": "0.1"},
    "euros": {"euro": 1, "EUR": 1}, "pounds": {"pound sterling": 1}, "yens": {"yen": 1},
    "yuan": {"yuan": 1, "CNY": 1, "RMB": 1, "元": 1, "角": "0.1"},
    "amount": {"mol": 1, "mole": 1},
    "energy": {"J": 1, "joule": 1, "cal": "4.184", "calorie": "4.184", "eV": "1.602176634e-19"},
    "power": {"W": 1, "watt": 1}, "frequency": {"Hz": 1, "hertz": 1}, "force": {"N": 1, "newton": 1},
    "pressure": {"Pa": 1, "pascal": 1, "bar": 100_000, "atm": 101_325}, "voltage": {"V": 1, "volt": 1},
    "current": {"A": 1, "ampere": 1, "amp": 1}, "charge": {"coulomb": 1}, "flux density": {"T": 1, "tesla": 1},
    "capacitance": {"F": 1, "farad": 1}, "inductance": {"H": 1, "henry": 1}, "flux": {"Wb": 1, "weber": 1},
    "resistance": {"ohm": 1, "Omega": 1},
    "temperature": {"K": 1, "kelvin": 1}, "Celsius": {"°C": 1, "celsius": 1}, "Fahrenheit": {"°F": 1,
    "fahrenheit": 1},
    "sound": {"dB": 1, "decibel": 1}, "speed": {"knot": "1852/3600"},
    "minutes of arc": {"'": 1, "''": "1/60"}, "information": {"bit": 1, "byte": 8, "B": 8},
    "half of the day, first": {"am": 1, "a.m": 1, "a. m": 1, "a m": 1},
    "half of the day, second": {"pm": 1, "noon": 1, "p.m": 1, "p. m": 1, "p m": 1},
}  # fmt: skip
_SIZES = {word: (base, Fraction(size)) for base, sizes in _BASES.items() for word, size in sizes.items()}
_DERIVED = {  # in metres, seconds and grams
    "area": (Fraction(1), {"length": 2}), "speed": (Fraction(1), {"length": 1, "time": -1}),
    "volume": (Fraction(1, 1000), {"length": 3}), "force": (Fraction(1000), {"mass": 1, "length": 1, "time": -2}),
    "energy": (Fraction(1000), {"mass": 1, "length": 2, "time": -2}), "frequency": (Fraction(1), {"time": -1}),
    "power": (Fraction(1000), {"mass": 1, "length": 2, "time": -3}),
    "pressure": (Fraction(1000), {"mass": 1, "length": -1, "time": -2}),
}  # fmt: skip
_PREFIXES = {
    "p": "1e-12", "n": "1e-9", "u": "1e-6", "m": "1e-3", "c": "0.01", "d": "0.1", "k": "1e3", "M": "1e6", "G": "1e9",
    "T": "1e12", "nano": "1e-9", "micro": "1e-6", "milli": "1e-3", "centi": "0.01", "deci": "0.1", "kilo": "1e3",
    "mega": "1e6", "giga": "1e9", "tera": "1e12",
}  # fmt: skip
_PREFIXED = {
    "m", "meter", "metre", "g", "gram", "s", "second", "l", "L", "liter", "litre", "J", "joule", "cal", "eV",
    "W", "watt",
    "Hz", "hertz", "N", "newton", "Pa", "pascal", "V", "volt", "A", "mol", "mole", "bit", "byte", "B",
}  # fmt: skip
_SPEEDS = {"mph": "mile / hour", "kph": "km / hour", "kmh": "km / hour", "kwh": "kW * hour", "mpg": "mile / gallon"}
_POWER_WORDS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_LATE_POWER_WORDS = {"squared": 2, "cubed": 3}
_IGNORED = {
    "total", "different", "distinct", "possible", "whole", "about", "approximately", "long", "tall",
    "old", "away",
    "altogether", "all", "number", "only", "exactly", "degree", "each", "in", "which", "remaining",  "的",
}  # fmt: skip
_ANY_LENGTH = "?unit"  # `50 square units`: an area, whatever the unit of length
_PART = re.compile(r"/|\*|\^-?\d+(?:/\d+)?|[^\s/*^]+")


@lru_cache(1_024)
def unit_of(text: str) -> Unit:
    """The unit that some words name; words that only describe it do not count."""
    powers: dict[str, Fraction] = {}
    size, known, sign, waiting = Fraction(1), True, 1, 1
    parts = _PART.findall(_SPEEDS.get(text.strip(" .").lower(), text.strip(" .")))
    if whole := _known(" ".join(parts)):
        return _in_base_units({whole[0]: Fraction(1)}, whole[1], known=True)
    for at, part in enumerate(parts):
        if part in {"/", "per"} or part == "每":
            sign = -1
        elif part in _POWER_WORDS:
            waiting = _POWER_WORDS[part]
        elif part == "*" or part.startswith("^") or part in _LATE_POWER_WORDS or _is_ignored(parts, at):
            continue
        else:
            word, power = _without_power(part)
            power *= waiting * sign * _power_after(parts[at + 1 : at + 2])
            base, one = _known(word) or (f"?{plain(word.lower())}", Fraction(1))
            powers[base] = powers.get(base, Fraction(0)) + power
            size, known, waiting = size * one**power, known and not base.startswith("?"), 1
    if powers.get(_ANY_LENGTH) == 1:
        del powers[_ANY_LENGTH]
    return _in_base_units(powers, size, known=known)


def _is_ignored(parts: list[str], at: int) -> bool:
    """Whether a word only describes; with a power `in` is an inch."""
    around = parts[max(at - 1, 0) : at + 2]
    is_inch = parts[at] == "in" and any(part.startswith("^") or part in _POWER_WORDS for part in around)
    return plain(parts[at].lower()) in _IGNORED and not is_inch


def _in_base_units(powers: dict[str, Fraction], size: Fraction, *, known: bool) -> Unit:
    """A newton is a kilogram metre per second squared, a litre a thousandth of a cubic metre."""
    total: dict[str, Fraction] = {}
    for base, power in powers.items():
        factor, parts = _DERIVED.get(base, (Fraction(1), {base: 1}))
        size *= Fraction(factor ** int(power))
        for part, share in parts.items():
            total[part] = total.get(part, Fraction(0)) + power * share
    measures = tuple(sorted((base, power) for base, power in total.items() if power))
    return Unit(measures, size, known)


def are_alike(one: Unit, other: Unit) -> bool:
    """Whether two units with words of their own may mean the same: one has all words of the other, or none."""
    if any(base == _ANY_LENGTH for unit in (one, other) for base, _ in unit.measures):
        return not (one.measures and other.measures) or _powers_of(one) == _powers_of(other)
    both = [{base for base, _ in unit.measures} for unit in (one, other)]
    own = [{base for base in bases if base.startswith("?")} for bases in both]
    if any(len(base) == len("?k") for base in own[0] ^ own[1]):
        return False  # a letter is a prefix or a symbol, never a remark
    if not all(both):
        return True
    return own[0] <= own[1] or own[1] <= own[0] if all(own) else bool(both[0] & both[1])


def _powers_of(unit: Unit) -> list[Fraction]:
    return sorted(power for _, power in unit.measures)


def _known(word: str) -> tuple[str, Fraction] | None:
    for spelling in (word, word.lower(), word.removesuffix("s"), word.lower().removesuffix("s")):
        if spelling in _SIZES:
            return _SIZES[spelling]
        for prefix, factor in _PREFIXES.items():
            rest = spelling.removeprefix(prefix)
            if spelling.startswith(prefix) and rest in _PREFIXED:
                base, size = _SIZES[rest]
                return base, size * Fraction(factor)
    return None


def _without_power(word: str) -> tuple[str, int]:
    """`平方米` is a metre to the second power."""
    for prefix, power in (("平方", 2), ("立方", 3)):
        if word.startswith(prefix) and word != prefix:
            return word.removeprefix(prefix), power
    return word, 1


def _power_after(following: list[str]) -> int:
    if not following:
        return 1
    if following[0].startswith("^") and "/" not in following[0]:
        return int(following[0][1:])
    return _LATE_POWER_WORDS.get(following[0], 1)
