"""One verdict on a loss that several promises have in common."""

import json
from fractions import Fraction

import pytest

from papergate.cli import main
from papergate.errors import PromiseError
from papergate.promises.tolerance import Tolerance
from papergate.statistics.counts import Counts
from papergate.statistics.panels import beta_panel, lose
from papergate.statistics.pooled import Part, pool
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Decision, Rule
from papergate.verdict import judge
from papergate.words import say
from studies import pooled

AIME = Rule.within(Tolerance.parse("1 problem"), problems=30)
MATH = Rule.within(Tolerance.parse("0.5 points"), problems=500)


def part(rule, k, *groups, promised):
    counts = Counts.equal(tuple(correct for correct, times in groups for _ in range(times)), k)
    return Part(counts=counts, reference=Reference.exact(Fraction(promised)), rule=rule)


LOW = (
    part(AIME, 4, (4, 14), (3, 4), (2, 3), (1, 2), (0, 7), promised="0.70"),
    part(MATH, 2, (2, 440), (1, 30), (0, 30), promised="0.919"),
)


def test_a_common_loss_is_seen_before_any_promise_alone_shows_it():
    assert {judge(one.counts, one.reference, one.rule).decision for one in LOW} == {Decision.INCONCLUSIVE}
    found = pool(LOW)
    assert found.decision is Decision.FAIL_LOW
    assert found.difference == pytest.approx(sum(found.parts) / 2)
    assert found.parts[0] == pytest.approx(float((LOW[0].counts.score - Fraction("0.70")) / Fraction(1, 20)))
    assert say(found.note).startswith("fail: 2 promises together differ by -")
    assert "at most 5 %" in say(found.note)


def test_the_errors_are_as_stated_and_the_samples_a_fraction():
    panels = [beta_panel(float(score), problems=n) for n, score, _ in pooled.PROMISES.values()]
    rules = [pooled.rule_of(n, words) for n, _, words in pooled.PROMISES.values()]
    needs = [(panel.run_sd / float(rule.margin)) ** 2 for panel, rule in zip(panels, rules, strict=True)]
    ends = {}
    for loss in (0, 1):
        actual = [lose(panel, loss * float(rule.margin)) for panel, rule in zip(panels, rules, strict=True)]
        ends[loss] = [pooled.one_run(actual, rules, needs, seed=(loss, i))[0] for i in range(60)]
    assert ends[0].count(Decision.PASS) >= 54
    assert ends[1].count(Decision.FAIL_LOW) >= 54


def test_few_samples_that_dissent_decide_nothing():
    unanimous = (
        part(AIME, 6, (6, 24), (0, 6), promised="0.8"),
        part(MATH, 6, (6, 450), (0, 50), promised="0.9"),
    )
    assert pool(unanimous).decision is Decision.INCONCLUSIVE


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        (LOW[:1], "1 promise is given"),
        ((LOW[0], Part(counts=LOW[1].counts, reference=LOW[1].reference, rule=Rule.gain())), "a gain has no margin"),
        (
            (LOW[0], Part(counts=LOW[1].counts, reference=LOW[1].reference, rule=Rule.gain(alpha=Fraction(1, 10)))),
            "a gain has no margin",
        ),
        (
            (
                LOW[0],
                part(
                    Rule(tolerance=Fraction(1, 9), delta=Fraction(1, 9), alpha=Fraction(1, 10)), 2, (1, 3), promised=0
                ),
            ),
            "error rates 0.05, 0.1; give one to all",
        ),
    ],
)
def test_promises_that_have_no_loss_in_common_are_refused(parts, refusal):
    with pytest.raises(PromiseError, match=refusal):
        pool(parts)


def test_the_command_pools_files_and_exits_as_judge_does(tmp_path, capsys):
    files = []
    for name, one, percent, tolerance in zip("ab", LOW, (70, 91.9), ("1 problem", "0.5 points"), strict=True):
        files.append(tmp_path / f"{name}.json")
        result = {"counts": one.counts.correct, "k": one.counts.most, "ref_percent": percent, "tolerance": tolerance}
        files[-1].write_text(json.dumps(result))
    assert main(["pool", *map(str, files), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["decision"] == "FAIL_LOW"
    assert main(["pool", str(files[0])]) == 2
    assert "needs two or more" in capsys.readouterr().err
