"""Models of published shapes with random weights, made on the device; and how to time it."""

import time
from collections.abc import Callable

import torch
import transformers

from papergate.engines.in_process import devices

R1_DISTILL_QWEN_1_5B = {
    "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28, "num_attention_heads": 12,
    "num_key_value_heads": 2, "vocab_size": 151936, "max_position_embeddings": 131072, "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, "tie_word_embeddings": False,
}  # fmt: skip
"""config.json of deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B."""

R1_DISTILL_QWEN_14B = {
    "hidden_size": 5120, "intermediate_size": 13824, "num_hidden_layers": 48, "num_attention_heads": 40,
    "num_key_value_heads": 8, "vocab_size": 152064, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}, "tie_word_embeddings": False,
}  # fmt: skip
"""config.json of deepseek-ai/DeepSeek-R1-Distill-Qwen-14B."""

SHAPES = {"R1-Distill-Qwen-1.5B": R1_DISTILL_QWEN_1_5B, "R1-Distill-Qwen-14B": R1_DISTILL_QWEN_14B}

PEAKED = 10
"""Factor on the random head: a draw then keeps few tokens, as it does with a trained model."""

TRIAL_LAYERS = 2
"""Layers of these models on a CPU, where they try the script and not a device."""


def device() -> torch.device:
    """The accelerator of this machine, else its CPU."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return torch.device("cpu") if found is None else torch.device(found.type, 0)


def random_model(shape: dict[str, object], dtype: torch.dtype = torch.bfloat16) -> transformers.PreTrainedModel:
    """A model of ``shape`` whose weights mean nothing: for times and memory.

    Raises:
        RuntimeError: the device has no room for it.
    """
    if device().type == "cpu":
        shape = shape | {"num_hidden_layers": TRIAL_LAYERS}
    config = transformers.Qwen2Config(**shape, use_sliding_window=False)
    with torch.device("meta"):
        needed = transformers.AutoModelForCausalLM.from_config(config).num_parameters() * dtype.itemsize
    if needed > 0.9 * (free := devices.free_on(device())):
        raise RuntimeError(f"weights of {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free")
    torch.manual_seed(0)
    with torch.device(device()):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    model.get_output_embeddings().weight.data.mul_(PEAKED)
    return model


def synchronize() -> None:
    if device().type != "cpu":
        torch.accelerator.synchronize()


def seconds(work: Callable[[], object], *, repeats: int = 1) -> float:
    """Seconds of ``work``, from an idle device to an idle device, the mean of ``repeats`` without a pause."""
    synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    synchronize()
    return (time.perf_counter() - started) / repeats


def median_seconds(work: Callable[[], object], *, repeats: int, rounds: int = 5) -> float:
    """The median of several such means, after one to warm up."""
    work()
    return sorted(seconds(work, repeats=repeats) for _ in range(rounds))[rounds // 2]
