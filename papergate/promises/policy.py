"""``policy.toml``: which promises gate a build, and which may break it for a while, with the reason and until when."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from papergate.promises.base import Record, Text
from papergate.promises.files import read_record, refuse

Tier = Literal["must", "should", "record"]
TIERS: tuple[Tier, ...] = ("must", "should", "record")


class Waiver(Record):
    """Promises that may be broken for a while."""

    promise: Text
    """Id of a promise, or a pattern such as ``a100-*-aime2024``."""
    reason: Text
    expires: date
    """The last day on which it holds, in UTC."""


class GatePolicy(Record):
    """Patterns of ids by tier; a promise that none names must be kept."""

    holm: bool = False
    """Whether a failure must be sure among all promises of a session together."""
    must: tuple[Text, ...] = ()
    should: tuple[Text, ...] = ()
    """Judged and shown; a broken one breaks no build."""
    record: tuple[Text, ...] = ()
    """The same; only the figures are of interest."""
    waivers: tuple[Waiver, ...] = ()

    def tier_of(self, promise: str) -> Tier:
        """The tier of ``promise``."""
        return next(iter(self._tiers(promise)), "must")

    def waiver_of(self, promise: str) -> Waiver | None:
        """The waiver of ``promise`` that holds longest, expired or not."""
        found = [each for each in self.waivers if fnmatchcase(promise, each.promise)]
        return max(found, key=lambda each: each.expires, default=None)

    def mistakes(self, promises: Collection[str]) -> Iterator[str]:
        """What cannot be meant: a pattern that names no promise, and a promise of two tiers."""
        patterns = [(tier, pattern) for tier in TIERS for pattern in getattr(self, tier)]
        for place, pattern in (*patterns, *(("waivers", each.promise) for each in self.waivers)):
            if not any(fnmatchcase(promise, pattern) for promise in promises):
                yield f"{place}: {pattern!r} names no promise; known are ids such as {min(promises, default='none')!r}"
        for promise in promises:
            if len(tiers := self._tiers(promise)) > 1:
                yield f"{promise} is listed in {' and '.join(tiers)}; keep one"

    def _tiers(self, promise: str) -> list[Tier]:
        return [tier for tier in TIERS if any(fnmatchcase(promise, pattern) for pattern in getattr(self, tier))]


def read_policy(path: Path, promises: Collection[str]) -> GatePolicy:
    """The policy at ``path`` on the promises that there are, by id.

    Raises:
        PromiseError: it is wrong, with every mistake.
    """
    policy = read_record(path, GatePolicy)
    refuse(path, list(policy.mistakes(promises)))
    return policy


def today() -> date:
    """The day on which waivers are held against their expiry."""
    return datetime.now(UTC).date()
