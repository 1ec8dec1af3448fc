"""A preflight finds servers that are set up otherwise than the run needs, and leaves honest ones alone."""

from decimal import Decimal

import pytest

from papergate.acceptance.options import Options
from papergate.acceptance.preflights import Preflights, _ends_after_s
from papergate.acceptance.preparing import Benchmarks, prepare
from papergate.acceptance.selection import read_setup
from papergate.benchmarks import read_specs
from papergate.cli import main
from papergate.diagnosis.preflight import Subject, _in_time, preflight
from papergate.diagnosis.sampling import ONE_DRAW, OTHER_DISTRIBUTION
from papergate.engines import Completion, Finish
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import PreflightFailed
from papergate.gate import gate
from papergate.promises import read_promises
from papergate.promises.records import Sampling
from papergate.run_folder.files import PREFLIGHT_FILE
from papergate.run_folder.preflight import PreflightRecord, write_preflight
from papergate.thoughts import ThoughtMarks
from papergate.words import say
from tests.servers.drawing_server import MODEL, Habits, drawing_server

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=100)


def subject_of(*urls, **changes):
    fields = {"sampling": SAMPLING, "prompts": ["What is 2 + 3?"], "thinks": True, "concurrency": 1} | changes
    return Subject(deployment="double", engine=RemoteEngine(urls, MODEL), **fields)


def checked(*urls, **changes):
    return preflight(subject_of(*urls, **changes))


def states(record):
    return {check.code: check.state for check in record.checks}


def found(record, code):
    (check,) = (check for check in record.checks if check.code == code)
    return check


def test_an_honest_server_is_left_alone():
    with drawing_server() as url:
        record = checked(url)
    assert set(states(record).values()) == {"ok"}, record
    assert {"endpoints", "limit", "whole_answer", "greedy", "streaming", "sampling", "seeds"} <= states(record).keys()


@pytest.mark.parametrize(
    ("ends_after_s", "most_tokens", "state"), [(3600, None, "ok"), (1e-4, None, "noted"), (1e-4, 1, "ok")]
)
def test_a_time_out_of_the_server_that_long_answers_do_not_meet_is_noted(ends_after_s, most_tokens, state):
    """At the speed of one answer; the double's answers are short, so that any length tells its speed here."""
    done = Completion(problem="p", sample=0, text="4", finish=Finish.STOP, output_tokens=101, ttft_s=0.5, e2e_s=0.501)
    with drawing_server() as url:
        subject = subject_of(url, ends_after_s=ends_after_s, most_tokens=most_tokens)
    check = _in_time(subject, done, ends_after_s)
    assert check.state == state


def test_what_a_time_out_demands_is_said_where_the_speed_cannot_be_told():
    with drawing_server() as url:
        check = found(checked(url, ends_after_s=10.0), "time_out")
    assert (check.state, check.values["needed"]) == ("unknown", 10.0)
    assert "need 10 tokens per second" in say(check)


def test_the_ascend_document_needs_nearly_nine_tokens_a_second():
    (promise,) = (
        one for one in read_promises(benchmarks=read_specs()) if one.id == "ascend-mindie-deepseek-r1-w8a8-aime2024"
    )
    assert _ends_after_s(promise.deployment.flags) == 3600
    assert promise.deployment.most_tokens / 3600 == pytest.approx(8.7, abs=0.05)


@pytest.mark.parametrize(
    ("habits", "seen"),
    [
        ({"temperature": 1.0}, "temperature 1.0"),
        ({"temperature": 0.3}, "temperature halved"),
        ({"temperature": 0.0}, "every draw the same"),
        ({"top_p": 1.0}, "top_p ignored"),
        ({"temperature": 1.0, "top_p": 1.0}, "temperature 1.0"),
    ],
)
def test_sampling_that_is_not_the_declared_one_is_named(habits, seen):
    with drawing_server(**habits) as url:
        check = found(checked(url), "sampling")
    assert check.state == "failed"
    assert check.values["seen"].startswith(seen)
    assert "do not fit temperature 0.6 and top_p 0.95" in say(check)


@pytest.mark.parametrize("bias", [2.0, 3.0])
def test_draws_that_no_setting_explains_are_not_called_one(bias):
    with drawing_server(bias=bias) as url:
        check = found(checked(url), "sampling")
    assert (check.state, check.values["seen"]) == ("failed", OTHER_DISTRIBUTION)
    assert "logit bias" in say(check)
    assert "logit bias" in say(check, "zh")


def test_one_token_for_every_seed_is_named_whichever_it_is():
    with drawing_server(bias=40.0) as url:
        check = found(checked(url), "sampling")
    assert (check.state, check.values["seen"]) == ("failed", ONE_DRAW)


def test_requests_that_fail_are_asked_again_and_counted():
    with drawing_server(fails_every=20) as url:
        record = checked(url, concurrency=16)
    assert not record.failed
    again = found(record, "asked_again")
    assert (again.state, again.server) == ("noted", url)
    assert again.values["count"] > 10
    assert "an expert is gone" in say(again)


def test_a_server_that_always_fails_is_refused():
    with drawing_server(fails_every=1) as url:
        record = checked(url)
    assert {check.code for check in record.failed} == {"no_answer"}
    assert "asked_again" not in states(record)


def test_seeds_that_decide_nothing_are_noted():
    with drawing_server(seeds="ignored") as url:
        record = checked(url)
    assert found(record, "seeds").state == "noted"
    assert found(record, "sampling").state == "ok"


@pytest.mark.parametrize(
    ("habits", "reason", "said"),
    [
        ({"tokenize": False}, "no-tokenizer", "/tokenize"),
        ({"logprobs": "absent"}, "no-log-probabilities", "no log-probabilities"),
        ({"logprobs": "odd"}, "no-log-probabilities", "no log-probabilities"),
        ({"logprobs": "scaled"}, "log-probabilities-after-temperature", "change with the temperature"),
    ],
)
def test_what_cannot_be_told_is_said(habits, reason, said):
    with drawing_server(**habits) as url:
        check = found(checked(url), "sampling")
    assert (check.state, check.values["reason"]) == ("unknown", reason)
    assert said in say(check)


@pytest.mark.parametrize(
    ("habits", "state"), [({}, "ok"), ({"temperature": 0.0}, "noted"), ({"most_temperature": 1.0}, "unknown")]
)
def test_where_log_probabilities_are_missing_two_seeds_tell_whether_temperature_is_used(habits, state):
    with drawing_server(logprobs="absent", **habits) as url:
        record = checked(url, prompts=["What is 2 + 3?"] * 8)
    assert (found(record, "sampling").state, found(record, "draws").state) == ("unknown", state)
    assert not record.failed
    assert "temperature 2" in say(found(record, "draws")) or state == "ok"


def test_tokens_that_the_server_no_longer_names_are_no_draws():
    """Neither tokens outside the nucleus, nor pairs of one seed that agree."""
    with drawing_server(names_tokens_until=50) as url:
        record = checked(url)
    assert (found(record, "sampling").state, "seeds" in states(record)) == ("unknown", False)
    assert found(record, "sampling").values["reason"] == "no-log-probabilities"


def test_a_server_that_changes_max_tokens_is_found():
    with drawing_server(most_tokens=9) as url:
        check = found(checked(url), "limit")
    assert check.state == "failed"
    assert "max_tokens = 8 was asked for; 9 tokens came" in say(check)


def test_a_whole_answer_whose_thought_is_not_closed_is_found():
    with drawing_server(closes=False) as url:
        check = found(checked(url), "whole_answer")
    assert (check.state, check.values["cause"]) == ("failed", "mark-lost")
    assert "a gateway or a parser removes it" in say(check)


def test_a_mark_that_the_target_states_closes_the_thought():
    with drawing_server(closes=False) as url:
        check = found(checked(url, marks=ThoughtMarks(opens="<think>", closes="sum.")), "whole_answer")
    assert check.state == "ok"


def test_an_answer_that_ends_before_the_limit_tells_nothing_of_it():
    with drawing_server(length=5) as url:
        check = found(checked(url, thinks=False), "limit")
    assert (check.state, check.values["reason"]) == ("unknown", "short")


def test_a_server_that_refuses_temperature_0_may_be_asked_all_the_same():
    with drawing_server(least_temperature=0.1) as url:
        record = checked(url)
    assert (states(record)["greedy"], record.failed) == ("unknown", ())
    assert "refuses temperature 0" in say(found(record, "greedy"))


def test_a_thought_that_is_dropped_is_named_and_an_answer_too_short_for_text_is_not():
    with drawing_server(thought_dropped=True) as url:
        record = checked(url)
    assert [check.code for check in record.failed] == ["whole_answer"], record
    assert found(record, "limit").values["reason"] == "no-answer"


def test_a_server_that_keeps_its_weights_to_itself_differs_from_none():
    with drawing_server() as one, drawing_server(root="") as other:
        assert found(checked(one, other), "endpoints").state == "ok"


def test_servers_of_two_deployments_are_refused():
    with drawing_server() as one, drawing_server(root="other weights") as other:
        record = checked(one, other)
    assert found(record, "endpoints").state == "failed"
    assert "weights: weights, other weights" in say(found(record, "endpoints"))
    assert {check.server for check in record.checks if check.code == "limit"} == {one, other}


def test_a_record_is_read_back(tmp_path):
    with drawing_server(temperature=1.0) as url:
        record = checked(url)
    write_preflight(tmp_path, record)
    found = PreflightRecord.read(tmp_path / PREFLIGHT_FILE)
    assert found.seal
    assert found == record.model_copy(update={"seal": found.seal})
    assert [check.code for check in record.failed] == ["sampling"]


def gated(url, folder, **options):
    asked = Options(endpoints=(url,), model=MODEL, run=folder / "run", samples=2, limit=3, **options)
    ended = gate(asked, targets=["cpu_vllm"], wanted=lambda promise: promise.benchmark == "tiny-aime")
    (line,) = ended.lines
    (place,) = (folder / "run").glob("cpu_vllm-*")
    return line, place


def test_a_gate_asks_nothing_of_a_server_that_is_set_up_wrongly(tmp_path):
    with drawing_server(temperature=1.0) as url:
        line, place = gated(url, tmp_path)
    assert "the preflight failed, so nothing was asked" in line.error
    assert "seen: temperature" in line.error
    assert not (place / "completions.jsonl").exists()
    assert PreflightRecord.read(place / PREFLIGHT_FILE).failed


def test_a_gate_without_preflight_says_so(tmp_path):
    with drawing_server(temperature=1.0) as url:
        line, place = gated(url, tmp_path, preflight=False)
    assert "no_preflight" in {note.code for note in line.record.notes}
    assert not (place / PREFLIGHT_FILE).exists()


def test_the_command_checks_and_asks_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with drawing_server() as honest, drawing_server(top_p=1.0) as dishonest:
        assert main(["preflight", "cpu_vllm", "--endpoint", honest, "--model", MODEL]) == 0
        assert main(["preflight", "cpu_vllm", "--endpoint", dishonest, "--model", MODEL]) == 1
    said = capsys.readouterr().out
    assert "of 9 checks in order" in said
    assert "seen: top_p ignored" in said
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_changes_after_its_preflight_is_not_asked(tmp_path):
    setup, habits = read_setup(Options()), Habits()
    promise = next(one for one in setup.promises if one.target == "cpu_vllm")
    ready = prepare(promise, setup, Benchmarks(setup.benchmarks, {}))
    with drawing_server(habits) as url:
        engine, held = RemoteEngine([url], MODEL), Preflights()
        held.hold(ready, engine, tmp_path)
        habits.root = "a later checkpoint"
        with pytest.raises(PreflightFailed, match=r"changed after its preflight.* It is: .*a later checkpoint"):
            held.hold(ready, engine, tmp_path)
