"""A process that has imported what a session of papergate imports, and forks sessions, several at once.

``python fork_server.py SOCKET OWNER MODULE ..``; `tests.meta.processes` is its client. A session is as apart from
others as one of a new interpreter: a group, folder, environment and streams of its own; it ends as an interpreter ends.
A session ends with its connection at the latest, and this process with the process OWNER.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

LARGEST_REQUEST = 1 << 18


def main(path, owner, *modules):
    for module in modules:
        importlib.import_module(module)
    del sys.path[:2]  # the folder of this script, and PYTHONPATH, which the client sets to the root
    gc.freeze()  # or the collector of each session would write to, and so copy, every page
    run(**next_session(path, os.pidfd_open(int(owner))))


def next_session(path, owner):
    """What a session runs: returns in each session only."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(f"{path}.new")
    listening.listen(64)
    Path(f"{path}.new").rename(path)  # who sees it can connect
    while owner not in select.select([listening, owner], [], [])[0]:
        with suppress(ChildProcessError):  # minders that are over
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        client, _ = listening.accept()
        if not os.fork():
            listening.close()
            os.close(owner)
            return session_of(client)
        client.close()
    for name in (path, f"{path}.lock"):
        Path(name).unlink(missing_ok=True)
    sys.exit()


def session_of(client):
    """Mind the session that ``client`` asks for until either ends; returns in the session only."""
    request, streams, _, _ = socket.recv_fds(client, LARGEST_REQUEST, 2)
    if not (process := os.fork()):
        client.close()
        take(*streams)
        return json.loads(request)
    client.send(str(process).encode())
    select.select([client, os.pidfd_open(process)], [], [])
    for end in (os.killpg, os.kill):  # its group, and itself where it has none yet
        with suppress(ProcessLookupError):
            end(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    with suppress(OSError):  # a client that was killed
        client.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def take(out, err):
    os.setsid()
    os.dup2(out, 1)
    os.dup2(err, 2)


def run(module, arguments, folder, environment):
    """``python -m module arguments`` in this process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    named = environment.get("PYTHONPATH", "")
    sys.path[:0] = [folder, *filter(None, named.split(os.pathsep))]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
