"""A policy says which promises gate; what it lets pass stands in the open everywhere."""

from datetime import timedelta

import pytest

from papergate.acceptance.options import Options
from papergate.errors import PromiseError
from papergate.exit_codes import ExitCode
from papergate.gate import gate
from papergate.promises.policy import read_policy, today
from papergate.reports.family import family_of
from papergate.reports.junit import properties
from papergate.words import say
from tests.meta.gate.test_suite import replayed
from tests.meta.tiny_runs import completions_of, like_the_paper, write_predictions

PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"
IDS = [PROMISE, "a100-vllm-r1-aime2024", "a100-vllm-r1-math500"]


def written(folder, text):
    path = folder / "policy.toml"
    path.write_text(text)
    return path


def waiver(days):
    expires = today() + timedelta(days=days)
    return f'[[waivers]]\npromise = "{PROMISE}"\nreason = "the driver of June"\nexpires = {expires}\n'


def test_the_tier_of_a_promise_is_that_of_its_pattern_and_must_by_default(tmp_path):
    policy = read_policy(written(tmp_path, 'should = ["a100-*-math500"]\nrecord = ["cpu-*"]\nholm = true\n'), IDS)
    assert [policy.tier_of(one) for one in IDS] == ["record", "must", "should"]
    assert policy.holm


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('should = ["a100-*-gpqa"]', "should: 'a100-*-gpqa' names no promise; known are ids such as 'a100-vllm"),
        ('must = ["a100-*"]\nrecord = ["*-aime2024"]', "a100-vllm-r1-aime2024 is listed in must and record; keep one"),
        ('might = ["a100-*"]', "might: Extra inputs are not permitted"),
        ('[[waivers]]\npromise = "*"\nexpires = 2026-12-31', "waivers.0.reason: Field required"),
        ('[[waivers]]\npromise = "*"\nreason = ""\nexpires = 2026-12-31', "waivers.0.reason: String should have"),
        ('[[waivers]]\npromise = "*"\nreason = "x"', "waivers.0.expires: Field required"),
        (
            '[[waivers]]\npromise = "*"\nreason = "x"\nexpires = "soon"',
            "waivers.0.expires: Input should be a valid date",
        ),
        ('[[waivers]]\npromise = "b*"\nreason = "x"\nexpires = 2026-12-31', "waivers: 'b*' names no promise"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(tmp_path, text, said):
    with pytest.raises(PromiseError, match=r"policy\.toml: ") as refused:
        read_policy(written(tmp_path, text), IDS)
    assert said in str(refused.value)


def broken(folder, policy):
    """The end of a session whose one promise is broken."""
    log = write_predictions(folder / "log.jsonl", completions_of(lambda place, sample: (place + sample) % 2, 8))
    options = Options(predictions=log, run=folder / "run", policy=written(folder, policy))
    return gate(options, targets=["cpu"])


NOTES = {
    'should = ["cpu-*"]': ("not_gating", "the tier should: it does not gate. The build would have failed without"),
    'record = ["cpu-*"]': ("not_gating", "the tier record: it does not gate. The build would have failed without"),
    waiver(0): ("waived", f"waived until {today()}: the driver of June. The build would have failed without it"),
}


@pytest.mark.parametrize(("policy", "noted"), NOTES.items(), ids=["should", "record", "waived"])
def test_what_the_policy_lets_pass_breaks_no_build_and_is_said(tmp_path, policy, noted):
    ended = broken(tmp_path, policy)
    record = ended.lines[0].record
    assert (record.verdict, record.accepted, record.gates, ended.exit_code) == ("fail", False, False, ExitCode.KEPT)
    code, words = noted
    assert words in next(say(one) for one in record.notes if one.code == code)
    assert dict(properties(record))["gates"] == "false"
    assert words in (tmp_path / "run" / "report.html").read_text()
    assert family_of([record, record]) is None


@pytest.mark.parametrize("policy", ["", 'must = ["cpu-*"]', waiver(-1)], ids=["empty", "must", "expired"])
def test_whatever_else_is_broken_breaks_the_build(tmp_path, policy):
    ended = broken(tmp_path, policy)
    assert ended.exit_code is ExitCode.BROKEN
    expired = [say(one) for one in ended.lines[0].record.notes if one.code == "waiver_expired"]
    assert bool(expired) is ("waivers" in policy)


def test_a_waiver_that_is_not_needed_is_said(tmp_path):
    log = write_predictions(tmp_path / "log.jsonl", completions_of(like_the_paper, 64))
    ended = gate(Options(predictions=log, run=tmp_path / "run", policy=written(tmp_path, waiver(3))), targets=["cpu"])
    assert ended.passed
    assert any("It is not needed: the promise is kept" in say(one) for one in ended.lines[0].record.notes)


def test_in_junit_a_promise_that_may_be_broken_is_skipped_with_its_sentence(tmp_path):
    policy = written(tmp_path, 'should = ["cpu-*"]')
    session = replayed(tmp_path, completions_of(lambda place, sample: (place + sample) % 2, 8), "--policy", policy)
    assert (session.exit, session.outcomes()) == (0, ["skipped"]), session.text
    assert session.cases[0].find("skipped").get("message").startswith("fail: pass@1 50.0 %")
    assert (session.properties()["verdict"], session.properties()["tier"]) == ("fail", "should")
    assert "The build would have failed without the policy" in session.text
