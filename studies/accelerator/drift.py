"""How far this device's log-probabilities are from those of a CPU in float32, on the embedded model's own answers.

Three ways to meet a divergence, on the same greedy answers of the CPU:
`prompt`  the answer is given and read at once, as a server's prompt log-probabilities are;
`steps`   the answer is given, but read token by token through the cache, as it is when it is drawn;
`greedy`  the device draws its own answer, with all that makes it fast; compared up to the first other token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
import transformers

from papergate.benchmarks import load, read_specs
from papergate.diagnosis.drift import CLEAR_GAP, HARMED_UNMEASURED, NOISE, WARNED
from papergate.embedded import MODEL_DIR
from papergate.engines.in_process import attention, devices
from papergate.engines.in_process.decoding import Drawn, Row, draw, settled
from papergate.engines.in_process.strip import Strip
from papergate.engines.records import BEST
from papergate.statistics import drift
from studies.accelerator.shapes import device

Model = transformers.PreTrainedModel
Ids = Sequence[list[int]]

ANSWERS = 64
OTHER_ARITHMETIC, DAMAGED = WARNED * NOISE, HARMED_UNMEASURED * NOISE
"""Mean divergence above which the arithmetic is not the declared one, and above which the deployment is damaged. They
hold for this model: bfloat16 costs it 2e-5 to 4e-5, and scores begin to fall between 4e-3 and 8e-3."""
PIECES = 3
"""Each row is read in so many pieces by `steps`; by `greedy` as the engine does it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Divergence:
    """Means over the tokens of the answers."""

    tokens: int
    kl20: float
    """Of the golden's 20 best tokens and one cell for all others, each token's at most 2 nats."""
    mean_abs: float
    """Of the difference of the given token's log-probability, at most 1 nat each."""
    best_kept: float
    """Share of tokens whose best is the same."""


def divergence(golden: torch.Tensor, found: torch.Tensor, given: torch.Tensor) -> Divergence:
    """How far ``found`` is from ``golden``, log-probabilities (tokens, vocabulary); ``given``, (tokens,), came next."""
    best = golden.topk(BEST, dim=-1).indices
    pairs = zip(_rows(golden, best), _rows(found, best), strict=True)
    apart = (found - golden).gather(-1, given.unsqueeze(-1)).abs()
    return Divergence(
        tokens=len(given),
        kl20=fmean(drift.divergence(*pair) for pair in pairs),
        mean_abs=apart.clamp(max=1).mean().item(),
        best_kept=(golden.argmax(dim=-1) == found.argmax(dim=-1)).double().mean().item(),
    )


def _rows(logprobs: torch.Tensor, tokens: torch.Tensor) -> list[dict[int, float]]:
    told = logprobs.double().gather(-1, tokens).tolist()
    return [dict(zip(ids, row, strict=True)) for ids, row in zip(tokens.tolist(), told, strict=True)]


def says(kl20: float) -> str:
    """The name of a divergence."""
    if kl20 > DAMAGED:
        return "damaged"
    return "not the declared arithmetic" if kl20 > OTHER_ARITHMETIC else "as declared"


def measure() -> dict[str, object]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL_DIR)
    prompts = [prompt_ids(tokenizer, problem.prompt) for problem in load(read_specs()["tiny-math"]).problems[:ANSWERS]]
    golden = embedded("cpu", torch.float32)
    answers = greedy(golden, prompts, tokenizer.eos_token_id)
    golden = embedded("cpu", torch.float32)
    truth = [read_at_once(golden, prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]
    found = {"CPU float32 once more": compared(golden, prompts, answers, truth, tokenizer.eos_token_id)}
    for name, made in VARIATIONS.items():
        try:
            found[name] = compared(made(), prompts, answers, truth, tokenizer.eos_token_id)
        except (RuntimeError, TypeError) as error:
            found[name] = {"not_run": f"{type(error).__name__}: {str(error).splitlines()[0]}"}
    torch.set_float32_matmul_precision("highest")
    return {"answers": ANSWERS, "tokens": sum(map(len, answers)), "device": str(device()), "variations": found}


def compared(model: Model, prompts: Ids, answers: Ids, truth: Sequence[torch.Tensor], eos: int) -> dict[str, object]:
    given = torch.tensor([token for answer in answers for token in answer])
    golden = torch.cat(truth)
    at_once = torch.cat([read_at_once(model, *pair) for pair in zip(prompts, answers, strict=True)])
    means, how = settled(model)
    by_steps = torch.cat(read_by_steps(model, prompts, answers, in_place=means.in_place))
    found = {"how": how}
    for name, logprobs in (("prompt", at_once), ("steps", by_steps)):
        apart = divergence(golden, logprobs, given)
        found[name] = {
            "kl20": apart.kl20,
            "mean_abs": apart.mean_abs,
            "best_kept": apart.best_kept,
            "says": says(apart.kl20),
        }
    gaps = [gap(*each) for each in zip(truth, answers, greedy(model, prompts, eos, means), strict=True)]
    found["greedy"] = {
        "other_answers": sum(each is not None for each in gaps),
        "largest_gap": max((each for each in gaps if each is not None), default=0.0),
        "beyond_rounding": sum(each is not None and each > CLEAR_GAP for each in gaps),
    }
    return found


def prompt_ids(tokenizer: transformers.PreTrainedTokenizerBase, prompt: str) -> list[int]:
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
    )
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def embedded(where: object, dtype: torch.dtype) -> transformers.PreTrainedModel:
    return transformers.AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=dtype).to(where).eval()


def greedy(model: Model, prompts: Ids, eos: int, means: devices.Means | None = None) -> list[list[int]]:
    """Each prompt's greedy answer, with the token that ended it."""
    rows = [Row(prompt=tuple(prompt), temperature=0.0, top_p=1.0, max_tokens=256, seed=0) for prompt in prompts]
    return [[*drawn.tokens, *[eos] * drawn.ended] for drawn in draw(model, rows, eos={eos}, means=means)]


@torch.inference_mode()
def read_at_once(model: Model, prompt: list[int], answer: list[int]) -> torch.Tensor:
    """Log-probabilities, (answer, vocabulary) float32 on the CPU, as transformers itself computes them."""
    model.set_attn_implementation("sdpa")
    ids = torch.tensor([prompt + answer[:-1]], device=model.device)
    logits = model(input_ids=ids, use_cache=False, logits_to_keep=len(answer)).logits[0]
    return logits.float().log_softmax(dim=-1).cpu()


@torch.inference_mode()
def read_by_steps(model: Model, prompts: Ids, answers: Ids, *, in_place: bool) -> list[torch.Tensor]:
    """The same through the engine's attention: the prompts at once, then one token of every answer at a time."""
    attention.prepare(model)
    here, pitch = model.device, max(len(p) + len(a) for p, a in zip(prompts, answers, strict=True))
    strip: Strip[Drawn] = Strip(pitch * len(prompts))
    width = max(map(len, prompts))
    place = [
        [row * pitch + at if at < len(prompt) else strip.tokens for at in range(width)]
        for row, prompt in enumerate(prompts)
    ]
    start = torch.arange(len(prompts), device=here) * pitch
    length = torch.tensor([len(prompt) for prompt in prompts], device=here)
    logits = model(
        input_ids=torch.tensor([prompt + [0] * (width - len(prompt)) for prompt in prompts], device=here).view(1, -1),
        position_ids=torch.arange(width, device=here).repeat(len(prompts)).unsqueeze(0),
        logits_to_keep=torch.arange(len(prompts), device=here) * width + length - 1,
        use_cache=False,
        tokens_of=attention.Prompts(strip=strip, place=torch.tensor(place, device=here).flatten(), width=width),
    ).logits[0]
    seen = [logits]
    for at in range(max(map(len, answers)) - 1):
        ids = torch.tensor([answer[min(at, len(answer) - 1)] for answer in answers], device=here)
        more = torch.tensor([min(at, len(answer) - 1) for answer in answers], device=here)
        where = {"strip": strip, "start": start, "length": length + more}
        tokens_of = (
            attention.StepInPlace(**where, pieces=PIECES)
            if in_place
            else attention.StepGathered(**where, longest=pitch)
        )
        seen.append(
            model(
                input_ids=ids.unsqueeze(0),
                position_ids=(length + more).unsqueeze(0),
                use_cache=False,
                tokens_of=tokens_of,
            ).logits[0]
        )
    logprobs = torch.stack(seen, dim=1).float().log_softmax(dim=-1).cpu()
    return [logprobs[row, : len(answer)] for row, answer in enumerate(answers)]


def gap(truth: torch.Tensor, answer: list[int], other: list[int]) -> float | None:
    """Nats by which the golden preferred its own token where the answers part; None where they do not."""
    for at, (own, theirs) in enumerate(zip(answer, other, strict=False)):
        if own != theirs:
            return (truth[at, own] - truth[at, theirs]).item()
    return None


class Stored(torch.nn.Module):
    """A linear layer with weights of eight bits and one scale for each output, computed in its input's type."""

    def __init__(self, linear: torch.nn.Linear, dtype: torch.dtype) -> None:
        super().__init__()
        most = torch.finfo(dtype).max if dtype.is_floating_point else torch.iinfo(dtype).max
        self.scale = (linear.weight.abs().amax(dim=1, keepdim=True).float() / most).clamp(min=1e-12)
        scaled = linear.weight.float() / self.scale
        self.weight = (scaled if dtype.is_floating_point else scaled.round()).to(dtype)
        self.bias = linear.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(x, (self.weight.float() * self.scale).to(x.dtype), self.bias)


def stored(dtype: torch.dtype) -> transformers.PreTrainedModel:
    model = on_device(torch.bfloat16, "highest")
    for layer in model.model.layers:
        for parent in (layer.self_attn, layer.mlp):
            for name, child in list(parent.named_children()):
                if isinstance(child, torch.nn.Linear):
                    setattr(parent, name, Stored(child, dtype))
    return model


def on_device(dtype: torch.dtype, precision: str) -> transformers.PreTrainedModel:
    """``precision`` of float32 products: `highest` is float32 itself, `high` admits TF32."""
    torch.set_float32_matmul_precision(precision)
    return embedded(device(), dtype)


VARIATIONS = {
    "float32, TF32 off": lambda: on_device(torch.float32, "highest"),
    "float32, TF32 on": lambda: on_device(torch.float32, "high"),
    "bfloat16, TF32 off": lambda: on_device(torch.bfloat16, "highest"),
    "bfloat16, TF32 on": lambda: on_device(torch.bfloat16, "high"),
    "bfloat16, int8 weights": lambda: stored(torch.int8),
    "bfloat16, fp8 e4m3 weights": lambda: stored(torch.float8_e4m3fn),
}
