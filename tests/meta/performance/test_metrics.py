import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.engines.records import Completion, Finish
from papergate.errors import RequestsLost
from papergate.performance.metrics import (
    ServiceLevel,
    completion_tpot_s,
    e2e_s,
    goodput_per_s,
    itl_s,
    output_tokens_per_s,
    percentile,
    queueing_s,
    requests_per_s,
    spread,
    summary,
    tokens_per_chunk,
    total_tokens_per_s,
    tpot_s,
    ttft_s,
    window_s,
)
from papergate.performance.records import ClientLoad, LoadRun, TimedRequest, TokenSource
from papergate.performance.series import against_concurrency, over_time
from papergate.performance.validity import fitness, refuse_lost
from papergate.words import say


def request(**changes):
    """Sent at 1.0 s, first text at 1.5 s, three chunks of two tokens each, the last at 2.5 s."""
    fields = {
        "prompt": 0,
        "intended_s": 0.75,
        "sent_s": 1.0,
        "chunks_s": (1.5, 2.0, 2.5),
        "last_s": 2.5,
        "prompt_tokens": 10,
        "output_tokens": 6,
        "tokens_from": TokenSource.USAGE,
        "cut_off": True,
    }
    return TimedRequest(**fields | changes)


FAILED = request(sent_s=0.5, chunks_s=(0.6,), last_s=4.5, output_tokens=None, error="broken")


def run(*requests, **client):
    load = ClientLoad(**{"wall_s": 10.0, "cpu_s": 1.0, "lateness_s": (0.001,) * 100} | client)
    return LoadRun(
        workload="w", digest="d", model="m", server="s", salt="", origin_ns=0, requests=requests, client=load
    )


def test_ttft_is_first_text_minus_sent():
    assert ttft_s(request()) == 0.5


def test_ttft_is_undefined_without_text():
    assert ttft_s(request(chunks_s=())) is None


def test_e2e_is_last_chunk_minus_sent():
    assert e2e_s(request()) == 1.5


def test_e2e_counts_the_chunk_that_ends_without_text():
    assert e2e_s(request(last_s=3.0)) == 2.0


def test_tpot_divides_by_tokens_after_the_first_whatever_the_chunks_hold():
    assert tpot_s(request()) == (1.5 - 0.5) / 5


@pytest.mark.parametrize("tokens", [None, 0, 1])
def test_tpot_is_undefined_below_two_tokens(tokens):
    assert tpot_s(request(output_tokens=tokens)) is None


def test_itl_is_every_gap_between_chunks():
    assert itl_s(request(chunks_s=(1.5, 2.0, 2.75))) == (0.5, 0.75)


def test_tokens_per_chunk_tells_what_a_gap_stands_for():
    assert tokens_per_chunk([request(), FAILED]) == 2.0
    assert tokens_per_chunk([request(), request(output_tokens=None)]) is None
    assert tokens_per_chunk([FAILED]) is None


def test_queueing_is_apart_from_latency():
    late = request(intended_s=0.0)
    assert (queueing_s(late), ttft_s(late), e2e_s(late)) == (1.0, 0.5, 1.5)


@pytest.mark.parametrize("metric", [ttft_s, tpot_s, e2e_s])
def test_failed_request_has_no_latency(metric):
    assert metric(FAILED) is None


def test_failed_request_has_no_gaps():
    assert itl_s(request(error="broken")) == ()


def test_window_spans_failed_requests_too():
    assert window_s([request(), FAILED]) == 4.0


def test_throughput_counts_tokens_of_answered_requests_over_the_whole_window():
    both = [request(), FAILED]
    assert output_tokens_per_s(both) == 6 / 4.0
    assert total_tokens_per_s(both) == 16 / 4.0
    assert requests_per_s(both) == 1 / 4.0


def test_throughput_is_undefined_where_a_count_is_missing():
    assert output_tokens_per_s([request(), request(output_tokens=None)]) is None
    assert total_tokens_per_s([request(), request(prompt_tokens=None)]) is None


def test_nothing_is_defined_without_requests():
    assert window_s([]) is None
    assert requests_per_s([]) is None
    assert percentile([], 50) is None


@pytest.mark.parametrize(
    ("level", "good"),
    [
        (ServiceLevel(ttft_s=0.5, tpot_s=0.2, e2e_s=1.5), 1),
        (ServiceLevel(ttft_s=0.4), 0),
        (ServiceLevel(tpot_s=0.1), 0),
        (ServiceLevel(e2e_s=1.4), 0),
    ],
)
def test_goodput_needs_all_bounds_and_no_failure(level, good):
    assert goodput_per_s([request(), FAILED], level) == good / 4.0


def test_unknown_tokens_meet_no_bound_on_tpot():
    level = ServiceLevel(tpot_s=10.0)
    assert goodput_per_s([request(output_tokens=None)], level) == 0
    assert goodput_per_s([request(output_tokens=1)], level) == pytest.approx(1 / 1.5)


def test_percentile_states_count_and_method():
    found = percentile([4.0, 1.0, 2.0, 3.0], 50)
    assert (found.value, found.count, found.method) == (2.5, 4, "linear")


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=50), st.floats(0, 100))
def test_percentile_is_numpys(values, p):
    numpy = pytest.importorskip("numpy")
    assert percentile(values, p).value == pytest.approx(float(numpy.percentile(values, p)), abs=1e-9)


def test_completion_of_an_accuracy_run_has_the_same_tpot():
    completion = Completion(problem="p", sample=0, text="x", finish=Finish.STOP, output_tokens=6, ttft_s=0.5, e2e_s=1.5)
    assert completion_tpot_s(completion) == tpot_s(request())


def test_summary_counts_failed_requests_apart():
    figures = summary(run(request(), FAILED), ServiceLevel(e2e_s=2.0))
    assert (figures["requests"], figures["failed_requests"], figures["e2e_s"]["count"]) == (2, 1, 1)
    assert figures["goodput_per_s"] == 1 / 4.0


def test_spread_of_nothing_is_its_count():
    assert spread([]) == {"count": 0}


def test_fit_client_is_valid():
    (late,) = fitness(run(request()), open_loop=True).reasons
    assert say(late) == "requests were sent later than intended by (p99) 250.0 ms, below 5 ms is accepted"
    assert fitness(run(request()), open_loop=False).valid


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        ({"lateness_s": (0.001,) * 90 + (0.02,) * 10}, "event loop was late by (p99) 20.0 ms"),
        ({"lateness_s": ()}, "too short"),
        ({"cpu_s": 8.6}, "used 86% of a core"),
    ],
)
def test_unfit_client_is_named(client, reason):
    found = fitness(run(request(), **client), open_loop=False)
    assert reason in say(found.note)
    assert not found.short_outputs


def test_outputs_that_end_early_are_another_workload():
    short = LoadRun(
        workload="w",
        digest="d",
        model="m",
        server="s",
        salt="",
        origin_ns=0,
        settings={"ignore_eos": True},
        requests=(request(), request(cut_off=False)),
        client=run().client,
    )
    found = fitness(short, open_loop=False)
    assert say(found.note).startswith("inconclusive: the run cannot be used: 1 of 2 outputs ended early")
    assert found.short_outputs


def test_lost_requests_are_no_run():
    refuse_lost(run(request()))
    with pytest.raises(RequestsLost, match=r"1 of 2 requests failed: prompt 0: broken"):
        refuse_lost(run(request(), FAILED))


def test_series_holds_every_token_and_every_second_in_flight():
    found = over_time(run(request(), request(sent_s=2.0, chunks_s=(3.0,), last_s=3.0, output_tokens=5)))
    step = found["step_s"]
    assert math.isclose(sum(found["output_tokens_per_s"]) * step, 11)
    assert math.isclose(sum(found["concurrency"]) * step, 1.5 + 1.0)
    assert max(found["concurrency"]) == pytest.approx(2)
    assert [each["start_s"] for each in found["requests"]] == [0.0, 1.0]


def test_series_of_a_run_without_arrivals_is_empty():
    assert over_time(run(request(chunks_s=(), last_s=None, error="broken")))["requests"] == []


def test_sweep_sets_latency_against_concurrency():
    (point,) = against_concurrency([(4, run(request()))])
    assert (point["concurrency"], point["ttft_s_p50"], point["e2e_s_p99"]) == (4, 0.5, 1.5)
