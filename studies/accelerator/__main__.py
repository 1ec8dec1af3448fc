"""What this machine's accelerator does with papergate, in at most eight minutes: `make accelerator`.

    python -m studies.accelerator [--steps limits drift ..] [--output report]

Each step is a process of its own with a time limit, so none can take another down. What did not run is listed with its
reason. Results: `accelerator.json` and `accelerator.md` in the output folder. Without an accelerator the same steps
run on the CPU, with models of two layers and few tokens: that tries the script and says nothing of a device.
"""

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from studies.accelerator.table import table

ROOT = Path(__file__).parents[2]
STEPS: dict[str, tuple[str, tuple[str, ...], float]] = {
    "limits": ("limits", (), 60),
    "drift": ("drift", (), 90),
    "speed-14b": ("speed", ("R1-Distill-Qwen-14B",), 150),
    "speed-1.5b": ("speed", ("R1-Distill-Qwen-1.5B",), 75),
    "promises-bfloat16": ("promises", ("bfloat16",), 75),
    "promises-float32": ("promises", ("float32",), 75),
    "memory": ("memory", (), 110),
}
"""Module, its arguments, and the most seconds that it gets."""
ALL_S = 480.0
"""A step that comes later than this allows gets what is left."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", nargs="*", choices=STEPS, default=list(STEPS), help="default: all")
    parser.add_argument("--output", type=Path, default=Path("report"), help="folder of the results")
    parser.add_argument("--patience", type=float, default=1.0, help="factor on every time limit, for slow machines")
    parser.add_argument("--one", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        module, given, _ = STEPS[arguments.one]
        json.dump(importlib.import_module(f"studies.accelerator.{module}").measure(*given), sys.stdout)
        return 0
    arguments.output.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, object]] = {}
    started = time.perf_counter()
    for name in arguments.steps:
        left = arguments.patience * ALL_S - (time.perf_counter() - started)
        results[name] = run(name, min(arguments.patience * STEPS[name][2], left))
        write(arguments.output, results)
    print(table(results))
    return 0 if all("result" in each for each in results.values()) else 1


def run(name: str, limit_s: float) -> dict[str, object]:
    """The result of a step, or why there is none; and its seconds."""
    print(f"{name}: at most {limit_s:.0f} s", file=sys.stderr, flush=True)
    if limit_s <= 0:
        return {"not_run": "no time left"}
    command = [sys.executable, "-m", "studies.accelerator", "--one", name]
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as step:
        try:
            stdout, stderr = step.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(step.pid, signal.SIGKILL)  # with what it started itself
            return {"not_run": f"stopped after {limit_s:.0f} s", "stderr": step.communicate()[1].splitlines()[-15:]}
    found: dict[str, object] = {"seconds": round(time.perf_counter() - started, 1)}
    if step.returncode:
        return found | {"not_run": f"exit status {step.returncode}", "stderr": stderr.splitlines()[-15:]}
    return found | {"result": json.loads(stdout.splitlines()[-1])}


def write(folder: Path, results: dict[str, dict[str, object]]) -> None:
    """After each step, so that what was measured outlives what comes after."""
    (folder / "accelerator.json").write_text(json.dumps(results, indent=1))
    (folder / "accelerator.md").write_text(table(results))


if __name__ == "__main__":
    sys.exit(main())
