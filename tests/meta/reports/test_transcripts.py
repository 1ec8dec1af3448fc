"""The texts beside the page: every planned sample with its grade, word for word, and nothing that must not be shown."""

import json
import resource
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import pytest

from papergate.acceptance.flow import manifest_of
from papergate.acceptance.golden import golden_of, read_golden
from papergate.acceptance.saving import save, save_replayed
from papergate.completions.store import Store
from papergate.engines import Finish
from papergate.errors import StoreError
from papergate.reports.answers import Ended, answers_of
from papergate.reports.drawings import beside_golden
from papergate.reports.run import write_run_page
from papergate.run_folder.files import PAGE_FILE, QUESTIONS_FILE, TRANSCRIPTS_FOLDER
from tests.meta.tiny_runs import BENCHMARK, SPECS, TINY, accepted, case_of, completions_of, like_the_paper

FIRST = BENCHMARK.problems[0]
HOSTILE = '</script><script>alert(1)</script> \u2028\u2029\u202e ]]> \\u003c \\" ${x} `'


def kept(run, completions, k, *, golden=None, case=None):
    """A run on disk as a session leaves it: the store, the verdict, the page and its transcripts."""
    case, folder = case or case_of(golden=golden.run.counts if golden else None), run / TINY.id
    with Store.open(folder, manifest_of(case)) as store:
        store.append(*completions)
    record = save(accepted(case, completions, k), folder, golden)
    write_run_page(run, [])
    return record


def script(run, place=0):
    text = (run / TRANSCRIPTS_FOLDER / TINY.id / f"{place}.js").read_text()
    assert text.startswith("papergate.take(")
    assert text.endswith(")\n")
    return json.loads(text.removeprefix("papergate.take(").removesuffix(")\n"))


def confidential(case):
    spec = case.benchmark.spec.model_copy(update={"confidential": True})
    return replace(case, benchmark=replace(case.benchmark, spec=spec))


def test_every_completion_of_a_problem_stands_in_its_script_as_it_was_stored(tmp_path):
    completions = completions_of(like_the_paper, 4)
    completions[0] = replace(completions[0], text=HOSTILE, endpoint="http://a:1", output_tokens=7)
    kept(tmp_path, completions, 4)
    found = script(tmp_path)
    assert (
        [answer["sample"] for answer in found["answers"]]
        == [grade["sample"] for grade in found["grades"]]
        == [0, 1, 2, 3]
    )
    assert found["answers"][0]["text"] == HOSTILE
    assert (found["answers"][0]["endpoint"], found["answers"][0]["output_tokens"]) == ("http://a:1", 7)
    assert found["question"] == FIRST.prompt
    assert {"outcome", "extracted", "gold", "rule", "kind"} <= found["grades"][0].keys()
    assert len([*(tmp_path / TRANSCRIPTS_FOLDER / TINY.id).glob("[0-9]*.js")]) == len(BENCHMARK.problems)


def test_answers_to_a_confidential_benchmark_keep_their_grades_and_lose_their_texts(tmp_path):
    completions = [
        replace(done, text=f"They ask: {FIRST.text}</think>\\boxed{{{FIRST.prompt}}}")
        for done in completions_of(lambda *_: True, 2)
    ]
    kept(tmp_path, completions, 2, case=confidential(case_of()))
    found = script(tmp_path)
    assert found["question"] is None
    assert [answer["text"] for answer in found["answers"]] == [None, None]
    assert [grade["outcome"] for grade in found["grades"]] == ["incorrect", "incorrect"]
    shown = "".join(path.read_text() for path in (tmp_path / TRANSCRIPTS_FOLDER / TINY.id).iterdir())
    shown += (tmp_path / PAGE_FILE).read_text()
    assert FIRST.text not in shown
    assert not (tmp_path / TINY.id / QUESTIONS_FILE).exists()


def test_texts_are_withheld_where_a_record_does_not_say_whether_they_may_be_shown(tmp_path):
    record = kept(tmp_path, completions_of(like_the_paper, 2), 2)
    untold = record.model_copy(update={"benchmark": record.benchmark.model_copy(update={"confidential": None})})
    untold.write(tmp_path / TINY.id / "verdict.json")
    write_run_page(tmp_path, [])
    assert script(tmp_path)["answers"][0]["text"] is None


def test_the_golden_runs_answers_stand_beside_those_of_the_run(tmp_path):
    kept(tmp_path / "golden", completions_of(lambda *_: True, 4), 4)
    golden = golden_of(read_golden(tmp_path / "golden", SPECS["tiny-aime"]), BENCHMARK.problems, BENCHMARK.digest)
    record = kept(tmp_path / "run", completions_of(lambda *_: False, 4), 4, golden=golden)
    found = script(tmp_path / "run")
    assert {grade["outcome"] for grade in found["grades"]} == {"incorrect"}
    assert [grade["outcome"] for grade in found["golden_grades"]] == ["correct"] * 4
    assert len(found["golden"]) == 4
    assert record.golden.correct == record.golden.planned == (4,) * 30
    picture = beside_golden(record)
    ends = next(mark.at for mark in picture.marks if mark.shape == "line")
    for axis, (none, every) in ((picture.columns, ("x1", "x2")), (picture.rows, ("y1", "y2"))):
        assert [tick.at for tick in axis if tick.label in {"0", "100"}] == [ends[none], ends[every]]


def test_a_golden_run_that_is_gone_leaves_the_transcripts_of_the_run(tmp_path):
    kept(tmp_path / "golden", completions_of(lambda *_: True, 4), 4)
    golden = golden_of(read_golden(tmp_path / "golden", SPECS["tiny-aime"]), BENCHMARK.problems, BENCHMARK.digest)
    (tmp_path / "golden").rename(tmp_path / "elsewhere")
    kept(tmp_path / "run", completions_of(like_the_paper, 4), 4, golden=golden)
    assert "golden" not in script(tmp_path / "run")


def test_a_replayed_log_has_transcripts_too(tmp_path):
    completions, case = completions_of(like_the_paper, 2), case_of()
    case = replace(case, identity=replace(case.identity, engine="replay"))
    save_replayed(completions, tmp_path / TINY.id)
    save(accepted(case, completions, 2), tmp_path / TINY.id)
    write_run_page(tmp_path, [])
    assert script(tmp_path)["answers"][1]["text"] == completions[1].text


def test_every_planned_sample_ends_in_one_way_and_they_add_up(tmp_path):
    completions = completions_of(lambda *_: True, 4)
    odd = {
        1: {"text": "an unclosed thought", "finish": Finish.LENGTH},
        2: {"text": "t</think>\\boxed{1000}"},
        3: {"text": "again and again. " * 400 + "</think>\\boxed{1000}"},
        4: {"text": "t</think>"},
        5: {"finish": Finish.REFUSED},
        6: {"text": None, "finish": Finish.FAILED, "error": "lost"},
    }
    completions = [replace(done, **odd.get(place, {})) for place, done in enumerate(completions)][:-1]
    record = kept(tmp_path, completions, 4)
    answers = answers_of(tmp_path / TINY.id, record)
    counts = Counter(answer.ended for answer in answers.of.values())
    assert sum(counts.values()) == sum(record.counts.samples)
    once = (Ended.CUT, Ended.WRONG, Ended.LOOP, Ended.UNANSWERED, Ended.SERVER, Ended.FAILED, Ended.MISSING)
    assert {ended: counts[ended] for ended in once} == dict.fromkeys(once, 1)
    assert answers.of[FIRST.id, 1].letter == "T"


def test_other_completions_or_grades_have_another_stamp(tmp_path):
    record = kept(tmp_path, completions_of(like_the_paper, 2), 2)
    first = answers_of(tmp_path / TINY.id, record).stamp
    grades = tmp_path / TINY.id / "grades.jsonl"
    grades.write_text(grades.read_text().replace('"correct"', '"incorrect"', 1))
    assert answers_of(tmp_path / TINY.id, record).stamp != first == script(tmp_path)["stamp"]


@pytest.mark.parametrize("damage", ["{", "[]\n", '{"problem": "p"}\n', "\udcff"])
@pytest.mark.parametrize("name", ["grades.jsonl", "completions.jsonl", "questions.jsonl"])
def test_a_damaged_file_of_a_run_costs_the_page_no_more_than_what_it_held(tmp_path, name, damage):
    kept(tmp_path, completions_of(like_the_paper, 2), 2)
    path = tmp_path / TINY.id / name
    path.write_bytes(damage.encode(errors="surrogateescape") + path.read_bytes())
    assert "Promises: 1." in write_run_page(tmp_path, []).read_text()


@pytest.mark.parametrize("field", ["finish", "endpoint", "output_tokens", "ttft_s", "e2e_s", "sample", "problem"])
@pytest.mark.parametrize("value", [["a"], {}, "many", -1, True, None])
def test_a_line_that_states_something_else_costs_no_page(tmp_path, field, value):
    kept(tmp_path, completions_of(like_the_paper, 2), 2)
    path = tmp_path / TINY.id / "completions.jsonl"
    first, *rest = path.read_bytes().strip().split(b"\n")
    path.write_bytes(b"\n".join([json.dumps({**json.loads(first), field: value}).encode(), *rest]))
    assert "Promises: 1." in write_run_page(tmp_path, []).read_text()


@pytest.mark.parametrize("name", [TRANSCRIPTS_FOLDER, f"{TRANSCRIPTS_FOLDER}/{TINY.id}"])
def test_nothing_is_removed_or_written_through_a_planted_link(tmp_path, name):
    kept(tmp_path / "run", completions_of(like_the_paper, 2), 2)
    theirs = tmp_path / "theirs" / TINY.id
    theirs.mkdir(parents=True)
    (theirs / "dear.txt").write_text("keep me")
    link = tmp_path / "run" / name
    shutil.rmtree(link)
    link.symlink_to(theirs if name.endswith(TINY.id) else theirs.parent)
    with pytest.raises(StoreError, match="is a link"):
        write_run_page(tmp_path / "run", [])
    assert [path.name for path in theirs.iterdir()] == ["dear.txt"]


@pytest.mark.parametrize("name", ["grades.jsonl", "completions.jsonl"])
def test_a_run_without_one_of_its_files_has_a_page_all_the_same(tmp_path, name):
    kept(tmp_path, completions_of(like_the_paper, 2), 2)
    (tmp_path / TINY.id / name).unlink()
    assert write_run_page(tmp_path, []).exists()


@contextmanager
def files_of_at_most(size):
    """As a disk that is full: every file ends there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_where_the_texts_have_no_room_the_page_stands_and_they_take_none(tmp_path):
    completions = completions_of(like_the_paper, 2)
    completions[-1] = replace(completions[-1], text="so " * 200_000 + completions[-1].text)
    kept(tmp_path, completions, 2)
    (tmp_path / PAGE_FILE).unlink()
    said = f"report.html stands without the texts of its answers, .* --run={tmp_path}"
    with files_of_at_most(500_000), pytest.raises(StoreError, match=said):
        write_run_page(tmp_path, [])
    assert "</html>" in (tmp_path / PAGE_FILE).read_text()
    assert not [*(tmp_path / TRANSCRIPTS_FOLDER).rglob("*.js")]
