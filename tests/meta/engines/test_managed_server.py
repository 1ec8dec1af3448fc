"""A server of any engine is started once, shared, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from papergate.engines.managed.engine import ManagedEngine
from papergate.engines.managed.guard import started_at
from papergate.engines.managed.server import ManagedServer, stop_server
from papergate.engines.managed.sglang import SGLANG
from papergate.engines.managed.vllm import VLLM
from papergate.engines.records import Request
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.promises.records import Sampling
from tests.meta.processes import started, wait_until

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=64)
REQUEST = Request(problem="p", sample=0, prompt="2+2?", sampling=SAMPLING, seed=0)
FAKE = Path(__file__).parents[2] / "servers" / "fake_server.py"


@pytest.fixture
def doubles(tmp_path, monkeypatch):
    """An interpreter in which every server is the double."""
    script = tmp_path / "python"
    script.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = -m ]; then shift 2; exec "{sys.executable}" "{FAKE}" "$@"; fi\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv(VLLM.variable, str(script))
    monkeypatch.setenv(SGLANG.variable, str(script))


def group(pid):
    """The processes of a group that still run."""
    rows = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    fields = (row.split() for row in rows.splitlines())
    return [int(own) for own, head, state in fields if int(head) == pid and not state.startswith("Z")]


def gone(pid):
    wait_until(lambda: not group(pid), f"the end of process group {pid}")
    return True


@pytest.mark.usefixtures("doubles")
class TestLifeCycle:
    @pytest.mark.parametrize("software", [VLLM, SGLANG], ids=lambda software: software.name)
    def test_a_server_starts_tells_who_it_is_and_ends_with_all_its_processes(self, tmp_path, software):
        server = ManagedServer.start(software, "tiny", tmp_path / "server", flags=("--dtype", "float32"))
        identity = server.identity()
        assert (identity.engine, identity.model, identity.version) == (software.name, "tiny", "0.0.fake")
        assert "--dtype float32" in identity.environment["command"]
        assert "python" in identity.environment
        assert len(group(server.running.pid)) == 3
        server.close()
        server.close()
        assert not group(server.running.pid)

    def test_names_and_ports_in_the_flags_of_a_document_are_understood(self, tmp_path):
        flags = ("--port", "1", "--served-model-name=tidy", "--revision", "beef")
        server = ManagedServer.start(VLLM, "tiny", tmp_path / "server", flags=flags)
        assert (server.model, server.identity().revision) == ("tidy", "beef")
        server.close()

    def test_processes_that_name_the_same_folder_share_one_server(self, tmp_path):
        started = []
        threads = [
            threading.Thread(target=lambda: started.append(ManagedServer.start(VLLM, "tiny", tmp_path / "server")))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({server.running.pid for server in started}) == 1
        started[0].close()

    def test_other_flags_in_the_same_folder_are_refused(self, tmp_path):
        server = ManagedServer.start(VLLM, "tiny", tmp_path / "server")
        with pytest.raises(EngineRefused, match=r"runs another server: .*tiny.*use another folder"):
            ManagedServer.start(VLLM, "tiny", tmp_path / "server", flags=("--dtype", "half"))
        server.close()

    def test_a_server_that_another_process_owns_is_left_running(self, tmp_path):
        server = ManagedServer.start(VLLM, "tiny", tmp_path / "server", owner=os.getppid())
        server.close()
        assert group(server.running.pid)
        stop_server(tmp_path / "server")
        assert not group(server.running.pid)

    def test_a_server_that_is_not_well_is_an_error_and_not_restarted(self, tmp_path):
        server = ManagedServer.start(VLLM, "ill", tmp_path / "server")
        with pytest.raises(EngineError, match="is not well; its last words:\nloading ill"):
            ManagedServer.start(VLLM, "ill", tmp_path / "server")
        server.close()
        assert not group(server.running.pid)

    def test_a_server_whose_guard_was_killed_is_ended_all_the_same(self, tmp_path):
        server = ManagedServer.start(VLLM, "tiny", tmp_path / "server")
        os.kill(server.running.pid, signal.SIGKILL)
        wait_until(lambda: len(group(server.running.pid)) == 2, "the end of the guard")
        server.close()
        assert not group(server.running.pid)

    def test_the_death_of_its_owner_ends_a_server(self, tmp_path):
        code = (
            "import sys; from pathlib import Path; from papergate.engines.managed.server import ManagedServer\n"
            "from papergate.engines.managed.vllm import VLLM\n"
            "print(ManagedServer.start(VLLM, 'tiny', Path(sys.argv[1])).running.pid, flush=True); sys.stdin.read()"
        )
        arguments = [sys.executable, "-c", code, str(tmp_path / "server")]
        with started(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
            pid = int(owner.stdout.readline())
            assert group(pid)
            owner.kill()
        assert gone(pid)

    def test_a_server_that_ends_during_a_run_is_an_error_with_its_last_words(self, tmp_path):
        server = ManagedServer.start(VLLM, "tiny", tmp_path / "server")
        engine = ManagedEngine(server)
        stop_server(tmp_path / "server")
        with pytest.raises(EngineRefused, match="ended during the run; its last words:\nloading tiny"):
            asyncio.run(engine.complete(REQUEST))

    def test_a_failed_start_shows_the_servers_words_and_the_remedy(self, tmp_path):
        with pytest.raises(EngineRefused, match=r"free the device.*last words:\n(.*\n)*.*Tried to allocate 20\.00 GiB"):
            ManagedServer.start(VLLM, "too-big", tmp_path / "server")

    def test_the_first_error_is_shown_as_the_cause_and_a_setting_in_the_log_is_none(self, tmp_path):
        with pytest.raises(EngineRefused, match=r"words:\nAssertionError: no room for 2 ranks\n\.\.\n") as refused:
            ManagedServer.start(VLLM, "unbound", tmp_path / "server")
        assert "RuntimeError: Engine core initialization failed" in str(refused.value)
        assert "--max-model-len" not in str(refused.value)

    def test_a_start_that_takes_too_long_is_given_up_and_leaves_nothing(self, tmp_path):
        with pytest.raises(EngineTimeout, match="not ready in time; its last words:\nloading slow"):
            ManagedServer.start(VLLM, "slow", tmp_path / "server", ready_within_s=1.5)
        assert not (tmp_path / "server" / "server.json").exists()
        rows = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
        assert str(tmp_path / "server" / "server.log") not in rows


@pytest.mark.parametrize("software", [VLLM, SGLANG], ids=lambda software: software.name)
def test_a_server_that_is_not_installed_is_refused_with_the_remedy(tmp_path, monkeypatch, software):
    monkeypatch.setenv(software.variable, sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / f"{software.name}.py").write_text("raise ModuleNotFoundError(\"No module named 'this'\")")
    with pytest.raises(EngineRefused, match=rf"interpreter in {software.variable}(.*\n)*.*No module named"):
        ManagedServer.start(software, "tiny", tmp_path / "server")


def test_a_process_that_ended_is_told_from_one_that_runs():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert started_at(process.pid) is None
    assert started_at(os.getpid()) is not None
