"""A double of a server that draws: its distributions are known, and it can draw otherwise than it is asked to.

Every answer has the same tokens but for two places, where the next token comes from a known distribution. It serves
``/tokenize``, ``/v1/completions`` with log-probabilities, and ``/v1/chat/completions``, streamed or not.
"""

import json
import math
import random
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from tests.servers.threaded import served

MODEL = "drawn"
PROMPT_IDS = [1, 2, 3]
ANSWER = [10, 11, 12, 13, 14, 15, 16, 17, 18]
WORDS = dict(
    zip(ANSWER, ["<think>", "I ", "add ", "and ", "check ", "the ", "sum.", "</think>", "\\boxed{5}"], strict=True)
)
CHOICES = {
    2: {12: 0.36, 21: 0.22, 22: 0.15, 23: 0.12, 24: 0.09, 25: 0.06},
    5: {15: 0.62, 31: 0.3, 32: 0.05, 33: 0.03},
}
"""Place in the answer to the chances of its tokens at temperature 1."""


@dataclass(kw_only=True)
class Habits:
    """How this server differs from an honest one."""

    temperature: float | None = None
    """Used in place of the one that is asked for."""
    top_p: float | None = None
    seeds: str = "honoured"
    """Or ``ignored``."""
    most_temperature: float = 2.0
    """More is refused."""
    least_temperature: float = 0.0
    """Less is refused."""
    thought_dropped: bool = False
    """Whether nothing of an answer arrives before its closing mark, as behind a parser that drops the thought."""
    names_tokens_until: float = math.inf
    """Requests, after which completions come without log-probabilities."""
    most_tokens: int | None = None
    """Used in place of max_tokens."""
    logprobs: str = "raw"
    """Or ``scaled`` by temperature, ``absent``, or ``odd``: no numbers."""
    tokenize: bool = True
    closes: bool = True
    """Whether the closing mark of the thought arrives."""
    length: int = len(ANSWER)
    """Tokens after which the answer ends of itself."""
    root: str = "weights"
    fails_every: int = 0
    """Every so many requests end with an error of the server; the same request succeeds later."""
    bias: float = 0.0
    """Nats that each place's last token gets beyond what the log-probabilities tell."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        habits = self.server.habits
        model = {"id": MODEL, "object": "model", "root": habits.root, "max_model_len": 4096, "owned_by": "double"}
        pages = {"/health": {}, "/v1/models": {"object": "list", "data": [model]}, "/version": {"version": "1"}}
        self.send(pages.get(self.path), "application/json")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked += 1
        if (every := self.server.habits.fails_every) and not self.server.asked % every:
            self.send({"error": {"message": "an expert is gone"}}, "application/json", status=500)
            return
        routes = {"/tokenize": self.tokenize, "/v1/completions": self.completions, "/v1/chat/completions": self.chat}
        routes[self.path](body)

    def tokenize(self, body):
        found = {"count": len(PROMPT_IDS), "tokens": PROMPT_IDS, "max_model_len": 4096}
        self.send(found if self.server.habits.tokenize else None, "application/json")

    def completions(self, body):
        begun = len(body["prompt"]) - len(PROMPT_IDS)
        tokens, finish = self.drawn(body, begun)
        rows = [self.logprobs(begun + n, body) for n in range(len(tokens))]
        if self.server.habits.logprobs == "odd":
            rows = [dict.fromkeys(row, "low") for row in rows]
        logprobs = {"tokens": [f"token_id:{t}" for t in tokens], "top_logprobs": rows}
        choice = {"index": 0, "text": text_of(tokens), "finish_reason": finish}
        self.server.completed += 1
        if self.server.habits.logprobs != "absent" and self.server.completed <= self.server.habits.names_tokens_until:
            choice["logprobs"] = logprobs
        self.send({"choices": [choice], "usage": {"completion_tokens": len(tokens)}}, "application/json")

    def chat(self, body):
        habits = self.server.habits
        if not habits.least_temperature <= body["temperature"] <= habits.most_temperature:
            self.send({"error": {"message": "temperature is out of range"}}, "application/json", status=400)
            return
        tokens, finish = self.drawn(body, 0)
        usage = {"prompt_tokens": 3, "completion_tokens": len(tokens)}
        if not body.get("stream"):
            message = {"role": "assistant", "content": self.said(tokens)}
            choice = {"index": 0, "message": message, "finish_reason": finish}
            self.send({"choices": [choice], "usage": usage}, "application/json")
            return
        delta = {"index": 0, "delta": {"content": self.said(tokens)}, "finish_reason": finish}
        events = [{"choices": [delta], "model": MODEL}, {"choices": [], "usage": usage}]
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self.send(f"{lines}data: [DONE]\n\n", "text/event-stream")

    def said(self, tokens):
        text, habits = text_of(tokens), self.server.habits
        if habits.thought_dropped:
            return text.partition("</think>")[2]
        return text if habits.closes else text.replace("</think>", "")

    def drawn(self, body, begun):
        habits = self.server.habits
        most = habits.most_tokens or body["max_tokens"]
        rng = random.Random(body.get("seed")) if habits.seeds == "honoured" else self.server.own
        tokens = [self.token(place, body, rng) for place in range(begun, min(begun + most, habits.length))]
        return tokens, "stop" if begun + most > habits.length else "length"

    def token(self, place, body, rng):
        if place not in CHOICES:
            return ANSWER[place]
        habits = self.server.habits
        temperature = body.get("temperature", 1.0) if habits.temperature is None else habits.temperature
        chances = biased(CHOICES[place], habits.bias)
        kept = nucleus(scaled(chances, max(temperature, 1e-3)), habits.top_p or body.get("top_p", 1.0))
        return rng.choices([*kept], [*kept.values()])[0]

    def logprobs(self, place, body):
        chances = CHOICES.get(place, {ANSWER[min(place, len(ANSWER) - 1)]: 1.0})
        if self.server.habits.logprobs == "scaled":
            chances = scaled(chances, max(body.get("temperature", 1.0), 1e-3))
        return {f"token_id:{token}": math.log(p) for token, p in chances.items() if p}

    def send(self, found, kind, *, status=200):
        data = (found if isinstance(found, str) else json.dumps(found or {"error": "not found"})).encode()
        self.send_response(status if found is not None else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def text_of(tokens):
    return "".join(WORDS.get(token, f"w{token} ") for token in tokens)


def scaled(chances, temperature):
    top = max(chances.values())
    weights = {token: (p / top) ** (1 / temperature) for token, p in chances.items()}
    return {token: weight / sum(weights.values()) for token, weight in weights.items()}


def biased(chances, nats):
    *others, last = chances
    weights = {**{token: chances[token] for token in others}, last: chances[last] * math.exp(nats)}
    return {token: weight / sum(weights.values()) for token, weight in weights.items()}


def nucleus(chances, top_p):
    kept, reached = {}, 0.0
    for token in sorted(chances, key=lambda token: -chances[token]):
        if reached < top_p:
            kept[token] = chances[token]
            reached += chances[token]
    return kept


@contextmanager
def drawing_server(habits=None, **changes):
    """The address of a server with these habits, which may change while it runs."""
    with served(Handler, habits=habits or Habits(**changes), own=random.Random(7), asked=0, completed=0) as url:
        yield url
