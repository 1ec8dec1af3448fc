"""docs/options.md names every option there is."""

import argparse
from pathlib import Path

import pytest

from papergate.cli import fleet, grade, judge, merge, plan

PAGE = Path(__file__).parents[3] / "docs" / "options.md"


def section(title):
    return PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_option_of_the_suite_is_on_the_page(pytestconfig):
    (group,) = (group for group in pytestconfig._parser._groups if group.name == "papergate")
    names = {name for option in group.options for name in option.names()}
    assert len(names) > 20
    assert {name for name in names if f"| `{name}" not in section("pytest")} == set()


@pytest.mark.parametrize("command", [fleet, grade, judge, merge, plan])
def test_every_option_of_a_command_is_on_the_page(command):
    subparsers = argparse.ArgumentParser().add_subparsers()
    command.add_parser(subparsers)
    ((name, parser),) = subparsers.choices.items()
    options = {option.option_strings[-1] for option in parser._actions if option.option_strings} - {"--help"}
    assert {option for option in options if f"`{option}" not in section(f"papergate {name}")} == set()
