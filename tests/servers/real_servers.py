"""Servers that others wrote, each in a process of its own, and what an engine makes of their answers."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import requests

from papergate.benchmarks import load, read_specs
from papergate.completions.manifest import Manifest
from papergate.completions.policy import Policy
from papergate.completions.progress import Silent
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.embedded import EMBEDDED
from papergate.engines.managed import guard
from papergate.engines.records import Request
from papergate.promises.records import Sampling

GREEDY = Sampling(temperature=Decimal(0), max_tokens=128)
SAMPLED = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=128)
PROMPTS = [problem.prompt for problem in load(read_specs()["tiny-math"]).problems[:100]]
READY_WITHIN_S = 600.0
"""Importing torch and its friends takes 12 CPU seconds, of which a busy machine gives few."""


@contextlib.contextmanager
def running(arguments, log, **environment):
    """A server until the block ends, and with it under any circumstances; its address is handed over.

    ``{port}`` in its arguments stands for a free one.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(argument).format(port=port) for argument in arguments]
    guarded = [sys.executable, guard.__file__, str(os.getpid()), str(log), *command]
    started = subprocess.run(guarded, stdout=subprocess.PIPE, env=os.environ | environment, check=True)
    pid = int(started.stdout)
    try:
        yield _ready(f"http://127.0.0.1:{port}", pid, log)
    finally:
        stop_group(pid)


def _ready(url, pid, log):
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and guard.started_at(pid):
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{url}/health", timeout=10).ok:
                return url
        time.sleep(0.1)
    raise AssertionError(f"{url} is not ready:\n{log.read_text()}")


def stop_group(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    while guard.group_runs(pid):
        time.sleep(0.05)


def copy_of(model, folder, **settings):
    """The files of a model in another folder, with values of its JSON files changed; None takes one away."""
    folder.mkdir()
    for file in Path(model).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    for name, changes in settings.items():
        file = folder / f"{name}.json"
        values = {key: value for key, value in (json.loads(file.read_text()) | changes).items() if value is not None}
        file.write_text(json.dumps(values))
    return folder


def samples(sampling, prompts):
    """One request for each prompt, each with a seed of its own."""
    return [
        Request(problem=f"p{n}", sample=0, prompt=prompt, sampling=sampling, seed=n) for n, prompt in enumerate(prompts)
    ]


def answer(engine, prompt, sampling=GREEDY, *, seed=0, **changes):
    """One completion."""
    drawn = sampling.model_copy(update=changes)
    return asyncio.run(engine.complete(Request(problem="p", sample=0, prompt=prompt, sampling=drawn, seed=seed)))


@functools.cache
def embedded_texts():
    """The embedded model's own greedy answers, in process: what any server with its weights must send."""
    from papergate.engines.in_process import huggingface

    engine = huggingface.load(EMBEDDED, dtype="float32")
    try:
        with tempfile.TemporaryDirectory() as folder:
            return texts_of(Path(folder) / "run", engine, samples(GREEDY, PROMPTS))
    finally:
        engine.close()


def texts_of(folder, engine, requests):
    """What an engine answers, by problem and sample, through the runner and the store."""
    identity = engine.identity()
    manifest = Manifest(
        promise="p",
        engine=identity.engine,
        model=identity.model,
        revision=identity.revision,
        template=identity.template,
        benchmark="b",
        benchmark_digest="",
        prompt_digest="",
        sampling=requests[0].sampling,
        run_seed=0,
    )
    with Store.open(folder, manifest) as store:
        ask(engine, requests, store, Policy(), Silent())
        return {key: completion.text for key, completion in store.completions().items()}
