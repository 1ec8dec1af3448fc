"""``preflight.json``: what was checked of a deployment before its run, and what was found."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field

from papergate.run_folder.files import PREFLIGHT_FILE, json_text
from papergate.run_folder.stored import SEAL, Part, Stored, damaged, seal_of

State = Literal["ok", "noted", "failed", "unknown"]


class Check(Part):
    """One thing that was checked; ``papergate.words`` says it in a language."""

    code: str
    state: State
    """``noted``: a reader must know it; ``failed``: the run would not measure what it promises; ``unknown``: not
    checked, and why."""
    server: str | None = None
    """Address of the one that was checked; None where it is about all of them."""
    values: Mapping[str, Any] = Field(default_factory=dict)
    """What the sentence states: plain JSON values by name."""


def checked(code: str, state: State, **values: Any) -> Check:  # noqa: ANN401 - whatever JSON holds
    """The check ``code`` with what was found."""
    return Check(code=code, state=state, values=values)


class PreflightRecord(Stored):
    """All checks of one deployment."""

    deployment: str
    checks: tuple[Check, ...]
    seconds: float
    papergate: str
    seal: str = ""
    """Empty in records of earlier releases, and in those that were not written yet."""

    @property
    def text(self) -> str:
        """The record as its file holds it, sealed."""
        fields = json.loads(super().text)
        return json_text({**fields, SEAL: seal_of(fields)}, indent=1)

    @classmethod
    def of(cls, fields: Mapping[str, Any], place: str) -> Self:
        """As `Stored.of`; an edited record is a damaged one."""
        if fields.get(SEAL, seal_of(fields)) != seal_of(fields):
            raise damaged(place, "its seal does not fit: it was edited")
        return super().of(fields, place)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks for whose sake the run must not begin."""
        return tuple(check for check in self.checks if check.state == "failed")

    @property
    def sampling_known(self) -> bool:
        """Whether every server was seen to draw as it is asked to; what has no seal vouches for nothing."""
        states = [check.state for check in self.checks if check.code == SAMPLING]
        return bool(self.seal and states) and set(states) == {"ok"}


SAMPLING = "sampling"
"""Code of the check that draws tokens and compares them with the server's own log-probabilities."""


def write_preflight(folder: Path, record: PreflightRecord) -> None:
    """Write the record into the folder of a promise.

    Raises:
        OSError: the disk refused.
    """
    record.write(folder / PREFLIGHT_FILE)


def read_preflight(folder: Path) -> PreflightRecord | None:
    """What was checked before the promise in ``folder`` was asked; None where nothing was.

    Raises:
        StoreError: the record is damaged, or of a later release.
    """
    path = folder / PREFLIGHT_FILE
    return PreflightRecord.read(path) if path.exists() else None
