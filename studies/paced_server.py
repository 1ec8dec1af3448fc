"""An OpenAI-compatible server that costs little and answers on time: the other end of the client's measurements.

``python studies/paced_server.py PORT TTFT_S ITL_S`` streams max_tokens tokens to every request, one per event. Each
event carries the monotonic time at which it was written, so that a client on the same machine can tell how late it
read it.
"""

import asyncio
import json
import random
import sys
import time

MODEL = "paced"
JITTER = random.Random(0)
"""Streams in lockstep would come in waves that no real server makes."""


class Connection(asyncio.Protocol):
    """One keep-alive connection; one request at a time."""

    def __init__(self, ttft_s: float, itl_s: float) -> None:
        self._ttft_s, self._itl_s = ttft_s, itl_s
        self._received = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        self._left = -1

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        if end and len(body) >= length:
            self._received = b""
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        if path != b"/v1/chat/completions":
            found = {"data": [{"id": MODEL, "object": "model", "owned_by": "paced", "created": 0}], "version": "1"}
            text = json.dumps(found if path in (b"/v1/models", b"/version") else {}).encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
            )
            return
        asked = json.loads(body)
        self._tokens = self._left = int(asked.get("max_tokens") or asked.get("max_completion_tokens"))
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.time() + self._ttft_s
        self._loop.call_at(self._next, self._token)

    def _token(self) -> None:
        if self._left < 0:
            return
        if self._left == 0:
            self._farewell()
            return
        self._left -= 1
        self._event('{"index":0,"delta":{"content":"word "},"finish_reason":null}')
        self._next += self._itl_s * JITTER.uniform(0.7, 1.3)
        self._loop.call_at(self._next, self._token)

    def _event(self, choice: str, more: str = "") -> None:
        event = (
            f'data: {{"id":"c-{time.monotonic():.6f}","object":"chat.completion.chunk","created":1,"model":"{MODEL}",'
            f'"choices":[{choice}]{more}}}\n\n'
        ).encode()
        self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _farewell(self) -> None:
        self._event('{"index":0,"delta":{},"finish_reason":"stop"}')
        usage = f'{{"prompt_tokens":9,"completion_tokens":{self._tokens},"total_tokens":{9 + self._tokens}}}'
        self._event("", f',"usage":{usage}')
        self._transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")


async def serve(port: int, ttft_s: float, itl_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(ttft_s, itl_s), "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        run = asyncio.run
    run(serve(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
