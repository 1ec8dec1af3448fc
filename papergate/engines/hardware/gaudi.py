"""Intel Gaudi: the table of hl-smi, in the form of nvidia-smi's."""

from papergate.engines.hardware import smi_table
from papergate.engines.hardware.records import Found
from papergate.engines.hardware.tools import after, ask

TOOL = "hl-smi"
NODES = ("hl[0-9]*", "accel/accel[0-9]*")


def probe() -> Found:
    """Ask hl-smi."""
    answer = ask(TOOL)
    devices = tuple(smi_table.devices(answer.text))
    return Found(
        tool=TOOL,
        devices=devices,
        driver=after("Driver Version", answer.text),
        firmware=after("HL-SMI Version", answer.text),
        problem="" if devices else answer.problem,
    )
