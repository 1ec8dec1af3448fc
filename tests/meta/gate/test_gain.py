"""A fresh checkpoint against its base in one session: one harness asks both models the same problems."""

import shutil

import pytest

from papergate.acceptance.base import base_options, base_samples
from papergate.acceptance.options import Options, options_of
from papergate.embedded import MODEL_DIR
from papergate.engines.in_process.rounding import round_weights
from papergate.errors import OptionsError
from papergate.gate import gate, judge_again
from papergate.run_folder.files import BALLAST_FILE
from papergate.run_folder.verdict import read_verdict
from tests.servers.faulty_server import FaultyServer

transformers = pytest.importorskip("transformers")

TARGET = """
name = "mine"
title = "a training run"
hardware = { probe = "any", title = "none" }

[[deployments]]
name = "checkpoint"
engine = "huggingface"
model = "papergate-tiny"
dtype = "float32"
sampling = { temperature = 0.6, top_p = 0.95, max_tokens = 256 }
source = "a training plan"
promises = [
    { benchmark = "tiny-aime", tolerance = "gain", score = { golden = "a run of the base" } },
    { benchmark = "tiny-aime", tolerance = "1 problem", score = { percent = 75, source = "a training plan" } },
]
"""
GAIN = "mine-checkpoint-tiny-aime-gain"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The embedded model with its weights in three bits, which costs it half of its score."""
    folder = tmp_path_factory.mktemp("models") / "base"
    shutil.copytree(MODEL_DIR, folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(MODEL_DIR)
    round_weights(model, 3)
    model.save_pretrained(folder)
    return folder


def gain_of(tmp_path, model, base, *, target=TARGET, **options):
    (tmp_path / "mine.toml").write_text(target)
    given = Options(model=str(model), gain_over=str(base), run=tmp_path / "run", targets=(tmp_path,), **options)
    return gate(given, targets=["mine"])


def test_a_gain_over_the_base_is_measured_in_one_session(tmp_path, base):
    ended = gain_of(tmp_path, MODEL_DIR, base, samples=2)
    (line,) = ended.lines
    assert (line.promise, line.verdict) == (GAIN, "pass"), line
    of_base = read_verdict(tmp_path / "run-base" / "mine-checkpoint-base-tiny-aime-gain")
    assert (of_base.engine.model, line.record.engine.model) == (str(base), str(MODEL_DIR))
    assert of_base.counts.problems == line.record.counts.problems
    assert line.record.golden.promise == of_base.promise
    assert line.record.judgement.reference == of_base.judgement.score < line.record.judgement.score


def test_the_base_is_judged_again_like_any_run_and_the_gain_beside_it(tmp_path, base):
    ended = gain_of(tmp_path, MODEL_DIR, base, samples=2)
    folder = tmp_path / "run-base" / "mine-checkpoint-base-tiny-aime-gain"
    before = read_verdict(folder)
    (line,) = judge_again(tmp_path / "run-base", Options(targets=(tmp_path,))).lines
    assert (line.error, line.promise) == ("", before.promise)
    assert read_verdict(folder).judgement == before.judgement
    (again,) = judge_again(tmp_path / "run", Options(targets=(tmp_path,), golden=tmp_path / "run-base")).lines
    assert again.record.judgement == ended.lines[0].record.judgement


def test_a_run_that_is_no_base_of_any_gain_is_still_about_no_promise(tmp_path, base):
    gain_of(tmp_path, MODEL_DIR, base, samples=2)
    (tmp_path / "mine.toml").write_text(TARGET.replace('name = "checkpoint"', 'name = "other"'))
    (line,) = judge_again(tmp_path / "run-base", Options(targets=(tmp_path,))).lines
    assert "which no target file promises" in line.error


def test_a_checkpoint_that_lost_has_no_gain(tmp_path, base):
    (line,) = gain_of(tmp_path, base, MODEL_DIR, samples=2).lines
    assert line.verdict == "fail", line


def test_only_gains_are_tested(tmp_path, base):
    ended = gain_of(tmp_path, MODEL_DIR / "nowhere", base)
    assert [*ended.selection.left_out] == ["no gain, and --gain-over measures gains alone"]


def test_a_checkpoint_that_is_not_whole_is_refused_before_its_base_is_asked(tmp_path, base):
    cut = shutil.copytree(MODEL_DIR, tmp_path / "cut")
    (cut / "tokenizer.json").unlink()
    (line,) = gain_of(tmp_path, cut, base).lines
    assert "lacks the tokenizer" in line.error
    assert not (tmp_path / "run-base").exists()


def test_a_base_that_cannot_be_asked_keeps_no_room_on_the_disk(tmp_path, base):
    cut = shutil.copytree(base, tmp_path / "cut")
    (cut / "tokenizer.json").unlink()
    (line,) = gain_of(tmp_path, MODEL_DIR, cut).lines
    assert "lacks the tokenizer" in line.error
    assert (tmp_path / "run-base").exists()
    assert not (tmp_path / "run-base" / BALLAST_FILE).exists()


def test_a_model_has_no_gain_over_itself_under_another_name_either(tmp_path):
    (tmp_path / "latest").symlink_to(MODEL_DIR)
    for base in (MODEL_DIR, tmp_path / "latest"):
        (line,) = gain_of(tmp_path, MODEL_DIR, base).lines
        assert "this is the model that is tested" in line.error


def test_a_copy_of_a_model_is_no_base_of_it(tmp_path):
    copy = shutil.copytree(MODEL_DIR, tmp_path / "copy")
    (line,) = gain_of(tmp_path, MODEL_DIR, copy).lines
    assert f"its weights are those of {MODEL_DIR}" in line.error
    assert not (tmp_path / "run-base").exists()


def two_names(**roots):
    """A server with a name for each of ``roots``."""
    models = [{"id": name, "owned_by": "double", "root": root} for name, root in roots.items()]
    return FaultyServer(pages={"/v1/models": ("200 OK", {"data": models})})


@pytest.mark.parametrize(
    ("roots", "refused"), [({"new": "/m/7b", "old": "/m/7b"}, True), ({"new": "/m/7b", "old": "/m/1b"}, False)]
)
def test_two_names_of_one_model_on_a_server_are_one_model(tmp_path, roots, refused):
    served = TARGET.replace('"huggingface"', '"vllm"').replace('dtype = "float32"\n', "")
    with two_names(**roots) as server:
        given = {"samples": 2, "endpoints": (server.url,), "preflight": False}
        (line,) = gain_of(tmp_path, "new", "old", target=served, **given).lines
    assert ("the server says that old and new are the same weights (/m/7b)" in line.error) is refused
    assert (tmp_path / "run-base").exists() is not refused


@pytest.mark.parametrize("option", ["--golden", "--predictions", "--shard", "--coordinate", "--limit", "--trial"])
def test_what_asks_no_whole_base_is_refused(option, tmp_path):
    given = {"--gain-over": "base", option: 1 if option == "--limit" else str(tmp_path), "--samples": 2}
    given |= {"--shard": "0/2"} if option == "--shard" else {}
    given |= {"--shards": 2} if option == "--coordinate" else {}
    with pytest.raises(OptionsError, match=f"--gain-over .* leave out {option}"):
        options_of(given.get)


@pytest.mark.parametrize(
    ("protocol", "given", "asked"), [("paper", None, 64), ("paper", 4, 4), ("vendor", None, None), ("vendor", 4, 4)]
)
def test_a_base_is_asked_as_often_as_its_checkpoint_where_that_is_fixed(tmp_path, protocol, given, asked):
    options = Options(gain_over="base", protocol=protocol, samples=given)
    assert base_options(options, tmp_path, problems=30).samples == asked


@pytest.mark.parametrize(("problems", "samples"), [(30, 64), (198, 13), (500, 5)])
def test_samples_of_the_base_bound_its_error_to_a_point_whatever_its_score(problems, samples):
    assert base_samples(problems, 64) == samples
    assert samples == 64 or (0.25 / samples / problems) ** 0.5 <= 0.01 < (0.25 / (samples - 1) / problems) ** 0.5
