"""A stored run judged again: offline, by its own protocol and seed, and an error replaces nothing."""

import html
import json
import shutil
from pathlib import Path

import pytest

from papergate.acceptance.options import Options
from papergate.cli import main
from papergate.errors import PapergateError, StoreError
from papergate.exit_codes import ExitCode
from papergate.gate import judge_again, merge
from papergate.run_folder.files import COMPLETIONS_FILE, HISTORY_FILE, MARK_FILE, VERDICT_FILE
from papergate.run_folder.verdict import VerdictRecord, read_verdict

FIRST_FORMAT = Path(__file__).parents[1] / "run_folder" / "first_format"
PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"


@pytest.fixture
def run(tmp_path):
    """A run of the first format: its completions have no checksums."""
    shutil.copytree(FIRST_FORMAT / PROMISE, tmp_path / "run" / PROMISE)
    return tmp_path / "run"


@pytest.fixture
def golden(tmp_path):
    """Another run of the first format, as far as a reference needs it: the completions are those of `run`."""
    folder = shutil.copytree(FIRST_FORMAT / PROMISE, tmp_path / "golden" / PROMISE)
    (folder / COMPLETIONS_FILE).unlink()
    return folder


def edited(run, change):
    path = run / PROMISE / "manifest.json"
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def test_a_run_judged_again_has_the_same_evidence_in_the_present_format(run):
    before = read_verdict(run / PROMISE)
    (line,) = judge_again(run, Options()).lines
    assert line.record == read_verdict(run / PROMISE), line.error
    same = {"counts", "aggregates", "tokens", "times", "engine", "run_seed", "grader", "partial"}
    assert {name for name in same if getattr(line.record, name) != getattr(before, name)} == set()
    assert before.tally.items() <= line.record.tally.items()
    assert (line.record.judgement.score, line.record.judgement.k) == (before.judgement.score, before.judgement.k)
    assert json.loads((run / PROMISE / VERDICT_FILE).read_text())["format"] == VerdictRecord.FORMAT
    assert line.record.sentence in html.unescape((run / "report.html").read_text())


def test_a_record_that_was_damaged_is_mended(run):
    (run / PROMISE / VERDICT_FILE).write_text("{")
    assert judge_again(run, Options()).lines[0].record == read_verdict(run / PROMISE)


def test_the_exit_code_says_whether_all_promises_are_kept(run, capsys):
    code = judge_again(run, Options()).exit_code
    assert code is ExitCode.UNDECIDED
    assert main(["runs", "judge", str(run)]) == code
    assert read_verdict(run / PROMISE).sentence in capsys.readouterr().out


REFUSED = {
    "another promise": (lambda fields: fields.update(promise="nobody's"), "no target file promises"),
    "another text": (lambda fields: fields.update(benchmark_digest="0" * 64), "benchmark_digest: this run"),
    "another prompt": (lambda fields: fields.update(prompt_digest="0" * 64), "prompt_digest: this run"),
    "another sampling": (lambda fields: fields["sampling"].update(temperature="0.9"), "sampling.temperature: this run"),
    "another protocol": (lambda fields: fields.update(protocol="vendor"), "a verdict on a part of them"),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_judged_replaces_neither_record_nor_page(run, change, said, capsys):
    judge_again(run, Options())
    page, record = (run / "report.html").read_bytes(), (run / PROMISE / VERDICT_FILE).read_bytes()
    edited(run, change)
    assert main(["runs", "judge", str(run)]) == ExitCode.ERROR
    assert said in capsys.readouterr().out
    assert ((run / "report.html").read_bytes(), (run / PROMISE / VERDICT_FILE).read_bytes()) == (page, record)


def test_missing_samples_are_no_wrong_answers(run):
    path = run / PROMISE / "completions.jsonl"
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:100]))
    (run / PROMISE / MARK_FILE).unlink(missing_ok=True)
    record = judge_again(run, Options()).lines[0].record
    assert record.verdict == "inconclusive"
    assert record.tally["missing"] > 0


def test_a_run_beside_a_golden_run_is_not_quietly_held_against_the_paper(run, golden):
    shutil.copy(FIRST_FORMAT / "beside-golden" / VERDICT_FILE, run / PROMISE / VERDICT_FILE)
    assert "--golden RUN" in judge_again(run, Options()).lines[0].error
    record = judge_again(run, Options(golden=golden)).lines[0].record
    assert record.golden.promise == PROMISE
    assert record.grader == "aisbench"


def test_a_merge_that_cannot_be_judged_has_no_verdict_and_is_not_held_against_the_paper_later(run, golden, tmp_path):
    beside = Options(golden=golden)
    assert judge_again(run, beside).lines[0].record
    whole = tmp_path / "whole"
    assert "--golden RUN" in merge([run], whole, Options()).lines[0].error
    assert read_verdict(whole / PROMISE) is None
    assert "--golden RUN" in judge_again(whole, Options()).lines[0].error
    assert read_verdict(whole / PROMISE) is None
    assert judge_again(whole, beside).lines[0].record.golden.promise == PROMISE


def test_the_run_of_one_promise_is_never_shown_as_that_of_another(run, capsys):
    judge_again(run, Options())
    other = PROMISE.replace("aime", "math")
    (run / PROMISE).rename(run / other)
    renamed = f"holds the run of {PROMISE}, and the folder of a promise has its name"
    for command in (["judge"], ["show"], ["check"]):
        assert main(["runs", *command, str(run)]) != 0
        assert renamed in " ".join(capsys.readouterr().out.split())
    assert main(["statement", str(run)]) != 0
    assert renamed in capsys.readouterr().err


def test_a_wrong_option_merges_nothing(run, tmp_path):
    with pytest.raises(PapergateError):
        merge([run], tmp_path / "whole", Options(targets=(tmp_path / "none",)))
    assert not (tmp_path / "whole").exists()


def test_a_damaged_history_is_not_merged(run, tmp_path):
    judge_again(run, Options())
    (run / PROMISE / HISTORY_FILE).write_text("{")
    with pytest.raises(StoreError, match=r"verdicts\.jsonl, line 1 cannot be read"):
        merge([run], tmp_path / "whole", Options())
    assert not (tmp_path / "whole").exists()


def test_a_folder_without_completions_is_refused(tmp_path, capsys):
    assert main(["runs", "judge", str(tmp_path)]) == 2
    assert "holds no completions to judge" in capsys.readouterr().err
