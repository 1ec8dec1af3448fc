"""Rows lie on the strip without overlapping, each with room to grow, and keep their tokens when they are laid anew."""

from dataclasses import dataclass

import pytest

torch = pytest.importorskip("torch")

from papergate.engines.in_process.strip import ROOM, Strip  # noqa: E402 - after the skip


@dataclass(eq=False)
class Lying:
    length: int
    place: int = 0


def filled(strip, *lengths):
    """Rows of these lengths on the strip; each token's key is its row's index and its own."""
    rows = [Lying(length) for length in lengths]
    for index, row in enumerate(rows):
        assert strip.put(row)
        write(strip, row, [[index, at] for at in range(row.length)])
    return rows


def write(strip, row, values):
    key = torch.tensor(values, dtype=torch.float32).view(1, 1, len(values), 2)
    strip.write(0, key, key + 0.5, torch.arange(row.place, row.place + len(values)))


def kept(strip, row):
    keys, values = (layer[row.place : row.place + row.length, 0] for layer in strip.layers[0])
    assert torch.equal(values, keys + 0.5)
    return keys.tolist()


def rooms(strip):
    bounds = [*(row.place for row in strip.rows), strip.tokens]
    return [after - row.place - row.length for row, after in zip(strip.rows, bounds[1:], strict=True)]


def test_every_row_gets_its_room_and_none_overlaps():
    strip = Strip(8 * (100 + ROOM))
    filled(strip, *[100] * 8)
    assert len(strip.rows) == 8
    assert min(rooms(strip)) >= ROOM // 2


def test_a_row_that_does_not_fit_waits():
    strip = Strip(2 * (100 + ROOM))
    filled(strip, 100, 100)
    assert not strip.put(Lying(1))
    strip.rows.pop()
    assert strip.put(Lying(1))


def test_the_first_row_is_taken_whatever_its_length():
    assert Strip(100).put(Lying(90))


def test_rows_that_are_laid_anew_keep_their_keys_and_values():
    strip = Strip(4 * (50 + ROOM))
    rows = filled(strip, 50, 20, 30)
    before = [row.place for row in rows]
    strip.rows[0].length += rooms(strip)[0]  # it has grown to the next row
    write(strip, strip.rows[0], [[9, at] for at in range(strip.rows[0].length)])
    assert strip.make_room(16) == []
    assert [row.place for row in rows] != before
    assert min(rooms(strip)) >= 16
    assert [[index, at] for index, row in enumerate(rows) if row is not strip.rows[0] for at in range(row.length)] == [
        each for row in rows if row is not strip.rows[0] for each in kept(strip, row)
    ]
    assert kept(strip, strip.rows[0]) == [[9, at] for at in range(strip.rows[0].length)]


def test_a_row_takes_the_place_of_one_that_ended_without_moving_others():
    strip = Strip(8 * (100 + ROOM))
    rows = filled(strip, *[100] * 8)
    moved = strip.moved
    for row in rows[:4]:
        strip.rows.remove(row)
        assert strip.put(Lying(20))
    assert strip.moved == moved


def test_where_rows_have_room_nothing_is_moved():
    strip = Strip(4 * (50 + ROOM))
    filled(strip, 50, 50)
    moved = strip.moved
    assert strip.make_room(16) == []
    assert strip.moved == moved


def test_when_there_is_no_room_left_the_shortest_row_is_put_out():
    strip = Strip(3 * (50 + ROOM))
    rows = filled(strip, 50, 40, 30)
    strip.rows[0].length += rooms(strip)[0]
    grown = strip.rows[0]
    out = strip.make_room(16)
    assert out == [min(set(rows) - {grown}, key=lambda row: row.length)]
    assert strip.rows == sorted(set(rows) - set(out), key=lambda row: row.place)


def test_a_row_alone_is_never_put_out():
    strip = Strip(1000)
    (row,) = filled(strip, 990)
    row.length = 984
    assert strip.make_room(16) == []
    assert strip.rows == [row]
