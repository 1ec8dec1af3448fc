"""Shards and their coordinator over a shared folder: what is complete, and whether the next look is needed.

::

    DIR/shard-0/PROMISE/shard.json     what the shard has complete; only the shard writes it
    DIR/coordinated/PROMISE.json       up to which look to ask; only the coordinator writes it

Each file has one writer and is replaced as a whole, so no lock is needed. Nobody compares clocks: a session that waits
sees whether anything changes, and counts its own seconds.
"""

import time
from collections.abc import Container, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Literal

from papergate.completions.shard import Shard
from papergate.errors import EngineError, StoreError
from papergate.files import reason
from papergate.run_folder.files import SHARD_FILE, completions_size, looks_file, promise_folders
from papergate.run_folder.notes import Note, note
from papergate.run_folder.shard import LooksRecord, ShardRecord, read_looks, read_shard, write_looks
from papergate.run_folder.stored import found
from papergate.words import worded

POLL_S = 1.0
"""A look takes minutes."""
BEAT_S = 30.0
"""A coordinator that waits changes its file so often: shards see that it lives."""
NAMED = 5
"""Shards that a message names one by one."""


def shard_folder(crew: Path, index: int) -> Path:
    """The run folder of a shard."""
    return crew / f"shard-{index}"


def given_up(crew: Path) -> frozenset[str]:
    """The sessions of shards that have given a promise up; a record that cannot be read is refused where it is used."""
    folders = [folder for run in crew.glob("shard-*") for folder in promise_folders(run, SHARD_FILE)]
    records = found(read_shard, ((folder.name, folder) for folder in folders)).records
    return frozenset(record.session for record in records if record and record.gave_up)


@dataclass(kw_only=True, slots=True)
class Silence:
    """How long nothing changed, by this machine's own clock."""

    patience_s: float
    seen: Hashable = None
    since: float = field(default_factory=time.monotonic)

    def is_over(self, now_seen: Hashable) -> bool:
        """Whether ``now_seen`` is what was seen for longer than anybody waits."""
        if now_seen != self.seen:
            self.seen, self.since = now_seen, time.monotonic()
        return time.monotonic() - self.since > self.patience_s


class Announcements:
    """What a shard hears from its coordinator about one promise."""

    def __init__(self, crew: Path, promise: str, *, patience_s: float, poll_s: float = POLL_S) -> None:
        self._path, self._patience_s, self._poll_s = looks_file(crew, promise), patience_s, poll_s
        earlier = read_looks(self._path)
        self._ignored = earlier.session if earlier and earlier.state == "stopped" else None

    def looks(self, first: int) -> Iterator[int]:
        """The looks up to which to ask, from ``first`` or where an earlier session was, until the promise is decided.

        Raises:
            EngineError: the coordinator gave the promise up, or is silent.
        """
        said = read_looks(self._path)
        look = max(first, said.look if said else 0)
        while True:
            yield look
            said = self._after(look)
            if said.look <= look:
                return
            look = said.look

    def _after(self, look: int) -> LooksRecord:
        """What is said once it is more than that ``look`` is to be asked."""
        silence = Silence(patience_s=self._patience_s)
        while True:
            said = read_looks(self._path)
            if said and said.session != self._ignored:
                if said.state == "stopped":
                    raise worded(EngineError, note("coordinator_gave_up", why=said.why))
                if said.state == "closed" or said.look > look:
                    return said
            if silence.is_over(said):
                raise worded(EngineError, note("coordinator_silent", look=look, hours=self._patience_s / 3600))
            time.sleep(self._poll_s)


class Crew:
    """What the coordinator sees and says of one promise."""

    def __init__(
        self,
        folder: Path,
        promise: str,
        shards: int,
        *,
        stale: Container[str],
        patience_s: float,
        poll_s: float = POLL_S,
    ) -> None:
        """``stale`` are the sessions of shards that had given up before this coordinator began."""
        self.folders = tuple(shard_folder(folder, index) / promise for index in range(shards))
        self._path, self._patience_s, self._poll_s = looks_file(folder, promise), patience_s, poll_s
        self._stale = stale
        self._session, self._beats = token_hex(8), 0
        earlier = read_looks(self._path)
        self._look = earlier.look if earlier else 0

    def gather(self, look: int) -> None:
        """Have every shard ask up to ``look`` and return when all are complete.

        Raises:
            StoreError: a shard never came, or stopped.
            EngineError: a shard gave up.
        """
        self._look = max(look, self._look)
        silence, beat = Silence(patience_s=self._patience_s), 0.0
        while True:
            if time.monotonic() >= beat:
                beat = time.monotonic() + BEAT_S
                self._say("open")
            records = [read_shard(folder) for folder in self.folders]
            self._refuse_given_up(records)
            if all(record and record.look >= look for record in records):
                return
            if silence.is_over((*records, *map(completions_size, self.folders))):
                raise worded(StoreError, self._missing(records, look))
            time.sleep(self._poll_s)

    def close(self) -> None:
        """Nothing more is asked."""
        self._say("closed")

    def stop(self, why: str) -> None:
        """The promise is given up."""
        self._say("stopped", why)

    def _say(self, state: Literal["open", "closed", "stopped"], why: str = "") -> None:
        self._beats += 1
        record = LooksRecord(look=self._look, state=state, why=why, session=self._session, beats=self._beats)
        try:
            write_looks(self._path, record)
        except OSError as error:
            raise worded(StoreError, note("not_written", file=f"{self._path}", reason=reason(error))) from error

    def _refuse_given_up(self, records: Sequence[ShardRecord | None]) -> None:
        """A shard that gave up since this coordinator began is not waited for."""
        for record in records:
            if record and record.gave_up and record.session not in self._stale:
                shard = Shard(index=record.index, count=record.count)
                raise worded(EngineError, note("shard_gave_up", shard=str(shard), why=record.gave_up))

    def _missing(self, records: Sequence[ShardRecord | None], look: int) -> Note:
        behind = [index for index, record in enumerate(records) if record is None or record.look < look]
        counts = {"behind": len(behind), "shards": len(records), "more": max(len(behind) - NAMED, 0)}
        states = [self._state(index, records[index]) for index in behind[:NAMED]]
        return note("shards_missing", *states, **counts, look=look, hours=self._patience_s / 3600)

    def _state(self, index: int, record: ShardRecord | None) -> Note:
        if record and record.gave_up:
            return note("shard_ended", index=index, why=record.gave_up)
        if not self.folders[index].exists():
            return note("shard_absent", index=index, folder=f"{self.folders[index]}")
        return note("shard_behind", index=index, look=record.look if record else 0)
