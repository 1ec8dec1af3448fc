"""What tests of the checker share."""

import os
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from papergate.scoring import Grader
from tests import profiles as profiles  # noqa: PLC0414


@pytest.fixture(scope="session")
def shared():
    """The folder of shared data, which stays where it is."""
    folder = Path(os.environ.get("PAPERGATE_SHARED", Path(__file__).parents[2].parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; name the folder in PAPERGATE_SHARED")
    return folder


@pytest.fixture(scope="session")
def grader():
    """One grader for the whole session: its comparison process warms up once."""
    with Grader(workers=1) as one:
        yield one


@pytest.fixture(scope="session")
def peers():
    """The grader of each other tool, once for the whole session, by its mode."""
    with ExitStack() as graders:
        yield cache(lambda mode: graders.enter_context(Grader(mode, workers=1)))
