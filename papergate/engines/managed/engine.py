"""The engine that a server program makes: it starts a server of its own and asks it."""

import os
import shutil
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from itertools import pairwise

from papergate.embedded import folder_of
from papergate.engines.checkpoint import refuse_incomplete
from papergate.engines.managed.server import ManagedServer, Software, interpreter
from papergate.engines.records import Completion, EngineIdentity, Request
from papergate.engines.remote.engine import CONCURRENCY, RemoteEngine
from papergate.engines.spec import Ability, EngineSpec, Start
from papergate.errors import EngineError, EngineRefused
from papergate.promises.records import Deployment
from papergate.run_folder.notes import note
from papergate.words import worded


class ManagedEngine(RemoteEngine):
    """Answers through a server of its own."""

    def __init__(self, server: ManagedServer, *, concurrency: int = CONCURRENCY, thinks: bool = True) -> None:
        super().__init__([server.url], server.model, concurrency=concurrency, thinks=thinks)
        self.server = server
        self._identity = server.identity()

    def identity(self) -> EngineIdentity:
        """Version, weights, chat template, and everything the server runs on."""
        return self._identity

    async def complete(self, request: Request) -> Completion:
        """Draw one sample: one attempt, no retry.

        Raises:
            EngineRefused: the server is gone; with its last words. It is not started again behind anybody's back.
            EngineError: the attempt failed.
        """
        try:
            return await super().complete(request)
        except EngineError as error:
            if self.server.is_running():
                raise
            ended = note("server_ended", server=self.server.software.title, log=self.server.log_tail())
            raise worded(EngineRefused, ended) from error

    def close(self) -> None:
        """End the server if this process owns it."""
        self.server.close()


def declare(software: Software, *, can: AbstractSet[Ability]) -> EngineSpec:
    """The engine that starts ``software``; ``can`` is what it can beside being a server."""
    return EngineSpec(
        name=software.name,
        title=software.title,
        can=frozenset({Ability.SERVER, *can}),
        needs=f"{software.title}: {software.install}",
        missing=partial(_missing, software),
        start=partial(_start, software),
    )


def _missing(software: Software, deployment: Deployment) -> str:
    """An interpreter that is named must be there; whether it has the package, its start shows."""
    if not deployment.python and not os.environ.get(software.variable):
        return "" if find_spec(software.name) else f"{software.title} is not installed: {software.install}"
    named = interpreter(software, deployment.python)
    return "" if shutil.which(named) else f"{software.title}: {named} is no interpreter; correct the path"


def _start(software: Software, deployment: Deployment, start: Start) -> ManagedEngine:
    # under its name, not its folder: a run can be resumed where the weights lie elsewhere
    refuse_incomplete(folder_of(start.model))
    flags = (*deployment.flags, *_sizes(software, deployment), "--served-model-name", start.model)
    folder = start.servers / deployment.name
    software = replace(software, settings={**software.settings, **_unset(deployment.env)})
    server = ManagedServer.start(
        software, folder_of(start.model), folder, flags=flags, python=deployment.python, owner=start.owner
    )
    return ManagedEngine(server, thinks=deployment.thinks)


def _sizes(software: Software, deployment: Deployment) -> tuple[str, ...]:
    """The options for the sizes that the deployment states and its flags do not.

    Raises:
        EngineRefused: its flags state another size.
    """
    options = list[str]()
    for name, spellings in software.sizes.items():
        size, stated = str(getattr(deployment, name)), _value_of(spellings, deployment.flags)
        if name not in deployment.model_fields_set:
            continue
        if stated is None:
            options += [spellings[0], size]
        elif stated != size:
            raise worded(
                EngineRefused, note("sizes_differ", deployment=deployment.name, name=name, size=size, stated=stated)
            )
    return tuple(options)


def _value_of(spellings: Sequence[str], flags: Sequence[str]) -> str | None:
    """What ``flags`` give the option last, as ``--option VALUE`` or ``--option=VALUE``."""
    words = [word for flag in flags for word in (flag.split("=", 1) if flag.startswith("-") else [flag])]
    values = [value for option, value in pairwise(words) if option in spellings]
    return values[-1] if values else None


def _unset(env: Mapping[str, str]) -> dict[str, str]:
    """The document's variables, but for those that are set here: which devices are free only their owner knows."""
    return {name: value for name, value in env.items() if name not in os.environ}
