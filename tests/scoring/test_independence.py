"""A grade depends on the two answers alone: not on what was graded before, nor on where its caller stands."""

import random
import sys
import threading

import pytest

from papergate.scoring import equivalence, equivalent
from papergate.scoring.answers import numeric, units
from papergate.scoring.stack import FRAMES, apart

PRODUCT = (r"\prod_{k=1}^{100} (x+k)", r"\prod_{j=1}^{100} (j+x)")
NESTS = (
    ("{", "7", "}"), ("(", "x", ")"), (r"\sqrt{", "x", "}"), (r"\frac{1}{1+", "x", "}"), (r"\sin(", "x", ")"),
    (r"\text{", "a", "}"), ("x^{", "2", "}"), ("-", "1", ""), ("|", "x", "|"), ("1+(", "1", ")"), ("1^", "1", ""),
)  # fmt: skip
PAIRS = [
    pair
    for times in (5, 20, 45, 150, 1_000)
    for opening, inside, closing in NESTS
    for pair in ((opening * times + inside + closing * times, inside), (inside, opening * times + inside))
]


def forget():
    for module in (equivalence, numeric, units):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def results():
    forget()
    return [equivalent(*pair) for pair in PAIRS]


@pytest.fixture(scope="module")
def plain():
    return results()


def test_what_was_graded_before_changes_no_grade():
    forget()
    first = equivalent(*PRODUCT)
    assert first.reason.startswith("step limit")
    equivalent(PRODUCT[0], "1")
    equivalent("1", PRODUCT[1])
    assert equivalent(*PRODUCT) == first


def test_the_depth_of_the_caller_changes_no_grade(plain):
    def down(frames):
        return down(frames - 1) if frames else results()

    assert down(sys.getrecursionlimit() - len(list(iter_frames())) - 120) == plain


def iter_frames():
    frame = sys._getframe()
    while frame:
        yield frame
        frame = frame.f_back


@pytest.mark.parametrize("limit", [300, FRAMES])
def test_the_recursion_limit_of_the_caller_changes_no_grade_and_stays(plain, limit):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        assert results() == plain
        assert sys.getrecursionlimit() == limit
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize("kibibytes", [128, 1024])
def test_the_stack_of_the_caller_changes_no_grade_and_stays(plain, kibibytes):
    found = []
    before = threading.stack_size(kibibytes << 10)
    try:
        thread = threading.Thread(target=lambda: found.extend(results()))
        thread.start()
        thread.join()
        assert threading.stack_size() == kibibytes << 10
    finally:
        threading.stack_size(before)
    assert found == plain


def test_many_threads_at_once_change_no_grade(plain):
    orders = [random.Random(seed).sample(range(len(PAIRS)), len(PAIRS)) for seed in range(4)]
    found = [dict[int, object]() for _ in orders]

    def grade(order, kept):
        kept.update((at, equivalent(*PAIRS[at])) for at in order)

    threads = [threading.Thread(target=grade, args=pair) for pair in zip(orders, found, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[kept[at] for at in range(len(PAIRS))] for kept in found] == [plain] * len(orders)


def test_a_stack_of_its_own_returns_and_raises_what_the_work_does():
    assert apart(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 // 0)


@pytest.mark.parametrize("text", ["^".join("1" * 60), "f(x)=g(y)=" * 30 + "x", "P(" * 40 + "5" + ",2)" * 40])
def test_a_part_that_is_read_in_two_ways_does_not_double_the_work_of_what_it_holds(text):
    for pair in ((text, "7"), ("7", text)):
        assert equivalent(*pair, steps=40_000).equal is not True
