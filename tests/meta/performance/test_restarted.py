"""Deployments that papergate starts itself: measured, and compared over restarts; a double stands in for vLLM."""

import json
import sys
from pathlib import Path

import pytest

from papergate.errors import PromiseError
from papergate.promises import read_targets
from papergate.promises.files import read_target
from tests.meta.perf_suite import LENIENT, Suite

DOUBLE = Path(__file__).parents[2] / "servers" / "timed_vllm.py"
TARGET = """
name = "mine"
title = "mine"
hardware = { probe = "cpu", title = "any CPU" }
"""
DEPLOYMENT = """
[[deployments]]
name = "%s"
engine = "%s"
model = "%s"
%s
sampling = { temperature = 0.6, max_tokens = 256 }
source = "me"
promises = [{ benchmark = "tiny-aime", tolerance = "1 problem", score = { percent = 74.0, source = "me" } }]
"""
PER_RUN = 9
"""Requests of one run of the workload: eight and a warm-up."""


class DeploymentSuite(Suite):
    """tests/perf with a target file of its own, whose vLLM is the double."""

    def __init__(self, folder):
        super().__init__(folder)
        self.target, self._diary = folder / "mine.toml.d" / "mine.toml", folder / "diary"
        self.target.parent.mkdir()
        self.interpreter = _interpreter(folder / "python")
        self.write(
            self.deployed("a"),
            self.deployed("b"),
            self.deployed("slow", "--ttft", "0.25"),
            self.deployed("broken", "--fails-after", "3"),
            self.deployed("short", "--short", "1"),
            self.deployed("too-big", "--too-big"),
            self.deployed("stranger", model="org/stranger"),
            self.deployed("other", engine="huggingface"),
        )

    def write(self, *deployments):
        self.target.write_text(TARGET + "".join(deployments))

    def deployed(self, name, *flags, engine="vllm", model="tiny"):
        words = json.dumps(["--diary", str(self._diary), "--diary-name", name, *flags])
        return DEPLOYMENT % (name, engine, model, f'python = "{self.interpreter}"\nflags = {words}')

    def run(self, *options, deployment="mine-a", **arguments):
        return super().run("--targets", str(self.target.parent), "--deployment", deployment, *options, **arguments)

    @property
    def diary(self):
        """Who was started, and what was asked of it."""
        starts = self._diary.read_text().split("start ")[1:]
        return [(start.split()[0], start.split()[1:]) for start in starts]


def _interpreter(script):
    """An interpreter whose vLLM is the double."""
    script.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = -m ]; then shift 2; exec "{sys.executable}" "{DOUBLE}" "$@"; fi\n'
        'echo "{}"\n'  # what the environment script prints: nothing is worth the import of torch here
    )
    script.chmod(0o755)
    return script


@pytest.fixture
def suite(tmp_path):
    return DeploymentSuite(tmp_path)


def test_deployment_is_started_once_measured_and_ended(suite):
    suite.run(f"--benchmark-json={suite.folder}/record.json")
    assert suite.case[0] == "passed", suite.output
    (entry,) = suite.recorded()["benchmarks"]
    assert (entry["extra_info"]["model"], entry["extra_info"]["metrics"]["output_tokens"]) == ("tiny", 40)
    assert [name for name, _ in suite.diary] == ["a"]
    assert not list((suite.folder / "run/servers").glob("*/server.json"))


def test_two_deployments_are_started_in_turns_and_each_pair_is_asked_the_same(suite):
    suite.run("--baseline=mine-b", "--restarts=3", f"--benchmark-json={suite.folder}/record.json")
    _, message, properties = suite.case
    assert "8 comparisons" not in message
    assert properties["verdict"] in {"pass", "fail", "inconclusive"}, suite.output
    names, asked = zip(*suite.diary, strict=True)
    assert names == ("a", "b", "b", "a", "a", "b")
    assert asked[0::2] == asked[1::2]
    assert len({digest for prompts in asked for digest in prompts}) == 3 * PER_RUN
    info = suite.recorded()["benchmarks"][0]["extra_info"]
    assert (info["slowdown"]["clusters"], info["slowdown"]["comparisons"]) == (3, 24)
    assert info["baseline"] == {"name": "mine-b", "engine": "timed 1.0"}


def test_deployment_that_is_many_times_as_slow_fails(suite):
    outcome, message, properties = suite.run("--baseline=mine-a", "--restarts=3", deployment="mine-slow").case
    assert (outcome, properties["verdict"]) == ("failure", "fail"), suite.output
    assert "24 comparisons in 3 clusters" in message


def test_deployment_beside_itself_shows_the_noise_and_both_sides_are_named(suite):
    suite.run("--baseline=mine-a", "--restarts=3")
    assert [name for name, _ in suite.diary] == ["a"] * 6
    record = suite.recorded("run/performance/mine.json")
    assert (record["deployment"], record["baseline"]["name"]) == ("mine-a", "mine-a")
    assert record["slowdown"]["comparisons"] == 24


def test_unfit_client_in_any_start_leaves_the_comparison_open(suite):
    half_unfit = LENIENT + (
        "from papergate.performance.regression import restarted\n"
        "from papergate.performance import validity as v\n"
        "from papergate.run_folder.notes import note\n"
        "seen = []\n"
        "def fitness(run, *, open_loop):\n"
        "    seen.append(run)\n"
        "    found = v.fitness(run, open_loop=open_loop)\n"
        "    return found if len(seen) != 4 else v.Fitness(\n"
        "        lateness_p99_s=found.lateness_p99_s, cpu=found.cpu, queueing_p99_s=None,\n"
        "        reasons=(note('client_untold'),)\n"
        "    )\n"
        "restarted.fitness = fitness\n"
    )
    (suite.folder / "lenient.py").write_text(half_unfit)
    outcome, message, properties = suite.run("--baseline=mine-a", "--restarts=3", deployment="mine-slow").case
    assert (outcome, properties["verdict"]) == ("failure", "inconclusive"), suite.output
    assert "start 2 of the baseline: the run was too short" in message
    assert properties["unfit"] == "client"
    suite.assert_no_figures()


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        ("mine-broken", "8 of 8 requests failed"),
        ("mine-short", "8 of 8 prompts got outputs of different lengths"),
        ("mine-too-big", "free the device"),
    ],
)
def test_baseline_that_cannot_be_compared_with_is_an_error_and_leaves_no_server(suite, baseline, said):
    outcome, message, _ = suite.run(f"--baseline={baseline}").case
    assert outcome == "error"
    assert said in message
    assert not list((suite.folder / "run/servers").glob("*/server.json"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--baseline=mine-c",), "--baseline mine-c: accepted is an address, a file, or a deployment"),
        (("--baseline=mine-other",), "with the engine vllm or sglang; did you mean"),
        (
            ("--baseline=mine-stranger",),
            "--baseline mine-stranger serves org/stranger, --deployment mine-a serves tiny: not comparable",
        ),
        (("--baseline=mine-b", "--restarts=2"), "--restarts 2: give at least 3"),
        (("--endpoint=http://127.0.0.1:9",), "give one of them"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_starts(suite, options, said):
    suite.run(*options)
    assert suite.status == pytest.ExitCode.USAGE_ERROR
    assert said in suite.output
    assert not (suite.folder / "run").exists()


def test_unknown_deployment_is_refused_with_those_that_are_known(suite):
    suite.run(deployment="nobody")
    assert suite.status == pytest.ExitCode.USAGE_ERROR
    assert "--deployment nobody: accepted is a deployment with the engine vllm or sglang; known:" in suite.output
    assert "\n  mine-a\n" in suite.output
    assert "mine-other" not in suite.output


def test_deployment_on_hardware_that_is_not_here_is_an_error(suite):
    suite.target.write_text(suite.target.read_text().replace('probe = "cpu"', 'probe = "ascend"'))
    outcome, message, _ = suite.run("--baseline=mine-b").case
    assert outcome == "error"
    assert "mine demands any CPU; npu-smi is not installed here" in message


# -- whose interpreter -------------------------------------------------------------------------------------------------


def test_no_target_of_papergates_own_names_an_interpreter():
    deployments = [each for _, target in read_targets().values() for each in target.deployments]
    assert any(each.engine == "vllm" for each in deployments)
    assert [each.name for each in deployments if each.python] == []


def test_interpreter_without_an_absolute_path_is_refused(suite):
    suite.interpreter = "venv/bin/python"
    suite.write(suite.deployed("a"))
    with pytest.raises(PromiseError, match=r"deployments\.0\.python: give the absolute path .* \(seen: 'venv/bin"):
        read_target(suite.target)
