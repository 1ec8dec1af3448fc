"""Log-probabilities of answers that are given, not drawn: whole at once, or token by token as they would be drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from papergate.engines.in_process import attention
from papergate.engines.in_process.strip import Strip
from papergate.engines.records import BEST, Logprobs

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Given = tuple[Sequence[int], Sequence[int]]
"""Token ids of a prompt, and of its answer."""
PIECES = 3
"""Each row is read in so many pieces, where it is read in place."""


def read_at_once(model: "PreTrainedModel", given: Given) -> list[Logprobs]:
    """A row for each token of the answer, as a pass of transformers itself over the whole text has it."""
    import torch

    prompt, answer = given
    model.set_attn_implementation("sdpa")
    ids = torch.tensor([[*prompt, *answer[:-1]]], device=model.device)
    with torch.inference_mode():
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=len(answer)).logits[0]
    return rows_of(logits, answer)


def read_by_steps(model: "PreTrainedModel", given: Sequence[Given], *, in_place: bool) -> list[list[Logprobs]]:
    """The same through the engine's attention: the prompts at once, then one token of every answer at a time."""
    import torch

    attention.prepare(model)
    with torch.inference_mode():
        reading = _Reading(model, given, in_place=in_place)
        found = [[row] for row in reading.prompts()]
        for at in range(max(len(answer) for _, answer in given) - 1):
            for rows, row in zip(found, reading.step(at), strict=True):
                rows.append(row)
    return [rows[: len(answer)] for rows, (_, answer) in zip(found, given, strict=True)]


def rows_of(logits: "torch.Tensor", given: Sequence[int]) -> list[Logprobs]:
    """The best tokens of each place, and the one that was ``given`` there; ``logits`` are (places, vocabulary)."""
    import torch

    logprobs = logits.float().log_softmax(dim=-1)
    best = logprobs.topk(min(BEST, logprobs.shape[-1]), dim=-1)
    own = logprobs.gather(-1, torch.tensor(given, device=logits.device).unsqueeze(-1)).squeeze(-1)
    listed = zip(best.indices.tolist(), best.values.tolist(), given, own.tolist(), strict=True)
    return [{**dict(zip(ids, values, strict=True)), token: its} for ids, values, token, its in listed]


class _Reading:
    """Answers on one strip, each with room for its own prompt and tokens."""

    def __init__(self, model: "PreTrainedModel", given: Sequence[Given], *, in_place: bool) -> None:
        import torch

        self._model, self._in_place, here = model, in_place, model.device
        self._known, self._answers = [prompt for prompt, _ in given], [answer for _, answer in given]
        self._pitch = max(len(prompt) + len(answer) for prompt, answer in given)
        self._strip: Strip[Any] = Strip(self._pitch * len(given))
        self._start = torch.arange(len(given), device=here) * self._pitch
        self._length = torch.tensor([len(prompt) for prompt in self._known], device=here)

    def prompts(self) -> list[Logprobs]:
        """The row of every answer's first token."""
        import torch

        here, rows, width = self._model.device, len(self._known), max(map(len, self._known))
        place = [
            [row * self._pitch + at if at < len(prompt) else self._strip.tokens for at in range(width)]
            for row, prompt in enumerate(self._known)
        ]
        ids = [[*prompt, *[0] * (width - len(prompt))] for prompt in self._known]
        logits = self._model(
            input_ids=torch.tensor(ids, device=here).view(1, -1),
            position_ids=torch.arange(width, device=here).repeat(rows).unsqueeze(0),
            logits_to_keep=torch.arange(rows, device=here) * width + self._length - 1,
            use_cache=False,
            tokens_of=attention.Prompts(
                strip=self._strip, place=torch.tensor(place, device=here).flatten(), width=width
            ),
        ).logits[0]
        return rows_of(logits, [answer[0] for answer in self._answers])

    def step(self, at: int) -> list[Logprobs]:
        """The row that follows token ``at`` of every answer; one that has ended is read on from its last."""
        import torch

        here, last = self._model.device, [min(at, len(answer) - 1) for answer in self._answers]
        ids = torch.tensor([answer[place] for answer, place in zip(self._answers, last, strict=True)], device=here)
        length = self._length + torch.tensor(last, device=here)
        where: dict[str, Any] = {"strip": self._strip, "start": self._start, "length": length}
        tokens_of = (
            attention.StepInPlace(**where, pieces=PIECES)
            if self._in_place
            else attention.StepGathered(**where, longest=self._pitch)
        )
        logits = self._model(
            input_ids=ids.unsqueeze(0), position_ids=length.unsqueeze(0), use_cache=False, tokens_of=tokens_of
        ).logits[0]
        return rows_of(logits, [answer[min(at + 1, len(answer) - 1)] for answer in self._answers])
