"""A small sabotage matrix: a fault of each kind is found by its stage and named, and a faithful deployment by none."""

import pytest

from tests.sabotage.faults import FAULTS, Sabotage, faithful
from tests.sabotage.measuring import measured
from tests.servers.model_server import Fault

BY_NAME = {sabotage.name: sabotage for sabotage in FAULTS}


@pytest.mark.parametrize(
    ("name", "stage", "is_named"),
    [
        ("the answer dropped by a parser", "preflight", True),
        ("weights in 3 bits", "drift", True),
        ("mask: the first token is hidden", "drift", True),
        ("answers cut at 48 tokens", "drift", True),
        ("decoding alone: an MLP zeroed", "preflight", True),
        ("prefix cache corrupt", "drift", True),
    ],
)
def test_a_fault_is_found_and_named(name, stage, is_named, golden_answers):
    found = measured(BY_NAME[name], golden_answers)
    assert (found.stage, found.right) == (stage, is_named), found


def test_a_faithful_deployment_is_left_alone(golden_answers):
    found = measured(Sabotage(name="bfloat16", fault=Fault(dtype="bfloat16")), golden_answers)
    assert (found.stage, found.noted) == ("nothing", []), found


def test_the_matrix_is_as_large_as_it_says():
    assert len(FAULTS) >= 30
    assert len(BY_NAME) == len(FAULTS)
    assert len([*faithful()]) == 60
