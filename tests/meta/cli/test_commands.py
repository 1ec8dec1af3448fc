"""One parser for all commands: examples, defaults, versions, completion, and a guess what a mistyped word was to be."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from papergate import __version__
from papergate.cli import MODULES, main, parser_of
from papergate.exit_codes import ExitCode
from tests.meta.processes import ran
from tests.meta.tiny_runs import TINY, accepted, case_of, completions_of, like_the_paper

ROOT = Path(__file__).parents[3]


def commands(parser=None, name="papergate"):
    """Every command with its parser, those of groups too."""
    parser = parser or parser_of()
    yield name, parser
    for action in parser._actions:
        for word, inner in (action.choices or {}).items() if hasattr(action, "add_parser") else ():
            yield from commands(inner, f"{name} {word}")


@pytest.mark.parametrize(("name", "parser"), [*commands()], ids=lambda value: value if isinstance(value, str) else "")
def test_every_help_has_an_example(name, parser):
    text = parser.format_help()
    assert re.search(rf"example[^\n]*:\s+{name}\b", text), text
    assert "%(default)s" not in text
    assert not re.search(r"\(default:\s*\)", text), text


def test_a_default_is_said(capsys):
    with pytest.raises(SystemExit):
        main(["grade", "--help"])
    assert re.search(r"field of the right\s+answer \(default: gold\)", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["gaet"], "did you mean gate?"),
        (["judge", "--papper", "79.8"], "did you mean --paper?"),
        (["runs", "shwo"], "did you mean show?"),
        (["plan", "--reference", "sampeld"], "did you mean sampled?"),
    ],
)
def test_a_mistyped_word_gets_a_guess(typed, meant, capsys):
    with pytest.raises(SystemExit) as ended:
        main(typed)
    assert ended.value.code == 2
    assert meant in capsys.readouterr().err


def test_options_are_not_abbreviated(capsys):
    with pytest.raises(SystemExit):
        main(["judge", "--cor", "24"])
    assert "unrecognized arguments: --cor" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"papergate {__version__}\n"


def test_every_paper_names_the_same_release_and_day():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    cited = dict(re.findall(r"^(version|date-released): *(\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE))
    newest = re.search(r"^## (\d\S*) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest, "the changelog has no dated release"
    assert {__version__, package, cited["version"]} == {newest[1]}
    assert cited["date-released"] == newest[2]


@pytest.mark.parametrize(
    ("line", "completed"),
    [("papergate ", "gate"), ("papergate gate a1", "a100"), ("papergate gate a100 --max-s", "--max-samples")],
)
def test_the_shell_completes(tmp_path, line, completed):
    told = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "IFS": "\n"}
    told["_ARGCOMPLETE_STDOUT_FILENAME"] = str(tmp_path / "completions")
    ran([sys.executable, "-m", "papergate"], env=os.environ | told)
    assert completed in re.split(r"[\n\v ]+", (tmp_path / "completions").read_text())


def test_a_command_imports_no_other_command():
    program = "import sys; from papergate.cli import parser_of; parser_of(['judge']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "papergate.cli.judge" in loaded
    assert not {f"papergate.cli.{name}" for name in {*MODULES} - {"judge", "suite"}} & {*loaded}


def test_targets_are_listed_and_shown_with_their_sources(capsys):
    assert main(["targets", "list"]) == 0
    assert re.search(r"^a100 +\d+ promises  NVIDIA A100", capsys.readouterr().out, re.MULTILINE)
    assert main(["targets", "show", "a100"]) == 0
    shown = capsys.readouterr().out
    assert "demands one NVIDIA A100" in shown
    assert "stated by  AISBench best practice, A100" in shown
    assert re.search(r"line \d+ +start the server: ", shown)
    assert "promises   math500: 93.9 %, tolerance 0.5 points\n             arXiv:2501.12948" in shown


def test_the_name_of_a_run_takes_no_line_of_another(tmp_path, capsys):
    from papergate.acceptance.saving import save

    save(accepted(case_of(), completions_of(like_the_paper, 64), 64), tmp_path / "a  1 pass\nb" / TINY.id)
    assert main(["runs", "list", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{tmp_path / 'a 1 pass b'}  1 pass"]


def test_an_unknown_target_gets_a_guess(capsys):
    assert main(["targets", "show", "a1oo"]) == 2
    assert "a1oo: no such target; known: a100, " in (err := capsys.readouterr().err)
    assert err.endswith("did you mean a100?\n")


def test_runs_are_listed_and_shown_as_they_were_judged(tmp_path, capsys):
    from papergate.acceptance.saving import save

    for name, right in (("20260101-a", like_the_paper), ("20260102-b", lambda *_: False)):
        save(accepted(case_of(), completions_of(right, 64), 64), tmp_path / name / TINY.id)
    (tmp_path / "notes").mkdir()
    assert main(["runs", "list", str(tmp_path)]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed == [f"{tmp_path / '20260102-b'}  1 fail", f"{tmp_path / '20260101-a'}  1 pass"]
    assert main(["runs", "show", str(tmp_path / "20260102-b")]) == ExitCode.BROKEN
    assert "fail: pass@1 0.0 %" in capsys.readouterr().out
    assert main(["runs", "show", str(tmp_path / "notes")]) == 2
    assert "holds no run" in capsys.readouterr().err
