"""Running a workload: connections opened and warmed up first, then the clock, then the reading of what came."""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from papergate.endpoints.address import Access, Address, root_of
from papergate.endpoints.describe import describe
from papergate.endpoints.event_loop import run_in_loop
from papergate.errors import EngineError, WorkloadError
from papergate.performance.client import Client, RawReply, direct
from papergate.performance.prompts import Prompt, make_prompts
from papergate.performance.records import ClientLoad, LoadRun, Stamps, TimedRequest, TokenSource
from papergate.performance.replies import Reading, read_reply
from papergate.performance.tokens import Counter, Tokenizer, tokenizer_of
from papergate.performance.workloads import Workload, arrivals_s
from papergate.run_folder.notes import note
from papergate.words import worded

REQUEST_TIMEOUT_S = 3600.0
"""A request that takes longer is lost: the longest of the seeds' workloads is done in minutes."""
HEARTBEAT_S = 0.01
"""How often the lateness of the event loop is sampled; a sample costs some 10 microseconds."""
PROBE_TOKENS = 2
WARMUP_TOKENS = 64
"""Output of a warm-up request at most: every kernel has run by then, at the full concurrency."""
NS_PER_S = 1e9

_Sent = tuple[int, int, RawReply]
"""Number of the prompt, intended start in nanoseconds, reply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A deployment under load: seen to stream, and asked what it knows."""

    url: str
    model: str
    software: str
    context_tokens: int | None
    ignores_eos: bool
    """Whether it takes ``ignore_eos``."""
    access: Access
    tokenizer: Tokenizer


def attach(url: str, model: str, *, ca_file: Path | None = None) -> Server:
    """Look at the server at ``url`` before it is measured; ``ca_file`` as in `Access`.

    Raises:
        EngineError: it cannot be reached, does not serve ``model`` or does not stream.
    """
    access = Access.of_environment(ca_file)
    root = root_of(url)
    served = describe(root, model, access)
    address = direct(root, access)
    return Server(
        url=root,
        model=model,
        software=served.software,
        context_tokens=served.context_tokens,
        ignores_eos=_takes_ignore_eos(address, model, access),
        access=access,
        tokenizer=tokenizer_of(root, model, access),
    )


def measure(server: Server, workload: Workload, *, salt: str, prompts: Sequence[Prompt] | None = None) -> LoadRun:
    """Run ``workload`` once against ``server``; warm-up requests are not in the result.

    ``prompts`` are drawn, unless another run asked the same ones.

    Raises:
        WorkloadError: the workload does not fit the server.
        EngineError: the server is gone, or does not stream.
    """
    asked = draw_prompts(server, workload, salt=salt) if prompts is None else prompts
    seen = run_in_loop(_measure(server, workload, asked))
    return _run_of(server, workload, asked[workload.warmup_requests :], salt, seen)


def draw_prompts(server: Server, workload: Workload, *, salt: str) -> Sequence[Prompt]:
    """The workload's prompts, warm-up first, as ``server`` counts their tokens.

    Raises:
        WorkloadError: the workload does not fit the server.
    """
    with server.tokenizer.connected() as counter:
        return make_prompts(workload, counter, salt=salt, context_tokens=server.context_tokens)


def measure_pairs(new: Server, old: Server, workload: Workload, *, salt: str) -> tuple[LoadRun, LoadRun]:
    """Run ``workload`` against two servers in turns: block by block in the order ABBA, each block on the same prompts.

    A block is one request for each place of the workload's concurrency. What both servers share - the hour, the
    machine, the client - is then in both halves of every pair.

    Raises:
        WorkloadError: the workload fits one of the servers not, or is an open loop, which cannot take turns.
        EngineError: a server is gone, or does not stream.
    """
    if workload.concurrency is None:
        raise worded(WorkloadError, note("open_loop_turns", workload=workload.name))
    contexts = [server.context_tokens for server in (new, old) if server.context_tokens]
    with new.tokenizer.connected() as counter:
        prompts = make_prompts(workload, counter, salt=salt, context_tokens=min(contexts, default=None))
    seen = run_in_loop(_measure_pairs((new, old), workload, prompts))
    measured = prompts[workload.warmup_requests :]
    return _run_of(new, workload, measured, salt, seen[0]), _run_of(old, workload, measured, salt, seen[1])


async def _measure(server: Server, workload: Workload, prompts: Sequence[Prompt]) -> "_Seen":
    client = Client(direct(server.url, server.access))
    warmup, measured = _bodies(server, workload, prompts)
    with _undisturbed(client):
        await _warm_up(client, workload, warmup)
        async with _watched(client) as watch:
            sent = await _send_all(client, workload, measured)
    return watch, sent


async def _measure_pairs(
    servers: tuple[Server, Server], workload: Workload, prompts: Sequence[Prompt]
) -> tuple["_Seen", "_Seen"]:
    clients = [Client(direct(server.url, server.access)) for server in servers]
    warmups, bodies = zip(*(_bodies(server, workload, prompts) for server in servers), strict=True)
    sent: tuple[list[_Sent], list[_Sent]] = ([], [])
    with _undisturbed(*clients):
        for side in (1, 0):  # the side that begins is warmed last: as in all later blocks, it then follows itself
            await _warm_up(clients[side], workload, warmups[side])
        async with _watched(*clients) as watch:
            for side, start in turns(workload.count, workload.in_flight):
                block = bodies[side][start : start + workload.in_flight]
                sent[side].extend(await _closed_loop(clients[side], block, workload.in_flight, number=start))
    return (watch, sent[0]), (watch, sent[1])


def turns(count: int, block: int) -> Iterator[tuple[int, int]]:
    """Side (0 or 1) and first prompt of each block, in the order 0 1 1 0 0 1 1 0 ..: drift is shared by both sides."""
    for index, start in enumerate(range(0, count, block)):
        for side in (0, 1) if index % 2 == 0 else (1, 0):
            yield side, start


async def _warm_up(client: Client, workload: Workload, bodies: Sequence[bytes]) -> None:
    await client.open(workload.in_flight)
    await _closed_loop(client, bodies, workload.in_flight)
    await client.open(workload.in_flight)


async def _send_all(client: Client, workload: Workload, bodies: Sequence[bytes]) -> list[_Sent]:
    if workload.requests_per_s is None:
        return await _closed_loop(client, bodies, workload.in_flight)
    return await _open_loop(client, bodies, list(arrivals_s(workload)))


async def _closed_loop(client: Client, bodies: Sequence[bytes], places: int, *, number: int = 0) -> list[_Sent]:
    """Keep ``places`` requests in flight; a request is due when its place became free."""
    sent: list[_Sent] = []
    waiting = enumerate(bodies, start=number)
    start_ns = time.monotonic_ns()

    async def place() -> None:
        free_ns = start_ns
        for prompt, body in waiting:
            reply = await _send(client, body, prompt)
            sent.append((prompt, free_ns, reply))
            free_ns = reply.stamps_ns[-1] if reply.stamps_ns else time.monotonic_ns()

    await asyncio.gather(*(place() for _ in range(places)))
    return sent


async def _open_loop(client: Client, bodies: Sequence[bytes], due_s: Sequence[float]) -> list[_Sent]:
    """Send each request when it is due, whatever became of those before."""
    start_ns = time.monotonic_ns()

    async def one(prompt: int, body: bytes, intended_ns: int) -> _Sent:
        return prompt, intended_ns, await _send(client, body, prompt)

    async with asyncio.TaskGroup() as group:
        tasks = []
        for prompt, (body, due) in enumerate(zip(bodies, due_s, strict=True)):
            intended_ns = start_ns + round(due * NS_PER_S)
            await _until(intended_ns)
            tasks.append(group.create_task(one(prompt, body, intended_ns)))
    return [task.result() for task in tasks]


async def _until(moment_ns: int) -> None:
    """Sleep until a moment of the monotonic clock, never less: uvloop's timers may ring up to 1 ms early."""
    while (left_ns := moment_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110 - it waits for a clock, not for an event
        await asyncio.sleep(left_ns / NS_PER_S)


async def _send(client: Client, body: bytes, number: int) -> RawReply:
    began_ns = time.monotonic_ns()
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            return await client.send(body, number)
    except TimeoutError:
        return RawReply(sent_ns=began_ns, error=f"no whole answer within {REQUEST_TIMEOUT_S:.0f} s")


@dataclass(kw_only=True, slots=True)
class _Watch:
    """What was seen of the client itself while the clock ran."""

    origin_ns: int
    load: ClientLoad | None = None
    """Known once the clock has stopped."""


_Seen = tuple[_Watch, list[_Sent]]


@asynccontextmanager
async def _watched(*clients: Client) -> AsyncIterator[_Watch]:
    """Let the clock run, and watch how late the event loop is."""
    lateness_s: list[float] = []
    opened = sum(client.opened for client in clients)
    heart = asyncio.create_task(_beat(lateness_s))
    cpu_s, watch = time.process_time(), _Watch(origin_ns=time.monotonic_ns())
    try:
        yield watch
    finally:
        heart.cancel()
    watch.load = ClientLoad(
        wall_s=(time.monotonic_ns() - watch.origin_ns) / NS_PER_S,
        cpu_s=time.process_time() - cpu_s,
        lateness_s=tuple(lateness_s),
        reconnects=sum(client.opened for client in clients) - opened,
        event_loop=type(asyncio.get_running_loop()).__module__,
    )


async def _beat(lateness_s: list[float]) -> None:
    while True:
        due = time.monotonic() + HEARTBEAT_S
        await asyncio.sleep(HEARTBEAT_S)
        lateness_s.append(max(0.0, time.monotonic() - due))


@contextmanager
def _undisturbed(*clients: Client) -> Iterator[None]:
    """No garbage collection, which stops every stamp for tens of milliseconds; close ``clients`` at the end.

    What has gathered is collected before the warm-up: the first measured request must not find cold caches.
    """
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        for client in clients:
            client.close()
        if enabled:
            gc.enable()


def _bodies(server: Server, workload: Workload, prompts: Sequence[Prompt]) -> tuple[list[bytes], list[bytes]]:
    """The warm-up requests, which are cut short, and the measured ones."""
    first = workload.warmup_requests
    measured = [request_body(server, workload, each) for each in prompts[first:]]
    if workload.warmup_repeats_first:
        return measured[:1] * first, measured
    most = sys.maxsize if workload.warmup_whole else WARMUP_TOKENS
    short = (replace(each, output_tokens=min(each.output_tokens, most)) for each in prompts[:first])
    return [request_body(server, workload, each) for each in short], measured


def request_body(server: Server, workload: Workload, prompt: Prompt) -> bytes:
    """The request of one prompt as the chat completions route takes it."""
    body: dict[str, object] = {
        "model": server.model,
        "messages": [{"role": "user", "content": prompt.text}],
        "max_tokens": prompt.output_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        **_sampling(workload),
    }
    if workload.ignore_eos and server.ignores_eos:
        body["ignore_eos"] = True
    return orjson.dumps(body)


def _sampling(workload: Workload) -> dict[str, float]:
    """What the requests say of sampling; what they do not say is the server's own."""
    stated = {"temperature": workload.temperature, "top_p": workload.top_p}
    return {name: float(value) for name, value in stated.items() if value is not None}


def _run_of(server: Server, workload: Workload, prompts: Sequence[Prompt], salt: str, seen: _Seen) -> LoadRun:
    watch, sent = seen
    assert watch.load
    ordered = sorted(sent, key=lambda each: each[0])
    with server.tokenizer.connected() as counter:
        requests = tuple(_timed(each, prompts[each[0]], (watch.origin_ns, server.access), counter) for each in ordered)
    return LoadRun(
        workload=workload.name,
        digest=workload.digest,
        model=server.model,
        server=server.software,
        salt=salt,
        origin_ns=watch.origin_ns,
        requests=requests,
        client=replace(watch.load, stamps=_stamps(reply for _, _, reply in sent)),
        settings={"ignore_eos": workload.ignore_eos and server.ignores_eos, "tokenizer": server.tokenizer.source}
        | _sampling(workload),
    )


def _stamps(replies: Iterable[RawReply]) -> Stamps:
    return Stamps.EVENT_LOOP if any(reply.own_stamps for reply in replies) else Stamps.KERNEL


def _timed(sent: _Sent, prompt: Prompt, run: tuple[int, Access], counter: Counter) -> TimedRequest:
    number, intended_ns, reply = sent
    origin_ns, access = run
    reading = read_reply(reply, access)
    output_tokens, tokens_from = _output_tokens(reading, counter)
    return TimedRequest(
        prompt=number,
        intended_s=(intended_ns - origin_ns) / NS_PER_S,
        sent_s=(reply.sent_ns - origin_ns) / NS_PER_S,
        chunks_s=tuple((stamp_ns - origin_ns) / NS_PER_S for stamp_ns in reading.chunks_ns),
        last_s=(reading.last_ns - origin_ns) / NS_PER_S if reading.last_ns is not None else None,
        prompt_tokens=reading.answer.prompt_tokens or prompt.input_tokens,
        output_tokens=output_tokens,
        tokens_from=tokens_from,
        cut_off=reading.cut_off,
        error=reading.error,
    )


def _output_tokens(reading: Reading, counter: Counter) -> tuple[int | None, TokenSource]:
    """From the usage chunk, else from the tokenizer, never from the number of chunks."""
    if reading.answer.output_tokens is not None:
        return reading.answer.output_tokens, TokenSource.USAGE
    counted = counter.text(reading.text) if reading.error is None else None
    return counted, TokenSource.UNKNOWN if counted is None else TokenSource.TOKENIZER


def _takes_ignore_eos(address: Address, model: str, access: Access) -> bool:
    """Whether a short request with ``ignore_eos`` is answered; where not, one without it must be.

    Raises:
        EngineError: neither is answered with a stream; with the server's words.
    """
    plain: dict[str, object] = {
        "model": model,
        "messages": [{"role": "user", "content": "Say yes."}],
        "max_tokens": PROBE_TOKENS,
        "stream": True,
    }
    if _probe(address, plain | {"ignore_eos": True}, access) is None:
        return True
    if (error := _probe(address, plain, access)) is not None:
        raise worded(EngineError, note("short_request_failed", url=address.url, error=f"{error}"))
    return False


def _probe(address: Address, body: dict[str, object], access: Access) -> str | None:
    """What is wrong with the answer to a single request; None where nothing is."""

    async def ask() -> RawReply:
        client = Client(address)
        try:
            return await _send(client, orjson.dumps(body), 0)
        finally:
            client.close()

    return read_reply(run_in_loop(ask()), access).error
