"""When the verdict is taken."""

import pytest

from papergate.statistics.looks import LOOKS, next_look


def looks(**bounds):
    seen, k = [], 0
    while (k := next_look(k, **bounds)) is not None:
        seen.append(k)
    return tuple(seen)


def test_the_looks_are_taken_in_turn():
    assert looks() == LOOKS
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
    assert looks(**bounds) == seen


@pytest.mark.parametrize(("k", "following"), [(5, 6), (13, 14), (64, None), (70, None)])
def test_a_resumed_run_goes_on_to_the_look_that_follows(k, following):
    assert next_look(k) == following
