import json
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papergate.performance.prompts import OWN_TEXT, Ruler, make_prompts
from papergate.performance.workloads import (
    WORKLOADS,
    Workload,
    WorkloadError,
    arrivals_s,
    known_workloads,
    read_workload,
)

TEMPLATE = 3
NEEDS_A_FILE = "sharegpt"


class Words:
    """A tokenizer whose tokens are words, or pieces of ``size`` characters of them."""

    def __init__(self, size=100):
        self._size = size

    def prompt(self, text):
        return TEMPLATE + self.text(text)

    def text(self, text):
        return sum(-(-len(word) // self._size) for word in text.split())


def workload(**changes):
    made = {"kind": "verse", "input_tokens": 64, "prefix_tokens": 16, "output_tokens": 8}
    fields = {"name": "w", "title": "w", "source": "w", "prompts": made, "count": 5, "concurrency": 2}
    return Workload.model_validate(fields | changes)


def written(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


GOOD = """
name = "mine"
title = "mine"
source = "me"
prompts = { kind = "random", input_tokens = 10, output_tokens = 5 }
count = 3
concurrency = 2
"""


@pytest.mark.parametrize("name", sorted(name for name in known_workloads() if NEEDS_A_FILE not in name))
def test_workload_is_named_after_its_file(name):
    assert read_workload(name).name == name


@pytest.mark.parametrize(
    ("name", "count", "concurrency", "lengths"),
    [
        ("online", 100, 4, (1024, 32, 1024)),
        ("offline-throughput", 10, 10, (1000, 0, 1000)),
        ("latency", 10, 1, (1024, 0, 1024)),
    ],
)
def test_vendors_workloads_are_as_their_documents_have_them(name, count, concurrency, lengths):
    found = read_workload(name)
    prompts = found.prompts
    assert (found.count, found.concurrency) == (count, concurrency)
    assert (prompts.input_tokens, prompts.prefix_tokens, prompts.output_tokens) == lengths
    assert found.ignore_eos


@pytest.mark.parametrize("name", [name for name in known_workloads() if name.startswith("tiny-")])
def test_tiny_workload_fits_the_embedded_model(name):
    prompts = read_workload(name).prompts
    assert prompts.input_tokens + prompts.output_tokens <= 512


@pytest.mark.parametrize("kind", ["verse", "random"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_prompts_have_exactly_the_tokens_asked_for(kind, size):
    asked = workload(prompts={"kind": kind, "input_tokens": 64, "prefix_tokens": 16, "output_tokens": 8})
    counter = Words(size)
    prompts = make_prompts(asked, counter, salt="s", context_tokens=None)
    assert len(prompts) == asked.warmup_requests + asked.count
    assert {counter.prompt(prompt.text) for prompt in prompts} == {64}
    prefix = shared_prefix([prompt.text.split() for prompt in prompts])
    assert counter.text(" ".join(prefix)) >= 16


def shared_prefix(texts):
    """Words that all texts begin with."""
    columns = zip(*texts, strict=False)
    return [column[0] for column, _ in zip(columns, iter(lambda: None, 1), strict=False) if len(set(column)) == 1]


def test_salt_changes_texts_and_no_lengths():
    one, other = (make_prompts(workload(), Words(), salt=salt, context_tokens=None) for salt in "ab")
    assert {prompt.text for prompt in one}.isdisjoint(prompt.text for prompt in other)
    assert [prompt.input_tokens for prompt in one] == [prompt.input_tokens for prompt in other]


def test_same_salt_makes_the_same_prompts():
    one, other = (make_prompts(workload(), Words(), salt="a", context_tokens=None) for _ in range(2))
    assert one == other


@given(target=st.integers(4, 300), size=st.integers(1, 6))
def test_ruler_hits_every_length(target, size):
    words = iter(OWN_TEXT.read_text().split() * 20)
    counter = Words(size)
    assert counter.prompt(Ruler(counter.prompt).text("", words, target)) == target


def test_ruler_knows_which_filler_is_a_single_token():
    counts = []
    ruler = Ruler(lambda text: counts.append(text) or sum(1 if word == "x" else 2 for word in text.split()))
    counts.clear()
    assert ruler.text("", iter(["word"] * 100), 33).endswith(" x")
    assert len(counts) <= 4


def test_length_that_cannot_be_made_is_refused():
    with pytest.raises(WorkloadError, match="no text of 5 tokens"):
        Ruler(lambda text: 2 * len(text.split())).text("", iter(["word"] * 1000), 5)


def test_prompts_can_be_made_of_a_text_of_the_users(tmp_path):
    (tmp_path / "verse.txt").write_text("alpha beta\ngamma delta\n")
    place = written(tmp_path, GOOD.replace("output_tokens", 'text = "verse.txt", output_tokens'))
    prompts = make_prompts(read_workload(place), Words(), salt="s", context_tokens=None)
    words = {word for prompt in prompts for word in prompt.text.split()}
    assert words <= {"alpha", "beta", "gamma", "delta"}


def test_empty_text_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n")
    asked = read_workload("online", data=tmp_path / "empty.txt")
    with pytest.raises(WorkloadError, match="holds no words"):
        make_prompts(asked, Words(), salt="s", context_tokens=None)


def test_workload_longer_than_the_context_is_refused():
    with pytest.raises(WorkloadError, match="online needs 2048 tokens of context, the server has 512"):
        make_prompts(read_workload("online"), Words(), salt="s", context_tokens=512)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("count = 3", "count = 0"), "count: Input should be greater than or equal to 1"),
        (("concurrency = 2", ""), "give either concurrency"),
        (("concurrency = 2", "concurrency = 2\nrequests_per_s = 1.0"), "give either concurrency"),
        (("concurrency = 2", "concurrency = [2, 0]"), "concurrency must be at least 1"),
        (("concurrency = 2", "concurrency = []"), "concurrency"),
        (('kind = "random"', 'kind = "poem"'), "kind"),
        (("input_tokens = 10", "input_tokens = 10, prefix_tokens = 10"), "prefix_tokens must be below"),
        (("concurrency = 2", "speed = 2"), "speed"),
        (("count = 3", "count ="), "not a TOML file"),
    ],
)
def test_mistake_in_a_workload_is_named(tmp_path, change, said):
    with pytest.raises(WorkloadError, match=said) as caught:
        read_workload(written(tmp_path, GOOD.replace(*change)))
    assert "mine.toml" in str(caught.value)


def test_unknown_workload_lists_the_known():
    with pytest.raises(WorkloadError, match="known: latency, offline-throughput, online"):
        read_workload("of-line")


def test_digest_changes_with_what_is_measured_alone(tmp_path):
    good = read_workload(written(tmp_path, GOOD)).digest
    assert read_workload(written(tmp_path, GOOD.replace('title = "mine"', 'title = "ours"'))).digest == good
    assert read_workload(written(tmp_path, GOOD.replace("count = 3", "count = 4"))).digest != good


def test_sweep_is_one_run_for_each_concurrency():
    runs = read_workload("sweep").single_runs()
    assert [(run.name, run.concurrency) for run in runs] == [
        ("sweep-c1", 1),
        ("sweep-c4", 4),
        ("sweep-c16", 16),
        ("sweep-c64", 64),
    ]
    assert len({run.digest for run in runs}) == 4


def test_fixed_arrivals_are_evenly_spaced():
    asked = workload(concurrency=None, requests_per_s=4.0, arrivals="fixed")
    assert list(arrivals_s(asked)) == [0, 0.25, 0.5, 0.75, 1.0]


def test_poisson_arrivals_have_exponential_gaps_and_a_seed():
    asked = workload(concurrency=None, requests_per_s=4.0, count=20_000)
    gaps = [after - before for before, after in pairwise(arrivals_s(asked))]
    assert fmean(gaps) == pytest.approx(0.25, rel=0.03)
    assert fmean(gap**2 for gap in gaps) == pytest.approx(2 * 0.25**2, rel=0.06)
    assert list(arrivals_s(asked)) == list(arrivals_s(asked))
    assert list(arrivals_s(asked)) != list(arrivals_s(asked.model_copy(update={"seed": 1})))


def conversations(tmp_path, *talks):
    path = tmp_path / "talks.json"
    path.write_text(
        json.dumps([{"conversations": [{"from": who, "value": text} for who, text in talk]} for talk in talks])
    )
    return path


def test_conversations_give_prompts_and_output_lengths(tmp_path):
    talk = [("human", "a b c d e"), ("gpt", "one two three four five six"), ("human", "more"), ("gpt", "no")]
    short, other = [("human", "a"), ("gpt", "b")], [("gpt", "I begin here today"), ("human", "why so suddenly then")]
    path = conversations(tmp_path, short, talk, other, [])
    asked = read_workload(NEEDS_A_FILE, data=path).model_copy(update={"count": 1, "warmup": 0})
    (prompt,) = make_prompts(asked, Words(), salt="s", context_tokens=None)
    assert (prompt.text, prompt.input_tokens, prompt.output_tokens) == ("a b c d e", 8, 6)


def test_too_few_conversations_are_refused(tmp_path):
    asked = read_workload(NEEDS_A_FILE, data=conversations(tmp_path))
    with pytest.raises(WorkloadError, match="0 of its conversations fit"):
        make_prompts(asked, Words(), salt="s", context_tokens=None)


def test_conversations_without_a_file_are_refused():
    with pytest.raises(WorkloadError, match="--prompts FILE"):
        read_workload(NEEDS_A_FILE)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"talk": []}]', '[{"conversations": [{"who": "x"}]}]'])
def test_file_that_holds_no_conversations_is_refused(tmp_path, text):
    (tmp_path / "talks.json").write_text(text)
    asked = read_workload(NEEDS_A_FILE, data=tmp_path / "talks.json")
    with pytest.raises(WorkloadError, match=r"talks\.json"):
        make_prompts(asked, Words(), salt="s", context_tokens=None)


def test_every_shipped_workload_states_its_source():
    assert all('source = "' in path.read_text() for path in WORKLOADS.glob("*.toml"))
