"""The same faults in a real vLLM: in the folder that it loads, or in a gateway in front of it."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path

import requests
import transformers

from tests.sabotage.faults import Sabotage
from tests.servers.gateway import gateway
from tests.servers.model_server import MODEL, Fault
from tests.servers.real_servers import running

FLAGS = ("--dtype=float32", "--max-model-len=512", "--max-num-seqs=32", "--enforce-eager")
OF_FOLDER = frozenset({"weights", "template", "folder"})
OF_GATEWAY = frozenset({"body", "said", "finish", "fails", "usage"})
COUNTED = ("vllm:prompt_tokens_total", "vllm:generation_tokens_total")


def can_be(sabotage: Sabotage) -> bool:
    """Whether one vLLM can have this fault without a change of its code: no mask or cache is out of order there."""
    return sabotage.replica is None and _changed(sabotage.fault) <= OF_FOLDER | OF_GATEWAY


def _changed(fault: Fault) -> frozenset[str]:
    honest = Fault()
    return frozenset(each.name for each in fields(Fault) if getattr(fault, each.name) != getattr(honest, each.name))


class Vllm:
    """Real servers; the honest one is started once and serves behind every gateway."""

    def __init__(self, python: str, servers: ExitStack) -> None:
        self._python, self._servers, self._honest = python, servers, ""

    @contextmanager
    def at(self, fault: Fault) -> Iterator[tuple[str, "Counted"]]:
        """The address of a deployment with this fault, and how many tokens it drew and read."""
        with ExitStack() as own:
            if _changed(fault) & OF_FOLDER:
                url = own.enter_context(self._server(fault))
            else:
                self._honest = self._honest or self._servers.enter_context(self._server(Fault()))
                url = self._honest
            door = own.enter_context(gateway(url, fault)) if _changed(fault) & OF_GATEWAY else url
            yield door, Counted(url)

    @contextmanager
    def _server(self, fault: Fault) -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder:
            model, log = Path(folder) / "model", Path(folder) / "log"
            write_model(fault, model)
            command = [self._python, "-m", "vllm.entrypoints.openai.api_server", "--model", model, *FLAGS]
            command += [f"--served-model-name={MODEL}", "--host=127.0.0.1", "--port={port}"]
            with running(command, log, **os.environ) as url:
                yield url


class Counted:
    """The tokens of a vLLM server, as it counts them itself."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def tokens(self) -> int:
        lines = requests.get(f"{self._url}/metrics", timeout=600).text.splitlines()
        return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(COUNTED)))


def write_model(fault: Fault, folder: Path) -> None:
    """The folder of a model with a fault of its weights, configuration, template or tokenizer."""
    shutil.copytree(fault.folder, folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    fault.weights(model)
    model.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"chat_template": fault.template(config["chat_template"])}))
