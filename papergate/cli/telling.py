"""Telling on stderr, where somebody may have stopped reading."""

import sys
from contextlib import suppress


def tell(text: str) -> None:
    """Write to stderr; that nobody reads it any more makes nothing wrong of what was done."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
