"""A zip file in which every byte is determined by the names and contents of its members.

No member is compressed, so that nothing has to be unpacked to be checked and no release of a compressor changes a byte.
Times are 1980-01-01, permissions 0600, and nothing stands between, before or behind what the format demands. A file
beyond 4 GiB has the wide fields (zip64) in all of its records, a smaller one in none.

Reading writes the same file again and holds each byte against it: a zip that any other tool wrote, or that was changed
anywhere, is refused. Layout: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16.
"""

import re
import stat
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from papergate.evidence.records import Refused, Result, refused
from papergate.printable import one_line
from papergate.run_folder.notes import Note, note
from papergate.run_folder.sums import Sum, sum_in

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
WIDE_END = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
WIDE_LOCAL, WIDE_CENTRAL = struct.Struct("<2H2Q"), struct.Struct("<2H3Q")
DATE = 1 << 5 | 1
"""1980-01-01, the first day that a zip file can state."""
PLAIN, WIDE = 20, 45
"""Version of the format that a reader needs."""
UNIX = 3 << 8
PERMISSIONS = (stat.S_IFREG | 0o600) << 16
NARROW = 0xFFFFFFFF
"""In a wide file, what stands where the number has no room."""
MOST_LISTED = 1 << 20
"""Bytes of the list of members; ten thousand of them take less."""
MOST_MEMBERS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file in the zip, and where its data begin."""

    sum: Sum
    start: int


def pieces(members: Sequence[Sum]) -> Iterator[bytes | Sum]:
    """The whole file: the bytes of its records, and each member where its data stand."""
    wide = _is_wide(members)
    place, listed = 0, list[bytes]()
    for member in members:
        yield (record := _local(member, wide=wide))
        yield member
        listed.append(_central(member, place, wide=wide))
        place += len(record) + member.size
    central = b"".join(listed)
    yield central
    yield _end(len(members), len(central), place, wide=wide)


def find_members(file: BinaryIO) -> tuple[Member, ...]:
    """The members of the zip in ``file``, as far as its list is to be believed: see `hold_against`.

    Raises:
        Refused: it is no such zip, with what it is instead.
    """
    found, place = list[Member](), 0
    for name, size, extra in _listed(file):
        place += LOCAL.size + len(name) + extra
        file.seek(place)
        found.append(Member(sum=sum_in(file, name, size), start=place))
        place += size
    return tuple(found)


def hold_against(file: BinaryIO, members: Sequence[Member]) -> None:
    """See that every byte of ``file`` is what papergate writes of ``members``, which were found in it.

    Raises:
        Refused: one is not, with its place.
    """
    place = 0
    for piece in pieces([member.sum for member in members]):
        if isinstance(piece, Sum):
            place += piece.size
            continue
        file.seek(place)
        if file.read(len(piece)) != piece:
            raise refused(Result.ALTERED, note("bundle_bytes_differ", place=place))
        place += len(piece)
    if more := file.seek(0, 2) - place:
        raise refused(Result.ALTERED, note("bundle_goes_on", count=more))


def _is_wide(members: Iterable[Sum]) -> bool:
    return sum(member.size + len(member.name) + LOCAL.size + CENTRAL.size for member in members) >= NARROW


def _local(member: Sum, *, wide: bool) -> bytes:
    name = member.name.encode()
    extra = WIDE_LOCAL.pack(1, 16, member.size, member.size) if wide else b""
    size = NARROW if wide else member.size
    numbers = (WIDE if wide else PLAIN, 0, 0, 0, DATE, member.crc32, size, size, len(name), len(extra))
    return LOCAL.pack(b"PK\3\4", *numbers) + name + extra


def _central(member: Sum, place: int, *, wide: bool) -> bytes:
    name = member.name.encode()
    extra = WIDE_CENTRAL.pack(1, 24, member.size, member.size, place) if wide else b""
    size, start, version = (NARROW, NARROW, WIDE) if wide else (member.size, place, PLAIN)
    numbers = (UNIX | version, version, 0, 0, 0, DATE, member.crc32, size, size, len(name), len(extra))
    return CENTRAL.pack(b"PK\1\2", *numbers, 0, 0, 0, PERMISSIONS, start) + name + extra


def _end(count: int, size: int, place: int, *, wide: bool) -> bytes:
    if not wide:
        return END.pack(b"PK\5\6", 0, 0, count, count, size, place, 0)
    end = WIDE_END.pack(b"PK\6\6", WIDE_END.size - 12, UNIX | WIDE, WIDE, 0, 0, count, count, size, place)
    locator = LOCATOR.pack(b"PK\6\7", 0, place + size, 1)
    return end + locator + END.pack(b"PK\5\6", 0, 0, count, count, NARROW, NARROW, 0)


def _listed(file: BinaryIO) -> list[tuple[str, int, int]]:
    """Name, size and length of the wide fields of every member, as the list at the end has them."""
    length = file.seek(0, 2)
    size, place = _where_listed(file, length)
    if size > MOST_LISTED:
        raise _unreadable(note("bundle_list_too_long", size=size, most=MOST_LISTED))
    file.seek(place)
    data, at, found = file.read(size), 0, list[tuple[str, int, int]]()
    while at < len(data) and len(found) <= MOST_MEMBERS:
        entry = _entry(data, at)
        found.append(entry[1:])
        at += entry[0]
    _refuse_hostile(found, length)
    return found


def _where_listed(file: BinaryIO, length: int) -> tuple[int, int]:
    """Size and place of the list of members."""
    file.seek(max(length - END.size, 0))
    end = file.read(END.size)
    if not end.startswith(b"PK\5\6"):
        raise _unreadable(note("bundle_cut_off"))
    *_, size, place, _ = END.unpack(end)
    if size == place == NARROW and length > NARROW:
        file.seek(length - END.size - LOCATOR.size - WIDE_END.size)
        *_, size, place = WIDE_END.unpack(file.read(WIDE_END.size))
    if place + size > length:
        raise _unreadable(note("bundle_list_outside"))
    return size, place


def _entry(data: bytes, at: int) -> tuple[int, str, int, int]:
    """Length of an entry of the list, then name, size, and length of the wide fields of its member."""
    try:
        signature, *numbers = CENTRAL.unpack_from(data, at)
        name_length, extra_length, comment_length = numbers[9:12]
        name = data[at + CENTRAL.size :][:name_length].decode()
        method, size, packed, attributes = numbers[3], numbers[8], numbers[7], numbers[14]
        if wide := extra_length == WIDE_CENTRAL.size:
            _, _, size, packed, _ = WIDE_CENTRAL.unpack_from(data, at + CENTRAL.size + name_length)
    except (struct.error, UnicodeDecodeError):
        raise _unreadable(note("bundle_list_damaged")) from None
    if signature != b"PK\1\2":
        raise _unreadable(note("bundle_list_damaged"))
    _refuse_member(name, method, size, packed, attributes)
    return CENTRAL.size + name_length + extra_length + comment_length, name, size, WIDE_LOCAL.size if wide else 0


def _refuse_member(name: str, method: int, size: int, packed: int, attributes: int) -> None:
    shown = one_line(name)
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise _unreadable(note("bundle_member_absolute", name=shown))
    if ".." in re.split(r"[/\\]", name):
        raise _unreadable(note("bundle_member_leads_out", name=shown))
    if stat.S_ISLNK(attributes >> 16):
        raise _unreadable(note("bundle_member_link", name=shown))
    if method or size != packed:
        raise _unreadable(note("bundle_member_compressed", name=shown, packed=packed, size=size))


def _refuse_hostile(found: Sequence[tuple[str, int, int]], length: int) -> None:
    """Members that are too many, named twice, or share their data."""
    if len(found) > MOST_MEMBERS:
        raise _unreadable(note("bundle_too_many_members", most=MOST_MEMBERS))
    name, times = Counter(name for name, _, _ in found).most_common(1)[0] if found else ("", 0)
    if times > 1:
        raise _unreadable(note("bundle_member_repeated", name=one_line(name), times=times))
    if (total := sum(size for _, size, _ in found)) > length:
        raise _unreadable(note("bundle_members_too_large", total=total, length=length))


def _unreadable(what: Note) -> Refused:
    return refused(Result.UNREADABLE, what)
