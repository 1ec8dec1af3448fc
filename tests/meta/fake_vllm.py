"""A double of vLLM's server process: the same command line, health after a while, a child of its own."""

import http.server
import subprocess
import sys
import time

flags = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
sys.stdout.write(f"loading {flags['--model']}\n")
sys.stdout.flush()
if flags["--model"] == "too-big":
    sys.exit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB")
if flags["--model"] == "slow":
    time.sleep(3600)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])


class Handler(http.server.BaseHTTPRequestHandler):
    looks = 0

    def do_GET(self):
        Handler.looks += 1
        body = b'{"version": "0.0.fake"}' if self.path == "/version" else b""
        self.send_response(503 if flags["--model"] == "ill" and Handler.looks > 1 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", int(flags["--port"])), Handler).serve_forever()
