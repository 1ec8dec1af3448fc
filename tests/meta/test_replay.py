"""Stored completions of other harnesses are read as they are; what failed there stays failed."""

import gzip
import json

import pytest

from papergate.engines import Finish
from papergate.engines.replay import read_predictions, refuse_without_thoughts
from papergate.errors import PredictionsError


def lines(tmp_path, *rows, name="p.jsonl"):
    path = tmp_path / name
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_rows_of_one_id_are_samples_in_their_order(tmp_path):
    read = read_predictions(lines(tmp_path, *({"id": "a", "response": text} for text in "xyz"), name="p.jsonl.gz"))
    assert [(done.problem, done.sample, done.text) for done in read.completions] == [
        ("a", 0, "x"),
        ("a", 1, "y"),
        ("a", 2, "z"),
    ]
    assert (read.problems, read.samples) == (("a",), 3)


def test_own_store_aisbench_and_plain_rows_are_read(tmp_path):
    own = {"problem": "p", "sample": 4, "text": "t", "finish": "length"}
    aisbench = {"data_abbr": "aime2024", "id": 3, "success": True, "prediction": "q", "gold": "25"}
    read = read_predictions(lines(tmp_path, own, aisbench))
    assert [(done.problem, done.sample, done.finish) for done in read.completions] == [
        ("p", 4, Finish.LENGTH),
        ("3", 0, Finish.STOP),
    ]
    assert read.golds == {"3": "25"}


def test_the_object_that_opencompass_writes_is_read(tmp_path):
    path = tmp_path / "aime2024.json"
    path.write_text(json.dumps({"0": {"origin_prompt": "?", "prediction": "a", "gold": "1"}, "1": {"prediction": "b"}}))
    assert [(done.problem, done.text) for done in read_predictions(path).completions] == [("0", "a"), ("1", "b")]


@pytest.mark.parametrize("row", [{"prediction": "", "success": False}, {"prediction": None, "error": "HTTP 500"}])
def test_a_failed_request_is_no_empty_answer(tmp_path, row):
    (done,) = read_predictions(lines(tmp_path, {"id": "a", **row})).completions
    assert (done.finish, done.text) == (Finish.FAILED, None)
    assert done.error


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no completions in it"),
        ("\n\n", "no completions in it"),
        ("not json\n", "line 1: not JSON"),
        ('{"id": 1, "response": "x"}\n[]\n', "line 2: list where an object is expected"),
        ('{"response": "x"}\n', "row 1 has the columns response"),
        ('{"id": 1}\n', "row 1 has the columns id"),
        ('{"id": 1, "sample": 0, "response": "x"}\n{"id": 1, "sample": 0, "response": "y"}\n', "sample 0 of '1' again"),
        ('{"id": 1, "sample": "a", "response": "x"}\n', "sample 'a' is no whole number"),
        ('{"id": 1, "response": "x", "model": "a"}\n{"id": 1, "response": "x", "model": "b"}\n', "2 models"),
    ],
)
def test_a_file_that_holds_no_completions_is_refused_with_the_place(tmp_path, content, said):
    path = tmp_path / "p.jsonl"
    path.write_text(content)
    with pytest.raises(PredictionsError, match=said.replace("(", r"\(")):
        read_predictions(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(PredictionsError, match="no such file"):
        read_predictions(tmp_path / "none.jsonl")


def test_a_file_whose_thoughts_were_cut_off_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(PredictionsError, match="--thoughts-stripped"):
        refuse_without_thoughts(read_predictions(lines(tmp_path, {"id": "a", "response": "\\boxed{1}"})))
