"""A server that somebody else started, as an engine."""

from papergate.engines.remote.engine import RemoteEngine
from papergate.engines.spec import EngineSpec, Start
from papergate.promises.records import Deployment


def _start(deployment: Deployment, start: Start) -> RemoteEngine:
    return RemoteEngine([deployment.endpoint], start.model, thinks=deployment.thinks, ca_file=start.ca_file)


SPEC = EngineSpec(
    name="remote",
    title="a server with the chat completions route",
    can=frozenset(),  # what the server behind the address can, is not known before it is asked
    needs="the address of a running server: --endpoint URL, or `endpoint` of the deployment",
    missing=lambda deployment: "" if deployment.endpoint else "the target names no address: give --endpoint URL",
    start=_start,
)
