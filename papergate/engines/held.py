"""The engines of a session, one after another: two models seldom fit one device."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from papergate.engines.managed.server import stop_server
from papergate.engines.ray.own import remove
from papergate.engines.records import Engine
from papergate.errors import EngineError
from papergate.promises import Promise


class Engines:
    """Starts or attaches to the engine of a promise, and holds it for the others of its deployment.

    A context manager: the engine that is held ends with it.
    """

    def __init__(self, start: Callable[..., Engine]) -> None:
        """``start`` is `papergate.engines.start.start` with what the session says of all engines."""
        self._start = start
        self._held: tuple[str, Engine] | None = None

    def __enter__(self) -> Self:
        """No engine is held yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the engine that is held."""
        self.stop()

    def start(self, promise: Promise, model: str | None = None) -> Engine:
        """The engine that is held, or a new one in its place where it belongs to another deployment.

        ``model`` stands in place of the session's.

        Raises:
            HardwareError: the hardware is not here.
            EngineError: the engine is not here, or cannot be started or reached.
        """
        if self._held and self._held[0] == promise.deployed:
            return self._held[1]
        self.stop()
        engine = self._start(promise, **({"model": model} if model else {}))
        self._held = (promise.deployed, engine)
        return engine

    def stop(self) -> None:
        """End the engine that is held, if any."""
        if self._held:
            held, self._held = self._held, None
            held[1].close()


def stop_servers(servers: Path) -> None:
    """End the servers and the applications that other processes of a run left for each other.

    Raises:
        EngineError: some of them could not be ended; all others are.
    """
    ends = [partial(end, folder) for folder in sorted(servers.glob("*")) for end in (stop_server, remove)]
    if failures := [*filter(None, map(_failure, ends))]:
        raise EngineError("\n".join(failures))


def _failure(end: Callable[[], None]) -> str:
    """Why ``end`` failed; empty where it did not."""
    try:
        end()
    except EngineError as error:
        return str(error)
    return ""
