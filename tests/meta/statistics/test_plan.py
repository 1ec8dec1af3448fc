"""The plan: what a gate costs and how it ends, before a token is spent."""

from fractions import Fraction

import pytest

from papergate.cli import main
from papergate.promises.tolerance import Tolerance
from papergate.statistics.panels import beta_panel
from papergate.statistics.plan import Cost, plan, plan_text, single_run
from papergate.statistics.power import Gate
from papergate.statistics.reference import Reference, ReferenceKind
from papergate.verdict import Rule
from papergate.words import say

RULE = Rule.within(Tolerance.parse("1 problem"), problems=30)
GATE = Gate.of(RULE, Reference.exact(Fraction("0.798"), samples=64))
PANEL = beta_panel(0.798, problems=30)
AIME = ("--problems", "30", "--paper", "79.8", "--tolerance", "1 problem")


@pytest.fixture
def ask(capsys):
    def run(*arguments):
        code = main(["plan", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_the_plan_has_a_line_for_each_loss_with_tokens_and_hours():
    planned = plan(GATE, PANEL, cost=Cost(tokens_per_sample=10_000, tokens_per_s=2_500), replicates=200)
    lines = plan_text(planned).splitlines()
    assert [line.split()[0] for line in lines[3:]] == ["nothing", "1", "3", "5", "10"]
    perfect = planned.outlooks[0]
    assert planned.cost.tokens(30 * perfect.samples) == pytest.approx(300_000 * perfect.samples)
    assert planned.cost.hours(90) == pytest.approx(0.1)
    assert "unknown" not in plan_text(planned)


def test_more_than_the_score_cannot_be_lost():
    low = beta_panel(0.04, problems=30)
    planned = plan(GATE, low, cost=Cost(), replicates=20)
    assert [line.split()[0] for line in plan_text(planned).splitlines()[3:]] == ["nothing", "1", "3"]
    assert "deployments that lost 1, 3 points in" in say(single_run(GATE, low, promised=Fraction("0.04")).note)


def test_what_was_not_measured_is_unknown():
    assert plan_text(plan(GATE, PANEL, cost=Cost(), replicates=20)).count("unknown") == 10
    assert Cost(tokens_per_sample=5).hours(1) is None


def test_a_gain_is_planned_against_another_models_panel():
    gate = Gate(rule=Rule.gain(), reference=ReferenceKind.EXACT)
    planned = plan(gate, PANEL, cost=Cost(), promised=beta_panel(0.5, problems=30), replicates=200)
    assert planned.outlooks[0].passes > 0.95


def test_a_single_run_is_a_coin_toss():
    shown = single_run(GATE, PANEL, promised=Fraction("0.798"))
    assert shown.accepted == (23, 24)
    assert 0.4 < shown.passes[0][1] < 0.6
    assert say(shown.note).startswith(
        "a run of 30 problems x 1 sample passes with 23 to 24 correct of 30: a perfect deployment does so in "
    )
    assert "deployments that lost 1, 3, 5, 10 points in " in say(shown.note)


def test_a_rule_that_accepts_no_count_says_so():
    rule = Rule(tolerance=Fraction(1, 1000), delta=Fraction(1, 60))
    shown = single_run(Gate(rule=rule, reference=ReferenceKind.EXACT), PANEL, promised=Fraction("0.785"))
    assert shown.accepted == ()
    assert "passes with no number correct" in say(shown.note)
    assert shown.passes[0][1] == 0


def test_the_command_prints_the_plan_and_what_one_run_shows(ask):
    code, out, _ = ask(*AIME, "--tokens-per-sample", "10000", "--tokens-per-s", "2500", "--max-samples", "16")
    assert code == 0
    assert out.startswith("30 problems, looks at 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16 samples; ")
    assert "a run of 30 problems x 1 sample passes with 23 to 24" in out


def test_fresh_runs_of_which_one_has_to_pass_let_damage_through(ask):
    _, out, _ = ask(*AIME, "--attempts", "3", "--max-samples", "16")
    (perfect,) = (line for line in out.splitlines() if line.strip().startswith("nothing"))
    (three,) = (line for line in out.splitlines() if "fresh runs" in line)
    assert three.startswith("one of 3 fresh runs passes, by the loss: nothing ")
    single = int(perfect.split()[1].rstrip("%")) / 100
    assert int(three.split("nothing ")[1].split("%")[0]) == pytest.approx(100 * (1 - (1 - single) ** 3), abs=2)
    assert "fresh runs" not in ask(*AIME, "--max-samples", "4")[1]


def test_a_fixed_number_of_samples_has_one_look(ask):
    assert "looks at 5 samples" in ask(*AIME, "--samples", "5")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((*AIME, "--problems", "0"), "--problems is 0; 1 to 100000 can be simulated"),
        ((*AIME, "--samples", "0"), "--samples is 0; 1 to 100000 can be simulated"),
        ((*AIME, "--attempts", "0"), "--attempts is 0; 1 to 100000 can be simulated"),
        ((*AIME, "--paper", "179.8"), "at least 0 and less than or equal to 100 percent"),
        ((*AIME, "--tolerance", "some"), "'some' is not a tolerance"),
        ((*AIME, "--tolerance", "gain"), "'gain' is not a tolerance here; write '1 problem' or '0.5 points'"),
        ((*AIME, "--paper", "0.798"), "--paper: 0.798 is below 1 %; write 79.8"),
        ((*AIME, "--reference", "golden"), "--reference golden needs --paper-samples"),
    ],
)
def test_options_that_cannot_be_planned_are_refused(ask, options, said):
    code, out, err = ask(*options)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "the promised score is the truth"),
        (("--paper-samples", "4"), "the printed score, a mean of 4 samples, is taken as the truth"),
        (("--paper-samples", "64", "--reference", "golden"), "golden reference of 64 samples, its own error counted"),
    ],
)
def test_the_plan_says_what_it_takes_the_reference_for(ask, options, said):
    assert said in ask(*AIME, *options)[1]


def test_the_plan_says_where_samples_follow_a_golden_run(ask):
    golden = (*AIME, "--paper-samples", "64", "--reference", "golden")
    assert "samples on average, more where the golden run's answers vary; " in ask(*golden)[1]
    assert "answers vary" not in ask(*golden, "--samples", "8")[1]
    assert "answers vary" not in ask(*AIME, "--max-samples", "4")[1]


def test_a_noisy_paper_held_for_the_truth_fails_perfect_deployments():
    rule = Rule.within(Tolerance.parse("0.5 points"), problems=500)
    panel = beta_panel(0.839, problems=500)
    true, noisy = (
        plan(Gate(rule=rule, reference=ReferenceKind.EXACT, reference_samples=k), panel, cost=Cost(), replicates=100)
        for k in (None, 4)
    )
    assert true.outlooks[0].passes > 0.9
    assert noisy.outlooks[0].passes < 0.8
