"""One fault of the world: what is done, what must hold, and the test that does it and sees that it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A row of the catalogue: one test, and one line of the table in docs/reliability.md."""

    name: str
    """Test id: words joined by hyphens, unique in the catalogue."""
    done: str
    """What is done, for the table."""
    holds: str
    """What must hold then, for the table."""
    test: Callable[[Path], None]
    """Does it in an empty folder of its own, and asserts what must hold."""
