"""Whether a machine is the one that a target demands: names, count, memory, state, versions."""

import re
from collections.abc import Mapping

from papergate.engines.hardware.machine import look
from papergate.engines.hardware.records import Device, Difference, Found
from papergate.errors import HardwareError
from papergate.promises.records import Hardware
from papergate.run_folder.notes import note
from papergate.words import worded

MEMORY_SHARE = 0.9
"""Of the nominal memory that a tool lists at least: error correction of GDDR6 takes a sixteenth."""
VERSIONS = ("driver", "firmware", "toolkit")


def demand(hardware: Hardware, *, name: str) -> None:
    """Return if this machine has ``hardware``.

    Raises:
        HardwareError: it has not, or it could not be told; says what was seen and the remedy.
    """
    if wrong := why_not_here(hardware):
        raise worded(HardwareError, note("hardware_missing", target=name, hardware=hardware.title, seen=wrong))


def why_not_here(hardware: Hardware) -> str:
    """Why this machine does not have ``hardware``: what was seen, or why it could not be told; empty where it has."""
    if hardware.probe == "any":
        return ""
    found = look(hardware.probe)
    wrong = shortfall(hardware, found)
    if wrong or hardware.versions == "note":
        return wrong
    other = differences(hardware, found.environment())
    return "; ".join(f"the {one.name} is {one.seen or 'not told'}, not {one.stated}" for one in other)


def shortfall(hardware: Hardware, found: Found) -> str:
    """Why what was found is not enough; empty where it is."""
    fitting = [device for device in found.devices if fits(device, hardware)]
    if _enough(fitting, hardware):
        return ""
    if not found.devices:
        return found.in_words()
    wanted = " or ".join(filter(None, (hardware.device, *hardware.also))) or "any device"
    memory = f" with {hardware.memory_gib:g} GiB" if hardware.memory_gib else ""
    return f"{found.in_words()}: {len(fitting)} of {hardware.devices} needed ({wanted}{memory})"


def fits(device: Device, hardware: Hardware) -> bool:
    """Whether a device is one of those demanded: usable and whole, of that name, with that memory.

    A slice counts only where no device is named. Memory that is not told is not enough, except on cards that may be
    listed by their dies.
    """
    if device.unusable or (device.is_slice and hardware.device):
        return False
    names = [name for name in (hardware.device, *hardware.also) if name]
    if names and not any(is_named(device.name, name) for name in names):
        return False
    if hardware.memory_gib is None:
        return True
    if device.memory_mib is None:
        return hardware.dies > 1
    return device.memory_mib >= MEMORY_SHARE * 1024 * hardware.memory_gib / hardware.dies


def is_named(listed: str, name: str) -> bool:
    """Whether ``name`` stands in ``listed`` without cutting a word or a number: A100 is no A1000, H200 no GH200."""
    before = r"(?<!\d)" if name[0].isdigit() else r"(?<![A-Za-z])"
    after = r"(?!\d)" if name[-1].isdigit() else r"(?![A-Za-z])"
    return re.search(before + re.escape(name) + after, listed, re.IGNORECASE) is not None


def differences(hardware: Hardware, environment: Mapping[str, str]) -> list[Difference]:
    """Versions that the target states and ``environment``, the record of a run on such a machine, has not."""
    stated = {name: text for name in VERSIONS if (text := getattr(hardware, name))}
    return [
        Difference(name=name, seen=environment.get(name, ""), stated=text)
        for name, text in stated.items()
        if environment.get(name) != text
    ]


def _enough(fitting: list[Device], hardware: Hardware) -> bool:
    """Cards may be listed whole or by their dies; memory tells which, and where it is not told, either is taken."""
    needed = hardware.devices * hardware.dies
    if hardware.dies == 1 or len(fitting) >= needed:
        return len(fitting) >= needed
    die_mib = 1024 * (hardware.memory_gib or 0) / hardware.dies
    told = [device.memory_mib for device in fitting if device.memory_mib]
    if die_mib and len(told) == len(fitting):
        return sum(round(memory / die_mib) for memory in told) >= needed
    return len(fitting) >= hardware.devices
