"""The library keeps one direction of imports, knows nothing of pytest, and imports nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import papergate

ROOT = Path(papergate.__file__).parent
STAGES = (
    "printable",
    "errors",
    "files",
    "embedded",
    "promises",
    "run_folder",
    "words",
    "benchmarks",
    "endpoints",
    "engines",
    "completions",
    "scoring",
    "diagnosis",
    "statistics",
    "verdict",
    "performance",
    "acceptance",
    "reports",
    "gate",
    "cli",
)
HEAVY = ("torch", "transformers", "vllm", "sympy", "math_verify", "numpy", "rich", "jinja2")
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__main__.py" and path.parent != ROOT / "embedded")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def stage_of(path):
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_stage_imports_only_from_stages_before_it(path):
    if path == ROOT / "__init__.py":
        pytest.skip("the package itself belongs to no stage")
    own = STAGES.index(stage_of(path))
    stages = [name.split(".")[1] for name in imported(path) if name.startswith("papergate.")]
    assert all(STAGES.index(stage) <= own for stage in stages), stages


def test_the_library_knows_nothing_of_pytest():
    assert [path for path in MODULES if any(name.split(".")[0] == "pytest" for name in imported(path))] == []


def test_importing_the_whole_library_imports_nothing_heavy():
    names = [".".join(("papergate", *path.relative_to(ROOT).with_suffix("").parts)) for path in MODULES]
    program = f"import sys, {', '.join(names)}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert result.stdout.strip() == "[]"
