"""Memory: a cache too small for all rows at once still brings every row to its end; and answers of 32,768 tokens."""

import time

import torch

from papergate.engines.in_process import devices
from papergate.engines.in_process.decoding import Decoder, settled
from papergate.engines.in_process.strip import ROOM
from studies.accelerator.shapes import SHAPES, device, random_model
from studies.accelerator.speed import prompts

LONG = 32_768
GIVE_UP_S = 40.0
"""The long answers stop here; how far they came is said."""


def measure(name: str = "R1-Distill-Qwen-1.5B") -> dict[str, object]:
    small = device().type == "cpu"
    model = random_model(SHAPES[name])
    means, how = settled(model)
    room = devices.room([model], LONG)
    found: dict[str, object] = {
        "model": name,
        "how": how,
        "weights_gib": model.num_parameters() * model.dtype.itemsize / 2**30,
        "cache_bytes_a_token": devices.cache_bytes_a_token(model),
        "cache_holds_tokens": room.tokens,
        "rows_of_32768": room.tokens // (LONG + ROOM),
    }
    found["crowded"] = crowded(model, means, *((4, 16, 24) if small else (64, 256, 512)))
    found["long"] = long(model, means, *((2, 48) if small else (8, LONG)))
    return found | {"peak": peak()}


def crowded(model: object, means: devices.Means, rows: int, context: int, tokens: int) -> dict[str, object]:
    """As many rows as ever, in a third of the memory they come to need."""
    room = devices.Room(rows=rows, tokens=rows * (context + tokens) // 3 + ROOM)
    decoder = Decoder(model, (), room, means)
    drawn = [decoder.add(row) for row in prompts(rows, context, model.config.vocab_size, max_tokens=tokens)]
    most = 0
    while decoder.busy:
        decoder.advance()
        most = max(most, len(decoder.strip.rows))
    return {
        "rows": rows,
        "all_ended": all(len(each.tokens) == tokens for each in drawn),
        "most_at_once": most,
        "tokens_moved": decoder.strip.moved,
        "tokens_drawn": rows * tokens,
    }


def long(model: object, means: devices.Means, rows: int, tokens: int) -> dict[str, object]:
    """Answers of full length, all rows at once."""
    decoder = Decoder(model, (), devices.Room(rows=rows, tokens=rows * (64 + tokens + ROOM)), means)
    drawn = [decoder.add(row) for row in prompts(rows, 64, model.config.vocab_size, max_tokens=tokens)]
    started = time.perf_counter()
    while decoder.busy and time.perf_counter() - started < GIVE_UP_S:
        decoder.advance()
    took = time.perf_counter() - started
    reached = min(len(each.tokens) for each in drawn)
    return {"rows": rows, "tokens_each": reached, "wanted": tokens, "seconds": took}


def peak() -> dict[str, float] | None:
    """Most memory in use, and what the device has, in GiB."""
    here = device()
    if here.type == "cpu":
        return None
    free, total = torch.get_device_module(here).mem_get_info(here)
    return {
        "peak_gib": torch.accelerator.max_memory_allocated() / 2**30,
        "free_gib": free / 2**30,
        "total_gib": total / 2**30,
    }
