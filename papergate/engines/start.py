"""From a promise's deployment to the engine that answers for it."""

from collections.abc import Sequence
from pathlib import Path

from papergate.embedded import MODEL_DIR
from papergate.engines import hardware
from papergate.engines.in_process import huggingface
from papergate.engines.managed.vllm import VllmEngine, VllmServer
from papergate.engines.records import Engine
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import HardwareError
from papergate.promises import EngineName, Promise


def start(
    promise: Promise,
    *,
    endpoints: Sequence[str] = (),
    ca_file: Path | None = None,
    model: str | None = None,
    servers: Path,
    owner: int | None = None,
) -> Engine:
    """Attach to ``endpoints``, or start the deployment's own engine on the hardware that the promise demands.

    Args:
        promise: Whose deployment is to answer.
        endpoints: Servers that run already; then this machine needs no hardware.
        ca_file: Certificates to trust for their https, in place of the system's.
        model: Name that the endpoint serves, or a folder of weights, in place of the deployment's.
        servers: Folder for the logs and locks of servers that are started, shared by all processes of a run.
        owner: Process whose end ends such a server; this one by default.

    Raises:
        HardwareError: the hardware is not here.
        EngineError: the engine cannot be started or reached.
    """
    deployment = promise.deployment
    name = model or deployment.model
    demand_hardware(promise, endpoints)
    if endpoints:
        return RemoteEngine(endpoints, name, thinks=deployment.thinks, ca_file=ca_file)
    if deployment.engine is EngineName.HUGGINGFACE:
        return huggingface.load(name, dtype=deployment.dtype)
    if deployment.engine is EngineName.REMOTE:
        return RemoteEngine([deployment.endpoint], name, thinks=deployment.thinks, ca_file=ca_file)
    weights = str(MODEL_DIR) if name == huggingface.EMBEDDED else name
    # under its name, not its folder: a run can be resumed where the weights lie elsewhere
    flags = (*deployment.flags, "--served-model-name", name)
    folder = servers / deployment.name
    server = VllmServer.start(weights, folder, flags=flags, python=deployment.python, owner=owner)
    return VllmEngine(server, thinks=deployment.thinks)


def demand_hardware(promise: Promise, endpoints: Sequence[str] = ()) -> None:
    """Return if the promise can be tested here: its hardware is on this machine, or the server is elsewhere.

    Raises:
        HardwareError: neither; with the remedy.
    """
    if promise.deployment.engine is EngineName.REPLAY:
        raise HardwareError(f"{promise.id}: its completions are stored in a file; give it: --predictions FILE")
    if not endpoints:
        hardware.demand(promise.hardware, name=promise.target)
