"""A double of the server process of vLLM or SGLang: the same command line, health after a while, a child of its own."""

import http.server
import subprocess
import sys
import time

words = [word for argument in sys.argv[1:] for word in argument.split("=")]
flags = dict(zip(words[::2], words[1::2], strict=True))
model = flags.get("--model") or flags["--model-path"]
sys.stdout.write(f"loading {model}\n")
sys.stdout.flush()
if model == "too-big":
    sys.exit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB")
if model == "unbound":
    sys.stdout.write(
        "non-default args: {'max_model_len': 512}\n(EngineCore pid=7) ERROR AssertionError: no room for 2 ranks\n"
    )
    sys.exit("  at a line of a file\n" * 60 + "RuntimeError: Engine core initialization failed. See root cause above.")
if model == "slow":
    time.sleep(3600)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])

ANSWERS = {
    "/version" if "--model" in flags else "/server_info": b'{"version": "0.0.fake"}',
    "/v1/models": b'{"data": [{"id": "%b"}]}' % flags.get("--served-model-name", model).encode(),
}


class Handler(http.server.BaseHTTPRequestHandler):
    looks = 0

    def do_GET(self):
        Handler.looks += 1
        body = ANSWERS.get(self.path, b"")
        self.send_response(503 if model == "ill" and Handler.looks > 1 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", int(flags["--port"])), Handler).serve_forever()
