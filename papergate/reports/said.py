"""Words in every language at once, for a page that is switched from one to the other where it is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from papergate.printable import printable
from papergate.run_folder.notes import Note
from papergate.run_folder.preflight import Check
from papergate.words import LANGUAGES, Language, label, say

OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """The same in each language."""

    texts: Mapping[Language, str]

    @property
    def html(self) -> Markup:
        """One text where all languages agree, else one element for each; the page shows one of them.

        The name of an option is never broken over two lines, which a browser does behind its hyphens.
        """
        return Markup(OPTION.sub(r'<span class="whole">\1</span>', str(self._marked("span"))))  # noqa: S704 - escaped already

    @property
    def svg(self) -> Markup:
        """The same inside a drawing."""
        return self._marked("tspan")

    def _marked(self, tag: str) -> Markup:
        texts = {language: escape(printable(text)) for language, text in self.texts.items()}
        if len(set(texts.values())) == 1:
            return texts["en"]
        return Markup("").join(
            Markup('<{0} lang="{1}">{2}</{0}>').format(tag, language, text) for language, text in texts.items()
        )


def both(name: str, /, **values: object) -> Said:
    """The label ``name`` in each language; a value that is `Said` is said in that language too."""
    return Said(texts={language: _filled(name, language, values) for language in LANGUAGES})


def noted(one: Note | Check) -> Said:
    """A note or a check in each language."""
    return Said(texts={language: say(one, language) for language in LANGUAGES})


def joined(*parts: Said) -> Said:
    """One after another."""
    return Said(texts={language: " ".join(part.texts[language] for part in parts) for language in LANGUAGES})


def plain(text: str) -> Said:
    """A name or a number, which has no language."""
    return Said(texts=dict.fromkeys(LANGUAGES, text))


def _filled(name: str, language: Language, values: Mapping[str, object]) -> str:
    words = {key: value.texts[language] if isinstance(value, Said) else value for key, value in values.items()}
    text = label(name, language).format_map(words) if words else label(name, language)
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
