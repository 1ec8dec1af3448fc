"""`--protocol vendor` sends what the tool of a document sends: compared with recorded requests, field by field.

``tool_requests.json`` holds rows of our own and the bodies that each tool makes of them; ``recorded`` says whether the
tool itself sent them to a server of ours, or they were put together from its source.
"""

import asyncio
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import orjson
import pytest

from papergate.acceptance.flow import requests_of
from papergate.acceptance.options import Options
from papergate.acceptance.preparing import settings_of
from papergate.acceptance.records import Case
from papergate.benchmarks import Benchmark, read_specs
from papergate.benchmarks.layouts import asked_by, problem_of
from papergate.completions.policy import Policy
from papergate.completions.progress import Silent
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.engines import EngineIdentity, Finish, Form, Request
from papergate.engines.remote.body import STREAM, body_of
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import EngineError
from papergate.promises import Sampling, read_promises
from papergate.statistics.reference import Reference
from tests.meta.completions.test_store import manifest
from tests.servers.faulty_server import MODEL, FaultyServer, always

SPECS = read_specs()
PROMISES = {promise.id: promise for promise in read_promises(benchmarks=SPECS)}
RECORDED = json.loads((Path(__file__).parent / "tool_requests.json").read_text(encoding="utf-8"))


def bodies(record, **options):
    """What papergate sends for the rows, in their order."""
    promise = PROMISES[record["promise"]]
    spec, task = SPECS[promise.benchmark], promise.task
    shots = [problem_of(row, place, spec) for place, row in enumerate(record.get("shots", ()))]
    problems = tuple(
        asked_by(task, problem_of(row, place, spec), shots[: task.shots]) for place, row in enumerate(record["rows"])
    )
    case = Case(
        promise=promise,
        benchmark=Benchmark(spec=spec, problems=problems, digest="", variant="", known=True, source="", file_sha256=""),
        identity=EngineIdentity(engine="remote", version="", model=record["bodies"][0]["model"]),
        settings=settings_of(promise, Options(protocol="vendor", **options)),
        problems=problems,
        reference=Reference.exact(Fraction(1, 2), samples=None),  # decides nothing of a request
    )
    model = record["bodies"][0]["model"]
    sent = {one.problem: one for one in requests_of(case, 1)}
    return [body_of(model, sent[problem.id], streamed=sent[problem.id].form.streamed) for problem in problems]


@pytest.mark.parametrize("record", RECORDED, ids=lambda record: f"{record['tool']}-{record['promise']}")
def test_each_field_is_what_the_tool_sends_to_the_byte(record):
    for ours, theirs in zip(bodies(record, letter=True), record["bodies"], strict=True):
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            assert orjson.dumps(ours[name], option=orjson.OPT_SORT_KEYS) == orjson.dumps(
                value, option=orjson.OPT_SORT_KEYS
            ), name


@pytest.mark.parametrize("record", RECORDED, ids=lambda record: f"{record['tool']}-{record['promise']}")
def test_without_the_letter_only_a_stream_is_asked_for_beside(record):
    for ours, theirs in zip(bodies(record), record["bodies"], strict=True):
        assert {name: value for name, value in ours.items() if name not in STREAM} == theirs
        assert {name: ours[name] for name in STREAM} == STREAM


OF_A_SERVER = [promise for promise in PROMISES.values() if promise.tool and promise.deployment.engine != "huggingface"]
OWN = {(record["tool"], PROMISES[record["promise"]].deployed) for record in RECORDED}


def recorded_for(promise):
    """The records of the promise's tool and benchmark, those of another deployment where it has none of its own."""
    return [
        record | {"promise": promise.id}
        for record in RECORDED
        if record["tool"] == promise.tool.name
        and PROMISES[record["promise"]].benchmark == promise.benchmark
        and (record["promise"] == promise.id or (promise.tool.name, promise.deployed) not in OWN)
    ]


@pytest.mark.parametrize("one", OF_A_SERVER, ids=lambda promise: promise.id)
def test_each_deployment_that_a_tool_asks_is_held_against_a_recorded_request(one):
    records = recorded_for(one)
    assert records
    for record in records:
        test_each_field_is_what_the_tool_sends_to_the_byte(record)


# -- answers that come in one piece, and batches -----------------------------------------------------------------------


WHOLE = Form(fields=("model", "messages", "max_tokens", "temperature", "top_p"), streamed=False)
SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=128)


def asked(number=0):
    return Request(problem=f"p{number}", sample=0, prompt=f"{number}+2?", sampling=SAMPLING, seed=7, form=WHOLE)


def completion(finish="stop", **message):
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
    return {"object": "chat.completion", "model": MODEL, "choices": [choice], "usage": {"completion_tokens": 5}}


def replying(body, status="200 OK", kind="application/json"):
    async def reply_with(_, reply):
        await reply.whole(status, kind, body if isinstance(body, str) else json.dumps(body))

    return FaultyServer(plan=always(reply_with))


def test_an_answer_in_one_piece_is_read_as_a_stream_is():
    with replying(completion(reasoning_content="so", content="\\boxed{4}")) as server:
        done = asyncio.run(RemoteEngine([server.url], MODEL).complete(asked()))
        assert (done.text, done.finish, done.output_tokens, done.seed) == ("so</think>\\boxed{4}", Finish.STOP, 5, None)
        assert list(server.log[0][0].body) == list(WHOLE.fields)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (completion(content=""), "no text at all"),
        (completion(finish=None, content="4"), "no finish reason"),
        ({"error": {"message": "no room"}}, "no room"),
        ({"object": "list"}, "no chat completion"),
        ("<html>", "no chat completion"),
        ({"choices": ["x"]}, "no chat completion"),
        ({"choices": [None]}, "no chat completion"),
        ({"choices": 5}, "no chat completion"),
        ({"choices": [{}]}, "no finish reason"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(body, said):
    with replying(body) as server, pytest.raises(EngineError, match=said):
        asyncio.run(RemoteEngine([server.url], MODEL).complete(asked()))


def test_a_stream_that_nobody_asked_for_is_refused():
    with FaultyServer(plan=always("answer")) as server, pytest.raises(EngineError, match="event-stream"):
        asyncio.run(RemoteEngine([server.url], MODEL).complete(asked()))


def test_a_batch_begins_when_the_slowest_of_the_one_before_has_ended(tmp_path):
    ended, begun = [], []

    async def slow_first(request, reply):
        begun.append((request.prompt, len(ended)))
        await asyncio.sleep(0.3 if request.prompt.startswith(("0", "3")) else 0)
        ended.append(request.prompt)
        await reply.whole("200 OK", "application/json", json.dumps(completion(content="4")))

    with FaultyServer(plan=always(slow_first)) as server, Store.open(tmp_path, manifest()) as store:
        ask(
            RemoteEngine([server.url], MODEL),
            [asked(n) for n in range(7)],
            store,
            Policy(concurrency=3, batches=True),
            Silent(),
        )
    assert [before for _, before in begun[:3]] == [0, 0, 0]
    assert [before for _, before in begun[3:6]] == [3, 3, 3]
    assert begun[6] == ("6+2?", 6)
