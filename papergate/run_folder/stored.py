"""Records that lie on disk: each has the number of its format, one reader and one writer."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from papergate import __version__
from papergate.errors import StoreError
from papergate.files import read_kept, reason
from papergate.run_folder.files import json_text, write_text

FORMAT_FIELD = "format"
SEAL = "seal"
"""Field that holds the hash of all others, where a record has one."""
FIRST_FORMAT = 1
"""Of records that do not name their format."""
NAMED = 5
"""Mistakes that a message names one by one."""

R = TypeVar("R")


class Part(BaseModel):
    """A frozen part of a record; fields that it does not know are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def fields(self) -> dict[str, Any]:
        """The values that were given, by the names they have on disk."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Stored(Part):
    """A record with a file of its own.

    A field that older releases may leave alone needs no new format; anything else raises ``FORMAT`` and adds a step to
    ``upgraded``.
    """

    FORMAT: ClassVar[int] = FIRST_FORMAT

    @classmethod
    def upgraded(cls, fields: Mapping[str, Any], number: int) -> Mapping[str, Any]:
        """``fields`` of the format ``number`` as this release states them."""
        del number
        return fields

    @property
    def text(self) -> str:
        """The record as its file holds it."""
        return json_text({FORMAT_FIELD: self.FORMAT, **self.fields()}, indent=1)

    def write(self, path: Path) -> None:
        """Write the record; it replaces an earlier one as a whole.

        Raises:
            OSError: the disk refused; an earlier record stays.
        """
        write_text(path, self.text)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The record at ``path``.

        Raises:
            StoreError: it is missing, damaged, or of a later release; says which and what to do.
        """
        return cls.of(_object(path), f"{path}")

    @classmethod
    def of(cls, fields: Mapping[str, Any], place: str) -> Self:
        """The record in ``fields``, which stand at ``place``.

        Raises:
            StoreError: it is damaged, or of a later release; says which and what to do.
        """
        number = fields.get(FORMAT_FIELD, FIRST_FORMAT)
        if isinstance(number, int) and number > cls.FORMAT:
            raise StoreError(
                f"{place} has the format {number}; papergate {__version__} reads formats up to {cls.FORMAT}: read it "
                "with the release that wrote it, or a later one"
            )
        try:
            return cls.model_validate(cls.upgraded(fields, number))
        except ValidationError as error:
            raise damaged(place, "; ".join(mistakes_of(error))) from None
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise damaged(place, repr(error)) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found(Generic[R]):
    """The records of one kind that a run holds."""

    records: tuple[R, ...]
    refused: tuple[tuple[str, str], ...]
    """What could not be read: its name, and why in words."""


def found(read: Callable[[Path], R], files: Iterable[tuple[str, Path]]) -> Found[R]:
    """What is readable of the named ``files``, and why the rest is not; this never raises."""
    records, refused = [], []
    for name, path in files:
        try:
            records.append(read(path))
        except StoreError as error:
            refused.append((name, str(error)))
    return Found(records=tuple(records), refused=tuple(refused))


def seal_of(fields: Mapping[str, Any]) -> str:
    """The hash of all ``fields`` but the seal, whatever their order."""
    rest = {name: fields[name] for name in fields if name != SEAL}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _object(path: Path) -> Mapping[str, Any]:
    try:
        fields = json.loads(read_kept(path))
    except FileNotFoundError:
        raise StoreError(f"{path} is missing; give the folder of a finished run") from None
    except OSError as error:
        raise damaged(f"{path}", reason(error)) from None
    except (ValueError, RecursionError) as error:
        raise damaged(f"{path}", f"{error}") from None
    if not isinstance(fields, dict):
        raise damaged(f"{path}", "it holds no JSON object")
    return fields


def damaged(place: str, what: str) -> StoreError:
    """The error of a record at ``place`` that cannot be read, with the remedy."""
    return StoreError(
        f"{place} cannot be read: {what}. Was it edited or cut off? Restore it, or judge the run again: "
        "what was asked is kept beside it"
    )


def mistakes_of(error: ValidationError) -> list[str]:
    """What is wrong with a record, field by field; of many, the first."""
    listed = error.errors(include_url=False, include_context=False, include_input=False)
    more = [f"and {len(listed) - NAMED} more"] if len(listed) > NAMED else []
    return [": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"]))) for one in listed[:NAMED]] + more
