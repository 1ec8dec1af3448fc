"""The way of each workload through a session: a server found or started, measured, compared, saved."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from papergate import __version__
from papergate.engines.held import Engines
from papergate.engines.remote.engine import RemoteEngine
from papergate.engines.start import demand_here
from papergate.errors import OptionsError, StoreError
from papergate.files import reason
from papergate.performance.causes import causes_of_figures
from papergate.performance.load import Server, attach, measure
from papergate.performance.metrics import summary
from papergate.performance.options import ADDRESS, SpeedSetup
from papergate.performance.records import LoadRun
from papergate.performance.regression.live import against_live
from papergate.performance.regression.restarted import against_restarted
from papergate.performance.regression.rule import Gate, Slowdown
from papergate.performance.regression.stored import against_stored, read_stored, refuse_other
from papergate.performance.series import against_concurrency, over_time
from papergate.performance.validity import Fitness, fitness, refuse_lost
from papergate.performance.vllm_figures import DIFFERS, figures_of
from papergate.performance.workloads import Workload
from papergate.promises import Promise
from papergate.run_folder.notes import note
from papergate.run_folder.speed import SpeedRecord, forget_speed, write_speed, write_sweep
from papergate.words import say, worded

IN_PROCESS = ("huggingface", "replay")
Local = Callable[[], tuple[str, str]]
"""Address and model name of a server on this machine, for workloads that need none of the user's."""


Sessions = Sequence[Mapping[str, Any]]
"""Stored sessions of pytest-benchmark: entries of its JSON by the name of their test."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """The verdict beside a baseline, and what that was."""

    baseline: str
    """As the user named it."""
    engine: str
    """Name and version of its server."""
    slowdown: Slowdown


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One workload, measured, and compared where there is a baseline."""

    workload: Workload
    run: LoadRun
    fitness: Fitness
    """Of every start that the figures or the comparison rest on."""
    compared: Compared | None
    demanded: bool
    """Whether the user named the server; a measurement nobody demanded may be skipped on a busy machine."""
    deployment: str | None
    """Name of the deployment that was started for it, if one was."""

    @property
    def slowdown(self) -> Slowdown | None:
        """The verdict beside the baseline; None where there is none, or the run cannot be used."""
        return self.compared.slowdown if self.compared and self.fitness.valid else None

    @property
    def record(self) -> SpeedRecord:
        """What is kept of it."""
        return SpeedRecord.model_validate(_figures(self))


class Bench:
    """Measures the workloads of one session, one after another, into one run folder."""

    def __init__(self, setup: SpeedSetup, engines: Engines, run: Path, local: Local) -> None:
        self._setup, self._engines, self._run, self._local = setup, engines, run, local
        self._swept: list[tuple[int, LoadRun]] = []

    def measure(self, workload: Workload, *, test: str, stored: Sessions = ()) -> Measurement:
        """Measure ``workload``; its record is on disk when this returns.

        ``test`` is the name by which stored sessions hold it; it must be comparable with those that are ``stored``.

        Raises:
            PapergateError: anything outside the measured figures is wrong; an earlier record is gone by then.
        """
        forget_speed(self._run, workload.name)  # from here on the record is this session's, or none
        baseline, judged = self._setup.baseline, self._setup.measured_on(workload.name)
        run, fit, compared = (
            self._restarted(workload, test, stored, baseline) if baseline else self._run_once(workload, test, stored)
        )
        found = Measurement(
            workload=workload,
            run=run,
            fitness=fit,
            compared=compared,
            demanded=self._setup.options.demanded or bool(judged and is_server(judged)),
            deployment=judged.deployed if judged else None,
        )
        self._save(found)
        return found

    def _save(self, found: Measurement) -> None:
        """Write the record, and the figures of all concurrencies of the session side by side."""
        try:
            write_speed(self._run, found.record)
            if found.fitness.valid and isinstance(found.workload.concurrency, int):
                self._swept.append((found.workload.concurrency, found.run))
                write_sweep(self._run, against_concurrency(self._swept))
        except OSError as error:
            seen = {"run": f"{self._run}", "reason": reason(error)}
            raise worded(StoreError, note("speed_not_written", workload=found.workload.name, **seen)) from error

    def _run_once(self, workload: Workload, test: str, stored: Sessions) -> tuple[LoadRun, Fitness, Compared | None]:
        """One run on one server, beside a server that runs already, a file, or nothing."""
        address, model = self._address(workload)
        judge = self._judge(workload, test, stored, model)
        server = attach(address, model, ca_file=self._setup.options.ca_file)
        run = measure(server, workload, salt=uuid.uuid4().hex)
        refuse_lost(run)
        fit = fitness(run, open_loop=workload.requests_per_s is not None)
        return run, fit, judge(server, run) if judge else None

    def _restarted(
        self, workload: Workload, test: str, stored: Sessions, baseline: Promise
    ) -> tuple[LoadRun, Fitness, Compared]:
        """Both sides are ours to start: anew for each half of each cluster."""
        judged = self._setup.judged
        assert judged, "refused before"
        for entries in stored:
            refuse_other(entries, test, digest=workload.digest, model=judged.deployment.model)
        for side in (judged, baseline):
            demand_here(side)
        found = against_restarted(
            partial(_started_anew, self._engines, judged),
            partial(_started_anew, self._engines, baseline),
            workload,
            Gate(),
            salt=uuid.uuid4().hex,
            restarts=self._setup.options.restarts,
        )
        compared = Compared(baseline=baseline.deployed, engine=found.baseline, slowdown=found.slowdown)
        return found.first, found.fitness, compared

    def _judge(
        self, workload: Workload, test: str, stored: Sessions, model: str
    ) -> Callable[[Server, LoadRun], Compared] | None:
        """How to judge against the baseline, which is looked at before anything is measured; None without one."""
        for entries in stored:
            refuse_other(entries, test, digest=workload.digest, model=model)
        given = self._setup.options.baseline
        if not given:
            return None
        if given.startswith(ADDRESS):
            old = attach(given, model, ca_file=self._setup.options.ca_file)
            return lambda server, run: Compared(
                baseline=given,
                engine=old.software,
                slowdown=against_live(server, old, workload, Gate(), salt=f"{run.salt} in turns"),
            )
        entries = read_stored(Path(given))
        refuse_other(entries, test, digest=workload.digest, model=model)
        return lambda _server, run: Compared(
            baseline=given,
            engine=entries[test]["extra_info"]["engine"],
            slowdown=against_stored(run, entries[test], Gate()),
        )

    def _address(self, workload: Workload) -> tuple[str, str]:
        """Address and model name of the server that is measured: the user's, a deployment's, or a local one."""
        options, judged = self._setup.options, self._setup.measured_on(workload.name)
        if judged and is_server(judged):
            return _address_of(self._engines, judged)
        if not options.endpoints:
            return self._local()
        if len(options.endpoints) > 1:
            raise worded(OptionsError, note("latency_of_several", count=len(options.endpoints)))
        if not options.model:
            raise worded(OptionsError, note("endpoint_without_model"))
        return options.endpoints[0], options.model


def _address_of(engines: Engines, promise: Promise) -> tuple[str, str]:
    """Address and model name of the deployment's server: the one that is held, or a new one."""
    engine = engines.start(promise)
    assert isinstance(engine, RemoteEngine), "other engines were refused before"
    if len(engine.served) > 1:
        raise worded(OptionsError, note("latency_of_several", count=len(engine.served)))
    return next(iter(engine.served)), engine.model


def is_server(promise: Promise) -> bool:
    """Whether the deployment answers over HTTP; one in this process is measured behind the local server."""
    return promise.deployment.engine not in IN_PROCESS


@contextmanager
def _started_anew(engines: Engines, promise: Promise) -> Iterator[Server]:
    """A fresh start of the deployment, ended on leaving."""
    engines.stop()
    try:
        yield attach(*_address_of(engines, promise))
    finally:
        engines.stop()


def _figures(found: Measurement) -> dict[str, object]:
    """The measurement as plain values."""
    run, workload, compared = found.run, found.workload, found.compared
    slowdown, valid = found.slowdown, found.fitness.valid
    return {
        "papergate": __version__,
        "workload": run.workload,
        "title": workload.title,
        "concurrency": workload.concurrency,
        "requests_per_s": workload.requests_per_s,
        "digest": run.digest,
        "deployment": found.deployment,
        "model": run.model,
        "engine": run.server,
        "salt": run.salt,
        "settings": dict(run.settings),
        "metrics": summary(run, workload.level) if valid else None,
        "definition": workload.definition,
        "named": figures_of(run, workload.definition) if valid else {},
        "differs": DIFFERS.get(workload.definition, ()),
        "client": {
            **asdict(found.fitness),
            "reconnects": run.client.reconnects,
            "loop": run.client.event_loop,
            "stamps": run.client.stamps,
        },
        "causes": causes_of_figures(run, concurrency=workload.in_flight if workload.concurrency else None),
        "slowdown": {**asdict(slowdown), "said": slowdown.note, "sentence": say(slowdown.note)} if slowdown else None,
        "baseline": {"name": compared.baseline, "engine": compared.engine} if compared else None,
        "series": over_time(run) if valid else None,
    }
