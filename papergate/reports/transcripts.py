"""The texts behind the page: one script for each problem in a folder beside it, which the page loads on demand.

Scripts, because a page that was opened from a file may load no other kind of file. Each is one call with one value in
JSON; the stored lines stand in it as they are, so that writing two gigabytes is copying them inside the kernel. The
page shows them as text and never as markup.
"""

import errno
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from papergate.completions.table import Place
from papergate.files import PRIVATE_FILE, NotPlain, open_kept, private_folder
from papergate.reports.answers import Answers
from papergate.run_folder.files import TRANSCRIPTS_FOLDER
from papergate.run_folder.verdict import VerdictRecord

WITHHELD = ("text", "error")
"""Fields of an answer to a confidential benchmark that may quote its question."""
QUOTING = ("extracted", "gold")
"""Fields of its grade that may; a letter is no quotation."""
LONGEST_LETTER = 2


def write_transcripts(run: Path, record: VerdictRecord, answers: Answers, golden: Answers | None = None) -> None:
    """Write the transcripts of a promise; they replace those of an earlier session.

    Raises:
        OSError: the disk refused, and has no part of them; the page says what is missing.
    """
    folder = _emptied(run / TRANSCRIPTS_FOLDER, record.promise)
    sides = [_Side(answers, "answers", "grades", shown=record.benchmark.confidential is False)]
    if golden:
        sides.append(_Side(golden, "golden", "golden_grades", shown=record.benchmark.confidential is False))
    try:
        for place, problem in enumerate(record.counts.problems):
            head = {"stamp": answers.stamp, "place": place, "question": answers.questions.get(problem)}
            with _created(folder / f"{place}.js") as out:
                _write(out, b"papergate.take(" + orjson.dumps(head)[:-1])
                for side in sides:
                    side.write(out, problem)
                _write(out, b"})\n")
        with _created(folder / "index.js") as out:  # the last: where it is, the others are
            _write(out, b"papergate.take(" + orjson.dumps({"stamp": answers.stamp}) + b")\n")
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)  # a full disk still has to take the JUnit report
        raise
    finally:
        for side in sides:
            side.close()


def _emptied(folder: Path, promise: str) -> Path:
    """The folder of a promise's scripts, without those of before; nothing is removed or written through a link."""
    for path in (folder, folder / promise):
        if path.is_symlink():
            raise NotPlain(f"{path} is a link, which papergate does not follow inside a run; remove it")
    shutil.rmtree(folder / promise, ignore_errors=True)
    private_folder(folder / promise)
    return folder / promise


class _Side:
    """The answers of one run, on their way into the scripts."""

    def __init__(self, answers: Answers, name: str, grades: str, *, shown: bool) -> None:
        self._answers, self._shown = answers, shown
        self._names = (name.encode(), grades.encode())
        self._source = open_kept(answers.source, os.O_RDONLY) if answers.source else -1
        self._graded = open_kept(answers.graded, os.O_RDONLY) if answers.grades else -1
        self._samples = Counter(problem for problem, _ in answers.of)

    def write(self, out: int, problem: str) -> None:
        """The lines and the grades of ``problem``."""
        keys = [(problem, sample) for sample in range(self._samples[problem])]
        answers = self._answers
        lines = [answers.lines[key] for key in keys if key in answers.lines]
        grades = [answers.grades[key] for key in keys if key in answers.grades]
        self._write_list(out, self._names[0], self._source, lines, _without_text)
        self._write_list(out, self._names[1], self._graded, grades, _letters_alone)

    def close(self) -> None:
        for descriptor in (self._source, self._graded):
            if descriptor >= 0:
                os.close(descriptor)

    def _write_list(
        self, out: int, name: bytes, source: int, places: Iterable[Place], withheld: Callable[[bytes], bytes]
    ) -> None:
        _write(out, b',"%s":[' % name)
        for number, (at, size) in enumerate(places):
            _write(out, b",\n" if number else b"")
            if self._shown:
                _copy(source, at, size, out)
            else:
                _write(out, withheld(os.pread(source, size, at)))
        _write(out, b"]")


def _without_text(line: bytes) -> bytes:
    return orjson.dumps({**orjson.loads(line), **dict.fromkeys(WITHHELD)})


def _letters_alone(line: bytes) -> bytes:
    row = orjson.loads(line)
    long = [name for name in QUOTING if len(row.get(name) or "") > LONGEST_LETTER]
    return orjson.dumps({**row, **dict.fromkeys(long)})


@contextmanager
def _created(path: Path) -> Iterator[int]:
    """A descriptor of a private file; it can be made again at any time, so nothing waits for the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(out: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(out, rest) :]


def _copy(source: int, at: int, size: int, out: int) -> None:
    """``size`` bytes of ``source``, inside the kernel where it can."""
    while size > 0:
        try:
            done = os.sendfile(out, source, at, size)
        except OSError:  # a system that sends to sockets alone, or a full disk, which writing says again
            done = os.write(out, os.pread(source, size, at))
        if not done:
            raise OSError(errno.EIO, "the file of completions was cut while it was read")
        at, size = at + done, size - done
