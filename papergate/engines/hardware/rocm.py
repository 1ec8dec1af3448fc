"""AMD: rocm-smi as JSON; where it is not installed, amd-smi, which replaces it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from papergate.engines.hardware.records import Device, Found
from papergate.engines.hardware.tools import ask, is_here, mib, pairs

TOOL = "rocm-smi"
NEWER_TOOL = "amd-smi"
OTHER_TOOLS = (NEWER_TOOL,)
NODES = ("kfd",)
RELEASE = Path("/opt/rocm/.info/version")
NAMES = ("Card Series", "Card series", "Device Name", "Card Model", "Card model")
MEMORY = "VRAM Total Memory (B)"

_CARD = re.compile(r"^GPU: \d+", re.MULTILINE)
_LINE = re.compile(r"^GPU\[(\d+)\]\s*:\s*([^:]+?)\s*:\s*(.*?)\s*$")


def probe() -> Found:
    """Ask rocm-smi or amd-smi."""
    tool = TOOL if is_here(TOOL) else NEWER_TOOL
    arguments = ("--showproductname", "--showmeminfo", "vram", "--showdriverversion", "--json")
    answer = ask(tool, *arguments) if tool == TOOL else ask(tool, "static", "--json")
    devices = tuple(cards(answer.text)) or tuple(static(answer.text))
    return Found(
        tool=tool,
        devices=devices,
        driver=driver(answer.text),
        toolkit=f"ROCm {RELEASE.read_text(encoding='utf-8').strip()}" if RELEASE.is_file() else "",
        problem="" if devices else answer.problem,
    )


def cards(text: str) -> Iterator[Device]:
    """Cards of rocm-smi, as JSON or as lines ``GPU[0] : Card Series : ...``."""
    read = _json(text)
    found = read if isinstance(read, dict) else {}
    listed = {key: value for key, value in found.items() if re.match(r"card:?\d", key)} or _lines(text)
    for card in listed.values():
        name = next((card[key] for key in NAMES if card.get(key)), "")
        if name:
            yield Device(name=name, memory_mib=mib(f"{card.get(MEMORY, '')} B"))


def static(text: str) -> Iterator[Device]:
    """Cards of ``amd-smi static --json``: a list, or under ``gpu_data``; releases without it write the text form."""
    for card in _gpus(text):
        size = card.get("vram", {}).get("size", {})
        memory = f"{size.get('value')} {size.get('unit')}" if isinstance(size, dict) else f"{size} MB"
        if name := card.get("asic", {}).get("market_name", ""):
            yield Device(name=name, memory_mib=mib(memory))
    for card_text in _CARD.split(text)[1:]:
        told = pairs(card_text)
        if name := told.get("MARKET_NAME", ""):
            yield Device(name=name, memory_mib=mib(told.get("SIZE", "")))


def driver(text: str) -> str:
    """The version of the kernel driver."""
    read = _json(text)
    system = read.get("system", {}).get("Driver version", "") if isinstance(read, dict) else ""
    named = (str(card.get("driver", {}).get("version", "")) for card in _gpus(text))
    return str(system) or next(named, "")


def _gpus(text: str) -> list[dict[str, Any]]:
    read = _json(text)
    listed = read.get("gpu_data", []) if isinstance(read, dict) else read
    return [card for card in listed if isinstance(card, dict)] if isinstance(listed, list) else []


def _lines(text: str) -> Mapping[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if match := _LINE.match(line):
            found.setdefault(match[1], {})[match[2]] = match[3]
    return found


def _json(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The first JSON value; warnings may stand before it."""
    start = re.search(r"[{\[]", text)
    try:
        return json.JSONDecoder().raw_decode(text[start.start() :])[0] if start else None
    except ValueError:
        return None
