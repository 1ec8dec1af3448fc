"""Runs side by side and releases over time: what is compared, marked and refused, in a terminal and on a page."""

import re
import shutil

import pytest

from papergate.cli import main
from papergate.exit_codes import ExitCode
from papergate.reports.beside import over_time, side_by_side
from papergate.run_folder.files import HISTORY_FILE
from tests.meta.evidence.runs import finished_run
from tests.meta.tiny_runs import TINY, like_the_paper


def worse(place, _sample):
    """Half of what the paper says."""
    return place < 10


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, right in {"first": like_the_paper, "second": like_the_paper, "third": worse}.items():
        finished_run(folder / name, right=right, k=16)
    return folder


def test_each_run_is_compared_with_the_first(runs):
    (group,) = side_by_side([runs / "first", runs / "second", runs / "third"]).groups
    first, second, third = group.lines
    assert first.change is None
    assert (second.change.difference, second.change.score_changed, second.change.moved) == (0, False, ())
    assert third.change.score_changed
    assert third.change.hi < 0
    assert len(third.change.moved) == 12
    judged = [line.tested.record.judgement.score for line in group.lines]
    assert float(third.change.difference) == pytest.approx(judged[2] - judged[0])


def test_history_is_in_the_order_of_time_and_compares_neighbours(runs):
    (group,) = over_time(runs).groups
    assert group.name == TINY.id
    times = [line.tested.at for line in group.lines]
    assert times == sorted(times)
    assert all(times)
    assert [line.change is None for line in group.lines] == [True, False, False]


@pytest.mark.parametrize(("language", "moved"), [("en", "problems moved (Fisher, Holm)"), ("zh", "道题目发生变化")])
def test_terminal_and_page_say_the_same(runs, tmp_path, capsys, language, moved):
    page = tmp_path / "page.html"
    names = [str(runs / name) for name in ("first", "third")]
    assert main(["compare", *names, "--html", str(page), "--language", language]) == 0
    text, html = capsys.readouterr().out, page.read_text()
    difference = re.search(r"-\d+\.\d\d \[-\d+\.\d\d, -\d+\.\d\d\] \*", text)
    assert difference, text
    assert difference[0] in html
    assert moved in text
    assert moved in html
    assert f'<html lang="{language}"' in html
    assert "<script" not in html
    assert len(html) < 100_000


def test_runs_of_other_problems_or_words_are_not_compared(runs, tmp_path):
    for name, change in {"text": ("digest", "0" * 64), "prompt": ("prompt_digest", "1" * 64)}.items():
        other = tmp_path / name / TINY.id
        other.mkdir(parents=True)
        record = (runs / "first" / TINY.id / "verdict.json").read_text()
        (other / "verdict.json").write_text(
            re.sub(rf'"{change[0]}": "[0-9a-f]+"', f'"{change[0]}": "{change[1]}"', record)
        )
        (group,) = side_by_side([runs / "first", tmp_path / name]).groups
        assert group.lines[1].change is None
        assert change[1] in group.lines[1].why


def test_what_cannot_be_compared_is_refused(runs, tmp_path, capsys):
    assert main(["compare", str(runs / "first"), str(tmp_path)]) == 2
    assert "holds no verdict to compare" in capsys.readouterr().err
    assert main(["compare", str(runs / "first"), str(runs / "first")]) == 2
    assert "named twice" in capsys.readouterr().err
    assert main(["history", str(tmp_path)]) == 2
    assert "holds no finished run" in capsys.readouterr().err
    assert main(["history", str(runs), "--html", str(tmp_path / "no" / "a.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["history", str(runs), "--html", str(runs)]) == 2
    assert "no plain file" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["verdict.json", "grades.jsonl"])
def test_what_was_edited_after_its_verdict_is_stated_nowhere(runs, tmp_path, capsys, name):
    edited = tmp_path / "runs" / "edited"
    shutil.copytree(runs / "third", edited)
    assert main(["statement", str(edited)]) == 0
    path = edited / TINY.id / name
    path.write_text(path.read_text().replace("incorrect", "correct").replace('"score": 0.', '"score": 0.9'))
    for command in (["statement", edited], ["compare", runs / "first", edited], ["history", edited.parent]):
        assert main([*map(str, command)]) == 2, command
        assert f"{name} changed after the verdict in verdicts.jsonl" in capsys.readouterr().err
    assert main(["runs", "show", str(edited)]) == ExitCode.ERROR
    assert f"{name} changed after the verdict" in " ".join(capsys.readouterr().out.split())


def test_a_trial_has_no_score_to_compare(runs, tmp_path, capsys):
    shutil.copytree(runs / "first", tmp_path / "first")
    finished_run(tmp_path / "trial", trial=True)
    (group,) = over_time(tmp_path).groups
    assert [line.tested.run for line in group.lines] == ["first"]
    assert main(["compare", str(tmp_path / "first"), str(tmp_path / "trial")]) == 2
    assert "holds no verdict to compare" in capsys.readouterr().err


def test_a_run_of_a_release_without_a_history_comes_first(runs, tmp_path):
    old = tmp_path / "old" / TINY.id
    old.mkdir(parents=True)
    (old / "verdict.json").write_text((runs / "first" / TINY.id / "verdict.json").read_text())
    new = tmp_path / "new" / TINY.id
    new.mkdir(parents=True)
    for name in ("verdict.json", "manifest.json", HISTORY_FILE):
        (new / name).write_text((runs / "third" / TINY.id / name).read_text())
    assert [line.tested.run for line in over_time(tmp_path).groups[0].lines] == ["old", "new"]
