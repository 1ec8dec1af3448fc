"""Shards of a run become one store, or are refused with everything that stands against it."""

import json
import shutil

import pytest

from papergate.completions.merging import joined_environment, merge_runs
from papergate.completions.policy import seed_of
from papergate.completions.shard import Shard
from papergate.completions.store import Store, contents_of, read_manifest, read_sessions
from papergate.errors import StoreError
from papergate.run_folder.files import COMPLETIONS_FILE, MANIFEST_FILE, SHARD_FILE
from papergate.run_folder.shard import ShardRecord, write_shard
from tests.meta.completions.test_store import completion, failure, manifest
from tests.meta.stored import read_store

PROMISE = manifest().promise
PROBLEMS = ("p1", "p2", "p3")
SAMPLES = (4, 4, 6)


def drawn(problem, sample, **changes):
    return completion(problem, sample, f"{problem} {sample}", seed=seed_of(1, problem, sample), **changes)


def shard_of(run, index, count=3, *, samples=SAMPLES, look=4, complete=True, **changes):
    """The run folder of one shard, complete."""
    shard = Shard(index=index, count=count)
    record = ShardRecord(index=index, count=count, look=look, problems=PROBLEMS, samples=samples, papergate="1")
    with Store.open(run / PROMISE, manifest(shard=str(shard), **changes)) as store:
        for key in sorted(record.keys()):
            if key not in store:
                store.append(drawn(*key))
    if complete:
        write_shard(run / PROMISE, record)
    return run


@pytest.fixture
def runs(tmp_path):
    return [shard_of(tmp_path / f"s{index}", index) for index in range(3)]


def merged(runs, into):
    merge_runs([*runs], into)
    return into / PROMISE


def test_shards_become_the_store_of_one_run(runs, tmp_path):
    folder = merged(reversed(runs), tmp_path / "whole")
    whole, found = read_store(folder)
    assert whole == manifest()
    assert found == {(p, s): drawn(p, s) for p, k in zip(PROBLEMS, SAMPLES, strict=True) for s in range(k)}
    assert not contents_of(folder).damages
    with Store.open(folder, manifest()) as store:
        store.append(drawn("p1", 9))
    assert len(read_store(folder)[1]) == sum(SAMPLES) + 1
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


def test_each_shard_is_heard_in_turn_and_in_its_own_order(runs, tmp_path):
    folder = merged(runs, tmp_path / "whole")
    lines = [json.loads(line) for line in (folder / COMPLETIONS_FILE).read_text().split("\n") if line]
    owners = [(PROBLEMS.index(line["problem"]) + line["sample"]) % 3 for line in lines]
    assert owners[:6] == [0, 1, 2, 0, 1, 2]


def test_a_failure_that_was_asked_again_leaves_only_its_answer(tmp_path, runs):
    with Store.open(tmp_path / "again" / PROMISE, manifest(shard="0/3")) as store:
        store.append(failure("p1", 0))
    again = shard_of(tmp_path / "again", 0)
    folder = merged([again, *runs[1:]], tmp_path / "whole")
    assert contents_of(folder).records == sum(SAMPLES)


def test_what_each_machine_was_is_kept(tmp_path):
    runs = [
        shard_of(tmp_path / f"s{index}", index, environment={"driver": driver, f"endpoint {index}": "vLLM"})
        for index, driver in enumerate(("550", "550", "560"))
    ]
    folder = merged(runs, tmp_path / "whole")
    assert dict(read_manifest(folder).environment) == {
        "driver": "550 | 560", "endpoint 0": "vLLM", "endpoint 1": "vLLM", "endpoint 2": "vLLM",
    }  # fmt: skip
    assert len(read_sessions(folder)) == 3
    assert joined_environment([]) == {}


def test_more_shards_than_samples_are_complete_with_nothing(tmp_path):
    runs = [shard_of(tmp_path / f"s{index}", index, 9, samples=(1, 1, 1), look=1) for index in range(9)]
    assert len(read_store(merged(runs, tmp_path / "whole"))[1]) == 3


def edited_record(run, **changes):
    path = run / PROMISE / SHARD_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def again(run, **changes):
    shutil.rmtree(run)
    shard_of(run, 1, **changes)


def without_a_sample(run):
    shutil.rmtree(run)
    with Store.open(run / PROMISE, manifest(shard="1/3")) as store:
        store.append(drawn("p1", 1))
    write_shard(run / PROMISE, ShardRecord(index=1, count=3, look=4, problems=PROBLEMS, samples=SAMPLES, papergate="1"))


def with_a_sample_of_another(run):
    with Store.open(run / PROMISE, manifest(shard="1/3")) as store:
        store.append(drawn("p1", 0))


def with_an_edited_text(run):
    path = run / PROMISE / COMPLETIONS_FILE
    path.write_bytes(path.read_bytes().replace(b'"p1 1"', b'"p1 2"'))


def with_another_seed(run):
    shutil.rmtree(run)
    with Store.open(run / PROMISE, manifest(shard="1/3", run_seed=2)):
        pass
    write_shard(run / PROMISE, ShardRecord(index=1, count=3, look=4, problems=PROBLEMS, samples=SAMPLES, papergate="1"))


def by_a_whole_run(run):
    shutil.rmtree(run)
    with Store.open(run / PROMISE, manifest()) as store:
        store.append(drawn("p1", 0))


SPOILT = {
    "another seed": (with_another_seed, "run_seed: this run '2', stored '1'"),
    "another model": (lambda run: again(run, model="other"), "model: this run 'other', stored 'tiny'"),
    "another text of the benchmark": (lambda run: again(run, benchmark_digest="x"), "benchmark_digest: this run 'x'"),
    "another papergate": (lambda run: again(run, harness="9"), "harness: this run '9', stored ''"),
    "another release of the engine": (lambda run: again(run, engine_version="9"), "engine_version: this run '9'"),
    "another promised tolerance": (lambda run: again(run, terms={"tolerance": "2 problems"}), "terms: this run"),
    "another number of shards": (lambda run: again(run, count=4), "has another plan than .*count"),
    "another look": (lambda run: again(run, look=6, samples=(6, 6, 8)), "has another plan than .*look, samples differ"),
    "a look that is not complete": (lambda run: again(run, complete=False), "shard 1/3 is not complete"),
    "a sample that is missing": (without_a_sample, "lacks 4 of its 5 samples and holds 0"),
    "a sample of another shard": (with_a_sample_of_another, "lacks 0 of its 5 samples and holds 1"),
    "an edited text": (with_an_edited_text, "not as papergate wrote it"),
    "the record of another shard": (lambda run: edited_record(run, index=0), "of shard 0/3, not of 1/3"),
    "no completions at all": (lambda run: shutil.rmtree(run / PROMISE), "holds no completions"),
    "a run of its own": (by_a_whole_run, "holds all of cpu-hf-tiny-sums, and .* a part"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT)
def test_a_shard_that_is_not_of_the_run_is_refused_and_nothing_is_made(runs, tmp_path, spoil, said):
    spoil(runs[1])
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(StoreError, match=said):
        merge_runs(runs, tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_missing_shard_and_a_doubled_one_are_named_together(runs, tmp_path):
    shutil.copytree(runs[0], tmp_path / "copy")
    with pytest.raises(StoreError, match=r"shard 0 is given 2 times\n  - missing of 3 shards: 2"):
        merge_runs([runs[0], runs[1], tmp_path / "copy"], tmp_path / "whole")


def test_the_same_folder_twice_is_refused(runs, tmp_path):
    with pytest.raises(StoreError, match="is given twice"):
        merge_runs([*runs, tmp_path / "s0" / ".." / "s1"], tmp_path / "whole")


def test_a_folder_that_is_there_is_not_written_over(runs):
    with pytest.raises(StoreError, match="is there already"):
        merge_runs(runs, runs[0])


def test_runs_of_different_promises_stand_side_by_side(runs, tmp_path):
    other = manifest(promise="other")
    with Store.open(tmp_path / "other" / "other", other) as store:
        store.append(drawn("p1", 0))
    merge_runs([*runs, tmp_path / "other"], tmp_path / "whole")
    assert read_store(tmp_path / "whole" / "other") == (other, {("p1", 0): drawn("p1", 0)})
    assert (tmp_path / "whole" / "other" / MANIFEST_FILE).stat().st_mode & 0o077 == 0


def test_a_promise_in_two_runs_of_its_own_is_two_tries(tmp_path):
    for name in ("a", "b"):
        with Store.open(tmp_path / name / PROMISE, manifest()) as store:
            store.append(drawn("p1", 0))
    with pytest.raises(StoreError, match="each is a try of its own"):
        merge_runs([tmp_path / "a", tmp_path / "b"], tmp_path / "whole")


def test_another_shard_or_another_number_of_shards_is_not_resumed_in_the_folder_of_one(runs):
    for other in ("0/4", "1/3", ""):
        with pytest.raises(StoreError, match=f"shard: this run '{other}', stored '0/3'"):
            Store.open(runs[0] / PROMISE, manifest(shard=other))
