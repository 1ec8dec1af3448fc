"""The record that every tool's log becomes, and what a module of a tool says of itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from papergate.engines.records import END_OF_THOUGHT
from papergate.errors import PredictionsError

MOST_DIGITS = 7
"""No problem has a million samples."""
Columns = Mapping[str, object]
"""One row as the file holds it."""


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
    error: str = ""
    """Why no answer came, where the log says so."""
    gold: str | None = None
    model: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file as it was read, not yet understood."""

    path: Path
    entries: tuple[tuple[str, object], ...]
    """Each row, after the place where it stands, for messages."""

    @property
    def head(self) -> Columns:
        """The first row; empty where there is none or it is no object."""
        row = self.entries[0][1] if self.entries else None
        return row if isinstance(row, dict) else {}

    def columns(self) -> Iterator[tuple[str, Columns]]:
        """Every row with its place.

        Raises:
            PredictionsError: one of them is no object.
        """
        for place, row in self.entries:
            if not isinstance(row, dict):
                raise PredictionsError(
                    f"{place}: {type(row).__name__} where an object is expected; give a file of completions"
                )
            yield place, row


def itself(path: Path) -> Path:
    """The file to read for ``path``, for tools of which each file stands alone."""
    return path


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How one tool writes its log."""

    tool: str
    accepts: str
    """What its rows hold, for messages."""
    fits: Callable[[Columns], bool]
    """Whether a file whose first row is this one is in this layout."""
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
    raise PredictionsError(f"{place}: sample {number!r} is no whole number from 0; number the samples of a problem")


def listed(prediction: object) -> list[object]:
    """The texts of a request: tools write one as it is, and several as a list."""
    return prediction if isinstance(prediction, list) else [prediction]


def objects(values: object) -> list[Columns]:
    """Those of ``values`` that are objects; none where it is no list."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def with_thought(thought: str, answer: str) -> str:
    """One text of what a server or tool had kept apart; the thought stays open where no answer follows."""
    if not thought or END_OF_THOUGHT in answer:
        return answer
    return f"{thought}{END_OF_THOUGHT}{answer}" if answer.strip() else thought
