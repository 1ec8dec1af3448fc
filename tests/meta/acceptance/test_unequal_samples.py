"""A golden run says where answers vary: there more samples are asked, through the store, resumption and replay."""

import random
from collections import Counter
from dataclasses import replace
from io import StringIO

import pytest

from papergate.acceptance import accept, manifest_of, replay
from papergate.acceptance.saving import save
from papergate.completions.store import Store
from papergate.engines import Completion, Finish
from papergate.errors import StoreError
from papergate.reports.junit import properties
from papergate.reports.table import Line, print_table
from papergate.statistics.counts import Counts
from papergate.verdict import Verdict
from tests.meta.tiny_runs import BENCHMARK, IDENTITY, case_of

IDS = [problem.id for problem in BENCHMARK.problems]
RATES = dict(zip(IDS, [1.0] * 16 + [0.0] * 4 + [0.5] * 10, strict=True))
GOLDEN = Counts.equal(tuple(round(64 * rate) for rate in RATES.values()), 64)


class Alternating:
    """A test double: answers as often right as the golden run did, whatever it is asked."""

    concurrency = 8

    def __init__(self):
        self.asked = []

    def identity(self):
        return IDENTITY

    def check(self, sampling, prompts, form=None):
        assert prompts

    async def complete(self, request):
        self.asked.append(request.problem)
        right = random.Random(request.seed).random() < RATES[request.problem]
        gold = next(problem.gold for problem in BENCHMARK.problems if problem.id == request.problem)
        return Completion(
            problem=request.problem,
            sample=request.sample,
            seed=request.seed,
            text=f"steps of {request.seed}\n</think>\n\n\\boxed{{{gold if right else 1000}}}",
            finish=Finish.STOP,
            output_tokens=9,
        )


def run(folder, *, golden=GOLDEN, **settings):
    case, engine = case_of(golden=golden, **settings), Alternating()
    with Store.open(folder, manifest_of(case)) as store:
        return accept(case, engine, store), engine, list(store.completions().values())


def test_problems_that_vary_are_asked_more_and_the_score_is_the_mean_over_problems(tmp_path):
    found, engine, _ = run(tmp_path)
    asked = Counter(engine.asked)
    assert asked[IDS[-1]] >= 4 * asked[IDS[0]] >= 4
    assert found.counts.samples == tuple(asked[name] for name in IDS)
    shares = [c / k for c, k in zip(found.counts.correct, found.counts.samples, strict=True)]
    assert float(found.judgement.score) == pytest.approx(sum(shares) / 30)
    assert f"x {min(asked.values())} to {max(asked.values())} samples" in found.sentence


def test_reports_state_the_fewest_and_the_most_samples(tmp_path):
    found, _, _ = run(tmp_path)
    record = save(found, tmp_path)
    least, most = min(found.counts.samples), max(found.counts.samples)
    assert record.counts.samples_each == f"{least} to {most}"
    assert dict(properties(record))["k_most"] == str(most)
    shown = StringIO()
    print_table([Line(promise="tiny", record=record)], shown, width=200, colour=False)
    assert f"30 x {least} to {most} " in shown.getvalue()


def test_every_look_is_kept_and_only_adds_samples(tmp_path):
    found, _, _ = run(tmp_path)
    assert found.looks[-1] == found.counts
    for one, other in zip(found.looks, found.looks[1:], strict=False):
        assert all(a <= b for a, b in zip(one.samples, other.samples, strict=True))
        assert all(a <= b for a, b in zip(one.correct, other.correct, strict=True))


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path):
    whole, _, _ = run(tmp_path / "whole")
    first, _, _ = run(tmp_path / "halted", max_samples=3)
    rest, engine, _ = run(tmp_path / "halted")
    assert rest.looks[0] == first.counts  # none at a part of what is stored
    assert sum(first.counts.samples) + len(engine.asked) == sum(rest.counts.samples)
    assert rest.judgement == whole.judgement


def test_fixed_samples_and_golden_runs_of_few_samples_are_asked_equally(tmp_path):
    assert set(run(tmp_path / "fixed", samples=5)[0].counts.samples) == {5}
    few = Counts.equal(tuple(round(4 * rate) for rate in RATES.values()), 4)
    found, _, _ = run(tmp_path / "few", golden=few)
    assert len(set(found.counts.samples)) == 1


def test_a_run_of_equal_samples_goes_on_against_a_golden_run_and_leaves_nothing_out(tmp_path):
    run(tmp_path, golden=None, samples=6)
    found, engine, _ = run(tmp_path)
    assert min(found.counts.samples) == 6
    assert min(found.looks[0].samples) == 6
    assert sum(found.counts.samples) == 180 + len(engine.asked)


def test_fewer_samples_than_are_stored_are_no_choice(tmp_path):
    run(tmp_path)
    with pytest.raises(StoreError, match="holds more than 2 samples of every problem"):
        run(tmp_path, max_samples=2)


def test_a_replay_knows_the_golden_runs_plan_and_takes_any_other_gap_for_missing(tmp_path):
    found, _, completions = run(tmp_path)
    case = case_of(golden=GOLDEN)
    assert replay(case, completions).judgement == found.judgement
    gone = replay(case, completions[1:])
    assert gone.tally["missing"] > 0
    assert replay(case_of(), completions).verdict is not Verdict.PASS


def test_a_gain_is_asked_equally_as_the_other_model_varies_elsewhere():
    case = case_of(golden=GOLDEN)
    promise = replace(case, allocated=True)
    assert len(set(promise.planned(8).values())) > 1
    gain = case.promise.model_copy(update={"tolerance": type(case.promise.tolerance).parse("gain")})
    assert set(replace(case, promise=gain, allocated=True).planned(8).values()) == {8}
