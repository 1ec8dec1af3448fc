"""Hypothesis profiles: `dev` is quick, `ci` is reproducible, `deep` runs for long. Chosen with --hypothesis-profile."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from papergate.scoring import Grader

settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True, print_blob=True)
settings.register_profile(
    "deep",
    max_examples=20_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


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
