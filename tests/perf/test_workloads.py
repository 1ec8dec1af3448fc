"""Online serving, offline throughput and latency, as pytest-benchmark records them."""

import pytest

from fixtures.options import session_options
from fixtures.recording import ReplayTimer, compare_failures
from papergate.performance.metrics import e2e_s
from papergate.verdict import Verdict
from papergate.words import say

TIMER = ReplayTimer()


@pytest.mark.benchmark(timer=TIMER, group="end-to-end latency")
def test_latency_is_measured(measurement, benchmark, pytestconfig, record_property):
    fit, slowdown, language = measurement.fitness, measurement.slowdown, session_options(pytestconfig).language
    benchmark.disabled = not fit.valid  # figures of a run that cannot be used do not go on record
    record(measurement, benchmark)
    if not fit.valid:
        record_property("verdict", Verdict.INCONCLUSIVE)
        if not fit.short_outputs:
            record_property("unfit", "client")
        unusable(measurement, say(fit.note, language))
    failures = compare_failures(pytestconfig, benchmark)
    if failures or slowdown:
        record_property("verdict", Verdict.FAIL if failures else slowdown.verdict)
    if slowdown:
        record_property("slowdown", slowdown.ratio)
    if failures:
        pytest.fail(f"fail: {'; '.join(failures)}", pytrace=False)
    if slowdown and slowdown.verdict is not Verdict.PASS:
        pytest.fail(say(slowdown.note, language), pytrace=False)


def record(measurement, benchmark):
    """Hand the request latencies to pytest-benchmark as its rounds."""
    latencies_s = [e2e_s(request) for request in measurement.run.answered]
    TIMER.load(latencies_s)
    figures = measurement.record.fields()
    benchmark.extra_info.update({name: value for name, value in figures.items() if name != "series"})
    benchmark.pedantic(lambda: None, rounds=len(latencies_s), iterations=1)


def unusable(measurement, why):
    """A measurement that was demanded fails; one that runs because nobody chose another is skipped."""
    if measurement.demanded:
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
