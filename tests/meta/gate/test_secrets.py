"""Whatever a server does with the key it is sent, no artefact of the run holds it."""

import json

import pytest

from papergate.exit_codes import ExitCode
from papergate.run_folder.files import COMPLETIONS_FILE, MANIFEST_FILE
from tests.meta.gate.test_suite import Session
from tests.servers.faulty_server import MODEL, FaultyServer, event

KEY = "sk-0f9e8d7c6b5a4938"
ESCAPES = "\x1b]0;title\x07\x1b[2J\u202e"


def whole(status, *headers, body):
    async def answer(_, reply):
        await reply.whole(status, "application/json", body, *headers)

    return answer


def streamed(*events):
    async def answer(_, reply):
        await reply.head()
        await reply.chunk("".join(events))
        await reply.end()

    return answer


def named(model):
    return "data: " + json.dumps({"model": model, "choices": [{"index": 0, "delta": {"content": "so"}}]}) + "\n\n"


ERROR = json.dumps({"error": {"message": f"invalid key {KEY} {ESCAPES}", "code": 400}})
ECHOES = {
    "401": whole("401 Unauthorized", body=ERROR),
    "400": whole("400 Bad Request", body=ERROR),
    "a redirect": whole("302 Found", f"Location: http://elsewhere/?key={KEY}", body=KEY),
    "a content encoding": whole(
        "200 OK", f"Content-Encoding: {KEY}\x1b[2J", "Content-Type: text/event-stream", body="x"
    ),
    "an error within a stream": streamed(f"data: {ERROR}\n\n"),
    "an event of an error": streamed(f"event: error\ndata: {KEY}\n\n"),
    "an unreadable line": streamed(f"data: {KEY}\n\n".replace("data", "what is this? data")),
    "text after the end": streamed(event({"content": "so"}, "stop"), event({"content": KEY})),
    "answers, reasons and names": streamed(
        named(f"{KEY}{ESCAPES}"), event({"content": f"so {KEY[:8]}"}), event({"content": KEY[8:]}, f"{KEY}{ESCAPES}")
    ),
}


def artefacts(session):
    """By name, the terminal among them."""
    files = (path for path in session.folder.rglob("*") if path.is_file())
    return {"terminal": session.text.encode()} | {str(path): path.read_bytes() for path in files}


def tried(tmp_path, monkeypatch, *more, model=MODEL, **server):
    monkeypatch.setenv("PAPERGATE_API_KEY", KEY)
    with FaultyServer(**server) as running:
        where = ("--endpoint", running.url, "--model", model, "--limit", "2", "--samples", "1", *more)
        session = Session(tmp_path, "tests/accuracy", "-m", "cpu_vllm", "-k", "tiny-aime", *where)
    assert session.exit in (ExitCode.UNDECIDED, ExitCode.ERROR), session.text
    assert "Traceback" not in session.text
    return session


def is_clean(session):
    for name, artefact in artefacts(session).items():
        assert KEY.encode() not in artefact, name
        if not name.endswith(COMPLETIONS_FILE):  # which holds each answer as it came
            assert "\u202e".encode() not in artefact, name
    assert "\x1b]0" not in session.text
    assert "\x1b[2J" not in session.text


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_key_that_an_answer_echoes_reaches_no_artefact(tmp_path, monkeypatch, echo):
    is_clean(tried(tmp_path, monkeypatch, plan=lambda _: echo))


def test_a_key_in_the_list_of_models_reaches_no_artefact(tmp_path, monkeypatch):
    pages = {"/v1/models": ("200 OK", {"data": [{"id": f"{KEY}{ESCAPES}", "owned_by": KEY, "root": KEY}]})}
    session = tried(tmp_path, monkeypatch, pages=pages)
    assert "does not serve" in session.text
    is_clean(session)


def test_a_key_in_what_a_server_says_of_itself_reaches_no_artefact(tmp_path, monkeypatch):
    pages = {"/v1/models": ("200 OK", {"data": [{"id": MODEL, "owned_by": f"{KEY}{ESCAPES}", "root": KEY}]})}
    pages |= {"/version": ("200 OK", {"version": f"1{ESCAPES} {KEY}"})}
    session = tried(tmp_path, monkeypatch, "--no-preflight", pages=pages)
    assert any(b"[secret]" in artefact for name, artefact in artefacts(session).items() if name.endswith(MANIFEST_FILE))
    is_clean(session)
