"""``--language``: the same figures and codes in every language, in every place that says a sentence."""

import re
import shutil
import sys
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len

from papergate.acceptance.options import options_of
from papergate.acceptance.preflights import lines_of
from papergate.acceptance.saving import record_of
from papergate.cli import main
from papergate.completions.progress import progress_for
from papergate.engines import Completion, Finish
from papergate.errors import EngineRefused, EngineTimeout, OptionsError
from papergate.evidence.records import Result
from papergate.reports.junit import properties, write_junit
from papergate.reports.table import Line, print_table
from papergate.run_folder.notes import note
from papergate.run_folder.preflight import Check, PreflightRecord
from papergate.words import VARIABLE, chinese, chinese_page, english, english_page, explain, language_of, worded
from tests.meta.evidence.runs import bundled
from tests.meta.gate.test_suite import Session, replayed
from tests.meta.tiny_runs import accepted, case_of, completions_of

AIME = ("--problems", "30", "--paper", "79.8", "--tolerance", "1 problem")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAID = {"sentence", "cause", "warning", "remark"}


@pytest.fixture(scope="module")
def record():
    return record_of(accepted(case_of(), completions_of(lambda *_: False, 4), 4))


def test_an_option_names_the_language_else_the_environment_else_it_is_english(monkeypatch):
    monkeypatch.delenv("PAPERGATE_LANGUAGE", raising=False)
    assert options_of({}.get).language == "en"
    monkeypatch.setenv("PAPERGATE_LANGUAGE", "zh")
    assert options_of({}.get).language == "zh"
    assert language_of("en") == "en"


def test_a_language_that_there_is_not_is_refused_with_those_that_there_are(monkeypatch, capsys):
    monkeypatch.setenv("PAPERGATE_LANGUAGE", "zh_CN.UTF-8")
    with pytest.raises(OptionsError, match=r"PAPERGATE_LANGUAGE is 'zh_CN\.UTF-8'; give one of en, zh"):
        options_of({}.get)
    assert main(["judge", "--correct", "24", *AIME]) == 2
    assert "give one of en, zh" in capsys.readouterr().err


def test_junit_says_sentences_in_chinese_and_everything_else_as_ever(record):
    english, chinese = [*properties(record)], [*properties(record, "zh")]
    assert [name for name, _ in english] == [name for name, _ in chinese]
    for (name, one), (_, other) in zip(english, chinese, strict=True):
        assert bool(CHINESE.search(other)) is (name in SAID), (name, other)
        assert name in SAID or one == other
    assert {"warning_code", "remark_code"} <= {name for name, _ in chinese}


def test_the_report_of_a_command_is_in_the_language_of_the_command(record, tmp_path):
    write_junit(tmp_path / "junit.xml", [Line(promise=record.promise, record=record)], "zh")
    case = ET.parse(tmp_path / "junit.xml").getroot().find("testsuite/testcase")
    sentence = case.find("properties/property[@name='sentence']").get("value")
    assert sentence.startswith("未通过：")
    assert case.find("failure").get("message") == sentence


def test_the_table_in_chinese_has_its_columns_under_each_other(record, capsys):
    lines = [Line(promise="tiny", record=record), Line(promise="other", error="server down")]
    print_table(lines, sys.stdout, width=120, colour=False, language="zh")
    head, first, second, _, *said = capsys.readouterr().out.splitlines()
    places = {cell_len(row[: row.rindex("  ")]) for row in (head, first, second)}
    assert len(places) == 1
    assert head.split() == ["结论", "得分", "置信区间", "承诺值", "n", "x", "k", "token", "数", "承诺"]
    assert (first.split()[0], second.split()[0]) == ("未通过", "错误")
    assert said[0].startswith("未通过：pass@1 0.0 %")
    assert said[-2:] == ["错误：server down", "  涉及：other"]


def test_an_error_says_its_kind_in_chinese_before_its_own_words():
    error = EngineTimeout("no answer within 600 s")
    assert explain(error) == "no answer within 600 s"
    assert explain(error, "zh").startswith("引擎或服务出错")
    assert explain(error, "zh").endswith("no answer within 600 s")


def test_an_error_in_detail_is_said_in_each_language_and_quotes_the_server():
    error = worded(EngineRefused, note("endpoint_unwell", url="http://h:1", said="503 'warming \x1b up'"))
    assert str(error) == "http://h:1 is not well: /health answered 503 'warming \\x1b up'; look at the server's log"
    assert explain(error) == str(error)
    assert explain(error, "zh").endswith("http://h:1 不正常：/health 返回 503 'warming \\x1b up'；请查看服务的日志")


def test_the_live_line_is_said_in_chinese():
    stream = StringIO()
    shown = progress_for(stream, lambda: note("so_far", note("reference_too_noisy")), about="p", language="zh")
    shown.start(problems=5, total=20, stored=4)
    shown.retrying("503", 2.0)
    for sample in range(16):
        shown.finished(Completion(problem="a", sample=sample, text="x", finish=Finish.STOP, output_tokens=3))
    shown.stop()
    begins, over = stream.getvalue().splitlines()
    assert begins == "papergate: p：将提问 20 个样本中的 16 个，共 5 题；此前已保存 4 个"
    assert "20/20 个样本，共 5 题" in over
    assert "重试 1 次（最近一次：503；2 秒后重试）" in over


def test_an_option_that_is_refused_is_said_in_chinese(tmp_path, monkeypatch, capsys):
    assert "选项有误" in Session(tmp_path, "tests/accuracy", "--samples", "0", "--language=zh").text
    monkeypatch.setenv(VARIABLE, "zh")
    assert main(["runs", "judge", str(tmp_path / "none")]) == 2
    assert "运行目录无法读写" in capsys.readouterr().err


def test_a_preflight_is_told_in_chinese():
    checks = (Check(code="seeds", state="noted", values={"differ": 3, "pairs": 8}), Check(code="limit", state="ok"))
    lines = lines_of(PreflightRecord(deployment="d", checks=checks, seconds=2.0, papergate="1"), "zh")
    assert lines[0] == "预检：2 项检查中 1 项正常，用时 2 秒"
    assert lines[1].startswith("注意：8 对同种子的请求")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["judge", "--correct", "10", *AIME], "证据不足：pass@1 33.3 %"),
        (["plan", *AIME, "--samples", "2", "--attempts", "2"], "30 题，检查点在每题 2 个样本"),
        (["judge", "--correct", "10"], "保存的输出文件无法使用"),
    ],
)
def test_commands_speak_chinese(command, said, capsys):
    main([*command, "--language", "zh"])
    out, err = capsys.readouterr()
    assert said in out + err


def test_commands_on_stored_runs_speak_the_language_of_the_environment(tmp_path, monkeypatch, capsys):
    file = bundled(tmp_path)
    monkeypatch.setenv(VARIABLE, "zh")
    main(["runs", "show", str(tmp_path / "run")])
    assert "证据不足" in capsys.readouterr().out
    main(["verify", str(file)])
    said = capsys.readouterr().out
    assert "已证明" in said
    assert "证据包中的 junit.xml 引用了" in said
    main(["statement", str(tmp_path / "run")])
    assert "- 模型：" in capsys.readouterr().out
    shutil.copytree(tmp_path / "run", tmp_path / "again")
    main(["compare", str(tmp_path / "run"), str(tmp_path / "again")])
    assert "差值（百分点）" in capsys.readouterr().out


def test_a_bundle_that_is_refused_says_why_in_chinese_and_ends_as_ever(tmp_path, capsys):
    file = bundled(tmp_path)
    file.write_bytes(file.read_bytes()[:-9])
    assert main(["verify", str(file), "--language", "zh"]) == Result.UNREADABLE
    assert f"papergate: {file}: 证据包无法使用。详情：结尾不是证据包的结尾" in capsys.readouterr().err


def test_waiting_for_shards_is_said_in_the_language_of_the_session():
    stream = StringIO()
    progress_for(stream, quiet=True, language="zh").say(
        note("waiting_for_look", note("nothing_graded"), shards=8, look=4)
    )
    assert stream.getvalue() == "papergate: 检查点 4：等待 8 个分片；尚未判题\n"


@pytest.mark.parametrize(("words", "page"), [(english, english_page), (chinese, chinese_page)])
def test_no_label_stands_in_two_modules(words, page):
    own = re.findall(r'^    "([^"]+)": ', Path(words.__file__).read_text(), re.MULTILINE)
    assert not page.LABELS.keys() & {*own}


def test_a_session_speaks_chinese_in_terminal_and_junit(tmp_path):
    session = replayed(tmp_path, completions_of(lambda *_: False, 4), "--language=zh")
    assert session.outcomes() == ["failure"], session.text
    assert "未通过：pass@1 0.0 %" in session.cases[0].find("failure").get("message")
    assert session.properties()["verdict"] == "fail"
    assert "报告：" in session.text
    assert "续跑：--run=" in session.text
    plan = Session(tmp_path, "tests/accuracy", "-m", "cpu", "-k", "tiny-aime", "--plan", "--language=zh")
    assert "已估算 1 项承诺；没有提问，也没有测试" in plan.text


def test_an_error_of_a_session_has_its_code_and_its_kind_in_chinese(tmp_path):
    session = Session(tmp_path, "tests/accuracy", "-m", "ascend", "-k", "aime2024", "--language=zh")
    assert set(session.outcomes()) == {"error"}, session.text
    assert session.properties()["error_code"] == "hardware"
    assert "本机没有承诺所要求的硬件" in session.cases[0].find("error").get("message")
