"""``preflight.json``: what was checked of a deployment before its run, and what was found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from papergate.run_folder.files import PREFLIGHT_FILE
from papergate.run_folder.stored import Part, Stored

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

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks for whose sake the run must not begin."""
        return tuple(check for check in self.checks if check.state == "failed")

    @property
    def sampling_known(self) -> bool:
        """Whether every server was seen to draw as it is asked to."""
        states = [check.state for check in self.checks if check.code == SAMPLING]
        return bool(states) and set(states) == {"ok"}


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
