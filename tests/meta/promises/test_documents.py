"""The targets are what the vendors' documents say: every number, setting and command is looked up in their text.

The documents are not part of papergate. PAPERGATE_DOCUMENTS names a folder that holds their text, a file each whose
name begins with the number in ``DOCUMENTS``; without it the tests that need them are skipped.
"""

import os
import re
from pathlib import Path

import pytest

from papergate.benchmarks import read_specs
from papergate.promises import read_promises, read_targets
from tests.meta.shared import SHARED

FOLDER = Path(os.environ.get("PAPERGATE_DOCUMENTS", SHARED / "seeds"))
DOCUMENTS = {
    "a100": "000",
    "ascend": "001",
    "metax": "002",
    "openr1": "003",
    "rtx3060": "003",
    "vastai": "004",
    "vastai_distill": "004",
}
"""Which document stands behind a target."""
TARGETS = {name: target for name, (_, target) in read_targets().items()}
DEPLOYMENTS = [
    pytest.param(name, deployment, id=f"{name}-{deployment.name}")
    for name in DOCUMENTS
    for deployment in TARGETS[name].deployments
]
OF_THE_TOOL = {
    ("a100", "top_k"): "transformers' own where the document gives none",
    ("metax", "temperature"): "vLLM's own",
    ("metax", "max_tokens"): "open-r1's generation size",
    ("openr1", "temperature"): "vLLM's own",
    ("rtx3060", "temperature"): "vLLM's own",
    ("vastai", "temperature"): "eval_ds.py",
    ("vastai", "max_tokens"): "eval_ds.py",
    ("vastai_distill", "temperature"): "the paper's",
    ("vastai_distill", "top_p"): "the paper's",
    ("vastai_distill", "max_tokens"): "the paper's",
}
"""Settings that the documents leave to their tools, or to another file."""


def text_of(target):
    found = sorted(FOLDER.glob(f"{DOCUMENTS[target]}*.txt")) if FOLDER.is_dir() else []
    if not found:
        pytest.skip(f"needs document {DOCUMENTS[target]}*.txt; name its folder in PAPERGATE_DOCUMENTS")
    return re.sub(r"\\([_\[\]])", r"\1", found[0].read_text(encoding="utf-8"))


def squeezed(text):
    """Without the white space and the continued lines that a document lays out in its own way."""
    return re.sub(r"\s+", " ", text.replace("\\\n", " ")).strip()


def has_number(text, number):
    whole, _, decimals = f"{float(number):g}".partition(".")
    point = rf"\.{decimals}0*" if decimals else r"(\.0+)?"
    return re.search(rf"(?<![\d.]){whole}{point}(?!\.?\d)", text) is not None


@pytest.mark.parametrize(("target", "deployment"), DEPLOYMENTS)
def test_commands_stand_at_their_line_of_the_document(target, deployment):
    lines = text_of(target).split("\n")
    assert deployment.commands
    for command in deployment.commands:
        there = squeezed("\n".join(lines[command.line - 1 :][: 2 * command.text.count("\n") + 1]))
        assert there.startswith(squeezed(command.text)), f"line {command.line}: {there}"


@pytest.mark.parametrize(("target", "deployment"), DEPLOYMENTS)
def test_scores_of_the_document_stand_in_it(target, deployment):
    text = text_of(target)
    for promise in (each for each in read_promises(benchmarks=read_specs()) if each.deployment == deployment):
        numbers = (
            [promise.score.percent] if "table 3.2" in promise.score.source or "zoo" in promise.score.source else []
        )
        numbers += [promise.measured.percent] if promise.measured else []
        assert all(has_number(text, number) for number in numbers), promise.id


@pytest.mark.parametrize("target", ["openr1", "metax", "ascend", "a100"])
def test_numbers_of_the_paper_are_those_that_the_document_compares_with(target):
    text = text_of(target)
    promises = [each for each in read_promises(benchmarks=read_specs()) if each.target == target]
    compared = [each for each in promises if "2501.12948" in each.score.source]
    compared = [each for each in compared if (target, each.benchmark) != ("openr1", "aime2024")]  # no table there
    assert compared
    assert all(has_number(text, each.score.percent) for each in compared)


@pytest.mark.parametrize(("target", "deployment"), DEPLOYMENTS)
def test_sampling_stands_in_the_document(target, deployment):
    text = text_of(target)
    for name in deployment.sampling.model_fields_set:
        if (target, name) not in OF_THE_TOOL:
            assert has_number(text, getattr(deployment.sampling, name)), name


@pytest.mark.parametrize(("target", "deployment"), DEPLOYMENTS)
def test_versions_stand_in_the_document(target, deployment):
    text = text_of(target)
    hardware = TARGETS[target].hardware
    for stated in (*deployment.software.values(), hardware.driver, hardware.firmware, hardware.toolkit.split(" ")[-1]):
        assert all(part in text for part in re.split(r"^\d\.\d\.(?=T)| ", stated)), stated


@pytest.mark.parametrize(("target", "deployment"), DEPLOYMENTS)
def test_variables_and_their_values_stand_in_the_document(target, deployment):
    text = text_of(target)
    for name, value in deployment.env.items():
        # one loop of a document sets every variable of that ending to 0
        shown = "1" if name.endswith("STDOUT") else re.escape(value)
        assert re.search(rf'\b{name}="?{shown}\b', text), name


@pytest.mark.parametrize(("target", "deployment"), DEPLOYMENTS)
def test_flags_and_sizes_stand_in_the_document(target, deployment):
    text = text_of(target).replace("-", "_")
    for name, value in pairs(deployment.flags):
        assert name in text or name in SPELLED, name
        assert not value or name in SPELLED or value.replace("-", "_") in text, (name, value)
    sizes = {"tensor": deployment.tensor_parallel, "data": deployment.data_parallel}
    for what, size in sizes.items():
        assert size == 1 or re.search(rf'({what}_parallel_size|NUM_GPUS|"{what[0]}p")[ =:]*{size}\b', text), what


SPELLED = {"gpu_memory_utilization", "max_model_len", "tensor_parallel_size"}
"""Flags that lighteval's model arguments call otherwise: gpu_memory_utilisation, max_model_length."""


def pairs(flags):
    """The options and their values; MindIE's stand in its config.json."""
    names = [(place, flag) for place, flag in enumerate(flags) if flag.startswith("--") or "=" in flag]
    for place, flag in names:
        name, _, value = flag.removeprefix("--").partition("=")
        following = flags[place + 1] if place + 1 < len(flags) and not flags[place + 1].startswith("--") else ""
        yield name.replace("-", "_"), value or ("" if "=" in flag else following)


def test_every_deployment_of_a_document_says_what_is_not_known():
    assert all(deployment.unknown for name in DOCUMENTS for deployment in TARGETS[name].deployments)


def test_the_rows_of_the_documents_are_all_promised():
    promised = {each.id for each in read_promises(benchmarks=read_specs())}
    distills = ("qwen-1.5b", "qwen-7b", "qwen-14b", "qwen-32b", "llama-8b", "llama-70b")
    expected = {
        *(
            f"a100-{engine}-r1-distill-qwen-14b-{name}"
            for engine in ("huggingface", "vllm")
            for name in ("aime2024", "math500")
        ),
        *(
            f"openr1-vllm-r1-distill-{one}-{name}"
            for one in distills
            for name in ("aime2024", "math500", "gpqa-diamond")
        ),
        *(f"vastai_distill-llmdeploy-r1-distill-{one}-{kind}-math500" for one in distills for kind in ("fp16", "int8")),
        *(f"metax-vllm-qwen2.5-math-1.5b-{name}" for name in ("aime2024", "math500", "gpqa-diamond")),
        "openr1-vllm-qwen2.5-math-7b-grpo-math500",
        "openr1-vllm-qwen2.5-math-7b-grpo-math500-gain",
    }
    assert expected <= promised
