"""What the records of papers, targets and tools are made of."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from papergate.promises.numbers import percent
from papergate.promises.tolerance import Tolerance


def _percent(value: object) -> Decimal:
    """A score in percent as a target or paper states it."""
    _ = percent(value)
    return Decimal(str(value).strip().removesuffix("%").strip())


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=64)]
"""Part of test ids and of names of folders."""
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Percent = Annotated[Decimal, BeforeValidator(_percent)]
ToleranceText = Annotated[
    Tolerance, BeforeValidator(Tolerance.parse), PlainSerializer(lambda tolerance: tolerance.text, return_type=str)
]


class Record(BaseModel):
    """A frozen record read from a file; a field it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)


class Unknown(Record):
    """A fact that the document does not state."""

    fact: Text
    chosen: Text
    """What papergate does in its place."""
    why: Text
