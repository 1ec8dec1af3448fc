"""A folder that training just wrote: what is missing or cut short is named before a server is started."""

import json
import shutil

import pytest

from papergate.embedded import MODEL_DIR
from papergate.engines.checkpoint import refuse_incomplete
from papergate.engines.managed.engine import _sizes
from papergate.engines.managed.sglang import SGLANG
from papergate.engines.managed.vllm import VLLM
from papergate.errors import EngineError, EngineRefused
from papergate.promises import read_targets

pytestmark = pytest.mark.skipif(not (MODEL_DIR / "config.json").is_file(), reason="needs the embedded model")
MINE = read_targets()["cpu_vllm"][1].deployments[0]


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(MODEL_DIR, tmp_path / "checkpoint-500")


def test_a_whole_checkpoint_and_a_hub_id_pass(folder):
    refuse_incomplete(str(folder))
    refuse_incomplete("deepseek-ai/DeepSeek-R1")


def removed(name):
    return lambda folder: (folder / name).unlink()


def cut(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def cut_in_the_header(folder):
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:20])


def no_safetensors(folder):
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs")


def without_a_shard(folder):
    shards = {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))


def half_an_index(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": ')


def only_shards_of_training(folder):
    (folder / "model.safetensors").unlink()
    (folder / "global_step500").mkdir()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (removed("tokenizer.json"), "lacks the tokenizer"),
        (removed("config.json"), "lacks the configuration"),
        (only_shards_of_training, "lacks the weights.*it holds shards of DeepSpeed.*zero_to_fp32"),
        (cut, r"model.safetensors has [\d,]+ of [\d,]+ bytes"),
        (cut_in_the_header, r"model.safetensors has 20 of [\d,]+ bytes"),
        (no_safetensors, "model.safetensors is no file of safetensors"),
        (without_a_shard, "1 of the 2 files in model.safetensors.index.json are missing, first model-00002"),
        (half_an_index, "model.safetensors.index.json cannot be read"),
    ],
)
def test_what_is_not_whole_is_named(folder, damage, said):
    damage(folder)
    with pytest.raises(EngineError, match=said):
        refuse_incomplete(str(folder))


STATED = MINE.model_copy(update={"tensor_parallel": 2, "data_parallel": 8})


def test_sizes_that_the_deployment_states_are_asked_for_unless_its_flags_say_the_same():
    assert _sizes(VLLM, MINE) == ()
    assert _sizes(VLLM, STATED) == ("--tensor-parallel-size", "2", "--data-parallel-size", "8")
    assert _sizes(SGLANG, STATED) == ("--tp-size", "2", "--dp-size", "8")
    for flags in (("-dp", "8", "-tp", "2"), ("--data-parallel-size=8", "--tensor-parallel-size=2")):
        assert _sizes(VLLM, STATED.model_copy(update={"flags": flags})) == ()


@pytest.mark.parametrize("flags", [("--data-parallel-size", "4"), ("--data-parallel-size=4",), ("-dp", "4")])
def test_flags_that_state_another_size_are_refused(flags):
    with pytest.raises(EngineRefused, match="data_parallel is 8, and its flags say 4; correct one of them"):
        _sizes(VLLM, STATED.model_copy(update={"flags": flags}))
