"""A session that is interrupted leaves JUnit with an error for each promise without verdict, the page, and a way on."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from papergate.exit_codes import ExitCode
from papergate.run_folder.files import COMPLETIONS_FILE, PAGE_FILE
from tests.meta.processes import LIMIT_S, started, wait_until
from tests.servers.faulty_server import MODEL, FaultyServer

ROOT = Path(__file__).parents[3]
PROMISE = "cpu_vllm-vllm-papergate-tiny-tiny-aime"


def command(folder, server):
    where = ["--endpoint", server.url, "--model", MODEL, "--no-preflight", "--concurrency=2", "--samples=64"]
    session = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/accuracy", "-m", "cpu_vllm", *where]
    return [*session, f"--run={folder / 'run'}", f"--junitxml={folder / 'junit.xml'}"]


def asking(folder):
    """Wait until the session asks."""
    store = folder / "run" / PROMISE / COMPLETIONS_FILE
    wait_until(lambda: store.exists() and store.stat().st_size, "the first stored completion")


def assert_reports_are_left(folder):
    suite = ET.parse(folder / "junit.xml").getroot().find("testsuite")
    errors = [case.find("error") for case in suite.iter("testcase")]
    assert len(errors) == 2
    assert all(f"--run={folder / 'run'}" in error.text for error in errors)
    found = {item.get("name"): item.get("value") for item in suite.find("properties")}
    assert (found["exit_code"], found["outcome"]) == ("2", "interrupted")
    assert PROMISE in (folder / "run" / PAGE_FILE).read_text()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_reports_and_the_command_that_goes_on(tmp_path, how):
    with (
        FaultyServer(delay_s=0.2) as server,
        started(command(tmp_path, server), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
    ):
        asking(tmp_path)
        process.send_signal(how)
        text, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == ExitCode.INTERRUPTED, text
    assert f"resume: --run={tmp_path / 'run'}\njudge again, offline: papergate runs judge {tmp_path / 'run'}\n" in text
    assert_reports_are_left(tmp_path)


def test_ctrl_c_again_and_again_cuts_no_report_off(tmp_path):
    with (
        FaultyServer(delay_s=0.2) as server,
        started(command(tmp_path, server), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
    ):
        asking(tmp_path)
        for _ in range(5):
            process.send_signal(signal.SIGINT)
            time.sleep(0.15)
        text, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == ExitCode.INTERRUPTED, text
    assert "Traceback" not in text
    assert_reports_are_left(tmp_path)


def test_a_terminal_that_is_closed_leaves_the_reports(tmp_path):
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}

    def take_the_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with (
        FaultyServer(delay_s=0.2) as server,
        started(command(tmp_path, server), cwd=ROOT, preexec_fn=take_the_terminal, **streams) as process,
    ):
        os.close(theirs)
        os.set_blocking(ours, False)
        asking(tmp_path)
        os.close(ours)
        assert process.wait(LIMIT_S) == ExitCode.INTERRUPTED
    assert_reports_are_left(tmp_path)


def test_nohup_is_respected(tmp_path):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with (
        FaultyServer(delay_s=0.2) as server,
        started(command(tmp_path, server), cwd=ROOT, preexec_fn=ignore, **streams) as process,
    ):
        asking(tmp_path)
        process.send_signal(signal.SIGHUP)
        store = tmp_path / "run" / PROMISE / COMPLETIONS_FILE
        size = store.stat().st_size
        wait_until(lambda: store.stat().st_size > size or process.poll() is not None, "one more completion")
        assert process.poll() is None


def test_a_ctrl_c_after_the_last_verdict_takes_nothing_from_the_reports(tmp_path):
    with (
        FaultyServer() as server,
        started(
            [*command(tmp_path, server), "--limit=2", "--samples=1"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        page = tmp_path / "run" / PAGE_FILE
        wait_until(lambda: page.exists() or process.poll() is not None, "the page, the first report")
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == ExitCode.UNDECIDED, text
    assert "papergate verdicts" in text
    assert "Traceback" not in text
