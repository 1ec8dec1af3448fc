"""Inputs that no honest user writes, or writes once by mistake: each is refused before anything starts, in words."""

import contextlib
import gzip
import io
import json
import os
from functools import partial

import pytest

from papergate.benchmarks import load, read_specs
from papergate.cli import USAGE_ERROR, main
from papergate.engines.replay import read_predictions
from papergate.engines.weights import digest_of_template
from papergate.errors import BenchmarkError, EngineError, PredictionsError, PromiseError, WorkloadError
from papergate.performance.prompts import _first_turns
from papergate.performance.regression.stored import read_stored
from papergate.promises import read_promises
from tests.meta.faults.records import Fault

SPECS = read_specs()
DEEP = 100_000
TARGET = """
name = "mine"
title = "My card"
hardware = { probe = "cpu", title = "a CPU" }
[[deployments]]
name = "d"
engine = "remote"
model = "m"
endpoint = "http://127.0.0.1:1/v1"
sampling = { temperature = 0.6, top_p = 0.95, max_tokens = 100 }
source = "my notes"
promises = [{ benchmark = "aime2024", tolerance = "1 problem", score = { percent = 69.7, source = "notes" } }]
"""


def target_refused(old, new, words, folder):
    assert old in TARGET
    (folder / "mine.toml").write_text(TARGET.replace(old, new, 1))
    read = partial(read_promises, [folder], benchmarks=SPECS)
    with pytest.raises(PromiseError, match=words):
        read()


def file_refused(make, words, folder):
    """A target file that is no file, or not one that can be read."""
    make(folder / "mine.toml")
    with pytest.raises(PromiseError, match=words):
        read_promises([folder], benchmarks=SPECS)


def a_low_score_that_says_so(folder):
    (folder / "mine.toml").write_text(TARGET.replace("69.7", '"0.8 %"'))
    (promise,) = read_promises([folder], benchmarks=SPECS)
    assert str(promise.score.percent) == "0.8"


def data_refused(name, make, words, folder):
    path = folder / name
    make(path)
    with pytest.raises(BenchmarkError, match=words):
        load(SPECS["aime2024"], path)


def log_refused(name, make, words, folder):
    path = folder / name
    make(path)
    with pytest.raises(PredictionsError, match=words):
        read_predictions(path)


def conversations_refused(make, words, folder):
    make(folder / "talks.json")
    with pytest.raises(WorkloadError, match=words):
        _first_turns(folder / "talks.json")


def baseline_refused(make, words, folder):
    make(folder / "stored.json")
    with pytest.raises(WorkloadError, match=words):
        read_stored(folder / "stored.json")


def weights_refused(make, words, folder):
    make(folder / "tokenizer_config.json")
    with pytest.raises(EngineError, match=words):
        digest_of_template(folder)


def a_lone_surrogate(folder):
    (folder / "log.jsonl").write_text('{"id": "1", "response": "</think>\\ud83d \\ud83d\\ude00 4"}')
    (done,) = read_predictions(folder / "log.jsonl").completions
    assert done.text == "</think>? 😀 4"
    done.text.encode()


def result_refused(content, words, folder):
    path = folder / "result.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    judged_unusable([str(path)], words)


def judged_unusable(arguments, words):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        assert main(["judge", *arguments]) == USAGE_ERROR
    assert words in said.getvalue()


def a_fifo_judged(folder):
    os.mkfifo(folder / "result.json")
    judged_unusable([str(folder / "result.json")], "a fifo where a plain file is expected")


def result(**changes):
    fields = {"counts": [1, 2, 3], "k": 3, "ref_percent": 50, "tolerance": "1 problem"} | changes
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def text(content):
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def packed(content):
    return lambda path: path.write_bytes(gzip.compress(content))


def loop(path):
    path.symlink_to(path)


def sparse(size):
    def make(path):
        with path.open("wb") as file:
            file.truncate(size)

    return make


PERCENT = "percent = 69.7"
TARGETS = {
    "a score of 0.798 percent": (PERCENT, "percent = 0.798", r"is below 1 %; write 79\.8"),
    "a score of 1 percent": (PERCENT, "percent = 1", "may be 1 % or 100 %"),
    "a score of 101 percent": (PERCENT, "percent = 101", "less than or equal to 100"),
    "a negative score": (PERCENT, "percent = -3", "less than or equal to 100"),
    "a score of nan": (PERCENT, "percent = nan", "is not a number"),
    "a score of 1e-999999999": (PERCENT, "percent = 1e-999999999", "is not a number"),
    "a score of 5,000 digits": (PERCENT, f"percent = {'9' * 5000}", "not a TOML file|is not a number"),
    "a limit of half a token": ("max_tokens = 100", "max_tokens = 0.5", "valid integer"),
    "a limit of no tokens": ("max_tokens = 100", "max_tokens = 0", "greater than or equal to 1"),
    "a limit that is true": ("max_tokens = 100", "max_tokens = true", "valid integer"),
    "a temperature of inf": ("temperature = 0.6", "temperature = inf", "finite number"),
    "a target named not": ('name = "mine"', 'name = "not"', "is a word of -m expressions"),
    "a target with a path as its name": ('name = "mine"', 'name = "../mine"', "should match pattern"),
    "a target with a long name": ('name = "mine"', f'name = "{"m" * 300}"', "at most 64 characters"),
    "an escape sequence in a title": ('title = "My card"', r'title = "\u001b[2J"', "control character"),
    "a direction mark in a model's name": ('model = "m"', r'model = "m\u202e"', "control character"),
    "lists in lists, 100,000 deep": ('title = "My card"', f"title = {'[' * DEEP}", "nested too deeply"),
}
FILES = {
    "a folder named x.toml": (lambda path: path.mkdir(), "a folder where a plain file is expected"),
    "a link named x.toml to nowhere": (lambda path: path.symlink_to("nowhere"), "No such file"),
    "a link named x.toml to itself": (loop, "cannot be read"),
    "a fifo named x.toml": (os.mkfifo, "a fifo where a plain file is expected"),
    "a target file of 1 TiB": (sparse(1 << 40), "more than 1 MiB"),
    "a target file in UTF-16": (text(TARGET.encode("utf-16")), "not a TOML file"),
    "an empty target file": (text(""), "Field required"),
}
DATA = {
    "deep JSON as data": ("d.jsonl", text("[" * DEEP), "line 1: it is nested too deeply"),
    "deep JSON as one object": ("d.json", text('{"a":' * DEEP), "nested too deeply"),
    "a number of 5,000 digits in data": ("d.json", text(f"[{'9' * 5000}]"), "not a .json file"),
    "CSV rows that are too short": ("d.csv", text("id,problem,answer\n1,What\n"), "row 2 has 2 fields where 3"),
    "CSV rows that are too long": ("d.csv", text("id,problem,answer\n1,What,4,5\n"), "row 2 has 4 fields where 3"),
    "an open quotation mark in CSV": ("d.csv", text('id,problem,answer\n1,"What,4\n'), "not a .csv file"),
    "a CSV field of 200 KiB": ("d.csv", text("id,problem,answer\n1," + "x" * 200_000 + ",4\n"), "1 rows where"),
    "a link to itself as data": ("d.jsonl", loop, "cannot be read"),
    "a fifo as data": ("d.jsonl", os.mkfifo, "a fifo where a plain file is expected"),
    "data of 1 TiB": ("d.jsonl", sparse(1 << 40), "more than 1024 MiB"),
    "rows that are lists": ("d.jsonl", text("[1]\n"), "list where an object is expected"),
    "bytes that are no UTF-8": ("d.jsonl", text(b'{"id": "\xff"}'), "not a .jsonl file"),
    "a broken parquet file": ("d.parquet", text("PAR1"), "not a .parquet file"),
    "an answer that is an object": ("d.jsonl", text('{"id":1,"problem":"x","answer":{}}'), "row 1 is no row of"),
}
ROW = '{"problem":"1","sample":%s,"seed":1,"text":"t","finish":"stop","attempts":1}'
LOGS = {
    "a corrupt gzip file": ("l.jsonl.gz", text(b"\x1f\x8b\x08\x00corrupt"), "not a gzip file|ends early"),
    "a cut gzip file": ("l.jsonl.gz", lambda p: p.write_bytes(gzip.compress(b"x" * 9999)[:-9]), "ends early"),
    "a file that gzip packed to a 1,000th": ("l.jsonl.gz", packed(b"\0" * (80 << 20)), "unpacks to more than 64 MiB"),
    "deep JSON as a log": ("l.jsonl", text("[" * DEEP), "nested too deeply"),
    "a sample that is a list": ("l.jsonl", text(ROW % "[0]"), r"sample \[0\] is no whole number"),
    "a negative sample": ("l.jsonl", text(ROW % "-1"), "is no whole number"),
    "a sample of 30 digits": ("l.jsonl", text(ROW % ("9" * 30)), "is no whole number"),
    "a fifo as a log": ("l.jsonl", os.mkfifo, "a fifo where a plain file is expected"),
    "a log of 1 TiB": ("l.jsonl", sparse(1 << 40), "more than 8192 MiB"),
    "a log in UTF-16": ("l.jsonl", text((ROW % 0).encode("utf-16")), "cannot be read"),
    "an empty log": ("l.jsonl", text(""), "no completions in it"),
    "a log that does not exist": ("l.jsonl", lambda _: None, "no such file"),
    "no repeats of a sample in AISBench's list": (
        "l.jsonl",
        text('{"data_abbr":"a","id":0,"prediction":[]}'),
        "no completions in it",
    ),
}
WORKLOADS = {
    "deep JSON": (text("[" * DEEP), "nested too deeply"),
    "a fifo": (os.mkfifo, "a fifo where a plain file is expected"),
    "1 TiB": (sparse(1 << 40), "more than 1024 MiB"),
    "a list in place of objects": (text("[[1]]"), "no file of conversations|no stored run"),
    "Latin-1": (text('"é"'.encode("latin-1")), "cannot be read|no stored run"),
}
RESULTS = {
    "ref_percent 0.798": (result(ref_percent=0.798), "is below 1 %; write 79.8"),
    "ref_percent 1e999999999": (result(ref_percent="1e999999999"), "is not a number"),
    "ref_percent nan": (result().replace("50", "NaN"), "is not a number"),
    "ref_percent 1/0": (result(ref_percent="1/0"), "is not a number"),
    "negative repeats": (result(counts=None, counts_rle=[[1, -2]]), "greater than or equal to 1"),
    "a million million repeats": (result(counts=None, counts_rle=[[1, 10**12]]), "less than or equal to 1000000"),
    "many repeats that make ten million": (result(counts=None, counts_rle=[[1, 10**6]] * 10), "more than 1000000"),
    "k of 0": (result(k=0), "greater than or equal to 1"),
    "a count of 1.5": (result(counts=[1.5, 2, 3]), "valid integer"),
    "more correct than planned": (result(counts=[4, 2, 3]), "problem 1: 4 of 3"),
    "alpha of 0": (result(alpha=0), "an error rate lies above 0"),
    "an unknown field": (result(kount=3), "Extra inputs are not permitted"),
    "deep JSON as a result": ("[" * DEEP, "recursion limit"),
    "a result in UTF-16": (result().encode("utf-16"), "Invalid JSON"),
}


def rows(prefix, done, holds, test, cases):
    return tuple(
        Fault(
            name=f"{prefix}-{name.replace(' ', '-')}",
            done=done.format(name),
            holds=holds,
            test=partial(test, *case),
        )
        for name, case in cases.items()
    )


REFUSED = "refused before anything starts, with the place"
FAULTS = (
    *rows("target", "a target file with {}", REFUSED, target_refused, TARGETS),
    *rows("file", "{} among the targets", REFUSED, file_refused, FILES),
    *rows("data", "`--data`: {}", REFUSED, data_refused, DATA),
    *rows("log", "`--predictions`: {}", REFUSED, log_refused, LOGS),
    *rows("result", "`papergate judge`: {}", "refused with exit code 2", result_refused, RESULTS),
    *rows("prompts", "`--prompts`: {}", REFUSED, conversations_refused, WORKLOADS),
    *rows("baseline", "`--baseline`: {}", REFUSED, baseline_refused, WORKLOADS),
    Fault(
        name="weights-cut",
        done="`tokenizer_config.json` of a model cut",
        holds=REFUSED,
        test=partial(weights_refused, text('{"chat_'), "restore the file of the model"),
    ),
    Fault(
        name="result-a-fifo",
        done="`papergate judge`: a fifo",
        holds="refused with exit code 2, without waiting",
        test=a_fifo_judged,
    ),
    Fault(
        name="target-a-low-score-that-says-so",
        done='a target file with a score of `"0.8 %"`',
        holds="accepted: the sign says what is meant",
        test=a_low_score_that_says_so,
    ),
    Fault(
        name="log-a-lone-surrogate",
        done="`--predictions`: half of a surrogate pair in a text",
        holds="read as a question mark, which UTF-8 can hold",
        test=a_lone_surrogate,
    ),
)
