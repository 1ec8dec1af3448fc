"""Processes that test one session's promises share its requests, its rate and its count of failures."""

import pytest

from papergate.acceptance.workers import Workers
from papergate.completions.policy import Policy
from papergate.errors import OptionsError


@pytest.mark.parametrize(
    ("workers", "promises", "given", "share"),
    [(1, 3, 64, 64), (2, 2, 64, 32), (3, 9, 64, 21), (8, 2, 64, 32), (4, 4, None, 4)],
)
def test_requests_in_flight_are_those_of_the_session(workers, promises, given, share):
    policy = Workers(count=workers).share_of(Policy(concurrency=given), 16, promises=promises)
    assert policy.concurrency == share
    assert share * min(workers, promises) <= (given or 16)


def test_the_rate_is_that_of_the_session():
    assert Workers(count=4).share_of(Policy(requests_per_s=2.0), 64, promises=9).requests_per_s == 0.5


def test_more_workers_than_requests_are_refused():
    with pytest.raises(OptionsError, match="1 requests in flight cannot be shared by 2 workers"):
        Workers(count=2).share_of(Policy(concurrency=1), 64, promises=2)


def test_a_failure_counts_once_in_every_process(tmp_path):
    one, other, alone = Workers(count=2, shared=tmp_path), Workers(count=2, shared=tmp_path), Workers()
    for workers in (one, other, other, alone):
        workers.fail("a")
    one.fail("b")
    assert (one.failed, other.failed, alone.failed) == (2, 2, 1)
