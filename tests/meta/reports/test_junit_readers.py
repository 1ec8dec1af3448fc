"""A gate's JUnit report, read as CI systems read it: held against Jenkins' schema, by three parsers and a viewer.

`make test-junit` installs what these tests need and names its folder; without it they are skipped.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.meta.gate.test_suite import Session
from tests.meta.tiny_runs import TINY, completions_of, like_the_paper, write_predictions

TOOLS = os.environ.get("PAPERGATE_JUNIT_TOOLS")
pytestmark = pytest.mark.skipif(not TOOLS, reason="make test-junit installs the schema, parsers and the viewer")
ENDS = {
    "pass": (like_the_paper, 64),
    "fail": (lambda *_: False, 4),
    "inconclusive": (like_the_paper, 1),
    "error": None,
}
TAGS = {"pass": [], "fail": ["failure"], "inconclusive": ["failure"], "error": ["error"] * 4}
EXTENSIONS = {"file", "line", "properties"}
"""Of a test case, beyond the schema: pytest writes them, readers take them or leave them."""


@pytest.fixture(scope="module", params=ENDS)
def report(request, tmp_path_factory):
    """How the session ended, and its report."""
    folder = tmp_path_factory.mktemp(request.param)
    drawn = ENDS[request.param]
    if drawn is None:
        Session(folder, "tests/accuracy", "-m", "a100")
    else:
        log = write_predictions(folder / "log.jsonl", completions_of(*drawn))
        Session(folder, "tests/accuracy", "-k", TINY.id, "--predictions", log)
    return request.param, folder / "junit.xml"


def cases_of(promises):
    return 4 if promises == "error" else 1


def test_it_is_valid_against_the_schema_of_jenkins(report):
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(Path(TOOLS, "junit-10.xsd")))
    tree = etree.parse(report[1])
    for case in tree.iter("testcase"):
        assert set(case.attrib) - {"classname", "name", "time"} <= EXTENSIONS
        for name in EXTENSIONS & set(case.attrib):
            del case.attrib[name]
        for properties in case.findall("properties"):
            case.remove(properties)
    assert schema.validate(tree), schema.error_log


def test_junitparser_reads_verdicts_and_properties(report):
    xunit2 = pytest.importorskip("junitparser.xunit2")
    end, path = report
    (suite,) = xunit2.JUnitXml.fromfile(str(path))
    cases = list(suite)
    assert len(cases) == cases_of(end)
    assert [type(result).__name__.lower() for case in cases for result in case.result] == TAGS[end]
    for case in cases:
        assert next(each.value for each in case.properties() if each.name == "verdict") == end
    roots = [each.value for each in suite.properties() if each.name == "evidence_sha256"]
    assert len(roots) == (end != "error")


def test_xunitparser_reads_how_each_test_ended(report):
    xunitparser = pytest.importorskip("xunitparser")
    end, path = report
    with path.open() as file:
        suite, result = xunitparser.parse(file)
    assert len(list(suite)) == cases_of(end)
    assert [len(result.failures), len(result.errors)] == [TAGS[end].count("failure"), TAGS[end].count("error")]


def test_junit2json_reads_the_counts(report):
    tool = Path(TOOLS, "node_modules/.bin/junit2json")
    if not tool.exists():
        pytest.skip("junit2json is not installed: npm is missing")
    end, path = report
    read = json.loads(subprocess.run([tool, path], capture_output=True, text=True, check=True).stdout)
    (suite,) = read["testsuite"]
    assert (suite["tests"], suite["failures"], suite["errors"]) == (
        cases_of(end),
        TAGS[end].count("failure"),
        TAGS[end].count("error"),
    )


def test_a_viewer_shows_it(report, tmp_path):
    tool = Path(TOOLS, "node_modules/.bin/xunit-viewer")
    if not tool.exists():
        pytest.skip("xunit-viewer is not installed: npm is missing")
    end, path = report
    command = [tool, "-r", path, "-o", tmp_path / "index.html", "-c", "-n"]
    # it exits with 1 where a test failed
    shown = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert shown.stdout.count("test_score_is_reproduced[") == cases_of(end), shown.stderr
    assert (tmp_path / "index.html").stat().st_size
