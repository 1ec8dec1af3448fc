"""What a session tells: once in the terminal, and in JUnit so that a CI viewer needs nothing else."""

import os
import re
import socket
import xml.etree.ElementTree as ET

import pytest

from papergate.cli import main
from tests.meta.processes import forked
from tests.meta.tiny_runs import completions_of, like_the_paper, write_predictions

PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"


class Told:
    """A session on stored completions: what it printed, and its JUnit report."""

    def __init__(self, folder, *arguments, target="cpu", env=None):
        self.run = folder / "run"
        options = [f"--run={self.run}", f"--junitxml={folder / 'junit.xml'}", *arguments]
        command = ("pytest", "tests/accuracy", "-p", "no:cacheprovider", "-m", target)
        done = forked(*command, *options, env=os.environ | (env or {}))
        self.text = done.stdout + done.stderr
        self.suite = ET.parse(folder / "junit.xml").getroot().find("testsuite")
        self.red = [child for case in self.suite for child in case if child.tag in {"failure", "error"}]

    @property
    def bodies(self):
        return [child.text for child in self.red]


@pytest.fixture
def replayed(tmp_path):
    def replay(right, k, *arguments):
        log = write_predictions(tmp_path / "log.jsonl", completions_of(right, k))
        return Told(tmp_path, "--predictions", log, *arguments)

    return replay


def low(place, sample):
    return place > 14 and (place, sample) != (20, 3)


def test_the_body_of_a_failure_explains_it(replayed):
    told = replayed(low, 16)
    (body,), (failure,) = told.bodies, told.red
    assert failure.get("message").startswith("Failed: fail: pass@1 ")
    assert "\n" not in failure.get("message")
    assert body.startswith("fail: pass@1 ")
    assert "the completions come from a file" in body
    worst = body.partition("worst problems")[2]
    assert len(re.findall(r"^tiny-aime-\d+: 0 of 16 right, 0 cut off$", worst, re.MULTILINE)) == 5
    assert f"every answer and grade is in {told.run / PROMISE}" in body


def test_stored_completions_are_not_offered_to_be_judged_again(replayed, capsys):
    assert_nothing_is_judged_again(replayed(low, 4), capsys)


def test_after_a_wrong_port_nothing_is_offered_to_be_judged_again(tmp_path, capsys):
    with socket.socket() as bound:  # which does not listen
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        told = Told(tmp_path, "-k", "tiny-aime", "--endpoint", url, "--model=m", target="cpu_vllm")
    assert_nothing_is_judged_again(told, capsys)


def assert_nothing_is_judged_again(told, capsys):
    assert f"resume: --run={told.run}" in told.text
    assert "runs judge" not in told.text + told.bodies[0]
    assert main(["runs", "judge", str(told.run)]) == 2
    assert "holds no completions to judge" in capsys.readouterr().err


def test_an_undecided_promise_names_the_samples_to_type(replayed):
    told = replayed(like_the_paper, 1)
    needed = re.search(r"the same command with --max-samples (\d+) --run", told.bodies[0])
    assert int(needed[1]) > 1
    assert f"{needed[0]}={told.run}" in told.text


def test_the_body_of_an_error_says_how_to_go_on(tmp_path):
    told = Told(tmp_path, "-k", "vllm", target="a100")
    assert len(told.bodies) == 2
    assert all(f"the same command with --run={told.run}" in body for body in told.bodies)


def test_nothing_is_printed_twice(replayed, tmp_path):
    told = replayed(low, 16)
    assert told.text.count("fail: pass@1 ") == 1
    assert told.text.count(PROMISE) == 1
    error = Told(tmp_path, "-k", "vllm", target="a100")
    assert error.text.count("a100 demands") == 1
    assert "  of: a100-vllm-r1-distill-qwen-14b-aime2024, a100-vllm-r1-distill-qwen-14b-math500\n" in error.text


def test_verbose_shows_the_worst_problems_and_quiet_hides_the_notes(replayed):
    assert "worst problems" in replayed(low, 16, "-v").text
    quiet = replayed(low, 16, "-q").text
    assert "note:" not in quiet
    assert quiet.count("fail: pass@1 ") == 1


def test_no_line_of_the_table_is_longer_than_80_columns(replayed):
    table = replayed(like_the_paper, 64, "-q").text.partition("papergate verdicts")[2].partition("report:")[0]
    assert table.count("\n") >= 4
    assert max(map(len, table.splitlines())) <= 80


def test_the_properties_of_the_suite_tell_what_ran(replayed):
    told = replayed(low, 16, "--run-seed=7")
    found = {item.get("name"): item.get("value") for item in told.suite.find("properties")}
    assert (found["exit_code"], found["outcome"], found["promises_fail"]) == ("1", "broken", "1")
    assert (found["run"], found["run_seed"], found["grader"]) == (str(told.run), "7", "strict")
    assert "-m cpu" in found["command"]
    assert found["not_tested"].startswith("not tested here: 1 promise")
