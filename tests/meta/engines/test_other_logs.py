"""Logs that number or shuffle their problems: each sample arrives, failed is failed, and texts tell problems."""

import json
import subprocess
import zipfile
from shutil import which
from types import SimpleNamespace

import pytest

from papergate.acceptance import with_ids_of
from papergate.benchmarks import load, read_specs
from papergate.engines.replay import read_predictions
from papergate.errors import PredictionsError
from papergate.scoring import AnswerKind, Attempt, Grader, Outcome
from tests.meta.engines.test_logs import cut, errors, keyed
from tests.meta.engines.test_replay import lines, samples
from tests.meta.shared import shared

EGGS = "A farmer has 3 hens that lay 2 eggs a day each. How many eggs does she have after 4 days?"
SUMS = "What is $2 + 3$ plus the number of corners of a triangle?"
THOUGHT = "I count.</think>It is \\boxed{24}."


def benchmark(**problems):
    """A double: problems by id, each a text and a gold."""
    listed = [SimpleNamespace(id=name, text=text, gold=gold) for name, (text, gold) in problems.items()]
    return SimpleNamespace(problems=listed, source="own.jsonl", spec=SimpleNamespace(name="own"))


DATA = benchmark(eggs=(EGGS, "24"), sums=(SUMS, "8"))


# NeMo-Skills and sgl-eval


def nemo(text, problem=EGGS, **more):
    return {"generation": text, "problem": problem, "expected_answer": "24", "id": "own-0", **more}


def test_nemo_skills_the_files_of_all_seeds_are_samples_of_the_same_problems(tmp_path):
    lines(tmp_path, nemo("one"), name="own/output-rs3.jsonl")
    second = lines(tmp_path, nemo("two"), name="own/output-rs10.jsonl")
    for path in (second, tmp_path):
        read = read_predictions(path)
        assert samples(read) == {("own-0", 0): "one", ("own-0", 1): "two"}
        assert read.golds == {"own-0": "24"}


def test_nemo_skills_a_thought_apart_is_put_back_and_failures_are_kept_apart_from_cut_ones(tmp_path):
    rows = [
        nemo("It is 24.", reasoning_content="I count.", finish_reason="stop"),
        nemo("", id="own-1", finish_reason="error"),
        nemo("so", id="own-2", finish_reason="length"),
        nemo("", id="own-3", error="context_window_exceeded"),
        nemo("24", id="own-4", _full_generation=THOUGHT),
    ]
    read = read_predictions(lines(tmp_path, *rows, name="output.jsonl"))
    assert samples(read)["own-0", 0] == "I count.</think>It is 24."
    assert samples(read)["own-4", 0] == THOUGHT
    assert errors(read) == {("own-1", 0): "finish error", ("own-3", 0): "context_window_exceeded"}
    assert cut(read) == {("own-2", 0)}


def test_a_thought_apart_that_was_cut_off_is_never_an_answer(tmp_path):
    rows = [nemo("", reasoning_content="Perhaps \\boxed{24}, or", finish_reason="length")]
    (text,) = samples(read_predictions(lines(tmp_path, *rows, name="output.jsonl"))).values()
    assert text == "<think>Perhaps \\boxed{24}, or"
    with Grader() as grader:
        (grade,) = grader.grade([Attempt(text=text, gold="24", kind=AnswerKind.MATH, thinks=False)])
    assert (grade.outcome, grade.reason) == (Outcome.INCORRECT, "truncated")


def test_sgl_eval_names_the_model_beside_its_log(tmp_path):
    lines(tmp_path, nemo("one"), name="own/output-rs0.jsonl")
    (tmp_path / "own" / "metrics.json").write_text(json.dumps({"model": "org/adder"}))
    assert read_predictions(tmp_path).model == "org/adder"


# Inspect


def inspect_sample(name, epoch, content, *, stop="stop", **more):
    message = {"role": "assistant", "content": content}
    choices = [{"message": message, "stop_reason": stop}]
    question = [{"role": "user", "content": EGGS}]
    return {"id": name, "epoch": epoch, "input": question, "target": "24", "output": {"choices": choices}, **more}


INSPECT = [
    inspect_sample("a", 1, [{"type": "reasoning", "reasoning": "I count."}, {"type": "text", "text": "24"}]),
    inspect_sample("a", 2, "attachment://f00", attachments={"f00": THOUGHT}),
    inspect_sample("b", 1, "so", stop="max_tokens"),
    inspect_sample("b", 2, "", error={"message": f"ModelError(Request: {EGGS})"}),
]
READ = {("a", 0): "I count.</think>24", ("a", 1): THOUGHT, ("b", 0): "so", ("b", 1): None}
EVAL = {"eval": {"model": "openai/org/R1", "task": "own"}}


def archive(path, header, *, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr(header, json.dumps(EVAL))
        for sample in INSPECT:
            file.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        file.writestr("summaries.json", "[]")
    return path


def test_inspect_reads_json_and_archives_alike_also_of_a_run_that_was_stopped(tmp_path):
    (tmp_path / "stopped").mkdir()
    for path in (
        keyed(tmp_path / "json" / "log.json", {**EVAL, "samples": INSPECT}),
        archive(tmp_path / "log.eval", "header.json"),
        archive(tmp_path / "stopped" / "log.eval", "_journal/start.json"),
    ):
        read = read_predictions(path)
        assert samples(read) == READ
        assert (read.model, read.golds) == ("openai/org/R1", {"a": "24", "b": "24"})
        assert (cut(read), errors(read)) == ({("b", 0)}, {("b", 1): "ModelError (see the log)"})


def test_a_damaged_archive_gets_two_ways_to_read_it(tmp_path):
    path = archive(tmp_path / "log.eval", "header.json")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(PredictionsError, match=r"pip install -e '\.\[logs\]', or inspect log convert .* --to json"):
        read_predictions(path)


def test_an_archive_that_unpacks_beyond_any_text_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "log.eval", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("samples/a.json", b"\0" * 100_000_000)
    with pytest.raises(PredictionsError, match="unpacks to 95 MiB"):
        read_predictions(tmp_path / "log.eval")


# verifiers, simple-evals, evalchemy, the Qwen2.5-Math harness, QwQ's eval


def test_verifiers_numbers_its_examples_and_keeps_truncated_and_failed_apart(tmp_path):
    def row(number, content, **more):
        completion = [{"role": "assistant", "content": content, "reasoning_content": "I count."}] if content else []
        prompt = [{"role": "user", "content": EGGS}]
        return {"example_id": number, "prompt": prompt, "completion": completion, "answer": "24", **more}

    path = lines(tmp_path, row(0, "24"), row(0, "so", is_truncated=True), row(0, "", error="timeout"))
    keyed(tmp_path / "metadata.json", {"model": "org/R1"})
    read = read_predictions(path)
    assert samples(read) == {("0", 0): "I count.</think>24", ("0", 1): "I count.</think>so", ("0", 2): None}
    assert (read.model, cut(read), errors(read)) == ("org/R1", {("0", 1)}, {("0", 2): "timeout"})
    assert with_ids_of(DATA, read).problems == ("eggs",)


def trace(number, content="", *, finish="stop", error=None, **more):
    """A rollout as verifiers 0.4 wrote it here; a request that the server refused is ``ok`` and has no message."""
    said = {"role": "assistant", "content": content, "reasoning_content": "I count."}
    nodes = [{"message": {"role": "user", "content": EGGS}, "sampled": False}, {"message": said, "sampled": True}]
    call = {"model": "org/R1", "finish_reason": finish} if content else {"model": "org/R1", "error": error}
    told = {"nodes": nodes if content else [], "calls": [call], "ok": True, "errors": []}
    data = {"idx": number, "prompt": EGGS, "answer": "24"}
    return {"task": {"type": "T", "data": data, "key": "f00"}, "ok": True, "errors": [], "traces": [told], **more}


def test_verifiers_traces_tell_a_refused_request_from_an_answer_though_both_are_ok(tmp_path):
    refused = {"type": "ProviderError", "message": "upstream 400", "status_code": 400}
    ended = trace(0, traces=[], ok=False, errors=[{"type": "HarnessError", "message": "no uv"}])
    rows = (trace(0, "24"), trace(0, "so", finish="length"), trace(0, error=refused), ended, trace(0, traces=[]))
    read = read_predictions(lines(tmp_path, *rows, name="traces.jsonl"))
    assert [*samples(read).values()] == ["I count.</think>24", "I count.</think>so", None, None, None]
    assert (read.model, cut(read), read.golds) == ("org/R1", {("0", 1)}, {"0": "24"})
    assert [*errors(read).values()] == [
        "ProviderError: upstream 400",
        "HarnessError: no uv",
        "no answer of the model is in it",
    ]
    assert with_ids_of(DATA, read).problems == ("eggs",)


def test_verifiers_a_rollout_of_several_agents_has_no_answer_that_counts(tmp_path):
    both = trace(0, traces=[{}, {}])
    with pytest.raises(PredictionsError, match="a rollout of 2 agents: nothing says whose answer counts"):
        read_predictions(lines(tmp_path, both, name="traces.jsonl"))


def test_simple_evals_has_neither_ids_nor_golds_and_its_texts_are_enough(tmp_path):
    asked = f"Solve the following math problem step by step.\n\n{EGGS}\n\nRemember to put your answer on its own line."
    convos = [
        [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
        for text, answer in ((SUMS, "8"), (asked, THOUGHT), (SUMS, ""), (SUMS, "No response (bad request)."))
    ]
    path = keyed(tmp_path / "math_m_allresults.json", {"score": 0.5, "metrics": {}, "htmls": [], "convos": convos})
    read = with_ids_of(DATA, read_predictions(path))
    assert samples(read) == {("sums", 0): "8", ("eggs", 0): THOUGHT, ("sums", 1): None, ("sums", 2): None}


def test_evalchemy_may_hold_several_benchmarks_of_which_the_asked_one_is_judged(tmp_path):
    own = {"examples": [{"problem": EGGS, "answer": "24", "model_outputs": [THOUGHT, ""]}]}
    other = {"examples": [{"question": "Who wrote the Iliad, and when?", "answer": "B", "model_output": "B"}]}
    path = keyed(tmp_path / "results.json", {"results": {"OWN": own, "OTHER": other}, "model_name": "org/R1"})
    read = with_ids_of(DATA, read_predictions(path))
    assert samples(read) == {("eggs", 0): THOUGHT, ("eggs", 1): None}
    assert (read.model, read.golds) == ("org/R1", {"eggs": "24"})


def test_a_part_of_which_some_problems_are_unknown_is_refused_whole(tmp_path):
    examples = [{"problem": text, "answer": "1", "model_outputs": ["x"]} for text in (EGGS, "An unknown problem?")]
    path = keyed(tmp_path / "results.json", {"results": {"OWN": {"examples": examples}}})
    with pytest.raises(PredictionsError, match=r"1 of its 2 problems, first text [0-9a-f]{12}, are not in own"):
        with_ids_of(DATA, read_predictions(path))


def test_the_harness_of_qwen_math_has_all_samples_in_a_line(tmp_path):
    row = {"idx": 0, "question": EGGS, "gt_cot": "", "gt": "24", "code": [THOUGHT, "x"], "pred": ["24", ""]}
    read = read_predictions(lines(tmp_path, row))
    assert samples(read) == {("0", 0): THOUGHT, ("0", 1): "x"}
    assert (with_ids_of(DATA, read).problems, read.golds) == (("eggs",), {"0": "24"})


def test_qwq_writes_answers_as_they_come(tmp_path):
    too_long = {"gen": "", "end_reason": "max length exceeded"}
    answers = ((SUMS, "a"), (EGGS, "b"), (SUMS, ""), (EGGS, too_long), (EGGS, None))
    rows = [{"prompt": prompt, "answer": "1", "gen": [text]} for prompt, text in answers]
    read = with_ids_of(DATA, read_predictions(lines(tmp_path, *rows)))
    texts = {("sums", 0): "a", ("eggs", 0): "b", ("sums", 1): None, ("eggs", 1): None, ("eggs", 2): None}
    assert samples(read) == texts
    assert errors(read)["eggs", 1] == "max length exceeded"


# problems told by their text


def test_a_script_may_give_the_problem_in_place_of_an_id_and_no_message_shows_it(tmp_path):
    rows = [{"problem": text.replace("$", "\\("), "response": "x"} for text in (EGGS, SUMS, EGGS)]
    read = read_predictions(lines(tmp_path, *rows))
    assert with_ids_of(DATA, read).problems == ("eggs", "sums")
    secret = benchmark(other=("Something else entirely, and long enough to be a problem.", "1"))
    with pytest.raises(PredictionsError) as refused:
        with_ids_of(secret, read)
    assert "hens" not in str(refused.value)


def test_a_prompt_that_holds_two_problems_is_of_neither(tmp_path):
    read = read_predictions(lines(tmp_path, {"question": f"{EGGS} And: {SUMS}", "response": "x"}))
    with pytest.raises(PredictionsError, match="1 of its 1 problems"):
        with_ids_of(DATA, read)


def test_a_problem_within_another_is_no_second_one(tmp_path):
    longer = f"{EGGS} And after a week?"
    read = read_predictions(lines(tmp_path, {"question": longer, "response": "x"}, {"question": EGGS, "response": "y"}))
    assert with_ids_of(benchmark(eggs=(EGGS, "24"), week=(longer, "42")), read).problems == ("week", "eggs")


def test_subsets_in_files_of_their_own_are_one_log_though_each_counts_from_0(tmp_path):
    for number, text in enumerate((EGGS, SUMS)):
        lines(tmp_path, {"idx": 0, "question": text, "gt": "1", "code": [f"{number}"]}, name=f"part{number}.jsonl")
    assert samples(with_ids_of(DATA, read_predictions(tmp_path))) == {("eggs", 0): "0", ("sums", 0): "1"}


# logs that almost fit


def test_a_log_that_almost_fits_gets_two_commands_which_make_it_fit(tmp_path):
    rows = [{"qid": f"q{n}", "llm output": f"{THOUGHT} {n}", "answer": "24", "score": 1.0} for n in range(3)]
    path = lines(tmp_path, *rows, name="own log.jsonl")
    with pytest.raises(PredictionsError) as refused:
        read_predictions(path)
    command = next(line.strip() for line in str(refused.value).splitlines() if line.strip().startswith("jq"))
    assert "pytest tests/accuracy -m replay --predictions fitted.jsonl" in str(refused.value)
    if which("jq") is None:
        pytest.skip("jq is not installed")
    subprocess.run(["sh", "-c", command], check=True, cwd=tmp_path)
    read = read_predictions(tmp_path / "fitted.jsonl")
    assert samples(read) == {(f"q{n}", 0): f"{THOUGHT} {n}" for n in range(3)}
    assert read.golds["q2"] == "24"


@pytest.mark.parametrize(
    "row", [{"score": 1.0}, {"qid": "q", "name": "short"}, {"verdict": "A long text without any id"}]
)
def test_a_file_without_ids_and_texts_gets_none(tmp_path, row):
    with pytest.raises(PredictionsError) as refused:
        read_predictions(lines(tmp_path, row))
    assert "jq" not in str(refused.value)


# logs of the tools themselves, read in place

CORRECT = {
    "nemo_skills": 45,
    "nemo_skills_parser": 45,
    "sgl_eval": 45,
    "verifiers": 45,
    "simple_evals": 25,
    "evalchemy": 45,
    "inspect_json": 46,
    "inspect_eval": 46,
    "by_problem_text": 45,
    "evalscope_aime25": 30,
}
"""Right answers in each, as counted by two graders."""


@pytest.mark.parametrize("name", CORRECT)
def test_a_log_that_lies_beside_the_project_is_read_whole(name):
    year = "2025" if name.endswith("aime25") else "2024"
    if name == "inspect_eval":
        pytest.importorskip("backports.zstd")
    data = load(read_specs()[f"aime{year}"], shared(f"datasets/aime_{year}.jsonl"))
    read = with_ids_of(data, read_predictions(shared(f"cases/logs/{name}")))
    golds = {problem.id: problem.gold for problem in data.problems}
    attempts = [
        Attempt(text=done.text, gold=golds[done.problem], kind=AnswerKind.MATH, thinks=True, bare=False)
        for done in read.completions
        if done.text is not None
    ]
    with Grader("strict") as grader:
        outcomes = [grade.outcome for grade in grader.grade(attempts)]
    assert len(read.problems) == 30
    assert outcomes.count(Outcome.CORRECT) == CORRECT[name]
