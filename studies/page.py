"""What the page of the largest run foreseen costs: time, memory and disk to write it, and time until it is open.

``python -m studies.page FOLDER [CHARACTERS]`` makes a run of 500 problems x 68 samples (34,000 completions of 60,000
characters each, random words) in FOLDER, writes its page and transcripts as a session does, and opens the page in
Chromium where there is one. FOLDER needs room for the texts twice.
"""

import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from papergate.acceptance import Case, Receipt, assess
from papergate.acceptance.flow import manifest_of
from papergate.acceptance.saving import save
from papergate.completions.lines import hash_of, sealed
from papergate.completions.policy import seed_of
from papergate.completions.store import Store
from papergate.completions.table import Planned, Table
from papergate.diagnosis.kinds import Kind
from papergate.engines import Completion, Finish
from papergate.reports.run import write_run_page
from papergate.run_folder.files import COMPLETIONS_FILE, MANIFEST_FILE, PAGE_FILE, TRANSCRIPTS_FOLDER
from papergate.scoring import Grade, Outcome
from studies.browser import CHROMIUM, DRIVER, browser_of
from studies.large_run import case_of

PROMISE = "cpu-huggingface-papergate-tiny-tiny-math"
SAMPLES = 68
VOCABULARY = 2000


def completions(of: Case, characters: int) -> Iterator[tuple[bool, Completion]]:
    dice = random.Random(0)
    words = ["".join(dice.choices("etaoinshrdlu", k=dice.randint(2, 9))) for _ in range(VOCABULARY)]
    texts = [" ".join(dice.choices(words, k=characters // 5))[:characters] for _ in range(64)]
    for sample in range(SAMPLES):
        for problem in of.problems:
            right = dice.random() < 0.78
            yield (
                right,
                Completion(
                    problem=problem.id,
                    sample=sample,
                    seed=seed_of(0, problem.id, sample),
                    text=f"{dice.choice(texts)}\n</think>\n\n\\boxed{{{problem.gold if right else 1000}}}",
                    finish=Finish.STOP,
                    endpoint=f"http://10.0.0.{sample % 2}:8000",
                    output_tokens=characters // 4 + dice.randint(0, 999),
                    e2e_s=characters / 160 * dice.random(),
                ),
            )


def made(folder: Path, characters: int) -> Path:
    """The run, without its page."""
    of, place = case_of(SAMPLES, PROMISE), folder / PROMISE
    Store.open(place, manifest_of(of)).close()
    link = hash_of((place / MANIFEST_FILE).read_bytes())
    receipts, grades = Table(Receipt), Table(Grade)
    with (place / COMPLETIONS_FILE).open("wb") as file:
        for right, done in completions(of, characters):
            line, link = sealed(done, link)
            file.write(line)
            receipt = Receipt.of(done, Kind.COMPLETE)
            outcome = Outcome.CORRECT if right else Outcome.INCORRECT
            receipts.put(receipt.key, receipt)
            grade = Grade(outcome=outcome, extracted="1", gold="1", rule="box/same text", reason=None, seconds=1e-5)
            grades.put(receipt.key, grade)
    planned = of.planned(SAMPLES)
    save(assess(of, SAMPLES, Planned(receipts, planned), Planned(grades, planned)), place)
    return folder


def opened(page: Path) -> str:
    """Seconds until the page has its squares, and until an answer stands there."""
    with browser_of() as browser:
        begun = time.monotonic()
        browser.get(page.as_uri())
        squares = browser.execute_script("return document.querySelectorAll('.grid-box .cell').length")
        drawn = time.monotonic() - begun
        browser.get(f"{page.as_uri()}#answers/0/250/40/all")
        browser.refresh()
        begun = time.monotonic()
        while not browser.execute_script("return document.querySelector('.shown pre')"):
            time.sleep(0.01)
        return f"open after {drawn:.2f} s with {squares:,} squares, an answer {time.monotonic() - begun:.2f} s later"


def size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    folder, characters = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60_000
    run = made(folder / "run", characters)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun, cpu = time.monotonic(), time.process_time()
    page = write_run_page(run, [])
    wall, cpu = time.monotonic() - begun, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"written in {wall:.1f} s ({cpu:.1f} s of CPU), {after / 1024:.0f} MiB of memory ({before / 1024:.0f} before)"
    )
    print(f"page {page.stat().st_size / 1e3:.0f} kB, transcripts {size(run / TRANSCRIPTS_FOLDER):,.0f} MB")
    if CHROMIUM and DRIVER:
        print(opened(run / PAGE_FILE))


if __name__ == "__main__":
    main()
