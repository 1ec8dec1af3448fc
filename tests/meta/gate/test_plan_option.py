"""``--plan`` says what the selected promises cost and how they end, and does nothing else."""

import pytest

from papergate.acceptance import Settings
from papergate.acceptance.golden import read_golden
from papergate.acceptance.saving import save
from papergate.errors import PromiseError
from papergate.exit_codes import ExitCode
from papergate.reports.plan import gain_plan, promise_plan
from tests.meta.processes import forked
from tests.meta.tiny_runs import PROMISES, SPECS, TINY, accepted, case_of, completions_of, like_the_paper

pytest.importorskip("numpy")


def planned(promise=TINY, *, tokens_per_s=None, golden=None, **settings):
    spec = SPECS[promise.benchmark]
    return promise_plan(promise, spec, Settings(**settings), tokens_per_s=tokens_per_s, golden=golden)


def suite(tmp_path, *arguments):
    done = forked("pytest", "-p", "no:cacheprovider", f"--run={tmp_path / 'run'}", "--plan", *arguments)
    return done.returncode, done.stdout + done.stderr


def test_a_plan_has_chances_samples_tokens_and_hours_for_every_loss():
    lines = planned(tokens_per_s=1000).splitlines()
    rows = [line.split() for line in lines if "%" in line and "." in line and line.split()[-1][0].isdigit()]
    assert [row[0] for row in rows] == ["nothing", "1", "3", "5", "10"]
    assert all(len(row) in {8, 9} for row in rows)
    assert lines[-1] == "70 tokens a sample, a rough figure of the benchmark file; 1000 tokens/s"


def test_without_a_speed_there_are_tokens_but_no_hours():
    text = planned()
    assert text.count("unknown") == 5
    assert "speed not known (--tokens-per-s)" in text


def test_fixed_samples_are_planned_as_one_look():
    assert "looks at 4 samples" in planned(samples=4)


def test_a_vendors_run_is_planned_in_words():
    text = planned(PROMISES["ascend-mindie-deepseek-r1-w8a8-aime2024"], protocol="vendor", tokens_per_s=500)
    assert text.startswith("promised 79.8 % ± 1 problem, drawn with temperature 0, ")
    assert "a run of 30 problems x 1 sample passes with 23 to 24 correct of 30: a perfect deployment" in text
    assert "it takes 30 samples, about 300000 tokens, 0.17 hours" in text


def test_a_golden_run_gives_the_length_and_the_rates(tmp_path):
    save(accepted(case_of(), completions_of(like_the_paper, 16, tokens=123), 16), tmp_path)
    text = planned(golden=read_golden(tmp_path, SPECS["tiny-aime"]))
    assert "rates of the golden run, 16 samples per problem" in text
    assert "123 tokens a sample, measured in the golden run" in text


def test_a_score_that_only_a_golden_run_can_give_has_no_plan_without_one():
    with pytest.raises(PromiseError, match="--golden RUN"):
        planned(PROMISES["rtx3060-vllm-qwen2.5-0.5b-open-r1-light-math500-gain"])


GAIN = PROMISES["rtx3060-vllm-qwen2.5-0.5b-open-r1-light-math500-gain"]


def gain(samples, golden=None, **settings):
    spec = SPECS[GAIN.benchmark]
    return gain_plan(spec, Settings(**settings), samples, tokens_per_s=1000, golden=golden).splitlines()


def test_a_gain_is_planned_with_its_base_and_by_what_the_checkpoint_gained():
    head, base, *rows, cost = gain(5)
    assert "a base that is asked first, 5 samples of each problem; its score is not known, and planned as 50 %" in head
    assert base == "the base takes 2500 samples, about 8750000 tokens, 2.4 hours"
    assert [row.split(" passes in ")[0].removeprefix("a checkpoint that gained ") for row in rows] == [
        "nothing",
        "1 point",
        "3 points",
        "5 points",
        "10 points",
    ]
    passes = [int(row.split(" passes in ")[1].split("%")[0]) for row in rows]
    assert passes[0] <= 5
    assert passes[-1] > 90
    assert passes == sorted(passes)
    assert cost.endswith("1000 tokens/s")


def test_a_gain_over_a_golden_run_is_planned_from_its_rates(tmp_path):
    save(accepted(case_of(), completions_of(like_the_paper, 16, tokens=123), 16), tmp_path)
    golden = read_golden(tmp_path, SPECS["tiny-aime"])
    head, *rows, cost = gain_plan(
        SPECS["tiny-aime"], Settings(samples=4), None, tokens_per_s=None, golden=golden
    ).splitlines()
    assert "the golden run's base, which scored 7" in head
    assert "with 16 samples of each problem; the checkpoint is looked at after 4 samples" in head
    assert all("it takes 120 samples" in row for row in rows)
    assert "measured in the golden run" in cost


def test_the_option_plans_a_gain_with_its_base_and_refuses_the_protocol_that_only_compares(tmp_path):
    demanded = ("tests/accuracy", "-m", "rtx3060", "-k", "light-math500", "--gain-over=Qwen/Qwen2.5-0.5B")
    code, text = suite(tmp_path, *demanded)
    assert code == 0, text
    assert "the base takes 2500 samples" in text
    assert not (tmp_path / "run-base").exists()
    code, text = suite(tmp_path, *demanded, "--protocol=vendor")
    assert code == ExitCode.ERROR, text
    assert "plan it with --protocol paper" in " ".join(text.split())


def test_the_option_plans_demanded_promises_without_their_hardware_and_tests_nothing(tmp_path):
    code, text = suite(tmp_path, "tests/accuracy", "-m", "ascend", "-k", "aime2024")
    assert code == 0, text
    assert "ascend-mindie-deepseek-r1-w8a8-aime2024" in text
    assert "1 promise planned; nothing was asked and nothing was tested" in text
    assert (
        "promised 79.8 % ± 1 problem, drawn with temperature 0.6, top_p 0.95, max_tokens 31232 (protocol paper)" in text
    )
    assert not (tmp_path / "run").exists()


def test_a_promise_without_a_plan_is_counted_and_fails_the_session(tmp_path):
    code, text = suite(tmp_path, "tests/accuracy", "-m", "rtx3060", "-k", "light-math500")
    assert code == ExitCode.ERROR, text
    assert "no plan: " in text
    assert "0 of 1 promise planned; nothing was asked" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--limit=3",), "--plan plans whole runs that ask: leave out --limit, --trial and --predictions"),
        (("-n2",), "--plan asks nothing: leave out -n"),
        (("--tokens-per-s=0",), "--tokens-per-s 0.0: give a number above 0"),
    ],
)
def test_what_cannot_be_planned_is_refused(tmp_path, arguments, said):
    code, text = suite(tmp_path, "tests/accuracy", *arguments)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert said in text
