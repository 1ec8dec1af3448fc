"""``drift.json``: how far a deployment's log-probabilities and greedy answers are from golden ones."""

from pathlib import Path
from typing import Literal

from papergate.run_folder.files import DRIFT_FILE
from papergate.run_folder.preflight import Check
from papergate.run_folder.stored import Stored

DriftResult = Literal["pass", "drifted", "cannot tell"]
TELLING = frozenset({"forced", "greedy_answers"})
"""Checks of which one at least must have been possible."""


class DriftRecord(Stored):
    """What was compared of one deployment."""

    deployment: str
    golden: str
    """Who made the golden answers."""
    checks: tuple[Check, ...]
    seconds: float
    papergate: str

    @property
    def result(self) -> DriftResult:
        """``drifted`` where a check failed; ``cannot tell`` where some server allowed no comparison."""
        if any(check.state == "failed" for check in self.checks):
            return "drifted"
        servers = {check.server for check in self.checks}
        told = {check.server for check in self.checks if check.code in TELLING and check.state != "unknown"}
        return "pass" if told and told == servers else "cannot tell"


def write_drift(folder: Path, record: DriftRecord) -> None:
    """Write the record into the folder of a deployment.

    Raises:
        OSError: the disk refused.
    """
    record.write(folder / DRIFT_FILE)
