"""One completion as one line: JSON that ends in a link to the record before it and in a checksum.

::

    {"problem":"p1","sample":0, .. ,"after":"26c1..","seal":"9f3a.."}

``seal`` is the XXH3-64 hash of the bytes before ``,"after"``, seeded with ``after``; ``after`` is the seal of the
record before, and in the first record the hash of the manifest. So an edited record is noticed, and so is one that was
removed, put in, moved or brought from another run. This guards against accidents and edits, not against a person who
computes the seals again.

Stores written before papergate sealed its records hold the same JSON without the two fields; such a line is linked by
the hash of all its bytes.
"""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from xxhash import xxh3_64_intdigest

from papergate.engines.records import Completion, Finish

NEWLINE = b"\n"
BEGINNING = b'{"problem":"'
AFTER, SEAL, END = b',"after":"', b'","seal":"', b'"}'
HEX = 16
TAIL = len(AFTER) + HEX + len(SEAL) + HEX + len(END)
ZEROS = b"\0" * 8
"""A power loss leaves zeros in a block that was not written; papergate writes none, UTF-16 never so many in a row."""
NO_FIELDS = {"after", "seal"}


class Damaged(ValueError):
    """A line that is no record, with the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A whole line, read."""

    fields: Mapping[str, Any]
    """As the line holds them."""
    after: int | None
    """Seal of the record before; None where the line is from a store without seals."""
    link: int
    """What the next record's ``after`` must be; where this line has no seal, the seed for hashing it."""

    @property
    def completion(self) -> Completion:
        """The completion that the line holds.

        Raises:
            Damaged: it holds none.
        """
        try:
            fields = {name: value for name, value in self.fields.items() if name not in NO_FIELDS}
            lost_at = tuple(fields.get("lost_at", ()))
            return Completion(**fields | {"finish": Finish(fields["finish"]), "lost_at": lost_at})
        except (KeyError, TypeError, ValueError) as error:
            raise Damaged(f"not a completion of papergate ({error!r})") from error


def hash_of(data: bytes, seed: int = 0) -> int:
    """The hash that records are linked by, 64 bits."""
    return xxh3_64_intdigest(data, seed)


def sealed(completion: Completion, after: int) -> tuple[bytes, int]:
    """The line of ``completion`` after the record with the seal ``after``, newline first, and its own seal."""
    return _with_seal(memoryview(orjson.dumps(completion))[:-1], after)


def _with_seal(body: memoryview, after: int) -> tuple[bytes, int]:
    seal = xxh3_64_intdigest(body, after)
    return b"".join((NEWLINE, body, AFTER, b"%016x" % after, SEAL, b"%016x" % seal, END)), seal


def resealed(line: bytes, after: int) -> tuple[bytes, int]:
    """The sealed record ``line`` of another store, to be put after the record with the seal ``after``, and its seal.

    Raises:
        Damaged: it is no whole record.
    """
    seals = _seals(line)
    if seals is None:
        raise Damaged("it has no checksum")
    body = memoryview(line)[:-TAIL]
    if xxh3_64_intdigest(body, seals[0]) != seals[1]:
        raise Damaged("its checksum does not fit: the record was edited or damaged")
    return _with_seal(body, after)


def record_of(line: bytes, link: int) -> Record:
    """The record in ``line``; ``link`` is that of the record before, for lines without seals.

    Raises:
        Damaged: it is no whole record.
    """
    seals = _seals(line)
    if seals is None:
        return Record(fields=_fields(line), after=None, link=hash_of(line, link))
    after, seal = seals
    if xxh3_64_intdigest(memoryview(line)[:-TAIL], after) != seal:
        raise Damaged("its checksum does not fit: the record was edited or damaged")
    return Record(fields=_fields(line), after=after, link=seal)


def is_interrupted(line: bytes) -> bool:
    """Whether ``line`` is what a write leaves that was cut short: the beginning of a record, or blocks of zeros."""
    if ZEROS in line:
        return True
    if line[-TAIL:].startswith(AFTER) or not BEGINNING.startswith(line[: len(BEGINNING)]):
        return False
    try:
        orjson.loads(codecs.getincrementaldecoder("utf-8")().decode(line))
    except UnicodeDecodeError:
        return False
    except orjson.JSONDecodeError as error:
        return error.msg.startswith("unexpected end of data")
    return False


def _seals(line: bytes) -> tuple[int, int] | None:
    tail = line[-TAIL:]
    first, second = len(AFTER), len(AFTER) + HEX + len(SEAL)
    if not (tail.startswith(AFTER) and tail.endswith(END) and tail[first + HEX : second] == SEAL):
        return None
    try:
        return int(tail[first : first + HEX], 16), int(tail[second : second + HEX], 16)
    except ValueError as error:
        raise Damaged("its checksum is no number") from error


def _fields(line: bytes) -> Mapping[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Damaged(_what_it_is(line) or f"not JSON ({error})") from error
    if not isinstance(fields, dict):
        raise Damaged(f"not a completion of papergate, but a JSON {type(fields).__name__}")
    return fields


def _what_it_is(line: bytes) -> str:
    """The usual ways in which an editor or tool saves the file as another one."""
    if line.startswith(b"\x1f\x8b"):
        return "the file was packed by gzip"
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or line[1:2] == b"\0" or line[:1] == b"\0":
        return "the file was saved as UTF-16"
    if line.startswith(codecs.BOM_UTF8):
        return "the file was saved with a byte order mark"
    if b"}\r{" in line or line.endswith(b"\r"):
        return "the file was saved with other line ends"
    if b"} {" in line or b"},{" in line or line in {b"{", b"["} or line.startswith(b"  "):
        return "the file was saved in another layout of JSON"
    return ""
