"""``papergate gate`` and ``pytest`` on what the wheel carries run the same tests."""

import os
import zipfile

import pytest

from papergate.cli import main, suite
from tests.meta.processes import forked

FIRST = "tests/accuracy/test_paper_scores.py::test_score_is_reproduced[a100-"


def collected(*command, cwd):
    done = forked(*command, "--collect-only", "-q", cwd=cwd)
    return sorted(line for line in done.stdout.splitlines() if "::" in line), done


def test_the_gate_collects_a_targets_promises_from_any_folder(tmp_path):
    tests, done = collected("papergate", "gate", "a100", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(tests) == 4
    assert all(FIRST in test for test in tests)


def test_options_of_the_gate_and_of_pytest_are_pytests_to_read(tmp_path):
    tests, _ = collected("papergate", "gate", "a100", "-k", "math500", "--samples", "2", cwd=tmp_path)
    assert len(tests) == 2
    _, done = collected("papergate", "gate", "a100", "--sample", "two", cwd=tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR


def test_pytest_itself_finds_the_suite_where_it_is_said_to_stand(tmp_path, capsys):
    assert main(["where"]) == 0
    place = capsys.readouterr().out.strip()
    assert collected("pytest", place, "-m", "a100", cwd=tmp_path)[0]


@pytest.mark.parametrize("said", [["--targets={}"], ["tests/accuracy", "--targets", "{}"]], ids=["=", "tests named"])
def test_in_the_clone_pytest_takes_a_folder_outside_it_after_an_equals_sign_or_beside_the_tests(said, tmp_path):
    tests, done = collected("pytest", "-m", "a100", *(word.format(tmp_path) for word in said), cwd=suite.root())
    assert len([test for test in tests if FIRST in test]) == 4, done.stdout + done.stderr


def test_a_target_may_be_left_out():
    given = suite.suite_arguments("tests/perf", ["-k", "online"])
    assert "-m" not in given
    assert given[-2:] == ["-k", "online"]


@pytest.mark.skipif(
    "PAPERGATE_TEST_WHEEL" not in os.environ, reason="PAPERGATE_TEST_WHEEL names no wheel: `make accept-wheel` does"
)
def test_the_wheel_carries_the_suite_and_no_tests_of_papergate_itself():
    names = zipfile.ZipFile(os.environ["PAPERGATE_TEST_WHEEL"]).namelist()
    assert "papergate/suite/conftest.py" in names
    assert "papergate/suite/tests/accuracy/test_paper_scores.py" in names
    assert not [name for name in names if "tests/meta" in name or "__pycache__" in name]
