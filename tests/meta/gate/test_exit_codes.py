"""The exit status says how a session ended, the same from pytest and from papergate gate, and as JUnit does."""

import os
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path

import pytest

from papergate.exit_codes import WORST_FIRST, ExitCode, exit_code_of
from papergate.run_folder.files import PAGE_FILE
from tests.meta.processes import forked
from tests.meta.tiny_runs import completions_of, like_the_paper, write_predictions
from tests.servers.faulty_server import MODEL, FaultyServer, always

ROOT = Path(__file__).parents[3]
NO_ENGINE = pytest.mark.skipif(not find_spec("transformers"), reason="needs the extra hf")
PYTEST = ("pytest", "tests/accuracy", "-p", "no:cacheprovider", "-m")
GATE = ("papergate", "gate")
BREAKS_IN_A_PROMISE = """
from papergate.acceptance.gate import Gate
def test(self, promise, show): return 1 // 0
Gate.test = test
"""
BREAKS_BETWEEN = """
def pytest_runtestloop(session): raise ZeroDivisionError
"""


class Ended:
    """A session, its exit status and its JUnit report."""

    def __init__(self, folder, front, *arguments, plugin="", junit=True, with_model=False):
        folder.mkdir(exist_ok=True)
        (folder / "breaking.py").write_text(plugin)
        report = folder / "junit.xml"
        options = [f"--run={folder / 'run'}", *(["-p", "breaking"] if plugin else [])]
        options += [f"--junitxml={report}"] if junit else []
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{folder}"}
        done = forked(*front, *arguments, *options, env=environment, with_model=with_model)
        self.text, self.exit = done.stdout + done.stderr, done.returncode
        cases = list(ET.parse(report).getroot().iter("testcase")) if report.exists() else []
        self.red = [child.tag for case in cases for child in case if child.tag in {"failure", "error"}]
        self.properties = {item.get("name"): item.get("value") for case in cases for item in case.iter("property")}


def log(folder, right, k):
    return write_predictions(folder / "log.jsonl", completions_of(right, k))


@pytest.mark.parametrize("front", [PYTEST, GATE], ids=["pytest", "papergate gate"])
@pytest.mark.parametrize(
    ("right", "k", "code", "red"),
    [
        (like_the_paper, 64, ExitCode.KEPT, []),
        (lambda *_: True, 64, ExitCode.KEPT, []),  # too high for a paper is a warning
        (lambda *_: False, 4, ExitCode.BROKEN, ["failure"]),
        (like_the_paper, 1, ExitCode.UNDECIDED, ["failure"]),
    ],
    ids=["kept", "too high", "broken", "undecided"],
)
def test_a_verdict_has_its_status(tmp_path, front, right, k, code, red):
    ended = Ended(tmp_path, front, "cpu", f"--predictions={log(tmp_path, right, k)}")
    assert (ended.exit, ended.red) == (code, red), ended.text


@pytest.mark.parametrize("front", [PYTEST, GATE], ids=["pytest", "papergate gate"])
@pytest.mark.parametrize(
    ("arguments", "plugin", "code", "red"),
    [
        (("a100", "-k", "vllm and aime2024"), "", ExitCode.ERROR, ["error"]),
        (("a100", "--samples=0"), "", ExitCode.USAGE_ERROR, []),
        (("a100", "-k", "nothing_like_it"), "", ExitCode.NOTHING_SELECTED, []),
        (("a100", "-k", "vllm and aime2024"), BREAKS_IN_A_PROMISE, ExitCode.CRASHED, ["error"]),
        (("a100", "-k", "vllm and aime2024"), BREAKS_BETWEEN, ExitCode.CRASHED, ["error", "error"]),
    ],
    ids=["error", "usage", "nothing", "crash in a promise", "crash between"],
)
def test_a_session_without_a_verdict_has_a_status_that_no_verdict_has(tmp_path, front, arguments, plugin, code, red):
    ended = Ended(tmp_path, front, *arguments, plugin=plugin)
    assert (ended.exit, ended.red) == (code, red), ended.text


@pytest.mark.parametrize(("right", "code"), [(like_the_paper, ExitCode.ERROR), (lambda *_: False, ExitCode.BROKEN)])
def test_a_junit_report_that_cannot_be_written_hides_no_verdict_and_is_no_success(tmp_path, right, code):
    arguments = (f"--predictions={log(tmp_path, right, 64)}", "--junitxml=/proc/papergate/j.xml")
    ended = Ended(tmp_path, PYTEST, "cpu", *arguments, junit=False)
    assert ended.exit == code, ended.text
    assert "the JUnit report cannot be written: " in ended.text
    assert "papergate verdicts" in ended.text
    assert "Traceback" not in ended.text


BREAKS_AT_THE_END = """
def pytest_sessionfinish(session): raise {error}("the dashboard is away")
"""


@pytest.mark.parametrize("error", ["OSError", "ValueError"])
@pytest.mark.parametrize(("right", "code"), [(like_the_paper, ExitCode.CRASHED), (lambda *_: False, ExitCode.BROKEN)])
def test_a_plugin_that_breaks_at_the_end_is_named_and_is_no_fault_of_the_junit_report(tmp_path, right, code, error):
    predictions, plugin = f"--predictions={log(tmp_path, right, 64)}", BREAKS_AT_THE_END.format(error=error)
    ended = Ended(tmp_path, PYTEST, "cpu", predictions, plugin=plugin)
    assert ended.exit == code, ended.text
    assert "the dashboard is away" in ended.text
    assert "breaking.py" in ended.text
    assert "JUnit report cannot be written" not in ended.text
    assert "papergate verdicts" in ended.text


def test_a_broken_promise_is_not_hidden_by_an_error_of_another(tmp_path):
    predictions = f"--predictions={log(tmp_path, lambda *_: False, 4)}"
    (tmp_path / "run" / "cpu-huggingface-papergate-tiny-tiny-aime").mkdir(parents=True)
    (tmp_path / "run" / PAGE_FILE).mkdir()
    ended = Ended(tmp_path, PYTEST, "cpu", predictions)
    assert (ended.exit, ended.red) == (ExitCode.BROKEN, ["failure", "error"]), ended.text


def test_the_worst_outcome_decides():
    outcomes = [outcome for outcome, _ in WORST_FIRST]
    for place, (_, code) in enumerate(WORST_FIRST):
        assert exit_code_of(outcomes[place:]) is code
    assert exit_code_of([]) is ExitCode.KEPT


def test_no_status_of_papergates_own_is_one_of_pytests():
    own = {ExitCode.UNDECIDED, ExitCode.ERROR, ExitCode.CRASHED}
    assert not {int(code) for code in own} & {int(code) for code in pytest.ExitCode}


@NO_ENGINE
def test_a_trial_of_a_good_set_up_is_green_and_no_verdict(tmp_path):
    ended = Ended(tmp_path, PYTEST, "cpu", "-k", "tiny-aime", "--trial", "--holm", with_model=True)
    assert (ended.exit, ended.red, ended.properties["verdict"]) == (ExitCode.KEPT, [], "trial"), ended.text
    assert "trial of the set-up: no promise is judged" in ended.text
    assert "trial: the set-up works: 2 samples were asked (2 of 30 problems)" in ended.text
    assert not {"score_percent", "pass_at_1", "interval"} & ended.properties.keys()
    page = (tmp_path / "run" / PAGE_FILE).read_text()
    assert "Promises: 1. 1 tried, not judged." in page
    assert "A trial of the set-up. It is no test of the promise" in page
    assert ", promised 74.0 %" not in ended.text


def test_a_trial_without_a_readable_answer_is_red(tmp_path):
    with FaultyServer(plan=always("ends_at_once")) as server:
        where = ("--endpoint", server.url, "--model", MODEL, "--no-preflight", "-k", "tiny-aime")
        ended = Ended(tmp_path, PYTEST, "cpu_vllm", "--trial", *where)
    assert (ended.exit, ended.red) == (ExitCode.ERROR, ["failure"]), ended.text
    assert "trial: the set-up does not work: 2 samples were asked" in ended.text


def test_a_trial_of_a_file_is_refused(tmp_path):
    ended = Ended(tmp_path, PYTEST, "cpu", "--trial", f"--predictions={log(tmp_path, like_the_paper, 1)}")
    assert ended.exit == ExitCode.USAGE_ERROR
    assert "give one of them" in ended.text
