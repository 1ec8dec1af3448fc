"""What a check of a bundle says: its exit codes, its words, and what it refuses to open."""

import io
import json
import re
import shutil
import stat
import subprocess
import zipfile
from dataclasses import replace
from xml.sax.saxutils import quoteattr

import pytest

from papergate.acceptance import replay
from papergate.acceptance.golden import golden_of, read_golden
from papergate.acceptance.saving import record_of, save, save_replayed
from papergate.acceptance.shipped import Own
from papergate.benchmarks.digests import answers_digest
from papergate.cli import main
from papergate.evidence import container, recompute, verify
from papergate.evidence.bundle import write_bundle
from papergate.evidence.kept import golds_are_published
from papergate.evidence.quotes import read_report, refuse_other_quotes
from papergate.evidence.records import Checked, Refused, Result
from papergate.reports.junit import properties
from papergate.run_folder.files import keep_room
from papergate.run_folder.sums import root_of, sums_of
from papergate.scoring import Outcome
from tests.meta.acceptance.test_independence import long_text
from tests.meta.evidence.corruptions import file_of, members_of, quoted_anew, requoted, summed, written
from tests.meta.evidence.runs import bundled, finished_run, junit_of
from tests.meta.tiny_runs import BENCHMARK, TINY, accepted, case_of, completions_of, like_the_paper


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return bundled(tmp_path_factory.mktemp("run"))


@pytest.fixture
def check(tmp_path, capsys):
    """Checks bytes as a bundle: exit code, and all that was printed."""

    def checked(data, *arguments):
        path = tmp_path / "given.zip"
        path.write_bytes(data)
        status = main(["verify", str(path), *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return checked


def made(*entries):
    """A zip by Python's own writer: names, contents and what else is set."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data, settings in entries:
            info = zipfile.ZipInfo(name)
            for field, value in settings.items():
                setattr(info, field, value)
            archive.writestr(info, data)
    return target.getvalue()


LINK = {"external_attr": (stat.S_IFLNK | 0o777) << 16}
HOSTILE = {
    "a name that leads out": (made(("../evil", b"x", {})), "leads out of the folder"),
    "one that does so later": (made(("a/../../evil", b"x", {})), "leads out of the folder"),
    "one of another system": (made(("..\\evil", b"x", {})), "leads out of the folder"),
    "an absolute name": (made(("/etc/passwd", b"x", {})), "absolute name"),
    "a drive": (made(("C:evil", b"x", {})), "absolute name"),
    "a link": (made(("a/verdict.json", b"/etc/passwd", LINK)), "is a link"),
    "a bomb": (made(("a/verdict.json", bytes(1 << 24), {"compress_type": zipfile.ZIP_DEFLATED})), "is compressed"),
    "no bundle": (made(("word/document.xml", b"x", {})), "another kind of zip file"),
    "an empty zip": (made(), "another kind of zip file"),
    "an empty file": (b"", "it was cut off"),
    "text": (b"PK" * 100, "it was cut off"),
}


@pytest.mark.parametrize(("data", "said"), HOSTILE.values(), ids=HOSTILE)
def test_an_archive_that_is_no_bundle_is_not_opened(data, said, check, tmp_path):
    status, out = check(data)
    assert (status, said in out) == (Result.UNREADABLE, True), out
    assert {path.name for path in tmp_path.iterdir()} == {"given.zip"}


def test_members_that_share_their_data_are_refused(sound, check):
    """Many names for one span of bytes: small to send, large to unpack."""
    data = sound.read_bytes()
    size, place = container.END.unpack(data[-container.END.size :])[-3:-1]
    entries = data[place : place + size]
    many = b"".join(
        entries.replace(b"json", b"jso%c" % letter)
        .replace(b"SUMS", b"SUM%c" % letter)
        .replace(b"xml", b"xm%c" % letter)
        for letter in b"abcdefgh"
    )
    end = container.END.pack(b"PK\5\6", 0, 0, 80, 80, len(many), place, 0)
    status, said = check(data[:place] + many + end)
    assert (status, "in all, and the file has" in said) == (Result.UNREADABLE, True), said


def test_a_list_of_members_without_end_is_not_read(check):
    end = container.END.pack(b"PK\5\6", 0, 0, 0, 0, 1 << 24, 0, 0)
    status, said = check(bytes(1 << 24) + end)
    assert (status, "its list of members has" in said) == (Result.UNREADABLE, True)


def test_a_later_format_is_named(sound, check):
    members = members_of(sound.read_bytes())
    members["bundle.json"] = b'{"format": 2, "junit.xml": null}\n'
    for data in (written(members), made(*((name, data, {}) for name, data in members.items()))):
        status, said = check(data)
        assert (status, "verify it with a later release" in said) == (Result.NEWER, True), said


def test_a_bundle_beyond_4_gib_has_wide_fields_throughout():
    large = [replace(one, size=3 << 30) for one in sums_of_two()]
    pieces = [piece for piece in container.pieces(large) if isinstance(piece, bytes)]
    assert container.LOCATOR.pack(b"PK\6\7", 0, (6 << 30) + sum(map(len, pieces[:-1])), 1) in pieces[-1]
    assert all(len(piece) > container.LOCAL.size + 1 + 19 for piece in pieces[:2])


def sums_of_two():
    return [container.sum_in(io.BytesIO(b"x"), name, 1) for name in ("a", "b")]


def test_the_wide_form_is_one_that_others_read(monkeypatch, sound):
    monkeypatch.setattr(container, "_is_wide", lambda _: True)
    data = written(members_of(sound.read_bytes()))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
    assert members_of(data) == members_of(sound.read_bytes())


def test_a_root_from_elsewhere_is_compared(sound, check, tmp_path):
    data, root = sound.read_bytes(), root_of(sums_of(sound.parent / "run"))
    status, said = check(data, "--root", root, "--junit", sound.parent / "junit.xml")
    assert (status, "is quoted by --root, " in said) == (Result.VERIFIED, True), said
    assert check(data, "--root", "0" * 64)[0] == Result.ALTERED
    assert check(data, "--root", "short")[0] == 2
    (tmp_path / "other.xml").write_text((sound.parent / "junit.xml").read_text().replace(root, "0" * 64))
    assert check(data, "--junit", tmp_path / "other.xml")[0] == Result.ALTERED
    (tmp_path / "none.xml").write_text("<testsuite/>")
    assert check(data, "--junit", tmp_path / "none.xml")[0] == 2


def test_who_computes_everything_anew_is_stopped_by_a_root_from_elsewhere_only(sound, check, tmp_path):
    """The limit of any bundle, as docs/evidence.md states it: another run, honestly judged, is another sound bundle."""
    (tmp_path / "forged").mkdir()
    forged = bundled(tmp_path / "forged", right=lambda *_: True)
    assert check(forged.read_bytes())[0] == Result.VERIFIED
    assert check(forged.read_bytes(), "--junit", sound.parent / "junit.xml")[0] == Result.ALTERED


def test_a_report_that_states_another_verdict_is_refused(sound, check):
    members = members_of(sound.read_bytes())
    members["junit.xml"] = members["junit.xml"].replace(b'name="verdict" value="', b'name="verdict" value="not ')
    status, said = check(quoted_anew(members))
    assert (status, "differ in verdict" in said) == (Result.ALTERED, True), said


@pytest.mark.parametrize("name", ["tolerance", "source", "delta_points", "protocol", "grader", "engine_model"])
def test_a_report_that_states_another_promise_is_refused(sound, check, name):
    members = members_of(sound.read_bytes())
    quoted = f'name="{name}" value="'.encode()
    assert quoted in members["junit.xml"]
    members["junit.xml"] = members["junit.xml"].replace(quoted, quoted + b"other ")
    status, said = check(quoted_anew(members))
    assert (status, f"differ in {name}" in said) == (Result.ALTERED, True), said


def test_a_report_that_leaves_its_tolerance_out_is_refused(sound, check):
    members = members_of(sound.read_bytes())
    left = re.sub(rb'<property name="tolerance"[^>]*/>', b"", members["junit.xml"])
    assert left != members["junit.xml"]
    assert check(quoted_anew({**members, "junit.xml": left}))[0] == Result.ALTERED


ENDINGS = {
    "a failure taken out": ((b"<failure/>", b""), (b'failures="1"', b'failures="0"')),
    "a failure called skipped": (
        (b"<failure/>", b"<skipped/>"),
        (b'failures="1"', b'failures="0"'),
        (b'skipped="0"', b'skipped="1"'),
    ),
    "no failure counted": ((b'failures="1"', b'failures="0"'),),
    "an error counted": ((b'errors="0"', b'errors="1"'),),
}


@pytest.mark.parametrize("edits", ENDINGS.values(), ids=ENDINGS)
def test_a_report_whose_elements_do_not_fit_its_verdicts_is_refused(sound, check, edits):
    members = members_of(sound.read_bytes())
    for was, now in edits:
        assert was in members["junit.xml"]
        members["junit.xml"] = members["junit.xml"].replace(was, now)
    status, said = check(quoted_anew(members))
    assert (status, "not fit it" in said) == (Result.ALTERED, True), said


def test_a_kept_promise_has_no_failure_and_is_not_skipped():
    record = record_of(accepted(case_of(), completions_of(like_the_paper, 64), 64))
    assert record.accepted
    checked = [Checked(promise=record.promise, stated=record, completions=1, regraded=1)]

    def report(inside):
        listed = "".join(
            f"<property name={quoteattr(name)} value={quoteattr(value)}/>"
            for name, value in [("promise", record.promise), *properties(record)]
        )
        suite = f"<testsuite><testcase><properties>{listed}</properties>{inside}</testcase></testsuite>"
        return read_report(suite.encode(), "report.xml")

    for fits in ("", "<system-out/>", "<error/>"):  # the last one of a teardown
        refuse_other_quotes(report(fits), checked)
    for inside in ("<failure/>", "<skipped/>"):
        with pytest.raises(Refused, match="which does not fit its verdict"):
            refuse_other_quotes(report(inside), checked)


@pytest.mark.parametrize("report", [b"<!DOCTYPE a><testsuite/>", b"<testsuite", b"\xff", b""])
def test_a_report_that_is_none_is_refused(sound, check, report):
    members = {**members_of(sound.read_bytes()), "junit.xml": report}
    assert check(written(summed(members)))[0] == Result.ALTERED


def test_completions_of_another_run_are_refused(sound, check, tmp_path):
    finished_run(tmp_path / "other", seed=1)
    members = members_of(sound.read_bytes())
    for name in ("completions.jsonl", "acknowledged.json"):
        path = file_of(members, name)
        members[path] = (tmp_path / "other" / path).read_bytes()
    status, said = check(quoted_anew(members))
    assert (status, "of its problem in this run" in said) == (Result.ALTERED, True), said


def test_completions_without_seeds_are_refused(sound, check):
    members = members_of(sound.read_bytes())
    from tests.meta.evidence.corruptions import _completions_anew

    change = _completions_anew(lambda done, _: [replace(one, seed=None) for one in done])
    status, said = check(quoted_anew(change(members, None)))
    assert (status, "do not state the seed" in said) == (Result.ALTERED, True), said


def test_a_grade_that_a_limit_ended_is_listed_apart(sound, check):
    members = members_of(sound.read_bytes())
    path = file_of(members, "grades.jsonl")
    rows = [json.loads(line) for line in members[path].decode().splitlines()]
    wrong = next(row for row in rows if row["outcome"] == "incorrect")
    wrong.update(rule="box/limit", reason="CPU limit")
    members[path] = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    status, said = check(quoted_anew(members))
    assert f"compared: {wrong['problem']} {wrong['sample']}" in said
    assert status == Result.VERIFIED, said
    wrong.update(outcome=Outcome.UNDECIDED)
    members[path] = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    assert check(quoted_anew(members))[0] == Result.CONTRADICTED  # the tally of the verdict states another


@pytest.mark.parametrize(
    ("file", "field", "other", "said"),
    [
        ("grades.jsonl", "gold", "77", "{problem} sample 0, stated gold 77, computed gold {before}"),
        (
            "problems.jsonl",
            "correct",
            -1,
            "problems.jsonl, {problem}, correct is stated as -1; the completions give {before}",
        ),
    ],
)
def test_the_field_that_differs_is_named_with_both_values(sound, check, file, field, other, said):
    members = members_of(sound.read_bytes())
    path = file_of(members, file)
    first, *rows = members[path].decode().splitlines()
    row = json.loads(first)
    members[path] = "\n".join([json.dumps({**row, field: other}), *rows, ""]).encode()
    status, told = check(quoted_anew(members))
    assert status == Result.CONTRADICTED
    assert said.format(problem=row["problem"], before=row[field]) in told


def test_a_history_that_was_taken_away_is_missed(sound, check):
    members = members_of(sound.read_bytes())
    path = next(name for name in members if name.endswith("verdicts.jsonl"))
    status, said = check(requoted({name: data for name, data in members.items() if name != path}))
    assert (status, "verdicts.jsonl is missing" in said) == (Result.CONTRADICTED, True), said


def test_another_release_is_named(sound, check, monkeypatch):
    monkeypatch.setattr(recompute, "__version__", "2027.1.0")
    status, said = check(sound.read_bytes())
    assert (status, "and verified by 2027.1.0" in said) == (Result.VERIFIED, True), said


def test_a_promise_of_ones_own_is_named(sound, check, monkeypatch):
    monkeypatch.setattr(verify, "own", lambda: Own(promises={}, benchmarks={}))
    status, said = check(sound.read_bytes())
    assert (status, "this papergate has no such promise" in said) == (Result.VERIFIED, True), said


def test_a_verdict_without_completions_is_incomplete(tmp_path, capsys):
    finished_run(tmp_path / "run")
    for name in ("manifest.json", "completions.jsonl", "acknowledged.json", "sessions.jsonl", "verdicts.jsonl"):
        (next((tmp_path / "run").iterdir()) / name).unlink()
    write_bundle(tmp_path / "run", tmp_path / "a.zip")
    assert main(["verify", str(tmp_path / "a.zip")]) == Result.INCOMPLETE
    assert "no completions of this promise" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["verify", str(tmp_path / "a.zip")]) == Result.UNREADABLE
    said = capsys.readouterr().err
    assert "No such file" in said
    assert said.count("a.zip") == 1


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("release", "other"):
        made = subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=False
        )
        if made.returncode:
            pytest.skip("ssh-keygen makes no key here")
    kind, public, _ = (folder / "release.pub").read_text().split()
    (folder / "signers").write_text(f"release@example.com {kind} {public}\n")
    return folder


def test_a_signature_names_its_signer(tmp_path, keys, capsys):
    finished_run(tmp_path / "run")
    path = tmp_path / "a.zip"
    assert main(["bundle", str(tmp_path / "run"), "-o", str(path), "--sign", str(keys / "release")]) == 0
    given = ["verify", str(path), "--signature", f"{path}.sig", "--signers", str(keys / "signers")]
    capsys.readouterr()
    assert main(given) == Result.VERIFIED
    assert "quoted by the signature of release@example.com" in capsys.readouterr().out
    assert main([*given, "--language", "zh"]) == Result.VERIFIED
    assert "\nrelease@example.com 的签名 引用了" in capsys.readouterr().out
    (tmp_path / "run" / "report.html").write_text("x")
    assert main(["bundle", str(tmp_path / "run"), "-o", str(path), "--sign", str(keys / "other")]) == 0
    assert main(given) == Result.UNSIGNED
    assert main(given[:-2]) == 2


def test_a_signature_of_another_file_is_none(tmp_path, sound, keys):
    path = tmp_path / "a.zip"
    path.write_bytes(sound.read_bytes())
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "papergate", "-f", keys / "release", path], check=True)
    path.write_bytes(sound.read_bytes() + b"x")
    given = ["verify", str(path), "--signature", f"{path}.sig", "--signers", str(keys / "signers")]
    assert main(given) == Result.UNSIGNED


def test_a_key_that_is_none_leaves_the_bundle_unsigned(tmp_path, capsys):
    finished_run(tmp_path / "run")
    arguments = ["bundle", str(tmp_path / "run"), "-o", str(tmp_path / "a.zip"), "--sign", str(tmp_path / "none")]
    assert main(arguments) == 2
    assert "is written, and not signed" in capsys.readouterr().err


def test_a_run_checked_in_a_report_is_that_of_the_junit_file(tmp_path):
    finished_run(tmp_path / "run")
    assert root_of(sums_of(tmp_path / "run")) in junit_of(tmp_path / "run")


def test_without_the_benchmarks_text_grades_rest_on_the_right_answers(sound, check):
    """As of AIME or MATH-500, whose texts no bundle holds; here of a benchmark that is not generated."""
    members = members_of(sound.read_bytes())
    path = file_of(members, "promise.json")
    record = json.loads(members[path])
    record["benchmark"]["layout"] = "aime"
    members[path] = f"{json.dumps(record, indent=1)}\n".encode()
    status, said = check(quoted_anew(members))
    assert (status, "the text of tiny-aime is not in the bundle" in said) == (Result.VERIFIED, True), said
    assert "the same 120 grades and 1 verdict " in said


def test_right_answers_of_a_known_benchmark_must_be_the_published_ones():
    spec = BENCHMARK.spec.model_copy(update={"answers": answers_digest(BENCHMARK.problems)})
    other = (replace(BENCHMARK.problems[0], answer="7", gold="7"), *BENCHMARK.problems[1:])
    assert golds_are_published(spec, BENCHMARK.problems) is True
    assert golds_are_published(spec, other) is False
    assert golds_are_published(BENCHMARK.spec, other) is None
    own = Own(promises={}, benchmarks={spec.name: spec})
    assert [one.code for one in recompute._other_golds(own, spec, other)] == ["verify_other_golds"]
    assert not [*recompute._other_golds(own, spec, BENCHMARK.problems)]
    assert not [*recompute._other_golds(own, spec, other[:20])]  # a part cannot be told by the digest of the whole


def test_a_verdict_beside_a_golden_run_is_computed_from_the_bundle_alone(tmp_path, capsys):
    finished_run(tmp_path / "golden", k=8)
    golden = read_golden(tmp_path / "golden" / TINY.id, BENCHMARK.spec)
    finished_run(tmp_path / "run", k=8, golden=golden_of(golden, BENCHMARK.problems, BENCHMARK.digest))
    shutil.rmtree(tmp_path / "golden")
    write_bundle(tmp_path / "run", tmp_path / "a.zip")
    status = main(["verify", str(tmp_path / "a.zip")])
    said = capsys.readouterr().out
    assert (status, "is taken as its record states it" in said) == (Result.VERIFIED, True), said


def test_a_file_under_a_sum_of_another_is_named(sound, check):
    members = members_of(sound.read_bytes())
    path = file_of(members, "sessions.jsonl")
    status, said = check(written({**members, path: members[path] + b"\n"}))
    assert (status, "sessions.jsonl" in said) == (Result.ALTERED, True), said


def test_a_verdict_that_was_withheld_is_withheld_again(tmp_path, capsys):
    def frozen(place, _):
        return place < 22

    record = finished_run(tmp_path / "run", right=frozen, k=16)
    assert (record.verdict, record.judgement.verdict) == ("inconclusive", "PASS")
    write_bundle(tmp_path / "run", tmp_path / "run.zip")
    assert main(["verify", str(tmp_path / "run.zip")]) == Result.VERIFIED, capsys.readouterr().out


def test_loops_that_repeat_each_other_are_no_copies_to_a_check_either(tmp_path, capsys):
    done = [looping(at, one) for at, one in enumerate(completions_of(like_the_paper, 16))]
    found = replay(case_of(), done)
    assert (found.verdict.value, found.withheld, found.findings) == ("pass", None, ())
    save_replayed(done, tmp_path / "run" / TINY.id)
    save(found, tmp_path / "run" / TINY.id)
    write_bundle(tmp_path / "run", tmp_path / "run.zip")
    assert main(["verify", str(tmp_path / "run.zip")]) == Result.VERIFIED, capsys.readouterr().out


def looping(at, one):
    """The completion with a long thought; of every second problem six of 16 are one loop."""
    words = "so it goes on and on " * 300 if at % 32 < 6 else long_text(at)
    return replace(one, text=f"{words}{one.text[one.text.index('</think>') - 1 :]}")


def test_what_a_killed_session_kept_back_is_no_evidence(tmp_path, capsys):
    finished_run(tmp_path / "run")
    before = root_of(sums_of(tmp_path / "run"))
    keep_room(tmp_path / "run")
    write_bundle(tmp_path / "run", tmp_path / "run.zip")
    assert main(["verify", str(tmp_path / "run.zip"), "--root", before]) == Result.VERIFIED, capsys.readouterr().out
    assert main(["runs", "check", str(tmp_path / "run")]) == 0, capsys.readouterr().out
