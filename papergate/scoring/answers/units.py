"""Units that can be converted; every other word after a number is taken as a remark."""

import re
from fractions import Fraction
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit: what it measures, and its size in the base unit of that."""

    measures: str
    size: Fraction


_SIZES = {
    "length": {
        "mm": "1/1000", "millimeter": "1/1000", "cm": "1/100", "centimeter": "1/100", "dm": "1/10", "m": "1",
        "meter": "1", "metre": "1", "km": "1000", "kilometer": "1000", "inch": "0.0254", "inche": "0.0254",
        "in": "0.0254", "ft": "0.3048", "foot": "0.3048", "feet": "0.3048", "yd": "0.9144", "yard": "0.9144",
        "mile": "1609.344", "mi": "1609.344",
    },
    "time": {
        "s": "1", "sec": "1", "second": "1", "minute": "60", "hour": "3600", "hr": "3600", "day": "86400",
        "week": "604800",
    },
    "mass": {"mg": "1/1000", "g": "1", "gram": "1", "kg": "1000", "kilogram": "1000"},
    "volume": {"ml": "1/1000", "milliliter": "1/1000", "l": "1", "liter": "1", "litre": "1"},
    "money": {"cent": "1", "dollar": "100"},
    "half of the day, first": {"am": "1", "a.m": "1", "a. m": "1", "a m": "1"},
    "half of the day, second": {"pm": "1", "p.m": "1", "p. m": "1", "p m": "1"},
}  # fmt: skip
_UNITS = {name: Unit(measures, Fraction(size)) for measures, sizes in _SIZES.items() for name, size in sizes.items()}
_POWER_WORDS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_POWER = re.compile(r"(.+?)\s*\^(\d)")


def unit_of(text: str) -> Unit | None:
    """The unit that some words name, None where they name none that is known."""
    words = text.strip(" .").lower()
    power = 1
    if match := _POWER.fullmatch(words):
        words, power = match[1], int(match[2])
    first, _, rest = words.partition(" ")
    if first in _POWER_WORDS and rest:
        words, power = rest, _POWER_WORDS[first]
    unit = _UNITS.get(words) or _UNITS.get(words.removesuffix("s"))
    return Unit(f"{unit.measures} to the {power}", unit.size**power) if unit else None
