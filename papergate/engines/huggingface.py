"""transformers in process: batched generation on this machine's own device."""

import asyncio
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from papergate.embedded import MODEL_DIR
from papergate.engines.decoding import Drawn, Row, draw
from papergate.engines.environment import environment
from papergate.engines.hardware import cpu
from papergate.engines.records import Completion, EngineIdentity, Finish, Request
from papergate.engines.weights import digest_of_weights
from papergate.errors import EngineError, EngineRefused
from papergate.promises.records import Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

EMBEDDED = "papergate-tiny"

MAX_BATCH = 256
"""Above this, throughput no longer grew in ``benchmarks/huggingface_throughput.py``, and memory still did."""

GATHER_S = 0.02
"""How long a batch that is not full waits for one more request: far below the time of any batch."""

MEMORY_SHARE = 0.6
"""Share of the free memory that the key-value cache of a batch may take: the rest is for activations."""

TINY_PARAMETERS = 50_000_000
"""Below this a CPU model is slower on several threads: each operation is too short to share out."""

_Pending = tuple[Request, Row, "asyncio.Future[Completion]", asyncio.AbstractEventLoop]


class HuggingFaceEngine:
    """A model in this process; requests that wait together are drawn together."""

    def __init__(
        self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", identity: EngineIdentity
    ) -> None:
        self._model, self._tokenizer, self._identity = model, tokenizer, identity
        self._eos = _eos_ids(model, tokenizer)
        self._batch_size = MAX_BATCH
        self._waiting: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._serve, name="papergate-huggingface", daemon=True)
        self._worker.start()

    @property
    def concurrency(self) -> int:
        """Twice the batch: while one is drawn, the next one gathers."""
        return 2 * self._batch_size

    def identity(self) -> EngineIdentity:
        """Who answers."""
        return self._identity

    def check(self, sampling: Sampling, prompts: Sequence[str]) -> None:
        """Refuse a context that is too short; size the batch to the memory that is free.

        Raises:
            EngineRefused: prompt and output together exceed what the model was built for.
        """
        longest = max((len(self._prompt_ids(prompt)) for prompt in prompts), default=0)
        context = getattr(self._model.config, "max_position_embeddings", None)
        needed = longest + sampling.max_tokens
        if context is not None and needed > context:
            raise EngineRefused(
                f"{self._identity.model}: its context holds {context} tokens, but the longest prompt has {longest} and "
                f"max_tokens is {sampling.max_tokens}, {needed} together; lower max_tokens in the target file"
            )
        self._batch_size = _batch_size(self._model, needed)

    async def complete(self, request: Request) -> Completion:
        """Draw one sample; it joins the batch that is gathering."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Completion] = loop.create_future()
        sampling = request.sampling
        row = Row(
            prompt=self._prompt_ids(request.prompt),
            temperature=float(sampling.temperature),
            top_p=float(sampling.top_p),
            max_tokens=sampling.max_tokens,
            seed=request.seed,
        )
        self._waiting.put((request, row, future, loop))
        return await future

    def close(self) -> None:
        """Stop the worker after its present batch; may be called twice."""
        if self._worker.is_alive():
            self._waiting.put(None)
            self._worker.join()

    def _prompt_ids(self, prompt: str) -> tuple[int, ...]:
        if not self._tokenizer.chat_template:  # a base model: its text is continued as it stands
            return tuple(self._tokenizer(prompt)["input_ids"])
        text = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
        )
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _serve(self) -> None:
        """The worker: one batch after another until a None comes."""
        while batch := self._gather():
            try:
                drawn = draw(self._model, [row for _, row, _, _ in batch], eos=self._eos)
            except Exception as error:  # noqa: BLE001 - whatever torch raises belongs to the requests of this batch
                _deliver(batch, lambda _, error=error: _failure(error))  # type: ignore[misc]
            else:
                done = [
                    self._completion(request, row, out) for (request, row, _, _), out in zip(batch, drawn, strict=True)
                ]
                _deliver(batch, done.__getitem__)

    def _gather(self) -> list[_Pending]:
        """Wait for one request, then take what else is waiting, up to a batch; empty when it is time to stop."""
        batch: list[_Pending] = []
        while len(batch) < self._batch_size:
            try:
                pending = self._waiting.get(timeout=GATHER_S if batch else None)
            except queue.Empty:
                break
            if pending is None:
                if batch:
                    self._waiting.put(None)
                break
            batch.append(pending)
        return batch

    def _completion(self, request: Request, row: Row, drawn: Drawn) -> Completion:
        return Completion(
            problem=request.problem,
            sample=request.sample,
            seed=request.seed,
            text=str(self._tokenizer.decode(drawn.tokens, skip_special_tokens=True)),
            finish=Finish.STOP if drawn.ended else Finish.LENGTH,
            prompt_tokens=len(row.prompt),
            output_tokens=len(drawn.tokens) + drawn.ended,
            ttft_s=drawn.first_s,
            e2e_s=drawn.last_s,
        )


def load(model: str, *, dtype: str = "auto") -> HuggingFaceEngine:
    """Load ``model`` - ``papergate-tiny``, a local folder, or a hub id - onto the best device of this machine.

    Raises:
        EngineError: torch or transformers are missing, the folder lacks weights or tokenizer, or loading fails.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise EngineError(f"the huggingface engine needs {error.name}; pip install -e '.[hf]'") from error
    path = str(MODEL_DIR) if model == EMBEDDED else model
    _refuse_incomplete(path)
    accelerator = torch.accelerator.is_available()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path)
        loaded = transformers.AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, device_map="auto" if accelerator else "cpu"
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineError(f"{model}: transformers cannot load it: {error}") from error
    if not accelerator:
        _settle_threads(loaded)
    return HuggingFaceEngine(loaded, tokenizer, _identity(model, path, loaded, tokenizer))


def _refuse_incomplete(path: str) -> None:
    """Name what a local folder lacks; a hub id is left to the hub."""
    folder = Path(path)
    if not folder.exists():
        if folder.is_absolute() or path.startswith((".", "~")):
            raise EngineError(f"{path}: no such folder; --model takes a folder of weights or a hub id")
        return
    missing = [
        f"{what} ({' or '.join(names)})"
        for what, names in _MODEL_FILES.items()
        if not any(file for name in names for file in folder.glob(name))
    ]
    if missing:
        raise EngineError(f"{path}: the folder lacks {', '.join(missing)}; copy the model's files completely")


_MODEL_FILES = {
    "the configuration": ("config.json",),
    "the weights": ("*.safetensors", "*.bin"),
    "the tokenizer": ("tokenizer.json", "tokenizer.model", "vocab.json"),
}


def _settle_threads(model: "PreTrainedModel") -> None:
    """One thread for a small model on the CPU; torch's own choice for a large one."""
    import torch

    if model.num_parameters() < TINY_PARAMETERS:
        torch.set_num_threads(1)


def _batch_size(model: "PreTrainedModel", tokens: int) -> int:
    """As many sequences of ``tokens`` tokens as the free memory holds, at most ``MAX_BATCH``."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    per_token = 2 * config.num_hidden_layers * heads * head_dim * model.dtype.itemsize
    return max(1, min(MAX_BATCH, int(MEMORY_SHARE * _free_bytes(model) / (per_token * tokens))))


def _free_bytes(model: "PreTrainedModel") -> int:
    import torch

    if model.device.type == "cuda":
        return int(torch.cuda.mem_get_info(model.device)[0])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _eos_ids(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> Collection[int]:
    """Every token that ends a completion, as the model's own generation settings and the tokenizer say."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    listed = configured if isinstance(configured, list) else [configured]
    return {int(token) for token in [*listed, tokenizer.eos_token_id] if token is not None}


def _identity(model: str, path: str, loaded: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> EngineIdentity:
    import torch
    import transformers

    template = tokenizer.chat_template or ""
    record = environment() | {
        "cpu": cpu(),
        "device": str(loaded.device),
        "dtype": str(loaded.dtype).removeprefix("torch."),
        "threads": str(torch.get_num_threads()),
        "parameters": str(loaded.num_parameters()),
    }
    return EngineIdentity(
        engine="huggingface",
        version=f"transformers {transformers.__version__}, torch {torch.__version__}",
        model=model,
        revision=getattr(loaded.config, "_commit_hash", None) or digest_of_weights(Path(path)),
        template=hashlib.sha256(str(template).encode()).hexdigest() if template else "",
        environment=record,
    )


def _failure(error: Exception) -> Exception:
    """The error of a batch, with the remedy where torch ran out of memory."""
    if type(error).__name__ == "OutOfMemoryError":
        return EngineError(f"out of device memory while drawing a batch: {error}; lower max_tokens or use more devices")
    return EngineError(f"generation failed: {type(error).__name__}: {error}")


def _deliver(batch: Sequence[_Pending], result: Callable[[int], Any]) -> None:
    """Hand each request of ``batch`` its result on its own loop; a caller that has gone is let go."""
    for place, (_, _, future, loop) in enumerate(batch):
        outcome = result(place)
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, future, outcome)


def _settle(future: "asyncio.Future[Completion]", outcome: Completion | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
