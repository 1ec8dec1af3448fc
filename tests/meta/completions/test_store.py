"""A run folder keeps every acknowledged completion, and only completions of its own run."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest

from papergate.completions.manifest import Manifest
from papergate.completions.policy import seed_of
from papergate.completions.store import COMPLETIONS_FILE, MANIFEST_FILE, Store
from papergate.engines.records import Completion, Finish
from papergate.errors import StoreError
from papergate.promises.records import Sampling
from tests.meta.processes import started
from tests.meta.stored import read_failures, read_store

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=32768)


def manifest(**changes):
    settings = {
        "promise": "cpu-hf-tiny-sums",
        "engine": "remote",
        "model": "tiny",
        "benchmark": "sums",
        "benchmark_digest": "abc",
        "prompt_digest": "def",
        "sampling": SAMPLING,
        "run_seed": 1,
    }
    return Manifest(**settings | changes)


def completion(problem="p1", sample=0, text="</think>4", **changes):
    return Completion(problem=problem, sample=sample, text=text, finish=Finish.STOP, **changes)


def failure(problem="p1", sample=0):
    return Completion(problem=problem, sample=sample, text=None, finish=Finish.FAILED, error="503")


def end_by_kill(store):
    """Leave the store as kill -9 leaves it: nothing is put down at the end."""
    os.close(store._file)
    store._file = -1
    store._lock.release()


def test_what_was_appended_is_read_back(tmp_path):
    seed = seed_of(1, "p1", 0)
    given = completion(text='√2 "quoted"\n\\boxed{4}</think>思考', ttft_s=0.25, output_tokens=7, seed=seed)
    with Store.open(tmp_path / "run", manifest()) as store:
        store.append(given)
        assert store.completions() == {("p1", 0): given}
    assert read_store(tmp_path / "run") == (manifest(), {("p1", 0): given})


def test_a_record_is_one_line_that_grep_finds(tmp_path):
    with Store.open(tmp_path, manifest()) as store:
        store.append(completion(text="a\nb"), completion("p2"))
    lines = (tmp_path / COMPLETIONS_FILE).read_text().split("\n")
    assert [json.loads(line)["problem"] for line in lines if line] == ["p1", "p2"]


def test_a_failure_is_kept_on_disk_and_is_no_completion(tmp_path):
    with Store.open(tmp_path, manifest()) as store:
        store.append(failure())
        assert ("p1", 0) not in store
        assert (len(store), store.failed) == (0, 1)
    assert read_store(tmp_path)[1] == {}
    assert read_failures(tmp_path) == {("p1", 0): failure()}


def test_a_later_success_replaces_a_failure_but_no_failure_replaces_a_success(tmp_path):
    with Store.open(tmp_path, manifest()) as store:
        store.append(failure())
        store.append(completion())
        store.append(failure())
        assert (len(store), store.failed) == (1, 0)
    with Store.open(tmp_path, manifest()) as store:
        assert (len(store), store.failed) == (1, 0)
        assert store.completions() == {("p1", 0): completion()}
        assert store.failures() == {}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"model": "tiny-int8"}, "model: this run 'tiny-int8', stored 'tiny'"),
        ({"revision": "beef"}, "revision: this run 'beef', stored ''"),
        ({"benchmark_digest": "xyz"}, "benchmark_digest: this run 'xyz', stored 'abc'"),
        ({"run_seed": 2}, "run_seed: this run '2', stored '1'"),
        (
            {"sampling": SAMPLING.model_copy(update={"temperature": Decimal("0.7")})},
            "sampling.temperature: this run '0.7', stored '0.6'",
        ),
    ],
)
def test_another_run_is_refused_with_every_difference_shown(tmp_path, changes, line):
    Store.open(tmp_path, manifest()).close()
    with pytest.raises(StoreError) as refusal:
        Store.open(tmp_path, manifest(template="t", **changes))
    assert line in str(refusal.value)
    assert "template: this run 't', stored ''" in str(refusal.value)


def test_information_about_a_run_may_change_between_its_parts(tmp_path):
    Store.open(tmp_path, manifest(harness="1", environment={"driver": "550"})).close()
    Store.open(tmp_path, manifest(harness="2", environment={"driver": "560"})).close()


def test_the_same_number_written_otherwise_is_no_difference(tmp_path):
    Store.open(tmp_path, manifest()).close()
    sampling = SAMPLING.model_copy(update={"temperature": Decimal("0.60")})
    Store.open(tmp_path, manifest(sampling=sampling)).close()


@pytest.mark.parametrize("keep", [1, 30, 80])
def test_a_torn_tail_stays_and_spoils_nothing(tmp_path, keep):
    store = Store.open(tmp_path, manifest())
    store.append(completion("p1"))
    whole = (tmp_path / COMPLETIONS_FILE).read_bytes()
    store.append(completion("p2", text="{}" * 40))
    end_by_kill(store)
    torn = (tmp_path / COMPLETIONS_FILE).read_bytes()[: len(whole) + keep]
    (tmp_path / COMPLETIONS_FILE).write_bytes(torn)
    assert list(read_store(tmp_path)[1]) == [("p1", 0)]
    with Store.open(tmp_path, manifest()) as store:
        store.append(completion("p2"))
        assert (tmp_path / COMPLETIONS_FILE).read_bytes().startswith(torn)
    with Store.open(tmp_path, manifest()) as store:
        assert list(store.completions()) == [("p1", 0), ("p2", 0)]


def test_what_earlier_writes_left_amid_the_records_costs_only_itself(tmp_path):
    for number in range(3):
        store = Store.open(tmp_path, manifest())
        store.append(completion("p1", number))
        with (tmp_path / COMPLETIONS_FILE).open("ab") as file:
            file.write(b'\n{"problem":"p2","sample":0,"text":"}' + b"\0" * 20)
        end_by_kill(store)
    with Store.open(tmp_path, manifest()) as store:
        assert list(store.completions()) == [("p1", 0), ("p1", 1), ("p1", 2)]


@pytest.mark.parametrize("line", ["[]", '{"problem": "p1"}', '{"problem":"p","sample":0,"text":"","finish":"??"}'])
def test_json_that_is_no_completion_is_an_error_that_names_the_line(tmp_path, line):
    with Store.open(tmp_path, manifest()) as store:
        store.append(completion())
    with (tmp_path / COMPLETIONS_FILE).open("a") as file:
        file.write("\n" + line)
    with pytest.raises(StoreError, match=f"{COMPLETIONS_FILE} is not as papergate wrote it:\n  - line 3, byte "):
        read_store(tmp_path)


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path):
    with Store.open(tmp_path, manifest()) as store:
        store.append(completion())
        with pytest.raises(StoreError, match="another process"):
            Store.open(tmp_path, manifest())
        assert len(read_store(tmp_path)[1]) == 1
    Store.open(tmp_path, manifest()).close()


def test_a_refused_run_leaves_the_lock_free(tmp_path):
    Store.open(tmp_path, manifest()).close()
    with pytest.raises(StoreError) as refusal:
        Store.open(tmp_path, manifest(model="other"))
    Store.open(tmp_path, manifest()).close()
    assert refusal.tb  # held until here: the lock must not hang on the error being forgotten


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from papergate.completions.manifest import Manifest\n"
        "from papergate.completions.store import Store\n"
        "store = Store.open(Path(sys.argv[1]), Manifest.model_validate_json(sys.argv[2]))\n"
        "print('open', flush=True); time.sleep(3600)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path), manifest().model_dump_json()]
    with started(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="another process"):
            Store.open(tmp_path, manifest())
    Store.open(tmp_path, manifest()).close()


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(StoreError, match=r"manifest\.json is missing"):
        read_store(tmp_path)


def test_completions_without_a_manifest_are_not_taken_over(tmp_path):
    (tmp_path / COMPLETIONS_FILE).write_text("")
    with pytest.raises(StoreError, match="restore it"):
        Store.open(tmp_path, manifest())


def test_a_manifest_that_cannot_be_read_is_an_error_that_names_it(tmp_path):
    (tmp_path / MANIFEST_FILE).write_text('{"promise": 3}')
    with pytest.raises(StoreError, match=MANIFEST_FILE):
        Store.open(tmp_path, manifest())


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose another folder"):
        Store.open(tmp_path / "file" / "run", manifest())


def test_a_closed_store_refuses_and_closes_twice(tmp_path):
    store = Store.open(tmp_path, manifest())
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.append(completion())


FULL_DISK = """
import resource, sys
from pathlib import Path
from papergate.completions.manifest import Manifest
from papergate.completions.store import Store
from papergate.engines.records import Completion, Finish
from papergate.errors import StoreError

resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))  # no file grows beyond 64 KiB: writes end in the middle
store = Store.open(Path(sys.argv[1]), Manifest.model_validate_json(sys.argv[2]))
try:
    for sample in range(100):
        store.append(Completion(problem="p", sample=sample, text="x" * 10_000, finish=Finish.STOP))
except StoreError as error:
    print(sample, error)
"""


def test_a_full_disk_is_an_error_and_keeps_what_was_stored(tmp_path):
    arguments = [sys.executable, "-c", FULL_DISK, str(tmp_path), manifest().model_dump_json()]
    said = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert said.startswith("6 ")
    assert "the 6 completions stored before are kept; make room" in said
    assert (tmp_path / COMPLETIONS_FILE).read_bytes().count(b"\n") == 6
    with Store.open(tmp_path, manifest()) as store:
        assert len(store.completions()) == 6


@pytest.mark.parametrize("said", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_folder_without_locks_is_written_and_a_second_writer_is_noticed(tmp_path, monkeypatch, said):
    def no_locks(*_):
        raise OSError(said, os.strerror(said))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with Store.open(tmp_path, manifest()) as first, Store.open(tmp_path, manifest()) as second:
        first.append(completion())
        with pytest.raises(StoreError, match="changed by others"):
            second.append(completion("p2"))
        with pytest.raises(StoreError, match="changed by others"):
            first.append(completion("p3"))
    with pytest.raises(StoreError, match="not as papergate wrote it"):
        read_store(tmp_path)
