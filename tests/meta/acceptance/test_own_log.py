"""A log of papergate's own is compared with what it claims before it is judged."""

import gzip
import json
import shutil

import pytest

from papergate.acceptance import accept, manifest_of
from papergate.acceptance.golden import read_golden
from papergate.acceptance.options import Options
from papergate.acceptance.own_log import notes_of_own_log
from papergate.acceptance.saving import save
from papergate.completions.store import Store
from papergate.engines.logs import papergate_run
from papergate.errors import PredictionsError, StoreError
from papergate.gate import gate
from papergate.run_folder.files import COMPLETIONS_FILE, MANIFEST_FILE, MARK_FILE
from papergate.words import say
from tests.meta.acceptance.test_tool_rules import WITH_TOOL
from tests.meta.acceptance.test_unequal_samples import Alternating
from tests.meta.tiny_runs import BENCHMARK, TINY, case_of

SAMPLES = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of this release, judged."""
    folder, case = tmp_path_factory.mktemp("made") / TINY.id, case_of(samples=SAMPLES)
    with Store.open(folder, manifest_of(case)) as store:
        save(accept(case, Alternating(), store), folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run" / TINY.id)


@pytest.fixture
def judged(tmp_path_factory):
    """Makes the line of the promise, judged by a log."""

    def judge(log, **options):
        asked = Options(predictions=log, model="papergate-tiny", run=tmp_path_factory.mktemp("again"), **options)
        (line,) = gate(asked, wanted=lambda promise: promise.id == TINY.id).lines
        return line

    return judge


def said(line):
    assert line.record, line.error
    return " / ".join(map(say, line.record.notes))


def test_a_log_that_is_what_it_says_is_judged_and_its_verdicts_are_named(judged, run):
    for log in (run, run / COMPLETIONS_FILE, run.parent):
        shown = said(judged(log))
        assert f"papergate's run {TINY.id} on scripted: its seals, seeds and manifest fit" in shown
        assert "the run that the log is of was judged 1 times before" in shown
        assert "how they were sampled" not in shown
        assert shown.count("its seals, seeds and manifest fit") == 1


def changed_manifest(folder, **fields):
    path = folder / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


CONTRADICTIONS = {
    "protocol": ("vendor", "protocol: the promise 'paper', stored 'vendor'"),
    "benchmark": ("tiny-math", "benchmark: the promise 'tiny-aime', stored 'tiny-math'"),
    "benchmark_digest": ("0" * 64, "benchmark_digest: the promise"),
    "prompt_digest": ("0" * 64, "prompt_digest: the promise"),
    "sampling": ({"temperature": "0", "max_tokens": 9}, "sampling.temperature: the promise '0.6', stored '0'"),
}


@pytest.mark.parametrize(("field", "case"), CONTRADICTIONS.items(), ids=CONTRADICTIONS)
def test_a_manifest_that_contradicts_the_promise_is_refused(judged, run, field, case):
    changed_manifest(run, **{field: case[0]})
    line = judged(run)
    assert line.record is None
    assert case[1] in line.error


def test_another_protocol_than_the_runs_is_refused(judged, run):
    assert "protocol: the promise 'vendor', stored 'paper'" in judged(run, protocol="vendor").error


def edited(folder, change):
    path = folder / COMPLETIONS_FILE
    path.write_bytes(b"\n".join(change(path.read_bytes().split(b"\n"))))


EDITS = {
    "a text": lambda lines: [lines[0], lines[1].replace(b"steps", b"st3ps"), *lines[2:]],
    "a record removed": lambda lines: lines[:5] + lines[6:],
    "the last removed": lambda lines: lines[:-1],
    "two exchanged": lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
    "one without its seal": lambda lines: [*lines[:3], lines[3].split(b',"after"')[0] + b"}", *lines[4:]],
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_an_edited_log_is_refused(judged, run, change):
    edited(run, change)
    assert "is not as papergate wrote it" in judged(run / COMPLETIONS_FILE).error


@pytest.mark.parametrize("name", [name for name in EDITS if name != "the last removed"])
def test_an_edited_log_is_refused_without_its_manifest_too(judged, run, tmp_path, name):
    edited(run, EDITS[name])
    alone = shutil.copy(run / COMPLETIONS_FILE, tmp_path / "alone.jsonl")
    assert "is not as papergate wrote it" in judged(alone).error


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_whole_log_without_its_manifest_is_judged_and_that_is_noted(judged, run, tmp_path, packed):
    data = (run / COMPLETIONS_FILE).read_bytes()
    alone = tmp_path / ("alone.jsonl.gz" if packed else "alone.jsonl")
    alone.write_bytes(gzip.compress(data) if packed else data)
    assert "manifest.json is not beside it. Not verified: model, seeds and prompts" in said(judged(alone))


def test_records_under_the_manifest_of_another_seed_are_refused(judged, run):
    changed_manifest(run, run_seed=5)
    assert "is not that of sample 0 of its problem in this run" in judged(run).error


def test_a_mark_that_is_gone_is_refused(judged, run):
    (run / MARK_FILE).unlink()
    assert "acknowledged.json is missing" in judged(run).error


def test_a_log_is_no_golden_run_of_itself(judged, run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    for golden in (run, copy):
        assert "no golden run of itself" in judged(run, golden=golden).error


def test_a_run_that_went_on_is_not_held_against_itself_as_it_was(run):
    earlier = shutil.copytree(run, run.parents[1] / "earlier" / TINY.id)
    case = case_of(samples=SAMPLES + 1)
    with Store.open(run, manifest_of(case)) as store:
        found = accept(case, Alternating(), store)
        with pytest.raises(StoreError, match="no golden run of itself, also not as it was earlier"):
            save(found, run, read_golden(earlier, BENCHMARK.spec))


def test_a_log_of_a_documents_tool_is_judged_by_the_prompt_of_that_tool(tmp_path):
    case, folder = case_of(WITH_TOOL, samples=1, protocol="vendor"), tmp_path / TINY.id
    with Store.open(folder, manifest_of(case)) as store:
        save(accept(case, Alternating(), store), folder)
    notes = notes_of_own_log(folder, WITH_TOOL, BENCHMARK, "vendor")
    assert [one.code for one in notes] == ["log_of_own_run", "log_judged_before"]
    with pytest.raises(PredictionsError, match="of another run"):
        notes_of_own_log(folder, TINY, BENCHMARK, "vendor")


def test_a_line_without_an_end_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(papergate_run, "MOST_BYTES", 100)
    path = tmp_path / "completions.jsonl"
    path.write_bytes(b"\n" + b"x" * 1_000)
    with path.open("rb") as file:
        assert papergate_run.first_line(file) == b"x" * 100
