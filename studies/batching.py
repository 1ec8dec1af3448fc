"""What the huggingface engine's batches cost in passes, padding and copies, counted and beside what the design says.

    python -m studies.batching

On the embedded model, 64 answers at up to 16 at once, and on a model of R1-Distill-Qwen-1.5B's shape with random
weights, 6 short answers at up to 4 at once. Counts, not times: they are the same on every machine.
"""

import random

import torch
import transformers

from papergate.embedded import MODEL_DIR
from papergate.engines.in_process import devices
from papergate.engines.in_process.decoding import Decoder, Row
from papergate.engines.in_process.strip import ROOM
from studies.accelerator.shapes import PEAKED, R1_DISTILL_QWEN_1_5B


def main() -> None:
    head = ("model", "answers", "tokens", "passes", "prompt tokens", "prompts read", "padding and read again")
    head += ("row steps", "for nothing", "tokens moved")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    embedded = transformers.AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
    print(line("embedded", embedded, answers=64, rows=16, tokens=(8, 60), share=1.0))
    print(line("embedded, a third of the memory", embedded, answers=64, rows=16, tokens=(8, 400), share=1 / 3))
    config = transformers.Qwen2Config(**R1_DISTILL_QWEN_1_5B, use_sliding_window=False)
    shaped = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    shaped.get_output_embeddings().weight.data.mul_(PEAKED)
    print(line("1.5B shape", shaped, answers=6, rows=4, tokens=(2, 6), share=1.0))


def line(name: str, model: object, *, answers: int, rows: int, tokens: tuple[int, int], share: float) -> str:
    """Draw the answers; what was counted, each beside what is needed at least."""
    rng, passes = random.Random(0), []
    wanted = [Row(prompt=tuple(rng.randrange(2, 400) for _ in range(rng.randrange(8, 40))), temperature=0.6, top_p=0.95,
                  max_tokens=rng.randrange(*tokens), seed=seed) for seed in range(answers)]  # fmt: skip
    longest = max(len(row.prompt) + row.max_tokens for row in wanted)
    decoder = Decoder(
        model, (), devices.Room(rows=rows, tokens=int(share * rows * (longest + ROOM))), devices.choices(model)[-1]
    )
    hook = model.register_forward_pre_hook(
        lambda _, __, given: passes.append((given.get("logits_to_keep"), given["input_ids"].numel())),
        with_kwargs=True,
    )
    drawn = [decoder.add(row) for row in wanted]
    while decoder.busy:
        decoder.advance()
    hook.remove()
    prompt = sum(len(row.prompt) for row in wanted)
    read = sum(size for drawn_for, size in passes if drawn_for is not None)
    steps = sum(size for drawn_for, size in passes if drawn_for is None)
    tokens = sum(len(each.tokens) for each in drawn)
    of_prompts = sum(len(drawn_for) for drawn_for, _ in passes if drawn_for is not None)
    cells = (
        *(name, answers, tokens, len(passes), prompt, of_prompts, read - prompt),
        *(steps, steps - (tokens - of_prompts), decoder.strip.moved),
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
