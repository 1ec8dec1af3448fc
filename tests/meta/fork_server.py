"""A process that has imported what a session of papergate imports, and forks one session after the other.

``python fork_server.py SOCKET MODULE ..``; ``tests.meta.processes.forked`` is its client. A session is as apart from
others as one of a new interpreter: a group, folder, environment and streams of its own; it ends as an interpreter ends.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import sys

LARGEST_REQUEST = 1 << 18


def main(number, *modules):
    for module in modules:
        importlib.import_module(module)
    del sys.path[:2]  # the folder of this script, and PYTHONPATH, which `forked` sets to the root
    gc.freeze()  # or the collector of each session would write to, and so copy, every page
    run(**next_session(socket.socket(fileno=int(number))))


def next_session(client):
    """What a session runs: returns in each fork only; the server itself lasts as long as its client."""
    while True:
        request, streams, _, _ = socket.recv_fds(client, LARGEST_REQUEST, 2)
        if not request:
            sys.exit()
        if not (process := os.fork()):
            client.close()
            take(*streams)
            return json.loads(request)
        for stream in streams:
            os.close(stream)
        client.send(str(process).encode())
        _, status = os.waitpid(process, 0)
        client.send(str(os.waitstatus_to_exitcode(status)).encode())


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
