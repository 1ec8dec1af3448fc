"""Logs in the layouts that the tools' own runs left behind: each sample arrives, and what failed is failed."""

import json
import sys
from pathlib import Path

import pytest

from papergate.engines.replay import read_predictions, refuse_without_thoughts
from papergate.errors import PredictionsError
from tests.meta.engines.test_replay import lines, samples

THOUGHT = "I add 2 and 3.</think>\n\nThe sum is \\boxed{5}."


def cut(read):
    return {(done.problem, done.sample) for done in read.completions if done.finish == "length"}


def errors(read):
    return {(done.problem, done.sample): done.error for done in read.completions if done.text is None}


def keyed(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows))
    return path


def asked(text, prediction, gold="5"):
    return {"origin_prompt": [{"role": "HUMAN", "prompt": text}], "prediction": prediction, "gold": gold}


# OpenCompass, and AISBench of early 2025


def test_opencompass_an_empty_prediction_is_a_failed_request(tmp_path):
    read = read_predictions(keyed(tmp_path / "sums.json", {"0": asked("a", THOUGHT), "1": asked("b", "", "14")}))
    assert samples(read) == {("0", 0): THOUGHT, ("1", 0): None}
    assert (read.golds, read.model) == ({"0": "5", "1": "14"}, "")
    assert "empty" in errors(read)["1", 0]


def test_opencompass_a_list_of_predictions_is_several_samples(tmp_path):
    read = read_predictions(keyed(tmp_path / "sums.json", {"0": asked("a", [THOUGHT, ""])}))
    assert samples(read) == {("0", 0): THOUGHT, ("0", 1): None}


def test_opencompass_repeats_the_whole_data_for_several_samples(tmp_path):
    rows = {str(n): asked("ab"[n % 2], f"{n}") for n in range(6)}
    read = read_predictions(keyed(tmp_path / "sums.json", rows))
    assert samples(read) == {(p, n): str(2 * n + int(p)) for p in "01" for n in range(3)}


def test_a_row_that_is_missing_shifts_no_other(tmp_path):
    rows = {str(n): asked("abc"[n % 3], f"{n}") for n in range(6) if n != 4}
    read = read_predictions(keyed(tmp_path / "sums.json", rows))
    assert samples(read) == {("0", 0): "0", ("0", 1): "3", ("1", 0): "1", ("2", 0): "2", ("2", 1): "5"}


def test_opencompass_parts_are_one_log_whichever_is_given(tmp_path):
    keyed(tmp_path / "sums_0.json", {"0": asked("a", "0"), "1": asked("b", "1")})
    second = keyed(tmp_path / "sums_1.json", {"0": asked("c", "2")})
    whole = {("0", 0): "0", ("1", 0): "1", ("2", 0): "2"}
    assert samples(read_predictions(second)) == samples(read_predictions(tmp_path)) == whole


def test_prompts_that_repeat_without_order_are_refused(tmp_path):
    rows = {str(n): asked(prompt, "x") for n, prompt in enumerate("aabcbc")}
    with pytest.raises(PredictionsError, match="neither each problem 2 times in its place nor all problems in turn"):
        read_predictions(keyed(tmp_path / "sums.json", rows))


# AISBench


def answered(number, text, prompt):
    return {"data_abbr": "sums", "id": number, "success": True, "uuid": "u", **asked(prompt, text)}


def failed(number, prompt):
    row = {"data_abbr": "sums", "id": number, "input": asked(prompt, "")["origin_prompt"]}
    return {**row, "error_info": "[HTTP 400] refused"}


def test_aisbench_requests_in_the_failed_file_are_failed_samples_of_their_problem(tmp_path):
    rows = [answered(1, "1", "a"), answered(0, "0", "a"), answered(2, "2", "b")]
    path = lines(tmp_path, *rows, name="predictions/m/sums.jsonl")
    lines(tmp_path, failed(3, "b"), failed(4, "c"), failed(5, "c"), name="predictions/m/sums_failed.jsonl")
    lines(tmp_path, answered(0, "0", "a"), name="predictions/m/tmp/tmp_1234abcd.jsonl")
    for read in (read_predictions(path), read_predictions(tmp_path)):
        assert samples(read) == {
            ("0", 0): "1", ("0", 1): "0", ("1", 0): "2", ("1", 1): None, ("2", 0): None, ("2", 1): None
        }  # fmt: skip
        assert errors(read)["2", 1] == "[HTTP 400] refused"


def test_aisbench_a_successful_empty_answer_is_an_answer(tmp_path):
    assert samples(read_predictions(lines(tmp_path, answered(0, "", "a")))) == {("0", 0): ""}


# lm-eval


def lm_eval_row(number, texts, *, filter_="first", **doc):
    doc = {"question": "?", "answer": "5", **doc}
    row = {"doc_id": number, "doc": doc, "target": "5", "arguments": {}, "resps": [texts], "filtered_resps": texts[:1]}
    return {**row, "filter": filter_, "metrics": ["exact_match"], "exact_match": 0.0}


def test_lm_eval_has_all_samples_in_a_row_and_repeats_it_for_each_filter(tmp_path):
    rows = [lm_eval_row(n, [THOUGHT, f"b{n}", ""], filter_=name) for name in ("first", "number") for n in (0, 1)]
    keyed(tmp_path / "m" / "results_2026-11-25T22-27-43.456058.json", {"results": {}, "model_name": "org/adder"})
    path = lines(tmp_path, *rows, name="m/samples_sums_2026-11-25T22-27-43.456058.jsonl")
    for read in (read_predictions(path), read_predictions(tmp_path)):
        assert samples(read) == {(str(n), k): t for n in (0, 1) for k, t in enumerate((THOUGHT, f"b{n}", None))}
        assert (read.model, read.golds) == ("org/adder", {"0": "5", "1": "5"})


def test_lm_eval_the_id_of_the_problem_is_the_datas_own_where_it_has_one(tmp_path):
    read = read_predictions(lines(tmp_path, lm_eval_row(0, ["x"], unique_id="test/sums/7.json")))
    assert read.problems == ("test/sums/7.json",)


def test_lm_eval_a_task_that_compares_options_holds_no_texts(tmp_path):
    with pytest.raises(PredictionsError, match="line 1: its resps are no list of one request's texts"):
        read_predictions(lines(tmp_path, {**lm_eval_row(0, []), "resps": [[["-1.5", "False"]]]}))


def test_lm_eval_with_think_end_token_runs_into_the_rule_on_stripped_thoughts(tmp_path):
    with pytest.raises(PredictionsError, match="--thoughts-stripped"):
        refuse_without_thoughts(read_predictions(lines(tmp_path, lm_eval_row(0, ["The sum is \\boxed{5}."]))))


# EvalScope


def conversation(prompt, content):
    user = {"id": "4f3a", "role": "user", "content": prompt}
    return [user, {"id": "9c1d", "role": "assistant", "content": content, "model": "adder"}]


def predicted(index, prompt, content, *, stop="stop", error=None, **metadata):
    messages = conversation(prompt, content)
    output = {"model": "adder", "choices": [{"message": messages[1], "stop_reason": stop}], "error": error}
    row = {"index": index, "model": "adder", "model_output": output, "messages": messages}
    return {**row, "agent_trace": None, "metadata": metadata}


def reviewed(index, prompt, content, target=("5",), **metadata):
    score = {"score": {"value": {"acc": 1.0}}, "sample_id": index, "sample_metadata": metadata}
    return {"index": index, "target": list(target), "messages": conversation(prompt, content), "sample_score": score}


def apart(thought, text):
    return [{"type": "reasoning", "reasoning": thought}, {"type": "text", "text": text}]


def test_evalscope_thoughts_are_put_back_and_the_token_limit_is_kept(tmp_path):
    rows = [
        predicted(1, "a", apart("so", "then")),
        predicted(0, "a", THOUGHT),
        predicted(3, "b", apart("and so on", ""), stop="max_tokens"),
        predicted(2, "b", "", error="HTTP 500"),
    ]
    path = lines(tmp_path, *rows, name="predictions/adder/aime24_default.jsonl")
    reviews = lines(tmp_path, reviewed(0, "a", THOUGHT), name="reviews/adder/aime24_default.jsonl")
    for read in (read_predictions(path), read_predictions(reviews), read_predictions(tmp_path)):
        assert samples(read) == {
            ("0", 0): THOUGHT, ("0", 1): "so</think>then", ("1", 0): None, ("1", 1): "<think>and so on"
        }  # fmt: skip
        assert (cut(read), errors(read)) == ({("1", 1)}, {("1", 0): "HTTP 500"})
        assert (read.model, read.golds) == ("adder", {"0": "5"})


def test_evalscope_samples_that_never_came_shift_no_other_problem(tmp_path):
    rows = [predicted(n, "abcd"[n // 2], f"{n}") for n in (0, 1, 3, 6, 7)]
    read = read_predictions(lines(tmp_path, *rows))
    assert samples(read) == {("0", 0): "0", ("0", 1): "1", ("1", 0): "3", ("3", 0): "6", ("3", 1): "7"}


def test_evalscope_reviews_alone_have_texts_golds_and_ids(tmp_path):
    rows = [reviewed(0, "a", THOUGHT, question_id="test/sums/7.json"), reviewed(1, "b", "x", target=("5", "five"))]
    read = read_predictions(lines(tmp_path, *rows, name="reviews/adder/math_500_Level 1.jsonl"))
    assert samples(read) == {("test/sums/7.json", 0): THOUGHT, ("1", 0): "x"}
    assert (read.model, read.golds) == ("adder", {"test/sums/7.json": "5"})


def test_evalscope_the_files_of_a_benchmark_share_out_its_problems(tmp_path):
    for level in (1, 2):
        row = predicted(0, "a", f"{level}", question_id=f"test/sums/{level}.json")
        lines(tmp_path, row, name=f"predictions/adder/math_500_Level {level}.jsonl")
    assert samples(read_predictions(tmp_path)) == {("test/sums/1.json", 0): "1", ("test/sums/2.json", 0): "2"}


def test_evalscope_a_folder_may_be_named_from_where_one_is(tmp_path, monkeypatch):
    for level in (1, 2):
        for folder, made in (("predictions", predicted), ("reviews", reviewed)):
            lines(tmp_path, made(0, f"level {level}?", f"{level}"), name=f"run/{folder}/adder/sums_{level}.jsonl")
    monkeypatch.chdir(tmp_path)
    assert sorted(samples(read_predictions(Path("run"))).values()) == ["1", "2"]


# lighteval


def detail(number, texts, *, reasonings=None, samples_=2, choices=("5",), gold=0):
    doc = {"id": number, "query": "?", "choices": list(choices), "gold_index": gold, "num_samples": samples_}
    response = {"text": texts, "reasonings": reasonings or [None] * len(texts), "text_post_processed": ["x"]}
    return {"doc": doc, "metric": {"avg@n:n=2": 0.5}, "model_response": response}


def details(tmp_path, *rows):
    parquet, arrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    path = tmp_path / "details" / "openai" / "adder" / "2026-11-25T22" / "details_sums|0_2026-11-25T22.parquet"
    path.parent.mkdir(parents=True)
    parquet.write_table(arrow.Table.from_pylist(list(rows)), path)
    results = {"config_general": {"model_name": "openai/adder"}, "results": {}}
    keyed(tmp_path / "results" / "openai" / "adder" / "results_2026-11-25T22.json", results)
    return path


def test_lighteval_an_empty_text_is_a_failed_request_for_all_its_samples(tmp_path):
    failed_one = detail("1", [""], choices=("14", "15"), gold=1)
    rows = [failed_one, detail("0", [THOUGHT, "then"], reasonings=[None, "so"])]  # the tool shuffles its rows
    for path in (details(tmp_path, *rows), tmp_path):
        read = read_predictions(path)
        assert samples(read) == {
            ("0", 0): THOUGHT, ("0", 1): "so</think>then", ("1", 0): None, ("1", 1): None
        }  # fmt: skip
        assert (read.model, read.golds) == ("openai/adder", {"0": "5", "1": "15"})


def test_lighteval_a_task_that_compares_options_holds_no_texts(tmp_path):
    with pytest.raises(PredictionsError, match=r"row 0: no doc\.id or no texts in it"):
        read_predictions(details(tmp_path, detail("0", [])))


def test_lighteval_a_broken_file_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "details.parquet").write_bytes(b"PAR1")
    with pytest.raises(PredictionsError, match=r"cannot be read: .*give a whole parquet file"):
        read_predictions(tmp_path / "details.parquet")


def test_lighteval_without_pyarrow_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PredictionsError, match=r"needs pyarrow; pip install -e '.\[logs\]'"):
        read_predictions(tmp_path / "details.parquet")


# one completion a line


@pytest.mark.parametrize("field", ["response", "gold"])
def test_a_list_is_no_completion_and_no_gold(tmp_path, field):
    row = {"id": "a", "response": "5", "gold": "5"} | {field: ["5", "6"]}
    with pytest.raises(PredictionsError, match=f"line 1: '{field}' holds a list; one text is accepted"):
        read_predictions(lines(tmp_path, row))


# folders


def test_a_folder_of_several_runs_is_refused_with_both_files(tmp_path):
    for time in (1, 2):
        lines(tmp_path, lm_eval_row(0, ["x"]), name=f"m/samples_sums_{time}.jsonl")
    with pytest.raises(PredictionsError, match=r"problem '0' is in .*samples_sums_1.jsonl and in .*_2.jsonl"):
        read_predictions(tmp_path)


def test_a_folder_without_a_log_is_refused_with_what_is_accepted(tmp_path):
    keyed(tmp_path / "results.json", {"accuracy": 40.0})
    with pytest.raises(PredictionsError, match="no log in it; accepted are files of"):
        read_predictions(tmp_path)


def test_a_broken_log_in_a_folder_is_not_passed_over(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"id": 1, "resp')
    with pytest.raises(PredictionsError, match="line 1: not JSON"):
        read_predictions(tmp_path)
