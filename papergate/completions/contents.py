"""What the file of completions holds: where each record is, and everything that is not as it was written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, Self

import orjson

from papergate.completions.lines import Damaged, Record, hash_of, is_interrupted, record_of
from papergate.completions.policy import seed_of
from papergate.completions.table import Key, Place, Places
from papergate.engines.records import Finish
from papergate.run_folder.files import MANIFEST_FILE, MARK_FILE

FINISHES = frozenset(map(str, Finish))
BROKEN = "it does not follow the record before it: records were removed, moved or put in"
LONGEST_LINE = 64 * 2**20
"""Bytes; an answer has at most 4 MiB, each of which JSON may write as six. What is longer is no record."""
MOST_DAMAGES = 1000
"""So many damages are described and all are counted: a file of another kind may have millions."""
FOREIGN = (
    "it is not the first record of this run: records before it were removed, or it belongs to another run, or "
    "manifest.json was edited"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What had been acknowledged when this was put down; all of it must still be there."""

    records: int
    end: int
    """Byte after the last of these records."""
    link: int
    """What the record after them follows, see ``lines.py``."""
    unsealed: int = 0
    """How many of the records, the first ones, are from before papergate sealed them."""

    def encoded(self) -> bytes:
        """As the file holds it."""
        return orjson.dumps(
            {"records": self.records, "end": self.end, "link": f"{self.link:016x}", "unsealed": self.unsealed}
        )

    @classmethod
    def decoded(cls, data: bytes) -> Self:
        """What ``encoded`` wrote.

        Raises:
            ValueError: it did not write this.
        """
        try:
            fields = orjson.loads(data)
            numbers = {name: int(fields[name]) for name in ("records", "end", "unsealed")}
            mark = cls(**numbers, link=int(fields["link"], 16))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not what papergate wrote ({error!r})") from error
        if mark.encoded() != data or bool(mark.records) is not bool(mark.end) or not 0 <= mark.unsealed <= mark.records:
            raise ValueError("not what papergate wrote: its numbers do not fit each other, or it was saved again")
        return mark


@dataclass(kw_only=True, slots=True)
class Contents:
    """What was found, without the texts."""

    run_seed: int | None
    """None where it is not known; then seeds are not compared."""
    mark: Mark | None
    """What must be there; None in a store that sealed none of its records."""
    link: int | None
    """What the next record follows; None after a line that could not be read."""
    succeeded: Places = field(default_factory=Places)
    failed: dict[Key, Place] = field(default_factory=dict)
    """Those that have no success."""
    records: int = 0
    unsealed: int = 0
    unseeded: int = 0
    """Records that do not say with which seed they were drawn."""
    interrupted: int = 0
    """Lines that a killed or failed write left behind; they were never acknowledged."""
    foreign: bool = False
    """Whether the file begins with a record that was not written under this manifest."""
    damages: list[str] = field(default_factory=list)
    """What is not as it was written, in order: the first `MOST_DAMAGES`."""
    more_damages: int = 0
    """How many follow these."""
    end: int = 0
    """Byte after the last record."""
    size: int = 0
    alone: bool = False
    """Whether nothing beside the file is known."""

    @classmethod
    def read(
        cls, file: BinaryIO, *, manifest: bytes, run_seed: int, mark: Mark | None, damages: Iterable[str] = ()
    ) -> Self:
        """Everything in the open ``file``; ``damages`` are those of the files beside it."""
        contents = cls(link=hash_of(manifest), run_seed=run_seed, mark=mark, damages=[*damages])
        if mark and not mark.end and mark.link != contents.link:
            contents.damages.append(f"{MARK_FILE}: it belongs to another run, or {MANIFEST_FILE} was edited")
        contents._read(file)
        return contents

    @classmethod
    def read_alone(cls, file: BinaryIO) -> Self:
        """Everything in an open file that has lost its manifest: which run it is of, and its seeds, are not known."""
        contents = cls(link=None, run_seed=None, mark=None, alone=True)
        contents._read(file)
        return contents

    def note(self, problem: str, sample: int, finish: str, place: Place) -> None:
        """Put down where the last record of a problem and sample is; a failure counts only where nothing else is."""
        key = (problem, sample)
        if finish != Finish.FAILED:
            self.succeeded.put(key, place)
            self.failed.pop(key, None)
        elif key not in self.succeeded:
            self.failed[key] = place
        self.records += 1
        self.end = place[0] + place[1]

    def place(self, key: Key) -> Place:
        """Where the last record of ``key`` is that did not fail, else the last failure."""
        return self.succeeded.get(key) or self.failed[key]

    def now(self) -> Mark:
        """The mark of all that is here."""
        assert self.link is not None, "a damaged store is not written"
        return Mark(records=self.records, end=self.end, link=self.link, unsealed=self.unsealed)

    def _read(self, file: BinaryIO) -> None:
        """Take every line: it is empty, a record, what an interrupted write left, or damaged."""
        start, marked = 0, self.mark is None or self.mark.end == 0
        lines = iter(partial(file.readline, LONGEST_LINE), b"")
        for number, line in enumerate(lines, start=1):
            try:
                self._take(line.rstrip(b"\n\0"), number, start)
            except Damaged as damage:
                self._put_down(damage, line.rstrip(b"\n"), number, start)
            if not marked and self.mark and self.end == self.mark.end:
                marked = bool(self.damages) or self.now() == self.mark
            start += len(line)
        self.size = start
        if not marked and self.mark:
            self.damages.append(
                f"{self.records} records up to byte {self.end}, where {self.mark.records} up to byte {self.mark.end} "
                "had been acknowledged"
            )
        if self.mark is None and self.records > self.unsealed and not self.alone:
            self.damages.append(f"{MARK_FILE} is missing: how many records were acknowledged is not known")

    def _take(self, line: bytes, number: int, start: int) -> None:
        if not line:
            return  # zeros alone are what a power loss leaves in place of a record that was not yet acknowledged
        record = record_of(line, self.link or 0)
        problem, sample, finish = self._key_of(record)
        if finish != Finish.FAILED and (problem, sample) in self.succeeded:
            raise Damaged(f"its problem has an answer number {sample} already")
        if record.after is None:
            self._refuse_edited()
            self.unsealed += 1
        elif self.link is not None and record.after != self.link:
            at_first = not (self.records or self.interrupted or self.damages)
            self.foreign = self.foreign or at_first
            self._damaged(f"line {number}, byte {start}: {FOREIGN if at_first else BROKEN}")
        self.unseeded += record.fields.get("seed") is None
        self.link = record.link
        self.note(problem, sample, finish, (start, len(line)))

    def _put_down(self, damage: Damaged, line: bytes, number: int, start: int) -> None:
        if is_interrupted(line):
            self.interrupted += 1
            return
        self._damaged(f"line {number}, byte {start}: {damage}")
        self.link = None

    def _damaged(self, what: str) -> None:
        if len(self.damages) < MOST_DAMAGES:
            self.damages.append(what)
        else:
            self.more_damages += 1

    def _key_of(self, record: Record) -> tuple[str, int, str]:
        """Problem, sample and finish; what is under a seal was a completion when it was written."""
        if record.after is None:
            _ = record.completion
        get = record.fields.get
        problem, sample, finish, seed = get("problem"), get("sample"), get("finish"), get("seed")
        if not (isinstance(problem, str) and type(sample) is int and sample >= 0 and finish in FINISHES):
            raise Damaged("not a completion of papergate: its problem, sample or finish cannot be")
        if seed is not None and self.run_seed is not None and seed != seed_of(self.run_seed, problem, sample):
            raise Damaged(f"its seed {seed} is not that of sample {sample} of its problem in this run")
        return problem, sample, str(finish)

    def _refuse_edited(self) -> None:
        """Records without a seal come first, and in old stores only."""
        if self.unsealed < self.records or (self.mark and self.records >= self.mark.unsealed):
            raise Damaged("it has no checksum, though papergate wrote one: the record was edited")
