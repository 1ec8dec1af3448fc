"""Looking at this machine: one question for each vendor, asked once in a process."""

import os
import platform
from functools import cache
from pathlib import Path
from types import ModuleType

from papergate.engines.hardware import ascend, gaudi, metax, nvidia, rocm, vastai, xpu
from papergate.engines.hardware.records import Device, Found
from papergate.engines.hardware.tools import is_here

PROBES: dict[str, ModuleType] = {
    "nvidia": nvidia,
    "ascend": ascend,
    "metax": metax,
    "vastai": vastai,
    "rocm": rocm,
    "gaudi": gaudi,
    "xpu": xpu,
}
"""A module has ``TOOL``, its program; ``NODES``, what its devices are called in /dev; and ``probe() -> Found``."""
DEVICES = Path("/dev")


def look(probe: str) -> Found:
    """What the tool of ``probe``, one of ``PROBES`` or ``cpu``, says; a program elsewhere on PATH is asked anew."""
    if probe == "cpu":
        return Found(tool="this machine", devices=(Device(name=cpu()),))
    return _look(probe, os.environ.get("PATH", ""))


def environment() -> dict[str, str]:
    """What a run records of the accelerators of this machine, whoever made them."""
    return {name: text for probe in PROBES for name, text in look(probe).environment().items()}


def cpu() -> str:
    """The processor and how many cores this process sees."""
    return f"{_cpu_name()} x {os.cpu_count()}"


@cache
def _look(probe: str, _path: str) -> Found:
    vendor = PROBES[probe]
    if any(is_here(tool) for tool in (vendor.TOOL, getattr(vendor, "NEWER_TOOL", vendor.TOOL))):
        found: Found = vendor.probe()
        return found
    nodes = sorted(str(node) for pattern in vendor.NODES for node in DEVICES.glob(pattern))
    if not nodes:
        return Found(tool=vendor.TOOL, is_absent=True)
    problem = f"{nodes[0]} is here, but {vendor.TOOL} is not on PATH; in a container, mount it from the host"
    return Found(tool=vendor.TOOL, problem=problem)


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - not a path of ours
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
