"""What an interpreter runs on: packages, toolkit, devices.

A script of its own, so that it can be run by the interpreter of a server: ``python environment.py PACKAGE...`` prints
one JSON object of texts. What is not there is left out.
"""

import contextlib
import importlib
import importlib.metadata
import json
import platform
import sys

PACKAGES = ("torch", "torch-npu", "transformers")


def environment(*packages: str) -> dict[str, str]:
    """Names and versions of everything that can change what a model answers; ``packages`` beside the usual ones."""
    python = {"python": platform.python_version(), "machine": platform.platform()}
    return python | _versions((*packages, *PACKAGES)) | _devices()


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _devices() -> dict[str, str]:
    try:
        import torch
    except ImportError:
        return {}
    found: dict[str, str | None] = {"cuda": torch.version.cuda, "hip": torch.version.hip}
    if torch.cuda.is_available():
        found["devices"] = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    with contextlib.suppress(ImportError):
        found |= _ascend()
    return {name: text for name, text in found.items() if text}


def _ascend() -> dict[str, str | None]:
    torch_npu = importlib.import_module("torch_npu")
    names = (torch_npu.npu.get_device_name(index) for index in range(torch_npu.npu.device_count()))
    return {"devices": ", ".join(names), "cann": getattr(torch_npu.version, "cann", None)}


if __name__ == "__main__":
    json.dump(environment(*sys.argv[1:]), sys.stdout)
