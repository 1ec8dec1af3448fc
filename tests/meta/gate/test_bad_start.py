"""What stands in the way of a session is refused in one line with the remedy, before anything runs."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from papergate.exit_codes import ExitCode
from tests.meta.processes import forked, ran

ROOT = Path(__file__).parents[3]
PYTEST = ("pytest", "tests/accuracy", "-p", "no:cacheprovider")
CLASH = """
def pytest_addoption(parser):
    parser.addoption("--model", help="of another plugin")
"""


def started(folder, *arguments, path=ROOT):
    return told(forked(*PYTEST, f"--run={folder / 'run'}", *arguments, env=os.environ | {"PYTHONPATH": str(path)}))


def told(done):
    text = done.stdout + done.stderr
    assert "Traceback" not in text, text
    return done.returncode, text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-m", "a1oo"), "-m a1oo: no such target; known: a100, "),
        (("-m", "a1oo"), "did you mean a100?"),
        (("-m", "a100", "--max-sampels=3"), "papergate: --max-sampels; did you mean --max-samples?"),
        (("-m", "a100", "--data=math5oo=x"), "did you mean math500?"),
        (("-p", "no:xdist", "-n2", "-m", "a100"), "-n2 is an option of pytest-xdist: pip install"),
        (("--options=none.toml",), "none.toml"),
    ],
)
def test_a_mistake_of_the_command_line_is_named(tmp_path, arguments, said):
    code, text = started(tmp_path, *arguments)
    assert code == ExitCode.USAGE_ERROR
    assert said in text


def test_a_mistyped_keyword_gets_a_guess(tmp_path):
    code, text = started(tmp_path, "-m", "a100", "-k", "aime204")
    assert code == ExitCode.NOTHING_SELECTED
    assert "papergate: -k aime204: in the name of no promise; known: " in text
    assert "did you mean aime2024?" in text


def test_an_option_of_another_plugin_is_a_clash_with_its_remedy(tmp_path):
    (tmp_path / "clashing.py").write_text(CLASH)
    code, text = started(tmp_path, "-p", "clashing", "-m", "a100", path=f"{ROOT}:{tmp_path}")
    assert code == ExitCode.USAGE_ERROR
    assert "another plugin of pytest has the option --model too" in text
    assert "-p no:PLUGIN" in text


def test_two_papergates_are_one_too_many(tmp_path):
    """The library of one release under the suite of another: here a copy that Python imports first."""
    weights = shutil.ignore_patterns("*.safetensors", "__pycache__")
    shutil.copytree(ROOT / "papergate", tmp_path / "papergate", ignore=weights)
    early = "import sys, papergate, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", early, *PYTEST[1:], f"--run={tmp_path / 'run'}", "-m", "a100"]
    code, text = told(ran(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}))
    assert code == ExitCode.USAGE_ERROR, text
    assert "two papergates: the suite is in " in text


def test_an_older_python_is_refused():
    program = "import sys; sys.version_info = (3, 10, 14); import papergate"
    done = ran([sys.executable, "-c", program], cwd=ROOT)
    assert done.returncode == ExitCode.USAGE_ERROR
    assert done.stderr.startswith("papergate needs Python 3.11 or later")
    assert done.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_an_error_of_each_promise_said_once():
    code, text = started(Path("/proc/papergate"), "-m", "a100", "-k", "vllm")
    assert code == ExitCode.ERROR
    assert text.count("/proc/papergate/run cannot be written") == 1
    assert "give another folder: --run DIR" in text


def test_options_of_a_file_are_used_and_shown(tmp_path):
    (tmp_path / "gate.toml").write_text('limit = 3\nprotocol = "vendor"\n')
    _, text = started(tmp_path, "-m", "a100", f"--options={tmp_path / 'gate.toml'}", "-k", "vllm")
    assert f"papergate: options of {tmp_path / 'gate.toml'}: --limit 3, --protocol vendor" in text
    assert ", protocol vendor, " in text
