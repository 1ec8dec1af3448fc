"""A double of a deployment: real weights, papergate's own decoder, an OpenAI-compatible door, and any fault one likes.

It tells what vLLM tells: ``/tokenize``, completions by token ids with log-probabilities of drawn and of given tokens,
the chat route, streamed or not. What is wrong with it is a `Fault`: weights, sampler, template or gateway.
"""

import asyncio
import copy
import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from papergate.embedded import EMBEDDED, MODEL_DIR
from papergate.engines.in_process.devices import settle_threads
from papergate.engines.in_process.huggingface import HuggingFaceEngine
from papergate.engines.in_process.reading import read_at_once
from papergate.engines.records import EngineIdentity, Request
from papergate.promises.records import Sampling
from papergate.statistics.drift import sharpened
from tests.servers.threaded import served

MODEL = EMBEDDED


def _same(value):
    return value


def _same_text(text, _):
    return text


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a deployment differs from an honest one; nothing by default."""

    weights: Callable = _same
    """Changes the loaded model in place."""
    running: Callable = _same
    """Changes how the loaded model runs: what no folder of a model holds."""
    drawing: Callable = _same
    """The same of the copy that draws alone: what given tokens do not show."""
    template: Callable[[str], str] = _same
    """Changes the text of the chat template."""
    seen: Callable[[list[int]], list[int]] = _same
    """What the model sees of the ids it was given: a mask."""
    body: Callable[[dict], dict] = _same
    """What becomes of a request before it is drawn."""
    said: Callable[[str, random.Random], str] = _same_text
    """What becomes of a chat's text, by a gateway or a parser."""
    finish: str = ""
    """The finish reason of every chat, where it is not told as it was."""
    fails: float = 0.0
    """Share of chats that end with an error of the server; the same request may succeed later."""
    usage: bool = True
    logprobs: str = "raw"
    """Or ``absent``, ``given`` (echo of given tokens alone), ``scaled`` by a temperature of 0.6."""
    tokenize: bool = True
    refuses_greedy: bool = False
    dtype: str = "float32"
    device: str = "cpu"
    folder: Path = MODEL_DIR
    root: str = "weights"


class Drawing(HuggingFaceEngine):
    """Draws for token ids, which stand in a request where the user turn does, and keeps those of the answer."""

    def __init__(self, *args):
        super().__init__(*args)
        self.drawn = {}

    def _ids_of(self, turns):
        return tuple(json.loads(turns[-1]["content"]))

    def _completion(self, request, drawn):
        self.drawn[request.problem] = (list(drawn.tokens), drawn.ended)
        return super()._completion(request, drawn)


class Deployed:
    """A model that answers, with its fault."""

    def __init__(self, fault: Fault):
        import torch
        import transformers

        self.fault, self.own, self.lock = fault, random.Random(7), threading.Lock()
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(fault.folder)
        self.tokenizer.chat_template = fault.template(self.tokenizer.chat_template)
        load = transformers.AutoModelForCausalLM.from_pretrained
        self.reading = load(fault.folder, dtype=getattr(torch, fault.dtype)).eval()
        settle_threads(self.reading)
        fault.weights(self.reading)
        fault.running(self.reading)
        self.reading.to(fault.device)
        drawing = copy.deepcopy(self.reading)
        fault.drawing(drawing)
        self.engine = Drawing([drawing], self.tokenizer, EngineIdentity(engine="double", version="1", model=MODEL))
        self.loop = asyncio.new_event_loop()
        self.looping = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.looping.start()
        self.numbers = iter(range(10**9))
        self.tokens = 0
        """Drawn or read until now."""

    def close(self):
        self.engine.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.looping.join()
        self.loop.close()

    def ids_of(self, messages):
        text = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return self.plain(text)

    def plain(self, text):
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def draw(self, ids: Sequence[int], body: dict) -> tuple[list[int], bool]:
        """Tokens, and whether the model ended them."""
        body, name = self.fault.body(dict(body)), str(next(self.numbers))
        sampling = Sampling(
            temperature=Decimal(str(body.get("temperature", 1.0))),
            top_p=Decimal(str(body.get("top_p", 1.0))),
            max_tokens=max(1, min(body.get("max_tokens", 16), 510 - len(ids))),
            top_k=body.get("top_k"),
        )
        seed = body["seed"] if body.get("seed") is not None else self.own.getrandbits(32)
        prompt = json.dumps(self.fault.seen(list(ids)))
        request = Request(problem=name, sample=0, prompt=prompt, sampling=sampling, seed=seed)
        asyncio.run_coroutine_threadsafe(self.engine.complete(request), self.loop).result()
        tokens, ended = self.engine.drawn.pop(name)
        self.tokens += len(tokens) + ended
        return tokens, ended

    def whole(self, ids: Sequence[int]):
        """Log-probabilities of each of the ids but the first, whatever the model sees of them."""
        seen = self.fault.seen(list(ids))
        self.tokens += len(ids)
        with self.lock:
            rows = self._told(read_at_once(self.reading, (seen[:1], seen[1:])))
        unseen = [{token: -6.0} for token in ids[1 : len(ids) - len(rows)]]
        return [*unseen, *rows][-(len(ids) - 1) :]

    def rows(self, prompt: Sequence[int], answer: Sequence[int]):
        """Log-probabilities of given tokens."""
        with self.lock:
            self.tokens += len(answer)
            return self._told(read_at_once(self.reading, (self.fault.seen(list(prompt)), answer)))

    def _told(self, found):
        if self.fault.logprobs != "scaled":
            return found
        return [sharpened(row, 1 / 0.6) for row in found]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        model = {"id": MODEL, "root": self.server.deployed.fault.root, "max_model_len": 512, "owned_by": "double"}
        pages = {"/health": {}, "/v1/models": {"data": [model]}, "/version": {"version": "1"}}
        self.send(pages.get(self.path))

    def do_POST(self):
        self.deployed, self.fault = self.server.deployed, self.server.deployed.fault
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        routes = {"/tokenize": self.tokenize, "/v1/completions": self.completions, "/v1/chat/completions": self.chat}
        routes[self.path](body)

    def tokenize(self, body):
        if not self.fault.tokenize:
            self.send(None)
            return
        ids = self.deployed.ids_of(body["messages"]) if "messages" in body else self.deployed.plain(body["prompt"])
        self.send({"count": len(ids), "tokens": ids, "max_model_len": 512})

    def completions(self, body):
        asked, told = body["prompt"], self.fault.logprobs
        if "prompt_logprobs" in body:
            rows = self.deployed.whole(asked) if told in ("raw", "scaled") else []
            listed = [{str(t): {"logprob": v, "decoded_token": self.text([t])} for t, v in row.items()} for row in rows]
            self.send({"choices": [{"text": "", "finish_reason": "length", "prompt_logprobs": [None, *listed]}]})
            return
        if body.get("echo"):
            rows = self.deployed.whole(asked) if told == "given" else []
            own = [None, *(row[token] for token, row in zip(asked[1:], rows, strict=False))]
            self.send({"choices": [{"text": "", "finish_reason": "length", "logprobs": {"token_logprobs": own}}]})
            return
        tokens, ended = self.deployed.draw(asked, body)
        tokens = [*tokens, *[self.end] * ended]
        choice = {"text": self.text(tokens), "finish_reason": "stop" if ended else "length"}
        if told != "absent" and body.get("logprobs") and tokens:
            rows = self.deployed.rows(asked, tokens)
            named = [{f"token_id:{token}": value for token, value in row.items()} for row in rows]
            choice["logprobs"] = {"tokens": [f"token_id:{token}" for token in tokens], "top_logprobs": named}
        self.send({"choices": [{"index": 0, **choice}], "usage": {"completion_tokens": len(tokens)}})

    def chat(self, body):
        if self.fault.refuses_greedy and not body.get("temperature"):
            self.send({"error": {"message": "temperature must be above 0"}}, status=400)
            return
        rng = random.Random(f"{body.get('seed')}|{body['messages'][-1]['content']}|{body.get('temperature')}")
        if self.deployed.own.random() < self.fault.fails:
            self.send({"error": {"message": "an expert is gone"}}, status=500)
            return
        ids = self.deployed.ids_of(body["messages"])
        tokens, ended = self.deployed.draw(ids, body)
        text = self.fault.said(self.text(tokens), rng)
        finish = self.fault.finish or ("stop" if ended else "length")
        usage = {"prompt_tokens": len(ids), "completion_tokens": len(tokens) + ended}
        if body.get("stream"):
            self.stream(text, finish, usage)
            return
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        if body.get("logprobs") and self.fault.logprobs != "absent":
            choice["logprobs"] = {"content": [{"token": f"token_id:{t}"} for t in [*tokens, *[self.end] * ended]]}
        self.send({"choices": [choice], "usage": usage})

    def stream(self, text, finish, usage):
        delta = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        events = [{"choices": [delta], "model": MODEL}]
        events += [{"choices": [], "usage": usage}] if self.fault.usage else []
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self.send(f"{lines}data: [DONE]\n\n", kind="text/event-stream")

    @property
    def end(self):
        return self.deployed.tokenizer.eos_token_id

    def text(self, tokens):
        return self.deployed.tokenizer.decode(tokens, skip_special_tokens=True)

    def send(self, found, *, kind="application/json", status=200):
        data = (found if isinstance(found, str) else json.dumps(found or {"error": "not found"})).encode()
        self.send_response(status if found is not None else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def model_server(fault: Fault | None = None, **changes) -> Iterator[str]:
    """The address of a deployment with this fault."""
    with deployed_at(fault or Fault(**changes)) as (url, _):
        yield url


@contextmanager
def deployed_at(fault: Fault) -> Iterator[tuple[str, Deployed]]:
    """The address of a deployment with this fault, and the deployment itself."""
    deployed = Deployed(fault)
    try:
        with served(Handler, deployed=deployed) as url:
            yield url, deployed
    finally:
        deployed.close()
