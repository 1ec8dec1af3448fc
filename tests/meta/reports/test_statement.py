"""The statement: the vendors' five columns and what they leave out, in Markdown and PDF, in English and Chinese."""

import re
import sys
from dataclasses import replace

import pytest

from papergate.cli import main
from papergate.reports.page import write_page
from papergate.reports.statement import markdown, statement_of
from papergate.run_folder.sums import root_of, sums_of
from papergate.run_folder.verdict import read_verdict, read_verdicts
from papergate.words import LANGUAGES
from tests.meta.evidence.runs import finished_run
from tests.meta.tiny_runs import TINY


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("statement") / "run"
    finished_run(folder)
    return folder


def test_it_has_the_columns_of_the_vendors_documents_and_an_interval(run, capsys):
    assert main(["statement", str(run)]) == 0
    text, judged = capsys.readouterr().out, read_verdict(run / TINY.id).judgement
    assert "| benchmark | official | measured | error, points | interval | tolerance | n x k | result |" in text
    row = next(line for line in text.splitlines() if line.startswith("| tiny-aime |"))
    for number in (judged.reference, judged.score, *judged.interval):
        assert f"{100 * number:.2f}" in row
    assert f"{100 * judged.d:+.2f}" in row
    assert root_of(sums_of(run)) in text


def test_it_states_protocol_seed_and_what_is_to_be_known(run):
    text = markdown(statement_of(run))
    record = read_verdict(run / TINY.id)
    assert f"- official score by: {record.promised.source}\n" in text
    assert "temperature 0.6" in text
    assert "- seed: 0" in text
    assert len(statement_of(run).waivers) == 1 + len({note.code for note in record.notes})


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_written_in_each_language_as_pdf_of_one_page(run, tmp_path, language):
    pytest.importorskip("reportlab", reason="PDFs need the extra statement")
    for name in ("a.pdf", "b.pdf"):
        assert main(["statement", str(run), "-o", str(tmp_path / name), "--language", language]) == 0
    data = (tmp_path / "a.pdf").read_bytes()
    assert data == (tmp_path / "b.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", data)) == 1
    assert (b"STSong-Light" in data) == (language == "zh")


def test_it_is_said_in_chinese(run, capsys):
    assert main(["statement", str(run), "--language", "zh"]) == 0
    text = capsys.readouterr().out
    assert "| 数据集 | 官方值 | 实测 | 误差（百分点） | 置信区间 |" in text
    assert "| 1 道题 | 30 x 4 |" in text


def test_a_trial_states_no_score(tmp_path):
    finished_run(tmp_path / "run", trial=True)
    (deployment,) = statement_of(tmp_path / "run").deployments
    assert deployment.rows == [["tiny-aime", "74.04 %", "-", "-", "-", "1 problem", "30 x 4", "trial"]]
    page = write_page(read_verdicts(tmp_path / "run").records, [], tmp_path / "run").read_text()
    score = read_verdict(tmp_path / "run" / TINY.id).judgement.score
    assert f"{100 * score:.2f}" not in page


def test_text_from_outside_is_no_markup(run):
    statement = statement_of(run)
    hostile = "a|b <script> `x` [l](http://e) \x1b[2J"
    text = markdown(replace(statement, waivers=[hostile]))
    line = next(line for line in text.splitlines() if "&lt;" in line)
    assert line == "- a\\|b &lt;script> \\`x\\` \\[l\\](http://e) \\\\x1b\\[2J"


def test_a_run_without_a_verdict_and_other_endings_are_refused(run, tmp_path, capsys):
    assert main(["statement", str(tmp_path)]) == 2
    assert "holds no verdict to state" in capsys.readouterr().err
    assert main(["statement", str(run), "-o", str(tmp_path / "a.docx")]) == 2
    assert ".md or .pdf" in capsys.readouterr().err
    assert main(["statement", str(run), "-o", str(tmp_path / "no" / "a.md")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_without_reportlab_the_message_says_what_to_install(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "reportlab.lib.pagesizes", None)
    assert main(["statement", str(run), "-o", str(tmp_path / "a.pdf")]) == 2
    assert "papergate[statement]" in capsys.readouterr().err
