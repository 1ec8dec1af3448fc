"""The records of this stage: why a bundle is refused, and what a check of it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from papergate.errors import EvidenceError
from papergate.run_folder.notes import Note
from papergate.run_folder.verdict import VerdictRecord
from papergate.words import worded

BUNDLE_FORMAT = 1


class Result(IntEnum):
    """How a check ends: the exit code of ``papergate verify``."""

    VERIFIED = 0
    CONTRADICTED = 1
    """A grade or a verdict is not what its completions give."""
    UNREADABLE = 3
    """No bundle, a part of one, or an archive that papergate does not open."""
    NEWER = 4
    ALTERED = 5
    """Files, sums, seals, seeds or quotations do not fit each other."""
    UNSIGNED = 6
    """The signature is not that of a given signer over this file."""
    INCOMPLETE = 7
    """All that could be recomputed here fits; something could not."""


class Refused(EvidenceError):
    """The bundle is not accepted, with the result that this gives."""

    def __init__(self, message: str, *, result: Result) -> None:
        super().__init__(message)
        self.result = result


def refused(result: Result, said: Note) -> Refused:
    """The refusal whose reason is ``said``, in each language."""
    return worded(Refused, said, result=result)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """One promise of a bundle, recomputed."""

    promise: str
    stated: VerdictRecord | None
    """The verdict in the bundle; None where the promise has none."""
    completions: int
    regraded: int
    contradictions: Sequence[Note] = ()
    """What is not as the completions give it."""
    gaps: Sequence[Note] = ()
    """What could not be recomputed here."""
    remarks: Sequence[Note] = ()
    """What a reader must know beside both."""

    @property
    def recomputed(self) -> bool:
        """Whether there was a verdict, and its completions."""
        return self.stated is not None and self.regraded > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """A whole bundle, checked; whatever makes it unreadable or altered was raised."""

    root: str
    files: int
    quoted_by: Sequence[str]
    """What quotes this root: the user, a JUnit file."""
    signed_by: str
    """Whose signature of the bundle was checked; empty where none was."""
    promises: Sequence[Checked]

    @property
    def result(self) -> Result:
        """What the checks of all promises give together."""
        if any(one.contradictions for one in self.promises):
            return Result.CONTRADICTED
        return Result.INCOMPLETE if any(one.gaps for one in self.promises) else Result.VERIFIED
