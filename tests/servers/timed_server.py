"""A server that knows the truth: it stamps every chunk it sends with the monotonic clock that its client reads.

What it answers is decided by the model name of the request, one of ``MANNERS``. A token is a word. It runs in a thread
(``with TimedServer() as server``) or as a process of its own, on a core of its own::

    python -m tests.servers.timed_server --ttft 0.05 --itl 0.02     # prints its address
"""

import argparse
import asyncio
import json
import random
import ssl
import threading
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import orjson

TURNS_TO_ACCEPT = 3  # of the event loop, after which a connection that was just accepted has its transport
CONTEXT_TOKENS = 8192
TEMPLATE_TOKENS = 3
"""What the chat template adds to a prompt."""
VERSION = "1.0"
DEFAULT_TOKENS = 16


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a request is answered. Seconds."""

    ttft_s: float = 0.05
    itl_s: float = 0.01
    jitter: float = 0.3
    """Each wait is drawn evenly from its length +- this share: streams in step would come in herds."""
    tokens_per_chunk: int = 1
    role_first: bool = False
    """A chunk with the role alone, before anything is computed."""
    field: str = "content"
    """Where the text of the first half of the tokens stands."""
    usage: bool = True
    fails_after: int | None = None
    """Chunks after which the stream fails."""
    failure: str = ""
    """``error``: an error object in the stream; ``cut``: the connection closes; ``unfinished``: no finish reason."""
    status: int = 200
    streams: bool = True
    takes_ignore_eos: bool = True
    slow_share: float = 0.0
    """Share of requests that take ten times as long."""


MANNERS = {
    "plain": Manner(),
    "role-early": Manner(role_first=True),
    "reasoning-content": Manner(field="reasoning_content"),
    "reasoning": Manner(field="reasoning"),
    "four-per-chunk": Manner(tokens_per_chunk=4),
    "no-usage": Manner(usage=False),
    "no-usage-four-per-chunk": Manner(usage=False, tokens_per_chunk=4),
    "error-midway": Manner(fails_after=3, failure="error"),
    "cut-midway": Manner(fails_after=3, failure="cut"),
    "unfinished": Manner(fails_after=3, failure="unfinished"),
    "broken": Manner(status=500),
    "whole": Manner(streams=False),
    "no-ignore-eos": Manner(takes_ignore_eos=False),
}


@dataclass(kw_only=True)
class Truth:
    """What happened to one request, in nanoseconds of the monotonic clock."""

    id: str
    received_ns: int
    text_ns: list[int] = field(default_factory=list)
    """When each chunk with text was sent."""
    last_ns: int = 0
    """When the chunk with the finish reason was sent."""
    tokens: int = 0


class _Http(asyncio.Protocol):
    """One connection: requests with a Content-Length in, replies out, one at a time."""

    def __init__(self, server: "TimedServer") -> None:
        self._server, self._buffer, self._task = server, b"", None

    def connection_made(self, transport) -> None:
        self.transport = transport
        self._server.connections.add(transport)

    def connection_lost(self, _exc) -> None:
        self._server.connections.discard(self.transport)
        if self._task:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        stamp = time.monotonic_ns()
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        body, self._buffer = rest[:length], rest[length:]
        method, path, _ = lines[0].split(" ", 2)
        answer = self._server.answer(self, f"{method} {path}", headers, json.loads(body or b"{}"), stamp)
        self._task = asyncio.get_running_loop().create_task(answer)

    def whole(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self.transport.write(head.encode() + data)

    def head(self) -> None:
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

    def event(self, event: object) -> int:
        """Send one event and return when."""
        data = b"data: " + (event if isinstance(event, bytes) else orjson.dumps(event)) + b"\n\n"
        framed = b"%x\r\n%b\r\n" % (len(data), data)
        stamp = time.monotonic_ns()
        self.transport.write(framed)
        return stamp

    def end(self) -> None:
        self.transport.write(b"0\r\n\r\n")


class TimedServer:
    """OpenAI-compatible, as far as a load run needs it."""

    def __init__(
        self,
        manners: Mapping[str, Manner] = MANNERS,
        *,
        slowdown: float = 0.0,
        seed: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.manners, self.slowdown, self.context_tokens, self._tls = dict(manners), slowdown, CONTEXT_TOKENS, tls
        self.truth: list[Truth] = []
        self.connections: set[asyncio.Transport] = set()
        self.most_at_once = 0
        self._at_once = 0
        self._source = random.Random(seed)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        """Leave no connection open: in a later test its socket would be a warning, which is an error."""
        self._listening.close()
        for _ in range(TURNS_TO_ACCEPT):
            await asyncio.sleep(0)
        while self.connections:
            for transport in [*self.connections]:
                transport.abort()
            await asyncio.sleep(0)

    async def listen(self, port: int = 0) -> None:
        """Begin to listen; ``url`` is known then."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: _Http(self), "127.0.0.1", port, backlog=2048, ssl=self._tls)
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"

    async def answer(self, http: _Http, route: str, headers: dict, body: dict, received_ns: int) -> None:
        """Answer one request."""
        if route == "POST /v1/chat/completions":
            await self._chat(http, headers, body, received_ns)
        elif route == "POST /tokenize":
            http.whole(200, {"count": self.count(body)})
        elif route == "GET /v1/models":
            models = [{"id": name, "max_model_len": self.context_tokens, "owned_by": "timed"} for name in self.manners]
            http.whole(200, {"data": models})
        elif route == "GET /truth":
            http.whole(200, [vars(each) for each in self.truth])
            self.truth.clear()
        else:
            http.whole(200, {"version": VERSION} if route == "GET /version" else {})

    def count(self, body: dict) -> int:
        """Tokens of a request to /tokenize: words, and the template around a user turn."""
        if "messages" in body:
            return len(_content(body).split()) + TEMPLATE_TOKENS
        return len(body["prompt"].split())

    async def tokens(self, body: dict, manner: Manner) -> AsyncIterator[str]:
        """The answer's tokens, each when it is computed."""
        slow = 10 if self._source.random() < manner.slow_share else 1
        for number in range(asked_tokens(body)):
            mean_s = manner.ttft_s if number == 0 else manner.itl_s
            wait = self._source.uniform(1 - manner.jitter, 1 + manner.jitter) * mean_s
            if wait:
                await asyncio.sleep(wait * slow * (1 + self.slowdown))
            yield f"w{number} "

    async def _chat(self, http: _Http, headers: dict, body: dict, received_ns: int) -> None:
        manner = self.manners[body["model"]]
        if manner.status != 200:
            http.whole(manner.status, {"error": {"message": "the device is lost", "code": manner.status}})
        elif body.get("ignore_eos") and not manner.takes_ignore_eos:
            http.whole(422, {"error": {"message": "unknown field ignore_eos", "code": 422}})
        elif not body.get("stream") or not manner.streams:
            http.whole(200, self._whole(body))
        else:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            try:
                await self._stream(http, headers, body, received_ns)
            finally:
                self._at_once -= 1

    def _whole(self, body: dict) -> dict:
        message = {"role": "assistant", "content": "w0"}
        usage = {"prompt_tokens": self.count(body), "completion_tokens": 1}
        return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    async def _stream(self, http: _Http, headers: dict, body: dict, received_ns: int) -> None:
        manner = self.manners[body["model"]]
        truth = Truth(id=headers.get("x-request-id", ""), received_ns=received_ns)
        self.truth.append(truth)
        http.head()
        if manner.role_first:
            http.event(_chunk({"role": "assistant", "content": ""}))
        held: list[str] = []
        total = asked_tokens(body)
        async for token in self.tokens(body, manner):
            held.append(token)
            truth.tokens += 1
            if len(held) < manner.tokens_per_chunk and truth.tokens < total:
                continue
            if len(truth.text_ns) == manner.fails_after:
                self._fail(http, manner.failure)
                return
            field_now = manner.field if truth.tokens * 2 <= total else "content"
            text, finish = "".join(held), "length" if truth.tokens == total else None
            truth.text_ns.append(http.event(_chunk({field_now: text}, finish)))
            held.clear()
        truth.last_ns = truth.text_ns[-1]
        if manner.usage:
            http.event({"choices": [], "usage": {"prompt_tokens": self.count(body), "completion_tokens": truth.tokens}})
        http.event(b"[DONE]")
        http.end()

    def _fail(self, http: _Http, how: str) -> None:
        if how == "error":
            http.event({"error": {"message": "out of memory", "code": 500}})
            http.event(b"[DONE]")
        if how == "cut":
            http.transport.close()
        else:
            http.end()

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.listen())
        started.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))


def asked_tokens(body: dict) -> int:
    """The length of an answer, under both of its names."""
    return body.get("max_tokens") or body.get("max_completion_tokens") or DEFAULT_TOKENS


def _content(body: dict) -> str:
    """The user turn, a text or a list of parts."""
    content = body["messages"][0]["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _chunk(delta: dict, finish: str | None = None) -> dict:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "cmpl", "object": "chat.completion.chunk", "created": 0, "model": "timed", "choices": [choice]}


async def serve_for_ever(server: TimedServer, port: int = 0) -> None:
    """Listen, print the address and stay."""
    await server.listen(port)
    print(server.url, flush=True)  # noqa: T201 - for the one who started the process
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A server that knows when it sent what.")
    parser.add_argument("--ttft", type=float, default=0.05)
    parser.add_argument("--itl", type=float, default=0.01)
    parser.add_argument("--jitter", type=float, default=0.3)
    parser.add_argument("--slowdown", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    paced = {"ttft_s": args.ttft, "itl_s": args.itl, "jitter": args.jitter}
    manners = {name: replace(manner, **paced) for name, manner in MANNERS.items()}
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve_for_ever(TimedServer(manners, slowdown=args.slowdown), args.port))


if __name__ == "__main__":
    main()
