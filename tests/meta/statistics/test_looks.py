"""When the verdict is taken."""

import pytest

from papergate.statistics.looks import LOOKS, looks_within


def test_the_looks_are_taken_in_turn():
    assert looks_within() == LOOKS
    assert LOOKS[:11] == tuple(range(2, 13))
    assert LOOKS[-1] == 64


@pytest.mark.parametrize(
    ("bounds", "seen"),
    [
        ({"max_samples": 16}, (*range(2, 13), 14, 16)),
        ({"max_samples": 15}, (*range(2, 13), 14, 15)),
        ({"max_samples": 1}, (1,)),
        ({"max_samples": 100}, (*LOOKS, 100)),
        ({"fixed": 5}, (5,)),
        ({"fixed": 128}, (128,)),
    ],
)
def test_the_last_look_is_at_the_bound(bounds, seen):
    assert looks_within(**bounds) == seen
