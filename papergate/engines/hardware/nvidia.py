"""NVIDIA: nvidia-smi, as CSV with its header; MIG instances from its list, CUDA from its table."""

import re
from collections.abc import Iterator

from papergate.engines.hardware import smi_table
from papergate.engines.hardware.records import Device, Found
from papergate.engines.hardware.tools import after, ask, mib

TOOL = "nvidia-smi"
NODES = ("nvidia[0-9]*",)
FIELDS = ("name", "memory.total", "driver_version", "pci.bus_id")
MORE_FIELDS = ("mig.mode.current", "power.limit", "ecc.mode.current", "vbios_version")
"""Unknown to old drivers, which then answer nothing at all."""
NO_DEVICE = "No devices were found"

_BROKEN = re.compile(r"\[.*(?:Error|lost|reset|fallen).*\]")
"""Written in place of a value of a GPU that has to be reset or replaced."""
_GPU = re.compile(r"^GPU \d+: (.+?) \(UUID")
_MIG = re.compile(r"^\s+MIG (\S+)")
_SOLD_BY_MEMORY = re.compile(r"\b(\d+)\s?GB\b")
_MIG_GB = re.compile(r"\.(\d+)gb")
_PRODUCT = re.compile(r"^(?:NVIDIA|GRID|Tesla|GeForce|Quadro|TITAN|(?!P\d{1,2}$)[A-Z]{1,2}\d{2,4}\b)")


def probe() -> Found:
    """Ask nvidia-smi."""
    answer = ask(TOOL, f"--query-gpu={','.join((*FIELDS, *MORE_FIELDS))}", "--format=csv")
    if answer.hung:
        return Found(tool=TOOL, problem=answer.problem)
    if not list(queried(answer.text)):
        answer = ask(TOOL, f"--query-gpu={','.join(FIELDS)}", "--format=csv")
    devices = list(queried(answer.text))
    table = ask(TOOL)
    devices = devices or list(smi_table.devices(table.text))
    if not devices or any(device.unusable for device in devices):
        devices = with_instances(devices, list(listed(ask(TOOL, "-L").text)))
    nothing = NO_DEVICE in answer.text + table.text
    return Found(
        tool=TOOL,
        devices=tuple(devices),
        driver=_column(answer.text, "driver_version") or after("Driver Version", table.text),
        firmware=_column(answer.text, "vbios_version"),
        toolkit=f"CUDA {cuda}" if (cuda := after("CUDA Version", table.text)) else "",
        problem="" if devices or nothing else table.problem,
    )


def queried(text: str) -> Iterator[Device]:
    """Devices of ``--query-gpu`` with or without its header line; without it, cells are known by their form."""
    lines = [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if "," in line]
    named = next((cells for cells in lines if "name" in cells), None)
    for cells in lines:
        if cells is named:
            continue
        found = _named(named, cells) if named else _by_form(cells)
        if found.get("name"):
            yield _device(found)


def listed(text: str) -> Iterator[Device]:
    """Devices of ``-L``: a GPU that is divided does not count, its MIG instances are slices of it."""
    gpu, instances = "", []
    for line in [*text.splitlines(), "GPU 0: end (UUID"]:
        if match := _MIG.match(line):
            size = _MIG_GB.search(match[1])
            memory = int(size[1]) * 1024 if size else None
            instances.append(Device(name=f"{gpu} MIG {match[1]}", memory_mib=memory, is_slice=True))
        elif match := _GPU.match(line):
            if gpu:
                unusable = f"divided into {len(instances)} MIG instances" if instances else ""
                yield Device(name=gpu, unusable=unusable, memory_mib=_memory_of(gpu))
                yield from instances
            gpu, instances = match[1], []


def with_instances(devices: list[Device], listing: list[Device]) -> list[Device]:
    """Devices as queried, with the MIG instances that only the list has; the list alone where the query has nothing."""
    return [*devices, *(each for each in listing if each.is_slice)] if devices else listing


def _memory_of(name: str) -> int | None:
    """MiB of a product that is sold by its memory, for lists without it; a GH200 names that of its processor."""
    match = _SOLD_BY_MEMORY.search(name)
    return int(match[1]) * 1024 if match and "GH200" not in name else None


def _device(found: dict[str, str]) -> Device:
    memory, mode = found.get("memory.total", ""), found.get("mig.mode.current", "")
    lost = next((value.strip("[]") for value in found.values() if _BROKEN.match(value)), "")
    return Device(
        name=found["name"],
        memory_mib=mib(memory),
        unusable=lost or ("MIG is enabled" if mode == "Enabled" else ""),
        bus=_told(found, "pci.bus_id"),
        power_limit=_told(found, "power.limit"),
        ecc=_told(found, "ecc.mode.current"),
    )


def _named(header: list[str], cells: list[str]) -> dict[str, str]:
    """Cells by the names of the header, with the unit of ``memory.total [MiB]`` where the cells leave it out."""
    found = {}
    for name, cell in zip(header, cells, strict=False):
        field, _, unit = name.rstrip("]").partition(" [")
        found[field] = f"{cell} {unit}" if unit and re.fullmatch(r"[\d.]+", cell) else cell
    return found


def _by_form(cells: list[str]) -> dict[str, str]:
    name = next((cell for cell in cells if _PRODUCT.match(cell) and not cell.startswith("GPU-")), "")
    memories = [cell for cell in cells if cell.endswith("MiB")]
    total = max(memories, key=lambda cell: mib(cell) or 0, default="")
    return {"name": name, "memory.total": total}


def _told(found: dict[str, str], field: str) -> str:
    value = found.get(field, "")
    return "" if value.startswith("[") or value == "N/A" else value


def _column(text: str, field: str) -> str:
    lines = [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if "," in line]
    header = next((cells for cells in lines if field in cells), None)
    if header is None:
        return ""
    values = {_told(_named(header, cells), field) for cells in lines if cells is not header}
    return ", ".join(sorted(filter(None, values)))
