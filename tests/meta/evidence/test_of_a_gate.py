"""A gate's own run: JUnit and terminal quote the root, and its bundle is verified against them."""

import re
import shutil
from xml.etree import ElementTree as ET

import pytest

from papergate.cli import main
from papergate.evidence.records import Result
from papergate.run_folder.history import remember_verdict
from papergate.run_folder.sums import root_of, sums_of
from tests.meta.gate.test_suite import Session
from tests.meta.tiny_runs import TINY, completions_of, like_the_paper, write_predictions


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    log = write_predictions(folder / "log.jsonl", completions_of(like_the_paper, 16))
    return Session(folder, "tests/accuracy", "-k", TINY.id, "--predictions", log)


def quoted(session):
    tree = ET.parse(session.folder / "junit.xml")
    return [each.get("value") for each in tree.iterfind("testsuite/properties/property[@name='evidence_sha256']")]


def test_report_and_terminal_quote_the_root_of_the_run(session):
    root = root_of(sums_of(session.folder / "run"))
    assert quoted(session) == [root], session.text
    assert f"evidence: {root}" in session.text
    assert "papergate bundle " in session.text


def test_the_bundle_of_a_judged_log_is_verified_against_the_report(session, tmp_path, capsys):
    bundle, report = tmp_path / "a.zip", session.folder / "junit.xml"
    assert main(["bundle", str(session.folder / "run"), "-o", str(bundle), "--junit", str(report)]) == 0
    assert main(["verify", str(bundle), "--junit", str(report)]) == Result.VERIFIED
    said = capsys.readouterr().out
    assert re.search(r"the same 480 grades and 1 verdict ", said), said


def test_a_run_that_was_judged_again_is_not_the_one_that_was_reported(session, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(session.folder / "run", run)
    with (run / TINY.id / "verdict.json").open("ab") as file:
        file.write(b"\n")
    remember_verdict(run / TINY.id)
    bundle = tmp_path / "a.zip"
    assert main(["bundle", str(run), "-o", str(bundle)]) == 0
    assert main(["verify", str(bundle), "--junit", str(session.folder / "junit.xml")]) == Result.ALTERED
    assert "it went on afterwards" in capsys.readouterr().err
