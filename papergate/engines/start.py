"""Every engine, and the way from a promise's deployment to the engine that answers for it."""

from collections.abc import Sequence
from pathlib import Path

from papergate.engines import hardware, replay
from papergate.engines.in_process import huggingface
from papergate.engines.managed import sglang, vllm
from papergate.engines.ray import engine as ray_serve
from papergate.engines.records import Engine
from papergate.engines.remote import spec as remote
from papergate.engines.remote.engine import RemoteEngine
from papergate.engines.spec import EngineSpec, Start
from papergate.errors import EngineError
from papergate.promises import Promise
from papergate.run_folder.notes import note
from papergate.words import worded

_DECLARED = (huggingface.SPEC, vllm.SPEC, sglang.SPEC, ray_serve.SPEC, remote.SPEC, replay.SPEC)
ENGINES = {each.name: each for each in _DECLARED}
"""What each engine declares, by the name that target files use."""


def start(
    promise: Promise,
    *,
    endpoints: Sequence[str] = (),
    ray: str = "",
    ca_file: Path | None = None,
    model: str | None = None,
    servers: Path,
    owner: int | None = None,
) -> Engine:
    """Attach to ``endpoints`` or ``ray``, or start the deployment's own engine on the hardware that is demanded.

    Args:
        promise: Whose deployment is to answer.
        endpoints: Servers that run already; then this machine needs no hardware.
        ray: Dashboard of a Ray cluster; ``endpoints`` then say where its application is reached, if not where it says.
        ca_file: Certificates to trust for their https, in place of the system's.
        model: Name that the endpoint serves, or a folder of weights, in place of the deployment's.
        servers: Folder for the logs and locks of servers that are started, shared by all processes of a run.
        owner: Process whose end ends such a server; this one by default.

    Raises:
        HardwareError: the hardware is not here.
        EngineError: the engine is not here, or cannot be started or reached.
    """
    deployment = promise.deployment
    name = model or deployment.model
    demand_here(promise, [*endpoints, ray] if ray else endpoints)
    wanted = Start(model=name, servers=servers, owner=owner, ca_file=ca_file)
    if ray:
        return ray_serve.attach(ray, deployment, wanted, endpoints)
    if endpoints:
        return RemoteEngine(endpoints, name, thinks=deployment.thinks, ca_file=ca_file)
    return spec_of(promise).start(deployment, wanted)


def demand_here(promise: Promise, attached: Sequence[str] = ()) -> None:
    """Return if the promise can be tested here: hardware and engine are on this machine, or the server is elsewhere.

    Raises:
        HardwareError: the hardware is not here; with the remedy.
        EngineError: the engine is not here; with the remedy.
    """
    spec = spec_of(promise)
    if not attached:
        hardware.demand(promise.hardware, name=promise.target)
    elsewhere_or_here = spec.not_attached if attached else spec.missing(promise.deployment)
    if elsewhere_or_here:
        raise EngineError(f"{promise.id}: {elsewhere_or_here}")


def spec_of(promise: Promise) -> EngineSpec:
    """What the engine of the promise's deployment declares.

    Raises:
        EngineError: there is no such engine.
    """
    name = promise.deployment.engine
    if name not in ENGINES:
        raise worded(EngineError, note("engine_unknown", promise=promise.id, engine=name, known=", ".join(ENGINES)))
    return ENGINES[name]
