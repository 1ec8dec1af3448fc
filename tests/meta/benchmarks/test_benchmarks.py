"""A benchmark is what it claims to be, or it is refused."""

import json

import pytest

from papergate.benchmarks import load, read_specs
from papergate.errors import BenchmarkError
from tests.meta.shared import shared

SPECS = read_specs()


def rows_of(name):
    return [json.loads(line) for line in shared(f"datasets/{name}").read_text().splitlines()]


def written(tmp_path, rows):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("name", "file", "variant"),
    [
        ("aime2024", "aime_2024.jsonl", "AI-MO lineage (HuggingFaceH4/aime_2024)"),
        ("aime2024", "aime_2024_aops.jsonl", "AoPS (deepscaler, TTRL)"),
        ("aime2024", "aime_2024_opencompass.jsonl", "OpenCompass and AISBench"),
        ("aime2025", "aime_2025.jsonl", "AoPS (Light-R1, Soft-Thinking)"),
        ("aime2025", "aime_2025_opencompass.jsonl", "opencompass/AIME2025"),
        ("math500", "math_500.jsonl", "official (openai/prm800k math_splits/test)"),
        ("math500", "math_500_opencompass.json", "official (openai/prm800k math_splits/test)"),
    ],
)
def test_published_texts_are_known_by_name(name, file, variant):
    loaded = load(SPECS[name], shared(f"datasets/{file}"))
    assert (loaded.variant, loaded.known) == (variant, True)
    assert len(loaded.problems) == SPECS[name].problems


def test_other_markup_of_a_known_text_is_recognised(tmp_path):
    rows = rows_of("aime_2024.jsonl")
    rows[0]["problem"] = rows[0]["problem"].replace("$", "").upper()
    loaded = load(SPECS["aime2024"], written(tmp_path, rows))
    assert loaded.known
    assert loaded.variant.endswith("with other markup")


def test_an_unknown_text_with_the_right_answers_runs_and_is_marked(tmp_path):
    rows = rows_of("aime_2024.jsonl")
    rows[0]["problem"] = "Retyped by hand: " + rows[0]["problem"]
    loaded = load(SPECS["aime2024"], written(tmp_path, rows))
    assert (loaded.known, loaded.variant) == (False, "unknown text variant")


def test_a_wrong_gold_is_refused(tmp_path):
    rows = rows_of("aime_2024.jsonl")
    rows[7]["answer"] = "480"
    with pytest.raises(BenchmarkError, match="Some gold answer is wrong"):
        load(SPECS["aime2024"], written(tmp_path, rows))


def test_another_year_is_refused():
    with pytest.raises(BenchmarkError, match="differ from every accepted AIME 2024"):
        load(SPECS["aime2024"], shared("datasets/aime_2023.jsonl"))


def test_29_rows_are_refused(tmp_path):
    with pytest.raises(BenchmarkError, match="29 rows where AIME 2024 has 30"):
        load(SPECS["aime2024"], written(tmp_path, rows_of("aime_2024.jsonl")[:29]))


def test_a_problem_that_stands_twice_is_refused(tmp_path):
    rows = rows_of("aime_2024.jsonl")
    rows[1] = rows[0]
    with pytest.raises(BenchmarkError, match="are listed more than once"):
        load(SPECS["aime2024"], written(tmp_path, rows))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("f.jsonl", '{"problem": "x"}\n' * 30, "row 1 is no row of AIME 2024: no column answer"),
        ("f.jsonl", '{"problem": "x", "answer": "a"}\n', "answer 'a' is no integer"),
        ("f.jsonl", "{", "line 1"),
        ("f.jsonl", "[1]", "line 1: list where an object is expected"),
        ("f.json", "3", "neither a list of objects"),
        ("f.txt", "", "not a format papergate reads"),
        ("f.jsonl", "", "0 rows where AIME 2024 has 30"),
    ],
)
def test_a_file_that_is_no_benchmark_is_refused_with_the_place(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(BenchmarkError, match=said):
        load(SPECS["aime2024"], path)


QUESTION = "Which particle is kept from the public?"
CONFIDENTIAL = SPECS["tiny-aime"].model_copy(update={"confidential": True, "problems": 2, "variants": ()})


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": QUESTION, "problem": QUESTION, "answer": "1"}] * 2,
        [{QUESTION: "1"}] * 2,
    ],
)
def test_a_refusal_of_confidential_rows_shows_none_of_their_text(tmp_path, rows):
    with pytest.raises(BenchmarkError) as refused:
        load(CONFIDENTIAL, written(tmp_path, rows))
    assert "particle" not in f"{refused.value}{refused.value.__cause__}"


def test_a_confidential_text_in_the_place_of_an_id_gives_way_to_its_digest(tmp_path):
    rows = [{"id": name, "problem": name, "answer": "1"} for name in (QUESTION, "rec7")]
    first, second = load(CONFIDENTIAL, written(tmp_path, rows)).problems
    assert len(first.id) == 12
    assert "particle" not in first.id
    assert second.id == "rec7"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match="no such file"):
        load(SPECS["aime2024"], tmp_path / "none.jsonl")


@pytest.mark.parametrize(("name", "rows"), [("tiny-aime", 30), ("tiny-math", 500)])
def test_embedded_benchmarks_are_generated_and_known_by_digest(name, rows):
    loaded = load(SPECS[name])
    assert (len(loaded.problems), loaded.known) == (rows, True)


def test_the_seeds_prompt_is_sent_word_for_word():
    prompt = load(SPECS["tiny-aime"]).problems[0].prompt
    assert prompt.endswith("\nPlease reason step by step, and put your final answer within \\boxed{}.")


def choice_row(**columns):
    return {
        "Question": "Which?",
        "Correct Answer": "w",
        **{f"Incorrect Answer {n}": f"x{n}" for n in (1, 2, 3)},
        **columns,
    }


def test_options_of_gpqa_are_shuffled_by_the_question_alone():
    from papergate.benchmarks.layouts import problem_of

    spec = SPECS["gpqa-diamond"]
    first, again = (problem_of(choice_row(), index, spec) for index in (0, 77))
    assert (first.prompt, first.gold) == (again.prompt, again.gold)
    assert f"{first.gold}) w" in first.prompt
    assert dict(zip("ABCD", first.options, strict=True))[first.gold] == "w"
    golds = {problem_of(choice_row(Question=f"Which {n}?"), n, spec).gold for n in range(40)}
    assert golds == set("ABCD")


def test_mmlu_is_read_from_either_of_its_layouts():
    from papergate.benchmarks.layouts import problem_of

    spec = SPECS["mmlu"]
    hub = problem_of({"question": "q", "choices": ["1", "2", "3", "4"], "answer": 2, "subject": "s"}, 0, spec)
    csv = problem_of({"question": "q", "A": "1", "B": "2", "C": "3", "D": "4", "answer": "C", "subject": "s"}, 0, spec)
    assert hub == csv
    assert hub.gold == "C"
    assert "C) 3" in hub.prompt
    assert hub.options == ("1", "2", "3", "4")


def test_cluewsc_asks_whether_the_pronoun_is_the_noun():
    from papergate.benchmarks.layouts import problem_of

    row = {"text": "他走了。", "target": {"span1_text": "小明", "span2_text": "他"}, "label": "false"}
    problem = problem_of(row, 0, SPECS["cluewsc-dev"])
    assert problem.gold == "B"
    assert "“他”是否指代“小明“" in problem.prompt
    assert problem.options == ("是", "否")
