"""Bundles that somebody or something changed: each has a seed, and each must be refused or contradicted.

Five kinds of hands: a disk that flips bits, a tool that packs again, an editor who mends the zip's own checksums, one
who mends papergate's sums too, and one who computes seals, sums and the root of the JUnit report anew.
"""

import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from papergate.completions.store import Store, contents_of, read_completions, read_manifest
from papergate.errors import StoreError
from papergate.evidence.bundle import HEAD, JUNIT, SUMS, heads
from papergate.evidence.container import pieces
from papergate.run_folder.history import append_verdict
from papergate.run_folder.notes import Note
from papergate.run_folder.sums import root_of, sum_in
from papergate.run_folder.verdict import VerdictRecord
from papergate.words import say

Members = dict[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Corruption:
    name: str
    data: bytes


def corrupted(data: bytes, seed: int) -> Corruption:
    """The bundle ``data``, changed in a way and at a place that ``seed`` draws."""
    dice = random.Random(seed)
    kinds = [*RAW, *PACKED, *(f"{hand}: {edit}" for hand in HANDS for edit in EDITS), *(f"anew: {x}" for x in ANEW)]
    for _ in range(100):
        name = dice.choice(kinds)
        changed = _changed(name, data, dice)
        if changed != data:
            return Corruption(name=name, data=changed)
    raise AssertionError("nothing changed")


def _changed(name: str, data: bytes, dice: random.Random) -> bytes:
    if name in RAW:
        return RAW[name](data, dice)
    if name in PACKED:
        return PACKED[name](members_of(data), dice)
    hand, _, edit = name.partition(": ")
    members = members_of(data)
    if hand == "anew":
        edited = ANEW[edit](members, dice)
        return data if edited == members else quoted_anew(edited)  # a new history alone has a new time
    return HANDS[hand](EDITS[edit](members, dice))


# a disk or a line


def _flipped(data, dice):
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def _span(data, dice):
    start = dice.randrange(len(data))
    return start, min(len(data), start + dice.randrange(1, 200))


def _without(data, dice):
    start, end = _span(data, dice)
    return data[:start] + data[end:]


def _zeroed(data, dice):
    start, end = _span(data, dice)
    return data[:start] + bytes(end - start) + data[end:]


def _repeated(data, dice):
    start, end = _span(data, dice)
    return data[:end] + data[start:end] + data[end:]


def _at_a_record(data, dice):
    """Times, permissions and versions of the zip, which most readers do not look at."""
    starts = [match.start() for match in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06)", data)]
    place = dice.choice(starts) + dice.randrange(22)
    return data[:place] + bytes([data[place] ^ dice.randrange(1, 256)]) + data[place + 1 :]


RAW: Mapping[str, Callable[[bytes, random.Random], bytes]] = {
    "a bit flipped": _flipped,
    "a byte of the records flipped": _at_a_record,
    "cut off": lambda data, dice: data[: dice.randrange(len(data))],
    "bytes removed": _without,
    "bytes zeroed": _zeroed,
    "bytes repeated": _repeated,
    "bytes put behind": lambda data, dice: data + dice.randbytes(dice.randrange(1, 100)),
    "bytes put before": lambda data, dice: dice.randbytes(dice.randrange(1, 100)) + data,
}


# a tool that packs again


def members_of(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(members: Members, more: tuple[str, ...] = ()) -> bytes:
    """A zip as papergate writes it, with checksums of its own; the members ``more`` are there again."""
    sums = [sum_in(io.BytesIO(members[name]), name, len(members[name])) for name in (*members, *more)]
    return b"".join(piece if isinstance(piece, bytes) else members[piece.name] for piece in pieces(sums))


def _shuffled(members, dice):
    names = [*members]
    dice.shuffle(names)
    return written({name: members[name] for name in names})


def _zipped(method):
    def zipped(members, _dice):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", method) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return target.getvalue()

    return zipped


PACKED: Mapping[str, Callable[[Members, random.Random], bytes]] = {
    "members in another order": _shuffled,
    "a member left out": lambda members, dice: written(without(members, dice.choice([*members]))),
    "a member under another name": lambda members, dice: written(_renamed(members, dice)),
    "a member more": lambda members, dice: written({**members, f"x/{dice.randrange(100)}.json": b"{}"}),
    "packed again, stored": _zipped(zipfile.ZIP_STORED),
    "packed again, compressed": _zipped(zipfile.ZIP_DEFLATED),
    "a member twice": lambda members, dice: written(members, (dice.choice([*members]),)),
}


def without(members, name):
    return {each: data for each, data in members.items() if each != name}


def _renamed(members, dice):
    name = dice.choice([*members])
    return {(f"{each}x" if each == name else each): data for each, data in members.items()}


# editors of contents


def file_of(members: Members, name: str) -> str:
    return next(each for each in members if each.endswith(f"/{name}") and "golden-run" not in each)


def _lines(members, name):
    path = file_of(members, name)
    return path, members[path].decode().split("\n")


def _line_edited(name, change):
    """One line of a file of JSON lines, changed as an object and written back."""

    def edited(members, dice):
        path, lines = _lines(members, name)
        places = [place for place, line in enumerate(lines) if line]
        place = dice.choice(places)
        row = json.loads(lines[place])
        change(row, dice)
        lines[place] = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        return {**members, path: "\n".join(lines).encode()}

    return edited


def _line_gone(name):
    def gone(members, dice):
        path, lines = _lines(members, name)
        del lines[dice.choice([place for place, line in enumerate(lines) if line])]
        return {**members, path: "\n".join(lines).encode()}

    return gone


def _texts_swapped(members, dice):
    path, lines = _lines(members, "completions.jsonl")
    one, other = dice.sample([place for place, line in enumerate(lines) if line], 2)
    rows = [json.loads(lines[place]) for place in (one, other)]
    rows[0]["text"], rows[1]["text"] = rows[1]["text"], rows[0]["text"]
    for place, row in zip((one, other), rows, strict=True):
        lines[place] = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return {**members, path: "\n".join(lines).encode()}


def _failure_gone(members, dice):
    path, lines = _lines(members, "completions.jsonl")
    failures = [place for place, line in enumerate(lines) if '"finish":"failed"' in line]
    del lines[dice.choice(failures)]
    return {**members, path: "\n".join(lines).encode()}


def _byte_edited(members, dice):
    name = dice.choice([each for each, data in members.items() if data])
    return {**members, name: _flipped(members[name], dice)}


def _verdict_edited(members, dice):
    path = file_of(members, "verdict.json")
    record = json.loads(members[path])
    field, value = dice.choice(
        [("verdict", "pass"), ("accepted", not record["accepted"]), ("errors", 0), ("protocol", "vendor")]
    )
    if dice.random() < 0.5:
        record["judgement"]["score"] = min(1.0, record["judgement"]["score"] + 0.01)
    else:
        record[field] = value
    return {**members, path: f"{json.dumps(record, indent=1, ensure_ascii=False)}\n".encode()}


def _words_edited(members, dice):
    path = file_of(members, "verdict.json")
    record = json.loads(members[path])
    if dice.random() < 0.5:
        record["sentence"] = "pass: all is well"
    else:
        record["said"]["values"]["verdict"] = "pass"
        record["sentence"] = say(Note.model_validate(record["said"]))
    return {**members, path: f"{json.dumps(record, indent=1, ensure_ascii=False)}\n".encode()}


def _promise_edited(members, _dice):
    path = file_of(members, "promise.json")
    record = json.loads(members[path])
    record["promise"]["tolerance"] = "9 problems"
    return {**members, path: f"{json.dumps(record, indent=1, ensure_ascii=False)}\n".encode()}


EDITS: Mapping[str, Callable[[Members, random.Random], Members]] = {
    "a byte of a member": _byte_edited,
    "the text of a completion": _line_edited("completions.jsonl", lambda row, _dice: row.update(text="\\boxed{1}")),
    "the seed of a completion": _line_edited(
        "completions.jsonl", lambda row, dice: row.update(seed=dice.randrange(99))
    ),
    "a completion gone": _line_gone("completions.jsonl"),
    "a failure gone": _failure_gone,
    "two texts swapped": _texts_swapped,
    "a grade": _line_edited("grades.jsonl", lambda row, _dice: row.update(outcome=_other(row["outcome"]))),
    "a right answer": _line_edited("grades.jsonl", lambda row, _dice: row.update(gold="7")),
    "a grade gone": _line_gone("grades.jsonl"),
    "a row of problems": _line_edited("problems.jsonl", lambda row, _dice: row.update(correct=row["correct"] + 1)),
    "the verdict": _verdict_edited,
    "the words of the verdict": _words_edited,
    "the promise": _promise_edited,
}


def _other(outcome):
    return "incorrect" if outcome == "correct" else "correct"


def summed(members: Members) -> Members:
    """With the sums that papergate would write of these members."""
    evidence = {name: data for name, data in members.items() if name not in {HEAD, SUMS, JUNIT}}
    sums = [sum_in(io.BytesIO(data), name, len(data)) for name, data in sorted(evidence.items())]
    return {**heads(sums, members.get(JUNIT)), **dict(sorted(evidence.items()))}


HANDS: Mapping[str, Callable[[Members], bytes]] = {
    "mends the zip": written,
    "mends the sums": lambda members: written(summed(members)),
}


# one who computes everything anew but what follows from completions


def quoted_anew(members: Members) -> bytes:
    """With a history of the verdict, sums, and a JUnit report that quotes their root."""
    return requoted(_history_anew(members))


def requoted(members: Members) -> bytes:
    """With sums, and a JUnit report that quotes their root."""
    evidence = {name: data for name, data in members.items() if name not in {HEAD, SUMS, JUNIT}}
    sums = [sum_in(io.BytesIO(data), name, len(data)) for name, data in sorted(evidence.items())]
    junit = re.sub(rb'(evidence_sha256" value=")[0-9a-f]{64}', rb"\g<1>" + root_of(sums).encode(), members[JUNIT])
    return written(summed({**members, JUNIT: junit}))


def _history_anew(members: Members) -> Members:
    """One verdict, made with the files as they are now."""
    place = Path(file_of(members, "verdict.json")).parent
    with TemporaryDirectory() as folder:
        for name in ("manifest.json", "grades.jsonl", "problems.jsonl", "verdict.json"):
            Path(folder, name).write_bytes(members[f"{place}/{name}"])
        try:
            record = VerdictRecord.read(Path(folder, "verdict.json"))
        except StoreError:
            return members
        append_verdict(Path(folder), record, members[f"{place}/verdict.json"].decode())
        return {**members, f"{place}/verdicts.jsonl": Path(folder, "verdicts.jsonl").read_bytes()}


def _completions_anew(change):
    """Completions changed as records, sealed anew."""

    def anew(members, dice):
        path = Path(file_of(members, "completions.jsonl"))
        with TemporaryDirectory() as folder:
            old, new = Path(folder, "old"), Path(folder, "new")
            old.mkdir()
            for name in ("completions.jsonl", "manifest.json", "acknowledged.json"):
                (old / name).write_bytes(members[f"{path.parent}/{name}"])
            contents = contents_of(old)
            places = sorted([*contents.failed.values(), *contents.succeeded.values()])
            done = change([*read_completions(old, places)], dice)
            with Store.open(new, read_manifest(old)) as store:
                store.append(*done)
            changed = {
                name: (new / name).read_bytes() for name in ("completions.jsonl", "acknowledged.json", "manifest.json")
            }
        return {**members, **{f"{path.parent}/{name}": data for name, data in changed.items()}}

    return anew


def _right_text(done, dice):
    """A wrong answer becomes the right one of its problem."""
    rights = {one.problem: one.text for one in done if one.text and "1000}" not in one.text}
    wrong = [place for place, one in enumerate(done) if one.text and "1000}" in one.text and one.problem in rights]
    place = dice.choice(wrong)
    done[place] = replace(done[place], text=rights[done[place].problem] + " ")
    return done


def _swapped(done, dice):
    """The texts of a right and of a wrong completion, so that their grades follow from neither."""
    one = dice.choice([place for place, each in enumerate(done) if each.text and "1000}" in each.text])
    other = dice.choice([place for place, each in enumerate(done) if each.text and "1000}" not in each.text])
    done[one], done[other] = (
        replace(done[one], text=done[other].text),
        replace(done[other], text=done[one].text),
    )
    return done


def _other_seed(done, dice):
    place = dice.randrange(len(done))
    done[place] = replace(done[place], seed=dice.choice([None, 1, done[place].seed ^ 1]))
    return done


def _one_gone(done, dice):
    del done[dice.choice([place for place, each in enumerate(done) if each.text])]
    return done


def _copied(done, _dice):
    first = {one.problem: one.text for one in reversed(done) if one.text}
    return [replace(one, text=first[one.problem]) if one.text else one for one in done]


ANEW: Mapping[str, Callable[[Members, random.Random], Members]] = {
    "a wrong answer made right": _completions_anew(_right_text),
    "two texts swapped": _completions_anew(_swapped),
    "a seed": _completions_anew(_other_seed),
    "a completion left out": _completions_anew(_one_gone),
    "copies of one draw": _completions_anew(_copied),
    "a grade": EDITS["a grade"],
    "a right answer": EDITS["a right answer"],
    "a grade gone": EDITS["a grade gone"],
    "a row of problems": EDITS["a row of problems"],
    "the words of the verdict": _words_edited,
    "the verdict": _verdict_edited,
    "the promise": _promise_edited,
}
