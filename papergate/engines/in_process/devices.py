"""Where a model of transformers goes: a copy on each device that holds it whole, else one spread over all of them."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Placement = dict[str, int | str] | str
"""A ``device_map`` of transformers."""

MAX_BATCH = 256
"""Above this, throughput no longer grew in ``studies/huggingface_throughput.py``, and memory still did."""

COPY_SHARE = 0.5
"""Share of a device's free memory that a copy's weights may take: with less left for the key-value cache, its batches
would be so small that one copy spread over the devices draws faster."""

CACHE_SHARE = 0.6
"""Share of the free memory that the key-value cache of a batch may take: the rest is for activations."""

TINY_PARAMETERS = 50_000_000
"""Below this a CPU model is slower on several threads: each operation is too short to share out."""


def placements(path: str, dtype: str) -> list[Placement]:
    """The ``device_map`` of each copy of the model at ``path`` that this machine's devices hold; one on a bare CPU.

    Args:
        path: Folder of the model, or hub id.
        dtype: Of the weights as torch names it, or ``auto`` for the checkpoint's own.
    """
    import torch

    if not torch.accelerator.is_available():
        return ["cpu"]
    devices = [_device(index) for index in range(torch.accelerator.device_count())]
    return _placed(_weight_bytes(path, dtype), [_free_on(device) for device in devices])


def _placed(weights: int, free: Sequence[int]) -> list[Placement]:
    """A copy for each device, or one for all; ``weights`` and ``free`` in bytes."""
    if len(free) > 1 and weights <= COPY_SHARE * min(free):
        return [{"": index} for index in range(len(free))]
    return ["auto"]


def settle_threads(model: "PreTrainedModel") -> None:
    """One thread for a small model on the CPU; torch's own choice for a large one, and on other devices."""
    import torch

    if model.device.type == "cpu" and model.num_parameters() < TINY_PARAMETERS:
        torch.set_num_threads(1)


def batch_size(model: "PreTrainedModel", tokens: int) -> int:
    """As many sequences of ``tokens`` tokens as the free memory holds, at most ``MAX_BATCH``."""
    cache = tokens * _cache_bytes_a_token(model)
    return max(1, min(MAX_BATCH, int(CACHE_SHARE * _free_bytes(model) / cache)))


def _cache_bytes_a_token(model: "PreTrainedModel") -> int:
    """Key and value of every layer: 2 x layers x key-value heads x head dimension x bytes of a number."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * head_dim * model.dtype.itemsize)


def _free_bytes(model: "PreTrainedModel") -> int:
    """Free memory for the cache of ``model``: its layers, and so their caches, are spread evenly over its devices."""
    import torch

    held = getattr(model, "hf_device_map", {"": model.device}).values()
    devices = {_device(place) if isinstance(place, int) else torch.device(place) for place in held if place != "disk"}
    return min(map(_free_on, devices)) * len(devices)


def _device(index: int) -> "torch.device":
    import torch

    kind = torch.accelerator.current_accelerator()
    assert kind is not None
    return torch.device(kind.type, index)


def _free_on(device: "torch.device") -> int:
    import torch

    if device.type == "cpu":
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(torch.get_device_module(device).mem_get_info(device)[0])


def _weight_bytes(path: str, dtype: str) -> int:
    """What the weights will take, from the configuration alone: nothing is read or allocated."""
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(path)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    kind = (config.dtype or torch.float32) if dtype == "auto" else getattr(torch, dtype)
    return int(model.num_parameters() * kind.itemsize)
