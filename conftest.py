"""Options, and the list of fixture modules; no logic."""

import pytest

pytest_plugins = [
    "fixtures.selection",
    "fixtures.run_folder",
    "fixtures.engines",
    "fixtures.deployments",
    "fixtures.benchmarks",
    "fixtures.acceptance",
    "fixtures.summary",
    "fixtures.plan",
    "fixtures.performance",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Every option of the suite; ``fixtures/options.py`` reads them."""
    group = parser.getgroup("papergate", "acceptance of a deployment")
    add = group.addoption
    add("--endpoint", action="append", default=[], metavar="URL", help="attach to a running server; repeat for several")
    add("--ca-file", metavar="FILE", help="certificates (PEM) to trust for https endpoints, in place of the system's")
    add("--model", metavar="NAME", help="name the endpoint serves, a folder of weights, or the model of --predictions")
    add("--predictions", metavar="LOG", help="grade stored completions, a file or folder, instead of asking")
    add("--thoughts-stripped", action="store_true", help="texts of --predictions hold no thoughts: grade them whole")
    add(
        "--data",
        action="append",
        default=[],
        metavar="BENCHMARK=FILE",
        help="local copy of a benchmark, e.g. math500=F",
    )
    add("--targets", action="append", default=[], metavar="DIR", help="folder with targets of your own (*.toml)")
    add(
        "--protocol",
        choices=["paper", "vendor"],
        default="paper",
        help="paper: mean of k samples; vendor: their one run",
    )
    add("--samples", type=int, metavar="K", help="samples per problem, fixed; default: as many as the verdict needs")
    add("--max-samples", type=int, metavar="K", help="most samples per problem (default 64)")
    add("--budget-tokens", type=int, metavar="N", help="most output tokens of a promise, looked at before each look")
    add(
        "--budget-hours", type=float, metavar="H", help="most hours of asking for a promise, looked at before each look"
    )
    add("--holm", action="store_true", help="a failure must be sure among all selected promises together (Holm)")
    add("--plan", action="store_true", help="say what the selected promises cost and how they end; test nothing")
    add("--tokens-per-s", type=float, metavar="V", help="output tokens per second of the deployment, for --plan")
    add("--limit", type=int, metavar="N", help="first N problems only: a trial of the set-up, which cannot pass")
    add("--golden", metavar="RUN", help="stored run of a trusted platform as the reference, in place of the paper")
    add("--grader", choices=["strict", "aisbench", "math-verify"], default="strict", help="whose rules grade")
    add("--concurrency", type=int, metavar="N", help="requests in flight; default: what serves the engine best")
    add("--run-seed", type=int, default=0, metavar="N", help="seed of all samples (default 0)")
    add("--run", metavar="DIR", help="folder of the run: a new one is made, an old one is resumed")
    add("--workload", action="append", default=[], metavar="NAME", help="workload of tests/perf: a name or a TOML file")
    add("--deployment", metavar="NAME", help="deployment of a target file that tests/perf start and measure")
    add(
        "--baseline",
        metavar="URL|FILE|NAME",
        help="what tests/perf compare with: a server, a --benchmark-json file, or a deployment to start in turns",
    )
    add("--restarts", type=int, metavar="R", help="starts of each side where the baseline is a deployment (default 4)")
    add("--prompts", metavar="FILE", help="text or conversations that the prompts of a workload are made of")
