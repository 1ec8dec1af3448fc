"""The parser of every command: defaults in the help, no abbreviations, and a guess what a mistyped word was to be."""

import argparse
import re
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from papergate.suggest import did_you_mean

UNSAID = (None, False, "", argparse.SUPPRESS)
"""Defaults that say nothing."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Shows the default of an option, and a description as it is laid out."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        laid_out = "\n" in text
        return super()._fill_text(text, width, indent) if laid_out else textwrap.fill(text, width)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        told = action.help or ""
        said = action.default in UNSAID or action.default == [] or "default" in told or not action.option_strings
        return told if said else f"{told} (default: %(default)s)"


class Parser(argparse.ArgumentParser):
    """A parser like that of all other commands; its subcommands have parsers of the same kind."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of ArgumentParser
        super().__init__(**{"formatter_class": Help, "allow_abbrev": False, **options})
        self.set_defaults(parser=self)

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]  # noqa: ANN401 - as its base
        """Parse; what is not recognised is an error of the subcommand, which knows what is near."""
        parsed, rest = self.parse_known_args(args, namespace)
        if rest:
            parsed.parser.error(f"unrecognized arguments: {' '.join(rest)}")
        return parsed

    def error(self, message: str) -> NoReturn:
        """End with the message and what may have been meant."""
        super().error(message + self._meant(message))

    def _meant(self, message: str) -> str:
        if choice := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            return did_you_mean(choice[1], re.findall(r"[\w.-]+", choice[2]))
        unknown = re.findall(r"--[\w-]+", message) if message.startswith("unrecognized") else []
        return did_you_mean(unknown[0], self._option_string_actions) if unknown else ""
