"""A document's rows that are means of others."""

from types import SimpleNamespace

from papergate.benchmarks import read_specs
from papergate.promises import read_promises
from papergate.reports.averages import averages_of
from papergate.words import say

PROMISES = read_promises(benchmarks=read_specs())
VASTAI = "vastai-vllm-vacc-deepseek-r1"


def record(name, score, partial=None):
    return SimpleNamespace(promise=f"{VASTAI}-{name}", partial=partial, judgement=SimpleNamespace(score=score))


def test_the_mean_of_both_parts_stands_beside_the_documents():
    records = [record("cluewsc-dev", 155 / 159), record("cluewsc-test", 929 / 976), record("math500", 0.9)]
    (found,) = averages_of(records, PROMISES)
    assert round(found.values["percent"], 2) == 96.33
    assert "CLUEWSC avg: 96.33 % here, 96.225 % in the document" in say(found)


def test_there_is_none_without_every_part():
    assert [*averages_of([record("cluewsc-dev", 0.97)], PROMISES)] == []
    assert [*averages_of([record("cluewsc-dev", 0.97), record("cluewsc-test", 0.95, "5 of 976")], PROMISES)] == []
