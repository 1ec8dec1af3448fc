"""A small sabotage matrix: a fault of each kind is found by its stage and named, and a faithful deployment by none."""

import os
from contextlib import ExitStack, contextmanager

import pytest

from tests.sabotage.behind_vllm import Vllm, can_be, write_model
from tests.sabotage.faults import FAULTS, Sabotage, faithful
from tests.sabotage.measuring import measured
from tests.servers.gateway import gateway
from tests.servers.model_server import Fault, deployed_at

BY_NAME = {sabotage.name: sabotage for sabotage in FAULTS}


@pytest.mark.parametrize(
    ("name", "stage", "is_named"),
    [
        ("the answer dropped by a parser", "preflight", True),
        ("weights in 3 bits", "drift", True),
        ("mask: the first token is hidden", "drift", True),
        ("answers cut at 48 tokens", "drift", True),
        ("prefix cache corrupt", "drift", True),
    ],
)
def test_a_fault_is_found_and_named(name, stage, is_named, golden_answers):
    found = measured(BY_NAME[name], golden_answers)
    assert (found.stage, found.right) == (stage, is_named), found


def test_a_faithful_deployment_is_left_alone(golden_answers):
    found = measured(Sabotage(name="bfloat16", fault=Fault(dtype="bfloat16")), golden_answers)
    assert (found.stage, found.noted) == ("nothing", []), found


@contextmanager
def behind_a_gateway(fault):
    with deployed_at(Fault()) as (url, deployed), gateway(url, fault) as door:
        yield door, deployed


def test_a_fault_of_a_gateway_is_found_and_named(golden_answers):
    found = measured(BY_NAME["the answer dropped by a parser"], golden_answers, at=behind_a_gateway)
    assert (found.stage, found.right, found.noted) == ("preflight", True, []), found


def test_a_folder_holds_the_fault_of_a_model(tmp_path):
    transformers = pytest.importorskip("transformers")
    for name in ("RoPE theta doubled", "an MLP zeroed", "prefill of the thought missing"):
        write_model(BY_NAME[name].fault, tmp_path / name)
    theta, zeroed = (
        transformers.AutoModelForCausalLM.from_pretrained(tmp_path / name)
        for name in ("RoPE theta doubled", "an MLP zeroed")
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "prefill of the thought missing")
    assert theta.config.rope_parameters["rope_theta"] == 20000
    assert not zeroed.model.layers[2].mlp.down_proj.weight.any()
    assert theta.model.layers[2].mlp.down_proj.weight.any()
    assert "<think>" not in tokenizer.chat_template.partition("add_generation_prompt")[2]


def test_what_no_folder_and_no_gateway_holds_is_not_asked_of_vllm():
    unfit = {name for name, sabotage in BY_NAME.items() if not can_be(sabotage)}
    assert "cache corrupt above 64 positions" in unfit
    assert not unfit & {"weights in 3 bits", "temperature 1.0", "the answer dropped by a parser"}


@pytest.mark.skipif("PAPERGATE_TEST_VLLM_MODEL" not in os.environ, reason="`make test-vllm` does")
@pytest.mark.parametrize(("name", "stage"), [("weights in 3 bits", "drift"), ("temperature 1.0", "preflight")])
def test_a_fault_of_a_real_vllm_is_found_and_named(name, stage, golden_answers):
    with ExitStack() as servers:
        found = measured(BY_NAME[name], golden_answers, at=Vllm(os.environ["PAPERGATE_VLLM_PYTHON"], servers).at)
    assert (found.stage, found.right) == (stage, True), found


def test_the_matrix_is_as_large_as_it_says():
    assert len(FAULTS) >= 30
    assert len(BY_NAME) == len(FAULTS)
    assert len([*faithful()]) == 60
