"""Time and memory of a bundle and of its check, for a run of long completions.

    python -m studies.evidence FOLDER [SAMPLES]

writes a run of tiny-aime with SAMPLES (1134, so 34,020 completions) of each problem, texts of 60,000 characters, then
bundles and verifies it, each in a process of its own.
"""

import subprocess
import sys
import time
from pathlib import Path

from papergate.acceptance import manifest_of
from papergate.acceptance.flow import judge_known
from papergate.acceptance.saving import save
from papergate.completions.store import Store
from studies.large_run import PROMISE, case_of, write

MIB = 2**20


def judge(run: Path, samples: int) -> None:
    """Write a run and its verdict."""
    case = case_of(samples)
    write(run / PROMISE, case, samples)
    with Store.open(run / PROMISE, manifest_of(case)) as store:
        found = judge_known(case, list(store), (), store.read, place=str(run), diagnosed=False)
    save(found, run / PROMISE)


def measured(name: str, *arguments: str) -> None:
    began = time.monotonic()
    code = "import resource, sys; from papergate.cli import main; from studies.size import peak_mib; "
    code += "status = main(sys.argv[1:]); "
    code += "r = resource.getrusage; own, workers = r(resource.RUSAGE_SELF), r(resource.RUSAGE_CHILDREN); "
    code += "print('peak', round(peak_mib()), 'MiB; CPU s', round(own.ru_utime + own.ru_stime, 1), "
    code += "'and of workers', round(workers.ru_utime + workers.ru_stime, 1)); sys.exit(status)"
    done = subprocess.run([sys.executable, "-c", code, name, *arguments], capture_output=True, text=True, check=False)
    print(f"{name}: {time.monotonic() - began:.1f} s, exit {done.returncode}\n{done.stdout}{done.stderr}")


def main(folder: Path, samples: int) -> None:
    run, bundle = folder / "run", folder / "run.zip"
    if not run.exists():
        judge(run, samples)
    size = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    print(f"{30 * samples} completions, {size / MIB:.0f} MiB")
    measured("bundle", str(run), "-o", str(bundle))
    measured("verify", str(bundle))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1134)
