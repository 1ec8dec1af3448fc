"""Drawing a batch of samples from a causal language model: left padding, one random stream a row, stop at EOS.

``generate`` of transformers draws a whole batch from one random stream, so a sample would depend on its neighbours, and
it carries finished rows to the end. Here each row has its own stream, and finished rows leave the batch.
"""

import inspect
import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

SHRINK_BELOW = 0.75
"""The batch is compacted once fewer than this share of its rows still run: copying the cache costs about one step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One sample to draw."""

    prompt: tuple[int, ...]
    """Token ids."""
    temperature: float
    top_p: float
    max_tokens: int
    seed: int


@dataclass(kw_only=True, slots=True)
class Drawn:
    """What was drawn for a row: its tokens without the one that ended it, and when."""

    tokens: list[int] = field(default_factory=list)
    ended: bool = False
    """True where the model ended it; False where the limit did."""
    first_s: float = 0.0
    last_s: float = 0.0


def draw(model: "PreTrainedModel", rows: Sequence[Row], *, eos: Collection[int]) -> list[Drawn]:
    """Draw every row to its end; the result has the order of ``rows``, times in seconds since the call."""
    import torch

    with torch.inference_mode():
        return _Batch(model, rows, eos).run()


def choose(
    logits: "torch.Tensor", temperature: "torch.Tensor", top_p: "torch.Tensor", uniform: "torch.Tensor"
) -> "torch.Tensor":
    """One token a row by inverting the cumulative distribution at ``uniform``; arg max where the temperature is 0.

    Args:
        logits: (rows, vocabulary), float32.
        temperature: (rows,).
        top_p: (rows,); the smallest set of tokens whose probability reaches it is kept.
        uniform: (rows,) in [0, 1).

    Returns:
        (rows,) token ids.
    """
    import torch

    greedy = temperature == 0
    scaled = logits / torch.where(greedy, 1.0, temperature).unsqueeze(1)
    ordered, tokens = torch.softmax(scaled, dim=-1).sort(dim=-1, descending=True)
    cumulative = ordered.cumsum(dim=-1)
    kept = (cumulative - ordered) < top_p.unsqueeze(1)
    mass = (ordered * kept).sum(dim=-1)
    place = (cumulative <= (uniform * mass).unsqueeze(1)).sum(dim=-1)
    place = torch.minimum(place, kept.sum(dim=-1) - 1)
    place = torch.where(greedy, 0, place)
    return tokens.gather(1, place.unsqueeze(1)).squeeze(1)


def cache_argument(model: "PreTrainedModel") -> str:
    """The name under which the model takes its key-value cache: ``cache`` from transformers 5.24 on.

    Earlier releases, and models that bring code of their own, say ``past_key_values``.
    """
    return "cache" if "cache" in inspect.signature(type(model).forward).parameters else "past_key_values"


class _Batch:
    """The rows still running: their cache, masks and random streams."""

    def __init__(self, model: "PreTrainedModel", rows: Sequence[Row], eos: Collection[int]) -> None:
        import torch
        from transformers import DynamicCache

        self._model, self._rows, self._eos = model, rows, frozenset(eos)
        self._drawn = [Drawn() for _ in rows]
        self._streams = [random.Random(row.seed) for row in rows]  # noqa: S311 - reproducible sampling, not a secret
        self._alive = list(range(len(rows)))
        self._cache = DynamicCache(config=model.config)
        self._cache_argument = cache_argument(model)
        self._started = time.perf_counter()
        width = max(len(row.prompt) for row in rows)
        ids = [[0] * (width - len(row.prompt)) + list(row.prompt) for row in rows]
        mask = [[0] * (width - len(row.prompt)) + [1] * len(row.prompt) for row in rows]
        self._ids = torch.tensor(ids, device=model.device)
        self._mask = torch.tensor(mask, device=model.device)
        self._settings = torch.tensor([[row.temperature, row.top_p] for row in rows], device=model.device)

    def run(self) -> list[Drawn]:
        running = set(self._alive)
        while running:
            chosen = self._step()
            ended = {
                index for index, token in zip(self._alive, chosen, strict=True) if self._keep(index, token, running)
            }
            running -= ended
            if running and len(running) < SHRINK_BELOW * len(self._alive):
                self._compact(running)
        return self._drawn

    def _step(self) -> list[int]:
        """One forward pass; the token chosen for each row of the batch."""
        import torch

        positions = (self._mask.cumsum(dim=1) - 1).clamp(min=0)[:, -self._ids.shape[1] :]
        output = self._model(
            input_ids=self._ids,
            attention_mask=self._mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **{self._cache_argument: self._cache},
        )
        uniform = torch.tensor([self._streams[index].random() for index in self._alive], device=self._mask.device)
        logits = output.logits[:, -1].float()
        chosen = choose(logits, self._settings[:, 0], self._settings[:, 1], uniform)
        self._ids = chosen.unsqueeze(1)
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._alive), 1)], dim=1)
        tokens: list[int] = chosen.tolist()
        return tokens

    def _keep(self, index: int, token: int, running: Collection[int]) -> bool:
        """Keep ``token`` for a row that still runs; whether that ended the row."""
        if index not in running:
            return False
        drawn, now = self._drawn[index], time.perf_counter() - self._started
        drawn.first_s = drawn.first_s or now
        drawn.last_s = now
        if token in self._eos:
            drawn.ended = True
            return True
        drawn.tokens.append(token)
        return len(drawn.tokens) >= self._rows[index].max_tokens

    def _compact(self, running: Collection[int]) -> None:
        """Let finished rows leave the batch."""
        import torch

        places = [place for place, index in enumerate(self._alive) if index in running]
        keep = torch.tensor(places, device=self._mask.device)
        self._cache.batch_select_indices(keep)
        self._ids, self._mask, self._settings = self._ids[keep], self._mask[keep], self._settings[keep]
        self._alive = [self._alive[place] for place in places]
