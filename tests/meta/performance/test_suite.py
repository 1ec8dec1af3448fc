"""tests/perf as its user runs it: a process of its own, against a server that answers at once."""

import json

import pytest

from papergate.exit_codes import ExitCode
from papergate.performance.collector import AVAILABLE
from tests.meta.perf_suite import LENIENT, TEST, WORKLOAD, AttachedSuite
from tests.servers import timed_server
from tests.servers.timed_server import MANNERS, Manner, TimedServer


@pytest.fixture(scope="module")
def server():
    paced = Manner(ttft_s=0.01, itl_s=0.001)
    unhurried = Manner(ttft_s=0.2, itl_s=0.001)  # a busy machine takes little beside it
    with TimedServer(MANNERS | {"plain": paced, "other": paced, "unhurried": unhurried}) as running:
        yield running


@pytest.fixture
def suite(server, tmp_path):
    return AttachedSuite(tmp_path, server)


@pytest.fixture(scope="module")
def stored(server, tmp_path_factory):
    """What one run recorded, as text; it is the earlier run of others."""
    folder = tmp_path_factory.mktemp("stored")
    AttachedSuite(folder, server).run(f"--benchmark-json={folder}/record.json")
    return (folder / "record.json").read_text()


@pytest.fixture
def record(stored):
    return json.loads(stored)


def test_request_latencies_go_on_record_with_tokens_and_engine(suite):
    suite.run(f"--benchmark-json={suite.folder}/record.json")
    outcome, _, properties = suite.case
    assert outcome == "passed", suite.output
    (entry,) = suite.recorded()["benchmarks"]
    assert entry["fullname"] == f"{TEST}[mine]"
    info = entry["extra_info"]
    assert entry["stats"]["rounds"] == len(entry["stats"]["data"]) == info["metrics"]["requests"] == 8
    assert entry["stats"]["median"] == pytest.approx(info["metrics"]["e2e_s"]["p50"])
    assert (info["metrics"]["output_tokens"], info["engine"], info["model"]) == (40, "timed 1.0", "plain")
    assert info["metrics"]["ttft_s"].keys() == {"count", "mean", "p50", "p90", "p99", "method"}
    assert properties["output_tokens"] == "40"
    assert info["client"]["stamps"] == ("kernel" if AVAILABLE else "event loop")
    series = json.loads((suite.folder / "run/performance/mine.json").read_text())["series"]
    assert len(series["requests"]) == 8
    (point,) = json.loads((suite.folder / "run/performance/against-concurrency.json").read_text())
    assert (point["workload"], point["concurrency"]) == ("mine", 1)
    assert "papergate speed" in suite.output
    assert "recorded  yes " in suite.output
    assert "Speed of plain" in (suite.folder / "run/report.html").read_text()


@pytest.mark.parametrize("options", [("-n", "2"), ("--benchmark-disable",)])
def test_session_that_would_record_nothing_is_an_error_with_its_remedy(suite, options):
    suite.run(*options)
    outcome, message, _ = suite.case
    assert (outcome, suite.status) == ("error", ExitCode.ERROR)
    assert "with -n 0" in message or "leave it out" in message


def test_missing_from_the_compared_session_is_an_error(suite, record):
    record["benchmarks"][0]["fullname"] = "another"
    (suite.folder / "old.json").write_text(json.dumps(record))
    suite.run(f"--benchmark-compare={suite.folder}/old.json")
    outcome, message, _ = suite.case
    assert outcome == "error"
    assert f"holds nothing of {TEST}[mine]" in message


def test_compare_fail_fails_the_test_it_is_about(suite, record):
    record["benchmarks"][0]["stats"] |= {"median": 1e-6, "mean": 1e-6}
    (suite.folder / "old.json").write_text(json.dumps(record))
    compare = f"--benchmark-compare={suite.folder}/old.json"
    suite.run(compare, "--benchmark-compare-fail=median:5%")
    outcome, message, properties = suite.case
    assert (outcome, suite.status) == ("failure", 1)
    assert "Field 'median' has failed PercentageRegressionCheck" in message
    assert properties["verdict"] == "fail"
    assert "1 failed" in suite.output
    assert suite.run(compare).case[0] == "passed"


@pytest.mark.parametrize("option", ["--benchmark-compare-fail=median:5%", "--benchmark-compare=0999"])
def test_comparison_with_nothing_is_refused(suite, option):
    suite.run(option)
    assert suite.status == pytest.ExitCode.USAGE_ERROR
    assert "give --benchmark-compare" in suite.output


def test_stored_baseline_of_a_much_faster_run_fails(suite, record):
    stats = record["benchmarks"][0]["stats"]
    stats["data"] = [value / 3 for value in stats["data"]]
    (suite.folder / "old.json").write_text(json.dumps(record))
    suite.run(f"--baseline={suite.folder}/old.json")
    outcome, message, properties = suite.case
    assert (outcome, properties["verdict"]) == ("failure", "fail")
    assert "against the baseline (8 comparisons" in message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"digest": "0"}, "has the digest '0', this run"),
        ({"model": "m"}, "has the model 'm', this run 'plain'"),
    ],
)
def test_baseline_of_another_workload_or_model_is_an_error(suite, record, change, said):
    record["benchmarks"][0]["extra_info"] |= change
    (suite.folder / "old.json").write_text(json.dumps(record))
    outcome, message, _ = suite.run(f"--baseline={suite.folder}/old.json").case
    assert outcome == "error"
    assert said in message


def test_baseline_that_is_no_file_of_runs_is_an_error(suite):
    (suite.folder / "old.json").write_text("{}")
    outcome, message, _ = suite.run(f"--baseline={suite.folder}/old.json").case
    assert outcome == "error"
    assert "accepted: an address such as" in message


def test_baseline_that_is_nothing_known_is_refused_before_anything_is_asked(suite):
    suite.run("--baseline=nowhere.json")
    assert suite.status == pytest.ExitCode.USAGE_ERROR
    assert "--baseline nowhere.json: accepted is an address, a file, or a deployment" in suite.output


def test_live_baseline_that_is_ten_times_as_fast_fails(suite):
    fast = Manner(ttft_s=0.02, itl_s=0.0001)
    with TimedServer({"unhurried": fast}) as baseline:
        outcome, message, properties = suite.run(f"--baseline={baseline.url}", model="unhurried").case
    assert (outcome, properties["verdict"]) == ("failure", "fail")
    assert "8 comparisons in 8 clusters" in message


def test_lost_requests_are_an_error_and_no_earlier_figures_stand_in_their_place(suite):
    suite.run()
    outcome, message, _ = suite.run(model="error-midway").case
    assert outcome == "error"
    assert "8 of 8 requests failed" in message
    assert not (suite.folder / "run/performance/mine.json").exists()
    page = (suite.folder / "run/report.html").read_text()
    assert "8 of 8 requests failed" in page
    assert "<svg" not in page


def test_unfit_client_is_inconclusive_and_leaves_no_figures(suite):
    (suite.folder / "lenient.py").write_text(LENIENT.replace("1e9", "0.0"))  # no client is that fit
    suite.run(f"--benchmark-json={suite.folder}/record.json")
    outcome, message, properties = suite.case
    assert (outcome, properties["verdict"], properties["unfit"]) == ("failure", "inconclusive", "client")
    assert "inconclusive: the run cannot be used: the client's event loop was late" in message
    assert not (suite.folder / "record.json").exists()
    suite.assert_no_figures()


def test_outputs_that_the_server_ends_early_are_not_blamed_on_the_client(suite, monkeypatch):
    whole = timed_server._chunk
    monkeypatch.setattr(timed_server, "_chunk", lambda delta, finish=None: whole(delta, finish and "stop"))
    outcome, message, properties = suite.run().case
    assert (outcome, properties["verdict"]) == ("failure", "inconclusive")
    assert "the run cannot be used: 8 of 8 outputs ended early although the server accepts ignore_eos" in message
    assert "unfit" not in properties
    suite.assert_no_figures()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "nobody"}, "does not serve 'nobody'"),
        ({"model": "whole"}, "where a stream was asked for"),
        ({"workload": "long.toml"}, "needs 90010 tokens of context, the server has 8192"),
    ],
)
def test_what_cannot_be_measured_is_an_error(suite, change, said):
    long = WORKLOAD.replace("output_tokens = 5", "output_tokens = 90000")
    (suite.folder / "long.toml").write_text(long)
    outcome, message, _ = suite.run(**change).case
    assert outcome == "error"
    assert said in message


def test_zero_prompts_are_refused_before_anything_is_asked(suite):
    (suite.folder / "none.toml").write_text(WORKLOAD.replace("count = 8", "count = 0"))
    suite.run(workload="none.toml")
    assert suite.status == pytest.ExitCode.USAGE_ERROR
    assert "count: Input should be greater than or equal to 1" in suite.output


def test_one_latency_belongs_to_one_endpoint(suite, server):
    outcome, message, _ = suite.run("--endpoint", server.url).case
    assert outcome == "error"
    assert "give one --endpoint" in message
