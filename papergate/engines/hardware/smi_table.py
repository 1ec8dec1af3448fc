"""The table of two lines a device that nvidia-smi and hl-smi print."""

import re
from collections.abc import Iterator

from papergate.engines.hardware.records import Device
from papergate.engines.hardware.tools import mib, rows

BUS = re.compile(r"^[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-9A-Fa-f]")
_FIRST = re.compile(r"^(\d+)\s+(.+?)(?:\s+(?:On|Off|N/A|WDDM|TCC|MCDM))?$")
_CAP = re.compile(r"/\s*(\d+)\s*W")
_END = ("Processes:", "MIG devices:")
_BROKEN = ("ERR!", "Unknown Error", "GPU is lost")


def devices(text: str) -> Iterator[Device]:
    """The devices of a table; lines without a bus id begin none, such as those of processes and MIG instances."""
    first: list[str] = []
    second: list[str] = []
    for cells in [*rows(text), ["Processes:"]]:
        begins = len(cells) > 1 and BUS.match(cells[1]) and _FIRST.match(cells[0])
        ends = cells[0].startswith(_END)
        if first and (begins or ends):
            yield _device(first, second)
            first, second = [], []
        if ends:
            return
        if begins:
            first = cells
        elif first:
            second += cells


def _device(first: list[str], rest: list[str]) -> Device:
    match = _FIRST.match(first[0])
    assert match, "checked before"
    words = " ".join((*first, *rest))
    broken = next((f"it shows {word}" for word in _BROKEN if word in words), "")
    cap = _CAP.search(words)
    memory = next((mib(cell.partition("/")[2]) for cell in rest if "iB" in cell), None)
    return Device(
        name=match[2],
        memory_mib=memory,
        unusable=broken or ("MIG is enabled" if "Enabled" in rest[3:] else ""),
        bus=first[1].split()[0],
        power_limit=f"{cap[1]} W" if cap else "",
    )
