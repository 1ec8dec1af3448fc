"""The recipes of docs/recipes say what papergate and the schedulers understand."""

import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

RECIPES = Path(__file__).parents[3] / "docs" / "recipes"
OURS = [*sorted(RECIPES.glob("*.sbatch")), *sorted(RECIPES.glob("kubernetes-*.yaml"))]
KUBERNETES = "1.31"
"""Since which a Job can bound failed indexes without a feature gate."""


def job(name):
    return yaml.safe_load((RECIPES / f"{name}.yaml").read_text())


@pytest.mark.parametrize("name", ["kubernetes-gate", "kubernetes-merge"])
def test_a_job_keeps_the_schema_of_kubernetes(name):
    kubernetes_validate.validate(job(name), KUBERNETES, strict=True)
    assert job(name)["spec"]["template"]["spec"]["restartPolicy"] == "Never"  # which the schema does not demand


def test_a_misspelt_field_of_a_job_would_be_seen():
    spoilt = job("kubernetes-gate")
    spoilt["spec"]["completionsMode"] = spoilt["spec"].pop("completionMode")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoilt, KUBERNETES, strict=True)


def test_the_pods_of_a_gate_are_as_many_as_its_shards():
    spec = job("kubernetes-gate")["spec"]
    arguments = spec["template"]["spec"]["containers"][0]["args"]
    assert spec["completionMode"] == "Indexed"
    assert f"--shard=auto/{spec['completions']}" in arguments
    assert spec["parallelism"] == spec["completions"]
    assert "--run=/runs/gate/shard-$(JOB_COMPLETION_INDEX)" in arguments


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.sbatch")), ids=lambda path: path.name)
def test_a_batch_script_is_one_for_bash(path):
    subprocess.run(["bash", "-n", path], check=True)
    text = path.read_text()
    assert text.startswith("#!/bin/bash\n")
    last_directive = max(match.start() for match in re.finditer(r"^#SBATCH", text, re.MULTILINE))
    assert last_directive < text.index("set -eu")  # sbatch reads none after the first command


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_every_option_of_a_recipe_exists(path, pytestconfig):
    given = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", _commands(path.read_text())))
    (group,) = (group for group in pytestconfig._parser._groups if group.name == "papergate")
    known = {name for option in group.options for name in option.names()} | {"--junitxml"}
    assert given <= known | {"--golden"}


def _commands(text):
    """What papergate is called with, without comments and the scheduler's own options."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(lines)
