"""``-n``: several promises at once, with the results, reports and error rates of one session."""

import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from papergate.exit_codes import ExitCode
from papergate.run_folder.files import COMPLETIONS_FILE, GRADES_FILE
from papergate.run_folder.verdict import read_verdicts
from tests.meta.gate.test_suite import NO_ENGINE, ROOT, Session
from tests.meta.processes import LIMIT_S, started, wait_until

PROMISES = [f"cpu-huggingface-papergate-tiny-{name}" for name in ("tiny-aime", "tiny-math")]
ARGUMENTS = ["tests/accuracy", "-m", "cpu", "--samples", "2", "--limit", "10", "--holm"]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """The same session with one process and with two workers."""
    folders = [tmp_path_factory.mktemp(name) for name in ("serial", "workers")]
    serial = Session(folders[0], *ARGUMENTS, with_model=True)
    return [serial, Session(folders[1], *ARGUMENTS, "-n", "2")]


def grades(session):
    files = ((session.folder / "run" / promise / GRADES_FILE).read_text() for promise in PROMISES)
    rows = [json.loads(line) for file in files for line in file.splitlines()]
    return sorted((row["problem"], row["sample"], row["outcome"], row["extracted"], row["rule"]) for row in rows)


def texts(session):
    rows = (
        json.loads(line)
        for promise in PROMISES
        for line in (session.folder / "run" / promise / COMPLETIONS_FILE).read_text().split("\n")
        if line
    )
    return sorted((row["problem"], row["sample"], row["seed"], row["text"]) for row in rows)


@NO_ENGINE
def test_two_workers_have_the_results_of_one_process(sessions):
    serial, workers = sessions
    assert workers.exit == serial.exit, workers.text
    assert texts(workers) == texts(serial)
    assert grades(workers) == grades(serial)
    ours, theirs = (read_verdicts(one.folder / "run").records for one in (workers, serial))
    assert [record.judgement for record in ours] == [record.judgement for record in theirs]
    assert [record.sentence for record in ours] == [record.sentence for record in theirs]
    assert [record.times.concurrency * 2 for record in ours] == [record.times.concurrency for record in theirs]


@NO_ENGINE
def test_the_reports_of_two_workers_say_what_those_of_one_process_say(sessions):
    serial, workers = sessions
    said = [one.text.partition("papergate verdicts")[2].partition("report:")[0] for one in (serial, workers)]
    assert said[0] == said[1]
    assert sorted(workers.outcomes()) == sorted(serial.outcomes())
    names = [{item.get("name") for item in suite_properties(one)} for one in (serial, workers)]
    assert names[0] == names[1]
    assert {"papergate", "exit_code"} <= names[0]


@NO_ENGINE
def test_workers_of_xdist_share_one_run_and_one_table(sessions):
    _, session = sessions
    assert session.outcomes() == ["failure", "failure"], session.text
    assert {path.name for path in (session.folder / "run").iterdir() if path.is_dir()} == {*PROMISES, "transcripts"}
    table = session.text.partition("papergate verdicts")[2]
    assert table.count("10 x 2") == 2


@NO_ENGINE
def test_progress_is_seen_while_a_run_lasts_and_names_its_promise(sessions):
    for session in sessions:
        for promise in PROMISES:
            assert f"papergate: {promise}: asking 20 of 20 samples" in session.done.stderr, session.text


def suite_properties(session):
    return ET.parse(session.folder / "junit.xml").getroot().findall(".//testsuite/properties/property")


@NO_ENGINE
def test_the_promise_of_a_killed_worker_is_an_error_that_resumes(tmp_path):
    run, report = tmp_path / "run", tmp_path / "junit.xml"
    store = run / PROMISES[0] / COMPLETIONS_FILE
    arguments = ["tests/accuracy", "-m", "cpu", "-k", "tiny-aime", "--samples", "4", f"--run={run}"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments, "-n", "1"]
    with started(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        wait_until(lambda: store.exists() and store.stat().st_size, "the first stored completion")
        for child in children(process.pid):
            os.kill(child, signal.SIGKILL)
        text, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == ExitCode.ERROR, text
    (case,) = ET.parse(report).getroot().iter("testcase")
    assert case.find("error") is not None
    assert {"promise": PROMISES[0], "verdict": "error"}.items() <= {
        item.get("name"): item.get("value") for item in case.iter("property")
    }.items()
    assert "was killed or crashed; what came is kept" in text.partition("papergate verdicts")[2]
    kept = sum(bool(line) for line in store.read_bytes().split(b"\n"))
    resumed = Session(tmp_path, *arguments[:-1], "-v", with_model=True)
    assert int(re.search(r"(\d+) stored before", resumed.text)[1]) >= kept - 1  # the last line may be cut
    assert read_verdicts(run).records[0].counts.samples == (4,) * 30


def children(pid):
    """The processes that ``pid`` started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
