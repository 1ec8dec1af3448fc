"""Vastai: vasmi. No recorded output of it was at hand: these forms follow programs that read it.

Whether ``summary`` lists cards or their dies is not known, so a demand takes either.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from papergate.engines.hardware.records import Device, Found
from papergate.engines.hardware.tools import ask, mib, pairs

TOOL = "vasmi"
NODES = ("va[0-9]*_ctl", "vastai[0-9]*")

_MODEL = re.compile(r"\bVA\d+[A-Z]*\b")
_NUMBERED = re.compile(r"^[A-Za-z#]*\d+:?$")
_BUS = re.compile(r"\b(?:[0-9A-Fa-f]{4}:)?[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-9A-Fa-f]\b")


def probe() -> Found:
    """Ask vasmi."""
    summary = ask(TOOL, "summary")
    if summary.hung:
        return Found(tool=TOOL, problem=summary.problem)
    devices = list(tabled(summary.text)) or list(elements(summary.text))
    memories = {each.bus: each for each in elements(ask(TOOL, "getmem", "--display-format=json").text)}
    devices = [_with_memory(device, memories.get(device.bus)) for device in devices] or list(memories.values())
    return Found(
        tool=TOOL,
        devices=tuple(devices),
        driver=_driver(summary.text),
        problem="" if devices else summary.problem,
    )


def tabled(text: str) -> Iterator[Device]:
    """Lines that name a model beside a number or a bus; the model in a headline is no device."""
    for line in text.splitlines():
        match = _MODEL.search(line)
        if match is None:
            continue
        before, bus = line[: match.start()].replace("|", " ").split(), _BUS.search(line)
        if bus or any(_NUMBERED.match(word) for word in before):
            yield Device(name=match[0], bus=bus[0] if bus else "", memory_mib=mib(line))


def elements(text: str) -> Iterator[Device]:
    """Devices of ``--display-format=json``."""
    try:
        listing = json.loads(text).get("elem", [])
    except (ValueError, AttributeError):
        return
    for element in listing:
        values = {key: str(value.get("value", "")) for key, value in element.get("vals", {}).items()}
        model = _MODEL.search(json.dumps(element))
        yield Device(
            name=model[0] if model else "Vastai device of unknown model",
            bus=str(element.get("pci_bus", "")),
            memory_mib=_memory(values),
        )


def _memory(values: Mapping[str, Any]) -> int | None:
    return next((mib(values[key]) for key in ("Physical", "Physical memory") if key in values), None)


def _with_memory(device: Device, told: Device | None) -> Device:
    return replace(device, memory_mib=told.memory_mib) if told and device.memory_mib is None else device


def _driver(text: str) -> str:
    return next((value for key, value in pairs(text).items() if "driver" in key.lower()), "").strip(" |")
