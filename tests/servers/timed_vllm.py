"""A double of vLLM's server process that streams: the timed server behind vLLM's command line.

It keeps a diary, a line for each start and for each measured request. Like an engine that fills its device, it does not
start where another one runs.
"""

import argparse
import asyncio
import fcntl
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # started by its path, with nobody's PYTHONPATH

from tests.servers.timed_server import Manner, TimedServer, asked_tokens, serve_for_ever

PROBE_TOKENS = 2


class TimedVllm(TimedServer):
    def __init__(self, args):
        self._diary, self._short = args.diary, args.short
        paced = Manner(ttft_s=args.ttft, itl_s=0.001, fails_after=args.fails_after, failure="error")
        super().__init__({args.served_model_name: paced})

    async def _stream(self, http, headers, body, received_ns):
        if asked_tokens(body) > PROBE_TOKENS:
            digest = hashlib.sha256(str(body["messages"]).encode()).hexdigest()[:8]
            note(self._diary, digest)
        length = asked_tokens(body) - self._short
        await super()._stream(http, headers, body | {"max_tokens": length}, received_ns)


def note(diary, line):
    with Path(diary).open("a") as file:
        file.write(f"{line}\n")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--model", "--served-model-name", "--host", "--diary", "--diary-name"):
        parser.add_argument(name)
    parser.add_argument("--port", type=int)
    parser.add_argument("--ttft", type=float, default=0.01)
    parser.add_argument("--fails-after", type=int)
    parser.add_argument("--short", type=int, default=0, help="tokens by which an answer falls short")
    parser.add_argument("--too-big", action="store_true", help="end as an engine whose device is full")
    args = parser.parse_args()
    if args.too_big:
        sys.exit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB")
    with Path(f"{args.diary}.device").open("w") as device:
        fcntl.flock(device, fcntl.LOCK_EX | fcntl.LOCK_NB)
        note(args.diary, f"start {args.diary_name}")
        asyncio.run(serve_for_ever(TimedVllm(args), args.port))


if __name__ == "__main__":
    main()
