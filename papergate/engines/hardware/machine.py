"""Looking at this machine: one question for each vendor, asked once in a process."""

import os
import platform
import shutil
from functools import cache
from pathlib import Path
from types import ModuleType

from papergate.engines.hardware import ascend, gaudi, metax, nvidia, rocm, vastai, xpu
from papergate.engines.hardware.records import Device, Found

PROBES: dict[str, ModuleType] = {
    "nvidia": nvidia,
    "ascend": ascend,
    "metax": metax,
    "vastai": vastai,
    "rocm": rocm,
    "gaudi": gaudi,
    "xpu": xpu,
}
"""A module has ``TOOL``, its program, maybe ``OTHER_TOOLS``; ``NODES``, what its devices are called in /dev; and
``probe() -> Found``."""
DEVICES = Path("/dev")


def look(probe: str) -> Found:
    """What the tool of ``probe``, one of ``PROBES`` or ``cpu``, says; another program of that name is asked anew."""
    if probe == "cpu":
        return Found(tool="this machine", devices=(Device(name=cpu()),))
    vendor = PROBES[probe]
    programs = [found for tool in _tools(vendor) if (found := shutil.which(tool))]
    return _asked(probe, *(_version(program) for program in programs)) if programs else _without_tool(vendor)


def environment() -> dict[str, str]:
    """What a run records of the accelerators of this machine, of any vendor."""
    return {name: text for probe in PROBES for name, text in look(probe).environment().items()}


def cpu() -> str:
    """The processor and how many cores this process sees."""
    return f"{_cpu_name()} x {os.cpu_count()}"


@cache
def _asked(probe: str, *_programs: tuple[str, int]) -> Found:
    found: Found = PROBES[probe].probe()
    return found


def _tools(vendor: ModuleType) -> tuple[str, ...]:
    return (vendor.TOOL, *getattr(vendor, "OTHER_TOOLS", ()))


def _version(program: str) -> tuple[str, int]:
    """A program, and which one of that name it is."""
    return program, Path(program).stat().st_mtime_ns


def _without_tool(vendor: ModuleType) -> Found:
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
