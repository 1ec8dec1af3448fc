"""What this machine has: device names as the vendor's own tool lists them."""

import os
import platform
import re
import shutil
import subprocess

from papergate.errors import HardwareError
from papergate.promises.records import Hardware

PROBE_TIMEOUT_S = 20.0
"""A healthy management tool answers within two seconds; a hung driver never does."""

# The command of each vendor, and what a line that names a device looks like.
_TOOLS = {
    "nvidia": (
        ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"),
        r"(?P<device>.+)",
    ),
    "ascend": (("npu-smi", "info"), r"\|\s*\d+\s+(?P<device>910\S*|310\S*)\s*\|"),
    "metax": (("mx-smi", "-L"), r".*(?P<device>C5\d\d.*)"),
    "vastai": (("vasmi", "summary"), r".*(?P<device>VA\d+\S*).*"),
}


def devices(probe: str) -> list[str]:
    """The accelerators that the vendor's tool lists; empty where the tool is missing, fails or lists none."""
    if probe == "cpu":
        return [cpu()]
    command, pattern = _TOOLS[probe]
    if shutil.which(command[0]) is None:
        return []
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=True).stdout  # noqa: S603 - a constant command
    except (subprocess.SubprocessError, OSError):
        return []
    return [match["device"].strip() for line in listed.splitlines() if (match := re.fullmatch(pattern, line.strip()))]


def demand(hardware: Hardware, *, name: str) -> None:
    """Return if this machine has ``hardware``.

    Raises:
        HardwareError: it has not; says what was seen and the remedy.
    """
    if hardware.probe == "any":
        return
    seen = devices(hardware.probe)
    fitting = [device for device in seen if hardware.device in device]
    if len(fitting) >= hardware.devices:
        return
    tool = _TOOLS[hardware.probe][0][0] if hardware.probe in _TOOLS else "this machine"
    raise HardwareError(
        f"{name} demands {hardware.title}; {tool} lists {', '.join(seen) or 'no device'}. "
        f"Run on that machine, or attach to a server there: pytest -m {name} --endpoint http://HOST:PORT"
    )


def cpu() -> str:
    """The processor and how many cores this process sees."""
    return f"{_cpu_name()} x {os.cpu_count()}"


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - not a path of ours
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
