"""The texts behind the page: one script for each problem in a folder beside it, which the page loads on demand.

Scripts, because a page that was opened from a file may load no other kind of file. Each is one call with one value in
JSON; the stored lines stand in it as they are, so that writing two gigabytes is copying them inside the kernel. The
page shows them as text and never as markup.
"""

import errno
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from papergate.completions.contents import Key, Place
from papergate.files import PRIVATE_FILE, NotPlain, open_kept, private_folder
from papergate.reports.answers import Answers, Fields
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
        self._keys: dict[str, list[Key]] = defaultdict(list)
        for key in answers.of:
            self._keys[key[0]].append(key)

    def write(self, out: int, problem: str) -> None:
        """The lines and the grades of ``problem``."""
        keys = self._keys[problem]
        places = [place for key in keys if (place := self._answers.of[key].place)]
        rows = [self._answers.grades[key] for key in keys if key in self._answers.grades]
        _write(out, b',"%s":[' % self._names[0])
        for number, place in enumerate(places):
            _write(out, b",\n" if number else b"")
            self._write_line(out, place)
        grades = orjson.dumps(rows if self._shown else [_letters_alone(row) for row in rows])
        _write(out, b'],"%s":%s' % (self._names[1], grades))

    def close(self) -> None:
        if self._source >= 0:
            os.close(self._source)

    def _write_line(self, out: int, place: Place) -> None:
        at, size = place
        if self._shown:
            _copy(self._source, at, size, out)
        else:
            _write(out, _without_text(os.pread(self._source, size, at)))


def _without_text(line: bytes) -> bytes:
    return orjson.dumps({**orjson.loads(line), **dict.fromkeys(WITHHELD)})


def _letters_alone(row: Fields) -> Fields:
    long = [name for name in QUOTING if len(row.get(name) or "") > LONGEST_LETTER]
    return {**row, **dict.fromkeys(long)}


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
