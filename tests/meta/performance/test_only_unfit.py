"""What `make test-vllm` lets pass: an unfit client, and nothing else."""

import sys

import pytest

from tests.only_unfit import main

PASSED = '<testcase name="good"/>'
WRONG = (
    '<testcase name="bad"><properties><property name="verdict" value="%s"/>%s</properties><%s message="m"/></testcase>'
)
UNFIT = '<property name="unfit" value="client"/>'


def judged(monkeypatch, tmp_path, *cases):
    (tmp_path / "out.xml").write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    monkeypatch.setattr(sys, "argv", ["only_unfit", str(tmp_path / "out.xml")])
    main()


def test_unfit_client_beside_good_ones_is_let_pass_and_counted(monkeypatch, tmp_path, capsys):
    judged(monkeypatch, tmp_path, PASSED, WRONG % ("inconclusive", UNFIT, "failure"))
    assert capsys.readouterr().out.startswith("1 of 2 workloads have no figures")


@pytest.mark.parametrize(
    ("verdict", "unfit", "outcome"),
    [
        ("fail", "", "failure"),
        ("error", "", "error"),
        ("inconclusive", UNFIT, "error"),
        ("inconclusive", "", "failure"),  # an undecided slowdown, or outputs that ended early
    ],
)
def test_whatever_else_went_wrong_stays_wrong(monkeypatch, tmp_path, verdict, unfit, outcome):
    with pytest.raises(SystemExit, match="bad went wrong for another reason than the client"):
        judged(monkeypatch, tmp_path, PASSED, WRONG % (verdict, unfit, outcome))


def test_session_that_measured_nothing_is_wrong(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="in none of 0 workloads"):
        judged(monkeypatch, tmp_path)


def test_session_that_failed_although_every_workload_passed_is_wrong(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="in none of 2 workloads was the client unfit"):
        judged(monkeypatch, tmp_path, PASSED, PASSED)
