"""Which part of a run a machine asks: stated, or read from its scheduler, and never guessed."""

import pytest

from papergate.completions.shard import Shard
from papergate.errors import OptionsError
from papergate.run_folder.shard import ShardRecord


def slurm(task, count, first=None, last=None, step=None):
    given = {"ID": task, "COUNT": count, "MIN": first, "MAX": last, "STEP": step}
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in given.items() if value is not None}


STATED = {
    "stated": ("2/8", {}, "2/8"),
    "stated inside an array of another purpose": ("2/8", slurm(5, 6), "2/8"),
    "the whole": ("0/1", {}, "0/1"),
    "a Slurm array from 0": ("auto", slurm(3, 4, 0, 3, 1), "3/4"),
    "a Slurm array from 1": ("auto", slurm(1, 4, 1, 4, 1), "0/4"),
    "a Slurm array in steps": ("auto", slurm(14, 3, 10, 18, 4), "1/3"),
    "a Slurm that tells the least": ("auto", slurm(2, 4), "2/4"),
    "one task of an array, submitted again alone": ("auto/4", slurm(3, 1, 3, 3, 1), "3/4"),
    "an Indexed Job": ("auto/4", {"JOB_COMPLETION_INDEX": "3"}, "3/4"),
}


@pytest.mark.parametrize(("text", "environment", "shard"), STATED.values(), ids=STATED)
def test_a_shard_is_read(text, environment, shard):
    assert str(Shard.of(text, environment)) == shard


REFUSED = {
    "no number": ("x", {}),
    "no count": ("3", {}),
    "nothing": ("", {}),
    "counted from 1": ("8/8", {}),
    "below 0": ("-1/8", {}),
    "none of none": ("0/0", {}),
    "too many": ("0/10001", {}),
    "auto outside an array": ("auto", {}),
    "auto in an Indexed Job, which does not tell the count": ("auto", {"JOB_COMPLETION_INDEX": "3"}),
    "an array with holes": ("auto", slurm(7, 3, 0, 7, 1)),
    "an index beyond the count": ("auto/4", {"JOB_COMPLETION_INDEX": "4"}),
    "both schedulers": ("auto/4", {"JOB_COMPLETION_INDEX": "3"} | slurm(3, 4)),
    "an index that is none": ("auto/4", {"JOB_COMPLETION_INDEX": "three"}),
}


@pytest.mark.parametrize(("text", "environment"), REFUSED.values(), ids=REFUSED)
def test_what_states_no_shard_is_refused_with_what_does(text, environment):
    with pytest.raises(OptionsError, match=r"write .*I/N"):
        Shard.of(text, environment)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 200])
def test_every_sample_belongs_to_one_shard_and_shards_are_even(count):
    samples = (4, 6, 5, 7, 2)
    records = [
        ShardRecord(index=index, count=count, look=5, problems=tuple("abcde"), samples=samples, papergate="1")
        for index in range(count)
    ]
    held = [record.keys() for record in records]
    assert sum(map(len, held)) == sum(samples) == len(set().union(*held))
    assert max(map(len, held)) - min(map(len, held)) <= len(samples)
    for index, keys in enumerate(held):
        shard = Shard(index=index, count=count)
        assert keys == {
            (p, s)
            for place, (p, k) in enumerate(zip("abcde", samples, strict=True))
            for s in range(k)
            if shard.holds(place, s)
        }
