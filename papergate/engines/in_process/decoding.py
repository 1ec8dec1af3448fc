"""Drawing samples from a causal language model: rows join where there is room, and leave when they end.

``generate`` of transformers draws a whole batch from one random stream, so a sample would depend on its neighbours, and
it carries finished rows to the end. Here each row has its own stream, and the next takes the place of one that ended.

A device draws several tokens for every row before this process looks at them. What it needs for that lies in tensors
whose addresses stay the same, so that a step can be captured once and replayed.
"""

import random
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from papergate.engines.in_process import devices
from papergate.engines.in_process.attention import Prompts, StepGathered, StepInPlace, prepare
from papergate.engines.in_process.devices import Means, Room
from papergate.engines.in_process.strip import ROOM, Strip
from papergate.errors import EngineError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

PROMPT_TOKENS = 8192
"""Tokens of one pass over prompts, padding included: more make no device faster, and they take memory."""

STEPS = 16
"""Steps of an accelerator between two looks. A look costs about half a step; a row that has ended draws half of these
for nothing, 8 tokens of the thousands of an answer."""

FILLED = 8
"""Captured batches have a multiple of this many rows, or 2 or 4: so few graphs serve all sizes."""

CANDIDATES = 1024
"""Most probable tokens that a draw looks at. A thinking model keeps far fewer; where one draw keeps more, its steps are
drawn again from the whole vocabulary, and so are all that follow: sorting it takes up to a tenth of a step."""

PIECES, PIECE_TOKENS = 512, 2048
"""A device is busy with this many heads of rows at once; where there are fewer, long rows are read in pieces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One sample to draw."""

    prompt: tuple[int, ...]
    """Token ids."""
    temperature: float
    top_p: float
    top_k: int = 0
    """0: as many as top_p keeps."""
    max_tokens: int
    seed: int

    @property
    def drawn(self) -> tuple[float, float, float]:
        """Temperature, top_p and top_k, as numbers of one tensor."""
        return self.temperature, self.top_p, float(self.top_k)


@dataclass(kw_only=True, slots=True, eq=False)
class Drawn:
    """What has been drawn for a row: its tokens without the one that ended it, and when."""

    row: Row
    tokens: list[int] = field(default_factory=list)
    ended: bool = False
    """True where the model ended it; False where the limit did."""
    joined: float = 0.0
    """When its prompt was read first; the times below count from here, in seconds."""
    first_s: float = 0.0
    last_s: float = 0.0
    """The look that saw its last token."""
    place: int = 0
    """On the strip."""
    stream: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:  # noqa: D105
        self.stream = random.Random(self.row.seed)  # noqa: S311 - reproducible sampling, not a secret

    @property
    def known(self) -> list[int]:
        """Its prompt and what has been drawn."""
        return [*self.row.prompt, *self.tokens]

    @property
    def length(self) -> int:
        """Tokens on the strip: all that are known but the last one drawn, which the next step reads."""
        return len(self.row.prompt) + max(0, len(self.tokens) - 1)

    def keep(self, tokens: Sequence[int], eos: Collection[int]) -> bool:
        """Take ``tokens`` up to its end; whether that is reached."""
        self.last_s = time.perf_counter() - self.joined
        self.first_s = self.first_s or self.last_s
        for token in tokens:
            self.ended = token in eos
            if self.ended:
                return True
            self.tokens.append(token)
            if len(self.tokens) >= self.row.max_tokens:
                return True
        return False


def draw(
    model: "PreTrainedModel", rows: Sequence[Row], *, eos: Collection[int], means: Means | None = None
) -> list[Drawn]:
    """Draw every row to its end, with memory for all of them at once; the result has the order of ``rows``."""
    room = Room(rows=len(rows), tokens=sum(len(row.prompt) + row.max_tokens + ROOM for row in rows))
    decoder = Decoder(model, eos, room, means or devices.choices(model)[-1])
    drawn = [decoder.add(row) for row in rows]
    while decoder.busy:
        decoder.advance()
    return drawn


def settled(model: "PreTrainedModel") -> tuple[Means, str]:
    """The fastest means that work for ``model``, and a line that names them and why no faster one does.

    They are tried on a short row: no table of devices, models and releases would stay true.

    Raises:
        EngineError: the model's attention cannot be done here.
        RuntimeError: none of the means works, or the memory is not enough.
    """
    failed = ""
    *faster, last = devices.choices(model)
    for means in faster:
        try:
            _try(model, means)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - compilers raise what they like, and the next means does without
            failed += f"; {means}: {type(error).__name__}: {_first_line(error)}"
        else:
            return means, f"{means}{failed}"
    _try(model, last)
    return last, f"{last}{failed}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "")


def _try(model: "PreTrainedModel", means: Means) -> None:
    """Draw a short row; a warning of a compiler is shown and fails nothing, even where warnings are errors."""
    row = Row(prompt=(0, 0), temperature=1.0, top_p=1.0, max_tokens=2, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        draw(model, [row], eos=(), means=means)


def choose(
    logits: "torch.Tensor",
    temperature: "torch.Tensor",
    top_p: "torch.Tensor",
    top_k: "torch.Tensor",
    uniform: "torch.Tensor",
) -> "torch.Tensor":
    """One token a row by inverting the cumulative distribution at ``uniform``; arg max where the temperature is 0.

    Args:
        logits: (rows, vocabulary), float32.
        temperature: (rows,).
        top_p: (rows,); the smallest set of tokens whose probability reaches it is kept.
        top_k: (rows,); only so many tokens, whose probabilities then sum to 1 for ``top_p``; 0 keeps all.
        uniform: (rows,) in [0, 1).

    Returns:
        (rows,) token ids.
    """
    return choose_among(logits.shape[1], logits, temperature, top_p, top_k, uniform)[0]


def choose_among(
    candidates: int,
    logits: "torch.Tensor",
    temperature: "torch.Tensor",
    top_p: "torch.Tensor",
    top_k: "torch.Tensor",
    uniform: "torch.Tensor",
) -> "tuple[torch.Tensor, torch.Tensor]":
    """The same from the most probable ``candidates`` alone, and whether they are all that are kept, (rows,) each."""
    import torch

    greedy = temperature == 0
    probabilities = torch.softmax(logits / torch.where(greedy, 1.0, temperature).unsqueeze(1), dim=-1)
    whole = candidates >= logits.shape[1]
    ordered, tokens = probabilities.sort(dim=-1, descending=True) if whole else probabilities.topk(candidates, dim=-1)
    of_few = top_k > 0
    rank = torch.arange(ordered.shape[1], device=ordered.device)
    ordered = ordered * ((rank < top_k.unsqueeze(1)) | ~of_few.unsqueeze(1))
    ordered = ordered / torch.where(of_few, ordered.sum(dim=-1), 1.0).unsqueeze(1)
    cumulative = ordered.cumsum(dim=-1)
    kept = ((cumulative - ordered) < top_p.unsqueeze(1)) & (ordered > 0)
    mass = (ordered * kept).sum(dim=-1)
    place = (cumulative <= (uniform * mass).unsqueeze(1)).sum(dim=-1)
    place = torch.minimum(place, kept.sum(dim=-1) - 1)
    place = torch.where(greedy, 0, place)
    sure = greedy | torch.where(of_few, top_k <= candidates, cumulative[:, -1] >= top_p) | whole
    return tokens.gather(1, place.unsqueeze(1)).squeeze(1), sure


class Decoder:
    """The rows that run on one copy of a model, and those that wait for room.

    Args:
        model: From now on it attends as :mod:`attention` says, so nothing else can use it.
        eos: Tokens that end a row.
        room: How many rows and how many tokens it holds.
        means: How a step is done on the model's device.

    Raises:
        EngineError: the model's attention cannot be done here.
    """

    def __init__(self, model: "PreTrainedModel", eos: Collection[int], room: Room, means: Means) -> None:
        prepare(model)
        devices.compile_layers(model, compiled=means.compiled)
        self._model, self._eos, self.room, self._means = model, frozenset(eos), room, means
        self._waiting: deque[Drawn] = deque()
        self.strip: Strip[Drawn] = Strip(room.tokens)
        self._state = _State(room.rows + FILLED, STEPS if means.ahead else 1, model.device)
        self._graphs = devices.Graphs(model.device)
        self._captured: dict[tuple[int, ...], Callable[[], None]] = {}
        self._candidates = CANDIDATES

    @property
    def busy(self) -> bool:
        """Whether a row runs or waits."""
        return bool(self.strip.rows or self._waiting)

    @property
    def wanted(self) -> int:
        """How many more rows could run."""
        return max(0, self.room.rows - len(self.strip.rows) - len(self._waiting))

    def add(self, row: Row) -> Drawn:
        """Let ``row`` wait for room; what is drawn for it is seen in the result."""
        drawn = Drawn(row=row)
        self._waiting.append(drawn)
        return drawn

    def advance(self) -> list[Drawn]:
        """Let waiting rows join, draw the next tokens of all; the rows that ended."""
        import torch

        with torch.inference_mode():
            ended = self._join()
            self._waiting.extendleft(self.strip.make_room(self._state.steps))
            return ended + self._draw()

    def _join(self) -> list[Drawn]:
        """Read the prompts of the rows that find room; those that ended with their first token."""
        new: list[Drawn] = []
        while self._waiting and len(self.strip.rows) < self.room.rows and self.strip.put(self._waiting[0]):
            new.append(self._waiting.popleft())
        return [drawn for group in _groups(new) for drawn in self._read(group)]

    def _read(self, group: Sequence[Drawn]) -> list[Drawn]:
        """One pass over all that is known of ``group``, and the next token of each; the rows that it ended."""
        now = time.perf_counter()
        for drawn in group:
            drawn.joined = drawn.joined or now
        logits = self._model(**self._prompts(group)).logits[0].float()
        self._state.load(group, len(group), steps=1)
        chosen = choose(logits, *self._state.sampling(len(group)))
        return self._keep(group, chosen.unsqueeze(1).tolist())

    def _prompts(self, group: Sequence[Drawn]) -> dict[str, object]:
        """The arguments of a pass over prompts; their padding goes behind the strip."""
        import torch

        known, here = [drawn.known for drawn in group], self._model.device
        width = max(map(len, known))
        ids = [[*each, *[0] * (width - len(each))] for each in known]
        place = [
            [*range(drawn.place, drawn.place + len(each)), *[self.strip.tokens] * (width - len(each))]
            for drawn, each in zip(group, known, strict=True)
        ]
        last = [row * width + len(each) - 1 for row, each in enumerate(known)]
        return {
            "input_ids": torch.tensor(ids, device=here).view(1, -1),
            "position_ids": torch.arange(width, device=here).repeat(len(group)).unsqueeze(0),
            "logits_to_keep": torch.tensor(last, device=here),
            "use_cache": False,
            "tokens_of": Prompts(strip=self.strip, place=torch.tensor(place, device=here).flatten(), width=width),
        }

    def _draw(self) -> list[Drawn]:
        """Draw the next tokens of every row; the rows that ended."""
        rows = [*self.strip.rows]
        if not rows:
            return []
        filled = _filled(len(rows)) if self._means.captured else len(rows)
        self._state.load(rows, filled, steps=self._state.steps, idle_place=self.strip.tokens)
        self._run(rows, filled)
        if not self._state.sure.item():
            self._candidates = sys.maxsize
            self._state.restore()
            self._run(rows, filled)
        return self._keep(rows, self._state.chosen[:, : len(rows)].T.tolist())

    def _run(self, rows: Sequence[Drawn], filled: int) -> None:
        """All steps of a look at ``rows``, in a batch of ``filled``."""
        longest = max(drawn.length for drawn in rows)
        if not self._means.captured:
            for done in range(self._state.steps):
                self._step(filled, longest=longest + done + 1)
            return
        step = (filled, self._pieces(len(rows), longest), self._candidates)
        if step not in self._captured:
            self._captured[step] = self._graphs.capture(lambda: self._step(filled, pieces=step[1]))
            self._state.restore()
        for _ in range(self._state.steps):
            self._captured[step]()

    def _pieces(self, rows: int, longest: int) -> int:
        """How many pieces of a row are read at once, a power of two: none shorter than ``PIECE_TOKENS``."""
        most = min(PIECES // (rows * devices.cached_heads(self._model)), longest // PIECE_TOKENS)
        return 1 << max(1, most).bit_length() - 1

    def _step(self, rows: int, *, longest: int = 0, pieces: int = 1) -> None:
        """One pass over the last token of each row and the next token of each, all of it on the device."""
        ids, length, start = self._state.rows(rows)
        where = {"strip": self.strip, "start": start, "length": length}
        in_place = self._means.in_place
        tokens_of = StepInPlace(**where, pieces=pieces) if in_place else StepGathered(**where, longest=longest)
        logits = self._model(
            input_ids=ids.unsqueeze(0), position_ids=length.unsqueeze(0), use_cache=False, tokens_of=tokens_of
        ).logits[0]
        self._state.take(*choose_among(self._candidates, logits.float(), *self._state.sampling(rows)))

    def _keep(self, rows: Sequence[Drawn], tokens: Sequence[Sequence[int]]) -> list[Drawn]:
        """Give each row its tokens; take those that ended off the strip."""
        ended = [drawn for drawn, its in zip(rows, tokens, strict=True) if drawn.keep(its, self._eos)]
        for drawn in ended:
            self.strip.rows.remove(drawn)
        return ended


class _State:
    """What a step reads and writes on the device, at addresses that stay the same; room for ``rows`` and ``steps``."""

    def __init__(self, rows: int, steps: int, device: "torch.device") -> None:
        import torch

        self.steps = steps
        self._rows = torch.zeros(3, rows, dtype=torch.int64, device=device)
        self._sampling = torch.zeros(3 + steps, rows, device=device)
        self._done = torch.zeros(1, dtype=torch.int64, device=device)
        self.chosen = torch.zeros(steps, rows, dtype=torch.int64, device=device)
        self.sure = torch.ones(1, dtype=torch.bool, device=device)
        """Whether every draw had enough candidates."""

    def load(self, rows: Sequence[Drawn], filled: int, *, steps: int, idle_place: int = 0) -> None:
        """Take the state of ``rows``, and a number of their streams per step; idle rows fill up to ``filled``."""
        import torch

        idle = filled - len(rows)
        counts = [[[*each.row.prompt[-1:], *each.tokens[-1:]][-1], each.length, each.place] for each in rows]
        counts += [[0, 0, idle_place + place * (self.steps + 1)] for place in range(idle)]
        draws = [[*each.row.drawn, *(each.stream.random() for _ in range(steps))] for each in rows]
        draws += [[0.0, 1.0, 0.0, *[0.0] * steps]] * idle
        self._loaded = torch.tensor(counts).T, torch.tensor(draws).T
        self.restore()

    def restore(self) -> None:
        """Load the same once more."""
        for there, loaded in zip((self._rows, self._sampling), self._loaded, strict=True):
            there[: len(loaded), : loaded.shape[1]] = loaded.to(there.device)
        self._done.zero_()
        self.sure.fill_(True)  # noqa: FBT003 - a value, not a switch

    def rows(self, rows: int) -> "torch.Tensor":
        """(3, rows): last token, tokens on the strip, place."""
        return self._rows[:, :rows]

    def sampling(self, rows: int) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]":
        """Temperature, top_p, top_k and the random number of the present step, (rows,) each."""
        temperature, top_p, top_k = self._sampling[:3, :rows]
        return temperature, top_p, top_k, self._sampling.index_select(0, self._done + 3)[0, :rows]

    def take(self, chosen: "torch.Tensor", sure: "torch.Tensor") -> None:
        """Make ``chosen`` each row's last token, and note whether all are ``sure``."""
        rows = len(chosen)
        self.sure &= sure.all()
        self.chosen[:, :rows].index_copy_(0, self._done, chosen.unsqueeze(0))
        self._rows[0, :rows] = chosen
        self._rows[1, :rows] += 1
        self._done += 1


def _filled(rows: int) -> int:
    """The next size of a captured batch."""
    return max(2, 1 << (rows - 1).bit_length()) if rows < FILLED else -(-rows // FILLED) * FILLED


def _groups(rows: Sequence[Drawn]) -> list[list[Drawn]]:
    """Rows of about one length together, each group at most ``PROMPT_TOKENS`` with its padding, or one row."""
    groups: list[list[Drawn]] = []
    for drawn in sorted(rows, key=lambda drawn: len(drawn.known)):
        if groups and len(drawn.known) * (len(groups[-1]) + 1) <= PROMPT_TOKENS:
            groups[-1].append(drawn)
        else:
            groups.append([drawn])
    return groups
