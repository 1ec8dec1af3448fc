"""Faults of a server's control plane: health, models, version, properties and tokenizer may hold anything."""

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager
from decimal import Decimal

import pytest

from papergate.endpoints import pages
from papergate.endpoints.address import proxy_for
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.promises.records import Sampling
from tests.meta.faults.records import Fault

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=128)
MODELS = json.dumps({"data": [{"id": "double", "owned_by": "double", "max_model_len": 4096}]}).encode()
KEY = "sk-control-0123456789"
PATHS = ("/health", "/v1/models", "/version", "/props", "/server_info", "/tokenize")
LONGEST_S = 30.0

BODIES = {
    "nothing": b"",
    "null": b"null",
    "a number": b"17",
    "a list": b"[1, [2]]",
    "a text": b'"text"',
    "HTML": b"<html>hello</html>",
    "bytes of no encoding": bytes(range(128, 256)),
    "UTF-16": json.dumps({"version": "1"}).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + MODELS,
    "nesting without end": b'{"data":' * 100_000,
    "deep nesting": b'{"data":' + b"[" * 900 + b"]" * 900 + b"}",
    "a number of 5,000 digits": b'{"version": %s, "count": %s}' % (b"9" * 5000, b"9" * 5000),
    "an infinite number": b'{"version": 1e999, "count": NaN}',
    "half of a surrogate pair": b'{"version": "\\ud800", "data": []}',
    "fields of other types": b'{"version": {"a": [null]}, "data": [null, 3, {"id": null}], "count": "many", '
    b'"build_info": 7, '
    b'"chat_template": [1], "model_path": {}, '
    b'"default_generation_settings": {"params": {"top_k": null, "min_p": "x"}}}',
    "negative counts": b'{"count": -5, "data": [{"id": "double", "max_model_len": -1}], "build_info": "b", '
    b'"default_generation_settings": {"params": {"top_k": -1e308}}}',
    "escape sequences": b'{"version": "\\u001b]0;title\\u0007\\u202e", "data": [{"id": "a\\u001b[2Jb"}]}',
    "the key": b'{"version": "%b", "error": "%b", "data": [{"id": "%b", "owned_by": "%b"}]}' % ((KEY.encode(),) * 4),
    "names of a megabyte": b'{"version": "%b"}' % (b"x" * 900_000),
    "ten thousand models": json.dumps({"data": [{"id": f"m{n}"} for n in range(10_000)]}).encode(),
}
"""Well framed, status 200."""


def framed(body, *fields, status="200 OK"):
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""))
    return head.encode() + body


@contextmanager
def serving(answers):
    """A server that writes ``answers[path]``, bytes or parts for ever, and otherwise what a good server writes."""
    good = {"/v1/models": framed(MODELS), "/health": framed(b"")}
    loop, started = asyncio.new_event_loop(), threading.Event()
    place = {}

    async def serve(reader, writer):
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            answer = answers.get(path, good.get(path, framed(b"{}", status="404 Not Found")))
            first, more, pause_s = answer if isinstance(answer, tuple) else (answer, b"", 0)
            writer.write(first)
            while more:
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(pause_s)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def listen():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            place["port"], place["stop"] = server.sockets[0].getsockname()[1], asyncio.Event()
            started.set()
            await place["stop"].wait()

    def run():
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(listen())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait()
    try:
        yield f"http://127.0.0.1:{place['port']}"
    finally:
        loop.call_soon_threadsafe(place["stop"].set)
        thread.join()


def looked_at(answers, scheme="http"):
    """What the engine says of a server: its identity in words, or its error."""
    with serving(answers) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERGATE_API_KEY", KEY)
        patch.setattr(pages, "PAGE_S", 1.5)
        began = time.monotonic()
        try:
            engine = RemoteEngine([url.replace("http", scheme)], "double")
            engine._check_context(url, _request())
            found = str(engine.identity())
        except EngineError as error:
            found = error
        assert time.monotonic() - began < LONGEST_S
        return found


def _request():
    from papergate.engines.records import Request

    return Request(problem="p", sample=0, prompt="2+2?", sampling=SAMPLING, seed=1)


def _anything(path, answer):
    def test(_):
        said = str(looked_at({path: answer}))
        assert KEY not in said
        assert not [sign for sign in said if sign in "\x1b\x07\u202e"]
        assert len(said) < 10_000

    return test


def _error(path, answer, kind, words):
    def test(_):
        found = looked_at({path: answer})
        assert isinstance(found, kind), found
        assert words in str(found)

    return test


def _https_to_plain(_):
    found = looked_at({}, scheme="https")
    assert isinstance(found, EngineRefused), found
    assert "plain HTTP" in str(found)


def _https_to_silence(_):
    """A server that waits for a whole request of HTTP and never answers a handshake."""

    async def serve(reader, writer):
        begun = await reader.read(16)
        if begun.startswith(b"GET"):
            writer.write(b"HTTP/1.0 404 Not Found\r\n\r\n")
        else:
            await reader.read()
        writer.close()

    async def listen(port, stop):
        async with await asyncio.start_server(serve, "127.0.0.1", port):
            await stop.wait()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(listen(port, stop)))
    thread.start()
    began = time.monotonic()
    try:
        time.sleep(0.2)
        with pytest.raises(EngineRefused, match="speaks plain HTTP on this port; give the address http://"):
            RemoteEngine([f"https://127.0.0.1:{port}"], "double")
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
    assert time.monotonic() - began < LONGEST_S


def _plain_to_https(tmp_path):
    from tests.meta.engines.test_remote import certificate
    from tests.servers.faulty_server import FaultyServer

    with FaultyServer(certificate=certificate(tmp_path)) as server:
        with pytest.raises(EngineRefused, match="speaks TLS on this port; give the address https://") as refused:
            RemoteEngine([f"http://127.0.0.1:{server.port}"], "double")
        assert "https" in str(refused.value)


def _no_proxy(_):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTP_PROXY", "http://proxy.example:3128")
        for host in ("127.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "[::1]", "127.1", "0x7f.1",
                     "2130706433", "0.0.0.0", "[::ffff:127.0.0.1]", "127.255.0.9"):  # fmt: skip
            assert proxy_for(f"http://{host}:8000") is None, host
        assert proxy_for("http://gpu.example:8000")


FAULTS = (
    *(
        Fault(
            name=f"page-{path[1:].replace('/', '-')}-{number}",
            done=f"{name} as `{path}`",
            test=_anything(path, framed(body)),
            holds="a stated default, or an error in words",
        )
        for path in PATHS
        for number, (name, body) in enumerate(BODIES.items())
    ),
    *(
        Fault(
            name=f"page-{path[1:].replace('/', '-')}-drips",
            done=f"`{path}` byte by byte, for ever",
            holds="an error in time",
            test=_error(path, (b"HTTP/1.1 200 OK\r\n\r\n", b" ", 0.02), EngineTimeout, "did not answer within"),
        )
        for path in PATHS
    ),
    *(
        Fault(
            name=f"page-{path[1:].replace('/', '-')}-floods",
            done=f"`{path}` without end",
            holds="an error after 1 MiB",
            test=_error(path, (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, 0), EngineError, "exceeds 1048576 bytes"),
        )
        for path in PATHS
    ),
    Fault(
        name="page-head-floods",
        done="a head without end",
        holds="an error after 64 KiB",
        test=_error("/health", (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100, 0), EngineError, "exceeds 65536 bytes"),
    ),
    Fault(
        name="page-packed",
        done="a compressed page, such as a bomb",
        holds="refused; nothing is unpacked",
        test=_error("/v1/models", framed(b"\x1f\x8b", "Content-Encoding: gzip"), EngineRefused, "compressed (gzip)"),
    ),
    Fault(
        name="page-silent",
        done="no answer",
        holds="an error in time",
        test=_error("/health", (b"", b"", 0), EngineError, "cannot be reached"),
    ),
    Fault(
        name="page-type",
        done="escape sequences in a content type",
        holds="escaped",
        test=_anything("/v1/models", framed(b"x", "Content-Type: \x1b[2J\x07", status="404 No")),
    ),
    *(
        Fault(
            name=f"page-status-{status}",
            done=f"the status {status} of `/v1/models` with the key in its words",
            holds="an error in words, without the key",
            test=_anything("/v1/models", framed(f"bad key {KEY}".encode(), status=f"{status} No")),
        )
        for status in (301, 400, 401, 403, 404, 429, 500, 503)
    ),
    Fault(
        name="https-to-plain",
        done="https to a port that speaks plain HTTP",
        test=_https_to_plain,
        holds="named in about a second",
    ),
    Fault(
        name="https-to-silence",
        done="https to a port that waits for a request",
        test=_https_to_silence,
        holds="named in about a second",
    ),
    Fault(
        name="plain-to-https",
        done="http to a port that speaks TLS",
        test=_plain_to_https,
        holds="named in about a second",
    ),
    Fault(
        name="proxy-of-this-machine",
        done="a proxy in the environment",
        test=_no_proxy,
        holds="never asked for this machine",
    ),
)
