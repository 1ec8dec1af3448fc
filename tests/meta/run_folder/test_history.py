"""Every verdict of a promise stays: sealed, in its order, and named where a later one differs."""

import errno
import json

import orjson
import pytest

from papergate.acceptance import accept, manifest_of
from papergate.acceptance.saving import save
from papergate.cli import main
from papergate.completions.store import Store
from papergate.errors import StoreError
from papergate.files import digest_of_kept
from papergate.promises import Tolerance
from papergate.reports.junit import properties
from papergate.run_folder import history
from papergate.run_folder.files import HISTORY_FILE, MANIFEST_FILE, MARK_FILE, VERDICT_FILE
from papergate.run_folder.history import forget_verdict, read_history
from papergate.run_folder.verdict import read_verdict
from papergate.words import say
from tests.meta.acceptance.test_unequal_samples import Alternating
from tests.meta.tiny_runs import PAPER, TINY, accepted, case_of, completions_of, like_the_paper


def saved(folder, right, *, promise=TINY, k=8):
    return save(accepted(case_of(promise), completions_of(right, k), k), folder)


def worse(place, sample):
    return like_the_paper(place, sample) and (place + sample) % 3 > 0


def said(record):
    return " / ".join(map(say, record.notes))


def test_a_better_verdict_names_the_one_before_it_and_keeps_it(tmp_path):
    first, second = saved(tmp_path, worse), saved(tmp_path, like_the_paper)
    assert (first.verdict, second.verdict) == ("fail", "pass")
    history = read_history(tmp_path)
    assert [(one.verdict, one.sentence) for one in history] == [(r.verdict, r.sentence) for r in (first, second)]
    assert [one.sentence for one in second.earlier] == [first.sentence]
    assert f"fail at {history[0].at} (30 problems x 8" in said(second)
    assert dict(properties(second))["earlier_verdict"].startswith("fail at 2")
    assert read_verdict(tmp_path) == second


def test_the_same_verdict_again_needs_no_note(tmp_path):
    saved(tmp_path, like_the_paper)
    again = saved(tmp_path, like_the_paper)
    assert len(again.earlier) == 1
    assert "before" not in said(again)


def test_a_verdict_that_is_forgotten_or_was_never_put_down_stays_in_the_history(tmp_path):
    record = saved(tmp_path, worse)
    (tmp_path / HISTORY_FILE).unlink()  # as a release without a history leaves it
    forget_verdict(tmp_path)
    assert read_verdict(tmp_path) is None
    assert [one.sentence for one in read_history(tmp_path)] == [record.sentence]
    forget_verdict(tmp_path)
    assert len(read_history(tmp_path)) == 1


def lines_of(folder):
    return (folder / HISTORY_FILE).read_text().splitlines()


DAMAGES = {
    "edited": lambda lines: [lines[0].replace('"fail"', '"pass"'), *lines[1:]],
    "its last line edited": lambda lines: [*lines[:2], lines[2].replace('"accepted": true', '"accepted": false')],
    "the first removed": lambda lines: lines[1:],
    "one removed": lambda lines: [lines[0], lines[2]],
    "two exchanged": lambda lines: [lines[1], lines[0], lines[2]],
    "one doubled": lambda lines: [lines[0], *lines],
    "no JSON": lambda lines: [*lines, "{"],
    "no object": lambda lines: [*lines, "[]"],
}


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_a_history_that_was_changed_is_refused_and_nothing_is_added(tmp_path, change):
    for right in (worse, like_the_paper, like_the_paper):
        saved(tmp_path, right)
    (tmp_path / HISTORY_FILE).write_text("".join(f"{line}\n" for line in change(lines_of(tmp_path))))
    before = (tmp_path / HISTORY_FILE).read_bytes()
    with pytest.raises(StoreError, match=r"verdicts\.jsonl, line \d cannot be read: .*runs check RUN --repair"):
        saved(tmp_path, like_the_paper)
    assert (tmp_path / HISTORY_FILE).read_bytes() == before


def asked(folder, promise=TINY, samples=4):
    case = case_of(promise, samples=samples)
    with Store.open(folder, manifest_of(case)) as store:
        return save(accept(case, Alternating(), store), folder)


def test_terms_stand_in_the_manifest_and_a_change_is_named(tmp_path):
    asked(tmp_path)
    terms = json.loads((tmp_path / MANIFEST_FILE).read_text())["terms"]
    assert terms["tolerance"] == "1 problem (3.33333 points)"
    assert terms["reference"].startswith(f"{100 * PAPER:g} %, exact")
    assert set(terms) == {"tolerance", "delta", "alpha", "sides", "reference"}
    laxer = TINY.model_copy(update={"tolerance": Tolerance.parse("6 problems")})
    record = asked(tmp_path, laxer)
    assert "tolerance was 1 problem (3.33333 points), is 6 problems (20 points)" in said(record)
    assert "delta was 1.66667 points, is 10 points" in said(record)
    assert "terms" not in said(asked(tmp_path))


def test_a_store_is_checked_with_its_verdicts_and_repaired_in_the_open(tmp_path, capsys):
    folder = tmp_path / TINY.id
    asked(folder)
    asked(folder)
    assert main(["runs", "check", str(tmp_path)]) == 0
    (folder / HISTORY_FILE).write_text(lines_of(folder)[1] + "\n")
    assert main(["runs", "check", str(tmp_path)]) == 1
    assert main(["runs", "check", str(tmp_path), "--repair"]) == 0
    assert "verdicts.jsonl, the earlier verdicts, was damaged" in said(asked(folder))
    (folder / VERDICT_FILE).write_text(
        (folder / VERDICT_FILE).read_text().replace('"truncations": 0', '"truncations": 1')
    )
    assert main(["runs", "check", str(tmp_path)]) == 1
    assert "verdict.json is not what the last verdict" in capsys.readouterr().out


def test_a_record_states_alpha_delta_and_looks(tmp_path):
    judged = asked(tmp_path).judgement
    assert (judged.alpha, round(judged.delta, 6), judged.two_sided, judged.looks) == (0.05, 0.016667, True, 1)


def empty(path):
    path.write_bytes(b"")


def replaced(old, new):
    return lambda path: path.write_bytes(path.read_bytes().replace(old, new, 1))


def spoilt(change):
    """A file of JSON with some of its values changed."""
    return lambda path: path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | change))


SPOILT = {
    "sessions emptied": ("sessions.jsonl", empty, "it names no session"),
    "sessions of blank lines": ("sessions.jsonl", lambda path: path.write_bytes(b"\n\n"), "it names no session"),
    "sessions removed": ("sessions.jsonl", lambda path: path.unlink(), "it names no session"),
    "a session edited": ("sessions.jsonl", replaced(b"papergate", b"Papergate"), "sessions.jsonl, line 1: edited"),
    "a session put in": (
        "sessions.jsonl",
        lambda path: path.write_bytes(b"{}\n" + path.read_bytes()),
        "line 2: edited",
    ),
    "a session added": ("sessions.jsonl", lambda path: path.write_bytes(path.read_bytes() + b"{}\n"), "line 2: edited"),
    "a mark of nothing": (MARK_FILE, spoilt({"records": 0, "end": 0}), "it belongs to another run"),
    "a mark in texts": (MARK_FILE, spoilt({"records": "120"}), "its numbers do not fit"),
    "a mark below zero": (MARK_FILE, spoilt({"unsealed": -1}), "its numbers do not fit"),
    "a mark without an end": (MARK_FILE, spoilt({"end": 0}), "its numbers do not fit"),
    "a mark with more in it": (MARK_FILE, spoilt({"mood": "good"}), "its numbers do not fit"),
    "a mark laid out again": (MARK_FILE, lambda path: path.write_bytes(path.read_bytes() + b"\n"), "do not fit"),
    "a preflight cut": ("preflight.json", lambda path: path.write_text("{"), "preflight.json cannot be read"),
    "a preflight of another kind": ("preflight.json", lambda path: path.write_text("{}"), "deployment: Field required"),
    "grades edited": (
        "grades.jsonl",
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        "grades.jsonl is not what",
    ),
    "grades removed": ("grades.jsonl", lambda path: path.unlink(), "grades.jsonl is missing of what"),
    "problems removed": ("problems.jsonl", lambda path: path.unlink(), "problems.jsonl is missing of what"),
    "problems edited": ("problems.jsonl", empty, "problems.jsonl is not what"),
    "questions edited": ("questions.jsonl", empty, "questions.jsonl is not what"),
    "the promise edited": ("promise.json", spoilt({"mood": "good"}), "promise.json is not what"),
    "a mark that lets records be edited": (MARK_FILE, spoilt({"unsealed": 1}), "had been acknowledged"),
    "a manifest with a field more": (MANIFEST_FILE, spoilt({"mood": "good"}), "Restore it from a copy"),
    "a manifest cut": (MANIFEST_FILE, lambda path: path.write_bytes(path.read_bytes()[:99]), "Restore it from a copy"),
}


@pytest.mark.parametrize(("name", "change", "words"), SPOILT.values(), ids=SPOILT)
def test_every_file_of_a_run_is_checked(tmp_path, capsys, name, change, words):
    folder = tmp_path / TINY.id
    asked(folder, samples=2)
    change(folder / name)
    assert main(["runs", "check", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert words in shown.out
    assert "validation error" not in shown.out


def test_a_file_of_the_verdict_that_cannot_be_read_is_named(tmp_path, capsys, monkeypatch):
    asked(tmp_path / TINY.id)

    def refuse_grades(path, **limits):
        if path.name == "grades.jsonl":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return digest_of_kept(path, **limits)

    monkeypatch.setattr(history, "digest_of_kept", refuse_grades)
    assert main(["runs", "check", str(tmp_path)]) == 1
    assert "grades.jsonl cannot be read: Permission denied" in capsys.readouterr().out
