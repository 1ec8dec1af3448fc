"""Asks: every request answered and stored once, whatever the engine does meanwhile."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from papergate.completions.policy import Policy
from papergate.completions.progress import Progress
from papergate.completions.store import Store
from papergate.endpoints.event_loop import run_in_loop
from papergate.engines.records import Completion, Engine, Finish, Request
from papergate.errors import EngineError, EngineTimeout
from papergate.run_folder.notes import Note, note
from papergate.words import worded

TICK_S = 1.0
"""How often progress is shown and the watchdog looks."""


def unseen(_: Completion) -> None:
    """Do nothing with what is stored."""


def ask(
    engine: Engine,
    requests: Sequence[Request],
    store: Store,
    policy: Policy,
    progress: Progress,
    seen: Callable[[Completion], None] = unseen,
) -> None:
    """Draw every sample of ``requests`` that ``store`` does not hold yet, in the order given.

    Each is handed to ``seen`` once it is stored.

    What fails for good is stored as failed with its error. Ctrl-C, and every error below, leaves each finished
    completion stored, and the same call asks only for the rest.

    Raises:
        EngineTimeout: nothing was finished for ``policy.no_progress_s``.
        EngineError: ``policy.failures_in_a_row`` requests were lost one after another.
        StoreError: a completion could not be stored.
    """
    keys = {(request.problem, request.sample) for request in requests}
    if len(keys) < len(requests):
        raise ValueError("a problem and sample is requested twice")
    missing = [request for request in requests if (request.problem, request.sample) not in store]
    problems = len({request.problem for request in requests})
    progress.start(problems=problems, total=len(requests), stored=len(requests) - len(missing))
    try:
        run_in_loop(_Asking(engine, store, policy, progress, seen).run(missing))
        store.mark()
    except BaseException:
        progress.say(_how_to_resume(keys, store))
        raise
    finally:
        progress.stop()


def _how_to_resume(keys: set[tuple[str, int]], store: Store) -> Note:
    kept = sum(key in store for key in keys)
    counts = {"kept": kept, "samples": len(keys), "missing": len(keys) - kept}
    return note("progress_kept", **counts, folder=f"{store.folder}", run=f"{store.folder.parent}")


class _Asking:
    """One run of the loop: its workers, its watchdog, and what waits to be written."""

    def __init__(
        self, engine: Engine, store: Store, policy: Policy, progress: Progress, seen: Callable[[Completion], None]
    ) -> None:
        self._engine = engine
        self._store = store
        self._policy = policy
        self._progress = progress
        self._seen = seen
        self._before = {key: failed.attempts for key, failed in store.failures().items()}
        """Attempts of earlier sessions, in vain."""
        self._pace = _Pace(policy.requests_per_s)
        self._unwritten: list[Completion] = []
        self._writing = asyncio.Lock()
        self._in_flight = 0
        self._lost_in_a_row = 0
        self._last_finish = 0.0

    async def run(self, requests: Sequence[Request]) -> None:
        """Ask all of ``requests``, or one batch after another."""
        room = self._policy.concurrency or self._engine.concurrency
        step = room if self._policy.batches else len(requests)
        for start in range(0, len(requests), max(1, step)):
            await self._ask(requests[start : start + step])

    async def _ask(self, requests: Sequence[Request]) -> None:
        queue = iter(requests)
        room = min(self._policy.concurrency or self._engine.concurrency, len(requests))
        workers = [asyncio.create_task(self._work(queue)) for _ in range(room)]
        watchdog = asyncio.create_task(self._watch())
        watchdog.add_done_callback(
            lambda _: [worker.cancel() for worker in workers]
        )  # it ends before them only by an error
        try:
            await asyncio.gather(*workers)
        except asyncio.CancelledError:
            if watchdog.done():
                await watchdog  # raises what it saw
            raise
        finally:
            await _cancel([*workers, watchdog])
            self._write_rest()

    async def _work(self, queue: Iterator[Request]) -> None:
        """Take requests until none is left; the queue is shared by all workers."""
        for request in queue:
            self._in_flight += 1
            completion = await self._draw(request)
            self._in_flight -= 1
            await self._keep(completion)
            self._see(completion)

    async def _draw(self, request: Request) -> Completion:
        """One completion after as many attempts as it takes, or a failed one."""
        attempt, lost_at, before = 1, list[str](), self._before.get((request.problem, request.sample), 0)
        while True:
            await self._pace.turn()
            try:
                done = await self._engine.complete(request)
                return replace(done, attempts=before + attempt, lost_at=tuple(lost_at))
            except EngineError as error:
                lost_at += [error.endpoint] if error.endpoint else []
                if not error.transient or attempt >= self._policy.attempts:
                    return replace(_failed(request, before + attempt, error), lost_at=tuple(lost_at))
                wait_s = self._policy.wait_s(request, attempt, error)
                self._progress.retrying(str(error), wait_s)
            await asyncio.sleep(wait_s)
            attempt += 1

    async def _keep(self, completion: Completion) -> None:
        """Store a completion; those that finish during one write share the next."""
        self._unwritten.append(completion)
        async with self._writing:
            batch, self._unwritten = self._unwritten, []
            if batch:
                await asyncio.to_thread(self._store.append, *batch)

    def _write_rest(self) -> None:
        """Store what finished but was not written when the run was stopped."""
        batch, self._unwritten = self._unwritten, []
        if batch:
            self._store.append(*batch)

    def _see(self, completion: Completion) -> None:
        self._last_finish = asyncio.get_running_loop().time()
        self._progress.finished(completion)
        self._seen(completion)
        self._lost_in_a_row = self._lost_in_a_row + 1 if completion.finish is Finish.FAILED else 0
        if self._lost_in_a_row >= self._policy.failures_in_a_row:
            raise worded(EngineError, note("lost_in_a_row", count=self._lost_in_a_row, said=completion.error))

    async def _watch(self) -> None:
        """Show life every second, until nothing has finished for too long."""
        loop = asyncio.get_running_loop()
        self._last_finish = loop.time()
        while loop.time() - self._last_finish < self._policy.no_progress_s:
            self._progress.tick(self._in_flight)
            await asyncio.sleep(min(TICK_S, self._policy.no_progress_s))
        idle = note("no_progress", seconds=self._policy.no_progress_s, in_flight=self._in_flight)
        raise worded(EngineTimeout, idle)


class _Pace:
    """Lets one attempt start every ``1 / per_s`` seconds."""

    def __init__(self, per_s: float | None) -> None:
        self._interval_s = 1 / per_s if per_s else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        if not self._interval_s:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._next)
        self._next = start + self._interval_s
        await asyncio.sleep(start - now)


def _failed(request: Request, attempts: int, error: EngineError) -> Completion:
    return Completion(
        problem=request.problem,
        sample=request.sample,
        seed=request.seed,
        text=None,
        finish=Finish.FAILED,
        error=str(error),
        attempts=attempts,
    )


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
