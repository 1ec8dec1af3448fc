import asyncio
import contextlib
import re
import socket
import ssl
import time
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.endpoints.address import Access
from papergate.errors import EngineError, EngineRefused, RequestsLost, WorkloadError
from papergate.performance import collector
from papergate.performance.client import Client, Connection, RawReply, direct
from papergate.performance.collector import AVAILABLE, Collector
from papergate.performance.load import attach, measure, measure_pairs
from papergate.performance.metrics import itl_s, tokens_per_chunk, tpot_s
from papergate.performance.records import Stamps, TokenSource
from papergate.performance.replies import read_reply
from papergate.performance.validity import refuse_lost
from papergate.performance.workloads import Workload
from tests.meta.engines.test_remote import certificate
from tests.meta.processes import LIMIT_S
from tests.servers.timed_server import MANNERS, Manner, TimedServer

NOBODY = Access(key=None, key_env="KEY")
ROUNDING_S = 1e-6
"""Stamps are compared as floats of seconds."""
TOKENS = 16


@pytest.fixture(scope="module")
def server():
    manners = MANNERS | {name: Manner(**vars(manner) | FAST) for name, manner in MANNERS.items()}
    with TimedServer(manners) as running:
        yield running


FAST = {"ttft_s": 0.02, "itl_s": 0.002}


def workload(**changes):
    made = {"kind": "random", "input_tokens": 12, "prefix_tokens": 2, "output_tokens": TOKENS}
    fields = {"name": "w", "title": "w", "source": "w", "prompts": made, "count": 6, "concurrency": 3}
    return Workload.model_validate(fields | changes)


def measured(server, model, ca_file=None, **changes):
    """A run and the server's truth about its requests, in the order of the prompts."""
    attached = attach(server.url, model, ca_file=ca_file)
    asked = workload(**changes)
    server.truth.clear()
    run = measure(attached, asked, salt="s")
    return run, sorted(server.truth[asked.warmup_requests :], key=lambda truth: int(truth.id))


def received_s(run, stamp_ns):
    return (stamp_ns - run.origin_ns) / 1e9


def is_after(run, seconds, stamp_ns):
    return seconds >= received_s(run, stamp_ns) - ROUNDING_S


@pytest.mark.parametrize(
    "model", ["plain", "role-early", "reasoning-content", "reasoning", "four-per-chunk", "no-usage"]
)
def test_every_chunk_with_text_is_stamped_after_it_was_sent_and_before_the_next(server, model):
    run, truths = measured(server, model)
    assert len(run.answered) == len(truths) == 6
    for request, truth in zip(run.requests, truths, strict=True):
        assert request.sent_s <= received_s(run, truth.received_ns) + ROUNDING_S
        assert len(request.chunks_s) == len(truth.text_ns)
        assert all(is_after(run, at, sent) for at, sent in zip(request.chunks_s, truth.text_ns, strict=True))
        assert is_after(run, request.last_s, truth.last_ns)
    assert run.client.stamps is (Stamps.KERNEL if AVAILABLE else Stamps.EVENT_LOOP)


def test_chunks_under_tls_are_stamped_too_once_the_authority_is_named(tmp_path):
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with TimedServer({"plain": Manner(**FAST)}, tls=context) as running:
        with pytest.raises(EngineRefused, match=r"certificate is not trusted.*--ca-file"):
            attach(running.url, "plain")
        run, truths = measured(running, "plain", cert)
    assert len(run.answered) == len(truths) == 6
    assert run.client.stamps is Stamps.EVENT_LOOP
    for request, truth in zip(run.requests, truths, strict=True):
        assert all(is_after(run, at, sent) for at, sent in zip(request.chunks_s, truth.text_ns, strict=True))


def test_stamp_that_the_kernel_did_not_give_is_on_record(server, monkeypatch):
    monkeypatch.setattr(collector, "STAMPED", socket.SO_KEEPALIVE)  # something that stamps nothing
    run, _ = measured(server, "plain")
    assert len(run.answered) == 6
    assert run.client.stamps is Stamps.EVENT_LOOP


def test_role_only_chunk_is_no_first_token(server):
    run, truths = measured(server, "role-early")
    assert all(is_after(run, r.chunks_s[0], t.text_ns[0]) for r, t in zip(run.requests, truths, strict=True))


@pytest.mark.parametrize("model", ["reasoning-content", "reasoning"])
def test_reasoning_is_text(server, model):
    run, _ = measured(server, model)
    assert [len(request.chunks_s) for request in run.requests] == [TOKENS] * 6


def test_chunks_of_four_tokens_are_counted_as_four(server):
    run, _ = measured(server, "four-per-chunk")
    assert tokens_per_chunk(run.requests) == 4
    for request in run.requests:
        assert (request.output_tokens, len(itl_s(request))) == (TOKENS, TOKENS / 4 - 1)
        assert tpot_s(request) == pytest.approx(sum(itl_s(request)) / (TOKENS - 1))


def test_tokens_are_the_servers_own_where_it_counts_them(server):
    run, _ = measured(server, "plain")
    assert {(r.output_tokens, r.tokens_from) for r in run.requests} == {(TOKENS, TokenSource.USAGE)}


@pytest.mark.parametrize("model", ["no-usage", "no-usage-four-per-chunk"])
def test_tokens_without_usage_are_the_tokenizers(server, model):
    run, _ = measured(server, model)
    assert {(r.output_tokens, r.tokens_from) for r in run.requests} == {(TOKENS, TokenSource.TOKENIZER)}


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("error-midway", "the server reported an error: 'out of memory'"),
        ("cut-midway", "the stream broke off after 3 chunks (the connection was closed)"),
        ("unfinished", "the stream ended after 9 characters without a finish reason"),
    ],
)
def test_broken_stream_is_a_failed_request(server, model, error):
    run, _ = measured(server, model)
    assert [request.error for request in run.requests] == [error] * 6
    assert run.answered == ()
    with pytest.raises(RequestsLost, match="6 of 6 requests failed"):
        refuse_lost(run)


def test_broken_server_is_refused_before_it_is_measured(server):
    with pytest.raises(EngineError, match="500"):
        attach(server.url, "broken")


def test_server_that_breaks_while_it_is_measured_loses_requests(server):
    attached = attach(server.url, "plain")
    server.manners["plain"], good = MANNERS["broken"], server.manners["plain"]
    try:
        run = measure(attached, workload(), salt="s")
    finally:
        server.manners["plain"] = good
    with pytest.raises(RequestsLost, match=r"6 of 6 requests failed: prompt 0: .*answered 500.*the device is lost"):
        refuse_lost(run)


def test_server_without_streaming_is_refused(server):
    with pytest.raises(EngineRefused, match="where a stream was asked for"):
        attach(server.url, "whole")


def test_server_without_ignore_eos_is_asked_without_it(server):
    assert not attach(server.url, "no-ignore-eos").ignores_eos
    run, _ = measured(server, "no-ignore-eos")
    assert run.settings["ignore_eos"] is False
    assert len(run.answered) == 6


def test_nobody_at_the_address_is_said():
    with pytest.raises(EngineError, match="cannot be reached"):
        attach("http://127.0.0.1:1", "m")


def test_closed_loop_keeps_its_concurrency(server):
    attached = attach(server.url, "plain")
    server.most_at_once = 0
    run = measure(attached, workload(concurrency=3, count=9), salt="s")
    assert server.most_at_once == 3
    assert run.client.reconnects == 0
    first_end = min(request.last_s for request in run.requests)
    assert all(first_end <= request.intended_s <= request.sent_s for request in run.requests[3:])


def test_open_loop_sends_whatever_became_of_earlier_requests(server):
    attached = attach(server.url, "plain")
    server.most_at_once = 0
    run = measure(attached, workload(concurrency=None, requests_per_s=1000.0, count=12, arrivals="fixed"), salt="s")
    assert server.most_at_once > 6
    assert [request.intended_s for request in run.requests] == pytest.approx(
        [run.requests[0].intended_s + number / 1000 for number in range(12)]
    )
    assert all(request.sent_s >= request.intended_s for request in run.requests)


def test_pairs_ask_both_servers_the_same_prompts_in_turns(server):
    attached = attach(server.url, "plain")
    new, old = measure_pairs(attached, attached, workload(count=6, concurrency=2), salt="s")
    starts = sorted([(r.sent_s, side) for side, run in (("n", new), ("o", old)) for r in run.requests])
    assert "".join(side for _, side in starts) == "nnoooonnnnoo"
    assert [request.prompt for request in new.requests] == [request.prompt for request in old.requests]


def test_open_loop_cannot_take_turns(server):
    attached = attach(server.url, "plain")
    with pytest.raises(WorkloadError, match="give concurrency"):
        measure_pairs(attached, attached, workload(concurrency=None, requests_per_s=1.0), salt="s")


def test_proxy_is_refused(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    with pytest.raises(EngineRefused, match="NO_PROXY"):
        direct("http://example.invalid:8000", NOBODY)


def test_key_goes_along():
    address = direct("http://127.0.0.1:8000", Access(key="k", key_env="KEY"))
    assert b"Authorization: Bearer k\r\n" in address.request("POST", "/", b"{}")


def test_given_up_request_closes_its_connection(server):
    async def give_up():
        client = Client(direct(server.url, NOBODY))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await client.send(b'{"model": "plain", "stream": true, "max_tokens": 99}', 0)
        assert client._take() is None

    asyncio.run(give_up())


NO = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"


@pytest.mark.parametrize(
    "answer",
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NO),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + NO,),
    ],
)
def test_no_connection_is_used_again_so_that_what_nobody_asked_for_answers_nothing(answer):
    async def serve(reader, writer):
        if await reader.read(2**16):
            for part in answer:
                writer.write(part)
                await asyncio.sleep(0.02)
            await reader.read()
        writer.close()

    async def ask_three_times():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
            client = Client(direct(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", NOBODY))
            await client.open(1)
            replies = [await client.send(b"{}", number) for number in range(3)]
            client.close()
            await asyncio.sleep(0.05)
        return replies, client.opened

    replies, waited = asyncio.run(ask_three_times())
    assert [reply.complete for reply in replies] == [True] * 3
    assert all(b"".join(reply.pieces).partition(b"\r\n\r\n")[2].startswith(b"ok") for reply in replies)
    assert waited == 0


@pytest.mark.parametrize(
    ("begin", "more", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 2**16, "the head of the reply exceeds 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n" % (b"9" * 5000), b"x" * 2**20, "exceeds 67108864 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 2**20, "exceeds 67108864 bytes"),
    ],
)
def test_a_reply_without_end_is_given_up(begin, more, error):
    async def never_end(reader, writer):
        await reader.read(2**16)
        writer.write(begin)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(more)
                await writer.drain()
        writer.close()

    async def ask():
        async with await asyncio.start_server(never_end, "127.0.0.1", 0) as listening:
            client = Client(direct(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", NOBODY))
            reply = await client.send(b"{}", 0)
            client.close()
            await asyncio.sleep(0.05)
            return reply

    reply = asyncio.run(ask())
    assert not reply.complete
    assert error in reply.error
    assert sum(map(len, reply.pieces)) < 2**26 + 2**20


class Taken:
    """A double of a connection: what the collector gave it."""

    def __init__(self):
        self.pieces, self.ended, self.over = [], [], asyncio.Event()

    def received(self, piece, stamp_ns):
        if piece == b"unreadable":
            raise ValueError(piece)
        self.pieces.append((piece, stamp_ns))

    def lost(self, error):
        self.ended.append(error)
        self.over.set()


async def collected(*, until, taken, busy=time.sleep, busy_s=0.0, piece=b"x"):
    """Send pieces to a collector while this process is busy, until ``until``; the moments at which each was sent."""
    ours, theirs = loopback()
    reading, sent = Collector(), []
    reading.watch(theirs.fileno(), taken)
    for _ in range(200):
        if until(sent):
            break
        ours.send(piece)
        sent.append(time.monotonic_ns())
        busy(busy_s)
        await asyncio.sleep(0.002)
    ours.close()
    await taken.over.wait()
    reading.close()
    theirs.close()
    return sent


def loopback():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        return ours, listening.accept()[0]


@pytest.mark.skipif(not AVAILABLE, reason="the kernel's stamps are Linux's")
def test_stamps_do_not_wait_for_a_busy_client():
    taken, busy_s = Taken(), 0.005

    def stamped_in_time(sent):  # the first pieces may come before the kernel has begun to stamp
        stamp_ns = taken.pieces[-1][1] if sent and len(taken.pieces) == len(sent) else None
        return stamp_ns is not None and stamp_ns < sent[-1] + busy_s * 1e9 / 2

    sent = asyncio.run(collected(until=stamped_in_time, taken=taken, busy_s=busy_s))
    assert stamped_in_time(sent)


@pytest.mark.skipif(not AVAILABLE, reason="the kernel's stamps are Linux's")
def test_the_kernel_stamps_the_first_piece_too_once_it_has_begun():
    async def first():
        ours, theirs = loopback()
        reading, taken = Collector(), Taken()
        reading.watch(theirs.fileno(), taken)
        await reading.begun()
        ours.send(b"x")
        ours.close()
        await taken.over.wait()
        reading.close()
        theirs.close()
        return taken.pieces[0]

    for _ in range(5):
        time.sleep(0.05)  # the kernel ends its stamps a while after the last socket that asked for them
        assert asyncio.run(first())[1] is not None


@pytest.mark.skipif(not AVAILABLE, reason="the kernel's stamps are Linux's")
def test_what_cannot_be_read_ends_the_connection():
    taken = Taken()
    asyncio.run(collected(until=lambda _: taken.ended, taken=taken, piece=b"unreadable"))
    assert isinstance(taken.ended[0], ValueError)


def test_stamps_of_a_clock_that_was_set_stay_between_what_was_before_and_now():
    connection = Connection()
    reply = connection._reply = RawReply(sent_ns=time.monotonic_ns())
    hour_ns = 3600 * 10**9
    for step_ns in (-hour_ns, hour_ns, -hour_ns):
        connection.received(b"x", time.monotonic_ns() + step_ns)
    early, late, after = reply.stamps_ns
    assert early == reply.sent_ns
    assert early < late < time.monotonic_ns()
    assert after == late


@pytest.mark.skipif(not AVAILABLE, reason="the kernel's stamps are Linux's")
def test_a_request_leaves_at_its_stamp_and_what_the_socket_does_not_take_is_left():
    async def send():
        reading, taken = Collector(), Taken()
        ours, theirs = loopback()
        theirs.settimeout(0)
        number = reading.watch(theirs.fileno(), taken)
        left = reading.send(number, b"now")
        came = ours.recv(16)  # before the event loop has had a turn
        rest = reading.send(number, bytes(2**26))
        ours.close()
        async with asyncio.timeout(LIMIT_S):
            await taken.over.wait()
        reading.close()
        theirs.close()
        return left, came, rest

    left, came, rest = asyncio.run(send())
    assert (left, came) == (b"", b"now")
    assert 0 < len(rest) < 2**26


class Broken(Taken):
    """A double of a connection that can do nothing right."""

    def received(self, piece, stamp_ns):
        raise RuntimeError(piece)

    def lost(self, error):
        super().lost(error)
        raise error


@pytest.mark.skipif(not AVAILABLE, reason="the kernel's stamps are Linux's")
def test_what_goes_wrong_with_one_connection_stays_with_it():
    async def collect():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        reading, taken = Collector(), [Broken(), Taken()]
        pairs = [loopback() for _ in taken]
        for (ours, theirs), each in zip(pairs, taken, strict=True):
            reading.watch(theirs.fileno(), each)
            ours.send(b"x")
        pairs[1][0].close()
        async with asyncio.timeout(LIMIT_S):
            await asyncio.gather(*(each.over.wait() for each in taken))
        reading.close()
        for end in (*pairs[0], pairs[1][1]):
            end.close()
        return taken

    broken, sound = asyncio.run(collect())
    assert [type(error) for error in broken.ended] == [RuntimeError]
    assert ([piece for piece, _ in sound.pieces], sound.ended) == ([b"x"], [None])


EVENTS = (
    b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n',
    b": ping\n\n",
    'data: {"choices":[{"delta":{"reasoning":"Häufig √2 思考"}}]}\r\n\r\n'.encode(),
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choices":[{"delta":{"content":"b"}}]}\n\n',
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n',
    b"data: [DONE]\n\n",
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b"".join(b"%X\r\n%b\r\n" % (len(event), event) for event in EVENTS) + b"0\r\n\r\n"
PLAIN = b"".join(EVENTS)
WITH_LENGTH = HEAD + b"Content-Length: %d\r\n\r\n" % len(PLAIN) + PLAIN
TRAILED = CHUNKED + BODY[:-2] + b"Expires: never\r\nServer-Timing: total;dur=1\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + WITH_LENGTH


def fed(raw, cuts):
    """A reply whose bytes came in pieces cut at ``cuts``, piece n at n nanoseconds, read by a real connection."""

    async def feed():
        connection = Connection()
        reply = connection._reply = RawReply()
        for start, stop in zip([0, *cuts], [*cuts, len(raw)], strict=True):
            if connection._reply is None:
                return reply, False
            connection.data_received(raw[start:stop])
        return reply, True

    reply, took_all = asyncio.run(feed())
    reply.stamps_ns = list(range(len(reply.stamps_ns)))
    return reply, took_all


def cuts_of(raw):
    return st.lists(st.integers(1, len(raw) - 1), unique=True, max_size=12).map(sorted)


@pytest.mark.parametrize(
    "raw", [CHUNKED + BODY, TRAILED, WITH_LENGTH, CONTINUED], ids=["chunked", "trailers", "length", "continue"]
)
@given(data=st.data())
def test_reply_cut_anywhere_is_the_same_reply(raw, data):
    cuts = data.draw(cuts_of(raw))
    reply, took_all = fed(raw, cuts)
    assert took_all
    assert reply.complete
    reading = read_reply(reply, NOBODY)
    assert reading.error is None
    assert reading.text == "Häufig √2 思考ab"
    assert (reading.answer.prompt_tokens, reading.answer.output_tokens) == (3, 4)
    ends = list(accumulate(len(piece) for piece in reply.pieces))
    for stamp, mark in zip(reading.chunks_ns, (b"reasoning", b'"a"', b'"b"'), strict=True):
        line_end = raw.index(b"\n", raw.index(mark))
        assert stamp == next(piece for piece, end in enumerate(ends) if end > line_end)


@given(data=st.data())
def test_reply_that_stops_anywhere_is_never_a_whole_one(data):
    raw = CHUNKED + BODY
    stop = data.draw(st.integers(1, len(raw) - 1))
    reply, _ = fed(raw[:stop], [])
    assert not reply.complete
    assert read_reply(reply, NOBODY).error


def test_body_without_framing_ends_with_its_connection():
    async def feed():
        connection = Connection()
        reply = connection._reply = RawReply()
        connection.data_received(HEAD + b"\r\n" + PLAIN)
        connection.connection_lost(None)
        return reply

    reading = read_reply(asyncio.run(feed()), NOBODY)
    assert (reading.error, reading.text) == (None, "Häufig √2 思考ab")


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "what came is no HTTP .*'SSH-2.0-OpenSSH'"),
        (b"HTTP/1.1 OK\r\n\r\n", "what came is no HTTP .*'HTTP/1.1 OK'"),
        (b"\r\n\r\n", "the connection broke off before an answer came"),
        (CHUNKED + b"data:\r\n", "what came is no HTTP .Invalid character in chunk size"),
        (CHUNKED + b"-5\r\ndata:\r\n", "what came is no HTTP .Invalid character in chunk size"),
        (b"\x15\x03\x03\x00\x02\x02\x32", "speaks TLS on this port; write the address with https"),
    ],
)
def test_what_is_no_http_is_the_readings_error_and_quoted(raw, error):
    reply, _ = fed(raw, [])
    assert re.search(error, read_reply(reply, NOBODY).error)


def test_content_type_is_known_in_any_case():
    reply, _ = fed(WITH_LENGTH.replace(b"text/event-stream", b"Text/Event-Stream; charset=UTF-8"), [])
    assert read_reply(reply, NOBODY).error is None


def test_load_run_is_on_the_servers_clock(server):
    before = time.monotonic_ns()
    run, truths = measured(server, "plain")
    assert before < run.origin_ns < truths[0].received_ns < time.monotonic_ns()
