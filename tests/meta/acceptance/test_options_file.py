"""Options of a gate in a TOML file: read as the command line reads them, which wins."""

from pathlib import Path

import pytest

from papergate.acceptance.options import add_options, options_of
from papergate.acceptance.options_file import read_options_file
from papergate.errors import OptionsError, PapergateError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(typed=None):
    return options_of(read_options_file(add_options).beside((typed or {}).get))


def test_without_a_file_nothing_changes():
    assert options() == options_of({}.get)


def test_a_file_of_its_own_and_a_table_of_pyproject_say_the_same(here):
    lines = 'endpoint = ["http://a:1", "http://b:2"]\nmax-samples = 8\nholm = true\nbudget-hours = 1.5\n'
    (here / "pyproject.toml").write_text(f"[project]\nname = 'x'\n[tool.papergate]\n{lines}")
    read = options()
    assert (read.endpoints, read.max_samples, read.holm) == (("http://a:1", "http://b:2"), 8, True)
    assert read.budget.hours == 1.5
    (here / "papergate.toml").write_text(lines.replace("8", "4"))
    assert options().max_samples == 4


def test_places_are_relative_to_the_file(here):
    (here / "ci").mkdir()
    (here / "ci" / "gate.toml").write_text(
        'data = { math500 = "m.jsonl" }\ntargets = ["mine", "/others"]\nmodel = "r1"'
    )
    read = options_of(read_options_file(add_options, Path("ci/gate.toml")).beside({}.get))
    assert read.data == {"math500": Path("ci/m.jsonl")}
    assert read.targets == (Path("ci/mine"), Path("/others"))
    assert read.model == "r1"


@pytest.mark.parametrize(
    ("lines", "typed", "name", "value"),
    [
        ("max-samples = 8", {"--max-samples": 16}, "max_samples", 16),
        ("max-samples = 8\nbudget-hours = 1", {"--samples": 4}, "samples", 4),
        ('endpoint = ["http://a:1"]', {"--endpoint": ["http://b:1"]}, "endpoints", ("http://b:1",)),
        ('endpoint = ["http://a:1"]', {"--predictions": "log"}, "endpoints", ()),
        ('protocol = "vendor"', {"--protocol": "paper"}, "protocol", "paper"),
    ],
)
def test_the_command_line_wins(here, lines, typed, name, value):
    (here / "papergate.toml").write_text(lines)
    assert getattr(options(typed), name) == value


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("max-sampels = 8", "papergate.toml: max-sampels: no such option; did you mean max-samples?"),
        ("max_samples = 8", "did you mean max-samples?"),
        ('protocol = "papr"', "invalid choice: 'papr'"),
        ('max-samples = "many"', "invalid int value: 'many'"),
        ("max-samples = 0", "give a whole number of at least 1"),
        ("max-samples = true", "True is no value of this option"),
        ("max-samples = [1, 2]", "is no value of this option"),
        ('holm = "yes"', "holm is a switch: write true or false"),
        ("endpoint = [", "papergate.toml"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(here, lines, said):
    (here / "papergate.toml").write_text(lines)
    with pytest.raises(PapergateError, match=r"^[^\n]*$") as refused:
        options()
    assert said in str(refused.value)


def test_a_named_file_must_be_there():
    with pytest.raises(PapergateError, match=r"none\.toml"):
        read_options_file(add_options, Path("none.toml"))


def test_a_switch_that_is_off_is_off(here):
    (here / "papergate.toml").write_text("holm = false")
    assert options().holm is False
    assert issubclass(OptionsError, PapergateError)
