"""Keys and values of every running row, side by side on one strip of memory per layer.

A row takes the memory of the tokens it has, not of those it may come to have, and has free room behind it. A new row
goes into the middle of the widest gap. When a row has used up its room, all rows are laid anew with equal room. When
there is no room left, the shortest row is put out, to be drawn on later.
"""

from bisect import insort
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import torch

ROOM = 256
"""Room that each row must find behind it when rows are laid anew, in tokens: that copies the whole cache, which takes
several steps' time. A row that joins is content with half of it."""

SPARE = 256
"""Tokens behind the strip for what is written and never read: padding of prompts, rows that fill up a batch."""

_place, _length = attrgetter("place"), attrgetter("length")


class Lying(Protocol):
    """A row that can lie on the strip."""

    place: int
    """Where its first token lies."""

    @property
    def length(self) -> int:
        """Tokens that it has on the strip."""


RowT = TypeVar("RowT", bound=Lying)


class Strip(Generic[RowT]):
    """The memory, and which row lies where.

    Args:
        tokens: How many tokens it holds.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.rows: list[RowT] = []
        """In the order of their places."""
        self.moved = 0
        """Tokens that were copied to lay rows anew, so far."""
        self.layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        """Keys and values of each layer, (tokens, heads, head dimension)."""

    def put(self, row: RowT) -> bool:
        """Give ``row`` a place; False where the other rows leave none."""
        need = row.length + ROOM
        if need > self._free() and self.rows:
            return False
        start, end = max(self._gaps(), key=lambda gap: gap[1] - gap[0])
        room = (end - start - row.length) // 2
        if self.rows and room < ROOM // 2:
            self._lay_anew(behind=need)
            start, room = self.tokens - need, 0
        row.place = start + room if self.rows else 0
        insort(self.rows, row, key=_place)
        return True

    def make_room(self, steps: int) -> list[RowT]:
        """Let every row grow by ``steps`` tokens; the rows that were put out for it, shortest first."""
        out: list[RowT] = []
        if all(end - start >= steps for start, end in self._gaps()[1:]):
            return out
        while self._free() < 0 and len(self.rows) > 1:
            out.append(min(self.rows, key=_length))
            self.rows.remove(out[-1])
        self._lay_anew()
        return out

    def write(self, layer: int, key: "torch.Tensor", value: "torch.Tensor", place: "torch.Tensor") -> None:
        """Write ``key`` and ``value``, (1, heads, tokens, head dimension), at ``place``, (tokens,)."""
        if layer not in self.layers:
            self.layers[layer] = (self._zeros(key), self._zeros(value))
        for strip, new in zip(self.layers[layer], (key, value), strict=True):
            strip.index_copy_(0, place.to(strip.device), new[0].transpose(0, 1))

    def _zeros(self, like: "torch.Tensor") -> "torch.Tensor":
        """Not ``empty``: a masked place is read and multiplied by 0, so it must not hold NaN."""
        return like.new_zeros(self.tokens + SPARE, like.shape[1], like.shape[3])

    def _free(self) -> int:
        """Tokens that the rows and their least room leave; negative where they are too many."""
        return self.tokens - sum(row.length + ROOM for row in self.rows)

    def _gaps(self) -> list[tuple[int, int]]:
        """The free stretch before the first row, then the one behind each row."""
        ends = [0, *(row.place + row.length for row in self.rows)]
        return list(zip(ends, [*map(_place, self.rows), self.tokens], strict=True))

    def _lay_anew(self, behind: int = 0) -> None:
        """Lay all rows with equal room, and leave ``behind`` tokens free behind the last."""
        room = (self.tokens - behind - sum(map(_length, self.rows))) // len(self.rows)
        old, end = self._indices(), 0
        for row in self.rows:
            row.place, end = end, end + row.length + room
        new = self._indices()
        self.moved += len(new)
        for strip in (each for layer in self.layers.values() for each in layer):
            strip[new.to(strip.device)] = strip[old.to(strip.device)]

    def _indices(self) -> "torch.Tensor":
        """Where the tokens of all rows lie."""
        import torch

        return torch.cat([torch.arange(row.place, row.place + row.length) for row in self.rows])
