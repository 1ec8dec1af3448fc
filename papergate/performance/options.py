"""What the user asks of a measurement: one frozen record, whatever the front end it comes from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from papergate.engines.spec import Ability
from papergate.engines.start import ENGINES
from papergate.errors import OptionsError
from papergate.performance.regression.restarted import RESTARTS
from papergate.performance.regression.rule import FEWEST_CLUSTERS
from papergate.performance.workloads import Workload, read_workload
from papergate.promises import Promise

ADDRESS = ("http://", "https://")
PROMISED = ("online", "offline-throughput", "latency")
"""What vendors' documents measure: run against a server or a deployment that the user names."""
SMALL = ("tiny-online", "tiny-offline-throughput", "tiny-latency")
"""The same in seconds, on this machine: run where the user names neither."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedOptions:
    """What the user asked for."""

    endpoints: tuple[str, ...] = ()
    ca_file: Path | None = None
    model: str | None = None
    workloads: tuple[str, ...] = ()
    deployment: str | None = None
    baseline: str | None = None
    restarts: int = RESTARTS
    prompts: Path | None = None

    @property
    def demanded(self) -> bool:
        """Whether the user named what is measured: it must be measured then, not skipped."""
        return bool(self.endpoints or self.deployment)


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedSetup:
    """What the options and the files that they name state, read before anything is measured."""

    options: SpeedOptions
    workloads: Mapping[str, Workload]
    """By name; a sweep is one for each concurrency."""
    judged: Promise | None
    """A promise about the deployment that is measured; None where none is to be started."""
    baseline: Promise | None
    """A promise about the deployment that is the baseline; None where that is a server, a file or nothing."""

    def why_not(self, workload: str) -> str:
        """Why ``workload`` is not measured here; empty where it is."""
        options = self.options
        if workload in PROMISED and not options.demanded and not options.workloads:
            return "no --endpoint URL is given, and no --deployment; this workload is not for this machine"
        return ""


def add_speed_options(add: Callable[..., object]) -> None:
    """Declare every option of a measurement; ``add`` is `argparse`'s ``add_argument`` or one of the same form."""
    add("--workload", action="append", default=[], metavar="NAME", help="workload of tests/perf: a name or a TOML file")
    add("--deployment", metavar="NAME", help="deployment of a target file that tests/perf start and measure")
    add(
        "--baseline",
        metavar="URL|FILE|NAME",
        help="what tests/perf compare with: a server, a --benchmark-json file, or a deployment to start in turns",
    )
    add("--restarts", type=int, metavar="R", help="starts of each side where the baseline is a deployment (default 4)")
    add("--prompts", metavar="FILE", help="text or conversations that the prompts of a workload are made of")


def speed_options_of(get: Callable[[str], Any]) -> SpeedOptions:
    """The options as they were given.

    Raises:
        OptionsError: one cannot mean anything, or two contradict each other.
    """
    if get("--deployment") and get("--endpoint"):
        raise OptionsError("--deployment starts a server, --endpoint attaches to one: give one of them")
    restarts = get("--restarts") or RESTARTS
    if restarts < FEWEST_CLUSTERS:
        raise OptionsError(f"--restarts {restarts}: give at least {FEWEST_CLUSTERS} starts of each side")
    return SpeedOptions(
        endpoints=tuple(get("--endpoint") or ()),
        ca_file=_path(get("--ca-file")),
        model=get("--model"),
        workloads=tuple(get("--workload") or ()),
        deployment=get("--deployment"),
        baseline=get("--baseline"),
        restarts=restarts,
        prompts=_path(get("--prompts")),
    )


def read_speed_setup(options: SpeedOptions, promises: Sequence[Promise]) -> SpeedSetup:
    """Read the workloads, and find the deployments that are named among those of ``promises``.

    Raises:
        OptionsError: a deployment is unknown, or the two are not comparable.
        WorkloadError: a workload is unknown or mistaken.
    """
    judged = _named(promises, options.deployment, "--deployment") if options.deployment else None
    given = options.baseline
    elsewhere = not given or given.startswith(ADDRESS) or Path(given).is_file()
    baseline = None if elsewhere or not given else _named(promises, given, "--baseline")
    if baseline and not judged:
        raise OptionsError("--baseline NAME starts both sides anew, in turns: name the other side: --deployment")
    if baseline and judged and not options.model:
        _refuse_other_model(judged, baseline)
    workloads = _workloads(options)
    if judged:
        workloads = {name: one.drawn_as(judged.deployment.sampling) for name, one in workloads.items()}
    return SpeedSetup(options=options, workloads=workloads, judged=judged, baseline=baseline)


def _workloads(options: SpeedOptions) -> dict[str, Workload]:
    named = options.workloads or (*PROMISED, *(() if options.demanded else SMALL))
    read = [read_workload(place, data=options.prompts) for place in named]
    return {single.name: single for workload in read for single in workload.single_runs()}


def _named(promises: Sequence[Promise], name: str, option: str) -> Promise:
    servers = [each.name for each in ENGINES.values() if Ability.SERVER in each.can]
    known = {each.deployed: each for each in promises if each.deployment.engine in servers}
    if name not in known:
        accepted = "an address, a file, or a deployment" if option == "--baseline" else "a deployment"
        listed = "".join(f"\n  {each}" for each in known)
        raise OptionsError(
            f"{option} {name}: accepted is {accepted} with the engine {' or '.join(servers)}; known:{listed}"
        )
    return known[name]


def _refuse_other_model(judged: Promise, baseline: Promise) -> None:
    """Latencies of two models are no pair; the same deployment on both sides is one, and shows the noise."""
    seen, asked = baseline.deployment.model, judged.deployment.model
    if seen != asked:
        raise OptionsError(
            f"--baseline {baseline.deployed} serves {seen}, --deployment {judged.deployed} serves {asked}: "
            "not comparable; name a deployment of the same model"
        )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
