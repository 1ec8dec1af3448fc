"""A server is started once, shared, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from papergate.completions.policy import seed_of
from papergate.engines.managed.guard import started_at
from papergate.engines.managed.vllm import VllmEngine, VllmServer, stop_server
from papergate.engines.records import Request
from papergate.engines.weights import digest_of_template, digest_of_weights
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.promises.records import Sampling
from tests.meta.processes import started, wait_until
from tests.servers.real_servers import texts_of

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=64)
REQUEST = Request(problem="p", sample=0, prompt="2+2?", sampling=SAMPLING, seed=0)
FAKE = Path(__file__).parents[2] / "servers" / "fake_vllm.py"


@pytest.fixture
def fake_vllm(tmp_path, monkeypatch):
    """An interpreter whose vLLM is the double."""
    script = tmp_path / "python"
    script.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = -m ]; then shift 2; exec "{sys.executable}" "{FAKE}" "$@"; fi\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PAPERGATE_VLLM_PYTHON", str(script))


def group(pid):
    """The processes of a group that still run."""
    rows = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    fields = (row.split() for row in rows.splitlines())
    return [int(own) for own, head, state in fields if int(head) == pid and not state.startswith("Z")]


def gone(pid):
    wait_until(lambda: not group(pid), f"the end of process group {pid}")
    return True


@pytest.mark.usefixtures("fake_vllm")
class TestLifeCycle:
    def test_a_server_starts_tells_who_it_is_and_ends_with_all_its_processes(self, tmp_path):
        server = VllmServer.start("tiny", tmp_path / "server", flags=("--dtype", "float32"))
        identity = server.identity()
        assert (identity.engine, identity.model, identity.version) == ("vllm", "tiny", "0.0.fake")
        assert "--dtype float32" in identity.environment["command"]
        assert "python" in identity.environment
        assert len(group(server.running.pid)) == 3
        server.close()
        server.close()
        assert not group(server.running.pid)

    def test_names_and_ports_in_the_flags_of_a_document_are_understood(self, tmp_path):
        flags = ("--port", "1", "--served-model-name=tidy", "--revision", "beef")
        server = VllmServer.start("tiny", tmp_path / "server", flags=flags)
        assert (server.model, server.identity().revision) == ("tidy", "beef")
        server.close()

    def test_processes_that_name_the_same_folder_share_one_server(self, tmp_path):
        started = []
        threads = [
            threading.Thread(target=lambda: started.append(VllmServer.start("tiny", tmp_path / "server")))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({server.running.pid for server in started}) == 1
        started[0].close()

    def test_other_flags_in_the_same_folder_are_refused(self, tmp_path):
        server = VllmServer.start("tiny", tmp_path / "server")
        with pytest.raises(EngineRefused, match=r"runs another server: .*tiny.*use another folder"):
            VllmServer.start("tiny", tmp_path / "server", flags=("--dtype", "half"))
        server.close()

    def test_a_server_that_another_process_owns_is_left_running(self, tmp_path):
        server = VllmServer.start("tiny", tmp_path / "server", owner=os.getppid())
        server.close()
        assert group(server.running.pid)
        stop_server(tmp_path / "server")
        assert not group(server.running.pid)

    def test_a_server_that_is_not_well_is_an_error_and_not_restarted(self, tmp_path):
        server = VllmServer.start("ill", tmp_path / "server")
        with pytest.raises(EngineError, match="is not well; its last words:\nloading ill"):
            VllmServer.start("ill", tmp_path / "server")
        server.close()
        assert not group(server.running.pid)

    def test_a_server_whose_guard_was_killed_is_ended_all_the_same(self, tmp_path):
        server = VllmServer.start("tiny", tmp_path / "server")
        os.kill(server.running.pid, signal.SIGKILL)
        assert len(group(server.running.pid)) == 2
        server.close()
        assert not group(server.running.pid)

    def test_the_death_of_its_owner_ends_a_server(self, tmp_path):
        code = (
            "import sys; from pathlib import Path; from papergate.engines.managed.vllm import VllmServer\n"
            "print(VllmServer.start('tiny', Path(sys.argv[1])).running.pid, flush=True); sys.stdin.read()"
        )
        arguments = [sys.executable, "-c", code, str(tmp_path / "server")]
        with started(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
            pid = int(owner.stdout.readline())
            assert group(pid)
            owner.kill()
        assert gone(pid)

    def test_a_server_that_ends_during_a_run_is_an_error_with_its_last_words(self, tmp_path):
        server = VllmServer.start("tiny", tmp_path / "server")
        engine = VllmEngine(server)
        stop_server(tmp_path / "server")
        with pytest.raises(EngineRefused, match="ended during the run; its last words:\nloading tiny"):
            asyncio.run(engine.complete(REQUEST))

    def test_a_failed_start_shows_the_servers_words_and_the_remedy(self, tmp_path):
        with pytest.raises(EngineRefused, match=r"free the device.*last words:\n(.*\n)*.*Tried to allocate 20\.00 GiB"):
            VllmServer.start("too-big", tmp_path / "server")

    def test_a_start_that_takes_too_long_is_given_up_and_leaves_nothing(self, tmp_path):
        with pytest.raises(EngineTimeout, match="not ready in time; its last words:\nloading slow"):
            VllmServer.start("slow", tmp_path / "server", ready_within_s=1.5)
        assert not (tmp_path / "server" / "server.json").exists()
        rows = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
        assert str(tmp_path / "server" / "server.log") not in rows


def test_no_vllm_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERGATE_VLLM_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "vllm.py").write_text("raise ModuleNotFoundError(\"No module named 'vllm'\")")
    with pytest.raises(EngineRefused, match=r"set PAPERGATE_VLLM_PYTHON(.*\n)*.*No module named"):
        VllmServer.start("tiny", tmp_path / "server")


def test_a_process_that_ended_is_told_from_one_that_runs():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert started_at(process.pid) is None
    assert started_at(os.getpid()) is not None


# -- weights -----------------------------------------------------------------------------------------------------------


def test_the_digest_of_weights_changes_with_any_file_and_is_empty_without_a_folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(bytes(10_000_000))
    before = digest_of_weights(tmp_path)
    assert before == digest_of_weights(tmp_path)
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.seek(9_999_999)
        file.write(b"x")
    assert digest_of_weights(tmp_path) != before
    assert digest_of_weights(tmp_path / "nowhere") == ""


def test_the_digest_of_a_template_is_that_of_the_one_in_force(tmp_path):
    assert digest_of_template(tmp_path) == ""
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "a"}')
    old = digest_of_template(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("b")
    new = digest_of_template(tmp_path)
    (tmp_path / "given.jinja").write_text("c")
    assert len({old, new, digest_of_template(tmp_path, tmp_path / "given.jinja")}) == 3


# -- the real one ------------------------------------------------------------------------------------------------------

MODEL = os.environ.get("PAPERGATE_TEST_VLLM_MODEL", "")
FLAGS = ("--served-model-name=tiny", "--dtype=float32", "--max-model-len=512", "--max-num-seqs=32", "--enforce-eager")
SUMS = [f"What is {first} + {second}?" for first in range(12, 96, 7) for second in range(3, 90, 5)]


def sums(sampling, count):
    return [
        Request(problem=f"p{n}", sample=0, prompt=prompt, sampling=sampling, seed=seed_of(0, f"p{n}", 0))
        for n, prompt in enumerate(SUMS[:count])
    ]


@pytest.fixture(scope="module")
def real_vllm(tmp_path_factory):
    if not MODEL:
        pytest.skip("PAPERGATE_TEST_VLLM_MODEL names no model: `make test-vllm` does")
    server = VllmServer.start(MODEL, tmp_path_factory.mktemp("vllm"), flags=FLAGS, ready_within_s=600)
    engine = VllmEngine(server, concurrency=32)
    yield engine
    engine.close()
    assert not group(server.running.pid)


def test_a_real_vllm_tells_who_it_is_and_refuses_what_does_not_fit(real_vllm):
    identity = real_vllm.identity()
    assert (identity.model, len(identity.revision), len(identity.template)) == ("tiny", 64, 64)
    assert "torch" in identity.environment
    real_vllm.check(SAMPLING, SUMS)
    with pytest.raises(EngineRefused, match="has room for 512 tokens"):
        real_vllm.check(SAMPLING.model_copy(update={"max_tokens": 4096}), SUMS)


def test_a_real_vllm_draws_the_same_samples_for_the_same_seeds(real_vllm, tmp_path):
    texts = [texts_of(tmp_path / name, real_vllm, sums(SAMPLING, 32)) for name in ("one", "other")]
    assert texts[0] == texts[1]
    assert len(set(texts[0].values())) > 16


def test_a_real_vllm_and_transformers_give_the_same_greedy_answers(real_vllm, tmp_path):
    huggingface = pytest.importorskip("papergate.engines.in_process.huggingface").load(MODEL, dtype="float32")
    greedy = sums(SAMPLING.model_copy(update={"temperature": Decimal(0)}), 200)
    try:
        here = texts_of(tmp_path / "here", huggingface, greedy)
    finally:
        huggingface.close()
    there = texts_of(tmp_path / "there", real_vllm, greedy)
    different = {key: (here[key], there[key]) for key in here if here[key] != there[key]}
    assert len(here) == len(there) == 200
    assert not different
