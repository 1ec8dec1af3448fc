"""What the user asks of a measurement: one frozen record, whatever the front end it comes from."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from papergate.engines.spec import Ability
from papergate.engines.start import ENGINES
from papergate.errors import OptionsError
from papergate.performance.regression.restarted import RESTARTS
from papergate.performance.regression.rule import FEWEST_CLUSTERS
from papergate.performance.workloads import Workload, members_of, read_workload
from papergate.promises import Promise
from papergate.run_folder.notes import note
from papergate.suggest import nearest
from papergate.words import worded

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
    of_targets: bool = True
    """Whether the workloads of a target that is asked for are run."""

    @property
    def named(self) -> bool:
        """Whether the user named workloads or a deployment: then those of targets are not run."""
        return bool(self.workloads or self.deployment or self.baseline)

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
    of_targets: Mapping[str, Promise] = field(default_factory=dict)
    """By the name of a workload: a promise about the deployment whose document measures it."""

    def measured_on(self, workload: str) -> Promise | None:
        """A promise about the deployment that ``workload`` is measured on; None: the user's server, or a local one."""
        return self.of_targets.get(workload) or self.judged

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
    add("--no-workloads", action="store_true", help="leave out the workloads that the selected target's document has")
    add("--prompts", metavar="FILE", help="text or conversations that the prompts of a workload are made of")


def speed_options_of(get: Callable[[str], Any]) -> SpeedOptions:
    """The options as they were given.

    Raises:
        OptionsError: one cannot mean anything, or two contradict each other.
    """
    if get("--deployment") and get("--endpoint"):
        raise worded(OptionsError, note("starts_and_attaches"))
    restarts = get("--restarts") or RESTARTS
    if restarts < FEWEST_CLUSTERS:
        raise worded(OptionsError, note("restarts_too_few", restarts=restarts, fewest=FEWEST_CLUSTERS))
    return SpeedOptions(
        endpoints=tuple(get("--endpoint") or ()),
        ca_file=_path(get("--ca-file")),
        model=get("--model"),
        workloads=tuple(get("--workload") or ()),
        deployment=get("--deployment"),
        baseline=get("--baseline"),
        restarts=restarts,
        prompts=_path(get("--prompts")),
        of_targets=not get("--no-workloads"),
    )


def read_speed_setup(
    options: SpeedOptions, promises: Sequence[Promise], *, demanded: Collection[str] = ()
) -> SpeedSetup:
    """Read the workloads, and find the deployments that are named among those of ``promises``.

    ``demanded`` are the targets that are asked for: what their documents measure is read in place of the usual ones.

    Raises:
        OptionsError: a deployment is unknown, or the two are not comparable.
        WorkloadError: a workload is unknown or mistaken.
    """
    judged = _named(promises, options.deployment, "--deployment") if options.deployment else None
    given = options.baseline
    elsewhere = not given or given.startswith(ADDRESS) or Path(given).is_file()
    baseline = None if elsewhere or not given else _named(promises, given, "--baseline")
    if baseline and not judged:
        raise worded(OptionsError, note("baseline_alone"))
    if baseline and judged and not options.model:
        _refuse_other_model(judged, baseline)
    listed = {} if options.named or not options.of_targets else _of_targets(promises, demanded, options)
    workloads = {name: workload for name, (workload, _) in listed.items()} or _workloads(options)
    if judged:
        workloads = {name: one.drawn_as(judged.deployment.sampling) for name, one in workloads.items()}
    return SpeedSetup(
        options=options,
        workloads=workloads,
        judged=judged,
        baseline=baseline,
        of_targets={name: promise for name, (_, promise) in listed.items()},
    )


def _of_targets(
    promises: Sequence[Promise], demanded: Collection[str], options: SpeedOptions
) -> dict[str, tuple[Workload, Promise]]:
    """What the documents of the ``demanded`` targets measure: workloads called by their deployment and their name.

    Raises:
        OptionsError: two are called the same.
    """
    deployed = {promise.deployed: promise for promise in promises if promise.target in demanded}
    found = {}
    for name, promise in deployed.items():
        for place in promise.deployment.workloads:
            for single in read_workload(place, data=options.prompts).single_runs():
                called = f"{name}-{single.name}".replace("_", "-")
                if called in found:
                    raise worded(OptionsError, note("workloads_called_alike", name=called))
                drawn = single.drawn_as(promise.deployment.sampling)
                found[called] = drawn.model_copy(update={"name": called}), promise
    return found


def _workloads(options: SpeedOptions) -> dict[str, Workload]:
    usual = (*PROMISED, *(() if options.demanded else SMALL))
    named = [each for name in options.workloads for each in members_of(name)] or usual
    read = [read_workload(place, data=options.prompts) for place in named]
    return {single.name: single for workload in read for single in workload.single_runs()}


def _named(promises: Sequence[Promise], name: str, option: str) -> Promise:
    servers = [each.name for each in ENGINES.values() if Ability.SERVER in each.can]
    known = {each.deployed: each for each in promises if each.deployment.engine in servers}
    if name not in known:
        about = {"engines": servers, "known": [*known], "close": nearest(name, known)}
        raise worded(OptionsError, note("deployment_unknown", option=option, name=name, **about))
    return known[name]


def _refuse_other_model(judged: Promise, baseline: Promise) -> None:
    """Latencies of two models are no pair; the same deployment on both sides is one, and shows the noise."""
    seen, asked = baseline.deployment.model, judged.deployment.model
    if seen != asked:
        about = {"judged": judged.deployed, "asked": asked}
        raise worded(OptionsError, note("baseline_of_other_model", baseline=baseline.deployed, seen=seen, **about))


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
