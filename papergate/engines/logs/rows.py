"""The record that every tool's log becomes, and what a module of a tool says of itself."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from papergate.engines.records import BEGIN_OF_THOUGHT, END_OF_THOUGHT, Finish
from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.words import worded

MOST_DIGITS = 7
"""No problem has a million samples."""
LONGEST_ID = 64
"""Characters; what is longer and has spaces is a text."""

Columns = Mapping[str, object]
"""One row as the file holds it."""
Fits = Callable[[Columns], bool]
"""Whether a row is one of a layout."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One sample as a log tells it."""

    problem: str
    """The id that the log gives; the number of the problem in the tool's data, from 0, where it gives none."""
    sample: int | None = None
    """None where the log does not number the samples of a problem: then they count in their order."""
    text: str | None
    """The whole output, thought first; None where no answer came."""
    cut: bool = False
    """The log says that the token limit ended it."""
    finish: Finish | None = None
    """How it ended, where the log says more than that, such as a refusal."""
    finish_reason: str | None = None
    """As the server wrote it, where the log has it."""
    error: str = ""
    """Why no answer came, where the log says so."""
    gold: str | None = None
    model: str = ""
    prompt: str = ""
    """The problem as it was asked, with whatever stood around it; empty where the log does not have it."""
    part: str = ""
    """Which of several benchmarks or subsets in one log, where it holds several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file as it was read, not yet understood."""

    path: Path
    entries: tuple[tuple[str, object], ...]
    """Each row, after the place where it stands, for messages."""

    whole: Columns = field(default_factory=dict)
    """The object in the file, where the file is one object."""

    @property
    def head(self) -> Columns:
        """The first row; empty where there is none or it is no object."""
        row = self.entries[0][1] if self.entries else None
        return row if isinstance(row, dict) else {}

    def columns(self, fits: Fits, accepts: str) -> Iterator[tuple[str, Columns]]:
        """Every row with its place; ``accepts`` says what a row must hold to fit.

        Raises:
            PredictionsError: one of them is no object, or does not fit.
        """
        for place, row in self.entries:
            if not isinstance(row, dict):
                raise worded(PredictionsError, note("row_no_object", place=place, kind=type(row).__name__))
            if not fits(row):
                raise worded(
                    PredictionsError, note("row_other_columns", place=place, columns=", ".join(row), accepts=accepts)
                )
            yield place, row


def itself(path: Path) -> Path:
    """The file to read for ``path``, for tools of which each file stands alone."""
    return path


def never(_: Columns) -> bool:
    """For a form that a tool does not write."""
    return False


def holding(names: AbstractSet[str]) -> Fits:
    """Whether a row has all of these columns."""
    return lambda row: row.keys() >= names


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How one tool writes its log."""

    tool: str
    accepts: str
    """What its rows hold, for messages."""
    fits: Fits = never
    """Whether a file whose first row is this one is in this layout."""
    fits_whole: Fits = never
    """Whether a file that is this one object is in this layout."""
    rows: Callable[[Source], Iterator[Row]]
    entry: Callable[[Path], Path] = itself
    """The file to start from, where several make one log."""


def first(row: Columns, names: Sequence[str]) -> object:
    """The first of the columns ``names`` that holds something."""
    return next((row[name] for name in names if row.get(name) is not None), None)


def sample_number(number: object, place: str) -> int:
    """The number of a sample, from 0.

    Raises:
        PredictionsError: it is none.
    """
    text = str(number) if isinstance(number, str | int) and not isinstance(number, bool) else ""
    if text.isdecimal() and len(text) < MOST_DIGITS:
        return int(text)
    seen = quotable(number)
    raise worded(PredictionsError, note("sample_malformed", place=place, sample=seen))


def listed(prediction: object) -> list[object]:
    """The texts of a request: tools write one as it is, and several as a list."""
    return prediction if isinstance(prediction, list) else [prediction]


def objects(values: object) -> list[Columns]:
    """Those of ``values`` that are objects; none where it is no list."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def object_of(value: object) -> Columns:
    """``value`` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def message_text(content: object) -> str:
    """The text of a message, whose content is a text or a list of parts; a thought kept apart is put in front."""
    if not isinstance(content, list):
        return str(content or "")
    parts = objects(content)
    thought = "".join(str(part["reasoning"]) for part in parts if part.get("type") == "reasoning")
    return with_thought(thought, "\n".join(str(part["text"]) for part in parts if part.get("type") == "text"))


def last_of(messages: object, role: str) -> Columns:
    """The last message of ``role``; empty where there is none."""
    return next((message for message in reversed(objects(messages)) if message.get("role") == role), {})


def said_by(message: Columns) -> str:
    """What an assistant wrote, its thought first."""
    thought = message.get("reasoning_content") or message.get("reasoning") or ""
    return with_thought(str(thought), message_text(message.get("content")))


def asked_in(prompt: object) -> str:
    """The problem in a prompt: a text, or the last turn of the user."""
    return prompt if isinstance(prompt, str) else message_text(last_of(prompt, "user").get("content"))


def has_words(value: object) -> bool:
    """Whether a value may be a problem's text; most ids have no spaces."""
    return isinstance(value, str) and any(letter.isspace() for letter in value)


def is_text(value: object) -> bool:
    """Whether a value is a problem's text and no id."""
    return has_words(value) and len(str(value)) > LONGEST_ID


def quotable(value: object) -> str:
    """A value of a log as a message may show it: of what has words, which may be a problem's, only its digest."""
    return id_of_text(str(value)) if has_words(value) else repr(value)


def id_of_text(text: str) -> str:
    """An id for a problem that has none: a digest, since some texts must never be shown."""
    return f"text {hashlib.sha256(' '.join(text.split()).encode()).hexdigest()[:12]}"


def with_thought(thought: str, answer: str) -> str:
    """One text of what a server or tool had kept apart; without an answer the thought is opened, and stays open."""
    if not thought or END_OF_THOUGHT in answer:
        return answer
    opened = thought if thought.lstrip().startswith(BEGIN_OF_THOUGHT) else f"{BEGIN_OF_THOUGHT}{thought}"
    return f"{thought}{END_OF_THOUGHT}{answer}" if answer.strip() else opened
