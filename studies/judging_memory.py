"""Peak memory of judging a finished run: all texts lie on disk, and one after another passes through.

    python -m studies.judging_memory FOLDER [SAMPLES]

writes a run of tiny-aime with SAMPLES (64) samples of each of its 30 problems, texts of 60,000 characters, then judges
it in a process of its own, as a resume does: nothing is left to ask.
"""

import subprocess
import sys
import time
from pathlib import Path

from papergate.acceptance import accept, manifest_of
from papergate.completions.store import Store
from papergate.run_folder.files import COMPLETIONS_FILE
from studies.large_run import case_of, write
from studies.size import peak_mib

MIB = 2**20


class Answered:
    """A stand-in for an engine that has nothing left to answer."""

    concurrency = 1

    def check(self, *_: object) -> None:
        """Nothing is asked, so nothing can be refused."""


def judge(folder: Path, samples: int) -> None:
    case = case_of(samples)
    before = peak_mib()
    began = time.monotonic()
    with Store.open(folder, manifest_of(case)) as store:
        found = accept(case, Answered(), store)
    print(
        f"{found.sentence}\n{len(found.grades)} graded in {time.monotonic() - began:.1f} s; "
        f"peak {peak_mib():.0f} MiB, of it {before:.0f} before the run was opened"
    )


def main(folder: Path, samples: int) -> None:
    write(folder, case_of(samples), samples)
    size = (folder / COMPLETIONS_FILE).stat().st_size
    print(f"{30 * samples} completions, {size / MIB:.0f} MiB on disk")
    subprocess.run([sys.executable, "-m", "studies.judging_memory", "judge", str(folder), str(samples)], check=True)


if __name__ == "__main__":
    if sys.argv[1] == "judge":
        judge(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 64)
