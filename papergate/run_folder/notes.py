"""What is noted of a run: a code and its values; `papergate.words` says it in a language."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from papergate.run_folder.stored import Part

AS_WRITTEN = "as_written"
"""Code of a note that an earlier release stored as a sentence: its value ``text``."""


class Note(Part):
    """One thing that a reader must know, as data."""

    code: str
    values: Mapping[str, Any] = Field(default_factory=dict)
    """What the sentence states: plain JSON values by name."""
    parts: tuple["Note", ...] = ()
    """Notes whose sentences stand in this one's, where it has a place for ``parts``."""


def note(code: str, *parts: Note, **values: Any) -> Note:  # noqa: ANN401 - whatever JSON holds
    """The note ``code`` with its values, and the notes that are said in it."""
    return Note(code=code, values=values, parts=parts) if parts else Note(code=code, values=values)
