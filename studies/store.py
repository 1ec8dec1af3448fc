"""What it costs to keep an answer: ways to store 34,000 completions of 60 kB, measured side by side.

``python studies/store.py FOLDER [COUNT]`` writes COUNT completions (34,000 is the largest run foreseen: 30 x 64 and
500 x 64 samples) in each way, one acknowledged write after another except where batches are named, then opens the
result as a resume would. FOLDER must be on the disk that runs are kept on. Texts are random words with formulas; real
prose packs about as well.
"""

import os
import random
import resource
import shutil
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path

import orjson

from papergate.completions.manifest import Manifest
from papergate.completions.policy import seed_of
from papergate.completions.store import Store
from papergate.engines.records import Completion, Finish
from papergate.promises.records import Sampling

COUNT = 34_000
SLOW_COUNT = 2_000
"""Where every write waits for the disk, so many are enough; times are given per record."""
CHARACTERS = 60_000
BATCH = 16
"""About what finishes during one write at 512 answers in flight."""
FORMULAS = ("√2", r"\frac{a}{b}", "12", "17", "=", "+", "wait", "so", "therefore", "alternatively")


def texts(seed: int, count: int = 64) -> list[str]:
    dice = random.Random(seed)
    vocabulary = [*FORMULAS, *("".join(dice.choices("etaoinshrdlu", k=dice.randint(2, 9))) for _ in range(2000))]
    return [" ".join(dice.choices(vocabulary, k=CHARACTERS // 5))[:CHARACTERS] for _ in range(count)]


TEXTS = texts(0)


def completions(count: int) -> Iterator[Completion]:
    for number in range(count):
        text = f"{number} {TEXTS[number % len(TEXTS)]}"
        yield Completion(
            problem=f"p{number // 64}", sample=number % 64, text=text, finish=Finish.STOP, output_tokens=15_000
        )


def manifest() -> Manifest:
    sampling = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=32768)
    fields = dict.fromkeys(("promise", "engine", "model", "benchmark", "benchmark_digest", "prompt_digest"), "x")
    return Manifest(**fields, sampling=sampling, run_seed=0)


def jsonl(folder: Path, count: int, batch: int) -> None:
    """papergate's own store."""
    with Store.open(folder, manifest()) as store:
        waiting = []
        for completion in completions(count):
            waiting.append(completion)
            if len(waiting) == batch:
                store.append(*waiting)
                waiting = []


def open_jsonl(folder: Path) -> int:
    with Store.open(folder, manifest()) as store:
        return len(store)


def frames(folder: Path, count: int) -> None:
    """Each record packed by zlib, in a file of frames, with a line in an index; both wait for the disk."""
    folder.mkdir()
    with (folder / "frames").open("ab", buffering=0) as data, (folder / "index").open("ab", buffering=0) as index:
        for completion in completions(count):
            frame = zlib.compress(orjson.dumps(completion), 1)
            data.write(frame)
            os.fsync(data.fileno())
            index.write(f"\n{completion.problem} {completion.sample} {len(frame)}".encode())
            os.fsync(index.fileno())


def open_frames(folder: Path) -> int:
    return len((folder / "index").read_text().split("\n")) - 1


def sqlite(folder: Path, count: int, batch: int) -> None:
    """One row each, write-ahead log, waiting for the disk."""
    folder.mkdir()
    base = sqlite3.connect(folder / "run.db", isolation_level=None)
    base.execute("pragma journal_mode = wal")
    base.execute("pragma synchronous = full")
    base.execute("create table completion (problem, sample, record, primary key (problem, sample))")
    rows: list[tuple[str, int, bytes]] = []
    for completion in completions(count):
        rows.append((completion.problem, completion.sample, orjson.dumps(completion)))
        if len(rows) == batch:
            base.execute("begin")
            base.executemany("insert into completion values (?, ?, ?)", rows)
            base.execute("commit")
            rows = []
    base.close()


def open_sqlite(folder: Path) -> int:
    return sqlite3.connect(folder / "run.db").execute("select count(*) from completion").fetchone()[0]


def files(folder: Path, count: int) -> None:
    """A file each, written aside and renamed."""
    folder.mkdir()
    for number, completion in enumerate(completions(count)):
        draft = folder / "draft"
        with draft.open("wb") as file:
            file.write(orjson.dumps(completion))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / f"{number}.json")


def open_files(folder: Path) -> int:
    return len(list(folder.iterdir()))


def measure(name: str, folder: Path, count: int, write: Callable[[Path], None], reopen: Callable[[Path], int]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    cpu, wall = cpu_s(), time.monotonic()
    write(folder)
    cpu, wall = cpu_s() - cpu, time.monotonic() - wall
    size = sum(file.stat().st_size for file in folder.iterdir()) / count / 1024
    opened = time.monotonic()
    assert reopen(folder) == count, (reopen(folder), count)
    opened = time.monotonic() - opened
    print(
        f"| {name} | {count} | {count / wall:,.0f} | {wall / count * 1e3:.2f} | {cpu / count * 1e3:.2f} | {size:.0f} | "
        f"{opened / count * COUNT:.2f} |",
        flush=True,
    )
    shutil.rmtree(folder)


def short_records(folder: Path, count: int = 100_000) -> None:
    """What opening a run of many short answers costs."""
    shutil.rmtree(folder, ignore_errors=True)
    seeds = ((f"p{number // 64}", number % 64) for number in range(count))
    short = (
        Completion(problem=problem, sample=sample, seed=seed_of(0, problem, sample), text="x" * 200, finish=Finish.STOP)
        for problem, sample in seeds
    )
    with Store.open(folder, manifest()) as store:
        while batch := list(islice(short, 1000)):
            store.append(*batch)
    cpu = cpu_s()
    assert open_jsonl(folder) == count
    print(f"opening {count} records of 200 characters: {cpu_s() - cpu:.2f} CPU s")
    shutil.rmtree(folder)


def cpu_of_an_append(folder: Path, count: int = 300) -> None:
    """What an append costs without the wait for the disk, which differs from disk to disk."""
    shutil.rmtree(folder, ignore_errors=True)
    times, fsync, drawn = [], os.fsync, list(completions(count))
    with Store.open(folder, manifest()) as store:
        os.fsync = lambda _: None
        for completion in drawn:
            began = time.thread_time_ns()
            store.append(completion)
            times.append(time.thread_time_ns() - began)
        os.fsync = fsync
    print(f"an append without its fsync: {sorted(times)[count // 2] / 1000:.0f} us of CPU time")
    shutil.rmtree(folder)


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(folder: Path, count: int) -> None:
    few = min(count, SLOW_COUNT)
    print(f"| way | records | records/s | ms each | CPU ms each | KiB each | opening {COUNT} s |")
    print("|---|---|---|---|---|---|---|")
    measure("JSONL, each synced", folder / "a", few, lambda to: jsonl(to, few, 1), open_jsonl)
    measure(
        f"JSONL, synced per {BATCH}",
        folder / "b",
        count // BATCH * BATCH,
        lambda to: jsonl(to, count, BATCH),
        open_jsonl,
    )
    measure("zlib frames and index, each synced", folder / "c", few, lambda to: frames(to, few), open_frames)
    measure("SQLite WAL FULL, each", folder / "d", few, lambda to: sqlite(to, few, 1), open_sqlite)
    measure(
        f"SQLite WAL FULL, per {BATCH}",
        folder / "e",
        few // BATCH * BATCH,
        lambda to: sqlite(to, few, BATCH),
        open_sqlite,
    )
    measure("a file each, synced", folder / "f", few, lambda to: files(to, few), open_files)
    short_records(folder / "g")
    cpu_of_an_append(folder / "h")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else COUNT)
