"""The bare HTTP client: replies of every framing and of none, limits, proxies, lost connections."""

import asyncio
import base64
import queue
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress

import pytest

from papergate.endpoints.address import CHAT, Access, Address, Proxy
from papergate.endpoints.connect import connect
from papergate.endpoints.event_loop import run_in_loop
from papergate.endpoints.http import CLOSES, LONGEST_HEAD_BYTES, Connection, Parser, Reply
from papergate.endpoints.http import exchange as exchange_over
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import EngineError, EngineRefused
from tests.meta.engines.test_remote import certificate, draw, request
from tests.servers.faulty_server import MODEL, FaultyServer, answer_to

NOBODY = Access(key=None, key_env="PAPERGATE_API_KEY")


PAUSE_S = 0.02
CONNECT_S = 60
"""To make a connection: a busy machine must not miss it, and a kernel tries for two minutes where nobody answers."""


@pytest.fixture(params=[asyncio.run, run_in_loop], ids=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine in an event loop of either kind."""
    return request.param


STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
"""Its head takes 47 bytes, and its end never comes."""


@pytest.fixture
def exchanged(run):
    return lambda *answers, **how: exchange(run, *answers, **how)


PART = b"HTTP/1.1 200 OK\r\nContent-Le"
"""After it the connection is closed."""


def post(address):
    return exchange_over(address, address.request("POST", CHAT, b"{}", CLOSES), CONNECT_S)


def exchange(run, *answers, take=None, closes=False, at_once=False):
    """Post to a server that sends ``answers``, one for each request; what came, and how many connections it saw.

    An answer of several parts is sent in so many pieces, with a pause after each.
    """
    waiting, connections = iter(answers), []

    async def serve(reader, writer):
        connections.append(asyncio.current_task())
        while await reader.read(2**16) and (answer := next(waiting, None)) is not None:
            for part in (answer,) if isinstance(answer, bytes) else answer:
                writer.write(part)
                await asyncio.sleep(0 if part is answer else PAUSE_S)
            if closes or answer == PART:
                break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def post_all(address):
        for _ in answers:
            async with post(address) as reply:
                said, status = [], reply.status
                await reply.each(take or said.append)
                yield status, b"".join(said)
            if not at_once:
                await asyncio.sleep(3 * PAUSE_S)

    async def against_a_server():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
            address = Address.of(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", NOBODY)
            try:
                return [came async for came in post_all(address)]
            finally:
                await asyncio.gather(*connections, return_exceptions=True)

    return run(against_a_server()), len(connections)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nT: t\r\n\r\n", 200, b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", 500, b"no"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 200, b"ok"),
        ((b"HTTP/1.1 200 OK\r\nContent-Len", b"gth: 2\r\n\r\no", b"k"), 200, b"ok"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\nX: a\x01\n\nok", 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n", 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
    ],
)
def test_replies_of_every_framing_are_read_each_on_a_connection_of_its_own(exchanged, answer, status, body):
    assert exchanged(answer, answer, answer) == ([(status, body)] * 3, 3)


@pytest.mark.parametrize(
    "head",
    [
        "1.1 200 OK\r\nConnection: close\r\nContent-Length: 2",
        "1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2",
        "1.0 200 OK\r\nContent-Length: 2",
    ],
)
def test_no_connection_is_used_again(exchanged, head):
    answer = f"HTTP/{head}\r\n\r\nok".encode()
    assert exchanged(answer, answer, at_once=True) == ([(200, b"ok")] * 2, 2)


def test_a_body_without_framing_ends_with_its_connection(exchanged):
    assert exchanged(b"HTTP/1.1 200 OK\r\n\r\nok", closes=True) == ([(200, b"ok")], 1)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "closed it before the answer was over"),
        (PART, "closed it before the answer was over"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "closed it before the answer was over"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", "closed it before the answer was over"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n", "no HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "no HTTP"),
    ],
)
def test_what_breaks_off_or_is_no_http_is_a_lost_connection(exchanged, answer, said):
    with pytest.raises(ConnectionError, match=said):
        exchanged(answer, closes=True)


def test_whoever_has_enough_reads_no_further_and_leaves_the_connection_to_nobody(exchanged):
    assert exchanged(STREAM, (STREAM[:47], STREAM[47:]), take=lambda _: True) == ([(200, b"")] * 2, 2)


@pytest.mark.parametrize("cut", [0, 47])
def test_what_goes_wrong_in_reading_is_raised_where_it_is_waited_for(exchanged, cut):
    def fail(_):
        raise LookupError("a mistake of ours")

    with pytest.raises(LookupError, match="of ours"):
        exchanged((STREAM[:cut], STREAM[cut:]), take=fail)


CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n"


def fed(*reads):
    """What a reader of the body is given of ``reads``, and what the last of them raises."""
    reply, said = Reply(), []
    reply.hand_to(said.append)
    parser = Parser(reply)
    for read in reads[:-1]:
        parser.feed(read)
    try:
        parser.feed(reads[-1])
    except ConnectionError as error:
        return said, str(error)
    return said, reply.is_over


def test_the_chunks_of_one_read_are_read_at_once():
    assert fed(CHUNKS, b"1\r\n!\r\n") == ([b"ok", b"!"], False)


def test_the_chunks_before_the_end_are_read_before_it_and_none_after_it():
    assert fed(CHUNKS + b"0\r\n\r\n" + CHUNKS) == ([b"ok"], True)


def test_the_chunks_before_what_is_no_http_are_read():
    said, error = fed(CHUNKS + b"no size\r\n")
    assert said == [b"ok"]
    assert "no HTTP" in error


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


NO = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("answer", [OK + NO, (OK, NO), (OK, b"?"), (OK, NO[:30], NO[30:])])
def test_a_reply_that_nobody_asked_for_answers_no_request(exchanged, answer, at_once):
    assert exchanged(answer, answer, answer, at_once=at_once) == ([(200, b"ok")] * 3, 3)


def test_a_reply_that_comes_before_its_request_is_none(run):
    async def speak_first(reader, writer):
        writer.write(NO)
        await reader.read()
        writer.close()

    async def ask():
        async with await asyncio.start_server(speak_first, "127.0.0.1", 0) as listening:
            address = Address.of(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", NOBODY)
            transport, connection = await connect(address, Connection, CONNECT_S)
            for _ in range(100):
                await asyncio.sleep(0.01 if not transport.is_closing() else 0)
            try:
                await connection.exchange(b"")
            finally:
                await asyncio.sleep(PAUSE_S)

    with pytest.raises(ConnectionError, match="before it was asked"):
        run(ask())


HEADS = {
    "one field without an end": (b"X: ", b"x" * 2**16),
    "fields without an end": (b"", b"X: " + b"x" * 100 + b"\r\n"),
    "interim replies without an end": (b"X: x\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "trailers without an end": (b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", b"T: t\r\n"),
    "an extension without an end": (b"Transfer-Encoding: chunked\r\n\r\n2", b";x" * 1000),
}


@pytest.mark.parametrize(("begin", "more"), HEADS.values(), ids=HEADS)
def test_what_frames_a_body_is_bounded(run, begin, more):
    status = b"HTTP/1.1 100 Continue\r\n" if begin.startswith(b"X: x") else b"HTTP/1.1 200 OK\r\n"
    sent = 0

    async def never_end(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(status + begin)
        with suppress(ConnectionError):
            while True:
                writer.write(more)
                await writer.drain()
                sent += len(more)
        writer.close()

    async def ask():
        async with await asyncio.start_server(never_end, "127.0.0.1", 0) as listening:
            address = Address.of(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", NOBODY)
            async with post(address) as reply:
                await reply.each(lambda _: False)

    with pytest.raises(EngineError, match=f"frames its body, exceeds {LONGEST_HEAD_BYTES} bytes"):
        run(ask())
    assert sent < 2**24  # what the kernel's buffers take


def test_a_connection_is_probed_while_an_answer_is_waited_for(run):
    async def probes():
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = Address.of(f"http://127.0.0.1:{listening.getsockname()[1]}", NOBODY)
            transport, connection = await connect(address, Connection, CONNECT_S)
            options = transport.get_extra_info("socket")
            connection.close()
            return [
                options.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                options.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            ]

    assert run(probes()) == [1, 60]


def test_no_key_and_no_password_is_shown():
    access = Access(key="secret", key_env="KEY")
    shown = f"{access} {Address.of('http://127.0.0.1:1', access)} {Proxy.of('http://me:secret@proxy')}"
    assert "secret" not in shown


# -- proxies -----------------------------------------------------------------------------------------------------------


@contextmanager
def proxy(to_port, seen, *, refuses=False):
    """A real proxy that takes every host for this machine: passes requests on, and opens tunnels."""

    async def pump(reader, writer):
        while data := await reader.read(2**16):
            writer.write(data)
        writer.close()

    serving = []

    async def serve(reader, writer):
        serving.append(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        if refuses:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            return
        there, on = await asyncio.open_connection("127.0.0.1", to_port)
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            method, target, rest = head.split(b" ", 2)
            on.write(b" ".join((method, b"/" + target.split(b"/", 3)[3], rest)))
        try:
            await asyncio.gather(pump(reader, on), pump(there, writer), return_exceptions=True)
        finally:
            for each in (on, writer):
                each.close()
                await each.wait_closed()

    async def listen(started):
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
            stop = asyncio.Event()
            started.put((listening.sockets[0].getsockname()[1], asyncio.get_running_loop(), stop))
            await stop.wait()
            await asyncio.gather(*serving, return_exceptions=True)

    started = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: asyncio.run(listen(started)))
    thread.start()
    port, loop, stop = started.get()
    try:
        yield f"http://me:pass%20word@127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


AUTHORIZATION = b"Proxy-Authorization: Basic " + base64.b64encode(b"me:pass word")


def test_a_proxy_passes_requests_on(monkeypatch):
    seen = []
    with FaultyServer() as server, proxy(server.port, seen) as url:
        monkeypatch.setenv("http_proxy", url)
        engine = RemoteEngine(["http://gpu.example:8000"], MODEL)
        assert draw(engine, request())[0].text == answer_to("2+2?", 7)
    assert seen[-1].startswith(b"POST http://gpu.example:8000/v1/chat/completions HTTP/1.1\r\n")
    assert AUTHORIZATION in seen[-1]


def test_a_proxy_opens_a_tunnel_to_a_server_with_tls_and_learns_no_key(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setenv("PAPERGATE_API_KEY", "key of the server")
    with FaultyServer(certificate=certificate(tmp_path)) as server, proxy(server.port, seen) as url:
        monkeypatch.setenv("https_proxy", url)
        monkeypatch.setattr("papergate.endpoints.address.is_loopback", lambda _: False)
        engine = RemoteEngine([f"https://localhost:{server.port}"], MODEL, ca_file=tmp_path / "cert.pem")
        assert draw(engine, request())[0].text == answer_to("2+2?", 7)
    assert seen[-1].startswith(b"CONNECT localhost:%d HTTP/1." % server.port)
    assert AUTHORIZATION in seen[-1]
    assert b"key of the server" not in b"".join(seen)


def post_to(url, run):
    async def begin():
        async with post(Address.of(url, NOBODY)):
            pass

    run(begin())


def test_a_proxy_that_refuses_is_named_and_quoted(run, monkeypatch):
    with proxy(0, [], refuses=True) as url:
        monkeypatch.setenv("https_proxy", url)
        named = (
            rf"through the proxy 127\.0\.0\.1:{url.rpartition(':')[2]}: it opens no tunnel: .*407 Proxy Authentication"
        )
        with pytest.raises(ConnectionError, match=named):
            post_to("https://gpu.example", run)


def test_a_proxy_that_is_down_is_named(run, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{port}")
    with pytest.raises(ConnectionError, match=rf"through the proxy 127\.0\.0\.1:{port}: "):
        post_to("http://gpu.example", run)


def test_a_tunnel_to_an_address_of_version_6_is_asked_for_in_brackets():
    asked = Proxy.of("proxy:3128").tunnel_request("2001:db8::1", 8443)
    assert asked == b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\r\n"


@pytest.mark.parametrize("url", ["https://proxy:3128", "socks5://proxy:1080"])
def test_a_proxy_of_another_kind_is_refused_with_the_remedy(monkeypatch, url):
    monkeypatch.setenv("https_proxy", url)
    with pytest.raises(EngineRefused, match=f"one of {url.split(':')[0]}; only http:// proxies .* NO_PROXY"):
        Address.of("https://gpu.example", NOBODY)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:pa/ss@proxy:3128",
        "http://me:pa#ss@proxy:3128",
        "http://me:pa[ss@proxy:3128",
        "http://me:p[pa]s@proxy:3128",
        "http://me:pa℀ss@proxy:3128",
        "http://",
        "http://proxy:x",
    ],
)
def test_a_proxy_that_is_no_address_is_refused_and_not_shown(url):
    with pytest.raises(EngineRefused, match="no address; write it like http://user:password@host:3128") as refusal:
        Proxy.of(url)
    assert "pa" not in str(refusal.value).replace("password", "")
    assert refusal.value.__context__ is None


# -- connecting --------------------------------------------------------------------------------------------------------


def test_an_address_that_nobody_answers_at_does_not_hide_the_next(run, monkeypatch):
    """The first is of a listener whose queue is full, which drops every attempt to connect."""

    async def open_one():
        loop, addresses = asyncio.get_running_loop(), (deaf.getsockname(), good.getsockname())
        found, resolve = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", each) for each in addresses], loop.getaddrinfo

        async def get_addresses(host, *place, **hints):
            return found if host == "two.example" else await resolve(host, *place, **hints)

        monkeypatch.setattr(loop, "getaddrinfo", get_addresses, raising=False)
        _, connection = await connect(Address.of("http://two.example", NOBODY), Connection, CONNECT_S)
        connection.close()

    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as deaf,
        socket.create_server(("127.0.0.1", 0)) as good,
        ExitStack() as held,
    ):
        for _ in range(4):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)  # noqa: FBT003 - the standard library's signature
            filler.connect_ex(deaf.getsockname())
        run(open_one())


def test_a_certificate_that_is_not_trusted_is_refused_with_the_remedy(run, tmp_path):
    said = r"certificate is not trusted .self.signed certificate.*--ca-file"
    with FaultyServer(certificate=certificate(tmp_path)) as server, pytest.raises(EngineRefused, match=said):
        post_to(server.url, run)
