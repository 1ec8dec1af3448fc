"""Applications of papergate's own on a Ray cluster: deployed once for all processes of a run, removed at its end."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from papergate.embedded import folder_of
from papergate.engines.ray.cluster import MODEL, Cluster
from papergate.engines.spec import Start
from papergate.engines.started import make, recorded
from papergate.errors import EngineRefused
from papergate.files import PRIVATE_FILE, write_whole
from papergate.promises.records import Deployment
from papergate.run_folder.notes import note
from papergate.words import worded

BUILDER = "ray.serve.llm:build_openai_app"
OWN_FILE, LOCK_FILE = "application.json", "application.lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Own:
    """What other processes must know of an application that one of this run deployed."""

    dashboard: str
    application: Mapping[str, Any]
    ca_file: str
    """Empty: the certificates that are trusted by default."""


def deploy(cluster: Cluster, deployment: Deployment, start: Start) -> str:
    """Have the application of ``deployment`` deployed, unless another process of this run did; its name.

    This does not wait for it. That it is this run's is put down before it is there.

    Raises:
        EngineRefused: it is there already and not of this run, or Serve does not take it.
        EngineError: the dashboard does not answer, or the folder of the run cannot be written.
    """
    config, folder = application_of(deployment, start.model), start.servers / deployment.name
    name = str(config["name"])
    mine = _Own(dashboard=cluster.url, application=config, ca_file=str(start.ca_file or ""))
    make(folder)
    with FileLock(folder / LOCK_FILE, mode=PRIVATE_FILE):
        is_there = name in cluster.serve().applications
        if is_there and _recorded(folder) != mine:
            raise worded(EngineRefused, note("ray_of_another_run", url=cluster.url, name=name))
        if not is_there:
            write_whole(folder / OWN_FILE, json.dumps(asdict(mine)).encode())
            cluster.deploy(config)
    return name


def application_of(deployment: Deployment, model: str) -> dict[str, Any]:
    """The application as Serve takes it: the deployment's LLMConfig with its names and sizes."""
    given: Mapping[str, Any] = deployment.llm_config
    sizes = {"tensor_parallel_size": deployment.tensor_parallel, "pipeline_parallel_size": deployment.pipeline_parallel}
    config = {
        **given,
        MODEL: {"model_source": folder_of(model), **given.get(MODEL, {}), "model_id": model},
        "deployment_config": {**given.get("deployment_config", {}), "num_replicas": deployment.data_parallel},
        "engine_kwargs": {**given.get("engine_kwargs", {}), **sizes},
    }
    name = _named(deployment.name)
    return {"name": name, "route_prefix": f"/{name}", "import_path": BUILDER, "args": {"llm_configs": [config]}}


def _named(deployment: str) -> str:
    """The application of ``deployment``, which is the name of its folder, too."""
    return f"papergate-{deployment}"


def remove(folder: Path, *, owner: int | None = None) -> None:
    """Remove the application that was deployed in ``folder``, if ``owner`` is this process; may be called twice.

    Raises:
        EngineError: it could not be removed.
    """
    kept = _recorded(folder)
    if kept is None or owner not in (None, os.getpid()):
        return
    Cluster(kept.dashboard, Path(kept.ca_file) if kept.ca_file else None).remove(_named(folder.name))
    (folder / OWN_FILE).unlink(missing_ok=True)


def _recorded(folder: Path) -> _Own | None:
    return recorded(folder / OWN_FILE, _Own, remedy="remove the application that it was about")
