"""Says in a language what is noted, checked or labelled. Each language is one module with the same keys.

A sentence is a template of the values, or a function of them. Numbers look the same in every language.
"""

import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal, TypeVar

from papergate.errors import OptionsError, PapergateError
from papergate.printable import printable
from papergate.run_folder.notes import AS_WRITTEN, Note, note
from papergate.run_folder.preflight import Check
from papergate.words import chinese, english

Language = Literal["en", "zh"]
Broken = TypeVar("Broken", bound=PapergateError)

LANGUAGES: Mapping[Language, ModuleType] = {"en": english, "zh": chinese}
"""A module has `SENTENCES` by code and `LABELS` by name. The code of a check is followed by its state."""
VARIABLE = "PAPERGATE_LANGUAGE"
"""Variable that names the language where no option does."""
UNFIT = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What a sentence raises on values that are not its own: of another release, or of an edited record."""


def language_of(given: str | None) -> Language:
    """The language that an option names, else the environment, else English.

    Raises:
        OptionsError: there is no such language.
    """
    name = given or os.environ.get(VARIABLE) or "en"
    found = next((language for language in LANGUAGES if language == name), None)
    if found is None:
        raise OptionsError(f"--language or {VARIABLE} is {name!r}; give one of {', '.join(LANGUAGES)}")
    return found


def language_for_errors(given: object) -> Language:
    """The same; English where there is no such language, since an error must be said in any case."""
    try:
        return language_of(given if isinstance(given, str) else None)
    except OptionsError:
        return "en"


def say(one: Note | Check, language: Language = "en") -> str:
    """A note or a check in words, with what to do; what this release cannot say is shown with its values."""
    if isinstance(one, Note):
        parts = {"parts": [say(part, language) for part in one.parts]} if one.parts else {}
        return _said(one.code, {**one.values, **parts}, language)
    said = _said(f"{one.code}_{one.state}", one.values, language)
    return label("colon", language).join(filter(None, (label(one.state, language), one.server, said)))


def explain(error: PapergateError, language: Language = "en") -> str:
    """The message of an error; other languages say first what kind of error it is, and what that means."""
    message = str(error) if language == "en" or error.said is None else printable(say(error.said, language))
    return say(note(f"error_{error.code}", message=message), language)


def note_of(error: PapergateError) -> Note:
    """What an error says, to stand in another note."""
    return note(AS_WRITTEN, text=str(error)) if error.said is None else error.said


def worded(kind: type[Broken], said: Note, **more: Any) -> Broken:  # noqa: ANN401 - what this kind of error takes
    """An error whose message each language can say."""
    error = kind(say(said), **more)
    error.said = said
    return error


def label(name: str, language: Language = "en") -> str:
    """The words of a heading, a column or a state; a name that has none is shown as it is."""
    return str(LANGUAGES[language].LABELS.get(name, name))


def _said(code: str, values: Mapping[str, Any], language: Language) -> str:
    words = LANGUAGES[language].SENTENCES.get(code)
    try:
        if words is not None:
            return str(words(values) if callable(words) else words.format_map(values))
    except UNFIT:
        pass
    return label("colon", language).join((code, ", ".join(f"{name} {value}" for name, value in values.items())))
