import math
import random
from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.errors import WorkloadError
from papergate.performance.load import turns
from papergate.performance.records import ClientLoad, LoadRun, TimedRequest
from papergate.performance.regression.live import refuse_unequal
from papergate.performance.regression.rule import (
    RESTART_SD,
    Gate,
    balanced,
    clusters_of,
    hodges_lehmann,
    judge_slowdown,
    log_ratios,
    t_probability,
    t_quantile,
)
from papergate.performance.regression.stored import against_stored
from papergate.verdict import Verdict
from papergate.words import say


def spread_clusters(centre, *, clusters=8, sd=0.001):
    source = random.Random(0)
    return [[source.gauss(centre, sd) for _ in range(8)] for _ in range(clusters)]


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.7062), (2, 4.30265), (3, 3.18245), (7, 2.36462), (30, 2.04227)]
)
def test_t_quantile_is_the_tables(freedom, quantile):
    assert t_quantile(0.975, freedom) == pytest.approx(quantile, rel=1e-5)


@given(st.floats(0, 20), st.integers(1, 60))
def test_t_probability_is_scipys(t, freedom):
    stats = pytest.importorskip("scipy.stats")
    assert t_probability(t, freedom) == pytest.approx(float(stats.t.cdf(t, freedom)), abs=1e-12)


def test_hodges_lehmann_is_the_median_of_walsh_averages():
    assert hodges_lehmann([1.0, 2.0, 10.0]) == pytest.approx(3.75)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.floats(-1, 1))
def test_hodges_lehmann_moves_with_its_values(values, shift):
    assert hodges_lehmann([v + shift for v in values]) == pytest.approx(hodges_lehmann(values) + shift, abs=1e-9)


@pytest.mark.parametrize(
    ("centre", "verdict"),
    [
        (-0.2, Verdict.PASS),
        (0.0, Verdict.PASS),
        (0.04, Verdict.PASS),
        (0.06, Verdict.FAIL),
        (0.1, Verdict.FAIL),
    ],
)
def test_verdict_follows_the_slowdown(centre, verdict):
    assert judge_slowdown(spread_clusters(centre, sd=0.005), Gate(), unseen_sd=0.0).verdict is verdict


def test_clusters_that_disagree_prove_nothing():
    clusters = [[centre] * 20 for centre in (0.3, -0.1, 0.25, -0.05)]
    found = judge_slowdown(clusters, Gate(), unseen_sd=0.0)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.comparisons, found.clusters) == (80, 4)


def test_restarts_that_were_not_seen_widen_the_interval():
    clusters = spread_clusters(0.04)
    assert judge_slowdown(clusters, Gate(), unseen_sd=0.0).verdict is Verdict.PASS
    assert judge_slowdown(clusters, Gate(), unseen_sd=RESTART_SD).verdict is Verdict.INCONCLUSIVE


def test_too_few_clusters_are_refused():
    with pytest.raises(WorkloadError, match="at least 3"):
        judge_slowdown([[0.1], [0.1], []], Gate(), unseen_sd=0.0)


def test_sentence_says_seen_and_meant():
    found = judge_slowdown([[0.1, 0.1]] * 3, Gate(), unseen_sd=0.0)
    assert say(found.note) == "fail: +10.5% latency [+10.5%, +10.5%] against the baseline (6 comparisons in 3 clusters)"


def test_turns_are_abba():
    assert list(turns(5, 2)) == [(0, 0), (1, 0), (1, 2), (0, 2), (0, 4), (1, 4)]


def test_pairs_are_of_the_same_prompt():
    def answered(prompt, last_s, **changes):
        return TimedRequest(prompt=prompt, intended_s=0.0, sent_s=0.0, chunks_s=(last_s,), last_s=last_s, **changes)

    new = [answered(0, 2.0), answered(1, 3.0), answered(2, 5.0, error="lost")]
    old = [answered(1, 1.5), answered(0, 4.0), answered(2, 1.0)]
    assert log_ratios(new, old) == [math.log(0.5), math.log(2)]


def test_order_cancels_between_a_block_and_the_next():
    assert balanced([1.0, 2.0, 3.0, 6.0, 9.0], 2) == [2.0, 4.0]
    assert balanced([1.0, -1.0, 0.5], 1) == [0.0]


def test_clusters_keep_neighbours_and_every_pair():
    assert clusters_of([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4, 5]]


def simulated(source, slowdown, *, restarts=4, pairs=25):
    """Log ratios as in a published simulation: request noise .08, machine state AR(1) sd .06, restart effect .015."""
    for _ in range(restarts):
        state, start = source.gauss(0, 0.06), source.gauss(0, 0.015) - source.gauss(0, 0.015)
        cluster = []
        for pair in range(pairs):
            sides = []
            for _ in range(2):
                state = 0.9 * state + source.gauss(0, 0.06 * math.sqrt(1 - 0.81))
                straggler = math.log(4) if source.random() < 0.01 else 0.0
                sides.append(state + source.gauss(0, 0.08) + straggler)
            sign = 1 if pair % 2 == 0 else -1
            cluster.append(sign * (sides[0] - sides[1]) + start + math.log1p(slowdown))
        yield cluster


@pytest.mark.parametrize(("slowdown", "least", "most"), [(0.0, 0.0, 0.05), (0.1, 0.9, 1.0)])
def test_gate_errs_as_rarely_as_it_says(slowdown, least, most):
    source = random.Random(20)
    verdicts = [judge_slowdown(list(simulated(source, slowdown)), Gate(), unseen_sd=0.0).verdict for _ in range(400)]
    assert least <= fmean(verdict is Verdict.FAIL for verdict in verdicts) <= most


def loaded(*output_tokens):
    requests = tuple(
        TimedRequest(prompt=n, intended_s=0.0, sent_s=0.0, chunks_s=(1.0,), last_s=1.0, output_tokens=tokens)
        for n, tokens in enumerate(output_tokens)
    )
    client = ClientLoad(wall_s=1.0, cpu_s=0.1, lateness_s=(0.0,))
    return LoadRun(
        workload="w", digest="d", model="m", server="s", salt="", origin_ns=0, requests=requests, client=client
    )


def test_outputs_of_different_lengths_are_no_pair():
    with pytest.raises(WorkloadError, match="1 of 3 prompts got outputs of different lengths"):
        refuse_unequal(loaded(4, 5, 6), loaded(4, 5, 7))
    refuse_unequal(loaded(4, 5), loaded(4, 5))


def test_stored_run_with_other_outputs_is_not_compared():
    entry = {"stats": {"data": [1.0, 1.0]}, "extra_info": {"metrics": {"output_tokens": 9}}}
    with pytest.raises(WorkloadError, match="outputs have 9 tokens, this run's 10"):
        against_stored(loaded(5, 5), entry, Gate())


def test_stored_run_without_single_latencies_is_not_compared():
    with pytest.raises(WorkloadError, match="--benchmark-json FILE"):
        against_stored(loaded(5), {"stats": {}}, Gate())


def test_stored_baseline_proves_large_slowdowns_alone():
    entry = {"stats": {"data": [1.0] * 20}, "extra_info": {"metrics": {"output_tokens": 100}}}
    for seconds, verdict in (
        (0.8, Verdict.PASS),
        (1.0, Verdict.INCONCLUSIVE),
        (1.1, Verdict.INCONCLUSIVE),
        (1.3, Verdict.FAIL),
    ):
        run = loaded(*[5] * 20)
        slow = replace(run, requests=tuple(replace(each, last_s=seconds) for each in run.requests))
        assert against_stored(slow, entry, Gate()).verdict is verdict
