"""Stored completions of other harnesses are read as they are; what failed there stays failed."""

import gzip
import json
from types import SimpleNamespace

import pytest

from papergate.acceptance import refuse_other_golds, with_ids_of
from papergate.engines import Finish
from papergate.engines.replay import read_predictions, refuse_thoughts, refuse_without_thoughts
from papergate.errors import PredictionsError
from papergate.thoughts import ThoughtMarks


def lines(tmp_path, *rows, name="p.jsonl"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def samples(read):
    """What came of each sample: its text, cut where the token limit ended it, None where it failed."""
    return {(done.problem, done.sample): done.text for done in read.completions}


def test_rows_of_one_id_are_samples_in_their_order(tmp_path):
    read = read_predictions(lines(tmp_path, *({"id": "a", "response": text} for text in "xyz"), name="p.jsonl.gz"))
    assert samples(read) == {("a", 0): "x", ("a", 1): "y", ("a", 2): "z"}
    assert (read.problems, read.samples) == (("a",), 3)


def test_own_store_and_plain_rows_are_read(tmp_path):
    own = {"problem": "p", "sample": 4, "text": "t", "finish": "length"}
    plain = {"id": 3, "completion": "q", "expected_answer": 25, "model": "m"}
    read = read_predictions(lines(tmp_path, own, plain))
    assert [(done.problem, done.sample, done.finish) for done in read.completions] == [
        ("p", 4, Finish.LENGTH),
        ("3", 0, Finish.STOP),
    ]
    assert (read.golds, read.model) == ({"3": "25"}, "m")


@pytest.mark.parametrize("row", [{"prediction": "", "success": False}, {"prediction": None, "error": "HTTP 500"}])
def test_a_failed_request_is_no_empty_answer(tmp_path, row):
    (done,) = read_predictions(lines(tmp_path, {"id": "a", **row})).completions
    assert (done.finish, done.text) == (Finish.FAILED, None)
    assert done.error


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no completions in it; accepted are"),
        ("\n\n", "no completions in it"),
        ("not json\n", "line 1: not JSON"),
        ('{"id": 1, "response": "x"}\n[]\n', "line 2: list where an object is expected"),
        ('{"response": "x"}\n', "line 1: the columns response; accepted are"),
        ('{"id": 1}\n', "line 1: the columns id; accepted are"),
        ("[1]\n", "line 1: list; accepted are"),
        ('{"id": 1, "response": "x"}\n{"id": 2}\n', "line 2 has the columns id; give one completion a line"),
        (
            '{"id": 1, "sample": 0, "response": "x"}\n{"id": 1, "sample": 0, "response": "y"}\n',
            "sample 0 of '1' is there twice",
        ),
        ('{"id": 1, "sample": "a", "response": "x"}\n', "sample 'a' is no whole number"),
        ('{"id": 1, "response": "x", "model": "a"}\n{"id": 1, "response": "x", "model": "b"}\n', "2 models"),
    ],
)
def test_a_file_that_holds_no_completions_is_refused_with_the_place(tmp_path, content, said):
    path = tmp_path / "p.jsonl"
    path.write_text(content)
    with pytest.raises(PredictionsError, match=said.replace("(", r"\(")):
        read_predictions(path)


def test_every_accepted_layout_is_named_where_none_fits(tmp_path):
    with pytest.raises(PredictionsError) as refused:
        read_predictions(lines(tmp_path, {"question": "?", "answers": []}))
    assert all(tool in str(refused.value) for tool in ("AISBench", "OpenCompass", "lm-eval", "EvalScope", "lighteval"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(PredictionsError, match="no such file"):
        read_predictions(tmp_path / "none.jsonl")


def test_a_file_whose_thoughts_were_cut_off_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(PredictionsError, match="--thoughts-stripped"):
        refuse_without_thoughts(read_predictions(lines(tmp_path, {"id": "a", "response": "\\boxed{1}"})))


@pytest.mark.parametrize("marks", [None, ThoughtMarks("<<", ">>")])
def test_thoughts_are_known_by_every_mark_and_by_those_of_the_target(tmp_path, marks):
    closed = ">>" if marks else "<|im_start|>answer"
    told = read_predictions(lines(tmp_path, {"id": "a", "response": f"so{closed}\\boxed{{1}}"}))
    refuse_without_thoughts(told, marks)
    with pytest.raises(PredictionsError, match="1 of 1 completions hold a thought"):
        refuse_thoughts(told, marks)


def benchmark(**golds):
    """A benchmark of these ids and golds: a double, of which only this is looked at."""
    problems = [SimpleNamespace(id=name, gold=gold) for name, gold in golds.items()]
    return SimpleNamespace(problems=problems, source="the data", spec=SimpleNamespace(name="sums"))


def judged_as(tmp_path, data, *rows):
    """The ids under which ``rows`` are judged against ``data``."""
    read = with_ids_of(data, read_predictions(lines(tmp_path, *rows)))
    refuse_other_golds(read, {problem.id: problem.gold for problem in data.problems})
    return read.problems


def test_numbers_of_rows_stand_for_the_order_of_the_benchmark(tmp_path):
    rows = [{"id": 1, "response": "x", "gold": "14"}, {"id": 0, "response": "x", "gold": "5"}]
    assert judged_as(tmp_path, benchmark(first="5", second="14"), *rows) == ("second", "first")


def test_numbers_of_rows_in_another_order_are_refused(tmp_path):
    rows = [{"id": 0, "response": "x", "gold": "14"}, {"id": 1, "response": "x", "gold": "5"}]
    with pytest.raises(PredictionsError, match="2 of its 2 gold answers differ"):
        judged_as(tmp_path, benchmark(first="5", second="14"), *rows)


@pytest.mark.parametrize(
    "row",
    [
        {"id": 0, "response": "x"},
        {"id": 0, "response": "x", "gold": "So it is 5. " * 40},
        {"id": 2, "response": "x", "gold": "5"},
        {"id": "third", "response": "x", "gold": "5"},
    ],
    ids=["no gold", "no short gold", "beyond the benchmark", "another id"],
)
def test_problems_that_are_not_the_benchmarks_are_refused(tmp_path, row):
    with pytest.raises(PredictionsError, match=r"1 of its 1 problems, first .* not in the data"):
        judged_as(tmp_path, benchmark(first="5", second="14"), row)


def own_run(folder, *rows):
    """A run's file as the store writes it, with its manifest beside it."""
    fields = {"seed": 1, "error": None, "attempts": 1, "text": None, "finish": "failed"}
    (folder / "manifest.json").write_text('{"model": "papergate-tiny"}')
    path = folder / "completions.jsonl"
    path.write_text("".join("\n" + json.dumps(fields | row) for row in rows))
    return path


def test_a_run_of_our_own_is_read_with_its_model_and_the_answer_that_came_after_a_failure(tmp_path):
    failed = {"problem": "p", "sample": 0, "error": "503"}
    answered = {"problem": "p", "sample": 0, "text": "a</think>1", "finish": "length"}
    lost = {"problem": "q", "sample": 0, "error": "reset"}
    read = read_predictions(own_run(tmp_path, failed, answered, lost))
    assert read.model == "papergate-tiny"
    assert [(done.problem, done.finish, done.text, done.error) for done in read.completions] == [
        ("p", Finish.LENGTH, "a</think>1", None),
        ("q", Finish.FAILED, None, "reset"),
    ]


def test_an_end_token_by_its_number_is_a_whole_answer(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"id": "a", "response": "t</think>1", "stop_reason": 151643}))
    (done,) = read_predictions(path).completions
    assert done.finish is Finish.STOP


@pytest.mark.parametrize("reason", ["abort", "error", "content_filter"])
def test_an_answer_that_was_broken_off_is_failed_and_not_wrong(tmp_path, reason):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({"id": "a", "response": "half an ans", "finish_reason": reason}))
    (done,) = read_predictions(path).completions
    assert (done.finish, done.text, done.error) == (Finish.FAILED, None, f"finish {reason}")


def test_samples_numbered_from_one_are_refused(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps({"id": "a", "sample": n, "response": "x"}) + "\n" for n in (1, 2)))
    with pytest.raises(PredictionsError, match="numbered from 1; number those of a problem from 0"):
        read_predictions(path)


def test_thoughts_that_are_there_were_not_stripped(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({"id": "a", "response": "guess 7</think>8"}) + "\n")
    with pytest.raises(PredictionsError, match="1 of 1 completions hold a thought"):
        refuse_thoughts(read_predictions(path))


def test_an_id_that_may_be_a_text_is_quoted_by_its_digest(tmp_path):
    path = tmp_path / "p.jsonl"
    row = json.dumps({"id": "a short secret question", "sample": 0, "response": "x"})
    path.write_text(f"{row}\n{row}\n")
    with pytest.raises(PredictionsError, match=r"sample 0 of text [0-9a-f]{12} is there twice") as refused:
        read_predictions(path)
    assert "secret" not in str(refused.value)
    path.write_text(json.dumps({"id": "a", "sample": "a short secret question", "response": "x"}) + "\n")
    with pytest.raises(PredictionsError, match="is no whole number") as refused:
        read_predictions(path)
    assert "secret" not in str(refused.value)
