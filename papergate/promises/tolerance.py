"""The tolerance in the user's own words, held exactly."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

_WORDS = re.compile(r"(?P<number>\d+(?:\.\d+)?) (?P<unit>problem|point)s?")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a score may lie from its reference: a number of problems or of percentage points, or ``gain``.

    ``gain`` asks for any score above the reference, as a fine-tuned checkpoint promises over its base model.
    """

    number: Decimal
    unit: Literal["problem", "point", "gain"]

    @classmethod
    def parse(cls, text: object) -> "Tolerance":
        """Read ``'1 problem'``, ``'0.5 points'`` or ``'gain'``.

        Raises:
            ValueError: anything else, with what is accepted.
        """
        if isinstance(text, Tolerance):
            return text
        if text == "gain":
            return cls(Decimal(0), "gain")
        match = _WORDS.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError(
                f"{text!r} is not a tolerance; write '1 problem', '0.5 points' (any number of either) or 'gain'"
            )
        unit: Literal["problem", "point"] = "problem" if match["unit"] == "problem" else "point"
        return cls(Decimal(match["number"]), unit)

    @property
    def text(self) -> str:
        """The user's words again."""
        if self.unit == "gain":
            return "gain"
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"

    def fraction(self, problems: int) -> Fraction:
        """The tolerance as a fraction of 1 for a benchmark of ``problems`` problems."""
        whole = problems if self.unit == "problem" else 100
        return Fraction(self.number) / whole
