"""A promise asked on several machines: the joined run has the texts, grades and verdict of one machine's."""

import json
import shutil
from importlib.util import find_spec

import pytest

from papergate.acceptance.options import Options, options_of
from papergate.acceptance.selection import read_setup
from papergate.cli import main
from papergate.completions.shard import Shard
from papergate.errors import OptionsError, PapergateError
from papergate.exit_codes import ExitCode, exit_code_of
from papergate.gate import gate
from papergate.run_folder.files import BALLAST_FILE, COMPLETIONS_FILE, GRADES_FILE
from papergate.run_folder.verdict import read_verdict
from tests.meta.gate.test_suite import NO_ENGINE, Session
from tests.meta.processes import LIMIT_S, forking
from tests.meta.stored import read_store

PROMISE = "cpu-huggingface-papergate-tiny-tiny-aime"
ARGUMENTS = ["tests/accuracy", "-m", "cpu", "-k", "tiny-aime"]


def asked(folder, shard=None, samples=2):
    return session_of(Options(samples=samples, shard=shard, run=folder))


def session_of(options):
    return gate(options, targets=["cpu"], wanted=lambda promise: promise.id == PROMISE)


def grades(run):
    rows = (json.loads(line) for line in (run / PROMISE / GRADES_FILE).read_text().splitlines())
    return {(row["problem"], row["sample"]): (row["outcome"], row["extracted"]) for row in rows}


def texts(run):
    return {key: (done.text, done.seed) for key, done in read_store(run / PROMISE)[1].items()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of one machine, and its two shards."""
    if not find_spec("transformers"):
        pytest.skip("needs the extra hf")
    folder = tmp_path_factory.mktemp("runs")
    parts = [asked(folder / f"s{index}", Shard(index=index, count=2)) for index in range(2)]
    assert [ended.passed for ended in parts] == [True, True]
    asked(folder / "serial")
    return folder


def test_the_joined_run_is_that_of_one_machine(runs, capsys):
    status = main(["merge", str(runs / "s0"), str(runs / "s1"), "-o", str(runs / "joined")])
    serial, joined = read_verdict(runs / "serial" / PROMISE), read_verdict(runs / "joined" / PROMISE)
    assert status == exit_code_of({serial.verdict} - {"pass"})
    assert serial.sentence in capsys.readouterr().out
    assert texts(runs / "joined") == texts(runs / "serial")
    assert grades(runs / "joined") == grades(runs / "serial")
    assert (joined.judgement, joined.counts, joined.tally) == (serial.judgement, serial.counts, serial.tally)
    assert (joined.verdict, joined.accepted, joined.reasons) == (serial.verdict, serial.accepted, serial.reasons)


def test_shards_that_are_coordinated_end_at_the_look_of_one_machine(runs, tmp_path):
    """Two shards in processes of their own; both looks are needed."""
    crew = tmp_path / "crew"
    shard = ["pytest", "-p", "no:cacheprovider", *ARGUMENTS, "--max-samples", "3", f"--coordinate={crew}", "--shard"]
    with forking(*shard, "0/2", with_model=True) as one, forking(*shard, "1/2", with_model=True) as two:
        ended = session_of(
            Options(
                coordinate=crew, shards=2, run=tmp_path / "whole", max_samples=3, wait_s=LIMIT_S, grader="opencompass"
            )
        )
        assert [shard.ended().returncode for shard in (one, two)] == [0, 0]
    assert ended.lines[0].error == ""
    shutil.copytree(runs / "serial", tmp_path / "serial")
    session_of(Options(run=tmp_path / "serial", max_samples=3, grader="opencompass"))
    serial, joined = read_verdict(tmp_path / "serial" / PROMISE), read_verdict(tmp_path / "whole" / PROMISE)
    assert serial.judgement.k == 3
    assert texts(tmp_path / "whole") == texts(tmp_path / "serial")
    assert (joined.judgement, joined.counts, joined.verdict) == (serial.judgement, serial.counts, serial.verdict)
    own = [[note for note in record.notes if note.code == "own_rules"] for record in (serial, joined)]
    assert own[0] == own[1] != []


def test_a_shard_judges_nothing(runs, capsys):
    assert read_verdict(runs / "s0" / PROMISE) is None
    assert not (runs / "s0" / "report.html").exists()
    assert not (runs / "s0" / BALLAST_FILE).exists()
    assert main(["runs", "judge", str(runs / "s0")]) != 0
    assert "is shard 0/2 of a run, which judges nothing" in capsys.readouterr().out
    with pytest.raises(PapergateError, match="is shard 0/2 of a run; join all of them first"):
        read_setup(Options(predictions=runs / "s0" / PROMISE / COMPLETIONS_FILE))


def test_a_shard_goes_on_to_more_samples_and_never_back_to_fewer(runs):
    (more,) = asked(runs / "s1", Shard(index=1, count=2), samples=3).lines
    assert "45 samples, up to 3 of a problem" in more.asked
    (less,) = asked(runs / "s1", Shard(index=1, count=2), samples=2).lines
    assert "holds 15 samples that 2 samples of a problem do not plan" in less.error


@NO_ENGINE
def test_a_shard_is_green_when_it_is_complete_and_says_so_in_every_report(tmp_path):
    session = Session(tmp_path, *ARGUMENTS, "--samples", "1", "--shard", "3/10", with_model=True)
    assert (session.exit, session.outcomes()) == (0, ["skipped"]), session.text
    found = session.properties()
    assert (found["verdict"], found["shard"]) == ("asked", "3/10")
    assert "asked" in session.text.partition("papergate verdicts")[2]
    assert "papergate merge RUN .. -o RUN" in session.text


def test_a_shard_that_cannot_ask_is_red(tmp_path):
    session = Session(tmp_path, *ARGUMENTS, "--samples", "1", "--shard", "3/10", "--model", tmp_path)
    assert (session.exit, session.outcomes()) == (ExitCode.ERROR, ["error"]), session.text
    assert session.properties()["verdict"] == "error"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"--shard": "0/2"}, "give --samples K"),
        ({"--shard": "0/2", "--samples": 2, "--holm": True}, "give --holm to papergate merge"),
        ({"--shard": "0/2", "--samples": 2, "--predictions": "x"}, "give --predictions to papergate merge"),
        ({"--shard": "2/2", "--samples": 2}, "shard 2 of 2 cannot be"),
    ],
)
def test_a_shard_is_a_part_of_what_is_fixed(given, said):
    with pytest.raises(OptionsError, match=said):
        options_of(given.get)
