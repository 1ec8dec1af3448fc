"""A real Ray cluster of several nodes on one machine, each with an address of its own, and what runs on it.

Everything that a cluster starts, workers of workers too, carries a mark in its environment: so it is found and ended by
its pid. ``ray stop`` would end the clusters of others as well.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import requests

from papergate.engines.managed.guard import started_at

MARK = "PAPERGATE_TEST_CLUSTER"
CPUS = 4
"""Of each node: two of a replica and one of its actor leave one for the ingress, and none for a second replica."""
QUIET = {
    "TORCH_COMPILE_DISABLE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "NO_PROXY": "127.0.0.1,localhost",
}
READY_WITHIN_S = 900.0


@dataclass(kw_only=True)
class RayCluster:
    """A head and one more node."""

    ray: Path
    """Ray's command."""
    dashboard: str
    http_port: int
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    _met: dict = field(default_factory=dict)
    """When each process started that was seen: a title may overwrite its mark, and an orphan has no marked parent."""

    def processes(self):
        """Pid and command line of all of this cluster that runs."""
        commands = dict(_commands())
        marked = {pid for pid in commands if self.mark in _environment(pid)}
        self._met |= {pid: started_at(pid) for pid in commands if marked & {pid, *ancestors(pid)}}
        run = (pid for pid, born in self._met.items() if born and started_at(pid) == born)
        return {pid: commands[pid] for pid in run if pid in commands}

    def raylet(self, address):
        """The pid of a node's raylet."""
        return self._one("raylet", f"--node_ip_address={address}")

    def engine_of(self, replica):
        """The pid of the engine core of the replica whose pid is given."""
        cores = [pid for pid, command in self.processes().items() if "EngineCore" in command]
        (core,) = (pid for pid in cores if replica in ancestors(pid))
        return core

    def _one(self, *words):
        (pid,) = (pid for pid, command in self.processes().items() if all(word in command for word in words))
        return pid

    def details(self):
        """What the dashboard tells of Serve."""
        return requests.get(f"{self.dashboard}/api/serve/applications/", timeout=300).json()

    def end(self):
        """End every process of this cluster, by its pid."""
        while left := self.processes():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)


@contextlib.contextmanager
def two_nodes(python):
    """A cluster of two nodes, 127.0.0.2 and 127.0.0.3, and an HTTP port of its own; all of it ends with the block.

    ``python`` is the interpreter of an environment that has Ray.
    """
    dashboard, gcs, http = _free_ports(3)
    cluster = RayCluster(ray=Path(python).parent / "ray", dashboard=f"http://127.0.0.1:{dashboard}", http_port=http)
    environment = os.environ | QUIET | {MARK: cluster.mark, "PATH": f"{cluster.ray.parent}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as short:  # names of sockets have 107 letters at most
        head = ("--head", "--node-ip-address=127.0.0.2", f"--port={gcs}", f"--temp-dir={short}")
        shown = ("--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}")
        try:
            _start(cluster, environment, *head, *shown)
            _start(cluster, environment, f"--address=127.0.0.2:{gcs}", "--node-ip-address=127.0.0.3")
            options = {"http_options": {"host": "127.0.0.1", "port": http}, "applications": []}
            requests.put(f"{cluster.dashboard}/api/serve/applications/", json=options, timeout=300).raise_for_status()
            cluster.processes()
            yield cluster
        finally:
            cluster.end()


def ancestors(pid):
    """The pids above a process."""
    found = []
    while pid > 1:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            break
        pid = int(fields[1])
        found.append(pid)
    return found


def _start(cluster, environment, *options):
    command = [cluster.ray, "start", *options, f"--num-cpus={CPUS}", "--object-store-memory=104857600"]
    subprocess.run([*command, "--disable-usage-stats"], env=environment, check=True, stdout=subprocess.DEVNULL)


def _free_ports(count):
    with contextlib.ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]


def _commands():
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if command := (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                    yield int(entry.name), command


def _environment(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    return ""
