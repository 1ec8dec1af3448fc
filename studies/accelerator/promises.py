"""The embedded model on this machine's device through the `huggingface` engine, and whether it keeps its promises."""

import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from papergate.engines import hardware
from studies.accelerator.shapes import device

ROOT = Path(__file__).parents[2]
TARGET = """
name = "accelerator"
title = "{title}"
hardware = {{ probe = "any", title = "{title}" }}
"""
DEPLOYMENT = """
[[deployments]]
name = "huggingface-papergate-tiny-{dtype}"
engine = "huggingface"
model = "papergate-tiny"
dtype = "{dtype}"
sampling = {{ temperature = 0.6, top_p = 0.95, max_tokens = 256 }}
source = "the promises of the cpu target, on another device"

[[deployments.promises]]
benchmark = "tiny-aime"
tolerance = "1 problem"
score = {{ paper = "papergate-tiny", model = "papergate-tiny" }}

[[deployments.promises]]
benchmark = "tiny-math"
tolerance = "0.5 points"
score = {{ paper = "papergate-tiny", model = "papergate-tiny" }}
"""


def measure(dtype: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "accelerator.toml").write_text(TARGET.format(title=title()) + DEPLOYMENT.format(dtype=dtype))
        junit = folder / "junit.xml"
        command = [sys.executable, "-m", "pytest", "tests/accuracy", "-m", "accelerator", "--targets", str(folder)]
        command += ["--run-seed", "1", "--run", str(folder / "run"), f"--junitxml={junit}", "-p", "no:cacheprovider"]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        took = time.perf_counter() - started
        if not junit.exists():
            raise RuntimeError(f"pytest wrote no report: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return {
            "seconds": took,
            "exit_status": done.returncode,
            "promises": verdicts(junit),
            "summary": summary(done.stdout),
        }


def title() -> str:
    names = [each.name for probe in hardware.PROBES for each in hardware.look(probe).devices]
    return names[0] if names and device().type != "cpu" else "CPU"


def verdicts(junit: Path) -> list[dict[str, object]]:
    return [
        {
            "test": case.get("name"),
            "seconds": float(case.get("time", "nan")),
            "verdict": next((child.tag for child in case if child.tag in {"failure", "error", "skipped"}), "passed"),
            "properties": {each.get("name"): each.get("value") for each in case.iter("property")},
        }
        for case in ET.parse(junit).getroot().iter("testcase")
    ]


def summary(output: str) -> list[str]:
    """The table of verdicts as the user sees it."""
    return [line for line in output.splitlines() if line.startswith(("pass", "fail", "inconclusive", "E "))]
