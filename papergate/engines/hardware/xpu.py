"""Intel XPU: xpu-smi, its list and what it says of each device."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from papergate.engines.hardware.records import Device, Found
from papergate.engines.hardware.tools import Answer, ask, mib

TOOL = "xpu-smi"
NODES: tuple[str, ...] = ()
"""/dev/dri holds any display adapter, so it says nothing."""

_FIELD = re.compile(r"(Device Name|Memory Physical Size|Driver Version|PCI BDF Address)\s*:\s*(.*?)\s*\|?\s*$")


def probe() -> Found:
    """Ask xpu-smi."""
    answer = ask(TOOL, "discovery", "-j")
    records = list(described(answer))
    records = [_more(record) for record in records]
    devices = tuple(_device(record) for record in records)
    return Found(
        tool=TOOL,
        devices=devices,
        driver=next((str(record["driver_version"]) for record in records if record.get("driver_version")), ""),
        problem="" if devices else answer.problem,
    )


def described(answer: Answer) -> Iterator[dict[str, Any]]:
    """What is said of each device, by the names that the JSON uses; old versions print a table all the same."""
    try:
        read = json.loads(answer.text)
    except ValueError:
        yield from _table(answer.text)
        return
    listed = read.get("device_list", [read]) if isinstance(read, dict) else read
    yield from (record for record in listed if isinstance(record, dict) and record.get("device_name"))


def _table(text: str) -> Iterator[dict[str, Any]]:
    record: dict[str, Any] = {}
    for line in text.splitlines():
        match = _FIELD.search(line)
        if match and match[1] == "Device Name" and record:
            yield record
            record = {}
        if match:
            record[match[1].lower().replace(" ", "_")] = match[2]
    if record.get("device_name"):
        yield record


def _more(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with what only the question for one device tells: memory and driver."""
    number = record.get("device_id")
    if number is None or "memory_physical_size_byte" in record:
        return dict(record)
    return {**record, **next(described(ask(TOOL, "discovery", "-d", str(number), "-j")), {})}


def _device(record: Mapping[str, Any]) -> Device:
    size = record.get("memory_physical_size_byte")
    return Device(
        name=str(record["device_name"]),
        memory_mib=mib(f"{size} B" if size else str(record.get("memory_physical_size", ""))),
        bus=str(record.get("pci_bdf_address", "")),
    )
