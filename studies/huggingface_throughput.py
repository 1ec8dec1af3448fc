"""Output tokens per second of the huggingface engine beside plain `generate`, on the embedded model, in one run.

    python studies/huggingface_throughput.py --problems 512

`generate` at batch 4 is what the A100 document's setting does; both draw the same prompts at the same temperature.
"""

import argparse
import asyncio
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from papergate.benchmarks import load, read_specs
from papergate.completions.policy import seed_of
from papergate.embedded import MODEL_DIR
from papergate.engines import Request
from papergate.engines.in_process import devices, huggingface
from papergate.promises import Sampling

SAMPLING = Sampling(temperature="0.6", top_p="0.95", max_tokens=256)
BATCHES = (32, 64, 128, 256, 512)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=512, help="samples drawn by each contestant")
    count = parser.parse_args().problems
    torch.set_num_threads(1)
    problems = load(read_specs()["tiny-math"]).problems
    prompts = [problems[place % len(problems)].prompt for place in range(count)]
    slow = generate(prompts[: count // 8], batch=4)
    print(f"{'contestant':<24}{'tok/s':>8}{'ratio':>8}\n{'generate, batch 4':<24}{slow:>8.0f}{1:>8.1f}")
    static = generate(prompts, batch=64)
    print(f"{'generate, batch 64':<24}{static:>8.0f}{static / slow:>8.1f}")
    for batch in BATCHES:
        speed = engine(prompts, batch=batch)
        print(f"{f'papergate, batch {batch}':<24}{speed:>8.0f}{speed / slow:>8.1f}")


def generate(prompts: list[str], *, batch: int) -> float:
    tokenizer = AutoTokenizer.from_pretrained(MODEL_DIR, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
    texts = [
        tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False)
        for prompt in prompts
    ]
    tokens, started = 0, time.perf_counter()
    for first in range(0, len(texts), batch):
        inputs = tokenizer(texts[first : first + batch], return_tensors="pt", padding=True, add_special_tokens=False)
        inputs.pop("token_type_ids", None)
        output = model.generate(**inputs, do_sample=True, temperature=0.6, top_p=0.95, max_new_tokens=256)
        new = output[:, inputs["input_ids"].shape[1] :]
        tokens += int((new != tokenizer.pad_token_id).sum())
    return tokens / (time.perf_counter() - started)


def engine(prompts: list[str], *, batch: int) -> float:
    devices.MAX_BATCH = batch
    started_engine = huggingface.load("papergate-tiny", dtype="float32")
    started_engine.check(SAMPLING, prompts)
    requests = [
        Request(problem=str(place), sample=0, prompt=prompt, sampling=SAMPLING, seed=seed_of(0, str(place), 0))
        for place, prompt in enumerate(prompts)
    ]

    async def all_of_them() -> int:
        done = await asyncio.gather(*(started_engine.complete(request) for request in requests))
        return sum(one.output_tokens or 0 for one in done)

    started = time.perf_counter()
    tokens = asyncio.run(all_of_them())
    seconds = time.perf_counter() - started
    started_engine.close()
    return tokens / seconds


if __name__ == "__main__":
    main()
