"""A small version of ``make simulate``: the promised figures are kept on a few hundred simulated gates."""

from dataclasses import replace
from fractions import Fraction

import pytest

from papergate.statistics.power import Outlook
from studies import simulate

KEPT = [case for case in simulate.cases() if case.kept]


@pytest.mark.parametrize("case", KEPT, ids=lambda case: case.title.replace(", ", "-").replace(" ", "_"))
def test_the_promised_figures_are_kept(case):
    replicates = 400 if case.bench is simulate.AIME else 60
    losses = (Fraction(0), case.gate.rule.margin)
    seen = [simulate.spread(case, loss, replicates=replicates).mean for loss in losses]
    assert [miss for one in seen for miss in simulate.missed(case, one)] == []


def test_every_promised_figure_can_be_missed():
    case = KEPT[0]
    bad = {"fails_low": 0.0, "fails_high": 0.05, "inconclusive": 0.0}
    perfect = Outlook(loss=Fraction(0), passes=0.95, samples=20, **bad)
    damaged = Outlook(loss=case.gate.rule.margin, passes=0.95, samples=20, **bad)
    assert len(list(simulate.missed(case, perfect))) == 2
    assert len(list(simulate.missed(case, damaged))) == 1
    assert not list(simulate.missed(replace(case, kept=False), perfect))


def test_the_table_has_a_row_for_each_gate_and_loss(monkeypatch, capsys):
    for name in ("AIME", "MATH"):
        monkeypatch.setattr(simulate, name, replace(getattr(simulate, name), replicates=20))
    monkeypatch.setattr(simulate, "cases", lambda: [replace(KEPT[0], bench=simulate.AIME)])
    code = simulate.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 2 + 4 + 1
    assert lines[2].startswith("| AIME, golden 64, two-sided | 0.00 | ")
    assert code == lines[-1].startswith("missed")
