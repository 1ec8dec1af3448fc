"""A double of a Ray cluster: the dashboard's routes of Ray 2.60.0, with applications that a test changes as it likes.

What answers for the models is another server; ``http`` names its port.
"""

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "double"


def replica(name="r1", node="10.0.0.1", started_s=1000.0, state="RUNNING"):
    return {"replica_id": name, "node_ip": node, "pid": 7, "start_time_s": started_s, "state": state}


def application(name="tiny", model=MODEL, *replicas, wanted=None, status="RUNNING", message="", **changes):
    """What the dashboard tells of one; ``changes`` are those of its LLMConfig, whose ``model_source`` may be given."""
    running = replicas or (replica(),)
    source = changes.pop("model_source", "/nowhere/weights")
    config = {"model_loading_config": {"model_id": model, "model_source": source}, **changes}
    checks = {"health_check_period_s": 0.01, "health_check_timeout_s": 0.01}
    server = {
        "message": "",
        "target_num_replicas": len(running) if wanted is None else wanted,
        "deployment_config": {"num_replicas": 9, **checks},
        "replicas": list(running),
    }
    return {
        "name": name,
        "route_prefix": "/",
        "status": status,
        "message": message,
        "last_deployed_time_s": 900.0,
        "deployed_app_config": {"name": name, "args": {"llm_configs": [config]}},
        "deployments": {f"LLMServer:{model}": server},
    }


@dataclass(kw_only=True)
class RayDashboard:
    """Answers until it is closed; each look at the applications is counted."""

    applications: dict[str, dict] = field(default_factory=dict)
    http: dict = field(default_factory=lambda: {"host": "127.0.0.1", "port": 8000})
    proxies: dict[str, str] = field(default_factory=lambda: {"10.0.0.1": "HEALTHY"})
    changes: Callable[["RayDashboard"], None] = lambda _: None
    """Called at each look, before it is answered."""
    pages: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Status and body of routes that answer otherwise."""
    token: str = ""
    looks: int = 0
    fails: int = 0
    """So many further looks find it too busy to answer."""
    declared: list[dict] = field(default_factory=list)
    """Every body that was put."""
    becomes: Callable[[dict], dict] = lambda config: application(config["name"]) | {"deployed_app_config": config}
    """What is told of an application that is newly declared."""

    def get(self, path):
        if path in self.pages:
            return self.pages[path]
        if path == "/api/version":
            return 200, json.dumps(
                {"version": "4", "ray_version": "2.60.0", "ray_commit": "c0ffee", "session_name": "s"}
            )
        if path != "/api/serve/applications/":
            return 404, "404: Not Found"
        if self.fails:
            self.fails -= 1
            return 503, "Failed to get a response from the controller. The GCS may be down, please retry later"
        self.looks += 1
        self.changes(self)
        proxies = {f"n{ip}": {"node_ip": ip, "status": status} for ip, status in self.proxies.items()}
        told = {"proxy_location": "EveryNode", "http_options": self.http, "proxies": proxies}
        return 200, json.dumps(told | {"applications": self.applications})

    def put(self, body):
        """As Serve does: what was declared before and is not now goes; what was deployed from Python stays."""
        self.declared.append(body)
        wanted = {config["name"]: config for config in body["applications"]}
        stay = {name: each for name, each in self.applications.items() if not each["deployed_app_config"]}
        known = {name: each for name, each in self.applications.items() if name in wanted}
        new = {name: self.becomes(config) for name, config in wanted.items() if name not in known}
        self.applications = stay | known | new


@contextmanager
def running(dashboard):
    """The address of a dashboard while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(*dashboard.get(self.path))

        def do_PUT(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = dashboard.pages.get("PUT", (200, ""))
            if status == 200:
                dashboard.put(body)
            self._answer(status, said)

        def _answer(self, status, said):
            if dashboard.token and self.headers["Authorization"] != f"Bearer {dashboard.token}":
                status, said = 401, "Unauthorized: Missing authentication token"
            self.send_response(status)
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
