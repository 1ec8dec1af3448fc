"""Tokens per second of models with random weights of published shapes, prefill and decode apart, beside their limits.

The limit of a decode step is the time to read every weight that it needs once, and the cache of every row once, at the
bandwidth of a copy. The limit of prefill is its operations at the rate of a large matrix product. Embedding tables are
not counted as read: a step takes one line of them per row.
"""

import random
import time

import torch
from transformers import PreTrainedModel

from papergate.engines.in_process import devices
from papergate.engines.in_process.decoding import STEPS, Decoder, Row, settled
from papergate.engines.in_process.strip import ROOM
from studies.accelerator.limits import ceilings
from studies.accelerator.shapes import SHAPES, device, random_model, seconds, synchronize

CASES = ((1, 1024), (16, 1024), (64, 1024), (256, 1024), (16, 16384))
"""Rows, and tokens of each prompt."""
CASES_OF_A_CPU = ((1, 16), (4, 16))
LOOKS = 4
"""Looks that are timed, of ``STEPS`` steps each on an accelerator."""
SEED_BATCH = 4
"""The setting of a plain reproduction: four prompts at once through ``generate``."""
SEED_TOKENS = 32


def measure(name: str) -> dict[str, object]:
    small = device().type == "cpu"
    limits, model = ceilings(), random_model(SHAPES[name])
    plain = plain_generate(model, *((2, 4) if small else (1024, SEED_TOKENS)))
    means, how = settled(model)
    rows = [case(model, means, limits, *each) for each in (CASES_OF_A_CPU if small else CASES)]
    for row in rows:
        row["against_plain"] = row["decode_tokens_per_s"] / plain if "decode_tokens_per_s" in row else None
    return {"model": name, "how": how, "plain_generate_tokens_per_s": plain, "limits": limits, "cases": rows}


def plain_generate(model: PreTrainedModel, context: int, tokens: int) -> float:
    """Tokens per second of decode: a long answer's time without that of a short one."""
    ids = torch.randint(1000, model.config.vocab_size, (SEED_BATCH, context), device=model.device)
    how = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "pad_token_id": 0, "attention_mask": ids * 0 + 1}

    def generate(count: int) -> object:
        return model.generate(ids, max_new_tokens=count, min_new_tokens=count, **how)

    generate(2)
    return SEED_BATCH * tokens / (seconds(lambda: generate(2 + tokens)) - seconds(lambda: generate(2)))


def case(model: PreTrainedModel, means: devices.Means, limits: dict, rows: int, context: int) -> dict[str, object]:
    """One size of batch; where it does not fit, that is said."""
    found: dict[str, object] = {"rows": rows, "context": context}
    room = devices.Room(rows=rows, tokens=rows * (context + ROOM))
    held = devices.room([model], context).tokens
    if rows > 1 and held < room.tokens:
        return found | {"not_run": f"the cache holds {held} tokens, {room.tokens} are needed"}
    try:
        return found | timed(model, Decoder(model, (), room, means), limits, rows, context)
    except RuntimeError as error:
        return found | {"not_run": f"{type(error).__name__}: {str(error).splitlines()[0]}"}


def timed(model: PreTrainedModel, decoder: Decoder, limits: dict, rows: int, context: int) -> dict[str, object]:
    drawn = [decoder.add(row) for row in prompts(rows, context, model.config.vocab_size)]
    decoder.advance()  # prefill, the first steps, and their capture
    decoder.advance()
    synchronize()
    before, started = len(drawn[0].tokens), time.perf_counter()
    for _ in range(LOOKS):
        decoder.advance()
    step_s = (time.perf_counter() - started) / (len(drawn[0].tokens) - before)
    prefill_s = sum({each.joined: each.first_s for each in drawn}.values())
    mean_length = context + (before + len(drawn[0].tokens)) / 2
    step_limit_s = step_bytes(model, rows, mean_length) / limits["copy_bytes_per_s"]
    rate = limits["matrix_flop_per_s"][str(model.dtype).removeprefix("torch.")]
    prefill_limit_s = prefill_operations(model, rows, context) / rate
    return {
        "step_ms": 1e3 * step_s,
        "step_limit_ms": 1e3 * step_limit_s,
        "decode_share_of_limit": step_limit_s / step_s,
        "decode_tokens_per_s": rows / step_s,
        "prefill_s": prefill_s,
        "prefill_tokens_per_s": rows * context / prefill_s,
        "prefill_share_of_limit": prefill_limit_s / prefill_s,
        "steps_per_look": STEPS,
    }


def prompts(rows: int, context: int, vocabulary: int, *, max_tokens: int = 10**6) -> list[Row]:
    rng = random.Random(0)
    return [
        Row(
            prompt=tuple(rng.randrange(1000, vocabulary) for _ in range(context)),
            temperature=0.6, top_p=0.95, max_tokens=max_tokens, seed=seed,
        )
        for seed in range(rows)
    ]  # fmt: skip


def matrices(model: PreTrainedModel) -> int:
    """Parameters that each token is multiplied with: all but the embedding table, the head among them."""
    return model.num_parameters() - model.get_input_embeddings().weight.numel()


def step_bytes(model: PreTrainedModel, rows: int, length: float) -> float:
    weights = matrices(model) * model.dtype.itemsize
    return weights + rows * length * devices.cache_bytes_a_token(model)


def prefill_operations(model: PreTrainedModel, rows: int, context: int) -> float:
    """Two for each parameter and token, the head once per row; attention sees half of the square on average."""
    config, head = model.config, model.get_output_embeddings().weight.numel()
    attention = 2 * 2 * config.num_hidden_layers * config.hidden_size * context**2 / 2
    return rows * (2 * (matrices(model) - head) * context + 2 * head + attention)
