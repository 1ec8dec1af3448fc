"""Huawei Ascend: the table of npu-smi, two lines a chip."""

import re
from collections.abc import Iterator
from pathlib import Path

from papergate.engines.hardware.records import Device, Found
from papergate.engines.hardware.tools import after, ask, pairs, rows, version_in

TOOL = "npu-smi"
NODES = ("davinci[0-9]*",)
INSTALLED = Path("/usr/local/Ascend")
WELL = ("OK", "Warning")
"""States in which a chip works; Alarm, Critical and UNKNOWN are none."""
NO_RIGHTS = "-8005"
REMEDY = "; run it as root, give the container the device nodes and the driver, or restart after an upgrade"

_NAME = re.compile(r"^(\d+)\s+(.+)$")
_NUMBER = re.compile(r"^\d+$")
_USED_OF_TOTAL = re.compile(r"\d+\s*/\s*(\d+)")
_LISTED = re.compile(r"^\s*\d+\s+\d+\s+\d+(?:\s+\d+)?\s+(\S.*?)\s*$")


def probe() -> Found:
    """Ask npu-smi."""
    answer = ask(TOOL, "info")
    devices = list(tabled(answer.text))
    if not devices and not answer.hung:
        devices = list(mapped(ask(TOOL, "info", "-m").text))
    return Found(
        tool=TOOL,
        devices=tuple(devices),
        driver=version_in(INSTALLED / "driver" / "version.info") or after("Version", answer.text),
        firmware=version_in(INSTALLED / "firmware" / "version.info") or (_firmware(answer.text) if devices else ""),
        toolkit=f"CANN {cann}" if (cann := _cann()) else "",
        problem="" if devices else f"{answer.problem}{REMEDY if NO_RIGHTS in answer.problem else ''}",
    )


def tabled(text: str) -> Iterator[Device]:
    """Chips of ``npu-smi info``: a line with name and health, then one with bus and memory; processes follow."""
    first: tuple[str, str] | None = None
    for cells in rows(text):
        if any("Process id" in cell or "No running process" in cell for cell in cells):
            return
        if first:
            yield _chip(*first, cells)
            first = None
        else:
            first = _name_and_health(cells)


def mapped(text: str) -> Iterator[Device]:
    """Chips of ``npu-smi info -m``: those with a number of their own; a line without one is a controller."""
    for line in text.splitlines():
        if match := _LISTED.match(line):
            yield Device(name=match[1].removeprefix("Ascend ").strip())


def _name_and_health(cells: list[str]) -> tuple[str, str] | None:
    """Of a chip's first line; the number stands before the name, in newer tables in a cell of its own."""
    if _NUMBER.match(cells[0]) and len(cells) > 3:  # noqa: PLR2004 - number, name, health, and the readings
        return cells[1], cells[2]
    match = _NAME.match(cells[0])
    return (match[2], cells[1]) if match and len(cells) > 2 and cells[1].isalpha() else None  # noqa: PLR2004


def _chip(name: str, health: str, second: list[str]) -> Device:
    totals = [int(total) for total in _USED_OF_TOTAL.findall(second[-1])]
    bus = next((cell for cell in second if cell.count(":") == 2), "")  # noqa: PLR2004 - domain:bus:device.function
    return Device(
        name=name,
        memory_mib=next((total for total in reversed(totals) if total), None),
        unusable="" if health in WELL else f"its health is {health}",
        warning="" if health == "OK" else f"health {health}",
        bus=bus,
    )


def _firmware(table: str) -> str:
    number = next((match[1] for cells in rows(table) if (match := re.match(r"^(\d+)\b", cells[0]))), "0")
    return pairs(ask(TOOL, "info", "-t", "board", "-i", number).text).get("Firmware Version", "")


def _cann() -> str:
    places = INSTALLED.glob("ascend-toolkit/latest/*/ascend_toolkit_install.info")
    return next((version for place in places if (version := version_in(place))), "")
