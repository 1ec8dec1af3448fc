"""MetaX: mx-smi, its list for what is available and its table for memory."""

import re
from collections.abc import Iterator
from dataclasses import replace

from papergate.engines.hardware.records import Device, Found
from papergate.engines.hardware.smi_table import BUS
from papergate.engines.hardware.tools import after, ask, mib, rows

TOOL = "mx-smi"
NODES = ("mxcd",)
AVAILABLE = "Available"
SHARED = "Enabled"
"""Of the column sGPU-M: the card is shared into virtual ones."""

_LISTED = re.compile(r"^\s*GPU#\d+\s+(\S+)\s+(\S+)\s+(.*?)\s*(?:\(UUID.*)?$")
_NAMED = re.compile(r"^\d+\s+(.+?)(?:\s+(?:On|Off|N/A))?$")
_MEMORY = re.compile(r"\d+\s*/\s*(\d+\s*[MG]iB)")
_CAP = re.compile(r"/\s*(\d+)\s*W")


def probe() -> Found:
    """Ask mx-smi."""
    listing = ask(TOOL, "-L")
    if listing.hung:
        return Found(tool=TOOL, problem=listing.problem)
    table = ask(TOOL)
    devices = merged(list(listed(listing.text)), list(tabled(table.text)))
    return Found(
        tool=TOOL,
        devices=tuple(devices),
        driver=after("Kernel Mode Driver Version", table.text),
        firmware=after("BIOS Version", table.text),
        toolkit=f"MACA {maca}" if (maca := after("MACA Version", table.text)) else "",
        problem="" if devices else listing.problem,
    )


def listed(text: str) -> Iterator[Device]:
    """Cards of ``-L``, which lists those that are not available too."""
    for line in text.splitlines():
        if match := _LISTED.match(line):
            state = match[3]
            yield Device(name=_name(match[1]), bus=match[2], unusable="" if state == AVAILABLE else state)


def tabled(text: str) -> Iterator[Device]:
    """Cards of the table: number, name, bus, then memory, power limit and, in newer tables, state."""
    first: list[str] = []
    for cells in rows(text):
        if first:
            yield _card(first, cells)
            first = []
        elif any(BUS.match(cell) for cell in cells) and _NAMED.match(cells[0]):
            first = cells


def merged(listing: list[Device], table: list[Device]) -> list[Device]:
    """The list says what is here and available, the table what each card has; either will do alone."""
    seen = {device.bus: device for device in table}
    return [_both(device, seen.get(device.bus)) for device in listing] or table


def _both(device: Device, seen: Device | None) -> Device:
    return replace(seen, unusable=device.unusable or seen.unusable) if seen else device


def _card(first: list[str], second: list[str]) -> Device:
    match = _NAMED.match(first[0])
    assert match, "checked before"
    words = " ".join(second)
    memory, cap, state = _MEMORY.search(words), _CAP.search(words), second[-1]
    shared = "shared by sGPU" if first[-1].split()[-1:] == [SHARED] else ""
    return Device(
        name=_name(match[1]),
        memory_mib=mib(memory[1]) if memory else None,
        unusable=shared or ("" if state in {"", AVAILABLE} else state),
        bus=next(cell for cell in first if BUS.match(cell)),
        power_limit=f"{cap[1]} W" if cap else "",
    )


def _name(model: str) -> str:
    """One name for what tools call MXC500 or MetaX C500."""
    return re.sub(r"^MX(?=[A-Z]\d)", "MetaX ", model)
