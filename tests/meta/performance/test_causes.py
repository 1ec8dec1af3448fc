"""What stands between a server and its figures is named, and an honest stream is left alone."""

import pytest

from papergate.performance.causes import causes_of_figures
from papergate.performance.load import request_body
from papergate.performance.prompts import Prompt
from papergate.performance.records import ClientLoad, LoadRun, TimedRequest, TokenSource
from papergate.performance.workloads import read_workload
from papergate.promises.records import Sampling
from papergate.words import say

CLIENT = ClientLoad(wall_s=10, cpu_s=1, lateness_s=(0.0,))


def request(number, *, chunks, sent=0.0, tokens=64, counted=TokenSource.USAGE):
    return TimedRequest(
        prompt=number,
        intended_s=sent,
        sent_s=sent,
        chunks_s=tuple(chunks),
        last_s=chunks[-1],
        output_tokens=tokens,
        tokens_from=counted,
    )


def run_of(requests):
    return LoadRun(
        workload="w", digest="d", model="m", server="s", salt="x", origin_ns=0, requests=tuple(requests), client=CLIENT
    )


def even(start, *, tokens=64, step=0.02):
    return [start + 0.2 + n * step for n in range(tokens)]


def rounds(places, *, turns=4):
    """``turns`` times ``places`` requests, sent together and answered in even steps."""
    begun = [2.0 * (n // places) for n in range(places * turns)]
    return [request(n, sent=at, chunks=even(at)) for n, at in enumerate(begun)]


def codes(requests, concurrency=8):
    return [one.code for one in causes_of_figures(run_of(requests), concurrency=concurrency)]


def test_an_honest_stream_is_left_alone():
    assert codes(rounds(8)) == []
    assert codes(rounds(1), concurrency=1) == []
    assert codes([]) == []
    drawn_ahead = [request(n, chunks=even(0.0, tokens=16, step=0.08)) for n in range(32)]  # four tokens a chunk
    assert codes(drawn_ahead, concurrency=None) == []


def test_answers_that_come_whole_at_their_end_are_held_back():
    held = [request(n, chunks=[1.5, 1.5001, 1.5002]) for n in range(10)]
    (cause,) = causes_of_figures(run_of(held), concurrency=None)
    assert (cause.code, cause.values) == ("speed_held_back", {"count": 10, "of": 10})
    assert "proxy_buffering off" in say(cause)
    assert codes([request(n, chunks=[1.5]) for n in range(10)], concurrency=None) == ["speed_held_back"]


@pytest.mark.parametrize(
    "chunks",
    [
        [0.2 + n // 16 * 0.3 + n % 16 * 1e-5 for n in range(64)],  # sixteen at a time
        [0.2 + n * 0.3 for n in range(4)],  # sixteen tokens in one
    ],
)
def test_bursts_are_named(chunks):
    assert codes([request(n, chunks=chunks) for n in range(10)], concurrency=None) == ["speed_bursts"]


def test_fewer_answers_at_once_than_asked_are_a_limit():
    begun = [1.5 * (n // 4) for n in range(32)]  # four at once; the other four of eight wait for their turn
    queued = [request(n, sent=max(0.0, at - 1.5), chunks=even(at)) for n, at in enumerate(begun)]
    (cause,) = causes_of_figures(run_of(queued), concurrency=8)
    assert (cause.code, cause.values) == ("speed_limit", {"most": 4, "asked": 8})


def test_tokens_that_the_server_does_not_count_are_named():
    by_tokenizer = [request(n, chunks=even(0.0), counted=TokenSource.TOKENIZER) for n in range(4)]
    assert codes(by_tokenizer, concurrency=None) == ["speed_counted_by_tokenizer"]
    unknown = [request(n, chunks=even(0.0), tokens=None, counted=TokenSource.UNKNOWN) for n in range(4)]
    assert codes(unknown, concurrency=None) == ["speed_not_counted"]


class Served:
    model, ignores_eos = "m", False


def test_requests_are_drawn_as_the_deployment_draws_unless_the_workload_says_otherwise():
    plain = read_workload("tiny-latency")
    prompt = Prompt(text="?", input_tokens=1, output_tokens=4)
    assert b"temperature" not in request_body(Served, plain, prompt)
    drawn = plain.drawn_as(Sampling(temperature="0.6", top_p="0.95", max_tokens=8))
    assert b'"temperature":0.6,"top_p":0.95' in request_body(Served, drawn, prompt)
    stated = plain.model_copy(update={"temperature": 0.0}).drawn_as(Sampling(temperature="0.6", max_tokens=8))
    assert b'"temperature":0.0' in request_body(Served, stated, prompt)
