"""The flow from Python: options in, verdicts and files out, no pytest in between."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from papergate.acceptance.options import Options, options_of
from papergate.errors import OptionsError
from papergate.gate import gate
from papergate.reports.junit import properties
from papergate.reports.statement import markdown, statement_of
from papergate.reports.table import print_table
from papergate.run_folder.files import new_run
from papergate.run_folder.verdict import read_verdict
from papergate.words import say
from tests.meta.tiny_runs import completions_of, like_the_paper, write_predictions, write_target
from tests.servers.faulty_server import MODEL, FaultyServer

PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"


def is_tiny_aime(promise):
    return promise.benchmark == "tiny-aime"


def test_stored_completions_become_a_verdict_and_a_page(tmp_path):
    log = write_predictions(tmp_path / "log.jsonl", completions_of(like_the_paper, 64))
    ended = gate(Options(predictions=log, run=tmp_path / "run"), targets=["cpu"])
    assert ended.passed, ended.lines
    assert read_verdict(tmp_path / "run" / PROMISE) == ended.lines[0].record
    assert "Promises: 1. 1 kept." in (tmp_path / "run" / "report.html").read_text()
    assert any("about other benchmarks" in say(one) for one in ended.selection.notes)


def test_a_kept_promise_that_papergate_does_not_ship_is_noted_wherever_it_is_told(tmp_path):
    write_target(tmp_path, percent=2.0, source="a leaflet")
    log = write_predictions(tmp_path / "log.jsonl", completions_of(lambda place, _: place == 0, 64))
    options = Options(predictions=log, run=tmp_path / "run", targets=(tmp_path,))
    ended = gate(options, targets=["mine"])
    assert ended.passed, ended.lines
    said = "papergate ships no such promise. Not verified: that a leaflet promises it within 1 problem"
    print_table(ended.lines, told := StringIO(), width=1000, colour=False)
    junit = properties(ended.lines[0].record)
    assert ("warning_code", "own_promise") in junit
    assert said in told.getvalue()
    assert said in (tmp_path / "run" / "report.html").read_text()
    assert said in markdown(statement_of(tmp_path / "run"))


def test_a_promise_that_papergate_ships_is_not_called_the_users_own(tmp_path):
    write_target(tmp_path, percent=2.0)
    log = write_predictions(tmp_path / "log.jsonl", completions_of(like_the_paper, 64))
    ended = gate(Options(predictions=log, run=tmp_path / "run", targets=(tmp_path,)), targets=["cpu"])
    assert "own_promise" not in {one.code for one in ended.lines[0].record.notes}


def test_a_server_is_asked(tmp_path):
    with FaultyServer() as server:
        options = Options(
            endpoints=(server.url,), model=MODEL, run=tmp_path / "run", samples=2, limit=3, preflight=False
        )
        ended = gate(options, targets=["cpu_vllm"], wanted=is_tiny_aime)
    (line,) = ended.lines
    assert line.record, line.error
    assert line.record.partial == "3 of 30 problems"
    assert not ended.passed


def test_an_error_of_one_promise_is_its_line_and_the_page_names_it(tmp_path):
    ended = gate(
        Options(run=tmp_path / "run"), targets=["a100"], wanted=lambda promise: promise.benchmark == "aime2024"
    )
    assert ended.lines
    assert all("a100 demands" in line.error for line in ended.lines)
    assert "a100 demands" in (tmp_path / "run" / "report.html").read_text()


def test_nothing_selected_is_no_pass(tmp_path):
    assert not gate(Options(run=tmp_path / "run"), wanted=lambda _: False).passed


def test_a_run_that_cannot_be_written_is_said_and_not_raised():
    ended = gate(Options(run=Path("/proc/papergate")), targets=["a100"], wanted=lambda _: True)
    assert "the page cannot be written into /proc/papergate" in ended.page_error
    assert not ended.passed


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"--samples": 0}, "--samples 0: give a whole number"),
        ({"--budget-hours": -1.0}, "--budget-hours -1.0: give a number above 0"),
        ({"--endpoint": ["http://h"], "--predictions": "f"}, "give one of them"),
        ({"--data": ["math500"]}, "write BENCHMARK=FILE"),
        ({"--golden": "/nowhere"}, "no such folder"),
    ],
)
def test_options_that_cannot_mean_anything_are_refused_whatever_the_front_end(given, said):
    with pytest.raises(OptionsError, match=said):
        options_of(given.get)


def test_what_a_front_end_leaves_out_is_the_default():
    assert options_of({}.get) == Options()


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own():
    assert len({new_run() for _ in range(8)}) == 8


def test_the_flow_imports_no_pytest():
    program = "import sys, papergate.gate, papergate.cli; print([name for name in sys.modules if 'pytest' in name])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
