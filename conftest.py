"""Options, and the list of fixture modules; no logic."""

import pytest

from papergate.acceptance.options import add_options
from papergate.performance.options import add_speed_options

pytest_plugins = [
    "fixtures.selection",
    "fixtures.run_folder",
    "fixtures.ends",
    "fixtures.engines",
    "fixtures.workers",
    "fixtures.acceptance",
    "fixtures.deployment",
    "fixtures.interruption",
    "fixtures.secrets",
    "fixtures.summary",
    "fixtures.evidence",  # after the summary, so that its hook is called before: the page quotes the root
    "fixtures.plan",
    "fixtures.recording",
    "fixtures.performance",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Every option of the suite."""
    group = parser.getgroup("papergate", "acceptance of a deployment")
    add = group.addoption
    add_options(add)
    add("--plan", action="store_true", help="say what the selected promises cost and how they end; test nothing")
    add("--tokens-per-s", type=float, metavar="V", help="output tokens per second of the deployment, for --plan")
    add_speed_options(add)
