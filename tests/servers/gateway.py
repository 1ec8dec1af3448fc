"""A double of a gateway in front of a real server: it rewrites requests, texts and ends as a `Fault` says."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests

from tests.servers.model_server import MODEL, Fault
from tests.servers.threaded import served

CHAT = "/v1/chat/completions"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.hand_on(requests.get(self.behind, timeout=600))

    def do_POST(self):
        fault, body = self.server.fault, json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == CHAT and self.server.own.random() < fault.fails:
            self.send(b'{"error": {"message": "an expert is gone"}}', status=500)
            return
        drawn = self.path.startswith("/v1/") and "prompt_logprobs" not in body
        streamed = self.path == CHAT and body.pop("stream", False)
        body.pop("stream_options", None)
        reply = requests.post(self.behind, json=fault.body(body) if drawn else body, timeout=600)
        if self.path != CHAT or not reply.ok:
            self.hand_on(reply)
            return
        answer = self.rewritten(reply.json(), body)
        self.send(*stream_of(answer) if streamed else (json.dumps(answer).encode(),))

    @property
    def behind(self):
        return f"{self.server.behind}{self.path}"

    def rewritten(self, answer, body):
        fault, (choice,) = self.server.fault, answer["choices"]
        rng = random.Random(f"{body.get('seed')}|{body['messages'][-1]['content']}|{body.get('temperature')}")
        choice["message"]["content"] = fault.said(choice["message"]["content"], rng)
        choice["finish_reason"] = fault.finish or choice["finish_reason"]
        return answer if fault.usage else {key: value for key, value in answer.items() if key != "usage"}

    def hand_on(self, reply):
        self.send(reply.content, reply.headers.get("Content-Type", "application/json"), status=reply.status_code)

    def send(self, data, kind="application/json", *, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def stream_of(answer):
    """A whole answer as a stream of one chunk, as behind a gateway that holds answers back."""
    (choice,) = answer["choices"]
    delta = {"index": 0, "delta": {"content": choice["message"]["content"]}, "finish_reason": choice["finish_reason"]}
    events = [{"choices": [delta], "model": MODEL}]
    events += [{"choices": [], "usage": answer["usage"]}] if "usage" in answer else []
    lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return f"{lines}data: [DONE]\n\n".encode(), "text/event-stream"


@contextmanager
def gateway(behind: str, fault: Fault) -> Iterator[str]:
    """The address of a gateway to the server at ``behind``."""
    with served(Handler, behind=behind, fault=fault, own=random.Random(7)) as url:
        yield url
