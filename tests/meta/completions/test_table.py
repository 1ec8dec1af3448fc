"""Records in columns are those that were put in, whatever they hold, and take a tenth of the memory."""

import tracemalloc
from dataclasses import dataclass, replace

import pytest

from papergate.acceptance import Receipt
from papergate.completions.table import Places, Planned, Table, column
from papergate.diagnosis.kinds import Kind
from papergate.engines import Finish


@dataclass(frozen=True, kw_only=True, slots=True)
class One:
    word: str | None = None
    count: int | None = None
    seconds: float | None = None
    right: bool = False
    digest: bytes = b"0123"


ODD = [
    One(),
    One(word="a", count=0, seconds=0.0, right=True, digest=b"abcd"),
    One(word="a", count=-1, seconds=-0.5),
    One(count=2**63 - 1, seconds=1e300),
    One(count=2**80),  # more than a column holds, as a file may state it
    One(count="many", seconds="long"),
    One(count=3.5),
]


def table_of(records):
    table = Table(One)
    for sample, record in enumerate(records):
        table.put(("p", sample), record)
    return table


def test_each_record_is_read_as_it_was_put_in():
    table = table_of(ODD)
    assert [table["p", sample] for sample in range(len(ODD))] == ODD
    assert [*column(table, "count")] == [one.count for one in ODD]
    assert (len(table), ("p", len(ODD)) in table, ("q", 0) in table) == (len(ODD), False, False)


@pytest.mark.parametrize("first", ODD)
@pytest.mark.parametrize("then", ODD)
def test_a_record_in_the_place_of_another_leaves_nothing_of_it(first, then):
    table = table_of([first, ODD[1]])
    table.put(("p", 0), then)
    assert [*table.values()] == [then, ODD[1]]


def test_a_plan_has_its_samples_problem_after_problem_and_no_later_ones():
    table = Table(One)
    for sample in (2, 0, 1):
        for problem in ("late", "early"):
            table.put((problem, sample), One(word=f"{problem} {sample}"))
    planned = Planned(table, {"early": 2, "late": 1, "absent": 3})
    table.put(("early", 5), One())
    assert [*planned] == [("early", 0), ("early", 1), ("late", 0)]
    assert [*column(planned, "word")] == ["early 0", "early 1", "late 0"]
    assert (len(planned), ("early", 2) in planned, ("absent", 0) in planned) == (3, False, False)
    with pytest.raises(KeyError):
        planned["early", 2]
    assert dict(planned) == {key: table[key] for key in planned}


def test_columns_of_a_dictionary_are_read_alike():
    records = {("p", 0): One(word="a"), ("p", 1): One(word="b")}
    assert [*column(records, "word")] == ["a", "b"]


def test_places_keep_the_order_in_which_they_came():
    places = Places()
    for start, key in enumerate([("b", 7), ("a", 0), ("b", 1)]):
        places.put(key, (start, 10))
    places.put(("a", 0), (99, 1))
    assert [*places.items()] == [(("b", 7), (0, 10)), (("a", 0), (99, 1)), (("b", 1), (2, 10))]


@pytest.mark.parametrize("sample", [10**6, 2**40, 2**64 - 1])
def test_samples_far_apart_take_no_more_memory_than_others(sample):
    tracemalloc.start()
    try:
        places = Places()
        for problem in range(100):
            places.put((f"p{problem}", sample), (problem, 1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200_000
    assert places["p7", sample] == (7, 1)
    assert [*places][7] == ("p7", sample)


def test_receipts_of_a_large_run_take_a_tenth_of_the_memory_of_objects():
    one = Receipt(problem="p", sample=0, finish=Finish.STOP, digest=b"", characters=0, kind=Kind.COMPLETE)
    count = 20_000
    tracemalloc.start()
    try:
        table = Table(Receipt)
        for number in range(count):
            receipt = replace(
                one,
                sample=number,
                digest=number.to_bytes(16, "big"),
                characters=1000 + number,
                endpoint=f"http://10.0.0.{number % 8}:8000",
                output_tokens=1000 + number,
                ttft_s=number / 7,
                e2e_s=number / 3,
            )
            table.put(("p", number), receipt)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 130 * count
