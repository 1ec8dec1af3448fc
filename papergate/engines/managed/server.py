"""A server of our own: started once, shared by every process of a run, ended with the run."""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Self

from filelock import FileLock
from pydantic import Field

from papergate.endpoints.address import Access
from papergate.endpoints.pages import Page, pages_of
from papergate.engines import hardware
from papergate.engines.managed import environment, guard
from papergate.engines.records import EngineIdentity
from papergate.engines.started import make, recorded
from papergate.engines.weights import digest_of_template, digest_of_weights
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.extras import install
from papergate.files import PRIVATE_FILE, write_whole
from papergate.printable import one_line
from papergate.run_folder.notes import note
from papergate.words import worded

READY_WITHIN_S = 3600.0
"""Hundreds of gigabytes of weights from a slow disk, and graph capture after them."""
LOOK_EVERY_S = 0.5
HEALTH_TIMEOUT_S = 10.0
RUN_TIMEOUT_S = 300.0
"""Importing torch for the first time from a network disk is slow."""
LOG_LINES = 40
"""Shown when a start fails: the last traceback and the line that caused it."""
HEALTH_ROUTE = "/health"
ERROR = re.compile(r"(?:[\w.]{0,80}(?:Error|Exception)|\berror): .+|No module named .+")
"""How a line of a log names an error: an exception, or what argparse and Python say before there is any."""
ADDRESS_WORDS = 4
"""Host and port at the end of a command: another port is no other server."""
SERVER_FILE = "server.json"
LOG_FILE = "server.log"
LOCK_FILE = "server.lock"

REMEDIES = {
    "address already in use": "another server took the port meanwhile; start again",
    "unrecognized arguments": "correct the flags of the deployment",
}
"""What to do about the commonest words in the log of any server, without regard to case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Software:
    """What is to be known of a server program: a module of Python that answers ``/health`` when it is ready.

    It takes ``--served-model-name``, ``--chat-template``, ``--revision``, ``--host`` and ``--port``; the last of two
    counts.
    """

    name: str
    """Of its package, of papergate's extra that installs it, and of its engine in target files."""
    title: str
    command: tuple[str, ...]
    """What follows the interpreter."""
    model_option: str
    version_route: str
    """Answers a JSON object with ``version``."""
    packages: tuple[str, ...]
    """Distributions whose versions are recorded, as far as they are installed."""
    sizes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Options for the sizes of a deployment, by field. All spellings are known; papergate uses the first."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of its environment."""
    remedies: Mapping[str, str] = field(default_factory=dict)
    """What to do about the commonest words in its log, without regard to case."""

    @property
    def variable(self) -> str:
        """The environment variable that names an interpreter that has it."""
        return f"PAPERGATE_{self.name.upper()}_PYTHON"

    @property
    def install(self) -> str:
        """How to get it."""
        return f"{install(self.name)}, or name its interpreter in {self.variable}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """What a process must know of a server that another process started."""

    pid: Annotated[int, Field(gt=1, lt=1 << 31)]
    """Of the guard, which heads the server's process group: 0, 1 and what is below mean other groups to a signal."""
    born: str
    """Tells the guard from a later process with the same number."""
    port: int
    command: tuple[str, ...]
    environment: dict[str, str]
    start_s: float
    """From the start to the first healthy answer."""


class ManagedServer:
    """One server for all processes that name the same folder; it lives no longer than its owner.

    ``model`` is the name that it serves the model under.
    """

    def __init__(self, software: Software, folder: Path, model: str, running: Running, owner: int) -> None:
        self.software = software
        self.model = _option(running.command, "--served-model-name") or model
        self._weights = Path(model)
        self.running = running
        self._folder = folder
        self._owner = owner

    @classmethod
    def start(
        cls,
        software: Software,
        model: str,
        folder: Path,
        *,
        flags: Sequence[str] = (),
        python: str = "",
        owner: int | None = None,
        ready_within_s: float = READY_WITHIN_S,
    ) -> Self:
        """Start a server for ``model`` with ``flags``, or join the one that runs in ``folder`` with the same flags.

        ``owner`` is the process whose end ends the server, this one by default; the workers of a parallel run name the
        process that controls them. ``python`` is the interpreter that has ``software``, by default what its variable
        names, else this one.

        Raises:
            EngineRefused: the server ended before it was ready, or another one runs in ``folder``; with its last words.
            EngineTimeout: it was not ready in time.
        """
        make(folder)
        owner = owner or os.getpid()
        server = (interpreter(software, python), *software.command, software.model_option, model, *flags)
        with FileLock(folder / LOCK_FILE, mode=PRIVATE_FILE):
            running = _read(folder)
            if running is None:
                running = _launch(software, server, folder, owner, ready_within_s)
                write_whole(folder / SERVER_FILE, json.dumps(asdict(running)).encode())
            elif running.command != _listening(server, running.port):
                raise worded(
                    EngineRefused,
                    note("server_of_another_run", folder=f"{folder}", command=shlex.join(running.command)),
                )
        return cls(software, folder, model, running, owner)

    @property
    def url(self) -> str:
        """Where the server listens."""
        return _url(self.running.port)

    def identity(self) -> EngineIdentity:
        """Version, weights, chat template, and everything the server runs on."""
        template = _option(self.running.command, "--chat-template")
        return EngineIdentity(
            engine=self.software.name,
            version=one_line(str(_page(self.url, self.software.version_route).fields.get("version") or "")),
            model=self.model,
            revision=_option(self.running.command, "--revision") or digest_of_weights(self._weights),
            template=digest_of_template(self._weights, Path(template) if template else None),
            environment=self.running.environment | {"command": shlex.join(self.running.command[:-ADDRESS_WORDS])},
        )

    def is_running(self) -> bool:
        """Whether the server's process still runs, well or not."""
        return guard.started_at(self.running.pid) == self.running.born

    def log_tail(self) -> str:
        """The server's last words."""
        return _tail(self._folder)

    def close(self) -> None:
        """End the server if this process owns it; may be called twice."""
        if self._owner == os.getpid():
            stop_server(self._folder)


def stop_server(folder: Path) -> None:
    """End the server that any process started in ``folder``, and everything that it started; may be called twice."""
    running = _recorded(folder)
    if running is not None:
        _end_group(running.pid, running.born)
    (folder / SERVER_FILE).unlink(missing_ok=True)


def _end_group(pid: int, born: str) -> None:
    """End a guard and its group, and return when all of it is gone; kill what takes too long."""
    if guard.started_at(pid) not in (born, None):  # the number was given away: the group ended long ago
        return
    _signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + 2 * guard.GRACE_S
    while guard.group_runs(pid):
        if time.monotonic() > deadline:
            _signal_group(pid, signal.SIGKILL)
        time.sleep(guard.LOOK_EVERY_S / 10)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def _read(folder: Path) -> Running | None:
    """The server of ``folder``, or None where none runs.

    Raises:
        EngineError: it runs and is not well; a server is never restarted behind anybody's back.
    """
    running = _recorded(folder)
    if running is None or guard.started_at(running.pid) != running.born:
        return None
    if not _is_healthy(running.port):
        raise worded(EngineError, note("server_unwell", folder=str(folder), log=_tail(folder)))
    return running


def _recorded(folder: Path) -> Running | None:
    """The server that was last started in ``folder`` and not ended since, whether it runs or not."""
    return recorded(folder / SERVER_FILE, Running, remedy="end the server that it was about")


def _launch(software: Software, server: Sequence[str], folder: Path, owner: int, ready_within_s: float) -> Running:
    began = time.monotonic()
    port = _free_port()
    command = _listening(server, port)
    log = folder / LOG_FILE
    pid = int(_run(software, sys.executable, guard.__file__, str(owner), str(log), *command))
    born = guard.started_at(pid) or ""
    try:
        _await_health(software, pid, port, folder, began + ready_within_s)
    except BaseException:
        _end_group(pid, born)
        raise
    return Running(
        pid=pid,
        born=born,
        port=port,
        command=command,
        environment=hardware.environment()
        | json.loads(_run(software, command[0], environment.__file__, *software.packages)),
        start_s=time.monotonic() - began,
    )


def _listening(server: Sequence[str], port: int) -> tuple[str, ...]:
    # address and port come last because the last one counts, and flags taken from a document may name others
    return (*server, "--host", "127.0.0.1", "--port", str(port))


def _option(command: Sequence[str], name: str) -> str | None:
    """The value of an option, written ``--name value`` or ``--name=value``."""
    for part, following in zip(command, (*command[1:], ""), strict=True):
        if part == name:
            return following
        if part.startswith(f"{name}="):
            return part.removeprefix(f"{name}=")
    return None


def interpreter(software: Software, named: str = "") -> str:
    """The interpreter that runs ``software``: the one that is named, else that of its variable, else this one."""
    return named or os.environ.get(software.variable) or sys.executable


def _await_health(software: Software, pid: int, port: int, folder: Path, deadline: float) -> None:
    while not _is_healthy(port):
        if guard.started_at(pid) is None:
            said = {"server": software.title, "remedy": _remedy(software, folder), "log": _tail(folder)}
            raise worded(EngineRefused, note("server_ended_early", **said))
        if time.monotonic() > deadline:
            raise worded(EngineTimeout, note("server_not_ready", server=software.title, log=_tail(folder)))
        time.sleep(LOOK_EVERY_S)


def _is_healthy(port: int) -> bool:
    try:
        return _page(_url(port), HEALTH_ROUTE).is_ok
    except EngineError:
        return False


def _page(url: str, path: str) -> Page:
    with pages_of(url, Access(key=None), page_s=HEALTH_TIMEOUT_S) as pages:
        return pages.get(path)


def _remedy(software: Software, folder: Path) -> str:
    """What to do about what went wrong; settings that a server lists at its start are no errors."""
    words = "\n".join(_errors(_log(folder))).lower()
    remedies = {**software.remedies, "No module named": f"install what is missing: {software.install}", **REMEDIES}
    return next((remedy for clue, remedy in remedies.items() if clue.lower() in words), "")


def _tail(folder: Path) -> str:
    """The last lines of the log, and before them its first error, which is the cause of those that follow."""
    lines = _log(folder)
    first = [f"{error}\n.." for error in _errors(lines)[:1]]
    return "\n".join([*first, *lines[-LOG_LINES:], f"({folder / LOG_FILE} has all of it)"])


def _errors(lines: Sequence[str]) -> list[str]:
    return [found[0] for found in map(ERROR.search, lines) if found]


def _log(folder: Path) -> list[str]:
    return (folder / LOG_FILE).read_text(encoding="utf-8", errors="replace").splitlines()


def _run(software: Software, *command: str) -> str:
    """What a short command prints."""
    settings = os.environ | software.settings
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=RUN_TIMEOUT_S, check=True, env=settings)  # noqa: S603 - our own scripts
    return answer.stdout


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
