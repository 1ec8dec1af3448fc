"""A server on this machine for the small workloads, in a process of its own."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from papergate.embedded import MODEL_DIR

ROOT = Path(__file__).parents[2]
EMBEDDED = ("tests.servers.embedded_server", "papergate-tiny")
TIMED = ("tests.servers.timed_server", "plain")
"""Module and model name: real weights where torch is installed, else a clock alone."""


@pytest.fixture(scope="session")
def local_server():
    """Address and model name of the server."""
    embedded = (MODEL_DIR / "config.json").is_file() and find_spec("torch") and find_spec("transformers")
    module, model = EMBEDDED if embedded else TIMED
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        address = process.stdout.readline().strip()
        try:
            assert address, f"{' '.join(command)} did not start"
            yield address, model
        finally:
            process.terminate()
