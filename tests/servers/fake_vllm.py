"""A double of vLLM's server process: the same command line, health after a while, a child of its own."""

import http.server
import subprocess
import sys
import time

words = [word for argument in sys.argv[1:] for word in argument.split("=")]
flags = dict(zip(words[::2], words[1::2], strict=True))
sys.stdout.write(f"loading {flags['--model']}\n")
sys.stdout.flush()
if flags["--model"] == "too-big":
    sys.exit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB")
if flags["--model"] == "slow":
    time.sleep(3600)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])

ANSWERS = {
    "/version": b'{"version": "0.0.fake"}',
    "/v1/models": b'{"data": [{"id": "%b"}]}' % flags["--model"].encode(),
}


class Handler(http.server.BaseHTTPRequestHandler):
    looks = 0

    def do_GET(self):
        Handler.looks += 1
        body = ANSWERS.get(self.path, b"")
        self.send_response(503 if flags["--model"] == "ill" and Handler.looks > 1 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", int(flags["--port"])), Handler).serve_forever()
