"""What a bundle holds, that it is the same every time, and what cannot be bundled."""

import json
import os
import subprocess
import zipfile

import pytest

from papergate.cli import main
from papergate.evidence.bundle import write_bundle
from papergate.run_folder import files
from papergate.run_folder.files import COMPLETIONS_FILE, EVIDENCE, PAGE_FILE, SPEED_FOLDER, VERDICT_FILE, evidence_files
from papergate.run_folder.sums import root_of, sums_of
from tests.meta.evidence.runs import bundled, finished_run, junit_of
from tests.meta.tiny_runs import TINY

NO_EVIDENCE = {
    "writer.lock",
    "questions.jsonl",
    "golden-answers.json",
    "report.html",
    "against-concurrency.json",
    ".room",
}
"""Locks, texts under a licence, inputs, and what only shows what other files hold."""


@pytest.fixture
def run(tmp_path):
    finished_run(tmp_path / "run")
    return tmp_path / "run"


def test_two_bundles_of_a_run_are_equal_byte_for_byte(run, tmp_path):
    write_bundle(run, tmp_path / "a.zip")
    for path in run.rglob("*"):
        os.utime(path, (1, 1))
    write_bundle(run, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_it_holds_every_file_of_evidence_as_it_is_and_nothing_else(run, tmp_path):
    (run / PAGE_FILE).write_text("a page")
    (run / "performance").mkdir()
    (run / "performance" / "online.json").write_text("{}")
    write_bundle(run, tmp_path / "a.zip")
    names = [path.relative_to(run).as_posix() for path in evidence_files(run)]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["bundle.json", "SHA256SUMS", *names]
        assert all(archive.read(name) == (run / name).read_bytes() for name in names)
        assert archive.testzip() is None
    assert {f"{TINY.id}/{COMPLETIONS_FILE}", "performance/online.json"} < set(names)
    assert not {name for name in names if name.endswith((".html", ".lock"))}


def test_every_file_of_a_run_is_evidence_or_known_to_be_none():
    named = {value for name, value in vars(files).items() if name.endswith("_FILE") and name.isupper()}
    assert named - {*EVIDENCE} == NO_EVIDENCE, "say in EVIDENCE whether a bundle takes the new file along"


def test_common_tools_check_the_sums_and_the_root(run, tmp_path, capsys):
    assert main(["bundle", str(run), "-o", str(tmp_path / "a.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "open")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "open", check=True)
    root = subprocess.run(["sha256sum", "SHA256SUMS"], cwd=tmp_path / "open", check=True, capture_output=True)
    assert root.stdout.decode().split()[0] == root_of(sums_of(run))
    assert f"root: {root_of(sums_of(run))}" in capsys.readouterr().out


def test_a_file_that_changes_gives_another_root(run):
    before = root_of(sums_of(run))
    for name in {name for name in EVIDENCE if (run / TINY.id / name).exists()}:
        path = run / TINY.id / name
        data = path.read_bytes()
        path.write_bytes(data + b"\n")
        assert root_of(sums_of(run)) != before, name
        path.write_bytes(data)
    assert root_of(sums_of(run)) == before


def test_no_text_of_a_problem_is_in_it_but_what_completions_say(run, tmp_path):
    from tests.meta.tiny_runs import BENCHMARK

    write_bundle(run, tmp_path / "a.zip")
    data = (tmp_path / "a.zip").read_bytes()
    assert not [problem.id for problem in BENCHMARK.problems if problem.text.encode() in data]


def test_the_promise_and_its_benchmark_go_along(run):
    kept = json.loads((run / TINY.id / "promise.json").read_text())
    assert kept["promise"]["tolerance"] == TINY.tolerance.text
    assert kept["benchmark"]["name"] == "tiny-aime"


def _gone(name):
    return lambda run: (run / TINY.id / name).unlink()


def _edited(name, was, now):
    def edit(run):
        path = run / TINY.id / name
        text = path.read_text()
        assert was in text
        path.write_text(text.replace(was, now, 1))

    return edit


def _with_speed(name):
    def put(run):
        (run / SPEED_FOLDER).mkdir()
        (run / SPEED_FOLDER / name).write_text("{}")

    return put


REFUSED = {
    "no verdict": (_gone(VERDICT_FILE), "holds no verdict"),
    "no promise": (_gone("promise.json"), "runs judge"),
    "the name of another promise": (lambda run: (run / TINY.id).rename(run / "other"), "was renamed or copied"),
    "an odd name": (_with_speed("a b.json"), "cannot be in a bundle"),
    "a stored text that was edited": (_edited(COMPLETIONS_FILE, "boxed", "bxoed"), "runs check"),
    "a verdict that was edited": (_edited(VERDICT_FILE, '"inconclusive"', '"pass"'), "changed after the verdict"),
    "no run": (lambda run: run.rename(run.with_name("elsewhere")), "holds no verdict"),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED)
def test_a_run_that_cannot_be_bundled_is_refused_and_leaves_nothing(change, said, run, tmp_path, capsys):
    change(run)
    assert main(["bundle", str(run), "-o", str(tmp_path / "a.zip")]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("*.zip*"))


def test_a_report_that_is_not_there_is_refused(run, tmp_path, capsys):
    arguments = ["bundle", str(run), "-o", str(tmp_path / "a.zip"), "--junit", str(tmp_path / "none.xml")]
    assert main(arguments) == 2
    assert "--junit FILE" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["nowhere/a.zip", "run"])
def test_a_target_that_cannot_be_written_is_refused(run, tmp_path, capsys, target):
    assert main(["bundle", str(run), "-o", str(tmp_path / target)]) == 2
    assert "-o FILE.zip" in capsys.readouterr().err


def test_a_run_that_goes_on_while_it_is_bundled_is_refused(run, tmp_path, monkeypatch, capsys):
    seen = sums_of(run)
    with (run / TINY.id / COMPLETIONS_FILE).open("ab") as file:
        file.write(b"\n")
    monkeypatch.setattr("papergate.evidence.bundle.sums_of", lambda _: seen)
    assert main(["bundle", str(run), "-o", str(tmp_path / "a.zip")]) == 2
    assert "changed while it was bundled" in capsys.readouterr().err


def test_a_report_in_the_bundle_quotes_its_root(tmp_path):
    with zipfile.ZipFile(bundled(tmp_path)) as archive:
        assert archive.read("junit.xml").decode() == junit_of(tmp_path / "run")
