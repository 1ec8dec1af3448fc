"""What a session says by its exit status; the first six are pytest's own numbers, 70 is EX_SOFTWARE of sysexits.h."""

from collections.abc import Collection
from enum import IntEnum

CRASH = "crash"
"""How a promise ended where papergate itself broke."""


class ExitCode(IntEnum):
    """Of ``papergate gate``, ``papergate perf``, ``papergate runs judge`` and of pytest on the suite."""

    KEPT = 0
    """Every promise is kept; or all was only tried, and the set-up is good."""
    BROKEN = 1
    INTERRUPTED = 2
    INTERNAL_ERROR = 3
    """pytest or a plugin broke before the session began; later it is `CRASHED`."""
    USAGE_ERROR = 4
    NOTHING_SELECTED = 5
    UNDECIDED = 10
    """Too little evidence, and nothing worse. Not 6, which is pytest's limit of warnings, nor its neighbours."""
    ERROR = 11
    """A promise has no verdict: the set-up is wrong, or requests were lost."""
    CRASHED = 70
    """papergate itself broke, which says nothing of any promise."""


WORST_FIRST = (
    ("fail", ExitCode.BROKEN),
    (CRASH, ExitCode.CRASHED),
    ("error", ExitCode.ERROR),
    ("trial", ExitCode.ERROR),  # which did not pass
    ("inconclusive", ExitCode.UNDECIDED),
)
"""A broken promise is never hidden by what else went wrong."""


def exit_code_of(outcomes: Collection[str]) -> ExitCode:
    """What a session says whose tests that did not pass ended like ``outcomes``: verdicts, or `CRASH`."""
    return next((code for outcome, code in WORST_FIRST if outcome in outcomes), ExitCode.KEPT)
