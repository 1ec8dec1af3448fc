"""`papergate grade`: a file in, a file out, in the same order."""

import argparse
import json

import pytest

from papergate.cli import grade


def run(*arguments):
    parser = argparse.ArgumentParser()
    grade.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["grade", *map(str, arguments)])
    return args.run(args)


def graded(tmp_path, rows, *arguments):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    status = run(source, "-o", target, "--workers", 1, *arguments)
    return status, [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def test_bare_answers_are_graded_in_order(tmp_path):
    rows = [{"id": "a", "gold": "1/2", "answer": "0.5"}, {"id": "b", "gold": "1/2", "answer": "2"}]
    status, lines = graded(tmp_path, rows, "--mode", "answer")
    assert status == 0
    assert [(line["id"], line["outcome"], line["extracted"]) for line in lines] == [
        ("a", "correct", "0.5"),
        ("b", "incorrect", "2"),
    ]
    assert {"rule", "reason", "seconds"} <= lines[0].keys()


def test_responses_are_graded_from_other_fields(tmp_path):
    rows = [{"solution": "7", "text": "<think>\\boxed{6}</think>\\boxed{7}"}, {"solution": "7", "text": None}]
    status, lines = graded(
        tmp_path, rows, "--mode", "response", "--gold-field", "solution", "--answer-field", "text", "--thinks"
    )
    assert status == 0
    assert [(line["id"], line["outcome"], line["reason"]) for line in lines] == [
        (1, "correct", None),
        (2, "incorrect", "empty"),
    ]


def test_numbers_are_graded_as_they_are_written(tmp_path):
    assert graded(tmp_path, [{"gold": 25, "answer": 25.0}])[1][0]["outcome"] == "correct"


def test_all_graders_list_their_disagreements(tmp_path, capsys):
    rows = [{"id": "x", "gold": "\\frac43", "response": "\\boxed{\\frac43}"}]
    status, lines = graded(tmp_path, rows, "--grader", "all")
    assert status == 0
    assert lines[0]["outcomes"] == {"strict": "correct", "aisbench": "incorrect", "math-verify": "correct"}
    assert "x: gold" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "line 1: not JSON"),
        ("[1]", "line 1: a list"),
        ('\n{"gold": "1"}', "line 2: no field 'response' among ['gold']"),
        ('{"answer": "1"}', "no field 'gold'"),
    ],
)
def test_unreadable_file_is_refused_by_line(tmp_path, capsys, content, told):
    source = tmp_path / "in.jsonl"
    source.write_text(content, encoding="utf-8")
    assert run(source, "-o", tmp_path / "out.jsonl") == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_missing_file_and_unwritable_output_are_refused(tmp_path, capsys):
    assert run(tmp_path / "none.jsonl", "-o", tmp_path / "out.jsonl") == 2
    (tmp_path / "in.jsonl").write_text('{"gold": "1", "answer": "1"}', encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "no" / "out.jsonl") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_old_output_stays_when_the_input_is_refused(tmp_path):
    (tmp_path / "in.jsonl").write_text("{", encoding="utf-8")
    (tmp_path / "out.jsonl").write_text("old", encoding="utf-8")
    assert run(tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl") == 2
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "old"
