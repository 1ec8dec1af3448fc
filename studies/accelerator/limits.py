"""What this machine is, and what its device can do at most: copy bandwidth and matrix rates, measured."""

import torch

from papergate.engines import hardware
from papergate.engines.managed.environment import environment
from studies.accelerator.shapes import device, median_seconds

COPY_BYTES = 4 * 2**30
MATRIX = 8192


def measure() -> dict[str, object]:
    record = environment() | hardware.environment() | {"cpu": hardware.cpu()}
    return {"environment": record, "probe": probed()} | ceilings()


def probed() -> dict[str, str]:
    """What each vendor's own tool says."""
    return {probe: hardware.look(probe).in_words() for probe in hardware.PROBES}


def ceilings() -> dict[str, object]:
    """Bytes read and written per second by a copy; operations per second of a product of random matrices."""
    here = device()
    small = here.type == "cpu"
    source = torch.empty((COPY_BYTES >> 5 if small else COPY_BYTES), dtype=torch.uint8, device=here).random_()
    target = torch.empty_like(source)
    copy_s = median_seconds(lambda: target.copy_(source), repeats=5)
    return {
        "device": str(here),
        "copy_bytes_per_s": 2 * source.numel() / copy_s,
        "matrix_flop_per_s": {
            str(dtype).removeprefix("torch."): matrix_rate(dtype, MATRIX >> 3 if small else MATRIX)
            for dtype in (torch.bfloat16, torch.float32)
        },
    }


def matrix_rate(dtype: torch.dtype, side: int) -> float:
    one, other = (torch.randn(side, side, device=device()).to(dtype) for _ in range(2))
    return 2 * side**3 / median_seconds(lambda: one @ other, repeats=5)
