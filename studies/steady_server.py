"""A double of a replica whose speed is known: what it serves shares its speed, as a batch shares an accelerator.

``python -m studies.steady_server TOKENS_PER_S STREAM_TOKENS_PER_S MEAN_TOKENS EVENT_TOKENS`` prints its port. A request
gets the speed of one stream until all together would exceed the replica's. The length of an answer follows from the
seed of its request, so that every run of a plan has the same lengths; an event carries some tokens of it.
"""

import asyncio
import json
import random
import sys
import time

MODEL = "steady"
TICK_S = 0.02


def length_of(seed: int, mean_tokens: float, most_tokens: int) -> int:
    """Output tokens of the answer to a request: exponential, cut at the token limit."""
    return min(most_tokens, 1 + int(random.Random(seed).expovariate(1 / mean_tokens)))


class Replica:
    """All requests that are being answered."""

    def __init__(self, tokens_per_s: float, stream_tokens_per_s: float) -> None:
        self._whole, self._stream = tokens_per_s, stream_tokens_per_s
        self._answers: set[Answer] = set()
        self._at_s = time.monotonic()

    def add(self, answer: "Answer") -> None:
        self._advance()
        self._answers.add(answer)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._advance()

    def _advance(self) -> None:
        """Give every answer its share of the time since the last call; a tick that comes late is made up for."""
        now_s = time.monotonic()
        passed_s, self._at_s = now_s - self._at_s, now_s
        while passed_s > 0 and self._answers:
            each = min(self._stream, self._whole / len(self._answers))
            first_s = min(answer.left for answer in self._answers) / each
            step_s = min(passed_s, first_s)
            for answer in self._answers:
                answer.go_on(step_s * each)
            self._answers = {answer for answer in self._answers if not answer.is_over}
            passed_s -= step_s


class Answer:
    """A stream of one request."""

    def __init__(self, transport: asyncio.WriteTransport, tokens: int, event_tokens: int) -> None:
        self._transport, self._tokens, self._event_tokens = transport, tokens, event_tokens
        self.left, self._sent = float(tokens), 0

    @property
    def is_over(self) -> bool:
        return self.left <= 1e-6 or self._transport.is_closing()

    def go_on(self, tokens: float) -> None:
        self.left -= tokens
        done = self._tokens if self.is_over else int(self._tokens - self.left)
        while done - self._sent >= self._event_tokens or (self.is_over and self._sent < self._tokens):
            count = min(self._event_tokens, self._tokens - self._sent)
            self._sent += count
            self._event('{"index":0,"delta":{"content":"%s"},"finish_reason":null}' % ("w " * count))
        if self.is_over:
            self._end()

    def _event(self, choice: str, more: str = "") -> None:
        event = f'data: {{"model":"{MODEL}","choices":[{choice}]{more}}}\n\n'.encode()
        self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _end(self) -> None:
        self._event('{"index":0,"delta":{"content":"\\\\boxed{1}"},"finish_reason":"stop"}')
        self._event("", f',"usage":{{"prompt_tokens":9,"completion_tokens":{self._tokens}}}')
        self._transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


class Connection(asyncio.Protocol):
    """One request."""

    def __init__(self, replica: Replica, mean_tokens: float, event_tokens: int) -> None:
        self._replica, self._mean, self._event_tokens, self._received = replica, mean_tokens, event_tokens, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        sizes = (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        if end and len(body) >= next(sizes, 0):
            self._received = b""
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        if path != b"/v1/chat/completions":
            found = {"data": [{"id": MODEL, "object": "model", "owned_by": "steady"}], "version": "1"}
            text = json.dumps(found if path in (b"/v1/models", b"/version") else {}).encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            self._transport.write(head % (len(text), text))
            return
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        self._transport.write(head)
        asked = json.loads(body)
        tokens = length_of(asked["seed"], self._mean, asked["max_tokens"])
        self._replica.add(Answer(self._transport, tokens, self._event_tokens))


async def serve(tokens_per_s: float, stream_tokens_per_s: float, mean_tokens: float, event_tokens: int) -> None:
    replica = Replica(tokens_per_s, stream_tokens_per_s)
    make = lambda: Connection(replica, mean_tokens, event_tokens)  # noqa: E731
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await replica.run()


if __name__ == "__main__":
    whole, stream, mean, event = sys.argv[1:]
    asyncio.run(serve(float(whole), float(stream), float(mean), int(event)))
