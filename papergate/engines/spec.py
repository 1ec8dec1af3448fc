"""What an engine declares about itself; ``papergate.engines.start`` lists every declaration."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from papergate.engines.records import Engine
from papergate.promises.records import Deployment


class Ability(StrEnum):
    """What some engines can and others cannot, in the words that ``papergate doctor`` prints."""

    SERVER = "started as a server"
    """papergate starts it behind a port of this machine, so that it can be measured under load."""
    SEEDS = "seeds"
    """A request's seed decides its draws, with the flags that the deployment has."""
    LOGPROBS = "log-probabilities"
    DEVICES = "several devices"
    DRAWS = "sampling in papergate itself"
    """So temperature and seeds are surely honoured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """With what an engine is started, beside its deployment."""

    model: str
    """Name or folder of the model."""
    servers: Path
    """Folder for the logs and locks of servers, shared by all processes of a run."""
    owner: int | None = None
    """Process whose end ends a server; None: this one."""
    ca_file: Path | None = None
    """Certificates to trust for https, in place of the system's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSpec:
    """An engine: its name in target files, what it can and needs, and how it starts."""

    name: str
    title: str
    can: frozenset[Ability]
    needs: str
    """What must be on this machine, beside the hardware."""
    missing: Callable[[Deployment], str]
    """Why a deployment cannot start on this machine, with the remedy; empty where nothing is known to be missing."""
    start: Callable[[Deployment, Start], Engine]
    not_attached: str = ""
    """Why ``--endpoint`` cannot stand in for it, with the remedy; empty where it can."""
