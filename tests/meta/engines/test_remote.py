"""Endpoints are understood in every server's dialect, and refused in plain words when they cannot serve."""

import asyncio
import hashlib
import json
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from decimal import Decimal

import pytest

from papergate.endpoints.address import Access, Address, proxy_for, root_of
from papergate.endpoints.event_loop import run_in_loop
from papergate.endpoints.events import END, LAST, LONGEST_LINE_BYTES, EventReader
from papergate.endpoints.server_errors import quoted, retry_after_s, server_words
from papergate.engines.records import Finish, Request
from papergate.engines.remote.answer import Answer
from papergate.engines.remote.balance import REST_S, Balance
from papergate.engines.remote.engine import RemoteEngine, _check_words
from papergate.errors import EngineError, EngineRefused
from papergate.promises.records import Sampling
from tests.servers.faulty_server import MODEL, FaultyServer, always, answer_to

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=128)


def request(prompt="2+2?", seed=7, **sampling):
    return Request(problem="p", sample=0, prompt=prompt, sampling=SAMPLING.model_copy(update=sampling), seed=seed)


def put_together(*events, thinks=True):
    answer = Answer()
    for event in events:
        answer.add(event)
    return answer.text(thinks=thinks)


def chunk(finish=None, **delta):
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


# -- dialects ----------------------------------------------------------------------------------------------------------


def test_a_thought_in_the_content_stays_as_it_is():
    assert put_together(chunk(content="so\n"), chunk(content="</think>\n\n4")) == "so\n</think>\n\n4"


def test_the_tag_that_opens_a_thought_is_dropped():
    assert put_together(chunk(content="<th"), chunk(content="ink>so</think>4")) == "so</think>4"
    assert put_together(chunk(content="\n<think>so</think>4")) == "so</think>4"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_thought_split_off_is_closed_where_content_begins(field):
    events = [chunk(role="assistant", content=""), chunk(**{field: "so"}), chunk(content=None, **{field: " on"})]
    assert put_together(*events, chunk(content="4", **{field: None})) == "so on</think>4"
    assert put_together(*events) == "so on"


def test_a_thought_sent_under_both_names_counts_once():
    assert put_together(chunk(reasoning="so", reasoning_content="so"), chunk(content="4")) == "so</think>4"


def test_the_line_break_that_a_template_writes_after_its_tag_is_no_word_of_the_model():
    events = [chunk(reasoning_content="\n"), chunk(reasoning_content="so"), chunk(content="4")]
    assert put_together(*events) == "so</think>4"
    assert put_together(*events, thinks=False) == "\nso4"


def test_a_thought_that_the_limit_cut_is_no_answer_where_the_server_sends_it_again_as_content():
    events = [chunk(reasoning="so it is 4"), chunk(content="so it is 4")]
    assert put_together(*events, chunk(finish="length")) == "so it is 4"
    assert put_together(*events, chunk(finish="stop")) == "so it is 4</think>so it is 4"


def sglang(finish=None, **delta):
    """A chunk as SGLang writes it: ``reasoning_content`` is always there, and what stopped the answer is named."""
    choice = {"index": 0, "delta": {"reasoning_content": None} | delta, "logprobs": None, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "choices": [choice | {"matched_stop": 151643 if finish else None}]}


def test_a_stream_of_sglang_is_understood():
    answer = Answer()
    for event in (
        sglang(role="assistant", content=""),
        sglang(reasoning_content="so"),
        sglang(content="4"),
        sglang(finish="stop"),
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "reasoning_tokens": 2}},
    ):
        answer.add(event)
    assert (answer.text(thinks=True), answer.finish) == ("so</think>4", Finish.STOP)
    assert (answer.prompt_tokens, answer.output_tokens) == (9, 5)


def mindie(finish=None, **delta):
    """A chunk as MindIE writes it: the role in every one, both texts where the thought ends."""
    choice = {"index": 0, "delta": {"role": "assistant"} | delta, "logprobs": None, "finish_reason": finish}
    usage = {"usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}} if finish else {}
    return {"object": "chat.completion.chunk", "choices": [choice]} | usage


MINDIE_MODELS = {"data": [{"id": MODEL, "object": "model", "root": "/models", "owned_by": "MindIE Server"}]}


async def ended_without_text(_, reply):
    """A request that failed in MindIE's engine, and a model that ends with its first token."""
    await reply.head()
    await reply.chunk(
        f"data: {json.dumps(mindie(finish='stop', content='') | {'usage': {'completion_tokens': 0}})}\n\n"
    )
    await reply.end()


def test_what_failed_in_mindie_is_no_empty_answer():
    with FaultyServer(plan=always(ended_without_text)) as server:
        assert run_in_loop(RemoteEngine([server.url], MODEL).complete(request())).text == ""
        server.pages["/v1/models"] = ("200 OK", MINDIE_MODELS)
        with pytest.raises(EngineError, match="ILLEGAL_INPUT") as caught:
            run_in_loop(RemoteEngine([server.url], MODEL).complete(request()))
    assert caught.value.transient


@pytest.mark.parametrize("kind", ["type", "error_type"])
def test_both_error_bodies_of_mindie_are_read(kind):
    said = {"error": "Failed to get engine response.", kind: "Incomplete Generation"}

    async def incomplete(_, reply):
        await reply.whole("424 Failed Dependency", "application/json", json.dumps(said))

    with FaultyServer(plan=always(incomplete)) as server, pytest.raises(EngineError, match="Incomplete Gen") as caught:
        run_in_loop(RemoteEngine([server.url], MODEL).complete(request()))
    assert "Failed to get engine response." in str(caught.value)
    assert caught.value.transient


def test_a_stream_of_mindie_is_understood():
    answer = Answer()
    assert not answer.add(mindie(content=""))
    assert not answer.add(mindie(content=""))
    assert answer.add(mindie(reasoning_content="so", content=""))
    assert answer.add(mindie(reasoning_content=" on", content="4"))
    assert not answer.add(mindie(finish="length", content=""))
    assert (answer.text(thinks=True), answer.finish) == ("so on</think>4", Finish.LENGTH)
    assert (answer.prompt_tokens, answer.output_tokens) == (9, 5)


@pytest.mark.parametrize(
    ("events", "whole"),
    [
        ([chunk(content="4"), chunk(finish="stop")], True),
        ([chunk(content="4")], False),
        ([chunk(finish="stop")], False),
        ([chunk(finish="stop"), {"choices": [], "usage": {"completion_tokens": 1}}], True),
        ([chunk(finish="stop") | {"usage": {"completion_tokens": 0}}], True),
        ([chunk(finish="stop"), {"choices": [], "usage": {"completion_tokens": 7}}], False),
        ([chunk(finish="length"), {"choices": [], "usage": {"completion_tokens": 1}}], False),
        ([chunk(role="assistant") | {"usage": {"completion_tokens": 0}}, chunk(finish="stop")], False),
    ],
)
def test_an_answer_is_whole_with_its_text_or_with_a_count_that_says_there_is_none(events, whole):
    answer = Answer()
    for event in events:
        answer.add(event)
    assert answer.is_whole is whole


def test_a_model_that_does_not_think_is_taken_as_it_is():
    assert put_together(chunk(content="<think>"), thinks=False) == "<think>"


def test_a_role_only_chunk_brings_no_text():
    answer = Answer()
    assert not answer.add(chunk(role="assistant", content=""))
    assert not answer.add(chunk(role="assistant", content=None))
    assert not answer.add({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}})
    assert answer.add(chunk(reasoning="x"))
    assert (answer.prompt_tokens, answer.output_tokens) == (3, 5)


@pytest.mark.parametrize(
    ("reason", "finish"), [("stop", Finish.STOP), ("eos_token", Finish.STOP), ("length", Finish.LENGTH)]
)
def test_finish_reasons(reason, finish):
    answer = Answer()
    answer.add(chunk(finish=reason))
    assert answer.finish is finish


@pytest.mark.parametrize(("reason", "transient"), [("abort", True), ("content_filter", False), ("tool_calls", False)])
def test_a_finish_reason_that_leaves_no_whole_answer_is_an_error(reason, transient):
    with pytest.raises(EngineError, match=reason) as error:
        Answer().add(chunk(finish=reason))
    assert error.value.transient is transient


@pytest.mark.parametrize(
    "event", [{"choices": "none"}, {"choices": [3]}, chunk(content=3), {"usage": []} | chunk(content=["a"])]
)
def test_an_event_of_another_shape_is_an_error(event):
    with pytest.raises(EngineError, match="no chunk of a chat completion"):
        Answer().add(event)


@pytest.mark.parametrize(
    ("event", "transient", "words"),
    [
        ({"error": {"message": "EngineCore died", "code": 500}}, True, "EngineCore died"),
        ({"error": {"message": "too long", "code": 400}}, False, "too long"),
        ({"object": "error", "message": "overloaded", "code": 503}, True, "overloaded"),
        ({"error": "no idea"}, True, "no idea"),
        # SGLang, when its scheduler aborts a request
        ({"error": {"object": "error", "message": "aborted", "type": "INTERNAL", "code": 500}}, True, "aborted"),
    ],
)
def test_an_error_inside_a_stream_is_an_error(event, transient, words):
    with pytest.raises(EngineError, match=words) as error:
        Answer().add(event)
    assert error.value.transient is transient


# -- events ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_events_are_the_same_however_the_stream_is_cut(size, line_end):
    spread = ["data: {", 'data: "c":', "data: 1}", ""]
    lines = [": ping", "", "event: x", 'data: {"a":"√🤔"}', "", *spread, 'data:{"b":1}', "", "data: [DONE]", "", ""]
    stream = line_end.join(lines).encode()
    reader, events = EventReader(), []
    for start in range(0, len(stream), size):
        events.extend(reader.feed(stream[start : start + size]))
    assert [*events, *reader.feed(LAST)] == [{"a": "√🤔"}, {"c": 1}, {"b": 1}, END]


def test_an_event_of_several_lines_that_come_one_by_one_ends_at_its_blank_line():
    reader, lines = EventReader(), [b"data: {\n", b'data: "a":\n', b"data: 1}\n", b"\n"]
    assert [event for line in lines for event in reader.feed(line)] == [{"a": 1}]


def test_a_last_event_without_a_line_end_counts():
    reader = EventReader()
    assert list(reader.feed(b'data: {"a":1}')) == []
    assert list(reader.feed(LAST)) == [{"a": 1}]


@pytest.mark.parametrize(
    "line",
    [
        b"Engine callback timeout",
        b"Failed to get engine response",
        b'{"error": 1}',
        b"<html>",
        b'data: {"a":',
        b"data: 3",
    ],
)
def test_a_line_that_is_no_event_is_an_error_that_quotes_it(line):
    with pytest.raises(EngineError, match=line.removeprefix(b"data: ").decode()):
        list(EventReader().feed(line + b"\n\n"))


def test_a_line_without_end_is_an_error_before_it_fills_the_memory():
    reader = EventReader()
    with pytest.raises(EngineError, match="exceeds"):
        list(reader.feed(b"data: " + b"x" * LONGEST_LINE_BYTES))


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "m"}}', "m"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"detail": [{"loc": 1}]}', '[{"loc":1}]'),
        (b"<h1>502</h1>", "<h1>502</h1>"),
        (b"", ""),
    ],
)
def test_the_words_of_a_server(body, words):
    assert server_words(body) == words


def test_a_quotation_is_short_and_on_one_line():
    assert quoted(b"a\n b\xff") == "'a b�'"
    assert len(quoted("x" * 10_000)) < 400


A_DAY_S = 86400.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", A_DAY_S),
        ("-inf", 0.0),
        ("1e308", A_DAY_S),
        ("9" * 5000, A_DAY_S),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", A_DAY_S),
        ("Wed, 21 Oct 9999 23:59:59 -2359", A_DAY_S),
        ("Wed, 21 Oct 0001 00:00:00 +2359", 0.0),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        ("Wed, 99 Oct 2099 07:28:00 GMT", None),
        ("Wed, 21 Oct 2099 07:28:00 +9999999999", None),
        ("\udce9 \x00", None),
    ],
)
def test_retry_after_is_between_now_and_a_day_or_nothing_whatever_the_header_holds(header, seconds):
    assert retry_after_s(header) == seconds


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["http://h:8000", "http://h:8000/", "http://h:8000/v1", "http://h:8000/v1/"])
def test_an_endpoint_may_be_given_with_or_without_v1(endpoint):
    assert root_of(endpoint) == "http://h:8000"


@pytest.mark.parametrize(
    "endpoint",
    [
        "h:8000",
        "ftp://h",
        "",
        "http://",
        "http://h:99999",
        "http://h:abc",
        "http://h:0",
        "http://[::1:8000",
        "http://h:1?x=1",
        "http://h:1#x",
        "http://h:1/a b",
        "http://h:1\r\nX-Injected: 1",
        "http://bücher.example",
    ],
)
def test_what_is_no_address_is_refused(endpoint):
    with pytest.raises(EngineRefused, match="http://host:8000"):
        root_of(endpoint)


def test_a_scheme_in_capitals_is_as_safe():
    access = Access(key="k", key_env="KEY")
    address = Address.of(root_of("HTTPS://gpu.example"), access)
    assert address.tls
    assert address.port == 443


@pytest.mark.parametrize("key", ["secret\n", "secret\r\nX-Injected: 1", "“secret”", "sécret"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key):
    with pytest.raises(EngineRefused, match="KEY holds a line break or another character") as refusal:
        Access(key=key, key_env="KEY")
    assert "cret" not in str(refusal.value)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(EngineRefused) as refusal:
        root_of("http://user:secret@h:8000")
    assert "secret" not in str(refusal.value)


def test_proxies_of_the_environment_are_used_except_for_no_proxy_and_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example,10.0.0.0/8")
    assert proxy_for("http://outside.example/v1") == "http://proxy:3128"
    assert proxy_for("http://gpu.inside.example/v1") is None
    assert proxy_for("http://10.1.2.3:8000/v1") is None
    assert proxy_for("http://127.0.0.1:8000/v1") is None
    assert proxy_for("http://[::1]:8000/v1") is None
    assert proxy_for("http://localhost:8000/v1") is None


# -- a real socket -----------------------------------------------------------------------------------------------------


def draw(engine, *requests):
    async def together():
        return await asyncio.gather(*(engine.complete(each) for each in requests))

    return run_in_loop(together())


def test_an_answer_arrives_whole_with_its_counts_and_times():
    with FaultyServer() as server:
        (completion,) = draw(RemoteEngine([server.url], MODEL), request())
    assert completion.text == answer_to("2+2?", 7)
    assert (completion.finish, completion.prompt_tokens, completion.seed) == (Finish.STOP, 9, 7)
    assert 0 <= completion.ttft_s <= completion.e2e_s  # a loop that is late reads its clock once for both


def test_the_request_says_how_to_draw():
    with FaultyServer() as server:
        draw(RemoteEngine([server.url], MODEL), request())
    body = server.log[0][0].body
    sampling = {name: body[name] for name in ("temperature", "top_p", "max_tokens", "seed")}
    assert sampling == {"temperature": 0.6, "top_p": 0.95, "max_tokens": 128, "seed": 7}
    assert body["messages"] == [{"role": "user", "content": "2+2?"}]


def test_an_engine_answers_in_one_event_loop_after_another_and_leaves_nothing_open():
    with FaultyServer() as server:
        engine = RemoteEngine([server.url], MODEL)
        assert draw(engine, request(seed=1), request(seed=2))[1].text == answer_to("2+2?", 2)
        assert draw(engine, request(seed=3))[0].text == answer_to("2+2?", 3)
        engine.close()
        for _ in range(100):
            if not server._open:
                break
            time.sleep(0.05)
        assert not server._open


def test_identity_tells_model_server_and_version():
    with FaultyServer() as server:
        identity = RemoteEngine([server.url], MODEL).identity()
    assert (identity.engine, identity.model, identity.version) == ("remote", MODEL, "double 1.2.3")
    assert f"endpoint {server.url}" in identity.environment


MINDIE = {
    "/health": ("404 Not Found", {}),  # its health is on the management port
    "/version": ("404 Not Found", {}),
    "/v1/models": ("200 OK", {"data": [{"id": MODEL, "object": "model", "owned_by": "MindIE Server"}]}),
}
LLAMA_CPP = {
    "/version": ("404 Not Found", {}),
    "/v1/models": ("200 OK", {"data": [{"id": MODEL, "owned_by": "llamacpp", "meta": {"n_ctx": 512}}]}),
}


def props(**params):
    page = {"build_info": "b1-abc", "model_path": "/m.gguf", "chat_template": "{{ x }}"}
    return {"/props": ("200 OK", page | {"default_generation_settings": {"params": params}})}


def test_mindie_is_taken_without_a_health_page_and_without_a_version():
    with FaultyServer(pages=MINDIE) as server:
        engine = RemoteEngine([server.url], MODEL)
        engine.check(SAMPLING, ["2+2?"])
    assert engine.identity().version == "MindIE Server"
    assert engine.identity().environment[f"endpoint {server.url}"] == "MindIE Server, weights: does not say"


def test_sglang_tells_its_version_under_a_name_of_its_own():
    pages = {"/version": ("404 Not Found", {}), "/server_info": ("200 OK", {"version": "0.5", "chat_template": "t"})}
    with FaultyServer(pages=pages) as server:
        identity = RemoteEngine([server.url], MODEL).identity()
    assert (identity.version, identity.template) == ("double 0.5", "")


def test_ray_serve_is_named_and_its_context_read_where_it_keeps_it():
    model = {"id": MODEL, "owned_by": "organization-owner", "metadata": {"max_request_context_length": 512}}
    pages = {"/version": ("404 Not Found", {}), "/v1/models": ("200 OK", {"data": [model]})}
    with FaultyServer(pages=pages) as server:
        engine = RemoteEngine([server.url], MODEL)
        engine.check(SAMPLING, ["2+2?"])
        with pytest.raises(EngineRefused, match="has room for 512 tokens"):
            engine.check(SAMPLING.model_copy(update={"max_tokens": 512}), ["2+2?"])
    assert engine.identity().version == "Ray Serve LLM"


def test_llama_cpp_tells_its_context_weights_and_template():
    with FaultyServer(pages=LLAMA_CPP | props(top_k=0, min_p=0.0, temperature=0.8)) as server:
        engine = RemoteEngine([server.url], MODEL)
        engine.check(SAMPLING, ["2+2?"])
        with pytest.raises(EngineRefused, match="has room for 512 tokens"):
            engine.check(SAMPLING.model_copy(update={"max_tokens": 512}), ["2+2?"])
    identity = engine.identity()
    assert (identity.version, identity.revision) == ("llamacpp b1-abc", "/m.gguf")
    assert identity.template == hashlib.sha256(b"{{ x }}").hexdigest()


def test_samples_that_a_server_draws_in_a_way_of_its_own_are_refused_before_they_are_drawn():
    with FaultyServer(pages=LLAMA_CPP | props(top_k=40, min_p=0.05)) as server:
        engine = RemoteEngine([server.url], MODEL)
        with pytest.raises(EngineRefused, match=r"draws with top_k 40, min_p 0.05 of its own.*--top-k 0 --min-p 0"):
            engine.check(SAMPLING, ["2+2?"])
        assert not server.log
        engine.check(SAMPLING.model_copy(update={"temperature": Decimal(0)}), ["2+2?"])


def test_a_server_that_lists_no_models_is_taken_and_the_report_says_that_nobody_confirmed_the_name():
    with FaultyServer(pages={"/v1/models": ("200 OK", {"data": []})}) as server:
        line = RemoteEngine([server.url], "any").identity().environment[f"endpoint {server.url}"]
    assert line.endswith("lists no models: nobody has confirmed the name")


def test_a_check_passes_where_everything_fits():
    with FaultyServer(context_tokens=129) as server:
        RemoteEngine([server.url], MODEL).check(SAMPLING, ["2+2?", "what is 2+2?"])
    assert [asked.prompt for asked, _ in server.log] == ["what is 2+2?"]


# -- refused at the start ----------------------------------------------------------------------------------------------


def test_a_wrong_model_name_is_refused_with_the_names_that_are_served():
    with (
        FaultyServer() as server,
        pytest.raises(EngineRefused, match="'other'; it serves 'double'; give --model=double"),
    ):
        RemoteEngine([server.url], "other")


def test_a_port_where_nobody_listens_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(EngineError, match=r"cannot be reached \(connection refused\); is the server started") as caught:
        RemoteEngine([f"http://127.0.0.1:{port}"], MODEL)
    assert caught.value.__suppress_context__  # else pytest shows the library's own errors first


def test_a_server_of_another_kind_is_refused():
    with FaultyServer() as server, pytest.raises(EngineRefused, match=r"not OpenAI-compatible.*404.*Not Found"):
        RemoteEngine([server.url + "/elsewhere"], MODEL)


def test_a_server_that_cannot_list_its_models_is_an_error():
    pages = {"/v1/models": ("500 Internal Server Error", {})}
    with FaultyServer(pages=pages) as server, pytest.raises(EngineError, match=r"cannot list its models: .* 500"):
        RemoteEngine([server.url], MODEL)


def test_a_prompt_that_comes_back_as_the_answer_is_refused_with_the_remedy():
    words = r"sends the prompt back .*`response_template`"
    with FaultyServer(plan=always("prompt_first")) as server, pytest.raises(EngineRefused, match=words):
        RemoteEngine([server.url], MODEL).check(SAMPLING, ["2+2?"])


@pytest.mark.parametrize(
    ("params", "temperature", "refused"),
    [
        ({"top_k": 40}, "0.6", "top_k 40"),
        ({"top_k": 40}, "0", ""),
        ({"top_k": -1, "min_p": 0}, "0.6", ""),
        ({"repeat_penalty": 1.3}, "0", "repeat_penalty 1.3"),
        ({"repeat_penalty": 1.3, "repeat_last_n": 0}, "0.6", ""),
        ({"dynatemp_range": 0.5, "top_n_sigma": -1}, "0.6", "dynatemp_range 0.5"),
    ],
)
def test_ways_to_draw_that_change_something_are_refused_and_idle_ones_are_not(params, temperature, refused):
    sampling = SAMPLING.model_copy(update={"temperature": Decimal(temperature)})
    with FaultyServer(pages=LLAMA_CPP | props(**params)) as server:
        engine = RemoteEngine([server.url], MODEL)
        with pytest.raises(EngineRefused, match=f"draws with {refused} of its own") if refused else nullcontext():
            engine.check(sampling, ["2+2?"])


def test_endpoints_of_different_templates_are_no_one_deployment():
    other = {"/props": ("200 OK", {"build_info": "b1", "chat_template": "another"})}
    with (
        FaultyServer(pages=LLAMA_CPP | props()) as one,
        FaultyServer(pages=other) as two,
        pytest.raises(EngineRefused, match="use 2 chat templates; give endpoints of one deployment"),
    ):
        RemoteEngine([one.url, two.url], MODEL)


def test_an_answer_that_comes_to_speak_of_the_prompt_is_none_that_begins_with_it():
    asked = request(prompt="2+2?")
    quoting = Answer(content=bytearray(b"x" * 250 + b"2+2?"))
    _check_words("http://h", quoting, asked)
    with pytest.raises(EngineRefused, match="sends the prompt back"):
        _check_words("http://h", Answer(content=bytearray(b"<|User|> 2 + 2?\n")), request(prompt="2 + 2? "))


def test_a_missing_key_and_a_wrong_key_are_refused_with_the_name_of_the_variable(monkeypatch):
    monkeypatch.delenv("PAPERGATE_API_KEY", raising=False)
    with FaultyServer(key="right") as server:
        with pytest.raises(EngineRefused, match="'invalid key': no key was sent; set PAPERGATE_API_KEY"):
            RemoteEngine([server.url], MODEL)
        monkeypatch.setenv("PAPERGATE_API_KEY", "wrong")
        with pytest.raises(EngineRefused, match="the key in PAPERGATE_API_KEY was sent") as refusal:
            RemoteEngine([server.url], MODEL)
        assert "wrong" not in str(refusal.value)
        monkeypatch.setenv("PAPERGATE_API_KEY", "right")
        assert draw(RemoteEngine([server.url], MODEL), request())


def test_a_context_too_short_is_refused_with_what_is_needed():
    with FaultyServer(context_tokens=128) as server:
        with pytest.raises(
            EngineRefused, match=r"room for 128 tokens.* need 129; start the server with a longer context"
        ):
            RemoteEngine([server.url], MODEL).check(SAMPLING, ["2+2?"])
        assert not server.log


def test_a_request_that_the_server_refuses_is_refused_at_the_start_in_its_own_words():
    words = r"answered 400 .*This model's maximum context length is 512 tokens"
    with FaultyServer(plan=always("refuse")) as server, pytest.raises(EngineRefused, match=words):
        RemoteEngine([server.url], MODEL).check(SAMPLING, ["2+2?"])


# -- TLS ---------------------------------------------------------------------------------------------------------------


def test_a_certificate_of_another_host_is_refused_without_blaming_its_authority(tmp_path):
    with FaultyServer(certificate=certificate(tmp_path, names="DNS:other.example")) as server:
        with pytest.raises(EngineRefused, match=r"the certificate is refused .*127\.0\.0\.1") as refusal:
            RemoteEngine([server.url], MODEL, ca_file=tmp_path / "cert.pem")
        assert "--ca-file" not in str(refusal.value)


def test_https_on_a_plain_port_is_no_matter_of_certificates():
    def answer():
        with plain.accept()[0] as accepted:
            accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as plain, ThreadPoolExecutor() as pool:
        pool.submit(answer)
        with pytest.raises(EngineRefused, match=r"TLS fails .*is it an https address"):
            RemoteEngine([f"https://127.0.0.1:{plain.getsockname()[1]}"], MODEL)


def certificate(folder, name="localhost", names="DNS:localhost,IP:127.0.0.1"):
    arguments = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}".split()
    rest = [
        "-addext",
        f"subjectAltName={names}",
        "-keyout",
        folder / "key.pem",
        "-out",
        folder / "cert.pem",
    ]
    subprocess.run(["openssl", *arguments, *rest], check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


def test_a_certificate_is_verified_against_the_given_authority(tmp_path):
    with FaultyServer(certificate=certificate(tmp_path)) as server:
        with pytest.raises(EngineRefused, match=r"certificate is not trusted.*--ca-file"):
            RemoteEngine([server.url], MODEL)
        engine = RemoteEngine([server.url], MODEL, ca_file=tmp_path / "cert.pem")
        assert draw(engine, request())[0].text == answer_to("2+2?", 7)
        with pytest.raises(EngineRefused, match=r"key.pem: no certificates can be read"):
            RemoteEngine([server.url], MODEL, ca_file=tmp_path / "key.pem")


# -- several endpoints -------------------------------------------------------------------------------------------------


def test_the_endpoint_with_the_fewest_requests_is_chosen():
    balance = Balance({"a": 1, "b": 1})
    with balance.lease() as one, balance.lease() as other:
        assert {one.url, other.url} == {"a", "b"}
    with balance.lease() as one, balance.lease(), balance.lease() as third:
        assert third.in_flight == 2
    assert [endpoint.in_flight for endpoint in balance.endpoints] == [0, 0]


def ranked(refusal, ranks=3, then="answer"):
    """What a server with data-parallel ranks does: it refuses a rank that it does not have in these words."""

    def plan(asked):
        rank = int(asked.headers.get("x-data-parallel-rank", 0))
        if 0 <= rank < ranks:
            return then(rank) if callable(then) else then

        async def refuse(_, reply):
            words = {"error": {"message": refusal.format(rank=rank, ranks=ranks), "type": "BadRequestError"}}
            await reply.whole("400 Bad Request", "application/json", json.dumps(words))

        return refuse

    return plan


VLLM = "data_parallel_rank {rank} is out of range [0, {ranks})."
SGLANG = "routed_dp_rank={rank} out of range [0, {ranks})"


@pytest.mark.parametrize(("owner", "refusal"), [("vllm", VLLM), ("sglang", SGLANG)])
def test_ranks_behind_one_address_are_endpoints_of_their_own(owner, refusal):
    with FaultyServer(plan=ranked(refusal), owner=owner) as server:
        engine = RemoteEngine([server.url], MODEL)
        found = draw(engine, *(request(seed=seed) for seed in range(9)))
        asked = [one.headers["x-data-parallel-rank"] for one, _ in server.log if one.body.get("seed") is not None]
    assert sorted(done.endpoint for done in found) == sorted(f"{server.url} rank {rank}" for rank in (0, 1, 2) * 3)
    assert sorted(asked) == sorted(str(rank) for rank in (0, 1, 2) * 3)
    environment = engine.identity().environment
    assert environment[f"endpoint {server.url}"].endswith("3 ranks, each asked by itself")
    assert environment["data_parallel"] == "3"


@pytest.mark.parametrize(
    ("owner", "plan"),
    [
        ("vllm", ranked(VLLM, ranks=1)),
        ("vllm", always("answer")),  # it does not heed the header: which rank answers is not known
        ("vllm", always("refuse")),
        ("vllm", ranked("the model has 3 ranks")),
        ("vllm", ranked("rank {rank} is out of range [0, 0)")),
        ("double", ranked(VLLM)),  # nobody knows what its header means
    ],
)
def test_a_server_that_does_not_tell_its_ranks_apart_is_one_endpoint(owner, plan):
    with FaultyServer(plan=plan, owner=owner) as server:
        engine = RemoteEngine([server.url], MODEL)
        try:
            (done,) = draw(engine, request())
        except EngineRefused:
            return  # the server refuses everything
        assert done.endpoint == server.url
        assert "data_parallel" not in engine.identity().environment
        assert all(
            "x-data-parallel-rank" not in one.headers for one, _ in server.log if one.body.get("seed") is not None
        )


def test_an_attempt_that_fails_names_the_rank_where_it_did():
    failing = ranked(VLLM, ranks=2, then=lambda rank: "answer" if rank else "broken")
    with FaultyServer(plan=failing, owner="vllm") as server:
        engine = RemoteEngine([server.url], MODEL)
        with pytest.raises(EngineError) as lost:
            draw(engine, request(), request(seed=8))
    assert lost.value.endpoint == f"{server.url} rank 0"


def test_a_silent_endpoint_rests_and_is_then_tried_by_one_request(monkeypatch):
    now = 1000.0
    monkeypatch.setattr("papergate.engines.remote.balance.time.monotonic", lambda: now)
    balance = Balance({"a": 1, "b": 1})
    balance.endpoints[0].fell_silent()
    with balance.lease() as one, balance.lease() as other:
        assert (one.url, other.url) == ("b", "b")
    now += REST_S + 1
    with balance.lease() as trial, balance.lease() as other:
        assert (trial.url, other.url) == ("a", "b")
        trial.answered()
        with balance.lease(), balance.lease() as fourth:
            assert fourth.url in "ab"
    assert not balance.endpoints[0].down


def test_when_all_rest_one_is_tried_all_the_same():
    balance = Balance({"a": 1})
    balance.endpoints[0].fell_silent()
    with balance.lease() as endpoint:
        assert endpoint.url == "a"


def test_load_spreads_over_endpoints():
    with FaultyServer(delay_s=0.02) as one, FaultyServer(delay_s=0.02) as other:
        draw(RemoteEngine([one.url, other.url], MODEL), *(request(seed=seed) for seed in range(20)))
        assert len(one.log) == len(other.log) == 10
