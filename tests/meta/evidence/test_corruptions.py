"""Corrupted bundles: all are found, and none crashes the check. ``PAPERGATE_FUZZ=1000`` tries a thousand."""

import os
from collections import Counter

import pytest

from papergate.cli import CRASHED, main
from papergate.evidence.records import Result
from tests.meta.evidence.corruptions import ANEW, EDITS, HANDS, PACKED, RAW, corrupted
from tests.meta.evidence.runs import bundled

COUNT = int(os.environ.get("PAPERGATE_FUZZ", "60"))
SEED = int(os.environ.get("PAPERGATE_FUZZ_SEED", "0"))
FOUND = {Result.CONTRADICTED, Result.UNREADABLE, Result.NEWER, Result.ALTERED, Result.INCOMPLETE}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return bundled(tmp_path_factory.mktemp("run"))


def test_every_corruption_is_found_and_none_crashes(bundle, tmp_path, capsys):
    data, ends = bundle.read_bytes(), Counter()
    for seed in range(SEED, SEED + min(COUNT, 10_000)):
        corruption = corrupted(data, seed)
        path = tmp_path / "changed.zip"
        path.write_bytes(corruption.data)
        status = main(["verify", str(path)])
        said = capsys.readouterr()
        assert status != CRASHED, (seed, corruption.name, said.err)
        assert status in FOUND, (seed, corruption.name, said.out)
        assert said.err or "contradicted" in said.out or "incomplete" in said.out
        ends[corruption.name, Result(status).name.lower()] += 1
    with capsys.disabled():
        print_table(ends)


def print_table(ends):
    if COUNT >= 1000:
        for (name, end), count in sorted(ends.items()):
            print(f"\n{name:<48} {end:<14} {count}", end="")  # noqa: T201


def test_the_sound_bundle_is_accepted(bundle, capsys):
    assert main(["verify", str(bundle)]) == Result.VERIFIED
    out = capsys.readouterr().out
    assert "Proven: " in out
    assert "The same root is quoted by the junit.xml of the bundle" in out


def test_there_are_kinds_of_every_hand():
    assert len(RAW) + len(PACKED) + len(HANDS) * len(EDITS) + len(ANEW) > 40
