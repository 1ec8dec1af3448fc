"""Promises are data: read exactly, resolved from papers, and refused with every mistake at once."""

import tomllib
from decimal import Decimal
from fractions import Fraction

import pytest

from papergate.benchmarks import read_specs
from papergate.engines.start import ENGINES
from papergate.errors import PromiseError
from papergate.promises import PAPERS, TARGETS, Tolerance, read_papers, read_promises, read_targets
from papergate.promises.files import IN_LLM_CONFIG
from papergate.thoughts import ThoughtMarks

PROMISES = {promise.id: promise for promise in read_promises(benchmarks=read_specs())}

GOOD = """
name = "mine"
title = "my card"
hardware = { probe = "any", title = "any" }
[[deployments]]
name = "vllm-mine"
engine = "vllm"
model = "mine"
sampling = { temperature = 0.6, max_tokens = 100 }
source = "my notes"
promises = [{ benchmark = "aime2024", tolerance = "1 problem", score = { percent = 50.0, source = "my notes" } }]
"""


def written(tmp_path, text, name="mine"):
    (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("promise", "percent", "temperature", "tolerance"),
    [
        ("a100-huggingface-r1-distill-qwen-14b-aime2024", "69.7", "0.5", "1 problem"),
        ("a100-vllm-r1-distill-qwen-14b-math500", "93.9", "0.6", "0.5 points"),
        ("ascend-mindie-deepseek-r1-w8a8-aime2024", "79.8", "0", "1 problem"),
        ("ascend-mindie-deepseek-r1-w8a8-math500", "97.3", "0", "0.5 points"),
        ("metax-vllm-qwen2.5-math-1.5b-1epoch-math500-gain", "23.6", "1", "gain"),
        ("openr1-vllm-r1-distill-llama-8b-gpqa-diamond", "49.0", "1", "1 point"),
        ("vastai-vllm-vacc-deepseek-r1-cluewsc-test", "95.59", "0.6", "1 point"),
    ],
)
def test_seed_documents_stand_in_the_targets(promise, percent, temperature, tolerance):
    found = PROMISES[promise]
    assert found.score.percent == Decimal(percent)
    assert found.deployment.sampling.temperature == Decimal(temperature)
    assert found.tolerance.text == tolerance
    assert found.score.source


def test_every_hardware_of_the_vendors_has_a_target():
    vendors = {"a100", "ascend", "metax", "rtx3060", "openr1", "vastai", "vastai_distill", "h200", "newer"}
    assert set(read_targets()) == vendors | {"cpu", "cpu_vllm", "replay"}


def test_marks_of_a_thought_are_two_different_texts(tmp_path):
    marked = GOOD.replace('model = "mine"', 'model = "mine"\nthought_marks = ["<<", ">>"]')
    deployment = read_targets([written(tmp_path, marked)])["mine"][1].deployments[0]
    assert deployment.thought_marks == ThoughtMarks("<<", ">>")
    for wrong in ('["<<", ""]', '["<<", "<<"]', '["<<"]', '"<<"'):
        with pytest.raises(PromiseError, match="thought_marks"):
            read_targets([written(tmp_path, marked.replace('["<<", ">>"]', wrong))])


def test_the_paper_states_every_number_of_the_family():
    paper = read_papers([PAPERS])["deepseek-r1"]
    models = {score.model for score in paper.scores}
    assert len(models) == 8
    assert all(paper.score(model, name) for model in models for name in ("aime2024", "math500", "gpqa-diamond"))


def test_repetitions_by_others_are_held_against_the_tolerance():
    promise = PROMISES["a100-vllm-r1-distill-qwen-14b-math500"]
    assert [one.percent for one in promise.reproductions] == [Decimal("93.0"), Decimal("93.0")]
    assert len(promise.missed_by(problems=500)) == 2
    assert promise.missed_by(problems=500)[0].source == "evalhub, vLLM"
    near = PROMISES["a100-vllm-r1-distill-qwen-14b-aime2024"]
    assert [float(one.percent) for one in near.reproductions] == [69.0, 68.0]
    assert near.missed_by(problems=30) == ()
    assert PROMISES["ascend-mindie-deepseek-r1-w8a8-math500"].reproductions == ()


def test_a_row_may_have_a_limit_of_its_own():
    limits = {name: PROMISES[f"newer-qwen3-8b-{name}"].score.sampling for name in ("aime2025", "math500")}
    assert {name: one.max_tokens for name, one in limits.items()} == {"aime2025": 38912, "math500": 32768}
    assert limits["math500"].top_k == 20
    assert PROMISES["newer-deepseek-r1-0528-aime2025"].score.percent == Decimal("87.5")


def test_decimals_of_a_file_are_read_exactly():
    score = PROMISES["ascend-mindie-deepseek-r1-w8a8-math500"].score
    assert score.fraction == Fraction(973, 1000)
    assert abs(Fraction("0.968") - score.fraction) <= Tolerance.parse("0.5 points").fraction(500)


@pytest.mark.parametrize(
    ("text", "problems", "fraction"),
    [("1 problem", 30, Fraction(1, 30)), ("2 problems", 500, Fraction(1, 250)), ("0.5 points", 30, Fraction(1, 200))],
)
def test_a_tolerance_is_read_in_the_users_words(text, problems, fraction):
    assert Tolerance.parse(text).fraction(problems) == fraction
    assert Tolerance.parse(text).text == text


@pytest.mark.parametrize("text", ["one problem", "1", "0.5", "0.5 %", "-1 problem", "1 problem extra", 1, None, ""])
def test_a_tolerance_in_other_words_is_refused_with_the_accepted_ones(text):
    with pytest.raises(ValueError, match=r"write '1 problem', '0\.5 points'"):
        Tolerance.parse(text)


def test_a_users_own_target_is_read_beside_the_shipped_ones(tmp_path):
    promises = read_promises([TARGETS, written(tmp_path, GOOD)], benchmarks=read_specs())
    assert "mine-vllm-mine-aime2024" in {promise.id for promise in promises}


def test_every_mistake_of_a_file_is_listed_at_once(tmp_path):
    wrong = (
        GOOD.replace('title = "my card"', 'titel = "my card"')
        .replace('engine = "vllm"', 'engine = "vlm"')
        .replace("max_tokens = 100", "max_tokens = 0")
        .replace('tolerance = "1 problem"', 'tolerance = "close"')
        .replace(', source = "my notes" } }]', " } }]")
    )
    with pytest.raises(PromiseError) as refused:
        read_targets([written(tmp_path, wrong)], engines=ENGINES)
    message = str(refused.value)
    assert "6 mistakes" in message
    for field in ("title", "titel", "engine", "max_tokens", "tolerance", "score.source"):
        assert field in message


FOR_A_COMMAND_LINE = """flags = ["--max-model-len", "4096"]
dtype = "float16"
env = { OMP_NUM_THREADS = "1" }
python = "/opt/ray/bin/python"
"""


def test_what_would_not_reach_ray_serve_is_a_mistake_and_names_its_place(tmp_path):
    stated = GOOD.replace("source =", f"{FOR_A_COMMAND_LINE}source =", 1).replace('"vllm"', '"ray"')
    read_targets([written(tmp_path, stated)], engines=ENGINES)  # of a server that runs, they are what its document says
    with pytest.raises(PromiseError) as refused:
        read_targets([written(tmp_path, f'{stated}[deployments.llm_config]\naccelerator_type = "H100"\n')])
    message = str(refused.value)
    assert "4 mistakes" in message
    for field, place in IN_LLM_CONFIG.items():
        assert f"'vllm-mine': {field} does not reach Ray Serve; state it in llm_config.{place}" in message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('benchmark = "aime2024"', 'benchmark = "aime24"', "benchmark 'aime24' is unknown; known: aime2024"),
        ("percent = 50.0, source", 'paper = "r1", model = "x" #', "paper 'r1' is unknown"),
        ('engine = "vllm"', 'engine = "vlm"', "engine 'vlm' is unknown; known: huggingface, vllm, sglang"),
        ('name = "mine"', 'name = "yours"', "differs from the file's own"),
        ("percent = 50.0", "percent = 150", "less than or equal to 100"),
        ("[[deployments]]", "[[deployments]", "not a TOML file"),
    ],
)
def test_a_wrong_target_is_refused_by_name(tmp_path, old, new, said):
    text = GOOD.replace(old, new, 1).replace(' #, source = "my notes" }', " }").replace(' # = "my notes" }', " }")
    text = text.replace('model = "x" # = "my notes" } }]', 'model = "x" } }]')
    with pytest.raises(PromiseError, match=said.replace("(", r"\(")):
        read_promises([written(tmp_path, text)], benchmarks=read_specs(), engines=ENGINES)


def test_a_score_that_its_paper_does_not_print_is_refused(tmp_path):
    text = GOOD.replace('{ percent = 50.0, source = "my notes" }', '{ paper = "deepseek-r1", model = "GPT-9" }')
    with pytest.raises(PromiseError, match="publishes no aime2024 pass@1 for 'GPT-9'; it has it for: DeepSeek-R1"):
        read_promises([written(tmp_path, text)], benchmarks=read_specs())


def test_the_same_promise_twice_is_refused(tmp_path):
    entry = '{ benchmark = "aime2024", tolerance = "1 problem", score = { percent = 50.0, source = "my notes" } }'
    text = GOOD.replace(f"[{entry}]", f"[{entry}, {entry}]")
    assert tomllib.loads(text)
    with pytest.raises(PromiseError, match="promise 'aime2024' is listed twice"):
        read_targets([written(tmp_path, text)])


def test_a_target_may_not_redefine_a_shipped_one(tmp_path):
    with pytest.raises(PromiseError, match="'a100' is already defined"):
        read_targets([TARGETS, written(tmp_path, GOOD.replace('"mine"', '"a100"', 1), name="a100")])
