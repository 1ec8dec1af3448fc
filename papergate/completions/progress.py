"""What a run shows while it asks: a live line in a terminal, one line per minute in a log."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TextIO

from papergate.engines.records import Completion, Finish
from papergate.printable import one_line, printable
from papergate.run_folder.notes import Note, note
from papergate.words import Language, label, say

LINE_EVERY_S = 60.0
"""Often enough to see life in a CI log, rare enough to leave it readable for hours."""
WITHHELD = "its words are withheld, as they may quote a problem that must not be shown"
REFRESH_EVERY_S = 1.0
"""A person notices a second."""
Score = Callable[[], Note | None]
"""Gives the running score; None before the first grade."""


class Progress:
    """Told of everything that happens in a run; does nothing. All calls come from the thread that runs ``ask``."""

    def start(self, *, problems: int, total: int, stored: int) -> None:
        """The run begins: ``total`` samples of ``problems`` problems, ``stored`` of them by an earlier run."""

    def finished(self, completion: Completion) -> None:
        """``completion`` is stored."""

    def retrying(self, error: str, wait_s: float) -> None:
        """An attempt failed and is repeated after ``wait_s`` seconds."""

    def tick(self, in_flight: int) -> None:
        """About once a second, whatever happens."""

    def say(self, one: Note) -> None:
        """Show a line that must not be missed."""

    def stop(self) -> None:
        """The run is over, however it ended."""


class Silent(Progress):
    """Shows nothing."""


class Quiet(Silent):
    """Shows the lines that must not be missed, and nothing else."""

    def __init__(self, stream: TextIO, language: Language = "en") -> None:
        self._stream, self._language = stream, language

    def say(self, one: Note) -> None:
        """Show the line."""
        self._stream.write(f"papergate: {printable(say(one, self._language))}\n")
        self._stream.flush()


class Discreet(Progress):
    """Passes everything on but the words of errors: a server may quote a problem that must not be shown."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown

    def start(self, *, problems: int, total: int, stored: int) -> None:
        """Pass it on."""
        self._shown.start(problems=problems, total=total, stored=stored)

    def finished(self, completion: Completion) -> None:
        """Pass it on, without the words of its error."""
        self._shown.finished(replace(completion, error=WITHHELD) if completion.error else completion)

    def retrying(self, error: str, wait_s: float) -> None:
        """Pass on that there was an error."""
        del error
        self._shown.retrying(WITHHELD, wait_s)

    def tick(self, in_flight: int) -> None:
        """Pass it on."""
        self._shown.tick(in_flight)

    def say(self, one: Note) -> None:
        """Pass it on."""
        self._shown.say(one)

    def stop(self) -> None:
        """Pass it on."""
        self._shown.stop()


@dataclass(kw_only=True, slots=True)
class Tally:
    """What has happened so far; the text of it is the same in a terminal and in a log."""

    language: Language = "en"
    problems: int = 0
    total: int = 0
    stored: int = 0
    started: float = field(default_factory=time.monotonic)
    finished: int = 0
    failed: int = 0
    retries: int = 0
    output_tokens: int = 0
    in_flight: int = 0
    last_error: str = ""

    def add(self, completion: Completion) -> None:
        """Count a stored completion."""
        if completion.finish is Finish.FAILED:
            self.failed += 1
            self.last_error = completion.error or ""
        else:
            self.finished += 1
            self.output_tokens += completion.output_tokens or 0

    @property
    def is_over(self) -> bool:
        """Whether every sample ended, one way or the other."""
        return not self._left

    def facts(self) -> Iterator[str]:
        """First the progress, then the failures, each for its own row. A narrow terminal cuts off the ends of rows."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        counts = {"done": self.stored + self.finished, "total": self.total, "problems": self.problems}
        under_way = {} if self.is_over else {"in_flight": self.in_flight, "left": self._left_time(seconds)}
        yield say(note("progress", **counts, **under_way, tokens_per_s=self.output_tokens / seconds), self.language)
        if self.failed or self.retries:
            errors = note("progress_errors", failed=self.failed, retries=self.retries, last=self.last_error)
            yield say(errors, self.language)

    @property
    def _left(self) -> int:
        return self.total - self.stored - self.finished - self.failed

    def _left_time(self, seconds: float) -> str:
        """How long the rest will take; empty before the first answer."""
        return clock(self._left * seconds / self.finished) if self.finished else ""


def clock(seconds: float) -> str:
    """``1:02:03`` for 3723 seconds."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def no_score() -> None:
    """The running score of a caller that has none."""


class Shown(Progress):
    """Counts what happens and shows it on a display every so often."""

    def __init__(
        self,
        display: "Display",
        score: Score = no_score,
        *,
        every_s: float,
        about: str = "",
        language: Language = "en",
    ) -> None:
        self._display = display
        self._score = score
        self._about = f"{about}{label('colon', language)}" if about else ""
        self._every_s = every_s
        self._language = language
        self._tally = Tally()
        self._next = 0.0

    def start(self, *, problems: int, total: int, stored: int) -> None:
        """Say how much there is to do."""
        self._tally = Tally(language=self._language, problems=problems, total=total, stored=stored)
        self._next = self._tally.started + self._every_s
        counts = {"missing": total - stored, "total": total, "problems": problems, "stored": stored}
        self.say(note("progress_begins", **counts))

    def finished(self, completion: Completion) -> None:
        """Count a stored completion."""
        self._tally.add(completion)

    def retrying(self, error: str, wait_s: float) -> None:
        """Count a failed attempt."""
        self._tally.retries += 1
        self._tally.last_error = say(note("progress_retry", error=error, seconds=wait_s), self._language)

    def tick(self, in_flight: int) -> None:
        """Show the state when it is time to."""
        self._tally.in_flight = in_flight
        if time.monotonic() >= self._next:
            self._next += self._every_s
            self._display.show(self._about, self._facts())

    def say(self, one: Note) -> None:
        """Show a line that must not be missed."""
        self._line(say(one, self._language))

    def stop(self) -> None:
        """Leave the last state in sight, unless the run was broken off: who did that has said what is kept."""
        self._display.close()
        self._tally.in_flight = 0
        if self._tally.is_over:
            self._line("; ".join(self._facts()))

    def _line(self, line: str) -> None:
        self._display.say(f"papergate: {self._about}{line}")

    def _facts(self) -> list[str]:
        score = self._score()
        return [*([say(score, self._language)] if score else []), *self._tally.facts()]


class Display(Protocol):
    """Where lines are shown."""

    def show(self, about: str, facts: Sequence[str]) -> None:
        """The state of the run, in place of the last one where that is possible; ``about`` says of which run."""

    def say(self, line: str) -> None:
        """A line that stays."""

    def close(self) -> None:
        """No state is shown any more."""


class Log:
    """A stream that keeps every line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, about: str, facts: Sequence[str]) -> None:
        """Write the state as one more line."""
        self.say(f"papergate: {about}{'; '.join(facts)}")

    def say(self, line: str) -> None:
        """Write ``line``."""
        self._stream.write(printable(line) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing to do: the stream belongs to the caller."""


class Terminal:
    """A terminal whose last rows are the state of the run."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(file=stream), refresh_per_second=2, transient=True)

    def show(self, about: str, facts: Sequence[str]) -> None:
        """Renew the last rows, one for each fact; the line that stays above them says of which run."""
        from rich.text import Text

        del about
        self._live.start()
        self._live.update(Text("\n".join(map(one_line, facts)), no_wrap=True, overflow="ellipsis"))

    def say(self, line: str) -> None:
        """Print ``line`` above the state."""
        from rich.text import Text

        self._live.console.print(Text(printable(line)))

    def close(self) -> None:
        """Take the state off the screen."""
        self._live.stop()


def progress_for(
    stream: TextIO,
    score: Score = no_score,
    *,
    about: str = "",
    quiet: bool = False,
    live: bool = True,
    language: Language = "en",
) -> Progress:
    """A state kept up to date where ``stream`` is a terminal and ``live``, one line per minute elsewhere.

    ``about`` names what is asked, for several processes may write to one log.
    """
    if quiet:
        return Quiet(stream, language)
    if live and stream.isatty():
        return Shown(Terminal(stream), score, every_s=REFRESH_EVERY_S, about=about, language=language)
    return Shown(Log(stream), score, every_s=LINE_EVERY_S, about=about, language=language)
