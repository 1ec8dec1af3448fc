"""Faults of servers that answer over HTTP: what a stream, its framing, its end and its silence may hold.

Each row is an answer of a server over a real socket and what must become of it: an answer, an error after which the
request may be sent again, or one after which it may not. All limits of time are short here, and the same otherwise.
"""

import asyncio
import json
import re
from decimal import Decimal

import pytest

from papergate.completions.policy import LONGEST_RETRY_AFTER_S, Policy
from papergate.endpoints.events import LONGEST_LINE_BYTES
from papergate.engines.records import Finish, Request
from papergate.engines.remote import timeouts
from papergate.engines.remote.answer import LONGEST_ANSWER_BYTES
from papergate.engines.remote.engine import RemoteEngine
from papergate.engines.remote.timeouts import Timeouts
from papergate.errors import EngineError
from papergate.promises.records import Sampling
from tests.meta.engines.test_remote import draw
from tests.meta.faults.records import Fault
from tests.servers.faulty_server import MODEL, FaultyServer

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=128)
LIMITS = Timeouts(connect_s=20.0, first_token_s=1.0, trial_s=1.0, idle_s=0.5, total_s=2.0)
LONGEST_S = 60.0
"""For a row whose limits sum up to a few seconds: a busy machine needs room."""
FOR_EVER = object()
"""In a reply: go on with the last part until the client leaves."""
SILENCE = object()
"""In a reply: send nothing more, and keep the connection open."""
TEXT = "so</think>4"


def chunk(finish=None, *, model=MODEL, index=0, **delta):
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "model": model, "choices": [choice]}


def data(*objects, end="\n\n"):
    return "".join(f"data: {json.dumps(each)}{end}" for each in objects).encode()


SAID = (chunk(role="assistant", content=""), chunk(content="so</think>"), chunk(content="4"))
WHOLE = (*SAID, chunk("stop"))
GOOD = data(*WHOLE)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def outcome(*parts, status=HEAD, **how):
    """The completion that a reply becomes, or the error: ``parts`` are its body, each sent by itself."""

    async def answer(_, reply):
        await reply.raw(status + b"\r\n")
        last = b""
        for part in parts:
            if part is SILENCE:
                await asyncio.sleep(3600)
            while part is FOR_EVER:
                await reply.raw(last)
                await asyncio.sleep(how.get("pause_s", 0.0))
            last = part
            await reply.raw(part)
            await asyncio.sleep(0)
        reply.close()

    return outcome_of(answer)


def outcome_of(behaviour):
    request = Request(problem="p", sample=0, prompt="2+2?", sampling=SAMPLING, seed=7)
    with FaultyServer(plan=lambda _: behaviour) as server:
        engine = RemoteEngine([server.url], MODEL, timeouts=LIMITS)

        async def within():
            async with asyncio.timeout(LONGEST_S):
                return await engine.complete(request)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timeouts, "FAREWELL_S", 0.2)
            try:
                return asyncio.run(within())
            except EngineError as error:
                return error


def read(name, done, *parts, text=TEXT, finish=Finish.STOP, holds="read as it is meant", **how):
    """A row whose stream is an answer."""

    def test(_):
        found = outcome(*parts, **how)
        assert not isinstance(found, EngineError), found
        assert (found.text, found.finish) == (text, finish)

    return Fault(name=name, done=done, holds=holds, test=test)


def again(name, done, *parts, words="", **how):
    """A row whose request may be sent again."""
    return _error(name, done, "an error; the request is sent again", *parts, words=words, transient=True, **how)


def failed(name, done, *parts, words="", **how):
    """A row whose request is not sent again."""
    return _error(name, done, "an error in words; stored as failed", *parts, words=words, transient=False, **how)


def _error(name, done, holds, *parts, words, transient, **how):
    def test(_):
        found = outcome(*parts, **how)
        assert isinstance(found, EngineError), found
        assert found.transient is transient, found
        assert re.search(words, str(found)), found

    return Fault(name=name, done=done, holds=holds, test=test)


LINES = [line for line in GOOD.decode().splitlines() if line]
SPREAD = json.dumps(SAID[1], indent=1)
LEGAL = [
    read("line-ends-lf", "lines that end in LF", GOOD),
    read("line-ends-crlf", "lines that end in CR LF", data(*WHOLE, end="\r\n\r\n")),
    read("line-ends-cr", "lines that end in CR", data(*WHOLE, end="\r\r")),
    read("line-ends-mixed", "lines that end each in another way", data(*WHOLE[:2], end="\r\n\r") + data(*WHOLE[2:])),
    read("byte-order-mark", "a byte order mark before the stream", b"\xef\xbb\xbf" + GOOD),
    read("byte-order-mark-cut", "a byte order mark, cut in two", b"\xef", b"\xbb\xbf" + GOOD),
    read(
        "data-over-lines",
        "an event whose data are spread over several lines",
        data(WHOLE[0]) + "".join(f"data: {line}\n" for line in SPREAD.splitlines()).encode() + b"\n" + data(*WHOLE[2:]),
    ),
    read(
        "unknown-fields",
        "fields that nobody knows, ids and times to come again",
        b"foo: bar\nid: 1\nretry: 10\nx-y\n" + GOOD,
    ),
    read("comments", "comments between events", b": hello\n\n:\n\n" + GOOD.replace(b"data", b": ping\n\ndata")),
    read("named-events", "events with names", GOOD.replace(b"data", b"event: message\ndata")),
    read("foreign-events", "events of other names that hold no object", b"event: ping\ndata: 17\n\n" + GOOD),
    read("no-blank", "no space after the colon", GOOD.replace(b"data: ", b"data:")),
    read("no-empty-lines", "no empty lines between events", data(*WHOLE, end="\n")),
    read("no-last-line-end", "a last line without its end", GOOD.rstrip()),
    read("empty-data", "events without data", b"data:\n\ndata: \n\n" + GOOD),
    read("bytewise", "every byte by itself", *(bytes([byte]) for byte in GOOD)),
    read("done", "[DONE], and usage after it", GOOD, b"data: [DONE]\n\n", data({"choices": [], "usage": None})),
    read("finish-twice", "the same finish reason twice", GOOD, data(chunk("stop"))),
    read(
        "odd-usage",
        "counts that count nothing: negative, fractions, texts, too large",
        *(
            data({"choices": [], "usage": usage})
            for usage in (
                {"prompt_tokens": -1},
                {"completion_tokens": 1.5},
                "x",
                [1],
                {"prompt_tokens": "9"},
                {"completion_tokens": True},
                {"completion_tokens": 2**60},
            )
        ),
        GOOD,
    ),
    read("no-model", "chunks without a model, or with an odd one", data(chunk(model=None), chunk(model=3)) + GOOD),
    read("reset-after-end", "a connection that breaks after the finish reason", GOOD, b"5"),
]

COUNTED = [
    read(
        "loop-ended",
        "a loop that the server noticed and ended (`repetition`)",
        data(*SAID, chunk("repetition")),
        finish=Finish.OTHER,
        holds="an answer, wrong and counted, never asked again",
    ),
    read(
        "unknown-reason",
        "a finish reason that nobody knows",
        data(*SAID, chunk("weird_reason")),
        finish=Finish.OTHER,
        holds="an answer, wrong and counted, never asked again",
    ),
    read(
        "refusal",
        "words in a refusal field",
        data(chunk(refusal="I can"), chunk(refusal="not."), chunk("stop")),
        text="I cannot.",
        finish=Finish.REFUSED,
        holds="a refusal: wrong, and counted by itself",
    ),
    read(
        "refusal-filtered",
        "a refusal that ends with content_filter",
        data(chunk(refusal="no"), chunk("content_filter")),
        text="no",
        finish=Finish.REFUSED,
        holds="a refusal: wrong, and counted by itself",
    ),
    *(
        read(
            f"thought-again-{name}",
            f"a thought cut by the limit, sent again as content{how}",
            data(
                chunk(reasoning="let me see \\boxed{4} so"), *(chunk(content=each) for each in content), chunk("length")
            ),
            text="let me see \\boxed{4} so",
            finish=Finish.LENGTH,
            holds="a thought that nothing closed: no answer",
        )
        for name, how, content in (
            ("whole", "", ["let me see \\boxed{4} so"]),
            ("pieces", ", in pieces", ["let me see ", "\\boxed{4} so"]),
            ("part", ", its end alone", ["\\boxed{4} so"]),
            ("tagged", " with its tag", ["<think>\nlet me see \\boxed{4}"]),
        )
    ),
    read(
        "answer-cut",
        "an answer of its own, cut by the limit",
        data(chunk(reasoning="so"), chunk(content="It is"), chunk("length")),
        text="so</think>It is",
        finish=Finish.LENGTH,
    ),
]

MIXED = [
    failed(
        "two-choices",
        "two choices in an event",
        data({"choices": [SAID[1]["choices"][0]] * 2}),
        words="several answers",
    ),
    failed(
        "second-choice",
        "a choice with another index",
        data(SAID[1], chunk(index=1, content="5"), chunk("stop")),
        words="several answers",
    ),
    failed("text-after-finish", "text after the finish reason", GOOD, data(chunk(content="5")), words="after the end"),
    failed(
        "text-after-finish-for-ever",
        "text after the finish reason, for ever",
        GOOD,
        data(chunk(content="5")),
        FOR_EVER,
        words="after the end",
    ),
    failed(
        "thought-after-finish",
        "a thought after the finish reason",
        GOOD,
        data(chunk(reasoning="5")),
        words="after the end",
    ),
    failed(
        "refusal-after-finish",
        "a refusal after the finish reason",
        GOOD,
        data(chunk(refusal="5")),
        words="after the end",
    ),
    failed(
        "text-after-done",
        "text after [DONE]",
        data(*SAID),
        b"data: [DONE]\n\n",
        data(chunk(content="5"), chunk("stop")),
        words="after the end",
    ),
    failed("second-answer", "a second answer in the same stream", GOOD, GOOD, words="after the end"),
    failed("ends-twice", "two finish reasons that differ", GOOD, data(chunk("length")), words="ended twice"),
    failed(
        "content-filter", "a text that a filter withheld", data(*SAID, chunk("content_filter")), words="content_filter"
    ),
    again("gave-up", "a server that gave the answer up", data(*SAID, chunk("abort")), words="abort"),
    again("broken-after-finish", "broken JSON after the finish reason", GOOD, b"data: {\n\n", words="broken JSON"),
]

BROKEN = [
    again("cut", "a stream without a finish reason", data(*SAID), words="without a finish reason"),
    again("cut-in-event", "a stream that ends within an event", GOOD[:-60], words="broken JSON"),
    again(
        "no-text", "a finish reason and no text", data(chunk(role="assistant"), chunk("stop")), words="no text at all"
    ),
    again(
        "text-amid",
        "a plain text within the stream",
        data(*SAID),
        b"Engine callback timeout: x\n",
        words="callback timeout",
    ),
    again(
        "error-object", "an error object within the stream", data(*SAID, {"error": {"message": "died"}}), words="'died'"
    ),
    failed(
        "error-object-400",
        "an error object with code 400",
        data({"error": {"message": "long", "code": 400}}),
        words="'long'",
    ),
    again(
        "error-event", "`event: error` with an object", b'event: error\ndata: {"message": "died"}\n\n', words="'died'"
    ),
    again(
        "error-event-text",
        "`event: error` with a text",
        b"event: error\ndata: out of memory\n\n",
        words="'out of memory'",
    ),
    again("error-event-empty", "`event: error` without data", b"event: error\n\n", words="without words"),
    again(
        "unknown-line",
        "a stream that ends after a field that nobody knows",
        data(*SAID),
        b"Error: died\n",
        words="Error: died",
    ),
    *(
        failed(
            f"no-chunk-{number}",
            f"an event that is no chunk: `{event[:40]}`",
            b"data: " + event.encode() + b"\n\n",
            words="no chunk of a chat|no object",
        )
        for number, event in enumerate(
            (
                '{"choices": "x"}',
                '{"choices": [3]}',
                '{"choices": {"a": 1}}',
                '{"choices": [{"delta": 3}]}',
                "3",
                "null",
                "[]",
                '"x"',
                '{"choices": [{"delta": {"content": 3}}]}',
                '{"choices": [{"delta": {"content": ["a"]}}]}',
                '{"choices": [{"finish_reason": {"a": 1}}]}',
                '{"choices": [{"finish_reason": 7}]}',
            )
        )
    ),
    *(
        again(
            f"bad-json-{number}",
            f"an event that is no JSON: `{event[:30]}`",
            b"data: " + event.encode() + b"\n\n",
            words="broken JSON",
        )
        for number, event in enumerate(
            ("{", '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud800"}', "[" * 3000, '{"a": ' + "9" * 5000)
        )
    ),
]

BOUNDED = [
    failed(
        "long-line",
        f"a line of more than {LONGEST_LINE_BYTES >> 20} MiB",
        b"data: " + b"x" * 2**16,
        FOR_EVER,
        words="exceeds",
    ),
    failed(
        "long-line-bytewise",
        "a line without end, in pieces of a few bytes",
        b"data: ",
        b"xxxxxxx" * 100,
        FOR_EVER,
        words="exceeds|no token came",
    ),
    failed(
        "long-event",
        "an event of lines without end",
        b"data: {\n",
        b"data: " + b"x" * 60000 + b"\n",
        FOR_EVER,
        words="exceeds",
    ),
    failed(
        "long-answer",
        f"text of more than {LONGEST_ANSWER_BYTES >> 20} MiB",
        data(chunk(content="x" * 2**16)),
        FOR_EVER,
        words="exceeds",
    ),
    failed(
        "long-head", "a head without end", b"X: y\r\n" * 1000, FOR_EVER, status=HEAD[:-2], words="head of the reply"
    ),
    failed(
        "packed", "a compressed stream", GOOD, status=HEAD + b"Content-Encoding: gzip\r\n", words="compresses streams"
    ),
    failed(
        "html",
        "a page of HTML",
        b"<h1>hello</h1>",
        status=HEAD.replace(b"event-stream", b"html"),
        words="where a stream was",
    ),
    again("silence", "no byte of an answer", SILENCE, words="no token came within 1 s"),
    again("stall", "an answer that stops coming", data(*SAID), SILENCE, words="no token for 0.5 s"),
    again("pings", "pings and no answer", b": ping\n\n", FOR_EVER, words="no token came within 1 s", pause_s=0.01),
    again(
        "empty-chunks",
        "chunks without text for ever",
        data(chunk(role="assistant")),
        FOR_EVER,
        words="no token came",
        pause_s=0.01,
    ),
    again(
        "drip", "tokens for ever", data(chunk(content="and ")), FOR_EVER, words="not finished within 2 s", pause_s=0.05
    ),
    again(
        "drip-of-bytes",
        "a head that comes byte by byte",
        b"X",
        FOR_EVER,
        status=HEAD[:-2],
        words="no token came",
        pause_s=0.02,
    ),
    read(
        "open-after-end",
        "a stream that stays open after its end",
        GOOD,
        SILENCE,
        holds="read; closed after a few seconds",
    ),
    read(
        "pings-after-end",
        "pings after the end, for ever",
        GOOD,
        b": ping\n\n",
        FOR_EVER,
        pause_s=0.01,
        holds="read; closed after a few seconds",
    ),
]

STATUSES = [
    *(
        again(
            f"status-{status.split()[0]}",
            f"the status {status}",
            b"busy",
            status=f"HTTP/1.1 {status}\r\n".encode(),
            words=f"answered {status.split()[0]}",
        )
        for status in (
            "408 Request Timeout",
            "425 Too Early",
            "429 Too Many Requests",
            "500 Oh",
            "502 Oh",
            "503 Oh",
            "504 Oh",
            "529 Oh",
        )
    ),
    *(
        failed(
            f"status-{status}",
            f"the status {status}",
            b"no",
            status=f"HTTP/1.1 {status} No\r\n".encode(),
            words=f"answered {status}",
        )
        for status in (204, 301, 302, 400, 401, 403, 404, 413, 418, 422)
    ),
    again(
        "tls-alert",
        "TLS where plain HTTP was asked",
        b"\x15\x03\x03\x00\x02\x02\x32",
        status=b"\x15\x03\x03",
        words="speaks TLS",
    ),
    again("other-protocol", "another protocol", b"SSH-2.0-OpenSSH\r\n", status=b"", words="no HTTP"),
]


def _retry_after(header):
    def test(_):
        found = outcome(b"busy", status=f"HTTP/1.1 429 Busy\r\nRetry-After: {header}\r\n".encode())
        assert found.transient
        request = Request(problem="p", sample=0, prompt="", sampling=SAMPLING, seed=0)
        assert 0 <= Policy().wait_s(request, 1, found) <= LONGEST_RETRY_AFTER_S

    return test


WAITS = [
    Fault(
        name=f"retry-after-{number}",
        done=f"`Retry-After: {header[:40]}`",
        holds="a wait of ten minutes at most",
        test=_retry_after(header),
    )
    for number, header in enumerate(
        (
            "5",
            "1e308",
            "-7",
            "nan",
            "inf",
            "soon",
            "",
            "9" * 400,
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Fri, 31 Dec 99999 23:59:59 GMT",
            "Mon, 01 Jan 0001 00:00:00 +2359",
        )
    )
]


def _stands_alone(unasked):
    """A reply that nobody asked for, sent behind a good one on its connection, before and after the next request."""

    async def answer(asked, reply):
        body = data(chunk(content=f"answer to {asked.seed}"), chunk("stop"))
        await reply.raw(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await asyncio.sleep(unasked)
        await reply.raw(HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD)

    def test(_):
        with FaultyServer(plan=lambda _: answer) as server:
            engine = RemoteEngine([server.url], MODEL)
            for seed in range(4):
                request = Request(problem="p", sample=seed, prompt="2+2?", sampling=SAMPLING, seed=seed)
                assert draw(engine, request)[0].text == f"answer to {seed}"

    return test


def _names(*models, noted):
    def test(_):
        found = outcome(data(*(chunk(model=model, content="x") for model in models), chunk("stop", model=models[-1])))
        assert found.model == noted
        assert found.endpoint.startswith("http://127.0.0.1:")
        assert found.finish_reason == "stop"

    return test


OTHERS = [
    *(
        Fault(
            name=f"unasked-reply-{number}",
            done=f"a reply that nobody asked for, {when}",
            test=_stands_alone(pause_s),
            holds="it never answers the next request",
        )
        for number, (when, pause_s) in enumerate((("at once", 0), ("a moment after", 0.005), ("later", 0.1)))
    ),
    Fault(
        name="other-model",
        done="chunks that name another model",
        test=_names("other", noted="other"),
        holds="stored with the answer, and noted in the report",
    ),
    Fault(
        name="several-models",
        done="chunks that name several models",
        test=_names("a", "b", "a", noted="a, b"),
        holds="stored with the answer, and noted in the report",
    ),
]

FAULTS = (*LEGAL, *COUNTED, *MIXED, *BROKEN, *BOUNDED, *STATUSES, *WAITS, *OTHERS)
