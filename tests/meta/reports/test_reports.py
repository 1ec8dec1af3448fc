"""Reports say what was judged: properties, aggregates, per-problem file, words beside the verdict."""

import json
import re
import sys
from dataclasses import replace
from fractions import Fraction

import pytest
from rich.cells import cell_len
from rich.text import Text

from papergate.acceptance import manifest_of, rule_of
from papergate.acceptance.saving import save
from papergate.completions.store import Store
from papergate.engines import Finish
from papergate.errors import PromiseError
from papergate.promises import Tolerance
from papergate.reports.answers import answers_of
from papergate.reports.drawings import endpoints_table, parts_by_endpoint
from papergate.reports.family import family_of, standing
from papergate.reports.junit import properties
from papergate.reports.page import write_page
from papergate.reports.table import HEADINGS, Line, console_of, print_line, print_rows, print_table
from papergate.run_folder.files import PROBLEMS_FILE
from papergate.run_folder.notes import note
from papergate.run_folder.verdict import read_verdict
from papergate.statistics.family import holm_alpha
from papergate.words import say
from tests.meta.tiny_runs import BENCHMARK, TINY, accepted, case_of, completions_of, like_the_paper


def two_in_three(place, sample):
    """Right in two of three samples of every problem: some points low, with much noise."""
    return (place + sample) % 3 != 0


def saved(folder, right=like_the_paper, k=4, **settings):
    return save(accepted(case_of(**settings), completions_of(right, k), k), folder)


def test_the_properties_state_the_verdicts_numbers(tmp_path):
    found = dict(properties(saved(tmp_path)))
    assert (found["n"], found["k"], found["errors"], found["truncations"]) == ("30", "4", "0", "0")
    assert (found["literal"], found["proven_within"]) == ("true", "false")
    low, high = json.loads(found["interval"])
    assert low < float(found["score_percent"]) < high
    assert float(found["paper_error_points"]) > 0
    assert float(found["pass_at_4"]) == pytest.approx(23 / 30, abs=1e-4)
    assert float(found["cons_at_1"]) == pytest.approx(23 / 30, abs=1e-4)
    assert 0 <= float(found["paper_noise_chance"]) <= 1


def test_an_open_verdict_has_its_runs_needed_and_a_decided_one_none(tmp_path):
    assert int(dict(properties(saved(tmp_path, k=2)))["runs_needed"]) > 2
    assert dict(properties(saved(tmp_path, lambda *_: False)))["runs_needed"] == "none"


def test_the_problems_of_the_file_have_the_score_as_their_mean(tmp_path):
    record = saved(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / PROBLEMS_FILE).read_text().splitlines()]
    mean = sum(Fraction(row["correct"], row["samples"]) for row in rows) / len(rows)
    assert float(mean) == record.judgement.score
    assert rows[0]["family"] == "addition"
    assert rows[0]["output_tokens"] == 400


def test_aggregates_have_the_names_of_papers(tmp_path):
    found = saved(tmp_path).aggregates
    assert list(found.pass_at_k) == list(found.cons_at_k) == ["1", "2", "4"]
    assert found.pass_at_k["1"] == pytest.approx(found.pass_at_1)
    assert found.pass_at_k["4"] == pytest.approx(23 / 30)
    assert sum(row.n for row in found.groups["family"]) == 30


def test_equivalent_answers_vote_together(tmp_path):
    def spelled(done):
        gold = next(problem.gold for problem in BENCHMARK.problems if problem.id == done.problem)
        answers = [f"{gold}.0", f"\\frac{{{2 * int(gold)}}}{{2}}", "1000", "1001"]
        return replace(done, text=f"t</think>\\boxed{{{answers[done.sample]}}}")

    completions = [spelled(done) for done in completions_of(lambda *_: True, 4)]
    found = save(accepted(case_of(), completions, 4), tmp_path).aggregates
    assert found.pass_at_1 == 0.5
    assert found.cons_at_k["4"] == 1.0
    assert found.majority_correct == 0.0


@pytest.mark.parametrize(("right", "score"), [(True, 1.0), (False, 0.0)])
def test_all_and_none_correct_have_an_interval_and_fail(tmp_path, right, score):
    record = saved(tmp_path, lambda *_: right)
    judged = record.judgement
    assert judged.score == score
    assert judged.lo < judged.d or judged.d < judged.hi
    assert record.verdict == "fail"
    assert record.aggregates.cons_at_k["4"] == score


def test_one_sample_per_problem_is_hardly_ever_enough(tmp_path):
    record = saved(tmp_path, k=1)
    assert record.verdict == "inconclusive"
    assert record.judgement.literal
    assert list(record.aggregates.pass_at_k) == ["1"]


def test_samples_that_never_came_are_counted_as_errors_and_not_as_correct(tmp_path):
    def lost(place, sample):
        return None if (place, sample) == (0, 1) else True

    completions = completions_of(lost, 4)[:-1]
    found = accepted(case_of(), completions, 4)
    assert (found.tally["failed"], found.tally["missing"]) == (1, 1)
    assert found.judgement.score == Fraction(118, 120)
    record = save(found, tmp_path)
    assert dict(properties(record))["errors"] == "2"
    assert any("2 of the planned samples never came" in say(note) for note in record.notes)


def test_a_sample_cut_off_by_the_limit_or_inside_its_thought_is_a_truncation(tmp_path):
    cut = completions_of(lambda *_: True, 2, finish=Finish.LENGTH)[:1]
    unclosed = [replace(completions_of(lambda *_: True, 2)[1], text="an unclosed thought")]
    found = accepted(case_of(), cut + unclosed + completions_of(lambda *_: True, 2)[2:], 2)
    assert save(found, tmp_path).truncations == 2


def test_a_vendors_run_says_how_often_a_perfect_and_a_damaged_deployment_pass_it(tmp_path):
    pytest.importorskip("numpy")
    remarks = [*map(say, saved(tmp_path, k=1, protocol="vendor").remarks)]
    assert remarks[-1].startswith("a run of 30 problems x 1 sample passes with 22 to 23 correct of 30: a perfect ")
    assert "deployments that lost 1, 3, 5, 10 points in " in remarks[-1]


def test_the_papers_own_error_stands_beside_an_exact_verdict(tmp_path):
    (remark,) = map(say, saved(tmp_path).remarks)
    assert "the paper's own error is" in remark
    assert "not counted in the verdict" in remark


def test_a_partial_run_says_nothing_of_what_only_a_whole_one_can_tell(tmp_path):
    case = case_of(problems=BENCHMARK.problems[:5], limit=5)
    completions = completions_of(lambda *_: True, 2, problems=case.problems)
    record = save(accepted(case, completions, 2), tmp_path)
    assert record.remarks == record.notes == ()
    found = dict(properties(record))
    assert not {"paper_error_points", "paper_noise_chance", "runs_needed"} & found.keys()
    assert "samples per problem are expected" not in found["sentence"]


def test_a_log_of_a_part_of_the_problems_is_not_told_to_leave_out_limit():
    case = case_of(problems=BENCHMARK.problems[:5])
    found = accepted(case, completions_of(lambda *_: True, 2, problems=case.problems), 2)
    assert "which cannot pass: give the samples of every problem for a verdict" in found.sentence


def test_a_budget_that_stopped_a_run_and_a_withheld_verdict_are_in_the_sentence():
    completions = completions_of(two_in_three, 16)
    assert str(accepted(case_of(), completions, 16).verdict) == "fail"
    found = accepted(case_of(fail_alpha=0.001), completions, 16)
    assert (str(found.verdict), found.accepted, found.decided) == ("inconclusive", False, False)
    assert "among the promises of this session p = 0.001 is needed (Holm)" in found.sentence
    stopped = replace(found, withheld=None, stopped=note("tokens_spent", most=1, spent=2, needed=3.0))
    assert (
        "stopped by --budget-tokens 1: 2 tokens are spent, and the next look takes about 3 more; so far pass@1 66.7 %"
        in stopped.sentence
    )


def test_a_sure_failure_stands_in_the_family():
    found = accepted(case_of(fail_alpha=holm_alpha(0.05, 14, failed=0)), completions_of(lambda *_: False, 4), 4)
    assert str(found.verdict) == "fail"


def test_holms_thresholds_rise_with_every_failure():
    assert [holm_alpha(0.05, 3, failed=failed) for failed in range(4)] == pytest.approx([0.05 / 3, 0.025, 0.05, 0.05])


def family(folder):
    """Three kept promises, one sure failure and one that fails by itself."""
    rights = {
        "kept": like_the_paper,
        "kept too": like_the_paper,
        "and kept": like_the_paper,
        "sure": lambda *_: False,
        "alone": two_in_three,
    }
    return [saved(folder / name, right, k=16).model_copy(update={"promise": name}) for name, right in rights.items()]


def test_the_family_of_a_run_is_stated_wherever_there_are_two_promises(tmp_path, capsys):
    records = family(tmp_path)
    assert family_of(records[:1]) is None
    assert standing(records) == {"sure": True, "alone": False}
    print_table([Line(promise=one.promise, record=one) for one in records], sys.stdout, width=100, colour=False)
    assert "5 promises, and each fails a perfect deployment as too low in at most 5% of runs" in capsys.readouterr().out
    page = write_page(records, [], tmp_path).read_text()
    assert "5 promises, and each fails" in page
    assert page.count("the failure does not stand (Holm)") == 1


def test_the_family_is_stated_in_the_terminal_only_where_something_failed(tmp_path, capsys):
    lines = [Line(promise=one.promise, record=one) for one in family(tmp_path)[:3]]
    print_table(lines, sys.stdout, width=100, colour=False)
    assert "Holm" not in capsys.readouterr().out


@pytest.mark.parametrize("width", [40, 80])
def test_a_table_of_many_columns_breaks_between_columns_and_never_inside_one(width, capsys):
    rows = [("a run and its time", *(f"{place} x 1" for place in range(12)), "an engine")]
    print_rows(console_of(sys.stdout, width, colour=True), HEADINGS * 2, rows)
    lines = [Text.from_ansi(line).plain for line in capsys.readouterr().out.splitlines()]
    assert all(len(line) <= width for line in lines)
    assert not [cell for cell in rows[0] if not any(cell in line for line in lines)]


@pytest.mark.parametrize("width", [24, 40, 80])
@pytest.mark.parametrize(
    "text",
    [
        "得到结论：在同一命令后加上--max-samples 20（只会补问缺少的部分，见http://127.0.0.1:8000/v1/models），“完成”。",
        "  note: the answers of http://127.0.0.1:8000/v1/models are in runs/20260131-120000-ab12/report.html, whole",
    ],
)
def test_a_terminal_breaks_no_word_and_no_address_in_either_language(text, width, capsys):
    print_line(console_of(sys.stdout, width, colour=True), text)
    lines = Text.from_ansi(capsys.readouterr().out.strip("\n")).plain.split("\n")
    words = re.findall(r"[!-~]+", text)
    assert re.findall(r"[!-~]+", " ".join(lines)) == words
    assert all(cell_len(line) <= width or max(map(len, words)) > width - 4 for line in lines)
    assert not [line for line in lines[1:] if line.lstrip()[0] in "，。：）”"]
    assert all(line.startswith("  ") for line in lines) == text.startswith("  ")
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_an_error_is_shown_with_its_remedy_and_a_long_one_is_cut(tmp_path, capsys):
    print_table([Line(promise="p", error="not here\nput it there")], sys.stdout, width=100, colour=False)
    assert "error: not here\n  put it there\n" in capsys.readouterr().out
    many = "\n".join(f"line {number}" for number in range(40))
    print_table([Line(promise="p", error=many)], sys.stdout, width=100, colour=False)
    shown = capsys.readouterr().out
    assert "  line 11\n" in shown
    assert "line 12" not in shown
    assert "  (12 of 40 lines; the report has all)" in shown
    page = write_page([], [("p", "not here\nput it there")], tmp_path).read_text()
    assert '<pre class="lines">not here\nput it there</pre>' in page


def test_what_ends_many_promises_is_said_once_below_a_row_for_each(capsys):
    lines = [Line(promise=name, error="the disk is full") for name in ("a", "b")] + [Line(promise="c", error="other")]
    print_table(lines, sys.stdout, width=100, colour=False)
    shown = capsys.readouterr().out
    assert [shown.count(text) for text in ("error: the disk is full", "error: other")] == [1, 1]
    assert shown.count("error  ") == 3
    assert "error: the disk is full\n  of: a, b\n" in shown


def test_the_page_shows_aggregates_and_groups_and_names_no_other_place(tmp_path):
    saved(tmp_path / "promise")
    page = write_page([read_verdict(tmp_path / "promise")], [], tmp_path).read_text()
    assert "cons@k" in page
    assert "By family" in page
    assert "http:" not in page
    assert "https:" not in page


def test_a_waiver_stands_on_the_first_screen_of_the_page(tmp_path):
    waived = note("waived", reason="old driver", expires="2027-01-31", broken=True)
    record = saved(tmp_path / "promise", lambda *_: False)
    page = write_page([record.model_copy(update={"notes": (waived,)})], [], tmp_path).read_text()
    card = page.partition('<section class="card')[2].partition("</section>")[0]
    assert "waived until 2027-01-31: old driver" in card
    assert "old driver" not in write_page([record], [], tmp_path).read_text()


def test_a_tolerance_of_zero_is_refused_before_anything_starts():
    zero = TINY.model_copy(update={"tolerance": Tolerance.parse("0 problems")})
    with pytest.raises(PromiseError, match="give a delta above 0"):
        rule_of(zero, problems=30)


def test_each_replica_stands_with_its_answers_tokens_and_lost_attempts_in_record_and_page(tmp_path):
    def answered(done):
        number = done.sample % 2
        lost = ("http://dead:1",) * 2 if (done.problem, done.sample) == (BENCHMARK.problems[0].id, 1) else ()
        return replace(done, endpoint=f"http://{number}:1", output_tokens=10 + number, lost_at=lost)

    completions = [answered(done) for done in completions_of(like_the_paper, 4)]
    case, folder = case_of(), tmp_path / TINY.id
    with Store.open(folder, manifest_of(case)) as store:
        store.append(*completions)
        acceptance = accepted(case, list(store.completions().values()), 4)  # as the file holds them
    record = save(acceptance, folder)
    count, right = (
        2 * len(BENCHMARK.problems),
        [
            sum(like_the_paper(place, sample) for place in range(30) for sample in range(number, 4, 2))
            for number in (0, 1)
        ],
    )
    assert [tuple(dict(one).values()) for one in record.replicas] == [
        ("http://0:1", count, right[0], 10 * count, 0),
        ("http://1:1", count, right[1], 11 * count, 0),
        ("http://dead:1", 0, 0, 0, 2),
    ]
    table = endpoints_table(parts_by_endpoint(record, answers_of(folder, record)))
    assert [(row[0], row[1], row[-1]) for row in table.rows] == [
        ("http://0:1", "60", "0"),
        ("http://1:1", "60", "0"),
        ("http://dead:1", "0", "2"),
    ]
    assert "http://dead:1" in write_page([record], [], tmp_path).read_text()
