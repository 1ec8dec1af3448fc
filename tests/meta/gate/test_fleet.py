"""The gate of a fleet: a matrix file names its promises, and one merge judges what many machines asked of them."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from papergate.acceptance import manifest_of
from papergate.cli import main
from papergate.completions.policy import seed_of
from papergate.completions.store import Store
from papergate.errors import PromiseError
from papergate.exit_codes import ExitCode
from papergate.promises import read_fleet, read_promises
from papergate.run_folder.verdict import read_verdicts
from tests.meta.tiny_runs import SPECS, case_of, completions_of, like_the_paper

AIME, MATH = (f"cpu-huggingface-papergate-tiny-tiny-{name}" for name in ("aime", "math"))
PROMISES = read_promises(benchmarks=SPECS)


def fleet_of(folder, text):
    path = folder / "fleet.toml"
    path.write_text(text)
    return path


BOTH = '[[jobs]]\ntargets = ["cpu"]\n'


def run_of(folder, right=like_the_paper, samples=64, **settings):
    """A run of tiny-aime that a machine brought home."""
    case = case_of(**settings)
    with Store.open(folder / case.promise.id, manifest_of(case)) as store:
        store.append(
            *(replace(one, seed=seed_of(0, one.problem, one.sample)) for one in completions_of(right, samples))
        )
    return folder


def test_a_matrix_expands_to_promises_in_the_order_of_their_files(tmp_path):
    fleet = read_fleet(
        fleet_of(tmp_path, f'{BOTH}\n[[jobs]]\ntargets = ["a100"]\nbenchmarks = ["aime2024"]\nprotocol = "vendor"\n')
    )
    expected = fleet.expand(PROMISES)
    assert {name for name, protocol in expected.items() if protocol == "paper"} == {AIME, MATH}
    vendor = [name for name, protocol in expected.items() if protocol == "vendor"]
    assert vendor
    assert all(name.startswith("a100-") and name.endswith("aime2024") for name in vendor)
    assert list(expected) == [promise.id for promise in PROMISES if promise.id in expected]


WRONG = {
    "no jobs": ("", "jobs: Field required"),
    "an unknown field": ('[[jobs]]\ntarget = ["cpu"]\n', "target: Extra inputs"),
    "an unknown target": ('[[jobs]]\ntargets = ["cpu", "cpx"]\n', "targets: cpx: no promise"),
    "a benchmark that the target does not promise": (f'{BOTH}benchmarks = ["math500"]\n', "no promise of this job"),
    "an unknown model": (f'{BOTH}models = ["gpt"]\n', "no promise of this job"),
    "a promise under two protocols": (f'{BOTH}\n{BOTH}protocol = "vendor"\n', "has another protocol in an earlier job"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_matrix_that_names_nothing_or_twice_is_refused(tmp_path, text, said):
    with pytest.raises(PromiseError, match=said):
        read_fleet(fleet_of(tmp_path, text)).expand(PROMISES)


def test_the_jobs_of_a_fleet_are_listed_with_their_commands(tmp_path, capsys):
    path = fleet_of(tmp_path, BOTH)
    assert main(["fleet", str(path)]) == 0
    assert f"papergate gate cpu -k {AIME} --protocol paper" in capsys.readouterr().out.splitlines()
    assert main(["fleet", str(path), "--json"]) == 0
    assert [job["promise"] for job in json.loads(capsys.readouterr().out)] == [AIME, MATH]


def merged(folder, *arguments):
    command = ["merge", *map(str, arguments), "-o", str(folder / "whole"), f"--junitxml={folder / 'junit.xml'}"]
    return main(command)


def cases(folder):
    found = ET.parse(folder / "junit.xml").getroot().iter("testcase")
    return {case.get("name"): [child.tag for child in case if child.tag != "properties"] for case in found}


def test_a_job_that_never_reported_is_no_kept_promise(tmp_path, capsys):
    run = run_of(tmp_path / "a")
    status = merged(tmp_path, run, "--fleet", fleet_of(tmp_path, BOTH))
    assert status == ExitCode.ERROR
    assert "its job never reported" in capsys.readouterr().out
    assert cases(tmp_path) == {AIME: [], MATH: ["error"]}
    assert "its job never reported" in (tmp_path / "whole" / "report.html").read_text()
    assert [record.verdict for record in read_verdicts(tmp_path / "whole").records] == ["pass"]


def test_a_fleet_of_one_promise_is_kept(tmp_path, capsys):
    run = run_of(tmp_path / "a")
    fleet = fleet_of(tmp_path, f'{BOTH}benchmarks = ["tiny-aime"]\n')
    assert merged(tmp_path, run, "--fleet", fleet) == ExitCode.KEPT, capsys.readouterr().out
    assert cases(tmp_path) == {AIME: []}


def test_a_failure_must_be_sure_in_the_whole_family_though_jobs_are_missing(tmp_path):
    def a_little_less(place, sample):
        return like_the_paper(place + 3, sample)

    run = run_of(tmp_path / "a", a_little_less, samples=8)
    alone = tmp_path / "alone"
    alone.mkdir()
    merged(alone, run, "--holm")
    merged(tmp_path, run, "--fleet", fleet_of(tmp_path, BOTH))
    alphas = [
        [
            note.values["p"]
            for note in read_verdicts(folder / "whole").records[0].remarks
            if note.code == "holm_threshold"
        ]
        for folder in (alone, tmp_path)
    ]
    assert alphas == [[0.05], [0.025]]


def test_what_the_matrix_does_not_name_is_refused(tmp_path, capsys):
    run = run_of(tmp_path / "a")
    assert merged(tmp_path, run, "--fleet", fleet_of(tmp_path, '[[jobs]]\ntargets = ["replay"]\n')) == 2
    assert "the matrix file does not name it" in capsys.readouterr().err
    other = run_of(tmp_path / "b", samples=1, protocol="vendor")
    assert merged(tmp_path, other, "--fleet", fleet_of(tmp_path, BOTH)) == 2
    assert "was asked with protocol vendor; the matrix file names it with paper" in capsys.readouterr().err


def test_a_promise_whose_runs_cannot_be_joined_leaves_the_others_their_verdicts(tmp_path, capsys):
    runs = [run_of(tmp_path / name) for name in ("a", "b")]
    with_other = fleet_of(tmp_path, BOTH)
    assert merged(tmp_path, *runs, "--fleet", with_other) == 2  # nothing is left to judge
    said = capsys.readouterr().err
    assert "no promise can be joined" in said
    assert f"{AIME} is in 2 runs that are no shards" in said
    assert not (tmp_path / "whole").exists()


ON_VLLM = next(each for each in PROMISES if each.target == "cpu_vllm" and each.benchmark == "tiny-aime")


def test_why_a_promise_could_not_be_joined_stands_on_the_page(tmp_path):
    runs = [*(run_of(tmp_path / name) for name in ("a", "b")), run_of(tmp_path / "c", promise=ON_VLLM)]
    fleet = fleet_of(tmp_path, '[[jobs]]\ntargets = ["cpu", "cpu_vllm"]\nbenchmarks = ["tiny-aime"]\n')
    assert merged(tmp_path, *runs, "--fleet", fleet) == ExitCode.ERROR
    page = (tmp_path / "whole" / "report.html").read_text()
    assert ("is a try of its own" in page, "its job never reported" in page) == (True, False)


def test_a_failure_that_the_family_does_not_count_leaves_the_others_their_alpha(tmp_path):
    vendor = run_of(tmp_path / "a", lambda *_: False, samples=1, protocol="vendor")
    paper = run_of(tmp_path / "b", samples=8, promise=ON_VLLM)
    jobs = f'{BOTH}benchmarks = ["tiny-aime"]\nprotocol = "vendor"\n\n[[jobs]]\ntargets = ["cpu_vllm"]\n'
    merged(tmp_path, vendor, paper, "--fleet", fleet_of(tmp_path, jobs))
    found = {record.promise: record for record in read_verdicts(tmp_path / "whole").records}
    assert found[AIME].verdict == "fail"
    assert [one.values["p"] for one in found[ON_VLLM.id].remarks if one.code == "holm_threshold"] == [0.025]


def test_a_broken_promise_that_does_not_gate_is_no_failure_of_the_report_either(tmp_path):
    run = run_of(tmp_path / "a", lambda *_: False, samples=8)
    fleet = fleet_of(tmp_path, f'{BOTH}benchmarks = ["tiny-aime"]\n')
    (tmp_path / "policy.toml").write_text('record = ["cpu-*"]\n')
    assert merged(tmp_path, run, "--fleet", fleet, "--policy", tmp_path / "policy.toml") == ExitCode.KEPT
    assert read_verdicts(tmp_path / "whole").records[0].verdict == "fail"
    assert cases(tmp_path) == {AIME: []}
