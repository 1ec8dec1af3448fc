"""A model behind Ray Serve as an engine: asked as any endpoint, known and watched through the cluster's dashboard."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from papergate.endpoints.pages import object_of
from papergate.engines.ray import own
from papergate.engines.ray.cluster import LOOK_EVERY_S, MODEL, READY_WITHIN_S, Application, Cluster, Replica
from papergate.engines.records import Completion, EngineIdentity, Request
from papergate.engines.remote.engine import RemoteEngine
from papergate.engines.spec import EngineSpec, Start
from papergate.engines.weights import digest_of_template, digest_of_weights
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.promises.records import Deployment
from papergate.run_folder.notes import note
from papergate.words import worded

DEAD_REPLICA = "ray::ServeReplica"
"""Stands in the error of a replica whose engine is dead while its door still answers."""
WATCH_EVERY_S = 10.0
"""Serve needs longer to build an application anew, so that other weights are noticed before they answer."""
OF_WEIGHTS = ("revision", "code_revision", "quantization", "load_format", "hf_overrides", "model_loader_extra_config")
"""The engine's arguments that decide which weights are loaded, and how they are read."""


class RayEngine(RemoteEngine):
    """Answers through a proxy of Ray Serve; once built, it has seen the application run with all its replicas."""

    def __init__(
        self,
        cluster: Cluster,
        application: str,
        model: str,
        *,
        endpoints: Sequence[str] = (),
        thinks: bool = True,
        ca_file: Path | None = None,
        patience_s: float = READY_WITHIN_S,
    ) -> None:
        """``endpoints`` say where the application is reached, if not where its dashboard says."""
        self._cluster, self._application, self._patience_s = cluster, application, patience_s
        self._release = cluster.release()
        self._now = cluster.ready(application, within_s=patience_s)
        self._looked_s = time.monotonic()
        self._met: dict[str, Replica] = {}
        super().__init__(endpoints or [cluster.door(self._now)], model, thinks=thinks, ca_file=ca_file)
        self._weights = weights_of(self._now, model)

    def identity(self) -> EngineIdentity:
        """Who answers now; replicas that ended since this engine was built are named.

        Raises:
            EngineError: the dashboard does not answer: who drew the samples cannot be told.
        """
        self._take(self._cluster.application(self._application))
        version, commit = self._release
        config = self._now.llm_config(self.model)
        told = {
            "Ray commit": commit,
            "application": f"{self._application} at {self._now.route}",
            "LLMConfig": json.dumps(config, sort_keys=True) if config else "",
            **_sizes(config),
            **{f"replicas of {group.name}": group.in_words() for group in self._now.groups},
            "replicas that ended": "; ".join(each.in_words() for each in self._ended()),
        }
        return EngineIdentity(
            engine=SPEC.name,
            version=version,
            model=self.model,
            revision=weights_of(self._now, self.model),
            template=_template_of(config),
            environment={**super().identity().environment, **{name: text for name, text in told.items() if text}},
        )

    async def complete(self, request: Request) -> Completion:
        """Draw one sample: one attempt, no retry. Where a replica died, this ends when another one can answer.

        Raises:
            EngineRefused: the application was deployed anew with other weights.
            EngineTimeout: nothing took the place of a replica that died.
            EngineError: the attempt failed.
        """
        before = await self._look(WATCH_EVERY_S)
        if (now := weights_of(before, self.model)) != self._weights:
            seen = {"application": self._application, "now": now, "before": self._weights}
            raise worded(EngineRefused, note("ray_deployed_anew", **seen))
        try:
            return await super().complete(request)
        except EngineError as error:
            if error.transient and DEAD_REPLICA in str(error):
                await self._outlive(before.running, error)
            raise

    async def _look(self, every_s: float) -> Application:
        """The application as it was ``every_s`` ago, or later; or earlier where the dashboard does not answer."""
        if time.monotonic() - self._looked_s > every_s:
            self._looked_s = time.monotonic()  # set before the answer, so that only one of many requests looks
            with suppress(EngineError):  # who answered is asked once more after the last request, and refused then
                self._take(await asyncio.to_thread(self._cluster.application, self._application))
        return self._now

    def _take(self, now: Application) -> None:
        self._met |= {each.id: each for group in (*self._now.groups, *now.groups) for each in group.running}
        self._now = now

    def _ended(self) -> list[Replica]:
        return [each for each in self._met.values() if each.id not in self._now.running]

    async def _outlive(self, before: frozenset[str], error: EngineError) -> None:
        """Wait until Serve has taken out a replica that ran ``before``, and something can answer.

        Where Serve finds nothing wrong for as long as its checks may take, the error was none of a dead engine.
        """
        began = time.monotonic()
        while (waited := time.monotonic() - began) < self._patience_s:
            now = await self._look(LOOK_EVERY_S)
            if now.can_answer and (not before <= now.running or waited > now.noticed_within_s):
                return
            await asyncio.sleep(LOOK_EVERY_S)
        seen = {"said": str(error), "seconds": self._patience_s, "application": self._now.in_words()}
        raise worded(EngineTimeout, note("ray_not_replaced", **seen)) from error


class DeployedEngine(RayEngine):
    """The same with an application that papergate deployed."""

    def __init__(self, cluster: Cluster, deployment: Deployment, start: Start, endpoints: Sequence[str] = ()) -> None:
        self._folder, self._owner = start.servers / deployment.name, start.owner
        name = own.deploy(cluster, deployment, start)
        try:
            super().__init__(
                cluster, name, start.model, endpoints=endpoints, thinks=deployment.thinks, ca_file=start.ca_file
            )
        except BaseException:
            with suppress(EngineError):  # what went wrong first says more; the end of the session tries again
                self.close()
            raise

    def close(self) -> None:
        """Remove the application if this process owns it."""
        own.remove(self._folder, owner=self._owner)


def weights_of(application: Application, model: str) -> str:
    """What tells the weights behind ``model`` from others of the same name, as far as it can be known from here.

    Where the dashboard does not tell them, only replicas of the same deployment are surely the same.
    """
    config = application.llm_config(model)
    if not config:
        return f"not told by the dashboard; deployed at {application.deployed_s}"
    loading: Mapping[str, Any] = {name: told for name, told in config[MODEL].items() if name != "model_id"}
    arguments = _arguments(config)
    chosen = {name: arguments[name] for name in OF_WEIGHTS if name in arguments}
    digest = _digest_of(str(loading.get("model_source", "")))
    return json.dumps({**loading, **chosen, **({"sha256": digest} if digest else {})}, sort_keys=True)


@cache
def _digest_of(source: str) -> str:
    """Of weights in a folder that this machine has, too; once, because what is loaded does not change with the disk."""
    return digest_of_weights(Path(source)) if source.startswith("/") else ""


def _template_of(config: Mapping[str, Any]) -> str:
    source = str(config.get(MODEL, {}).get("model_source", ""))
    template = _arguments(config).get("chat_template")
    return digest_of_template(Path(source), Path(template) if isinstance(template, str) else None) if source else ""


def _sizes(config: Mapping[str, Any]) -> dict[str, str]:
    """The sizes of the application, by the fields of a deployment, as far as its LLMConfig tells them."""
    if not config:
        return {}
    replicas = object_of(config.get("deployment_config")).get("num_replicas")
    sizes = {name: _arguments(config).get(f"{name}_size", 1) for name in ("tensor_parallel", "pipeline_parallel")}
    return {name: str(size) for name, size in {**sizes, "data_parallel": replicas}.items() if isinstance(size, int)}


def _arguments(config: Mapping[str, Any]) -> Mapping[str, Any]:
    found = config.get("engine_kwargs")
    return found if isinstance(found, dict) else {}


def attach(dashboard: str, deployment: Deployment, start: Start, endpoints: Sequence[str] = ()) -> RayEngine:
    """The application at ``dashboard`` that serves the model, or the one that is deployed there as ``deployment`` says.

    ``dashboard`` may name an application: ``http://HEAD:8265#NAME``; then nothing is deployed.

    Raises:
        EngineError: the dashboard cannot be reached, or the application is not as it must be.
    """
    address, _, named = dashboard.partition("#")
    cluster = Cluster(address, start.ca_file)
    cluster.release()
    if deployment.llm_config and not named:
        return DeployedEngine(cluster, deployment, start, endpoints)
    application = named or _serving(cluster, start.model)
    return RayEngine(
        cluster, application, start.model, endpoints=endpoints, thinks=deployment.thinks, ca_file=start.ca_file
    )


def _serving(cluster: Cluster, model: str) -> str:
    """The one application that serves ``model``, or the only one where none says so.

    Raises:
        EngineRefused: there is none, or there are several.
    """
    applications = cluster.serve().applications
    told = [name for name, each in applications.items() if each.llm_config(model)] or [*applications]
    if not told:
        raise worded(EngineRefused, note("ray_no_applications", url=cluster.url))
    if len(told) > 1:
        raise worded(EngineRefused, note("ray_which_application", url=cluster.url, model=model, known=sorted(told)))
    return told[0]


NO_DASHBOARD = "the target names no dashboard of a Ray cluster: give --ray http://HEAD:8265"


def _start(deployment: Deployment, start: Start) -> RayEngine:
    return attach(deployment.endpoint, deployment, start)


SPEC = EngineSpec(
    name="ray",
    title="Ray Serve LLM",
    can=frozenset(),  # what the engine behind it can, is not known before it is asked
    needs="the dashboard of a running Ray cluster: --ray URL, or `endpoint` of the deployment",
    missing=lambda deployment: "" if deployment.endpoint else NO_DASHBOARD,
    start=_start,
)
