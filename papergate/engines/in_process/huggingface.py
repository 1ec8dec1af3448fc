"""transformers in process: continuous batching on this machine's own devices."""

import asyncio
import hashlib
import queue
import sys
import threading
from collections.abc import Collection, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from papergate.embedded import folder_of
from papergate.engines import hardware
from papergate.engines.checkpoint import refuse_incomplete
from papergate.engines.in_process import devices
from papergate.engines.in_process.decoding import Decoder, Drawn, Row, draw, settled
from papergate.engines.in_process.devices import Means, Room
from papergate.engines.in_process.reading import Given, read_at_once, read_by_steps
from papergate.engines.in_process.rounding import round_weights
from papergate.engines.managed.environment import environment
from papergate.engines.records import Completion, EngineIdentity, Finish, Form, Logprobs, Request
from papergate.engines.spec import Ability, EngineSpec, Start
from papergate.engines.weights import digest_of_weights
from papergate.errors import EngineError, EngineRefused
from papergate.extras import install
from papergate.promises.records import Deployment, Sampling
from papergate.run_folder.notes import note
from papergate.words import worded

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

GATHER_S = 0.02
"""How long an idle copy waits for one more request before it begins: far below the time of any answer."""

_Pending = tuple[Request, Row, "asyncio.Future[Completion]", asyncio.AbstractEventLoop]


class HuggingFaceEngine:
    """A model in this process, or copies of it on several devices; requests join the running batch as others end.

    Args:
        copies: The same weights, each with its own worker; one that has room takes the next request.
        means: How steps are done on their devices; by default the plainest way.
    """

    def __init__(
        self,
        copies: "Sequence[PreTrainedModel]",
        tokenizer: "PreTrainedTokenizerBase",
        identity: EngineIdentity,
        means: Means | None = None,
    ) -> None:
        self._copies, self._tokenizer, self._identity = copies, tokenizer, identity
        self._eos = _eos_ids(copies[0], tokenizer)
        self._means = means or devices.choices(copies[0])[-1]
        self._room: Room | None = None
        self._waiting: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._workers = [
            threading.Thread(target=self._serve, args=(copy,), name=f"papergate-huggingface-{place}", daemon=True)
            for place, copy in enumerate(copies)
        ]
        for worker in self._workers:
            worker.start()

    @property
    def concurrency(self) -> int:
        """Twice the batch of every copy: a request always waits where another ends."""
        return 2 * devices.MAX_BATCH * len(self._copies)

    def identity(self) -> EngineIdentity:
        """Who answers."""
        return self._identity

    def check(self, sampling: Sampling, prompts: Sequence[str], form: Form | None = None) -> None:
        """Refuse a context that is too short; size the cache to the memory that is free.

        Raises:
            EngineRefused: prompt and output together exceed what the model was built for.
        """
        longest = max((len(self.prompt_ids(prompt)) for prompt in prompts), default=0)
        context = self._context
        asked = 0 if form and not form.is_bounded else sampling.max_tokens
        needed = longest + asked
        if context is not None and needed > context:
            limits = {"context": context, "longest": longest, "max_tokens": sampling.max_tokens, "needed": needed}
            raise worded(EngineRefused, note("prompt_too_long", model=self._identity.model, **limits))
        self._room = devices.room(self._copies, needed if asked else context or needed + sampling.max_tokens)

    async def complete(self, request: Request) -> Completion:
        """Draw one sample; it joins the batch that is gathering."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Completion] = loop.create_future()
        self._waiting.put((request, self._row(request), future, loop))
        return await future

    def _row(self, request: Request) -> Row:
        sampling, prompt = request.sampling, self._ids_of(request.turns)
        return Row(
            prompt=prompt,
            temperature=float(sampling.temperature),
            top_p=float(sampling.top_p),
            top_k=sampling.top_k or 0,
            max_tokens=self._most_tokens(request, len(prompt)),
            seed=request.seed,
        )

    def round_weights(self, bits: int) -> None:
        """Damage the model: its weights in so many bits, without calibration; nothing else may run meanwhile."""
        for copy in self._copies:
            round_weights(copy, bits)

    @property
    def ends(self) -> Collection[int]:
        """The tokens that end an answer."""
        return self._eos

    def draw_ids(self, requests: Sequence[Request]) -> list[list[int]]:
        """The token ids of each answer, the one that ended it included; nothing else may be drawn meanwhile."""
        rows = [self._row(request) for request in requests]
        drawn = draw(self._copies[0], rows, eos=self._eos, means=self._means)
        end = next(iter(sorted(self._eos)), 0)
        return [[*each.tokens, *[end] * each.ended] for each in drawn]

    def read(self, given: Sequence[Given]) -> list[list[Logprobs]]:
        """Log-probabilities of given answers, read token by token as they are drawn; nothing else may run meanwhile."""
        return read_by_steps(self._copies[0], given, in_place=self._means.in_place)

    def read_whole(self, given: Sequence[Given]) -> list[list[Logprobs]]:
        """The same, each answer read at once by transformers itself; nothing can be drawn afterwards."""
        return [read_at_once(self._copies[0], each) for each in given]

    def prompt_ids(self, prompt: str) -> tuple[int, ...]:
        """A user turn with the chat template as token ids."""
        return self._ids_of([{"role": "user", "content": prompt}])

    def _ids_of(self, turns: list[dict[str, str]]) -> tuple[int, ...]:
        if not self._tokenizer.chat_template:  # a base model: its text is continued as it stands
            return tuple(self._tokenizer("".join(turn["content"] for turn in turns))["input_ids"])
        return self.plain_ids(
            str(self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False))
        )

    @property
    def _context(self) -> int | None:
        context: int | None = getattr(self._copies[0].config, "max_position_embeddings", None)
        return context

    def _most_tokens(self, request: Request, prompt_tokens: int) -> int:
        """As asked, or as many as the context has room for."""
        if request.form is None or request.form.is_bounded or self._context is None:
            return request.sampling.max_tokens
        return max(1, min(request.sampling.max_tokens, self._context) - prompt_tokens)

    def plain_ids(self, text: str) -> tuple[int, ...]:
        """A text without chat template as token ids."""
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    @property
    def vocabulary(self) -> int:
        """Tokens that the tokenizer knows."""
        return len(self._tokenizer)

    def texts(self, ids: Iterable[int]) -> dict[int, str]:
        """The text of each token alone."""
        return {token: str(self._tokenizer.decode([token])) for token in ids}

    def close(self) -> None:
        """Stop every worker after its present batch; may be called twice."""
        alive = [worker for worker in self._workers if worker.is_alive()]
        for _ in alive:
            self._waiting.put(None)
        for worker in alive:
            worker.join()

    def _serve(self, model: "PreTrainedModel") -> None:
        """A worker: requests join as there is room and leave as they end, until a None comes."""
        devices.use(model.device)
        decoder: Decoder | None = None
        while batch := self._gather():
            room = self._room or self._room_for(batch)
            running: dict[Drawn, _Pending] = {}
            try:
                if decoder is None or decoder.room != room:
                    decoder = Decoder(model, self._eos, room, self._means)
                while batch or running:
                    running |= {decoder.add(pending[1]): pending for pending in batch}
                    for drawn in decoder.advance():
                        pending = running.pop(drawn)
                        _deliver(pending, self._completion(pending[0], drawn))
                    batch = self._take(decoder.wanted)
            except Exception as error:  # noqa: BLE001 - whatever torch raises belongs to the requests that it was drawing
                decoder = None
                for pending in (*running.values(), *batch):
                    _deliver(pending, _failure(error))

    def _gather(self) -> list[_Pending]:
        """Wait for a request, and for what comes with it; empty when it is time to stop."""
        first = self._waiting.get()
        return [] if first is None else [first, *self._take(devices.MAX_BATCH - 1, patience_s=GATHER_S)]

    def _take(self, most: int, *, patience_s: float = 0.0) -> list[_Pending]:
        """What waits, at most ``most``; a sign to stop is left for when all rows have ended."""
        batch: list[_Pending] = []
        while len(batch) < most:
            try:
                pending = self._waiting.get(timeout=patience_s) if patience_s else self._waiting.get_nowait()
            except queue.Empty:
                break
            if pending is None:
                self._waiting.put(None)
                break
            batch.append(pending)
        return batch

    def _room_for(self, batch: Iterable[_Pending]) -> Room:
        """Room where nothing was checked: as the first requests need it."""
        return devices.room(self._copies, max(len(row.prompt) + row.max_tokens for _, row, _, _ in batch))

    def _completion(self, request: Request, drawn: Drawn) -> Completion:
        return Completion(
            problem=request.problem,
            sample=request.sample,
            seed=request.seed,
            text=str(self._tokenizer.decode(drawn.tokens, skip_special_tokens=True)),
            finish=Finish.STOP if drawn.ended else Finish.LENGTH,
            prompt_tokens=len(drawn.row.prompt),
            output_tokens=len(drawn.tokens) + drawn.ended,
            ttft_s=drawn.first_s,
            e2e_s=drawn.last_s,
        )


def load(model: str, *, dtype: str = "auto") -> HuggingFaceEngine:
    """Load ``model`` - ``papergate-tiny``, a local folder, or a hub id - onto the devices of this machine.

    ``dtype`` is that of the weights as torch names it, or ``auto`` for the checkpoint's own.

    Raises:
        EngineError: torch or transformers are missing, the folder lacks weights or tokenizer, or loading fails.
    """
    path = folder_of(model)
    refuse_incomplete(path)  # before torch, whose import takes seconds
    try:
        import torch  # noqa: F401 - named in the message if it is missing
        import transformers
    except ImportError as error:
        needed = note("package_missing", engine="huggingface", package=error.name, install=install("hf"))
        raise worded(EngineError, needed) from error
    if not sys.stderr.isatty():
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a log keeps all its states
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path)
        copies = [
            transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype, device_map=placement)
            for placement in devices.placements(path, dtype)
        ]
        devices.settle_threads(copies[0])
        means, how = settled(copies[0])
    except (OSError, ValueError, RuntimeError) as error:
        said = note("model_not_loaded", model=model, said=f"{error}{_remedy(error)}")
        raise worded(EngineError, said) from error
    return HuggingFaceEngine(copies, tokenizer, _identity(model, path, copies, tokenizer, how), means)


def _eos_ids(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> Collection[int]:
    """Every token that ends a completion, as the model's own generation settings and the tokenizer say."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    listed = configured if isinstance(configured, list) else [configured]
    return {int(token) for token in [*listed, tokenizer.eos_token_id] if token is not None}


def _identity(
    model: str, path: str, copies: "Sequence[PreTrainedModel]", tokenizer: "PreTrainedTokenizerBase", how: str
) -> EngineIdentity:
    import torch
    import transformers

    loaded, template = copies[0], tokenizer.chat_template or ""
    record = (
        hardware.environment()
        | environment()
        | {
            "cpu": hardware.cpu(),
            "device": ", ".join(str(copy.device) for copy in copies),
            "dtype": str(loaded.dtype).removeprefix("torch."),
            "decoding": how,
            "threads": str(torch.get_num_threads()),
            "parameters": str(loaded.num_parameters()),
        }
    )
    return EngineIdentity(
        engine="huggingface",
        version=f"transformers {transformers.__version__}, torch {torch.__version__}",
        model=model,
        revision=getattr(loaded.config, "_commit_hash", None) or digest_of_weights(Path(path)),
        template=hashlib.sha256(str(template).encode()).hexdigest() if template else "",
        environment=record,
    )


def _failure(error: Exception) -> Exception:
    """The error of the requests that were being drawn."""
    return worded(
        EngineError, note("generation_failed", kind=type(error).__name__, error=f"{error}", remedy=_remedy(error))
    )


def _remedy(error: Exception) -> str:
    """What to do where torch ran out of memory; nothing is known of other errors."""
    out_of_memory = type(error).__name__ == "OutOfMemoryError"
    return "; free the device, use more devices, or lower max_tokens" if out_of_memory else ""


def _deliver(pending: _Pending, outcome: Completion | Exception) -> None:
    """Hand a request its result on its own loop; a caller that has gone is let go."""
    _, _, future, loop = pending
    if not loop.is_closed():
        loop.call_soon_threadsafe(_settle, future, outcome)


def _settle(future: "asyncio.Future[Completion]", outcome: Completion | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


INSTALL = install("hf")


def _missing(_: Deployment) -> str:
    absent = [package for package in ("torch", "transformers") if not find_spec(package)]
    return f"{' and '.join(absent)} not installed: {INSTALL}" if absent else ""


def _start(deployment: Deployment, start: Start) -> HuggingFaceEngine:
    return load(start.model, dtype=deployment.dtype)


SPEC = EngineSpec(
    name="huggingface",
    title="transformers in process",
    can=frozenset({Ability.SEEDS, Ability.DEVICES, Ability.DRAWS}),
    needs=f"torch and transformers: {INSTALL}",
    missing=_missing,
    start=_start,
    not_attached="answered in process, not by a server: leave out --endpoint to test it",
)
