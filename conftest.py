"""Options, and the list of fixture modules; no logic."""

import pytest

from papergate.acceptance.options import add_options

pytest_plugins = [
    "fixtures.selection",
    "fixtures.run_folder",
    "fixtures.engines",
    "fixtures.deployments",
    "fixtures.acceptance",
    "fixtures.interruption",
    "fixtures.secrets",
    "fixtures.summary",
    "fixtures.plan",
    "fixtures.performance",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Every option of the suite."""
    group = parser.getgroup("papergate", "acceptance of a deployment")
    add = group.addoption
    add_options(add)
    add("--plan", action="store_true", help="say what the selected promises cost and how they end; test nothing")
    add("--tokens-per-s", type=float, metavar="V", help="output tokens per second of the deployment, for --plan")
    add("--workload", action="append", default=[], metavar="NAME", help="workload of tests/perf: a name or a TOML file")
    add("--deployment", metavar="NAME", help="deployment of a target file that tests/perf start and measure")
    add(
        "--baseline",
        metavar="URL|FILE|NAME",
        help="what tests/perf compare with: a server, a --benchmark-json file, or a deployment to start in turns",
    )
    add("--restarts", type=int, metavar="R", help="starts of each side where the baseline is a deployment (default 4)")
    add("--prompts", metavar="FILE", help="text or conversations that the prompts of a workload are made of")
