"""Records by problem and sample, in columns: a million of them take a tenth of the memory that objects would.

What a run holds of each of its completions, besides the text, must fit the memory of the machine that judges it.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import groupby, starmap
from operator import itemgetter
from struct import Struct
from typing import Any, Protocol, TypeVar, get_args, get_type_hints

Key = tuple[str, int]
"""Problem id and sample index."""
Place = tuple[int, int]
"""First byte and length of a record in a file."""
R = TypeVar("R")
SPARSE = 16
"""Samples are looked up in an array while at least one in so many of its entries is used, else in a dictionary."""
NO_ROW = 2**32 - 1
"""Of a sample that did not come."""
NO_NUMBER = -(2**63)
"""Stands for None among whole numbers; among floats it is NaN."""


class ByKey(Mapping[Key, R]):
    """Rows by problem and sample, in the order in which they came; some 16 bytes for the key of each."""

    def __init__(self) -> None:
        self._samples: dict[str, _Samples] = {}
        self._far: dict[Key, int] = {}
        self._problems: list[str] = []
        self._of, self._numbers = array("I"), array("Q")

    def row(self, key: Key) -> int | None:
        """The row of ``key``; None where it never came."""
        samples = self._samples.get(key[0])
        found = None if samples is None else samples.row(key[1])
        return self._far.get(key) if found is None else found

    def rows_of(self, problem: str, count: int) -> Iterable[int]:
        """The rows of the first ``count`` samples of ``problem``, those that came."""
        if self._far:
            rows: Iterable[int | None] = map(self.row, ((problem, sample) for sample in range(count)))
            return (row for row in rows if row is not None)
        samples = self._samples.get(problem)
        return () if samples is None else samples.first(count)

    def keys_of(self, rows: Iterable[int]) -> Iterator[Key]:
        """Problem and sample of each of ``rows``."""
        return ((self._problems[self._of[row]], self._numbers[row]) for row in rows)

    def __contains__(self, key: object) -> bool:
        """Whether it came."""
        return isinstance(key, tuple) and self.row(key) is not None

    def __iter__(self) -> Iterator[Key]:
        """All problems and samples, by rows."""
        return zip(map(self._problems.__getitem__, self._of), self._numbers, strict=True)

    def __len__(self) -> int:
        """How many came."""
        return len(self._of)

    def _known(self, key: Key) -> int:
        """The row of a key that came.

        Raises:
            KeyError: it never came.
        """
        row = self.row(key)
        if row is None:
            raise KeyError(key)
        return row

    def _row_for(self, key: Key) -> int:
        """The row of ``key``, the next one where it never came."""
        row = self.row(key)
        return self._add(key) if row is None else row

    def _add(self, key: Key) -> int:
        """The row of a new key."""
        problem, sample = key
        row, samples = len(self), self._samples.get(problem)
        if samples is None:
            samples = self._samples[problem] = _Samples(len(self._problems))
            self._problems.append(problem)
        self._numbers.append(sample)
        self._of.append(samples.problem)
        if not samples.put(sample, row):
            self._far[key] = row
        return row


class _Samples:
    """The rows of one problem by sample, but of those that are far from the others."""

    __slots__ = ("_gaps", "_held", "_rows", "problem")

    def __init__(self, problem: int) -> None:
        self.problem, self._held, self._rows, self._gaps = problem, 0, array("I"), 0

    def put(self, sample: int, row: int) -> bool:
        self._held += 1
        if not 0 <= sample <= SPARSE * self._held:
            return False
        self._gaps += sample - len(self._rows) if sample >= len(self._rows) else -1
        while sample >= len(self._rows):
            self._rows.append(NO_ROW)
        self._rows[sample] = row
        return True

    def first(self, count: int) -> Iterable[int]:
        rows = self._rows[:count]
        return filter(NO_ROW.__ne__, rows) if self._gaps else rows

    def row(self, sample: int) -> int | None:
        found = self._rows[sample] if 0 <= sample < len(self._rows) else NO_ROW
        return None if found == NO_ROW else found


class Places(ByKey[Place]):
    """Where the record of each problem and sample is."""

    def __init__(self) -> None:
        super().__init__()
        self._starts, self._lengths = array("q"), array("q")

    def put(self, key: Key, place: Place) -> None:
        """Put down a record, or another in its place."""
        row = self._row_for(key)
        if row == len(self._starts):
            self._starts.append(0)
            self._lengths.append(0)
        self._starts[row], self._lengths[row] = place

    @property
    def columns(self) -> tuple[Sequence[int], Sequence[int]]:
        """First byte and length of each record, in the order of the keys."""
        return self._starts, self._lengths

    def __getitem__(self, key: Key) -> Place:
        """The place of the record of ``key``."""
        row = self._known(key)
        return self._starts[row], self._lengths[row]


class Table(ByKey[R]):
    """Records of one dataclass, ``kind``; each is made anew when it is read."""

    def __init__(self, kind: Callable[..., R]) -> None:
        super().__init__()
        hints = get_type_hints(kind)
        self._kind = kind
        self._columns = {one.name: _column(hints[one.name]) for one in fields(kind)}  # type: ignore[arg-type]

    def put(self, key: Key, record: R) -> None:
        """Put in a record, or another in its place."""
        row = self._row_for(key)
        for name, column in self._columns.items():
            column.put(row, getattr(record, name))

    def column(self, name: str, rows: Iterable[int] | None = None) -> Iterator[Any]:
        """One field of the records in ``rows``, or of all."""
        return self._columns[name].at(range(len(self)) if rows is None else rows)

    def __getitem__(self, key: Key) -> R:
        """The record of ``key``."""
        row = self._known(key)
        return self._kind(**{name: next(column.at((row,))) for name, column in self._columns.items()})


class Planned(Mapping[Key, R]):
    """Of the records in ``table``, those of the first ``samples`` of each problem, problem after problem."""

    def __init__(self, table: Table[R], samples: Mapping[str, int]) -> None:
        self._table, self._samples = table, samples
        self._rows, self._ends = array("I"), dict[str, int]()
        for problem, rows in zip(samples, starmap(table.rows_of, samples.items()), strict=True):
            self._rows.extend(rows)
            self._ends[problem] = len(self._rows)

    def __getitem__(self, key: Key) -> R:
        """The record of ``key``, where it is planned."""
        if key not in self:
            raise KeyError(key)
        return self._table[key]

    def __contains__(self, key: object) -> bool:
        """Whether it is planned and there is a record of it."""
        return isinstance(key, tuple) and key[1] < self._samples.get(key[0], 0) and key in self._table

    def __iter__(self) -> Iterator[Key]:
        """The problems and samples."""
        return self._table.keys_of(self._rows)

    def __len__(self) -> int:
        """How many records there are."""
        return len(self._rows)

    def column(self, name: str) -> Iterator[Any]:
        """One field of each record, in the order of the keys."""
        return self._table.column(name, self._rows)

    def stretches(self) -> Iterator[tuple[str, slice]]:
        """See `stretches`."""
        begin = 0
        for problem, end in self._ends.items():
            if end > begin:
                yield problem, slice(begin, end)
            begin = end


def stretches(records: Mapping[Key, R]) -> Iterator[tuple[str, slice]]:
    """Each problem with the place of its records in a column; one whose records are parted comes more than once."""
    if isinstance(records, Planned):
        yield from records.stretches()
        return
    begin = 0
    for problem, keys in groupby(records, key=itemgetter(0)):
        end = begin + sum(1 for _ in keys)
        yield problem, slice(begin, end)
        begin = end


def column(records: Mapping[Key, R], name: str) -> Iterator[Any]:
    """One field of each of ``records``, in their order. Records that are kept in columns are not built for it."""
    if isinstance(records, Planned | Table):
        return records.column(name)
    return (getattr(record, name) for record in records.values())


class _Column(Protocol):
    """The values of one field, by row."""

    def put(self, row: int, value: Any) -> None:  # noqa: ANN401 - of any field
        """Put in the value of a row, the next one or one that is there."""

    def at(self, rows: Iterable[int]) -> Iterator[object]:
        """The values of ``rows``."""


def _column(hint: Any) -> _Column:  # noqa: ANN401 - of any field
    kinds = {hint, *get_args(hint)}
    if int in kinds:
        return _Numbers("q", NO_NUMBER)
    if float in kinds:
        return _Numbers("d", math.nan)
    return _Digests() if bytes in kinds else _Words()


class _Numbers:
    """Numbers, or None, for which ``none`` stands."""

    def __init__(self, code: str, none: float) -> None:
        self._values: array[Any] = array(code)
        self._none, self._whole = none, True
        self._others: dict[int, object] = {}
        """What a file states in place of a number, or one that does not fit."""

    def put(self, row: int, value: Any) -> None:  # noqa: ANN401 - of any file
        if row == len(self._values):
            self._values.append(self._none)
        self._others.pop(row, None)
        self._whole = self._whole and value is not None
        try:
            self._values[row] = self._none if value is None else value
        except (TypeError, OverflowError):
            self._whole = False
            self._values[row], self._others[row] = self._none, value

    def at(self, rows: Iterable[int]) -> Iterator[object]:
        if self._whole:
            return map(self._values.__getitem__, rows)
        return self._at(rows)

    def _at(self, rows: Iterable[int]) -> Iterator[object]:
        values, none, others = self._values, self._none, self._others
        for row in rows:
            value = values[row]
            if value == none or value != value:  # noqa: PLR0124 - NaN is not itself
                yield others.get(row)
            else:
                yield value


class _Digests:
    """Bytes, of each as many."""

    def __init__(self) -> None:
        self._data, self._size = bytearray(), 0

    def put(self, row: int, value: bytes) -> None:
        self._size = self._size or len(value)
        assert len(value) == self._size, "digests of one kind"
        self._data[row * self._size : (row + 1) * self._size] = value

    def at(self, rows: Iterable[int]) -> Iterator[bytes]:
        data, size = self._data, self._size
        read = Struct(f"{size}s").unpack_from
        return (read(data, row * size)[0] for row in rows)


class _Words:
    """Whatever repeats itself: each value is held once."""

    def __init__(self) -> None:
        self._codes, self._values, self._known = array("I"), list[object](), dict[object, int]()

    def put(self, row: int, value: object) -> None:
        code = self._known.setdefault(value, len(self._values))
        if code == len(self._values):
            self._values.append(value)
        if row == len(self._codes):
            self._codes.append(code)
        self._codes[row] = code

    def at(self, rows: Iterable[int]) -> Iterator[object]:
        return map(self._values.__getitem__, map(self._codes.__getitem__, rows))
