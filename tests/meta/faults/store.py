"""Faults of disks, files and operators that the store of completions must stand."""

import gzip
import json
import os
import shutil
import stat
from dataclasses import replace
from functools import partial

import pytest

from papergate.acceptance.notes import notes_of
from papergate.acceptance.refusals import refuse_holes
from papergate.cli import main
from papergate.completions.contents import MOST_DAMAGES
from papergate.completions.policy import seed_of
from papergate.completions.store import Store, contents_of, read_sessions
from papergate.errors import StoreError
from papergate.exit_codes import ExitCode
from papergate.run_folder.files import COMPLETIONS_FILE, HISTORY_FILE
from papergate.run_folder.history import MADE_WITH
from papergate.words import say
from tests.meta.completions.test_store import completion, end_by_kill, failure, manifest
from tests.meta.evidence.runs import bundled, finished_run
from tests.meta.faults.records import Fault
from tests.meta.stored import read_store
from tests.meta.tiny_runs import BENCHMARK, TINY, accepted, case_of, completions_of, like_the_paper

TEXT = 'so √2 "is" \\boxed{4}</think>\n思考 "}{'
KEYS = [(f"p{problem}", sample) for problem in range(4) for sample in range(3)]


def sample_of(problem, sample, text=TEXT, run_seed=1):
    return completion(problem, sample, f"{sample} {text}", seed=seed_of(run_seed, problem, sample), ttft_s=0.1)


def filled(folder, *, keys=KEYS, closed=True, **changes):
    """A run with a completion of each key, closed or killed at its end; the path of its records."""
    store = Store.open(folder, manifest(**changes))
    for key in keys:
        store.append(sample_of(*key))
    store.close() if closed else end_by_kill(store)
    return folder / COMPLETIONS_FILE


def refused(folder, words):
    """Neither reading nor resuming accepts the store, and what it holds stays as it is."""
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for attempt in (lambda: read_store(folder), lambda: Store.open(folder, manifest())):
        with pytest.raises(StoreError, match=words):
            attempt()
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def repaired(folder, kept):
    """``papergate runs check`` finds it, repairs it on demand, keeps the file as it was, and the run goes on."""
    as_it_was = (folder / COMPLETIONS_FILE).read_bytes()
    assert main(["runs", "check", str(folder)]) == 1
    assert main(["runs", "check", str(folder), "--repair"]) == 0
    assert as_it_was in [path.read_bytes() for path in folder.glob("completions.set-aside-*")]
    with Store.open(folder, manifest()) as store:
        assert {key: done.text for key, done in store.completions().items()} == {
            key: sample_of(*key).text for key in KEYS if key in kept
        }
        assert any("repair" in session for session in store.sessions())
        store.append(*(sample_of(*key) for key in KEYS if key not in store))
    with Store.open(folder, manifest()) as store:
        assert set(store.completions()) == set(KEYS)


# -- saved again by an editor or tool ----------------------------------------------------------------------------------


def objects(data):
    return [json.loads(line) for line in data.decode().split("\n") if line]


SAVED_AS = {
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda data: data.decode().encode("utf-16-le"),
    "UTF-8 with a byte order mark": lambda data: b"\xef\xbb\xbf" + data.lstrip(),
    "gzip": gzip.compress,
    "lines that end in CR": lambda data: data.replace(b"\n", b"\r"),
    "lines that end in CR LF": lambda data: data.replace(b"\n", b"\r\n"),
    "one line": lambda data: data.strip().replace(b"\n", b" "),
    "a JSON list": lambda data: b"[" + data.strip().replace(b"\n", b",") + b"]",
    "pretty-printed JSON": lambda data: "\n".join(
        json.dumps(row, indent=2, ensure_ascii=False) for row in objects(data)
    ).encode(),
    "JSON with blanks after commas": lambda data: "\n".join(
        json.dumps(row, ensure_ascii=False) for row in objects(data)
    ).encode(),
    "JSON in ASCII": lambda data: "\n".join(json.dumps(row, separators=(",", ":")) for row in objects(data)).encode(),
}


def saved_again(how, folder):
    path = filled(folder)
    path.write_bytes(SAVED_AS[how](path.read_bytes()))
    refused(folder, "is not as papergate wrote it")
    repaired(folder, KEYS)


def saved_as_latin_1(folder):
    path = filled(folder)
    path.write_bytes(path.read_bytes().decode().encode("latin-1", "replace"))
    refused(folder, "is not as papergate wrote it")
    repaired(folder, [])


# -- cut, zeroed, damaged ----------------------------------------------------------------------------------------------


def cut_at_every_byte_after_a_kill(folder):
    path = filled(folder, keys=KEYS[:4], closed=False)
    written = path.read_bytes()
    ends = [at for at in range(len(written) + 1) if at == len(written) or written[at : at + 1] == b"\n"]
    for size in range(len(written)):
        path.write_bytes(written[:size])
        whole = sum(end <= size for end in ends[1:])
        assert list(contents_of(folder).succeeded) == KEYS[:whole]
        if size % 50 == 0:
            with Store.open(folder, manifest()) as store:
                assert len(store) == whole
            (folder / "acknowledged.json").unlink()
            shutil.copy(fresh(folder), folder / "acknowledged.json")


def fresh(folder):
    """The mark of a run that was killed before anything was put down."""
    other = folder.parent / "fresh"
    if not other.exists():
        Store.open(other, manifest()).close()
    return other / "acknowledged.json"


def cut_at_every_byte_after_its_end(folder):
    path = filled(folder, keys=KEYS[:4])
    written = path.read_bytes()
    for size in range(len(written)):
        path.write_bytes(written[:size])
        assert contents_of(folder).damages
    refused(folder, "where 4 up to byte .* had been acknowledged")


def every_bit_of_a_middle_record_flipped(folder):
    path = filled(folder, keys=KEYS[:3])
    written, known = path.read_bytes(), read_store(folder)[1]
    start = written.index(b"\n", 1)
    end = written.index(b"\n", start + 1)
    assert 8 * (end - start) > 1500
    for bit in range(8 * start, 8 * end):
        flipped = bytearray(written)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert contents_of(folder).damages or read_store(folder)[1] == known


def zeros_from(at, folder):
    path = filled(folder, closed=False)
    written = path.read_bytes()
    start = written.rindex(b"\n") + at
    path.write_bytes(written[:start] + b"\0" * (len(written) - start))
    for _ in range(2):  # also with a record after the zeros
        with Store.open(folder, manifest()) as store:
            assert set(KEYS[:-1]) <= set(store.completions())
            if KEYS[-1] not in store:
                store.append(sample_of(*KEYS[-1]))


def zeros_within(folder):
    path = filled(folder)
    written = path.read_bytes()
    middle = len(written) // 2
    path.write_bytes(written[: middle - 300] + b"\0" * 300 + written[middle:])
    refused(folder, "is not as papergate wrote it")
    kept = contents_of(folder).succeeded
    assert len(KEYS) - 4 <= len(kept) < len(KEYS)
    repaired(folder, kept)


# -- edited ------------------------------------------------------------------------------------------------------------


def lines_changed(change, words, folder):
    """``change`` takes the lines of the records and returns others."""
    path = filled(folder)
    path.write_bytes(b"\n" + b"\n".join(change(path.read_bytes().split(b"\n")[1:])))
    refused(folder, words)


def line_of_another_run(folder, **changes):
    other = filled(folder.parent / "other", keys=[("p9", 0)], **changes)
    return other.read_bytes().split(b"\n")[1]


def many_lines_put_in(folder):
    """A million such lines would be told in hundreds of megabytes."""
    path = filled(folder)
    with path.open("ab") as file:
        file.write(b"\n{}" * 20_000)
    contents = contents_of(folder)
    assert (len(contents.damages), contents.more_damages) == (MOST_DAMAGES, 20_000 - MOST_DAMAGES)
    refused(folder, "19995 more")
    repaired(folder, KEYS)


def foreign_line_put_in(folder):
    lines_changed(
        lambda lines: [*lines[:2], line_of_another_run(folder, promise="another"), *lines[2:]],
        "does not follow",
        folder,
    )


def foreign_file(folder):
    path = filled(folder)
    shutil.copy(filled(folder.parent / "other", promise="another"), path)
    refused(folder, "it belongs to another run")
    assert main(["runs", "check", str(folder), "--repair"]) == 1


def seeds_of_another_run(folder):
    filled(folder, keys=[])
    with Store.open(folder, manifest()) as store:
        store.append(sample_of("p0", 0, run_seed=2))
    refused(folder, "its seed .* is not that of sample 0 of its problem in this run")


def file_changed(name, change, words, folder):
    filled(folder)
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    refused(folder, words)


def file_removed(name, words, folder):
    filled(folder)
    (folder / name).unlink()
    with pytest.raises(StoreError, match=words):
        Store.open(folder, manifest())


def sessions_changed(change, line, folder):
    filled(folder)
    path = folder / "sessions.jsonl"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(StoreError, match=rf"sessions\.jsonl, line {line}"):
        Store.open(folder, manifest())
    assert main(["runs", "check", str(folder), "--repair"]) == 0
    Store.open(folder, manifest()).close()


# -- under a running writer --------------------------------------------------------------------------------------------


def changed_while_writing(change, words, folder):
    store = Store.open(folder, manifest())
    store.append(sample_of(*KEYS[0]))
    change(folder)
    for _ in range(2):
        with pytest.raises(StoreError, match=words):
            store.append(sample_of(*KEYS[1]))
    assert KEYS[1] not in store
    store.close()
    return [path for path in folder.glob("completions*") if KEYS[0][0].encode() in path.read_bytes()]


def removed_while_writing(change, folder):
    assert changed_while_writing(change, "was removed while this run wrote it; its 1 completions were written", folder)
    with Store.open(folder, manifest()) as store:
        assert KEYS[0] in store


def replaced(folder):
    (folder / "new").write_bytes((folder / COMPLETIONS_FILE).read_bytes())
    (folder / "new").replace(folder / COMPLETIONS_FILE)


def replaced_while_writing(folder):
    words = "was replaced while this run wrote it; its 1 completions are in .*rescued"
    assert len(changed_while_writing(replaced, words, folder)) == 2


def moved_while_writing(folder):
    words = "was removed while this run wrote it; its records are in the file where it is now"
    changed_while_writing(lambda folder: folder.rename(folder.parent / "elsewhere"), words, folder)
    shutil.rmtree(folder, ignore_errors=True)
    with Store.open(folder.parent / "elsewhere", manifest()) as store:
        assert KEYS[0] in store


def written_by_another(folder):
    def append(folder):
        with (folder / COMPLETIONS_FILE).open("ab") as file:
            file.write(b"\n{}")

    changed_while_writing(append, "was changed by others while this run wrote it", folder)


def cut_while_writing(folder):
    changed_while_writing(lambda folder: os.truncate(folder / COMPLETIONS_FILE, 10), "was changed by others", folder)


def edited_while_writing(folder):
    with Store.open(folder, manifest()) as store:
        store.append(sample_of(*KEYS[0]))
        path = folder / COMPLETIONS_FILE
        data = path.read_bytes().replace(b"boxed{4}", b"boxed{5}")
        with path.open("r+b") as file:
            file.write(data)
        with pytest.raises(StoreError, match="its checksum does not fit"):
            store.completions()


# -- planted, and who may read -----------------------------------------------------------------------------------------


def link_planted(name, folder):
    filled(folder)
    victim = folder.parent / "victim"
    victim.write_text("precious")
    (folder / name).unlink()
    (folder / name).symlink_to(victim)
    with pytest.raises(StoreError, match="is a link, which papergate does not follow"):
        Store.open(folder, manifest())
    assert victim.read_text() == "precious"


def fifo_planted(name, folder):
    filled(folder)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(StoreError, match="a fifo where a plain file is expected"):
        Store.open(folder, manifest())


def truncated_to_a_tebibyte(path):
    path.write_bytes(b"")
    os.truncate(path, 1 << 40)


PLANTED = {
    "a fifo": os.mkfifo,
    "a link": lambda path: path.symlink_to(path.parents[2] / "victim"),
    "a folder": os.mkdir,
    "a file of 1 TiB": truncated_to_a_tebibyte,
    "an object of lists": lambda path: path.write_text('{"promise": [1], "engine": ["x"]}\n'),
}


def planted_in_a_finished_run(kind, folder):
    finished_run(folder / "run")
    (folder / "victim").write_text("precious")
    names = ("manifest.json", "acknowledged.json", "sessions.jsonl", COMPLETIONS_FILE, *MADE_WITH, HISTORY_FILE)
    for name in names:
        path = folder / "run" / TINY.id / name
        path.rename(folder / "as it was")
        PLANTED[kind](path)
        assert main(["runs", "check", str(folder / "run")]) in (1, 2), name
        path.rmdir() if path.is_dir() else path.unlink()
        (folder / "as it was").rename(path)
    assert main(["runs", "check", str(folder / "run")]) == 0
    assert (folder / "victim").read_text() == "precious"


def hollow(folder):
    """No command reads a file to its end that was made in no time and takes minutes to read."""
    bundle, run = bundled(folder), folder / "run"
    for path in (bundle, run / TINY.id / "manifest.json", run / TINY.id / COMPLETIONS_FILE):
        os.truncate(path, 1 << 40)
        commands = (
            [["verify", bundle]] if path == bundle else [["runs", "judge", run], ["bundle", run, "-o", "new.zip"]]
        )
        for command in commands:
            assert main([*map(str, command)]) not in (0, ExitCode.CRASHED), (path.name, command)


def saved_with_half_of_a_letter(folder):
    path = filled(folder)
    path.write_bytes(b'{"problem": "\\ud800"}' + path.read_bytes() + b'\n{"sample": 99999999999999999999999999}')
    refused(folder, "is not as papergate wrote it")
    repaired(folder, KEYS)


def draft_planted(folder):
    victim = folder.parent / "victim"
    victim.write_text("precious")
    (folder / "manifest.draft").symlink_to(victim)
    filled(folder)
    assert victim.read_text() == "precious"


def others_may_not_read(folder):
    before = os.umask(0)
    try:
        filled(folder / "promise")
    finally:
        os.umask(before)
    open_to_others = [path for path in folder.rglob("*") if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    assert open_to_others == []


# -- stores of an earlier papergate ------------------------------------------------------------------------------------


def old_store(folder):
    """As it was written before records were sealed."""
    path = filled(folder)
    rows = objects(path.read_bytes())
    lines = (json.dumps({name: row[name] for name in row if name not in {"after", "seal"}}) for row in rows)
    path.write_text("".join(f"\n{line}" for line in lines))
    (folder / "acknowledged.json").unlink()
    sessions = [json.dumps(session) for session in read_sessions(folder)]
    (folder / "sessions.jsonl").write_text("\n".join(sessions) + "\n")
    return path


def old_store_resumed(folder):
    path = old_store(folder)
    with path.open("ab") as file:
        file.write(b'\n{"problem":"p9","sample":0,"te')
    for sample in (7, 8):
        with Store.open(folder, manifest()) as store:
            assert set(KEYS) <= set(store.completions())
            store.append(sample_of("p0", sample))
    assert contents_of(folder).unsealed == len(KEYS)
    path.write_bytes(path.read_bytes().replace(b"boxed{4}", b"boxed{5}", 1))
    refused(folder, "does not follow the record before it")


def old_store_saved_again(folder):
    path = old_store(folder)
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))
    refused(folder, "is not as papergate wrote it")
    repaired(folder, KEYS)


def holes_in_a_run(folder):
    """Records that fit each other, but skip samples of a look that had ended when the later ones were asked."""
    keys = [(problem.id, sample) for sample in range(7) for problem in BENCHMARK.problems]
    case = case_of()
    with Store.open(folder / "interrupted", manifest()) as store:
        store.append(*(sample_of(*key) for key in keys if key != (BENCHMARK.problems[3].id, 6)))
        refuse_holes(case, store)
    with Store.open(folder / "removed", manifest()) as store:
        store.append(*(sample_of(*key) for key in keys if key != (BENCHMARK.problems[3].id, 4)))
        with pytest.raises(StoreError, match="1 problems lack samples of an earlier look"):
            refuse_holes(case, store)


def failures_and_repairs(folder):
    path = filled(folder)
    with Store.open(folder, manifest()) as store:
        store.append(failure("p9", 0))
    path.write_bytes(path.read_bytes().replace(b"boxed{4}", b"boxed{5}", 1))
    assert main(["runs", "check", str(folder), "--repair"]) == 0
    assert len(contents_of(folder).failed) == 1
    found = replace(accepted(case_of(), completions_of(like_the_paper, 2), 2), sessions=read_sessions(folder))
    (note,) = [note for note in notes_of(found) if note.code == "store_repaired"]
    assert "12 records kept" in say(note)


def rows(name, done, holds, test, values):
    """A row for each of ``values``, ``{}`` in its words being the value."""
    return tuple(
        Fault(
            name=f"{name}-{value.replace(' ', '-')}",
            done=done.format(value),
            holds=holds,
            test=partial(test, value),
        )
        for value in values
    )


NAMED = "refused, with the place"
EDITS = {
    "the text of a record edited": (lambda lines: [lines[0].replace(b"boxed{4}", b"boxed{5}"), *lines[1:]], "checksum"),
    "a blank put into a record": (lambda lines: [lines[0].replace(b'":', b'": ', 1), *lines[1:]], "checksum"),
    "the key of a record edited": (
        lambda lines: [*lines[:2], lines[2].replace(b'"p0"', b'"p7"'), *lines[3:]],
        "checksum",
    ),
    "the finish of a record edited": (lambda lines: [lines[0].replace(b'"stop"', b'"failed"'), *lines[1:]], "checksum"),
    "checksums removed from a record": (lambda lines: [lines[0][:-54] + b"}", *lines[1:]], "no checksum"),
    "checksums removed from all records": (lambda lines: [line[:-54] + b"}" for line in lines], "no checksum"),
    "the first record removed": (lambda lines: lines[1:], "records before it were removed"),
    "a record removed": (lambda lines: lines[:4] + lines[5:], "records were removed"),
    "the last record removed": (lambda lines: lines[:-1], "where 12 up to byte .* had been acknowledged"),
    "all records removed": (lambda _: [], "where 12 up to byte .* had been acknowledged"),
    "two records exchanged": (lambda lines: [lines[1], lines[0], *lines[2:]], "records before it were removed"),
    "a record doubled": (lambda lines: [*lines, lines[3]], "has an answer number .* already"),
    "two lines joined": (lambda lines: [lines[0] + lines[1], *lines[2:]], "checksum"),
    "a record cut in two": (lambda lines: [lines[0][:80], lines[0][80:], *lines[1:]], "checksum"),
    "a remark put in": (lambda lines: [*lines[:3], b"# checked by hand", *lines[3:]], "not JSON"),
}

FAULTS = (
    *rows(
        "saved-as",
        "the file saved again as {}",
        "refused; every record comes back by the repair",
        saved_again,
        SAVED_AS,
    ),
    Fault(
        name="saved-as-latin-1",
        done="the file saved again as Latin-1, other letters replaced",
        holds="refused; no text with replaced letters is kept by the repair",
        test=saved_as_latin_1,
    ),
    Fault(
        name="cut-at-every-byte-after-a-kill",
        done="the writer killed, then the file cut at each of its bytes",
        holds="every record that is whole is kept, none is invented, and the run goes on",
        test=cut_at_every_byte_after_a_kill,
    ),
    Fault(
        name="cut-at-every-byte-after-its-end",
        done="a session ended, then the file cut at each of its bytes",
        holds="refused: the number of acknowledged records is known",
        test=cut_at_every_byte_after_its_end,
    ),
    Fault(
        name="every-bit-of-a-middle-record-flipped",
        done="each bit of a record amid others flipped, more than 1,500",
        holds="found, or the completions are the same",
        test=every_bit_of_a_middle_record_flipped,
    ),
    *(
        Fault(
            name=f"zeros-from-{at}",
            done=f"a power loss fills the end with zeros, from {where}",
            holds="every record before it is kept, and the run goes on",
            test=partial(zeros_from, at),
        )
        for at, where in (
            (0, "the newline of a record"),
            (1, "the beginning of a record"),
            (90, "the middle of a record"),
        )
    ),
    Fault(
        name="zeros-within",
        done="a block amid the records filled with zeros",
        holds="refused; the repair keeps every other record",
        test=zeros_within,
    ),
    *(
        Fault(name=done.replace(" ", "-"), done=done, holds=NAMED, test=partial(lines_changed, change, words))
        for done, (change, words) in EDITS.items()
    ),
    Fault(
        name="a-foreign-record-put-in", done="a record of another promise put in", holds=NAMED, test=foreign_line_put_in
    ),
    Fault(
        name="the-file-of-another-promise",
        done="the file of another promise in its place",
        holds="refused, also by the repair",
        test=foreign_file,
    ),
    Fault(
        name="seeds-of-another-run",
        done="records with the seeds of another run",
        holds=NAMED,
        test=seeds_of_another_run,
    ),
    Fault(
        name="holes-in-a-run",
        done="a store that lacks samples of a look that had ended",
        holds="refused; what an interrupted look lacks is asked for",
        test=holes_in_a_run,
    ),
    Fault(
        name="manifest-edited",
        done="information in the manifest edited",
        holds=NAMED,
        test=partial(
            file_changed, "manifest.json", lambda data: data.replace(b'"harness": ""', b'"harness": "9"'), "was edited"
        ),
    ),
    Fault(
        name="mark-edited",
        done="acknowledged.json edited",
        holds=NAMED,
        test=partial(
            file_changed, "acknowledged.json", lambda data: data.replace(b"12", b"13"), "had been acknowledged"
        ),
    ),
    Fault(
        name="mark-damaged",
        done="acknowledged.json cut",
        holds=NAMED,
        test=partial(file_changed, "acknowledged.json", lambda data: data[:20], "json: not what papergate"),
    ),
    Fault(
        name="mark-removed",
        done="acknowledged.json removed",
        holds=NAMED,
        test=partial(file_removed, "acknowledged.json", "how many records were acknowledged is not known"),
    ),
    Fault(
        name="records-removed",
        done="completions.jsonl removed between two sessions",
        holds=NAMED,
        test=partial(file_removed, COMPLETIONS_FILE, "where 12 up to byte .* had been acknowledged"),
    ),
    Fault(
        name="manifest-removed",
        done="manifest.json removed",
        holds=NAMED,
        test=partial(file_removed, "manifest.json", "restore it"),
    ),
    Fault(
        name="sessions-cut",
        done="sessions.jsonl cut within a line",
        holds="refused, with the line; the repair keeps the others",
        test=partial(sessions_changed, lambda data: data + b'{"papergate": "20', 2),
    ),
    Fault(
        name="sessions-edited",
        done="a set-up in sessions.jsonl edited",
        holds="refused, with the line; the repair keeps it as it is, and the report names the repair",
        test=partial(sessions_changed, lambda data: data.replace(b"{", b'{"engine":"better",', 1), 1),
    ),
    Fault(
        name="removed-while-writing",
        done="completions.jsonl removed while a run writes",
        holds="noticed before the next acknowledgement; the records are written again",
        test=partial(removed_while_writing, lambda folder: (folder / COMPLETIONS_FILE).unlink()),
    ),
    Fault(
        name="folder-removed-while-writing",
        done="the folder of the run removed while it writes",
        holds="noticed before the next acknowledgement; the records are written again",
        test=partial(removed_while_writing, shutil.rmtree),
    ),
    Fault(
        name="replaced-while-writing",
        done="completions.jsonl replaced while a run writes, as editors do",
        holds="noticed before the next acknowledgement; both files are kept",
        test=replaced_while_writing,
    ),
    Fault(
        name="moved-while-writing",
        done="the folder moved while a run writes",
        holds="noticed before the next acknowledgement; the run goes on there",
        test=moved_while_writing,
    ),
    Fault(
        name="cut-while-writing",
        done="completions.jsonl cut while a run writes",
        holds="noticed before the next acknowledgement",
        test=cut_while_writing,
    ),
    Fault(
        name="written-by-another",
        done="another program appends to completions.jsonl",
        holds="noticed before the next acknowledgement",
        test=written_by_another,
    ),
    Fault(
        name="edited-while-writing",
        done="a stored record edited in place while the run goes on",
        holds="refused when it is read for grading",
        test=edited_while_writing,
    ),
    Fault(
        name="many-lines-put-in",
        done="20,000 lines put in that are no records",
        holds="refused; they are counted, a few are named, and every record comes back by the repair",
        test=many_lines_put_in,
    ),
    *rows(
        "link-planted",
        "a link planted as {}",
        "refused; what it leads to is neither read nor written",
        link_planted,
        [COMPLETIONS_FILE, "manifest.json", "sessions.jsonl", "acknowledged.json", "writer.lock"],
    ),
    *rows(
        "fifo-planted",
        "a fifo planted as {}",
        "refused at once, without waiting",
        fifo_planted,
        [COMPLETIONS_FILE, "manifest.json", "sessions.jsonl", "acknowledged.json", "writer.lock"],
    ),
    *rows(
        "planted-in-a-finished-run",
        "{} in place of any record of a finished run",
        "named by `papergate runs check`, at once and in little memory; no link is followed",
        planted_in_a_finished_run,
        PLANTED,
    ),
    Fault(
        name="hollow",
        done="a hole of 1 TiB at the end of the completions, the manifest or a bundle",
        holds="refused by `papergate runs judge`, `bundle` and `verify`, at once",
        test=hollow,
    ),
    Fault(
        name="saved-with-half-of-a-letter",
        done="lines that hold half of a surrogate pair, or a number of 26 digits, put into a store",
        holds="refused; every record comes back by the repair",
        test=saved_with_half_of_a_letter,
    ),
    Fault(
        name="draft-planted",
        done="a link planted where a draft was written before",
        holds="drafts have names that no one can predict",
        test=draft_planted,
    ),
    Fault(
        name="others-may-not-read",
        done="a run under umask 0",
        holds="its files and folders are its user's alone",
        test=others_may_not_read,
    ),
    Fault(
        name="old-store-resumed",
        done="a store without checksums, of an earlier papergate, resumed",
        holds="read and gone on with; from then on its old records are linked too",
        test=old_store_resumed,
    ),
    Fault(
        name="old-store-saved-as-UTF-16",
        done="a store without checksums saved again as UTF-16",
        holds="refused; every record comes back by the repair",
        test=old_store_saved_again,
    ),
    Fault(
        name="repair-keeps-failures",
        done="a store with lost requests repaired",
        holds="they stay known as failures, and the report names the repair",
        test=failures_and_repairs,
    ),
)
