"""Where real data to test on lies: outside the project, whose licences do not allow it inside."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("PAPERGATE_SHARED", Path(__file__).parents[3] / "shared"))


def shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {name} under PAPERGATE_SHARED ({SHARED})")
    return path
