"""Records of a run: read as they were written, in every format; refused in words where that cannot be."""

import errno
import json
import os
import re
from pathlib import Path

import pytest

from papergate.acceptance import notes
from papergate.acceptance.saving import record_of
from papergate.errors import StoreError
from papergate.reports.junit import properties
from papergate.reports.page import write_page
from papergate.reports.speed import speed_of
from papergate.run_folder.files import BALLAST, ROOM_FOR_JUNIT, VERDICT_FILE, give_room, keep_room, speed_file
from papergate.run_folder.speed import read_speed, read_speeds, write_speed
from papergate.run_folder.verdict import Judged, VerdictRecord, read_verdict, read_verdicts, write_verdict
from papergate.verdict import numbers
from papergate.words import say
from tests.meta.tiny_runs import accepted, case_of, completions_of, like_the_paper

FIRST_FORMAT = Path(__file__).parent / "first_format"
PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"


def first_format():
    return json.loads((FIRST_FORMAT / PROMISE / VERDICT_FILE).read_text())


def written(folder, fields):
    folder.mkdir(exist_ok=True)
    (folder / VERDICT_FILE).write_text(json.dumps(fields))
    return folder


def test_runs_of_the_first_format_are_read_with_every_figure_and_sentence(tmp_path):
    kept, beside = read_verdict(FIRST_FORMAT / PROMISE), read_verdict(FIRST_FORMAT / "beside-golden")
    assert (kept.verdict, kept.judgement.k, kept.aggregates.pass_at_k["6"]) == ("pass", 6, 0.8333333333333334)
    assert say(kept.remarks[0]) == first_format()["remarks"][0]
    assert say(beside.notes[0]).startswith("the completions come from a file")
    assert beside.golden.promise == PROMISE
    page = write_page([kept, beside], [], tmp_path, [*map(speed_of, read_speeds(FIRST_FORMAT).records)]).read_text()
    assert "Promises: 2. 1 kept. 1 undecided." in page
    assert "750 ms" in page
    assert dict(properties(beside))["verdict"] == "inconclusive"


def test_a_record_of_the_first_format_written_again_says_the_same(tmp_path):
    record = read_verdict(FIRST_FORMAT / "beside-golden")
    write_verdict(tmp_path, record)
    assert read_verdict(tmp_path) == record
    for speed in read_speeds(FIRST_FORMAT).records:
        write_speed(tmp_path, speed)
        assert read_speed(tmp_path, speed.workload) == speed


def test_a_verdict_is_told_again_in_chinese_from_its_record_alone(tmp_path):
    write_verdict(tmp_path, record_of(accepted(case_of(), completions_of(like_the_paper, 4), 4)))
    record = read_verdict(tmp_path)
    assert say(record.said) == record.sentence
    told = say(record.said, "zh")
    assert re.match(r"(通过|证据不足)：pass@1 \d+\.\d % \[\d+\.\d, \d+\.\d\]，承诺值 74\.0 % ± 1 道题", told)
    assert told.endswith("（30 题 x 4 个样本）")


def test_a_verdict_of_the_second_format_says_the_sentence_that_it_has(tmp_path):
    fields = {**first_format(), "format": 2, "notes": [{"code": "attached", "values": {"hardware": "A100"}}]}
    record = read_verdict(written(tmp_path / "second", {**fields, "remarks": []}))
    assert say(record.said, "zh") == record.sentence == first_format()["sentence"]
    assert "A100" in say(record.notes[0], "zh")


def test_notes_within_notes_without_end_are_refused_in_words(tmp_path):
    deep = {"code": "so_far"}
    for _ in range(300):
        deep = {"code": "so_far", "parts": [deep]}
    with pytest.raises(StoreError, match=r"verdict\.json cannot be read"):
        read_verdict(
            written(tmp_path / "deep", {**first_format(), "format": 3, "said": deep, "notes": [], "remarks": []})
        )


def test_a_record_of_a_later_release_is_refused_in_words(tmp_path):
    folder = written(tmp_path / "later", {"format": VerdictRecord.FORMAT + 1, "verdict": "maybe"})
    with pytest.raises(StoreError, match=r"has the format 4; papergate .* reads formats up to 3: read it with the rel"):
        read_verdict(folder)


def test_a_field_that_a_later_release_added_is_left_alone(tmp_path):
    assert read_verdict(written(tmp_path, first_format() | {"mood": "good"})).verdict == "pass"


DAMAGES = {
    "cut off": "{",
    "empty": "",
    "a list": "[]",
    "deep": "[" * 100_000,
    "not UTF-8": b"\xff\xfe{",
    "a field missing": {"sentence": ...},
    "a verdict that is none": {"verdict": "maybe"},
    "a number that is none": {"truncations": "many"},
    "a format that is none": {"format": "two"},
    "columns of different lengths": {"counts": first_format()["counts"] | {"correct": [1]}},
    "notes that are none": {"warnings": 3},
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_record_is_refused_in_words_and_hides_no_other(tmp_path, damage):
    if isinstance(damage, dict):
        fields = {name: value for name, value in (first_format() | damage).items() if value is not ...}
        damage = json.dumps(fields)
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / VERDICT_FILE).write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    with pytest.raises(StoreError, match=r"verdict\.json cannot be read: .*judge the run again"):
        read_verdict(folder)
    written(tmp_path / "kept", first_format())
    found = read_verdicts(tmp_path)
    assert [record.verdict for record in found.records] == ["pass"]
    assert [name for name, _ in found.refused] == ["damaged"]


def test_a_fifo_in_place_of_a_record_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / VERDICT_FILE)
    with pytest.raises(StoreError, match="a fifo where a plain file is expected"):
        read_verdict(tmp_path)


def test_a_name_that_no_utf_8_can_hold_is_written_and_read(tmp_path):
    record = read_verdict(FIRST_FORMAT / PROMISE)
    source = record.benchmark.model_copy(update={"source": os.fsdecode(b"caf\xe9.jsonl")})
    write_verdict(tmp_path, record.model_copy(update={"benchmark": source}))
    assert read_verdict(tmp_path).benchmark.source == "caf?.jsonl"
    assert "caf?.jsonl" in write_page([read_verdict(tmp_path)], [], tmp_path).read_text()


def test_an_earlier_record_stays_where_the_disk_refuses(tmp_path, monkeypatch):
    write_verdict(tmp_path, read_verdict(FIRST_FORMAT / PROMISE))
    before = (tmp_path / VERDICT_FILE).read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_verdict(tmp_path, read_verdict(FIRST_FORMAT / "beside-golden"))
    assert (tmp_path / VERDICT_FILE).read_bytes() == before


def full(_descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_every_number_of_a_judgement_has_its_place_in_the_record():
    stated = numbers(accepted(case_of(), completions_of(like_the_paper, 4), 4).judgement)
    assert stated.keys() - {"warnings", "warning_codes"} == Judged.model_fields.keys()


def test_a_sweep_is_no_record(tmp_path):
    assert speed_file(tmp_path, "a").parent == speed_file(tmp_path, "b").parent
    assert read_speeds(tmp_path).records == ()


# -- notes -------------------------------------------------------------------------------------------------------------


def test_every_count_of_the_samples_that_is_noted_has_its_sentence():
    record = read_verdict(FIRST_FORMAT / PROMISE)
    found = [*notes._notes_of_samples(dict.fromkeys(record.tally, 3))]
    assert len(found) == 3
    assert "6 of the planned samples never came; they count as not correct" in map(say, found)


def test_room_for_the_reports_is_kept_back_and_given(tmp_path):
    keep_room(tmp_path)
    keep_room(tmp_path)
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_blocks * 512 >= BALLAST  # no hole: a file of nothing keeps no room
    give_room(tmp_path, but=ROOM_FOR_JUNIT)
    assert kept.stat().st_size == ROOM_FOR_JUNIT
    give_room(tmp_path)
    give_room(tmp_path)
    assert not [*tmp_path.iterdir()]
    keep_room(tmp_path / "none" / "such")
