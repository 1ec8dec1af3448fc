"""How fast and how right the answer checker is, beside math-verify, on real completions and labelled cases.

    python studies/scoring.py speed TRANSCRIPT.jsonl.gz ...       pairs per CPU second, and every differing grade
    python studies/scoring.py confusion CASES.jsonl               the confusion table of each grader
    python studies/scoring.py overhead                            what the pool adds to a pair
    python studies/scoring.py memory                              resident memory over 100,000 gradings

Times are CPU seconds of this process and its children on one worker; imports are not counted.
"""

import argparse
import gzip
import json
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Any

from papergate.scoring import AnswerKind, Attempt, Grade, Grader, Outcome
from papergate.scoring.extraction import conclusion_of
from papergate.scoring.workers.pool import Pool

GRADERS = ("strict", "math-verify", "aisbench")
WARM_UP = Attempt(text="1.0", gold="1", bare=True)
ROUNDS = 1_000
GSM8K_MARK = "#### "
GRADINGS, BATCH = 100_000, 20_000


def rows_of(path: Path) -> list[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def gold_of(row: dict[str, Any]) -> str:
    """The gold answer; of GSM8K's it is what stands at the end of the solution."""
    return str(row["gold"]).rpartition(GSM8K_MARK)[2].strip()


def cpu_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def speed(paths: list[Path]) -> None:
    rows = [row for path in paths for row in rows_of(path)]
    attempts = [Attempt(text=row["response"], gold=gold_of(row), thinks=True) for row in rows]
    start = cpu_seconds()
    with Grader(workers=1) as grader:
        grades = list(grader.grade(attempts))
    ours_s = cpu_seconds() - start
    theirs, theirs_s = math_verify_grades(rows)
    print(f"papergate    {len(rows) / ours_s:9.0f} pairs per CPU s, which need no worker")
    print(f"math-verify  {len(rows) / theirs_s:9.0f} pairs per CPU s")
    print("layers", Counter(grade.rule.rpartition("/")[2] for grade in grades).most_common())
    list_differences(rows, grades, theirs)


def math_verify_grades(rows: list[dict[str, Any]]) -> tuple[list[bool], float]:
    from math_verify import parse, verify

    parse("$1$")
    grades = []
    start = cpu_seconds()
    for row in rows:
        conclusion = conclusion_of(row["response"], thinks=True)
        parsed = parse(conclusion) if conclusion else []
        grades.append(bool(parsed) and verify(parse(f"${gold_of(row)}$"), parsed))
    return grades, cpu_seconds() - start


def list_differences(rows: list[dict[str, Any]], grades: list[Grade], theirs: list[bool]) -> None:
    pairs = zip(rows, grades, theirs, strict=True)
    differing = Counter(
        (grade.gold, grade.extracted, str(grade.outcome), grade.reason)
        for row, grade, other in pairs
        if (grade.outcome is Outcome.CORRECT) != other
    )
    print(f"{sum(differing.values())} grades differ from math-verify's:")
    for (gold, extracted, outcome, reason), count in differing.most_common():
        print(f"  {count:3} x gold {gold!r}, extracted {extracted!r}: {outcome} ({reason})")


def confusion(paths: list[Path]) -> None:
    rows = [row for path in paths for row in rows_of(path)]
    attempts = [Attempt(text=row["answer"], gold=row["gold"], bare=row["mode"] == "answer") for row in rows]
    for mode in GRADERS:
        with Grader(mode, workers=1) as grader:
            list(grader.grade([WARM_UP]))
            started = time.perf_counter()
            grades = list(grader.grade(attempts))
            seconds = time.perf_counter() - started
        print(f"{mode}: {len(rows) / seconds:.0f} pairs per wall s, slowest {max(g.seconds for g in grades):.2f} s")
        for tier in sorted({row["tier"] for row in rows}):
            print_table(
                tier,
                [(row["label"], grade.outcome) for row, grade in zip(rows, grades, strict=True) if row["tier"] == tier],
            )
        print("  layers", Counter(grade.rule.rpartition("/")[2] for grade in grades).most_common())


def print_table(tier: str, pairs: list[tuple[bool, Outcome]]) -> None:
    counts = Counter(pairs)
    right = counts[True, Outcome.CORRECT] + counts[False, Outcome.INCORRECT]
    print(f"  {tier:8}{right / len(pairs):7.1%} right, {counts[False, Outcome.CORRECT]} false accepts")
    for label in (True, False):
        print(f"    {'equal' if label else 'different':10}", {str(o): counts[label, o] for o in Outcome})


def overhead(_paths: list[Path]) -> None:
    with Pool(1) as pool:
        pool.warm_up()
        pool.compare("1", "1", AnswerKind.MATH, "math-verify")
        started = time.perf_counter()
        for _ in range(ROUNDS):
            pool.compare("1", "1", AnswerKind.MATH, "math-verify")
        print(f"pool: {(time.perf_counter() - started) / ROUNDS * 1e3:.3f} ms a pair, a trivial comparison included")


def memory(_paths: list[Path]) -> None:
    with Grader(workers=1) as grader:
        for done in range(0, GRADINGS, BATCH):
            attempts = (
                Attempt(text=f"\\boxed{{{n}/7 + \\sqrt{{2}}}}", gold=f"{n % 97}", thinks=False)
                for n in range(done, done + BATCH)
            )
            Counter(grade.outcome for grade in grader.grade(attempts))
            resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
            print(f"{done + BATCH:7} gradings: {resident / 2**20:.1f} MiB resident")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("speed", "confusion", "overhead", "memory"))
    parser.add_argument("paths", nargs="*", type=Path)
    args = parser.parse_args()
    {"speed": speed, "confusion": confusion, "overhead": overhead, "memory": memory}[args.what](args.paths)


if __name__ == "__main__":
    main()
