"""Telling on stderr, where somebody may have stopped reading."""

import os
import sys
from pathlib import Path
from typing import TextIO


def tell(text: str) -> None:
    """Write to stderr; that nobody reads it any more makes nothing wrong of what was done."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        sys.stderr = nowhere()  # the interpreter flushes once more at its end, and a failure there is an exit code


def nowhere() -> TextIO:
    """A stream that takes everything."""
    return Path(os.devnull).open("w", encoding="utf-8")
