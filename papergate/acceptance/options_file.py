"""Options in a file: ``papergate.toml``, or ``[tool.papergate]`` of ``pyproject.toml``. The command line wins."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from papergate.acceptance.options import Given
from papergate.errors import OptionsError
from papergate.promises.files import read_toml
from papergate.run_folder.notes import note
from papergate.suggest import did_you_mean
from papergate.words import worded

OWN, SHARED = "papergate.toml", "pyproject.toml"
PLACES = {"FILE", "DIR", "LOG", "RUN"}
"""Values that are places, as options declare them: in a file they are relative to its folder."""
UNGIVEN = (None, False)
DISPLACES = {
    "--samples": ("--max-samples", "--budget-tokens", "--budget-hours"),
    "--max-samples": ("--samples",),
    "--budget-tokens": ("--samples",),
    "--budget-hours": ("--samples",),
    "--endpoint": ("--predictions", "--ray"),
    "--ray": ("--predictions", "--endpoint"),
    "--predictions": ("--endpoint", "--ray", "--trial", "--budget-tokens", "--budget-hours"),
    "--trial": ("--predictions",),
}
"""Options of the command line, and those of the file that cannot be beside them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionsFile:
    """What a file says; nothing where there is none."""

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """By the option's name: ``--samples``."""

    @property
    def told(self) -> list[str]:
        """Each option as a report shows it."""
        return [f"{name} {value}" for name, value in self.values.items()]

    def beside(self, get: Given) -> Given:
        """The value of each option: that of the command line, else that of the file."""
        given = {name for name in DISPLACES if _is_given(get(name))}
        gone = {displaced for name in given for displaced in DISPLACES[name]}

        def value(name: str) -> Any:  # noqa: ANN401 - whatever the option holds
            typed = get(name)
            return typed if _is_given(typed) or name in gone else self.values.get(name, typed)

        return value


def _is_given(value: object) -> bool:
    return value not in UNGIVEN and value != []


def read_options_file(declare: Callable[[Callable[..., Any]], None], path: Path | None = None) -> OptionsFile:
    """The options in ``path``, by default in a file of the current folder; ``declare`` says which there are.

    Raises:
        PapergateError: the file cannot be read, an option does not exist, or its value cannot be.
    """
    found, table = _table(path)
    if found is None:
        return OptionsFile()
    parser = _Parser(found)
    declare(parser.add_argument)
    values = {f"--{name}": parser.value_of(name, value) for name, value in table.items()}
    return OptionsFile(path=found, values=values)


def _table(path: Path | None) -> tuple[Path | None, Mapping[str, Any]]:
    """The file, and its options; neither where no file has any."""
    for place in (path,) if path else (Path(OWN), Path(SHARED)):
        if path is None and not place.is_file():
            continue
        read: Mapping[str, Any] = read_toml(place)
        table = read.get("tool", {}).get("papergate") if place.name == SHARED else read
        if isinstance(table, dict):
            return place, table
    return None, {}


class _Parser(argparse.ArgumentParser):
    """Reads values of a file as the command line reads them."""

    def __init__(self, path: Path) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self._path = path

    def error(self, message: str) -> NoReturn:
        raise worded(OptionsError, note("options_file_malformed", file=f"{self._path}", said=message))

    def value_of(self, name: str, value: object) -> Any:  # noqa: ANN401 - whatever the option holds
        """The value of the option ``name``.

        Raises:
            OptionsError: there is no such option, or its value cannot be.
        """
        action = self._option_string_actions.get(f"--{name}")
        if action is None:
            names = [option.removeprefix("--") for option in self._option_string_actions]
            self.error(f"{name}: no such option{did_you_mean(name, names)}")
        return getattr(self.parse_args([*self._typed(action, name, value)]), action.dest)

    def _typed(self, action: argparse.Action, name: str, value: object) -> Iterator[str]:
        """The value as one would type it."""
        if action.nargs == 0:
            if not isinstance(value, bool):
                self.error(f"{name} is a switch: write true or false")
            yield from [f"--{name}"] * value
            return
        for one in _several(value) if isinstance(action.default, list) else [value]:
            if not isinstance(one, (str, int, Decimal)) or isinstance(one, bool):
                self.error(f"{name}: {one!r} is no value of this option")
            yield f"--{name}={self._placed(str(one), action.metavar)}"

    def _placed(self, text: str, metavar: object) -> str:
        """A place relative to the folder of the file."""
        before, equals, path = text.rpartition("=") if metavar == "BENCHMARK=FILE" else ("", "", text)
        place = metavar in PLACES or bool(equals)
        return f"{before}{equals}{self._path.parent / path}" if place else text


def _several(value: object) -> list[object]:
    if isinstance(value, dict):
        return [f"{name}={one}" for name, one in value.items()]
    return value if isinstance(value, list) else [value]
