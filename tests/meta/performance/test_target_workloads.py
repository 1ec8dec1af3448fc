"""Workloads that a target's document has: selected by its marker, measured on its deployment, figures by name."""

import json
import os
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from papergate.benchmarks import read_specs
from papergate.errors import OptionsError, WorkloadError
from papergate.performance.load import _bodies
from papergate.performance.options import SpeedOptions, read_speed_setup
from papergate.performance.prompts import Prompt
from papergate.performance.records import ClientLoad, LoadRun, TimedRequest
from papergate.performance.vllm_figures import DIFFERS, figures_of
from papergate.performance.workloads import members_of, read_workload
from papergate.promises import read_promises
from papergate.reports.speed_table import named_lines
from tests.meta.perf_suite import LENIENT, WORKLOAD
from tests.meta.processes import forked
from tests.servers.timed_server import MANNERS, Manner, TimedServer

PROMISES = read_promises(benchmarks=read_specs())
VASTAI = ["vllm-0.7.2-online", "vllm-0.7.2-throughput", "vllm-0.7.2-latency"]


def names(demanded, *, promises=PROMISES, **options):
    setup = read_speed_setup(SpeedOptions(**options), promises, demanded=demanded)
    return list(setup.workloads), setup


def test_a_demanded_target_brings_what_its_document_measures():
    found, setup = names({"vastai"})
    assert found == [f"vastai-vllm-vacc-deepseek-r1-{name}" for name in VASTAI]
    assert {setup.measured_on(name).deployed for name in found} == {"vastai-vllm-vacc-deepseek-r1"}
    assert read_workload(VASTAI[0]).digest == setup.workloads[found[0]].digest


def test_workloads_of_targets_are_left_out_where_others_are_named_or_none_are_wanted():
    usual, setup = names(())
    assert setup.measured_on(usual[0]) is None
    assert names({"a100"})[0] == usual  # its document has none
    assert names({"vastai"}, of_targets=False)[0] == usual
    assert names({"vastai"}, workloads=("latency",))[0] == ["latency"]


def test_workloads_of_deployments_that_only_an_underscore_tells_apart_are_refused():
    """Neither takes the other's place."""
    promise = next(one for one in PROMISES if one.target == "vastai")
    both = [promise.model_copy(update={"target": target}) for target in ("the_card", "the-card")]
    assert len(names({"the_card"}, promises=both)[0]) == len(VASTAI)
    with pytest.raises(OptionsError, match=r"the-card-.* names two workloads"):
        names({"the_card", "the-card"}, promises=both)


def test_a_definition_names_its_workloads():
    assert set(members_of("vllm-0.7.2")) == set(VASTAI)
    assert members_of("latency") == ("latency",)
    assert names((), workloads=("vllm-0.7.2",))[0] == sorted(VASTAI)
    with pytest.raises(WorkloadError, match="no such workload"):
        names((), workloads=("vllm-9",))


def bodies(**changes):
    workload = read_workload(VASTAI[0]).model_copy(update=changes)
    prompts = [Prompt(text=str(n), input_tokens=1, output_tokens=100) for n in range(workload.warmup_requests + 3)]
    server = SimpleNamespace(model="m", ignores_eos=True)
    return [[json.loads(body) for body in part] for part in _bodies(server, workload, prompts)]


def test_warm_up_and_sampling_are_the_tools():
    warmup, measured = bodies()
    assert warmup == measured[:1]
    assert (measured[0]["temperature"], "ignore_eos" in measured[0], "top_p" in measured[0]) == (0.0, False, False)
    latency = read_workload("vllm-0.7.2-latency")
    assert (latency.temperature, latency.top_p, latency.ignore_eos, latency.warmup_requests) == (1.0, 1.0, True, 10)
    whole, _ = bodies(warmup_whole=True, warmup_repeats_first=False, top_p=1.0)
    short, _ = bodies(warmup_repeats_first=False)
    assert (whole[0]["max_tokens"], whole[0]["top_p"], short[0]["max_tokens"]) == (100, 1.0, 64)


def test_digests_of_older_workloads_are_as_they_were():
    """A stored session is compared by it; these were drawn at temperature 0."""
    greedy = {"temperature": 0.0}
    assert {
        name: read_workload(name).model_copy(update=greedy).digest for name in ("online", "latency", "tiny-online")
    } == {
        "online": "842059b052845cdc",
        "latency": "0c3e62464e08dfd7",
        "tiny-online": "af12e1a592b606ad",
    }


def timed(number, sent, chunks):
    times = {"intended_s": sent, "sent_s": sent, "chunks_s": chunks, "last_s": chunks[-1]}
    return TimedRequest(prompt=number, prompt_tokens=10, output_tokens=len(chunks), **times)


RUN = LoadRun(
    workload="w",
    digest="d",
    model="m",
    server="s",
    salt="",
    origin_ns=0,
    requests=(timed(0, 0.0, (0.1, 0.2, 0.3)), timed(1, 1.0, (1.3, 1.5, 1.9))),
    client=ClientLoad(wall_s=2.0, cpu_s=0.1, lateness_s=()),
)


def test_serving_figures_have_the_names_and_definitions_of_vllm():
    found = figures_of(RUN, "vllm-0.7.2-serving")
    assert found["mean_ttft_ms"] == pytest.approx(200)
    assert found["median_ttft_ms"] == pytest.approx(200)
    assert found["std_ttft_ms"] == pytest.approx(100)
    assert found["p99_ttft_ms"] == pytest.approx(298)
    assert found["mean_tpot_ms"] == pytest.approx(1000 * (0.1 + 0.3) / 2)
    assert found["mean_itl_ms"] == pytest.approx(1000 * (0.1 + 0.1 + 0.2 + 0.4) / 4)
    assert (found["completed"], found["duration"]) == (2, pytest.approx(1.9))
    assert found["output_throughput"] == pytest.approx(6 / 1.9)


def test_offline_figures_have_the_names_of_vllm():
    latency = figures_of(RUN, "vllm-0.7.2-latency")
    assert latency["avg_latency"] == pytest.approx(0.6)
    assert list(latency["percentiles"]) == ["10", "25", "50", "75", "90", "99"]
    assert latency["percentiles"]["50"] == pytest.approx(0.6)
    throughput = figures_of(RUN, "vllm-0.7.2-throughput")
    assert throughput["requests_per_second"] == pytest.approx(2 / 1.9)
    assert figures_of(RUN, "") == {}


def test_what_differs_is_printed_with_the_figures():
    record = SimpleNamespace(
        definition="vllm-0.7.2-serving",
        named={"mean_ttft_ms": 12.3456789, "p": None},
        differs=DIFFERS["vllm-0.7.2-serving"],
    )
    first, *differs = named_lines(record)
    assert first.startswith("vllm-0.7.2-serving: mean_ttft_ms 12.3457, p ")
    assert len(differs) == len(DIFFERS["vllm-0.7.2-serving"])
    assert named_lines(SimpleNamespace(named={})) == []


TARGET = """
name = "mine"
title = "my card"
hardware = {{ probe = "any", title = "any" }}
[[deployments]]
name = "attached"
engine = "remote"
model = "plain"
endpoint = "{url}"
workloads = ["{workload}"]
sampling = {{ temperature = 0.6, max_tokens = 100 }}
source = "my notes"
promises = [{{ benchmark = "aime2024", tolerance = "1 problem", score = {{ percent = 50.0, source = "my notes" }} }}]
"""


@pytest.fixture
def session(tmp_path):
    """Runs tests/perf on a target of one's own; the cases of its report."""
    (tmp_path / "targets").mkdir()
    (tmp_path / "mine.toml").write_text(WORKLOAD)
    (tmp_path / "lenient.py").write_text(LENIENT)
    with TimedServer(MANNERS | {"plain": Manner(ttft_s=0.01, itl_s=0.001)}) as server:
        target = TARGET.format(url=server.url, workload=tmp_path / "mine.toml")
        (tmp_path / "targets" / "mine.toml").write_text(target)

        def started(*options):
            command = ["pytest", "tests/perf", "-p", "no:cacheprovider", "-p", "lenient"]
            files = ["--run", str(tmp_path / "run"), "--junitxml", str(tmp_path / "out.xml")]
            environment = os.environ | {"PYTHONPATH": str(tmp_path)}
            environment.pop("PYTEST_XDIST_WORKER", None)
            options = (*options, "--targets", str(tmp_path / "targets"))
            done = forked(*command, *files, *options, env=environment)
            cases = ET.parse(tmp_path / "out.xml").getroot().iter("testcase")
            return {case.get("name"): [child.tag for child in case] for case in cases}, done.stdout + done.stderr

        yield started


def test_the_marker_of_a_target_measures_its_deployment(session):
    cases, said = session("-m", "mine")
    assert list(cases) == ["test_latency_is_measured[mine-attached-mine]"], said
    assert not {"failure", "error", "skipped"} & set(*cases.values()), said


def test_an_option_leaves_them_out(session):
    cases, said = session("-m", "mine", "--no-workloads")
    assert cases == {}, said


def test_they_are_left_out_where_workers_would_disturb_each_other(session):
    cases, said = session("-m", "mine", "-n", "1")
    assert cases == {}, said
