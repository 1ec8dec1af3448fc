"""The records of this room: one device, and everything that a vendor's tool says about a machine."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One accelerator as the vendor's tool lists it; None and "" where the tool does not say."""

    name: str
    memory_mib: int | None = None
    unusable: str = ""
    """Why it does not count as a device, in the tool's words: its state, or what it is shared into."""
    is_slice: bool = False
    """A part of a device, such as a MIG instance."""
    warning: str = ""
    """A state that does not keep it from working."""
    bus: str = ""
    power_limit: str = ""
    ecc: str = ""

    def in_words(self) -> str:
        """Name, memory and what is wrong with it."""
        memory = f"{self.memory_mib} MiB" if self.memory_mib is not None else "memory not told"
        return f"{self.name} ({self.unusable or memory})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What one vendor's tool says about this machine."""

    tool: str
    """The program that was asked."""
    devices: tuple[Device, ...] = ()
    driver: str = ""
    firmware: str = ""
    toolkit: str = ""
    """CUDA, CANN, MACA, ROCm: the version that the tool or its installation names."""
    problem: str = ""
    """Why it could not be told what is here; empty where the tool answered."""
    is_absent: bool = False
    """There is neither the tool nor a trace of such a device."""

    def in_words(self) -> str:
        """Devices of a kind together, or why there are none."""
        if self.problem:
            return f"could not tell what is here: {self.problem}"
        if self.is_absent:
            return f"{self.tool} is not installed here"
        return f"{self.tool} lists {_counted([device.in_words() for device in self.devices]) or 'no device'}"

    def environment(self) -> dict[str, str]:
        """What a run records of it: names and texts, without what changes from minute to minute."""
        usable = [device for device in self.devices if not device.unusable]
        record = {
            "hardware": _counted([device.in_words() for device in self.devices]),
            "driver": self.driver,
            "firmware": self.firmware,
            "toolkit": self.toolkit,
            "power limit": ", ".join(sorted({device.power_limit for device in usable if device.power_limit})),
            "ECC": ", ".join(sorted({device.ecc for device in usable if device.ecc})),
            "hardware warnings": _counted([device.warning for device in usable if device.warning]),
        }
        return {name: text for name, text in record.items() if text}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A version that a target states and this machine does not have."""

    name: str
    """driver, firmware or toolkit."""
    seen: str
    """Empty where no tool tells it."""
    stated: str


def _counted(texts: list[str]) -> str:
    return ", ".join(f"{count} x {text}" for text, count in Counter(texts).items())
