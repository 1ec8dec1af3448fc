"""The suite as a user runs it: what is demanded is tested or is an error, and the reports say the same."""

import json
import os
import re
import signal
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path

import pytest

from papergate.exit_codes import ExitCode
from tests.meta.engines.test_remote import certificate
from tests.meta.processes import forked, forking, wait_until
from tests.meta.shared import shared
from tests.meta.tiny_runs import (
    BENCHMARK,
    completions_of,
    like_the_paper,
    write_lm_eval,
    write_predictions,
    write_target,
)
from tests.servers.faulty_server import MODEL, FaultyServer

ROOT = Path(__file__).parents[3]
TEST = "tests/accuracy/test_paper_scores.py::test_score_is_reproduced"
NO_ENGINE = pytest.mark.skipif(not find_spec("transformers"), reason="needs the extra hf")


class Session:
    """One run of pytest in a process of its own, with its JUnit report read."""

    def __init__(self, folder, *arguments, with_model=False):
        self.folder = folder
        report = folder / "junit.xml"
        files = [f"--junitxml={report}", f"--run={folder / 'run'}"]
        self.done = forked("pytest", "-p", "no:cacheprovider", *files, *arguments, with_model=with_model)
        self.text = self.done.stdout + self.done.stderr
        self.exit = self.done.returncode
        self.cases = list(ET.parse(report).getroot().iter("testcase")) if report.exists() else []

    def outcomes(self):
        return [next((child.tag for child in case if child.tag != "properties"), "passed") for case in self.cases]

    def properties(self, case=0):
        return {item.get("name"): item.get("value") for item in self.cases[case].iter("property")}


@pytest.mark.parametrize(("marker", "promises"), [("a100", 4), ("ascend", 2), ("h200", 4), ("vastai", 4)])
def test_a_marker_demands_its_hardware(tmp_path, marker, promises):
    session = Session(tmp_path, "tests/accuracy", "-m", marker)
    assert session.exit == ExitCode.ERROR, session.text
    assert session.outcomes() == ["error"] * promises
    assert f"{marker} demands" in session.text
    assert f"pytest -m {marker} --endpoint http://HOST:PORT" in session.text
    assert session.properties()["verdict"] == "error"


def test_plain_collection_leaves_out_what_is_not_here_openly(tmp_path):
    session = Session(tmp_path, "tests/accuracy", "--collect-only", "-q")
    assert session.exit == 0
    assert "not tested here: 4 promises, a100: one NVIDIA A100-SXM4-80GB is not here" in session.text
    assert "[a100-" not in session.text


def test_an_endpoint_that_refuses_connections_is_an_error_before_anything_is_asked(tmp_path):
    data = f"--data=math500={shared('datasets/math_500.jsonl')}"
    session = Session(
        tmp_path, "tests/accuracy", "-m", "ascend", "-k", "math500", "--endpoint", "http://127.0.0.1:9", data
    )
    assert (session.exit, session.outcomes()) == (ExitCode.ERROR, ["error"])
    assert "127.0.0.1:9" in session.text
    assert "Traceback" not in session.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--endpoint=http://h:1", "--predictions=x"], "give one of them"),
        (["--run=README.md"], "--run README.md: README.md is a file; give the folder of a run"),
        (["--run=README.md/a/b"], "--run README.md/a/b: README.md is a file; give the folder of a run"),
        (["--ca-file=/nowhere.pem"], "--ca-file /nowhere.pem: no such file"),
        (["--samples=0"], "--samples 0: give a whole number of at least 1"),
        (["--data=math500"], "--data math500: write BENCHMARK=FILE"),
        (["--budget-tokens=0"], "--budget-tokens 0: give a number above 0"),
        (["--budget-hours=1", "--samples=4"], "--samples has one look only"),
        (["--budget-tokens=1", "--protocol=vendor"], "--protocol vendor has one look only"),
        (["--holm", "--protocol=vendor"], "the literal rule alone decides"),
        (["--samples=4", "--max-samples=8"], "--samples fixes the number that --max-samples bounds: give one of them"),
        (["--golden=/nowhere"], "--golden /nowhere: no such folder"),
        (["--endpoint=10.0.0.5:8081", "-m", "a100"], "endpoint '10.0.0.5:8081' is no address; write it like http://"),
        (["--data=math5000=x"], "no such benchmark; known: aime2024"),
        (["--targets=/nowhere"], "/nowhere: not a folder"),
        (["--predictions=/nowhere.jsonl", "-m", "replay"], "/nowhere.jsonl: no such file"),
    ],
)
def test_an_option_that_cannot_mean_anything_is_refused(tmp_path, arguments, said):
    session = Session(tmp_path, "tests/accuracy", *arguments)
    assert session.exit == pytest.ExitCode.USAGE_ERROR
    assert said in session.text
    assert "Traceback" not in session.text


def test_a_wrong_target_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "mine.toml").write_text('name = "mine"\ntitel = "x"\n')
    session = Session(tmp_path, "tests/accuracy", "--targets", tmp_path)
    assert session.exit == pytest.ExitCode.USAGE_ERROR
    assert "titel: Extra inputs are not permitted" in session.text
    assert "deployments: Field required" in session.text


def test_an_empty_file_of_predictions_is_refused(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    session = Session(tmp_path, "tests/accuracy", "-m", "replay", "--predictions", tmp_path / "empty.jsonl")
    assert session.exit == pytest.ExitCode.USAGE_ERROR
    assert "no completions in it" in session.text


def test_replay_without_a_file_is_an_error_with_the_remedy(tmp_path):
    session = Session(tmp_path, "tests/accuracy", "-m", "replay", "-k", "llama-8b-math500")
    assert (session.exit, session.outcomes()) == (ExitCode.ERROR, ["error"])
    assert "--predictions FILE" in session.text


@pytest.mark.parametrize(("run", "score"), [("self_ct1", 1176), ("self_opt", 1115)])
def test_real_transcripts_are_graded_and_a_part_of_a_benchmark_cannot_pass(tmp_path, run, score):
    transcripts = shared(f"transcripts/r1distill_llama8b__math500_100x16__{run}.jsonl.gz")
    data = f"--data=math500={shared('datasets/math_500.jsonl')}"
    session = Session(tmp_path, "tests/accuracy", "-m", "replay", "--predictions", transcripts, data)
    assert (session.exit, session.outcomes()) == (ExitCode.UNDECIDED, ["failure"])
    found = session.properties()
    assert found["verdict"] == "inconclusive"
    assert "partial run, 100 of 500 problems" in found["sentence"]
    assert int(found["samples_correct"]) == score
    assert found["benchmark_variant"] == "official (openai/prm800k math_splits/test)"


def test_predictions_of_an_unknown_model_are_refused_with_both_remedies(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"id": "x", "response": "y", "model": "GPT-9"}\n')
    session = Session(tmp_path, "tests/accuracy", "-m", "replay", "--predictions", tmp_path / "p.jsonl")
    assert session.exit == pytest.ExitCode.USAGE_ERROR
    assert "belong to no selected promise" in session.text
    assert "papergate grade FILE" in session.text


def replayed(folder, completions, *arguments):
    """A session that judges stored completions of the embedded model's promise."""
    folder.mkdir(exist_ok=True)
    file = write_predictions(folder / "predictions.jsonl", completions)
    return Session(folder, "tests/accuracy", "-m", "cpu", "--predictions", file, *arguments)


@pytest.mark.parametrize(
    ("right", "k", "verdict"),
    [
        (like_the_paper, 64, "pass"),
        (like_the_paper, 1, "inconclusive"),
        (lambda *_: True, 4, "fail"),
        (lambda *_: False, 4, "fail"),
    ],
    ids=["like the paper", "one sample", "all correct", "none correct"],
)
def test_every_result_has_its_verdict_in_the_report(tmp_path, right, k, verdict):
    session = replayed(tmp_path, completions_of(right, k))
    found = session.properties()
    assert (found["verdict"], found["n"], found["k"], found["errors"]) == (verdict, "30", str(k), "0")
    kept = verdict == "pass" or (verdict == "fail" and "points high" in found["sentence"])
    assert session.outcomes() == ["passed" if kept else "failure"], session.text
    assert "the paper's own error is" in session.text


def test_the_log_of_another_harness_is_judged_under_the_benchmarks_ids(tmp_path):
    def one_failed(place, sample):
        return None if (place, sample) == (29, 63) else like_the_paper(place, sample)

    log, data = write_lm_eval(tmp_path / "log", completions_of(one_failed, 64))
    session = Session(tmp_path, "tests/accuracy", "-m", "cpu", "--predictions", log, f"--data=tiny-aime={data}")
    found = session.properties()
    assert (found["verdict"], found["n"], found["k"], found["errors"]) == ("pass", "30", "64", "1"), session.text
    assert session.outcomes() == ["passed"]


def test_the_log_of_another_harness_in_another_order_is_an_error(tmp_path):
    log, data = write_lm_eval(tmp_path / "log", completions_of(like_the_paper, 2), BENCHMARK.problems[::-1])
    session = Session(tmp_path, "tests/accuracy", "-m", "cpu", "--predictions", log, f"--data=tiny-aime={data}")
    assert session.outcomes() == ["error"], session.text
    assert "gold answers differ from the benchmark's" in session.text


def test_problems_with_fewer_samples_count_what_is_missing_as_not_correct(tmp_path):
    completions = completions_of(lambda *_: True, 4)[:-3]
    found = replayed(tmp_path, completions).properties()
    assert (found["k"], found["errors"], found["samples_missing"]) == ("4", "3", "3")
    assert float(found["score_percent"]) == pytest.approx(100 * 117 / 120, abs=1e-3)


def test_a_golden_run_is_the_reference_and_what_moved_is_told(tmp_path):
    def one_collapsed(place, sample):
        return place != 3 and like_the_paper(place, sample)

    golden = replayed(tmp_path / "golden", completions_of(like_the_paper, 16)).folder / "run"
    session = replayed(tmp_path / "run", completions_of(one_collapsed, 16), "--golden", golden)
    found = session.properties()
    assert (found["reference"], found["golden_moved"]) == ("golden", "1")
    assert f"note: problems that moved against the golden run beyond chance: {BENCHMARK.problems[3].id}" in session.text
    assert "problem that moved" in (tmp_path / "run" / "run" / "report.html").read_text()


def test_a_golden_run_of_another_benchmark_is_refused_before_anything_starts(tmp_path):
    golden = replayed(tmp_path / "golden", completions_of(like_the_paper, 2)).folder / "run"
    session = Session(tmp_path, "tests/accuracy", "-m", "cpu", "-k", "tiny-math", "--golden", golden)
    assert session.outcomes() == ["error"]
    assert "a golden run must hold one verdict on tiny-math; it holds none" in session.text


def test_a_tolerance_of_zero_is_an_error_with_the_remedy(tmp_path):
    write_target(tmp_path, percent=74.0, tolerance="0 problems")
    file = write_predictions(tmp_path / "predictions.jsonl", completions_of(like_the_paper, 2))
    session = Session(tmp_path, "tests/accuracy", "-m", "mine", "--targets", tmp_path, "--predictions", file)
    assert session.outcomes() == ["error"], session.text
    assert "give a delta above 0" in session.text


@NO_ENGINE
def test_a_budget_of_tokens_leaves_the_verdict_open_and_says_so(tmp_path):
    arguments = ["tests/accuracy", "-m", "cpu", "-k", "tiny-aime", "--budget-tokens", "3300", "--holm"]
    session = Session(tmp_path, *arguments, with_model=True)
    assert session.outcomes() == ["failure"], session.text
    assert session.properties()["verdict"] == "inconclusive"
    assert "stopped by --budget-tokens 3300" in session.properties()["sentence"]


@NO_ENGINE
def test_a_partial_run_of_the_embedded_model_is_marked_and_cannot_pass(tmp_path):
    arguments = ["tests/accuracy", "-m", "cpu", "--limit", "4", "--samples", "2", "--holm"]
    session = Session(tmp_path, *arguments, with_model=True)
    assert (session.exit, session.outcomes()) == (ExitCode.UNDECIDED, ["failure", "failure"])
    assert session.text.count("partial run, 4 of 30 problems, which cannot pass") >= 1
    assert session.text.count("among the promises of its session this one fails at p = 0.025 (Holm)") == 2
    assert "2 promises, and each fails" not in session.text  # nothing failed
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Promises: 2. 2 undecided." in page
    assert "partial run" in page


@NO_ENGINE
@pytest.mark.parametrize(
    ("spoil", "said"),
    [("model.safetensors", "lacks the weights"), ("tokenizer.json", "lacks the tokenizer"), (None, "no such folder")],
)
def test_a_broken_model_folder_is_an_error_that_names_what_is_missing(tmp_path, spoil, said):
    from papergate.embedded import MODEL_DIR

    copy = tmp_path / "model"
    if spoil:
        copy.mkdir()
        for file in MODEL_DIR.iterdir():
            if file.name != spoil:
                (copy / file.name).write_bytes(file.read_bytes())
    session = Session(tmp_path, "tests/accuracy", "-m", "cpu", "-k", "tiny-aime", "--model", copy)
    assert (session.exit, session.outcomes()) == (ExitCode.ERROR, ["error"])
    assert said in session.text


@NO_ENGINE
def test_a_killed_run_resumes_to_the_verdict_of_an_undisturbed_one(tmp_path):
    arguments = ["tests/accuracy", "-m", "cpu", "-k", "tiny-aime", "--samples", "4"]
    halted = tmp_path / "halted"
    for folder in (tmp_path / "whole", halted):
        folder.mkdir()
    whole = Session(tmp_path / "whole", *arguments, with_model=True)
    store = halted / "run" / "cpu-huggingface-papergate-tiny-tiny-aime" / "completions.jsonl"
    with forking("pytest", "-p", "no:cacheprovider", f"--run={halted / 'run'}", *arguments, with_model=True):
        wait_until(lambda: store.exists() and store.stat().st_size, "the first stored completion")
    resumed = Session(halted, *arguments, with_model=True)
    assert judgement(halted) == judgement(tmp_path / "whole")
    assert resumed.outcomes() == whole.outcomes()


@NO_ENGINE
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_session_leaves_reports_that_name_what_has_no_verdict(tmp_path, how):
    (tmp_path / "run").mkdir()
    store = tmp_path / "run" / "cpu-huggingface-papergate-tiny-tiny-aime" / "completions.jsonl"
    command = ["pytest", "-p", "no:cacheprovider", f"--run={tmp_path / 'run'}", "tests/accuracy"]
    command += ["-m", "cpu", "--samples", "64", f"--junitxml={tmp_path / 'junit.xml'}"]
    with forking(*command, with_model=True) as session:
        wait_until(lambda: store.exists() and store.stat().st_size, "the first stored completion")
        os.kill(session.pid, how)
        done = session.ended()
    text = done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.INTERRUPTED, text
    assert f"the same command with --run={tmp_path / 'run'} asks for the other" in text
    assert "0 in flight" not in text
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Promises: 2. 2 not tested: error." in page
    assert page.count("no verdict: the session ended before it") == 2
    verdicts = text.partition("papergate verdicts")[2]
    assert verdicts.count("error: no verdict: the session ended before it") == 1
    assert len(re.findall(r"^error +-", verdicts, re.MULTILINE)) == 2
    cases = list(ET.parse(tmp_path / "junit.xml").getroot().iter("testcase"))
    assert [case.find("error") is not None for case in cases] == [True, True]
    assert all(case.find(".//property[@name='verdict'][@value='error']") is not None for case in cases)


def test_a_certificate_of_another_authority_is_trusted_when_it_is_named(tmp_path):
    cert, key = certificate(tmp_path)
    with FaultyServer(certificate=(cert, key)) as server:
        arguments = ["tests/accuracy", "-m", "cpu_vllm", "-k", "tiny-aime", "--model", MODEL, "--endpoint", server.url]
        arguments += ["--limit", "1", "--samples", "1", "--no-preflight"]  # the double has habits of its own
        session = Session(tmp_path, *arguments)
        assert session.outcomes() == ["error"]
        assert "give its authority with --ca-file" in session.text
        session = Session(tmp_path, *arguments, "--ca-file", cert)
    assert session.properties()["verdict"] == "inconclusive", session.text
    assert "papergate: cpu_vllm-vllm-papergate-tiny-tiny-aime: asking 1 of 1 samples" in session.done.stderr


def judgement(folder):
    (path,) = (folder / "run").glob("*/verdict.json")
    summary = json.loads(path.read_text())
    return summary["judgement"], summary["counts"], summary["tally"]


def test_an_error_shows_a_verdict_of_an_earlier_session_as_such_and_destroys_none(tmp_path):
    replayed(tmp_path, completions_of(like_the_paper, 16))
    folder = tmp_path / "run" / "cpu-huggingface-papergate-tiny-tiny-aime"
    before = (folder / "verdict.json").read_text()
    cut_off = tmp_path / "cut.jsonl"
    cut_off.write_text("".join(json.dumps({"id": p.id, "response": "no thought"}) + "\n" for p in BENCHMARK.problems))
    session = Session(tmp_path, "tests/accuracy", "-m", "cpu", "--predictions", cut_off)
    assert session.outcomes() == ["error"]
    assert "--thoughts-stripped" in session.text
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Promises: 1. 1 not tested: error." in page
    assert "This is the verdict of an earlier session" in page
    assert (folder / "verdict.json").read_text() == before


def test_an_endpoint_that_no_selected_promise_is_about_is_refused(tmp_path):
    session = Session(tmp_path, "tests/accuracy", "-k", "aime2024", "--endpoint", "http://127.0.0.1:9")
    assert session.exit == pytest.ExitCode.USAGE_ERROR
    assert "no selected promise is about a server" in session.text


def test_a_promise_answered_in_process_is_left_out_beside_an_endpoint_with_its_reason(tmp_path):
    arguments = ["tests/accuracy", "-m", "a100", "--endpoint", "http://127.0.0.1:9", "--collect-only", "-q"]
    text = Session(tmp_path, *arguments).text
    assert "2 promises, answered in process, not by a server: leave out --endpoint to test it" in text


def test_one_promise_is_one_promise(tmp_path):
    arguments = ["tests/accuracy", "-m", "a100", "-k", "aime2024", "--endpoint", "http://127.0.0.1:9", "--collect-only"]
    assert "papergate: not tested here: 1 promise, answered in process" in Session(tmp_path, *arguments).text


def test_a_log_of_a_known_model_with_other_ids_is_told_to_name_the_file_that_was_asked(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"id": "row-7", "response": "x</think>1", "model": "papergate-tiny"}) + "\n")
    session = Session(tmp_path, "tests/accuracy", "-m", "cpu", "--predictions", log)
    assert session.exit == pytest.ExitCode.USAGE_ERROR
    assert "--data BENCHMARK=FILE, BENCHMARK one of tiny-aime, tiny-math." in session.text
    other = Session(tmp_path, "tests/accuracy", "-m", "cpu", "--predictions", log, "--model", "another")
    assert "To judge them: --model NAME as a target writes it" in other.text
