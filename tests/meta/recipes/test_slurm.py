"""The recipes for Slurm, run for real on a Slurm of one node that this test starts: it needs its daemons, and root.

Debian: ``apt-get install --no-install-recommends slurm-wlm munge``. ``make test-slurm`` runs it.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from papergate.run_folder.files import COMPLETIONS_FILE
from papergate.run_folder.verdict import read_verdict
from tests.meta.processes import started, wait_until
from tests.meta.stored import read_store

RECIPES = Path(__file__).parents[3] / "docs" / "recipes"
PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"
TOOLS = ("slurmctld", "slurmd", "munged", "sbatch", "scontrol", "squeue")
HERE = all(shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin") for tool in TOOLS) and os.geteuid() == 0
pytestmark = pytest.mark.skipif(not HERE, reason="needs Slurm, munge and root")
# cred_expire is also how long a requeued job waits: 120 s else
CONFIGURATION = """
ClusterName=papergate
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=30
SlurmUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000
PartitionName=all Nodes={host} Default=YES State=UP
"""


class Cluster:
    """A Slurm of one node, and a folder for a gate."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin",
            "OMP_NUM_THREADS": "1",
        }

    def call(self, *command):
        done = subprocess.run(
            [*map(str, command)], env=self.environment, cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def submit(self, *arguments):
        return self.call("sbatch", "--parsable", *arguments)

    def wait(self):
        wait_until(lambda: not self.call("squeue", "--noheader"), "the end of all jobs", pause_s=1.0)

    def log(self, pattern):
        return "\n".join(path.read_text() for path in sorted(self.folder.glob(pattern)))


@pytest.fixture
def cluster(tmp_path):
    folder = tmp_path / "slurm"
    for name in ("", "state", "spool", "key"):
        (folder / name).mkdir(mode=0o700)
    key = folder / "key" / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    (folder / "slurm.conf").write_text(CONFIGURATION.format(host=host, folder=folder, ports=free_ports()))
    made = Cluster(folder)
    munged = ["munged", "--foreground", "--force", f"--key-file={key}"]
    munged += [f"--{name}-file={folder}/munge.{name}" for name in ("pid", "seed", "log")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": made.environment}
    with ExitStack() as stack:
        for command in ([*munged, f"--socket={folder}/munge.socket"], ["slurmctld", "-D", "-i"], ["slurmd", "-D"]):
            stack.enter_context(started(command, **quiet))
            if command[0] == "munged":
                wait_until((folder / "munge.socket").exists, "the socket of munge")
        wait_until(lambda: "idle" in idle(made), "an idle node")
        yield made


def idle(cluster):
    done = subprocess.run(
        ["sinfo", "--noheader", "--format=%T"], env=cluster.environment, capture_output=True, text=True, check=False
    )
    return done.stdout


def free_ports():
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in (one, other)]


def test_an_array_asks_a_requeued_task_resumes_and_the_merge_judges(cluster):
    gate = cluster.folder / "gate"
    gate.mkdir()
    options = [RECIPES / "slurm-gate.sbatch", "cpu", gate, 2, "--samples", "16", "-k", "tiny-aime", "-v", "-s"]
    job = cluster.submit("--array=0-1", *options)
    cluster.submit(f"--dependency=afterok:{job}", RECIPES / "slurm-merge.sbatch", gate)
    store = gate / "shard-1" / PROMISE / COMPLETIONS_FILE
    wait_until(lambda: store.exists() and store.read_bytes().count(b"\n") > 20, "twenty completions of the second task")
    cluster.call("scontrol", "requeue", f"{job}_1")
    kept = store.read_bytes().count(b"\n")
    cluster.wait()
    said = re.findall(r"(\d+) stored before", cluster.log("papergate-*-1.log"))
    assert said[0] == "0"
    assert int(said[-1]) >= kept - 1
    record = read_verdict(gate / "whole" / PROMISE)
    assert record, cluster.log("papergate-merge-*.log")
    assert record.counts.samples == (16,) * 30
    assert len(read_store(gate / "whole" / PROMISE)[1]) == 16 * 30


def test_coordinated_tasks_end_at_the_same_look(cluster):
    gate = cluster.folder / "gate"
    gate.mkdir()
    more = ["--max-samples", "3", "-k", "tiny-aime"]
    job = cluster.submit("--array=0-1", RECIPES / "slurm-gate.sbatch", "cpu", gate, 2, "--coordinate", gate, *more)
    cluster.submit(f"--dependency=after:{job}", RECIPES / "slurm-coordinate.sbatch", "cpu", gate, 2, *more)
    cluster.wait()
    record = read_verdict(gate / "whole" / PROMISE)
    assert record, cluster.log("*.log")
    assert max(record.counts.samples) in {2, 3}
