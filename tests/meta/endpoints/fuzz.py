"""Mutated streams over real sockets, and an independent reader that says what may be made of each.

``python -m tests.meta.endpoints.fuzz 100000 [SEED]`` sends so many and prints what became of them.
"""

import asyncio
import json
import os
import random
import re
import resource
import sys
from collections import Counter
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise

from papergate.endpoints.event_loop import run_in_loop
from papergate.engines.records import Completion, Request
from papergate.engines.remote.engine import RemoteEngine
from papergate.engines.remote.timeouts import Timeouts
from papergate.errors import EngineError
from papergate.promises.records import Sampling

KEY = "sk-fuzz-0123456789abcdef"
MODEL = "double"
LIMITS = Timeouts(connect_s=20.0, first_token_s=20.0, trial_s=20.0, idle_s=20.0, total_s=40.0)
LONGEST_S = 60.0
"""No stream that the double sends is kept open, so that none comes near its limits; a busy machine needs room."""
IN_FLIGHT = 16
WORDS = ("Häufig", " √2", " 思考", "🤔", "</think>", "\\boxed{", "4", "}", "\n", "<think>", " so")
REASONS = ("stop", "length", "repetition", "abort", "content_filter", "eos_token", "")
LATE = b'data: {"choices":[{"index":0,"delta":{"content":"late"},"finish_reason":null}]}\n\n'
TOKENS = (
    b"\r", b"\n", b"\r\n\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"data:", b"data: ", b": ping\n\n",
    b"event: error\n", b"data: [DONE]\n\n", b"[DONE]", b'"finish_reason":"stop"', b'"finish_reason":null', b'"index":1',
    b"HTTP/1.1 200 OK\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"null",
    b"\x15\x03\x03\x00\x02", b"ffffffffffffffff\r\n", b"1e999", b"9" * 400, b"[" * 2000, b'{"a":' * 300, b"\\ud800",
    b'"refusal":"no"', b'{"error":{"message":"x","code":400}}', b"{}", b"true", b"-1", KEY.encode(),
    b"Retry-After: 99999999999\r\n", b"Content-Encoding: gzip\r\n", LATE,
)  # fmt: skip


def reply(source):
    """A reply whose body, framing or both are mutated, at times neither."""
    body = b"".join(events(source))
    body = mutated(body, source) if source.random() < 0.7 else body
    cuts = sorted(source.randrange(len(body) + 1) for _ in range(source.randrange(6)))
    whole = framed([body[start:stop] for start, stop in pairwise([0, *cuts, len(body)]) if stop > start], source)
    return mutated(whole, source) if source.random() < 0.3 else whole


def events(source):
    """A good stream in one of the dialects; most are answers, some end otherwise."""
    field = source.choice(("content", "reasoning", "reasoning_content"))
    names = [field] * source.randrange(6) + ["content"] * source.randrange(1, 6)
    deltas = [{"role": "assistant", "content": ""}, *({name: source.choice(WORDS)} for name in names)]
    chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    chunks.append({"index": 0, "delta": {}, "finish_reason": source.choice(REASONS[: source.choice((1, 7))]) or None})
    events = [{"object": "chat.completion.chunk", "model": MODEL, "choices": [chunk]} for chunk in chunks]
    events.append({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": len(names)}})
    end = source.choice(("\n", "\r\n", "\r"))
    lines = [f"data: {json.dumps(event, ensure_ascii=source.random() < 0.5)}{end}{end}" for event in events]
    lines += [f"data: [DONE]{end}{end}"] * source.randrange(2)
    return [line.encode() for line in lines]


def framed(pieces, source):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    body = b"".join(pieces)
    how = source.randrange(4)
    if how == 0:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    if how == 1:
        return head + b"\r\n" + body
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n"


def mutated(reply, source):
    """``reply`` after up to four mutations of its bytes."""
    for _ in range(source.randrange(5)):
        start = source.randrange(len(reply) + 1)
        stop = min(len(reply), start + int(source.paretovariate(0.6)))
        part = reply[start:stop]
        change = source.randrange(9)
        if change == 0 and part:
            flipped = bytes([part[0] ^ 1 << source.randrange(8)])
            reply = reply[:start] + flipped + reply[start + 1 :]
        elif change == 1:
            reply = reply[:start] + reply[stop:]
        elif change == 2:
            reply = reply[:stop] + part + reply[stop:]
        elif change == 3:
            reply = reply[:start] + source.choice(TOKENS) + reply[start:]
        elif change == 4:
            reply = reply[:start] + source.choice(TOKENS) + reply[stop:]
        elif change == 5:
            reply = reply[:start]
        elif change == 6:
            reply = reply[:start] + source.randbytes(source.randrange(1, 20)) + reply[stop:]
        elif change == 7:
            reply = reply[:stop] + part * source.choice((2, 50)) + reply[stop:]
        else:
            lines = reply.split(b"\n")
            source.shuffle(lines) if source.random() < 0.1 else lines.insert(0, lines.pop())
            reply = b"\n".join(lines)
    return reply


def independently_read(reply):
    """Text of the one answer in ``reply``; None where a simple reader finds no whole one, or more than one."""
    body = _body_of(reply)
    text = body.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    said, finished = {"thought": "", "content": ""}, False
    for event in _objects(text.split(b"\n")):
        for choice in event.get("choices") or []:
            delta = choice.get("delta") or {}
            thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
            content = (delta.get("content") or "") + (delta.get("refusal") or "")
            if finished and (thought or content):
                return None
            said = {"thought": said["thought"] + thought, "content": said["content"] + content}
            finished = finished or bool(choice.get("finish_reason"))
    return said["thought"] + said["content"] if finished else None


def _body_of(reply):
    """The body as far as its framing can be followed."""
    head, rest = b"HTTP/1.1 100", reply.lstrip(b"\r\n")
    while re.match(rb"HTTP/1.\d 1\d\d", head):
        found = re.search(rb"\r?\n\r?\n", rest)
        head, rest = (rest[: found.start()], rest[found.end() :]) if found else (rest, b"")
    fields = head.lower()
    if re.search(rb"\ntransfer-encoding:[^\n]*\bchunked[ \t]*(?:\r?\n|$)", fields):
        body = b""
        while size := re.match(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\n]*)?\r?\n", rest):
            length = int(size[1], 16)
            body, rest = body + rest[size.end() :][:length], rest[size.end() + length :]
            if not length or not (end := re.match(rb"\r?\n", rest)):
                break
            rest = rest[end.end() :]
        return body
    length = re.search(rb"\ncontent-length: *(\d{1,15})", fields)
    return rest[: int(length[1])] if length else rest


def _objects(lines):
    """The JSON objects of an event stream: on one line, or over several up to an empty one."""
    data = []
    for line in [*(line.strip() for line in lines), b""]:
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.strip())
        if data and (not line or len(data) == 1):
            try:
                found = json.loads(b"\n".join(data))
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, dict):
                yield found
            if isinstance(found, dict) or not line:
                data = []


@asynccontextmanager
async def serving(replies):
    """A server that sends ``replies[seed]`` for the request with that seed, in pieces, and closes."""
    opened = set()

    async def serve(reader, writer):
        opened.add(asyncio.current_task())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            number = json.loads(await reader.readexactly(length))["seed"]
            reply, source = replies[number], random.Random(number)
            for _ in range(source.randrange(3)):
                cut = source.randrange(len(reply) + 1)
                writer.write(reply[:cut])
                await asyncio.sleep(0)
                reply = reply[cut:]
            writer.write(reply)
            await writer.drain()
            writer.write_eof()
            await reader.read()
        except (ConnectionError, OSError):
            pass
        finally:
            writer.close()
            opened.discard(asyncio.current_task())

    async with await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        await asyncio.gather(*opened, return_exceptions=True)


class Attached(RemoteEngine):
    """The engine without its look at the control plane, which stands in no mutated stream."""

    def __init__(self, url):
        from papergate.endpoints.address import Access, Address
        from papergate.endpoints.describe import Served
        from papergate.engines.remote.balance import Balance

        self._model, self._concurrency, self._thinks, self._timeouts = MODEL, IN_FLIGHT, False, LIMITS
        self._access, self._secrets = Access(key=KEY), (re.compile(KEY),)
        self._balance = Balance({url: 1})
        self._addresses = {url: Address.of(url, self._access)}
        self._served = {url: Served(software="")}
        self._batches = {}


async def outcomes(replies):
    """What becomes of each reply: a completion or an error of papergate; anything else is raised."""
    sampling = Sampling(temperature=Decimal("0.6"), max_tokens=128)
    room = asyncio.Semaphore(IN_FLIGHT)

    async def one(engine, number):
        request = Request(problem="p", sample=0, prompt="2+2?", sampling=sampling, seed=number)
        async with room, asyncio.timeout(LONGEST_S):
            try:
                return await engine.complete(request)
            except EngineError as error:
                return error

    async with serving(replies) as url:
        engine = Attached(url)
        return await asyncio.gather(*(one(engine, number) for number in range(len(replies))))


def refuse(reply, outcome):
    """Why an outcome must not be; None where it may."""
    if KEY in str(outcome):
        return "the key is shown"
    if isinstance(outcome, Completion):
        said = independently_read(reply)
        if said is None or outcome.text != said.replace(KEY, "[secret]"):
            return f"accepted as {outcome.text!r}, is {said!r}"
    return None


def run(count, seed):
    """Send ``count`` streams; the kinds of outcomes, and each one that must not be, with its reply."""
    os.environ["PAPERGATE_API_KEY"] = KEY
    source, kinds, wrong = random.Random(seed), Counter(), []
    for _ in range(0, count, 2000):
        replies = [reply(source) for _ in range(min(2000, count))]
        for sent, outcome in zip(replies, run_in_loop(outcomes(replies)), strict=True):
            kinds[_kind(outcome)] += 1
            if said := refuse(sent, outcome):
                wrong.append((said, sent))
    return kinds, wrong


def _kind(outcome):
    if isinstance(outcome, Completion):
        return f"answer: {outcome.finish}"
    return f"{'again' if outcome.transient else 'failed'}: {type(outcome).__name__}"


if __name__ == "__main__":
    found, bad = run(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 0)
    for kind, many in found.most_common():
        print(f"{many:8} {kind}")  # noqa: T201
    print(f"{len(bad)} wrong; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")  # noqa: T201
    for said, sent in bad[:10]:
        print(said, sent, sep="\n")  # noqa: T201
