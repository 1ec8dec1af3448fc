r"""Train the embedded model from nothing, on one CPU thread.

``python -m studies.train --out DIR`` writes a folder that ``from_pretrained`` and every engine can load.
Everything random is seeded. Recipe: a Qwen2 decoder of 0.85 million parameters; the hidden
matrices learn by Muon (Jordan et al. 2024: momentum, then the nearest orthogonal matrix by Newton-Schulz iteration),
everything else by AdamW; both rates fall linearly to zero, twice; only the completion counts in the loss.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import mean
from time import monotonic, process_time
from typing import TYPE_CHECKING, Any, cast

from papergate.embedded.problems import AIME, MATH, Exercise, exercises, training_examples
from studies.tokenizer import CONTEXT_TOKENS, END, UNTHINK, prompt_text, train_tokenizer

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import Qwen2ForCausalLM, Qwen2Tokenizer

SEED = 20
BATCH = 32
"""Sequences in one step."""

WARM_UP_STEPS = 40
MUON_RATE, MUON_MOMENTUM = 0.02, 0.95
NEWTON_SCHULZ_STEPS = 5
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration that brings every singular value near 1 (Jordan et al. 2024)."""

ADAM_RATE, ADAM_BETAS = 3e-3, (0.9, 0.95)
MAX_NEW_TOKENS = 200
LOG_EVERY, VALIDATE_EVERY = 50, 400
VALIDATION_EXERCISES = 180

Log = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequence:
    """One training sequence: token ids, and how many of them are the prompt."""

    ids: list[int]
    prompt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cycle:
    """A stretch of training in which the rates rise to a share of their full size and fall to zero."""

    steps: int
    peak: float


CYCLES = (Cycle(steps=4000, peak=1.0), Cycle(steps=1200, peak=0.5))


# ---- the data ----


def batches(tokenizer: Qwen2Tokenizer, seed: int) -> Iterator[list[Sequence]]:
    """Yield batches of training sequences without end; all families are in every batch."""
    examples = training_examples(seed)
    while True:
        yield _encode(tokenizer, islice(examples, BATCH))


def _encode(tokenizer: Qwen2Tokenizer, examples: Iterator[tuple[str, str]]) -> list[Sequence]:
    pairs = list(examples)
    prompts = tokenizer([prompt_text(problem) for problem, _ in pairs])["input_ids"]
    completions = tokenizer([completion + END for _, completion in pairs])["input_ids"]
    return [Sequence(ids=a + b, prompt=len(a)) for a, b in zip(prompts, completions, strict=True)]


def padded(batch: list[Sequence], pad: int) -> tuple[Tensor, Tensor]:
    """Return input ids (batch, longest), padded on the right, and the same where they count in the loss, else -100."""
    import torch

    longest = max(len(one.ids) for one in batch)
    inputs = torch.full((len(batch), longest), pad)
    targets = torch.full((len(batch), longest), -100)
    for row, one in enumerate(batch):
        inputs[row, : len(one.ids)] = torch.tensor(one.ids)
        targets[row, one.prompt : len(one.ids)] = torch.tensor(one.ids[one.prompt :])
    return inputs, targets


# ---- the model ----


def new_model(tokenizer: Qwen2Tokenizer) -> Qwen2ForCausalLM:
    """Return an untrained Qwen2ForCausalLM in float32."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT_TOKENS,
            tie_word_embeddings=True,
            initializer_range=0.05,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            dtype="float32",
        )
    )


def orthogonalise(matrices: Tensor) -> Tensor:
    """Replace each matrix of a stack by nearly the nearest orthogonal one, in float32."""
    a, b, c = NEWTON_SCHULZ
    tall = matrices.size(-2) > matrices.size(-1)
    x = matrices.mT if tall else matrices
    x = x.div(x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon:
    """Momentum steps along orthogonalised gradients, matrices of one shape at a time."""

    def __init__(self, parameters: list[Tensor]) -> None:
        import torch

        self._stacks = [[p for p in parameters if p.shape == shape] for shape in {p.shape: None for p in parameters}]
        self._momenta = [torch.zeros(len(stack), *stack[0].shape) for stack in self._stacks]

    def step(self, rate: float) -> None:
        """Move every matrix against its gradient."""
        import torch

        for stack, momentum in zip(self._stacks, self._momenta, strict=True):
            gradient = torch.stack([p.grad for p in stack if p.grad is not None])
            momentum.lerp_(gradient, 1 - MUON_MOMENTUM)
            rows, columns = stack[0].shape
            update = orthogonalise(gradient.lerp(momentum, MUON_MOMENTUM)) * max(1.0, rows / columns) ** 0.5
            for parameter, direction in zip(stack, update, strict=True):
                parameter.data.add_(direction, alpha=-rate)


class Optimiser:
    """Muon for the hidden matrices, AdamW for the embedding, the norms and the biases."""

    def __init__(self, model: Qwen2ForCausalLM) -> None:
        import torch

        named = list(model.named_parameters())
        matrices = {name for name, p in named if name.endswith("proj.weight")}
        self._muon = Muon([p for name, p in named if name in matrices])
        rest = [p for name, p in named if name not in matrices]
        self._adam = torch.optim.AdamW(rest, betas=ADAM_BETAS, weight_decay=0.0)

    def step(self, share: float) -> None:
        """Take one step at a share of the full rates."""
        self._adam.param_groups[0]["lr"] = ADAM_RATE * share
        self._adam.step()
        self._muon.step(MUON_RATE * share)


def rate_at(step: int, cycle: Cycle) -> float:
    """Return the share of the full rates at a step of a cycle: a short rise, then a straight line to zero."""
    return cycle.peak * min(1.0, (step + 1) / WARM_UP_STEPS) * (1 - step / cycle.steps)


def loss_of(model: Qwen2ForCausalLM, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross entropy (nats) over the tokens of the completions."""
    from torch.nn.functional import cross_entropy

    # Padding stands on the right, so a causal decoder needs no attention mask to ignore it.
    hidden = model.model(input_ids=inputs[:, :-1], use_cache=False).last_hidden_state
    counted = targets[:, 1:] != -100
    return cross_entropy(model.lm_head(hidden[counted]), targets[:, 1:][counted])


def train(tokenizer: Qwen2Tokenizer, *, seed: int, cycles: tuple[Cycle, ...], log: Log) -> Qwen2ForCausalLM:
    """Return a model trained for some cycles, each with a fresh optimiser and fresh exercises."""
    model = new_model(tokenizer)
    log(f"parameters {sum(p.numel() for p in model.parameters()):,}  vocabulary {len(tokenizer)}  seed {seed}")
    stream = batches(tokenizer, seed)
    for number, cycle in enumerate(cycles, start=1):
        log(f"cycle {number}: {cycle.steps} steps, rates up to {cycle.peak:.0%}")
        run_cycle(model, tokenizer, stream, cycle, log)
    return model


def run_cycle(
    model: Qwen2ForCausalLM, tokenizer: Qwen2Tokenizer, stream: Iterator[list[Sequence]], cycle: Cycle, log: Log
) -> None:
    """Train a model for one cycle, logging the loss and the held-out answers."""
    from torch.autograd import backward

    optimiser = Optimiser(model)
    start, tokens, losses = monotonic(), 0, deque[float](maxlen=LOG_EVERY)
    for step, batch in enumerate(islice(stream, cycle.steps), start=1):
        inputs, targets = padded(batch, tokenizer.pad_token_id)
        loss = loss_of(model, inputs, targets)
        model.zero_grad()
        backward([loss])
        optimiser.step(rate_at(step - 1, cycle))
        tokens += inputs.numel()
        losses.append(loss.item())
        if step % LOG_EVERY == 0:
            spent = f"{monotonic() - start:.0f} s wall  {process_time():.0f} s CPU"
            log(f"step {step}/{cycle.steps}  loss {mean(losses):.4f}  {spent}  {tokens:,} tokens")
        if step % VALIDATE_EVERY == 0 or step == cycle.steps:
            log(f"held-out, greedy: {validation_line(model, tokenizer)}")


# ---- validation ----


def boxed(text: str) -> str | None:
    r"""Return what the last ``\boxed{...}`` after the thought holds, or None."""
    _, closed, answer = text.rpartition(UNTHINK)
    _, found, rest = answer.rpartition("\\boxed{")
    return rest.rpartition("}")[0] if closed and found else None


def answers(model: Qwen2ForCausalLM, tokenizer: Qwen2Tokenizer, problems: list[str]) -> list[str]:
    """Return the greedy completion of each problem."""
    import torch

    encoded = tokenizer([prompt_text(problem) for problem in problems], return_tensors="pt", padding=True)
    with torch.inference_mode():
        ids = cast("Any", model).generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
        )
    return list(tokenizer.batch_decode(ids[:, encoded["input_ids"].size(1) :], skip_special_tokens=True))


def validation_line(model: Qwen2ForCausalLM, tokenizer: Qwen2Tokenizer) -> str:
    """Return the share of right greedy answers on the validation split, in all and by family."""
    asked = list(islice(exercises((*AIME, *MATH), "validation", "validation"), VALIDATION_EXERCISES))
    texts = answers(model, tokenizer, [exercise.problem for exercise in asked])
    right: dict[str, list[bool]] = {}
    for exercise, text in zip(asked, texts, strict=True):
        right.setdefault(exercise.family, []).append(is_right(exercise, text))
    families = ", ".join(f"{family} {sum(hits)}/{len(hits)}" for family, hits in right.items())
    return f"{sum(map(sum, right.values())) / len(asked):.1%} ({families})"


def is_right(exercise: Exercise, text: str) -> bool:
    """Tell whether a completion boxes one of the answer's spellings."""
    return (answer := boxed(text)) is not None and answer.strip("$. ") in exercise.spellings


# ---- the command ----


def save(model: Qwen2ForCausalLM, tokenizer: Qwen2Tokenizer, out: Path) -> None:
    """Write the model, its tokenizer and its generation settings as a folder that engines load."""
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(out)
    tokenizer.save_pretrained(out, save_jinja_files=False)  # inside tokenizer_config.json, where every version looks


def main(arguments: list[str] | None = None) -> None:
    """Train and save; the log goes to the terminal and to ``train.log`` in the folder."""
    parser = argparse.ArgumentParser(prog="python -m studies.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    with (options.out / "train.log").open("w", buffering=1) as file:

        def log(line: str) -> None:
            file.write(line + "\n")
            sys.stderr.write(line + "\n")

        tokenizer = train_tokenizer(options.seed)
        save(train(tokenizer, seed=options.seed, cycles=CYCLES, log=log), tokenizer, options.out)


if __name__ == "__main__":
    main()
