"""A real Ray cluster of two nodes on this machine: a gate through it, whose replicas both die on the way."""

import os
import signal
import sys
from pathlib import Path

import orjson
import pytest

from papergate.completions.store import contents_of, read_completions
from papergate.embedded import EMBEDDED
from tests.meta.processes import ran, started, wait_until
from tests.servers.ray_cluster import QUIET, two_nodes

PYTHON = os.environ.get("PAPERGATE_RAY_PYTHON", "")
ROOT = Path(__file__).parents[3]
SAMPLES = 16
TARGET = f"""
name = "cpu_ray"
title = "any CPU, embedded model behind Ray Serve"
hardware = {{ probe = "any", title = "a Ray cluster" }}

[[deployments]]
name = "ray-{EMBEDDED}"
engine = "ray"
model = "{EMBEDDED}"
data_parallel = 2
sampling = {{ temperature = 0.6, top_p = 0.95, max_tokens = 256 }}
source = "papergate's own: papers/{EMBEDDED}.toml"
promises = [
    {{ benchmark = "tiny-aime", tolerance = "1 problem", score = {{ paper = "{EMBEDDED}", model = "{EMBEDDED}" }} }},
]

[deployments.llm_config]
accelerator_config = {{ kind = "cpu" }}
placement_group_config = {{ bundles = [{{ CPU = 2 }}] }}
deployment_config = {{ max_ongoing_requests = 64, health_check_period_s = 2, health_check_timeout_s = 10 }}

[deployments.llm_config.engine_kwargs]
dtype = "float32"
max_model_len = 512
max_num_seqs = 32
enforce_eager = true
gpu_memory_utilization = 0.2
"""
pytestmark = pytest.mark.skipif(not PYTHON, reason="PAPERGATE_RAY_PYTHON names no interpreter: `make test-ray` does")


def gate(target, run, *options):
    """The command of a gate on the embedded model's problems, with the same seeds each time."""
    fixed = (f"--samples={SAMPLES}", "--run-seed=1", f"--run={run}", "--no-workloads")
    return [sys.executable, "-m", "pytest", "tests/accuracy", "-m", target, "-k", "tiny-aime", *fixed, *options]


def kept(run):
    """The completions of the one promise of a run, by problem and sample."""
    (file,) = run.glob("*/completions.jsonl")
    places = contents_of(file.parent).succeeded
    return dict(zip(places, read_completions(file.parent, places.values()), strict=True))


def answers(run):
    return sum(file.read_bytes().count(b"\n") for file in run.glob("*/completions.jsonl"))


def servers(cluster):
    """The replicas that hold a model, by the address of their node."""
    groups = cluster.details()["applications"][f"papergate-ray-{EMBEDDED}"]["deployments"]
    replicas = groups[f"LLMServer:{EMBEDDED}"]["replicas"]
    return {each["node_ip"]: each for each in replicas if each["state"] == "RUNNING"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What vLLM alone answers."""
    run = tmp_path_factory.mktemp("alone") / "run"
    command = gate("cpu_vllm", run)
    assert ran(command, cwd=ROOT, env=os.environ | QUIET | {"PAPERGATE_VLLM_PYTHON": PYTHON}).returncode in (0, 1)
    return kept(run)


def test_replicas_that_die_cost_no_answer_and_change_none(tmp_path, alone, capsys):
    (tmp_path / "cpu_ray.toml").write_text(TARGET)
    run, log = tmp_path / "run", tmp_path / "log"
    with two_nodes(PYTHON) as cluster, log.open("w") as out:
        command = gate("cpu_ray", run, f"--targets={tmp_path}", f"--ray={cluster.dashboard}")
        with started(command, cwd=ROOT, stdout=out, stderr=out) as process:

            def after(count):
                wait_until(lambda: answers(run) >= count or process.poll() is not None, f"{count} answers")
                assert process.poll() is None, log.read_text()

            after(60)
            before = servers(cluster)
            os.kill(cluster.engine_of(before["127.0.0.2"]["pid"]), signal.SIGKILL)
            after(160)
            os.kill(cluster.raylet("127.0.0.3"), signal.SIGKILL)
            wait_until(lambda: process.poll() is not None, "the end of the gate")
        assert not cluster.details()["applications"]
    found, said = kept(run), log.read_text()
    with capsys.disabled():
        sys.stdout.write(f"\n{said}\nasked more than once: {sum(each.attempts > 1 for each in found.values())}\n")
    assert process.returncode in (0, 1), said
    assert found.keys() == alone.keys()
    assert {key: each.text for key, each in found.items()} == {key: each.text for key, each in alone.items()}
    (sessions,) = (file.read_bytes().splitlines() for file in run.glob("*/sessions.jsonl"))
    ended = orjson.loads(sessions[-1])["replicas that ended"]
    assert {*before} == {"127.0.0.2", "127.0.0.3"}
    assert all(each["replica_id"] in ended for each in before.values())
