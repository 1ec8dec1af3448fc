"""A server of threads while a block runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Threaded(ThreadingHTTPServer):
    request_queue_size = 256  # connections that come at once wait here, not for a second SYN
    daemon_threads = True


@contextmanager
def served(handler: type[BaseHTTPRequestHandler], **state: object) -> Iterator[str]:
    """The address of a server whose ``handler`` finds ``state`` in its ``server``."""
    with Threaded(("127.0.0.1", 0), handler) as server:
        vars(server).update(state)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
