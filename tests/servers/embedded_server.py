"""The embedded model behind the timed server's door: real weights, real queueing, and the truth about every chunk.

    python -m tests.servers.embedded_server [--slowdown 0.1]     # prints its address

Requests take turns, one token each, on one thread: a small engine of its own, whose latency grows with its load.
"""

import argparse
import asyncio
import inspect
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from papergate.embedded import MODEL_DIR
from tests.servers.timed_server import Manner, TimedServer, asked_tokens, serve_for_ever

MODEL = "papergate-tiny"


class EmbeddedServer(TimedServer):
    """Answers with the embedded model, greedily, to the full length; a slowdown makes every step so much longer."""

    def __init__(self, *, slowdown: float = 0.0) -> None:
        import torch
        import transformers

        super().__init__({MODEL: Manner()}, slowdown=slowdown)
        torch.set_num_threads(1)
        self._torch = torch
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL_DIR)
        self._model = transformers.AutoModelForCausalLM.from_pretrained(MODEL_DIR).eval()
        self._new_cache = lambda: transformers.DynamicCache(config=self._model.config)
        parameters = inspect.signature(type(self._model).forward).parameters  # `cache` from transformers 5.24 on
        self._cache_argument = "cache" if "cache" in parameters else "past_key_values"
        self.context_tokens = self._model.config.max_position_embeddings
        self._device = ThreadPoolExecutor(max_workers=1)

    def count(self, body: dict) -> int:
        return len(self._ids(body))

    async def tokens(self, body: dict, manner: Manner) -> AsyncIterator[str]:
        loop, ids, cache = asyncio.get_running_loop(), self._ids(body), self._new_cache()
        for _ in range(asked_tokens(body)):
            token = await loop.run_in_executor(self._device, self._step, ids, cache)
            ids = [token]
            yield self._tokenizer.decode(ids) or " "

    def _step(self, ids: list[int], cache: object) -> int:
        """One token; the cache grows by what was fed."""
        began = time.monotonic()
        with self._torch.inference_mode():
            out = self._model(self._torch.tensor([ids]), use_cache=True, **{self._cache_argument: cache})
            token = int(out.logits[0, -1].argmax())
        if self.slowdown:
            time.sleep(self.slowdown * (time.monotonic() - began))
        return token

    def _ids(self, body: dict) -> list[int]:
        if "messages" not in body:
            return self._tokenizer(body["prompt"], add_special_tokens=False)["input_ids"]
        text = self._tokenizer.apply_chat_template(body["messages"], add_generation_prompt=True, tokenize=False)
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]


def main() -> None:
    parser = argparse.ArgumentParser(description="The embedded model behind the timed server's door.")
    parser.add_argument("--slowdown", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    asyncio.run(serve_for_ever(EmbeddedServer(slowdown=args.slowdown), args.port))


if __name__ == "__main__":
    main()
