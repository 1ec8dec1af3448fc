"""What may import what: one direction inside the library, and between the library, fixtures, tests and studies."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import papergate
from papergate.run_folder import files

ROOT = Path(papergate.__file__).parent
STAGES = (
    "printable",
    "suggest",
    "extras",
    "errors",
    "exit_codes",
    "files",
    "thoughts",
    "embedded",
    "promises",
    "run_folder",
    "words",
    "benchmarks",
    "endpoints",
    "engines",
    "completions",
    "scoring",
    "statistics",
    "diagnosis",
    "verdict",
    "performance",
    "acceptance",
    "reports",
    "evidence",
    "gate",
    "cli",
)
PROJECT = Path(__file__).parents[2]
MAY_IMPORT = {
    "papergate": {"papergate"},
    "fixtures": {"papergate", "fixtures"},
    "conftest.py": {"papergate"},
    "studies": {"papergate", "studies"},
    "tests/accuracy": {"papergate", "fixtures", "tests"},
    "tests/deployment": {"papergate", "fixtures", "tests"},
    "tests/perf": {"papergate", "fixtures", "tests"},
    "tests/servers": {"papergate", "tests"},
}
"""Of the project's own code; the tests of papergate itself may import all of it."""
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


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_each_part_of_the_project_imports_only_what_it_may(place):
    own = {"papergate", "fixtures", "tests", "studies", "conftest"}
    for path in python_files(PROJECT / place):
        found = {name.split(".")[0] for name in imported(path)} & own
        assert found <= MAY_IMPORT[place], f"{path}: {found}"


@pytest.mark.parametrize("place", ["papergate", "fixtures", "conftest.py", "studies"])
def test_nothing_outside_tests_names_a_module_of_tests(place):
    """A double that is started by its name is as much of an import."""
    for path in python_files(PROJECT / place):
        named = [text for text in literals(path) if re.fullmatch(r"tests(\.\w+)+", text)]
        assert not named, f"{path}: {named}"


def test_no_module_imports_itself_through_others():
    names = {name_of(path): path for path in MODULES}
    graph = {name: modules_imported(path, names) - {name} for name, path in names.items()}
    assert len([*TopologicalSorter(graph).static_order()]) == len(names)


def test_one_room_alone_knows_the_names_of_files_in_a_run():
    names = {value for name, value in vars(files).items() if name.endswith(("_FILE", "_FOLDER")) and name.isupper()}
    for path in MODULES:
        if path != ROOT / "run_folder" / "files.py":
            assert not names & set(literals(path)) - {"performance", "servers"}, path


def modules_imported(path, names):
    """Modules by their own names: of a package, the module that is taken out of it."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    found = {(node.module, alias.name) for node in nodes for alias in node.names}
    inside = {f"{module}.{name}" if f"{module}.{name}" in names else module for module, name in found}
    return inside & names.keys()


def python_files(place):
    return [place] if place.suffix == ".py" else sorted(place.rglob("*.py"))


def literals(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def name_of(path):
    parts = ("papergate", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_library_knows_nothing_of_pytest():
    assert [path for path in MODULES if any(name.split(".")[0] == "pytest" for name in imported(path))] == []


def test_importing_the_whole_library_imports_nothing_heavy():
    names = [".".join(("papergate", *path.relative_to(ROOT).with_suffix("").parts)) for path in MODULES]
    program = f"import sys, {', '.join(names)}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert result.stdout.strip() == "[]"


def test_every_study_names_modules_that_exist():
    """A study is run by hand, so that a module which moved would be missed: in an import, or after ``-m``."""
    studies = sorted((PROJECT / "studies").rglob("*.py"))
    named = {
        name
        for path in studies
        for name in [*imported(path), *re.findall(r'"-m", "([\w.]+)"', path.read_text())]
        if name.split(".")[0] in {"papergate", "studies", "benchmarks", "tests"}
    }
    assert len(named) > 20
    places = (PROJECT.joinpath(*name.split(".")) for name in named)
    assert [str(place) for place in places if not (place.is_dir() or place.with_suffix(".py").is_file())] == []
