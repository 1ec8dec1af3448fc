"""Attention over rows that lie on a strip: what transformers calls in every layer of a model.

The model sees one flat sequence, (1, tokens): the rows meet in attention alone, and it knows where each one lies.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from papergate.engines.in_process.strip import Strip
from papergate.errors import EngineError
from papergate.run_folder.notes import note
from papergate.words import worded

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

NAME = "papergate-strip"
"""Under which transformers knows :func:`attention`."""

UNKNOWN = ("sliding_window", "softcap", "s_aux", "position_bias")
"""What some models ask of attention, and this one does not do."""


class Pass(Protocol):
    """One forward pass: where its tokens go, and what each of them sees."""

    strip: Strip[Any]
    place: "torch.Tensor"
    """(tokens,): where each token's key and value go."""

    def attend(
        self, layer: int, query: "torch.Tensor", key: "torch.Tensor", value: "torch.Tensor", scale: float | None
    ) -> "torch.Tensor":
        """(1, heads, tokens, head dimension) each -> (1, tokens, heads, head dimension)."""


def prepare(model: "PreTrainedModel") -> None:
    """Let ``model`` use :func:`attention` from now on.

    Raises:
        EngineError: the model brings an attention of its own.
    """
    import torch
    from transformers import AttentionInterface

    # what lies on the strip differs from layer to layer, so attention is no part of what layers have in common
    AttentionInterface.register(NAME, torch.compiler.disable(attention))  # type: ignore[no-untyped-call]
    model.set_attn_implementation(NAME)
    if model.config.get_text_config()._attn_implementation != NAME:  # noqa: SLF001 - transformers has no public name
        raise worded(EngineError, note("attention_of_its_own", model=type(model).__name__))
    layers = int(model.config.get_text_config().num_hidden_layers)
    if (attending := len(_layers_that_attend(model))) != layers:
        seen = {"attending": attending, "layers": layers}
        raise worded(EngineError, note("attention_in_some_layers", model=type(model).__name__, **seen))


def _layers_that_attend(model: "PreTrainedModel") -> set[object]:
    """The layers whose tokens meet in attention; state-space mixers have a number too, but no mask to be causal."""
    attending = (each for each in model.modules() if hasattr(each, "is_causal"))
    return {each.layer_idx for each in attending if hasattr(each, "layer_idx")}


def attention(
    module: "torch.nn.Module",
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: "torch.Tensor | None",  # noqa: ARG001 - what a token sees is known from the pass
    *,
    tokens_of: Pass,
    scaling: float | None = None,
    **others: object,
) -> "tuple[torch.Tensor, None]":
    """Keep the keys and values of a layer, and attend as the pass says.

    Raises:
        EngineError: the model asks for a kind of attention that is not done here.
    """
    asked = [name for name in UNKNOWN if others.get(name) is not None]
    if asked:
        raise worded(EngineError, note("attention_unknown", asked=asked))
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    tokens_of.strip.write(layer, key, value, tokens_of.place)
    return tokens_of.attend(layer, query, key, value, scaling), None


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """Whole prompts, padded on the right to one width, one behind the other."""

    strip: Strip[Any]
    place: "torch.Tensor"
    width: int

    def attend(
        self,
        layer: int,  # noqa: ARG002 - a prompt sees nothing but itself
        query: "torch.Tensor",
        key: "torch.Tensor",
        value: "torch.Tensor",
        scale: float | None,
    ) -> "torch.Tensor":
        """A token sees those before it in its own prompt, so no token that counts sees the padding."""
        import torch

        shared = query.shape[1] // key.shape[1]
        query, key, value = (
            each[0].reshape(each.shape[1], -1, self.width, each.shape[3]).transpose(0, 1)
            for each in (query, key, value)
        )
        key, value = (each.repeat_interleave(shared, dim=1) for each in (key, value))
        out = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale)
        return out.transpose(1, 2).flatten(0, 1).unsqueeze(0)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One new token per row, which sees its row up to itself.

    The query heads that share a key-value head go to it as that many queries: its cache is read once for all of them.
    """

    strip: Strip[Any]
    start: "torch.Tensor"
    """(rows,): where each row begins, in rising order."""
    length: "torch.Tensor"
    """(rows,): its tokens on the strip before this pass."""

    @cached_property
    def place(self) -> "torch.Tensor":
        """(rows,): the place behind the last token."""
        return self.start + self.length


@dataclass(frozen=True, kw_only=True)
class StepInPlace(Step):
    """The rows are read where they lie, by torch's attention over sequences of various lengths.

    It wants sequences without gaps between them, so each gap is a sequence of its own that asks nothing.
    """

    pieces: int = 1
    """Each row is read as so many sequences at once, since one alone cannot use a device's whole bandwidth."""

    def attend(
        self,
        layer: int,
        query: "torch.Tensor",
        key: "torch.Tensor",
        value: "torch.Tensor",  # noqa: ARG002 - it is on the strip
        scale: float | None,
    ) -> "torch.Tensor":
        """As the protocol says."""
        from torch.nn.attention.varlen import AuxRequest, varlen_attn

        queries = _sharing(query, key.shape[1])
        rows, shared, heads, dimension = queries.shape
        asked = queries.unsqueeze(1).expand(rows, self.pieces, shared, heads, dimension)
        out, weight = varlen_attn(
            asked.flatten(0, 2),
            *self.strip.layers[layer],
            self._asked.to(key.device) * shared,
            self._held.to(key.device),
            shared,
            self.strip.tokens,
            return_aux=AuxRequest(lse=True),
            scale=scale,
        )
        out = out.view(asked.shape)
        return _flat(out[:, 0] if self.pieces == 1 else self._joined(out, weight))

    def _joined(self, out: "torch.Tensor", weight: "torch.Tensor") -> "torch.Tensor":
        """The mean of the pieces of each row, weighted by their sums of exponentials.

        Args:
            out: (rows, pieces, heads that share, key-value heads, dimension).
            weight: (key-value heads, rows x pieces x heads that share), logarithms.
        """
        import torch

        weight = weight.view(out.shape[3], *out.shape[:3]).permute(1, 2, 3, 0)
        nothing = (self._cuts.diff(dim=1) == 0)[:, :, None, None].to(out.device)
        share = weight.masked_fill(nothing, -torch.inf).softmax(dim=1).unsqueeze(-1)
        return (out * share).sum(dim=1).to(out.dtype)

    @cached_property
    def _cuts(self) -> "torch.Tensor":
        """(rows, pieces + 1): where each piece begins, and where the row ends."""
        import torch

        part = torch.arange(self.pieces + 1, device=self.start.device)
        return self.start.unsqueeze(1) + (self.length.unsqueeze(1) + 1) * part // self.pieces

    @cached_property
    def _held(self) -> "torch.Tensor":
        """Bounds of all sequences on the strip: the gap before a row, its pieces, the next gap and so on."""
        import torch

        return torch.nn.functional.pad(self._cuts.flatten(), (1, 0)).int()

    @cached_property
    def _asked(self) -> "torch.Tensor":
        """How many pieces lie before each of those bounds."""
        import torch

        bound = torch.arange(len(self._held), device=self.start.device)
        row, within = bound // (self.pieces + 1), bound % (self.pieces + 1)
        return (row * self.pieces + (within - 1).clamp(min=0)).int()


@dataclass(frozen=True, kw_only=True)
class StepGathered(Step):
    """The rows are copied side by side first, padded to the longest: for devices and numbers without that kernel."""

    longest: int
    """Tokens of the longest row, with the new one."""

    def attend(
        self,
        layer: int,
        query: "torch.Tensor",
        key: "torch.Tensor",
        value: "torch.Tensor",  # noqa: ARG002 - it is on the strip
        scale: float | None,
    ) -> "torch.Tensor":
        """As the protocol says."""
        import torch

        places, seen = (each.to(key.device) for each in self._gathering)
        queries = _sharing(query, key.shape[1]).transpose(1, 2)
        keys, values = (
            strip.index_select(0, places).view(-1, self.longest, *strip.shape[1:]).transpose(1, 2)
            for strip in self.strip.layers[layer]
        )
        out = torch.nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=seen, scale=scale)
        return _flat(out.transpose(1, 2))

    @cached_property
    def _gathering(self) -> "tuple[torch.Tensor, torch.Tensor]":
        """(rows x longest,): what to copy; (rows, 1, 1, longest): what of it is seen."""
        import torch

        offset = torch.arange(self.longest, device=self.start.device)
        seen = offset <= self.length.unsqueeze(1)
        return (self.start.unsqueeze(1) + offset * seen).flatten(), seen[:, None, None]


def _sharing(query: "torch.Tensor", heads: int) -> "torch.Tensor":
    """(1, query heads, rows, dimension) -> (rows, query heads that share one key-value head, ``heads``, dimension)."""
    _, all_heads, rows, dimension = query.shape
    return query[0].reshape(heads, all_heads // heads, rows, dimension).permute(2, 1, 0, 3)


def _flat(out: "torch.Tensor") -> "torch.Tensor":
    """The way back, to (1, rows, query heads, dimension)."""
    return out.transpose(1, 2).flatten(1, 2).unsqueeze(0)
