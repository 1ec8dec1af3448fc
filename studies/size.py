"""What large runs cost: opening, judging and merging them, each in a process of its own.

``python -m studies.size FOLDER [MILLION]`` makes runs of short answers in FOLDER (some 3 GB) and measures: opening a
run of 100,000 and of MILLION (1,000,000) completions as a resume does, judging them again with the page, merging 64
shards that hold 34,000 in all, and 64 of 34,000 each. CPU seconds are those of all processes together.
"""

import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from papergate.acceptance.options import Options
from papergate.completions.merging import merge_runs
from papergate.completions.policy import seed_of
from papergate.completions.shard import Shard
from papergate.completions.store import Store
from papergate.engines.records import Completion, Finish
from papergate.gate import judge_again
from papergate.run_folder.shard import ShardRecord, write_shard
from studies import large_run
from studies.store import manifest

SAMPLES = 64
SHARDS = 64
LARGEST_FORESEEN = 34_000
"""30 x 64 and 500 x 64 samples."""
TEXT = "x" * 200
BATCH = 1000
PROMISE = "x"
LARGE = "cpu-huggingface-papergate-tiny-tiny-math"
PROBLEMS = 500


def completions(keys: Iterator[tuple[str, int]]) -> Iterator[Completion]:
    for problem, sample in keys:
        yield Completion(
            problem=problem,
            sample=sample,
            seed=seed_of(0, problem, sample),
            text=TEXT,
            finish=Finish.STOP,
            output_tokens=100,
        )


def write(folder: Path, keys: Iterator[tuple[str, int]], shard: str = "") -> None:
    drawn = completions(keys)
    with Store.open(folder, manifest().model_copy(update={"shard": shard})) as store:
        while batch := list(islice(drawn, BATCH)):
            store.append(*batch)


def whole(folder: Path, count: int) -> None:
    write(folder, ((f"p{number // SAMPLES}", number % SAMPLES) for number in range(count)))


def shards(folder: Path, count: int) -> list[Path]:
    """``count`` completions in all, over `SHARDS` shards."""
    problems = tuple(f"p{number}" for number in range(count // SAMPLES))
    for index in range(SHARDS):
        record = ShardRecord(
            index=index,
            count=SHARDS,
            look=SAMPLES,
            problems=problems,
            samples=(SAMPLES,) * len(problems),
            papergate="",
        )
        promise = folder / f"shard-{index}" / PROMISE
        write(promise, iter(sorted(record.keys())), str(Shard(index=index, count=SHARDS)))
        write_shard(promise, record)
    return [folder / f"shard-{index}" for index in range(SHARDS)]


def opened(folder: Path) -> int:
    with Store.open(folder, manifest()) as store:
        return len(store)


def judged(run: Path) -> int:
    (line,) = judge_again(run, Options()).lines
    assert line.record, line.error
    return sum(line.record.counts.completions)


def merged(folder: Path) -> int:
    runs = [folder / f"shard-{index}" for index in range(SHARDS)]
    merge_runs(runs, folder / "whole")
    return SHARDS


def measured(name: str, work: Callable[[Path], int], folder: Path) -> None:
    """Print CPU seconds, seconds and the peak of memory of ``work`` in a new process."""
    with get_context("spawn").Pool(1) as pool:
        count, cpu, wall, peak = pool.apply(_measured, (work, folder))
    print(f"| {name} | {count:,} | {cpu:.1f} | {wall:.1f} | {peak:.0f} |", flush=True)


def _measured(work: Callable[[Path], int], folder: Path) -> tuple[int, float, float, float]:
    before, began = _cpu_s(), time.monotonic()
    count = work(folder)
    wall = time.monotonic() - began
    return count, _cpu_s() - before, wall, peak_mib()


def peak_mib() -> float:
    """The most memory of this process; that of getrusage counts the process that started it."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(folder: Path, million: int) -> None:
    print("| what | of | CPU s | s | MiB |")
    print("|---|---|---|---|---|")
    for count in (100_000, million):
        shutil.rmtree(folder, ignore_errors=True)
        whole(folder / PROMISE, count)
        measured(f"open a run of {count:,}", opened, folder / PROMISE)
        shutil.rmtree(folder)
        large_run.write(folder / LARGE, large_run.case_of(count // PROBLEMS, LARGE), count // PROBLEMS, len(TEXT))
        measured(f"judge {count:,} again, with the page", judged, folder)
    for count in (LARGEST_FORESEEN, SHARDS * LARGEST_FORESEEN):
        shutil.rmtree(folder, ignore_errors=True)
        shards(folder, count // SAMPLES * SAMPLES)
        measured(f"merge shards of {count:,} in all", merged, folder)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
