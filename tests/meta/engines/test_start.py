"""What engines declare decides what starts, and what is refused before anything does."""

import sys

import pytest

from papergate.benchmarks import read_specs
from papergate.engines.managed.sglang import SGLANG
from papergate.engines.managed.vllm import VLLM
from papergate.engines.spec import Ability
from papergate.engines.start import ENGINES, demand_here, start
from papergate.errors import EngineError
from papergate.promises import read_promises
from tests.meta.engines.test_managed_server import FAKE

PROMISE = next(
    each for each in read_promises(benchmarks=read_specs()) if each.deployed == "cpu_vllm-vllm-papergate-tiny"
)


def deployed(**changes):
    return PROMISE.model_copy(update={"deployment": PROMISE.deployment.model_copy(update=changes)})


@pytest.fixture
def interpreter(tmp_path):
    """One in which every server is the double."""
    script = tmp_path / "python"
    script.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = -m ]; then echo "$@" > "{tmp_path}/command"; shift 2; exec "{sys.executable}" "{FAKE}" "$@"; fi\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    script.chmod(0o755)
    return script


@pytest.mark.parametrize(
    ("engine", "command"),
    [
        ("vllm", "-m vllm.entrypoints.openai.api_server --model "),
        ("sglang", "-m sglang.launch_server --model-path "),
    ],
)
def test_a_deployment_starts_the_server_that_its_engine_declares(tmp_path, interpreter, engine, command):
    flags = ("--dtype", "bfloat16")
    engine = start(deployed(engine=engine, flags=flags, python=str(interpreter)), servers=tmp_path / "servers")
    try:
        assert engine.identity().model == "papergate-tiny"
    finally:
        engine.close()
    typed = (tmp_path / "command").read_text()
    assert typed.startswith(command)
    assert "--dtype bfloat16 --served-model-name papergate-tiny --host 127.0.0.1 --port " in typed


@pytest.mark.parametrize("software", [VLLM, SGLANG], ids=lambda software: software.name)
def test_a_server_that_is_not_on_this_machine_is_refused_before_it_starts(monkeypatch, software):
    monkeypatch.delenv(software.variable, raising=False)
    monkeypatch.setattr("papergate.engines.managed.engine.find_spec", lambda _: None)
    with pytest.raises(EngineError, match=rf"{software.title} is not installed: .*{software.variable}"):
        demand_here(deployed(engine=software.name))
    monkeypatch.setenv(software.variable, "/nowhere/python")
    with pytest.raises(EngineError, match="/nowhere/python is no interpreter"):
        demand_here(deployed(engine=software.name))
    demand_here(deployed(engine=software.name, python=sys.executable))


def test_an_endpoint_stands_in_for_servers_alone():
    attached = {name for name, spec in ENGINES.items() if not spec.not_attached}
    assert attached == {"vllm", "sglang", "ray", "remote"}
    demand_here(deployed(engine="vllm"), ["http://127.0.0.1:9"])
    with pytest.raises(EngineError, match="leave out --endpoint"):
        demand_here(deployed(engine="huggingface"), ["http://127.0.0.1:9"])


def test_stored_completions_start_nothing(tmp_path):
    with pytest.raises(EngineError, match="--predictions FILE"):
        start(deployed(engine="replay"), servers=tmp_path)


def test_an_engine_that_nobody_declared_is_refused_by_name():
    with pytest.raises(EngineError, match="engine 'ollama' is unknown; known: huggingface, vllm"):
        demand_here(deployed(engine="ollama"))


def test_what_papergate_starts_as_a_server_can_be_measured_under_load():
    assert [name for name, spec in ENGINES.items() if Ability.SERVER in spec.can] == ["vllm", "sglang"]
