"""A double of an OpenAI-compatible server: real sockets, real HTTP, and every fault on demand.

``FaultyServer`` runs in a thread. What it does with a request is decided by ``plan``, a function from the request to
a behaviour, or to the name of one in ``BEHAVIOURS``. Their answers depend on prompt and seed only, so that a test can
tell an answer that was given from one that was invented.
"""

import asyncio
import contextlib
import hashlib
import json
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

MODEL = "double"
END = "\n\n"
FOR_EVER_S = 3600.0
HTML = "<html><body>503 Backend fetch failed</body></html>"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One chat request as the server saw it."""

    prompt: str
    seed: int
    number: int
    """Of all chat requests, from 1."""
    time: int
    """How often this prompt and seed came, from 1."""
    headers: dict[str, str]
    body: dict


def answer_to(prompt: str, seed: int) -> str:
    """The one answer to a prompt and seed: a thought with characters of several bytes, and a boxed number."""
    digest = hashlib.sha256(f"{prompt}/{seed}".encode()).hexdigest()
    return f"Häufig √{digest} 思考 🤔</think>\n\nThe answer is $\\boxed{{{int(digest[:4], 16) % 3}}}$."


def event(delta: dict, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return "data: " + json.dumps({"object": "chat.completion.chunk", "choices": [choice]}, ensure_ascii=False) + END


def usage(prompt_tokens: int, completion_tokens: int) -> str:
    counts = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    return "data: " + json.dumps({"choices": [], "usage": counts}) + END


class Reply:
    """The writing half of one connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def whole(self, status: str, kind: str, body: str, *headers: str) -> None:
        data = body.encode()
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(data)}", *headers]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    async def head(self, kind: str = "text/event-stream; charset=utf-8") -> None:
        await self.raw(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

    async def chunk(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """Close with FIN at once, without TLS's own farewell."""
        self._writer.transport.abort()

    def reset(self) -> None:
        """Close with RST instead of FIN, as a killed server does."""
        connection = self._writer.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the client may have closed it already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


def pieces(asked: Asked) -> list[str]:
    """The answer in pieces of a few characters."""
    text = answer_to(asked.prompt, asked.seed)
    return [text[start : start + 7] for start in range(0, len(text), 7)]


async def begin(asked: Asked, reply: Reply) -> None:
    """The first half of a good answer."""
    await reply.head()
    await reply.chunk(event({"role": "assistant", "content": ""}))
    for piece in pieces(asked)[:5]:
        await reply.chunk(event({"content": piece}))


async def answer(asked: Asked, reply: Reply) -> None:
    await begin(asked, reply)
    for piece in pieces(asked)[5:]:
        await reply.chunk(event({"content": piece}))
    await reply.chunk(event({}, "stop"))
    await reply.chunk(usage(9, len(pieces(asked))))
    await reply.chunk("data: [DONE]" + END)
    await reply.end()


async def reset(asked: Asked, reply: Reply) -> None:
    await begin(asked, reply)
    await asyncio.sleep(0.01)  # lets the half answer arrive: RST discards what is still on its way
    reply.reset()


async def stall(asked: Asked, reply: Reply) -> None:
    await begin(asked, reply)
    await asyncio.sleep(FOR_EVER_S)


async def ping(asked: Asked, reply: Reply) -> None:
    """A gateway keeps the connection alive while nobody answers."""
    await begin(asked, reply)
    while True:
        await reply.chunk(": ping" + END)
        await asyncio.sleep(0.01)


async def silence(asked: Asked, reply: Reply) -> None:
    del asked, reply
    await asyncio.sleep(FOR_EVER_S)


async def busy(asked: Asked, reply: Reply) -> None:
    del asked
    await reply.whole(
        "429 Too Many Requests", "application/json", '{"error": {"message": "slow down"}}', "Retry-After: 0.01"
    )


async def broken(asked: Asked, reply: Reply) -> None:
    del asked
    await reply.whole("500 Internal Server Error", "text/plain", "Internal Server Error")


async def refuse(asked: Asked, reply: Reply) -> None:
    del asked
    words = {"object": "error", "message": "This model's maximum context length is 512 tokens.", "code": 400}
    await reply.whole("400 Bad Request", "application/json", json.dumps(words))


async def truncated_json(asked: Asked, reply: Reply) -> None:
    await begin(asked, reply)
    await reply.chunk(event({"content": "and so"})[:40] + END)
    await reply.end()


async def html(asked: Asked, reply: Reply) -> None:
    del asked
    await reply.whole("200 OK", "text/html", HTML)


async def html_503(asked: Asked, reply: Reply) -> None:
    del asked
    await reply.whole("503 Service Unavailable", "text/html", HTML)


async def whole_json(asked: Asked, reply: Reply) -> None:
    """A server that ignores ``stream``."""
    message = {"role": "assistant", "content": answer_to(asked.prompt, asked.seed)}
    await reply.whole("200 OK", "application/json", json.dumps({"choices": [{"message": message}]}))


async def wrong_type(asked: Asked, reply: Reply) -> None:
    """A good stream under a wrong name."""
    reply.head = lambda: Reply.head(reply, "application/octet-stream")
    await answer(asked, reply)


async def bytewise(asked: Asked, reply: Reply) -> None:
    """Every byte in a chunk of its own: characters are cut in the middle."""
    await reply.head()
    for piece in [event({"content": answer_to(asked.prompt, asked.seed)}), event({}, "stop"), "data: [DONE]" + END]:
        for byte in piece.encode():
            await reply.chunk(bytes([byte]))
            await asyncio.sleep(0)
    await reply.end()


async def drip(asked: Asked, reply: Reply) -> None:
    """Tokens keep coming, too slowly ever to end."""
    del asked
    await reply.head()
    while True:
        await reply.chunk(event({"content": "and "}))
        await asyncio.sleep(0.02)


async def cut(asked: Asked, reply: Reply) -> None:
    """A proxy that ends a stream politely in the middle."""
    await begin(asked, reply)
    await reply.end()


async def mindie(asked: Asked, reply: Reply) -> None:
    """MindIE gives up: a plain text, without so much as a line end."""
    await begin(asked, reply)
    await reply.chunk("Engine callback timeout: server tokenTimeout")
    await reply.end()


async def prompt_first(asked: Asked, reply: Reply) -> None:
    """``transformers serve`` with a parser of answers that does not know the model's chat template."""
    await reply.head()
    await reply.chunk(event({"role": "assistant"}) + event({"content": f"<|user|>{asked.prompt}<|assistant|>"}))
    await reply.chunk(event({"reasoning_content": "\n"}) + event({"reasoning_content": "so"}) + event({}, "length"))
    await reply.end()


async def empty(asked: Asked, reply: Reply) -> None:
    """The text of a whole answer is lost on its way, such as a thought under a name that nobody knows."""
    await reply.head()
    await reply.chunk(event({"role": "assistant"}) + event({}, "stop") + usage(9, len(pieces(asked))))
    await reply.end()


async def ends_at_once(asked: Asked, reply: Reply) -> None:
    """The model's first token is its last."""
    del asked
    await reply.head()
    await reply.chunk(event({"role": "assistant"}) + event({}, "stop") + usage(9, 1))
    await reply.end()


async def endless_500(asked: Asked, reply: Reply) -> None:
    """An error whose body does not end."""
    del asked
    await reply.raw(b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\nCUDA out of memory")
    await asyncio.sleep(FOR_EVER_S)


async def packed(asked: Asked, reply: Reply) -> None:
    """A gateway compresses what nobody asked it to."""
    del asked
    await reply.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b")
    await asyncio.sleep(FOR_EVER_S)


async def error_event(asked: Asked, reply: Reply) -> None:
    await begin(asked, reply)
    await reply.chunk('data: {"error": {"message": "EngineCore died", "code": 500}}' + END)
    await reply.end()


async def after_the_end(asked: Asked, reply: Reply) -> None:
    """The whole answer, then a reset instead of a farewell."""
    await begin(asked, reply)
    for piece in pieces(asked)[5:]:
        await reply.chunk(event({"content": piece}))
    await reply.chunk(event({}, "stop"))
    await asyncio.sleep(0.01)
    reply.reset()


async def farewell(asked: Asked, reply: Reply) -> None:
    """A good answer, a token every few milliseconds, and then the server closes as it said it would."""
    await reply.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    for piece in pieces(asked):
        await reply.chunk(event({"content": piece}))
        await asyncio.sleep(0.003)
    await reply.chunk(event({}, "stop") + usage(9, len(pieces(asked))))
    await reply.end()
    reply.close()


async def leave(asked: Asked, reply: Reply) -> None:
    """A good answer, and the server closes without having said so."""
    await answer(asked, reply)
    reply.close()


async def late_words(asked: Asked, reply: Reply) -> None:
    """A gateway sends the head of an error at once and its words when it has them."""
    del asked
    body = b'{"error": {"message": "overloaded, try later", "code": 503}}'
    await reply.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
    await asyncio.sleep(0.7)
    await reply.raw(body)


async def cut_words(asked: Asked, reply: Reply) -> None:
    """The same, and it dies meanwhile."""
    del asked
    await reply.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{")
    await asyncio.sleep(0.01)
    reply.reset()


Behaviour = Callable[[Asked, Reply], Awaitable[None]]
BEHAVIOURS: dict[str, Behaviour] = {
    each.__name__: each
    for each in (
        answer, reset, stall, ping, silence, busy, broken, refuse, truncated_json, html, html_503, whole_json,
        wrong_type, bytewise, drip, cut, mindie, prompt_first, empty, ends_at_once,
        endless_500, packed, error_event, after_the_end, farewell, leave, late_words, cut_words,
    )
}  # fmt: skip


def always(behaviour: str) -> Callable[[Asked], str]:
    return lambda _: behaviour


def first(times: int, behaviour: str) -> Callable[[Asked], str]:
    """The first ``times`` attempts of every request meet the fault, then all goes well."""
    return lambda asked: behaviour if asked.time <= times else "answer"


@dataclass(kw_only=True)
class FaultyServer:
    """Serves until closed; ``log`` holds every chat request with what was done."""

    plan: Callable[[Asked], str | Behaviour] = field(default_factory=lambda: always("answer"))
    port: int = 0
    key: str | None = None
    context_tokens: int | None = None
    owner: str = "double"
    certificate: tuple[Path, Path] | None = None
    """Certificate and key: serves https."""
    delay_s: float = 0.0
    """Before every answer."""
    pages: Mapping[str, tuple[str, object]] = field(default_factory=dict)
    """Status and JSON of paths that answer otherwise than usual."""
    prefix: str = ""
    """Of every path, as a gateway has it."""
    log: list[tuple[Asked, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._times = Counter()
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def die(self) -> None:
        """Stop as a killed process does: what is open is reset. May be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def _run(self, started: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: threading.Event) -> None:
        self._stop = asyncio.Event()
        self._open = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, backlog=2048, ssl=self._tls())
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        await self._stop_accepting(server)
        server.close()
        for writer in self._open:  # a server that is gone resets what it had open
            Reply(writer).reset()

    async def _stop_accepting(self, server: asyncio.Server) -> None:
        """Open what was accepted: of a server that is closed first, Python 3.11 leaves its socket to the collector."""
        for listening in server.sockets:
            self._loop.remove_reader(listening.fileno())
        await asyncio.sleep(0.005)

    def _tls(self) -> ssl.SSLContext | None:
        if self.certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        return context

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                method, path, headers, body = await _request(reader)
                await self._route(method, path, headers, body, Reply(writer))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _route(self, method: str, path: str, headers: dict[str, str], body: bytes, reply: Reply) -> None:
        path = path.removeprefix(self.prefix)
        if self.key and headers.get("authorization") != f"Bearer {self.key}":
            await reply.whole("401 Unauthorized", "application/json", '{"error": "invalid key"}')
        elif path in self.pages:
            status, page = self.pages[path]
            await reply.whole(status, "application/json", json.dumps(page))
        elif path == "/v1/models":
            model = {"id": MODEL, "owned_by": self.owner, "max_model_len": self.context_tokens}
            await reply.whole("200 OK", "application/json", json.dumps({"data": [model]}))
        elif path == "/health":
            await reply.whole("200 OK", "text/plain", "")
        elif path == "/version":
            await reply.whole("200 OK", "application/json", '{"version": "1.2.3"}')
        elif path == "/v1/chat/completions" and method == "POST":
            await self._chat(headers, json.loads(body), reply)
        else:
            await reply.whole("404 Not Found", "application/json", '{"detail": "Not Found"}')

    async def _chat(self, headers: dict[str, str], body: dict, reply: Reply) -> None:
        prompt, seed = body["messages"][-1]["content"], body.get("seed")
        self._times[prompt, seed] += 1
        asked = Asked(
            prompt=prompt,
            seed=seed,
            number=len(self.log) + 1,
            time=self._times[prompt, seed],
            headers=headers,
            body=body,
        )
        behaviour = self.plan(asked)
        self.log.append((asked, behaviour))
        await asyncio.sleep(self.delay_s)
        await (behaviour if callable(behaviour) else BEHAVIOURS[behaviour])(asked, reply)


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))
