"""A run beside a golden run: what moved is named, and a run that was asked something else is refused."""

import json
from dataclasses import replace

import pytest

from papergate.acceptance import manifest_of
from papergate.acceptance.golden import golden_of, read_golden
from papergate.acceptance.saving import save
from papergate.engines import EngineIdentity, Finish
from papergate.errors import StoreError
from papergate.run_folder.files import GRADES_FILE, HISTORY_FILE, MANIFEST_FILE, VERDICT_FILE
from papergate.words import say
from tests.meta.tiny_runs import BENCHMARK, SPECS, accepted, case_of, completions_of, like_the_paper

SPEC = SPECS["tiny-aime"]


def said(record):
    return [say(note) for note in record.notes]


def stored(folder, right=like_the_paper, k=16, **drawn):
    save(accepted(case_of(), completions_of(right, k, **drawn), k), folder)
    return folder


def beside(golden_folder, folder, right=like_the_paper, k=16, *, problems=BENCHMARK.problems, **drawn):
    golden = golden_of(read_golden(golden_folder, SPEC), problems, BENCHMARK.digest)
    case = case_of(problems=problems, golden=golden.run.counts)
    return save(accepted(case, completions_of(right, k, problems=problems, **drawn), k), folder, golden)


def test_the_same_deployment_passes_with_nothing_to_note(tmp_path):
    record = beside(stored(tmp_path / "golden", k=64), tmp_path / "run", k=64)
    assert record.verdict == "pass"
    assert record.promised.reference == "golden"
    assert record.golden.moved == record.notes == ()
    assert record.golden.length_within_band is True


def test_a_problem_that_moved_is_named_with_both_rates_and_its_adjusted_p_value(tmp_path):
    def one_collapsed(place, sample):
        return place != 3 and like_the_paper(place, sample)

    record = beside(stored(tmp_path / "golden"), tmp_path / "run", one_collapsed)
    (move,) = record.golden.moved
    assert (move.problem, move.golden_rate, move.rate) == (BENCHMARK.problems[3].id, 1.0, 0.0)
    assert move.adjusted == pytest.approx(30 * move.p_value)
    assert "tiny-aime-004 100% to 0%" in said(record)[-1]


def test_a_golden_run_that_misses_the_printed_score_itself_is_noted_beside_its_pass(tmp_path):
    def four_lost(place, sample):
        return place > 3 and like_the_paper(place, sample)

    record = beside(stored(tmp_path / "golden", four_lost, k=64), tmp_path / "run", four_lost, k=64)
    assert record.verdict == "pass"
    (one,) = [note for note in record.notes if note.code == "golden_off_the_print"]
    assert one.values["printed"] - one.values["golden"] == pytest.approx(100 * 4 / 30, abs=0.5)


@pytest.mark.parametrize(("tokens", "within"), [(89, False), (90, True), (110, True), (111, False)])
def test_a_mean_output_length_outside_the_band_is_noted(tmp_path, tokens, within):
    record = beside(stored(tmp_path / "golden"), tmp_path / "run", tokens=tokens)
    assert record.golden.length_within_band is within
    assert any(f"{tokens}.0 % of the golden run's length" in note for note in said(record)) is not within


def test_lengths_that_were_not_counted_cannot_be_compared_and_that_is_noted(tmp_path):
    record = beside(stored(tmp_path / "golden", tokens=None), tmp_path / "run")
    assert record.golden.length_within_band is None
    assert "tokens were not counted" in said(record)[-1]


def test_more_truncation_than_in_the_golden_run_is_noted(tmp_path):
    record = beside(stored(tmp_path / "golden"), tmp_path / "run", finish=Finish.LENGTH)
    assert (record.golden.truncation, record.golden.golden_truncation) == (1.0, 0.0)
    assert any("truncated completions: 100.00 %, in the golden run 0.00 %" in note for note in said(record))


def test_rows_in_another_order_and_a_part_of_them_are_found_by_their_ids(tmp_path):
    golden = stored(tmp_path / "golden")
    some = tuple(reversed(BENCHMARK.problems[:5]))
    record = beside(golden, tmp_path / "run", lambda *_: True, problems=some)
    assert record.judgement.d == 0
    assert record.verdict == "inconclusive"


def test_another_grader_or_sampling_is_noted(tmp_path):
    golden = stored(tmp_path / "golden")
    edited(golden, lambda summary: summary.update(grader="aisbench"))
    record = beside(golden, tmp_path / "run")
    assert "the golden run was made with other settings: grader aisbench, here strict" in said(record)


def edited(folder, change):
    path = folder / VERDICT_FILE
    summary = json.loads(path.read_text())
    change(summary)
    path.write_text(json.dumps(summary))
    (folder / HISTORY_FILE).unlink()  # as of a release that kept none


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda s: s["benchmark"].update(prompt_digest="0" * 64), "was asked with another prompt"),
        (lambda s: s["benchmark"].update(digest="0" * 64), "was asked another text"),
        (lambda s: s["benchmark"].update(name="tiny-math"), "must hold one verdict on tiny-aime; it holds none"),
        (
            lambda s: s["counts"]["problems"].__setitem__(0, "x"),
            "1 of its counts are not those of grades.jsonl, first of 'x'",
        ),
        (lambda s: s["counts"]["correct"].__setitem__(0, 3), "first of 'tiny-aime-001': 3 correct, 16 by its grades"),
        (lambda s: s["judgement"].update(score=0.5), "its score is 50.0000%, "),
        (lambda s: s.update(partial="5 of 30 problems"), "is a partial run"),
        (lambda s: s.pop("counts"), "cannot be read"),
    ],
)
def test_a_golden_run_that_is_no_reference_is_refused(tmp_path, change, refusal):
    golden = stored(tmp_path / "golden")
    edited(golden, change)
    with pytest.raises(StoreError, match=refusal):
        beside(golden, tmp_path / "run")


def test_a_folder_without_a_verdict_is_refused(tmp_path):
    with pytest.raises(StoreError, match="it holds none"):
        read_golden(tmp_path, SPEC)


def test_a_golden_run_that_was_changed_after_its_verdict_is_refused(tmp_path):
    golden = stored(tmp_path / "golden")
    text = (golden / GRADES_FILE).read_text()
    (golden / GRADES_FILE).write_text(text.replace('"incorrect"', '"correct"'))
    with pytest.raises(StoreError, match=r"grades\.jsonl was changed after the verdict; \d+ of its counts are not"):
        read_golden(golden, SPEC)


def test_a_golden_run_without_grades_is_no_secret(tmp_path):
    golden = stored(tmp_path / "golden")
    (golden / GRADES_FILE).unlink()
    assert "grades.jsonl is not beside the golden run. Not verified: " in said(beside(golden, tmp_path / "run"))[-1]


def test_a_golden_run_whose_counts_and_grades_were_edited_alike_shows_that_its_history_is_gone(tmp_path):
    golden = stored(tmp_path / "golden")
    path = golden / GRADES_FILE
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    last = next(row for row in reversed(rows) if row["outcome"] == "correct")
    last["outcome"] = "incorrect"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    edited(golden, lambda summary: one_fewer(summary, last["problem"]))
    assert "verdicts.jsonl is not beside the golden run" in " ".join(said(beside(golden, tmp_path / "run")))


def one_fewer(summary, problem):
    counts = summary["counts"]
    counts["correct"][counts["problems"].index(problem)] -= 1
    shares = [right / k for right, k in zip(counts["correct"], counts["samples"], strict=True)]
    summary["judgement"]["score"] = sum(shares) / len(shares)


@pytest.mark.parametrize("field", ["run_seed", "protocol", "model", "sampling", "prompt_digest", "benchmark_digest"])
def test_a_golden_run_is_compared_with_its_manifest(tmp_path, field):
    golden = stored(tmp_path / "golden")
    other = {"run_seed": 7, "protocol": "vendor", "sampling": {"temperature": "0.1", "max_tokens": 9}}
    fields = json.loads(manifest_of(replace(case_of(), identity=identity_of(golden))).model_dump_json())
    (golden / MANIFEST_FILE).write_text(json.dumps(fields))
    (golden / HISTORY_FILE).unlink()
    assert read_golden(golden, SPEC)
    (golden / MANIFEST_FILE).write_text(json.dumps(fields | {field: other.get(field, "another")}))
    words = {"run_seed": "seed", "prompt_digest": "prompt's digest", "benchmark_digest": "benchmark's digest"}
    with pytest.raises(StoreError, match=f"its {words.get(field, field)} is not that of manifest.json"):
        read_golden(golden, SPEC)


def identity_of(folder):
    return EngineIdentity(**json.loads((folder / VERDICT_FILE).read_text())["engine"])


def test_a_run_is_no_golden_run_of_itself(tmp_path):
    golden = stored(tmp_path / "golden")
    with pytest.raises(StoreError, match="no golden run of itself"):
        beside(golden, golden)
