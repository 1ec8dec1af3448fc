"""Where a model of transformers goes: a copy on each device that holds it whole, else one spread over all of them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from papergate.engines.in_process.strip import ROOM

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

CACHE_SHARE = 0.75
"""Share of the free memory that the key-value cache may take: the rest is for activations, those of a pass over prompts
and the probabilities of a full batch."""

COMPILED_PARAMETERS = 500_000_000
"""From here on compiling the layers, which takes a minute at most, is soon won back."""

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
    return _placed(_weight_bytes(path, dtype), [free_on(device) for device in devices])


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """What a batch may hold."""

    rows: int
    tokens: int
    """On the strip of keys and values, all rows together."""


def room(copies: "Sequence[PreTrainedModel]", longest: int) -> Room:
    """Room of each copy: what the free memory holds, one row of ``longest`` tokens at least, ``MAX_BATCH`` at most."""
    row = longest + ROOM
    held = min(int(CACHE_SHARE * _free_bytes(copy) / cache_bytes_a_token(copy)) for copy in copies)
    return Room(rows=MAX_BATCH, tokens=max(row, min(MAX_BATCH * row, held)))


def use(device: "torch.device") -> None:
    """Make ``device`` the one of this thread."""
    import torch

    if device.type != "cpu":
        torch.get_device_module(device).set_device(device)


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """How the steps of a model are done on its device."""

    in_place: bool
    """Attention reads the cache where it lies; otherwise a copy of it, padded to the longest row."""
    captured: bool = False
    """A step is captured once and replayed; otherwise each of its operations is started by this process."""
    compiled: bool = False
    """``torch.compile`` has joined the small operations of a layer."""
    ahead: bool = True
    """Several steps are started before the first is looked at."""

    def __str__(self) -> str:  # noqa: D105
        compiled = "compiled, " if self.compiled else ""
        steps, cache = ("captured" if self.captured else "eager"), ("in place" if self.in_place else "gathered")
        return f"{compiled}{steps}, cache {cache}"


def choices(model: "PreTrainedModel") -> list[Means]:
    """The means that ``model`` may have on its device, the fastest first; which of them work is to be tried."""
    if model.device.type == "cpu":
        return [Means(in_place=False, ahead=False)]
    plain = [Means(in_place=True), Means(in_place=False)]
    if len(_held_by(model)) > 1:
        return plain
    captured = [Means(in_place=True, captured=True), *plain]
    large = model.num_parameters() >= COMPILED_PARAMETERS
    return [Means(in_place=True, captured=True, compiled=True), *captured] if large else captured


def compile_layers(model: "PreTrainedModel", *, compiled: bool) -> None:
    """Have the layers of ``model`` compiled, once for all of them and for all sizes of batches, or no longer."""
    for layer in (each for each in model.modules() if type(each).__name__ in (model._no_split_modules or ())):  # noqa: SLF001 - transformers has no public name
        if not compiled:
            layer._compiled_call_impl = None  # noqa: SLF001 - torch has no public way back
        elif layer._compiled_call_impl is None:  # noqa: SLF001
            layer.compile(dynamic=True)


class Graphs:
    """Steps captured on ``device``, in one pool of memory because they run one after the other."""

    def __init__(self, device: "torch.device") -> None:
        self._device, self._pool = device, None

    def capture(self, step: Callable[[], None]) -> Callable[[], None]:
        """Run ``step`` once, so that libraries get their workspaces, and capture it; the result replays it."""
        import torch

        step()
        module = torch.get_device_module(self._device)
        graph = getattr(module, f"{self._device.type.upper()}Graph")()
        with module.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            step()
        self._pool = self._pool or graph.pool()
        replay: Callable[[], None] = graph.replay
        return replay


def cache_bytes_a_token(model: "PreTrainedModel") -> int:
    """Key and value of every layer: 2 x layers x key-value heads x head dimension x bytes of a number."""
    config = model.config.get_text_config()
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * cached_heads(model) * head_dim * model.dtype.itemsize)


def cached_heads(model: "PreTrainedModel") -> int:
    """Key-value heads of a layer."""
    config = model.config.get_text_config()
    return int(getattr(config, "num_key_value_heads", None) or config.num_attention_heads)


def _free_bytes(model: "PreTrainedModel") -> int:
    """Free memory for the cache of ``model``: its layers, and so their caches, are spread evenly over its devices."""
    devices = _held_by(model)
    return min(map(free_on, devices)) * len(devices)


def _held_by(model: "PreTrainedModel") -> "set[torch.device]":
    """The devices on which the layers of ``model`` are."""
    import torch

    places = getattr(model, "hf_device_map", {"": model.device}).values()
    return {_device(place) if isinstance(place, int) else torch.device(place) for place in places if place != "disk"}


def _device(index: int) -> "torch.device":
    import torch

    kind = torch.accelerator.current_accelerator()
    assert kind is not None
    return torch.device(kind.type, index)


def free_on(device: "torch.device") -> int:
    """Free memory of ``device`` in bytes, with what torch holds there and does not use."""
    import torch

    if device.type == "cpu":
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    module = torch.get_device_module(device)
    return int(module.mem_get_info(device)[0] + module.memory_reserved(device) - module.memory_allocated(device))


def _weight_bytes(path: str, dtype: str) -> int:
    """What the weights will take, from the configuration alone: nothing is read or allocated."""
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(path)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    kind = (config.dtype or torch.float32) if dtype == "auto" else getattr(torch, dtype)
    return int(model.num_parameters() * kind.itemsize)
