"""Samples that are not independent decide nothing, in a run that asks and in a log."""

import json
import random
from dataclasses import replace

import pytest

from papergate.acceptance import accept, manifest_of, replay
from papergate.acceptance.independence import drawn_of, with_preflight
from papergate.acceptance.judging import assess, graded
from papergate.acceptance.options import Options
from papergate.acceptance.records import Receipt
from papergate.acceptance.refusals import LONG, SHORT
from papergate.acceptance.saving import record_of, save
from papergate.acceptance.shipped import own
from papergate.completions.store import Store
from papergate.diagnosis.kinds import Kind
from papergate.engines import Completion, Finish
from papergate.errors import EngineError, StoreError
from papergate.evidence.recompute import check_promise
from papergate.gate import judge_again
from papergate.reports.explained import more_samples
from papergate.run_folder.files import PREFLIGHT_FILE
from papergate.run_folder.history import forget_verdict
from papergate.run_folder.preflight import Check, PreflightRecord, write_preflight
from papergate.scoring import Grader
from papergate.statistics.budget import Budget
from papergate.verdict import Verdict
from tests.meta.tiny_runs import BENCHMARK, IDENTITY, TINY, case_of

GOLDS = {problem.id: problem.gold for problem in BENCHMARK.problems}
IDS = list(GOLDS)
RATES = dict(zip(IDS, [1.0] * 14 + [0.0] * 4 + [0.7] * 12, strict=True))
"""Their mean is 74.7 %, the paper's score 74.04 %."""


class Deployed:
    """A test double: right with the chance of each problem, in words of its own; or broken in one way."""

    concurrency = 8

    def __init__(self, *, frozen=None, servers=(), bad_server_loses=0.0, later_lose=0.0):
        self.frozen, self.servers, self.bad, self.later = frozen, servers, bad_server_loses, later_lose

    def identity(self):
        return IDENTITY

    def check(self, sampling, prompts, form):
        assert prompts

    async def complete(self, request):
        rng = random.Random(request.seed if self.frozen is None else f"{request.problem} {self.frozen}")
        server = random.Random(-request.seed).choice(self.servers) if self.servers else None
        lost = self.bad * (server == "http://b") + self.later * (request.sample > 0)
        right = rng.random() < RATES[request.problem] - lost
        return completion(request.problem, request.sample, right, seed=request.seed, endpoint=server)


def completion(problem, sample, right, *, words="", seed=None, endpoint=None):
    text = f"{words or f'draw {sample} of {seed}'}\n</think>\n\n\\boxed{{{GOLDS[problem] if right else 1000}}}"
    return Completion(
        problem=problem, sample=sample, seed=seed, text=text, finish=Finish.STOP, endpoint=endpoint, output_tokens=9
    )


def run(folder, engine, *, sampling_known=False, **settings):
    case = replace(case_of(**settings), sampling_known=sampling_known)
    with Store.open(folder, manifest_of(case)) as store:
        return accept(case, engine, store)


def codes(found):
    return [one.code for one in (*found.reasons, *found.findings)]


def test_a_healthy_deployment_is_not_named(tmp_path):
    found = run(tmp_path, Deployed(servers=("http://a", "http://b")))
    assert (found.verdict, codes(found)) == (Verdict.PASS, [])


@pytest.mark.parametrize("luck", range(8))
def test_a_temperature_that_is_ignored_is_named_by_the_fourth_sample(tmp_path, luck):
    found = run(tmp_path, Deployed(frozen=luck))
    assert codes(found) == ["dependent_unanimous"]
    assert found.counts.most <= 4
    assert found.sentence.startswith("inconclusive: the samples are not independent: no two answers to any of 30")
    assert not found.accepted


def test_two_samples_on_which_all_agree_decide_nothing(tmp_path):
    ends = [run(tmp_path / str(luck), Deployed(frozen=luck), samples=2) for luck in range(8)]
    assert {found.verdict for found in ends} == {Verdict.INCONCLUSIVE}


def test_agreement_is_believed_where_the_sampling_is_known(tmp_path):
    assert codes(run(tmp_path, Deployed(frozen=3), sampling_known=True)) == []


@pytest.mark.parametrize(("states", "known"), [(["ok"], True), (["ok", "unknown"], False), ([], False)])
def test_a_preflight_knows_the_sampling_where_every_server_was_seen_to_draw_right(tmp_path, states, known):
    checks = [Check(code="seeds", state="ok"), *(Check(code="sampling", state=state) for state in states)]
    write_preflight(tmp_path, PreflightRecord(deployment="d", checks=tuple(checks), seconds=1.0, papergate="1"))
    assert with_preflight(case_of(), tmp_path).sampling_known is known


def test_without_a_preflight_nothing_is_known(tmp_path):
    assert with_preflight(case_of(), tmp_path).sampling_known is False


def test_one_bad_server_of_two_leaves_a_failure_and_is_named_with_its_loss(tmp_path):
    found = run(tmp_path, Deployed(servers=("http://a", "http://b"), bad_server_loses=0.4), samples=12)
    assert found.verdict is Verdict.FAIL
    assert codes(found) == ["dependent_places"]
    assert found.findings[0].values["where"] == "http://b"
    assert -50 < found.findings[0].values["points"] < -30


def test_a_loss_after_the_first_sample_is_named_where_a_run_is_long_enough_to_tell(tmp_path):
    assert codes(run(tmp_path, Deployed(later_lose=0.5), samples=16)) == ["dependent_time"]


def test_a_failure_in_the_first_look_waits_for_the_second(tmp_path):
    found = run(tmp_path, Deployed(servers=("http://b",), bad_server_loses=0.4))
    assert (found.verdict, codes(found), found.looks_taken) == (Verdict.FAIL, [], 2)


TWO_SERVERS = ("http://a", "http://b")
HELD = {
    "servers that may differ, and no budget for more": (
        Deployed(servers=TWO_SERVERS, bad_server_loses=0.1),
        {"budget": Budget(tokens=9 * 30 * 5)},
        "places_so_far",
    ),
    "a failure in the first look, and no budget for another": (
        Deployed(servers=("http://b",), bad_server_loses=0.4),
        {"budget": Budget(tokens=9 * 30 * 2)},
        "side_by_side_so_far",
    ),
    "a loss that one look of fixed samples shows": (Deployed(later_lose=0.5), {"samples": 16}, "dependent_time"),
}


@pytest.mark.parametrize(("engine", "settings", "code"), HELD.values(), ids=HELD)
def test_a_run_judged_again_is_examined_as_it_was(tmp_path, engine, settings, code):
    folder = tmp_path / TINY.id
    live = save(run(folder, engine, **settings), folder)
    assert code in [part.code for part in (*live.reasons, *live.notes)]
    assert check_promise(folder, Options(), own()).contradictions == []
    again = judge_again(tmp_path, Options()).lines[0].record
    assert (again.verdict, again.reasons) == (live.verdict, live.reasons)
    forget_verdict(folder)  # as a session does that goes on, and is killed
    assert judge_again(tmp_path, Options()).lines[0].verdict == live.verdict
    assert [one for one in (*again.reasons, *again.notes) if one.code == code] == [
        one for one in (*live.reasons, *live.notes) if one.code == code
    ]
    assert check_promise(folder, Options(), own()).contradictions == []


def test_a_session_that_goes_on_counts_the_looks_of_the_one_before(tmp_path):
    first = run(tmp_path, Deployed(), budget=Budget(tokens=9 * 30 * 3))
    on = run(tmp_path, Deployed())
    assert first.counts.most == on.case.stored == 3
    assert on.counts.most > 3
    assert {problem.looks[:4] for problem in drawn_of(on)} == {(1, 1, 2, 3)}
    assert [look.k for look in record_of(on).looks][:4] == [2, 3, 4, 5]


def long_text(*parts):
    """Words that no other draw has, and that do not repeat themselves."""
    rng = random.Random(str(parts))
    return " ".join("".join(rng.choices("aeioulmnrst", k=rng.randint(2, 9))) for _ in range(LONG // 4))


def copied(every, copies):
    """A log of eight samples; of one problem in ``every`` the last ones are the third again, laid out otherwise."""
    rng = random.Random(4)
    for at, problem in enumerate(IDS):
        done = [
            completion(problem, sample, rng.random() < RATES[problem], words=long_text(problem, sample))
            for sample in range(8)
        ]
        if at % every == 0:
            text = (
                done[2]
                .text.replace(" ", "\n \u3000\xa0\x1f")
                .title()
                .replace("</Think>", "</think>")
                .replace("Boxed", "boxed")
            )
            done[8 - copies :] = [replace(done[2], sample=sample, text=text) for sample in range(8 - copies, 8)]
        yield from done


def test_few_long_copies_are_noted_and_many_decide_nothing():
    few, many = replay(case_of(), copied(10, 1)), replay(case_of(), copied(3, 2))
    assert (codes(few), few.withheld) == (["few_copies"], None)
    assert few.findings[0].values == {"copies": 3, "answers": 240}
    assert codes(many) == ["dependent_copies"]
    assert "20 of 240 long answers repeat another one" in many.sentence


@pytest.mark.parametrize(("length", "different"), [(SHORT - 60, 8), (SHORT, 2)])
def test_texts_of_some_length_are_told_apart_and_short_ones_may_repeat_by_chance(length, different):
    words = ["one " * (length // 4), "two " * (length // 4)]
    log = [completion(problem, sample, right=True, words=words[sample % 2]) for problem in IDS for sample in range(8)]
    found = assess(case_of(), 8, *kept_of(log))
    assert [len({*problem.texts}) for problem in drawn_of(found, told_apart=True)] == [different] * len(IDS)
    assert {problem.texts for problem in drawn_of(found)} == {()}


def kept_of(log):
    """Receipts, of whole answers, and grades."""
    receipts = {(done.problem, done.sample): Receipt.of(done, Kind.COMPLETE) for done in log}
    with Grader("strict") as grader:
        return receipts, {receipt.key: grade for receipt, grade in graded(case_of(), grader, log)}


CLOTHES = {
    "a greeting": lambda text, sample: f"Good morning, this is answer {sample}. {text}",
    "invisible signs": lambda text, sample: text.replace(" ", " \u200b\ufeff", sample + 1),
    "other marks": lambda text, sample: text.replace(" ", ", ", sample + 1),
}


@pytest.mark.parametrize("dressed", CLOTHES.values(), ids=CLOTHES)
def test_copies_in_other_clothes_are_copies(dressed):
    done = [
        completion(problem, sample, sample > 0, words=dressed(long_text(problem, sample and 1), sample))
        for problem in IDS
        for sample in range(4)
    ]
    with pytest.raises(EngineError, match="copies, not independent draws"):
        replay(case_of(), done)


@pytest.mark.parametrize("words", ["!" * 3000, "and so on, as before, " * 200, ""], ids=["garbled", "loops", "empty"])
def test_damaged_answers_that_repeat_each_other_are_a_failure_not_copies(words):
    done = [
        Completion(problem=problem, sample=sample, text=words, finish=Finish.LENGTH)
        for problem in IDS
        for sample in range(8)
    ]
    found = replay(case_of(), done)
    assert (found.verdict, codes(found)) == (Verdict.FAIL, [])
    assert found.causes


def test_nobody_is_told_to_ask_for_more_samples_where_they_are_of_no_use(tmp_path):
    found = replay(case_of(), copied(3, 2))
    record = record_of(found)
    assert found.dependent
    assert record.judgement.runs_needed > record.judgement.k
    assert "further samples" not in record.sentence
    assert list(more_samples([record], tmp_path, Options())) == []


def test_an_edited_preflight_vouches_for_nothing(tmp_path):
    record = PreflightRecord(
        deployment="d", checks=(Check(code="sampling", state="failed"),), seconds=1.0, papergate="1"
    )
    write_preflight(tmp_path, record)
    path = tmp_path / PREFLIGHT_FILE
    path.write_text(path.read_text().replace("failed", "ok"))
    with pytest.raises(StoreError, match="its seal does not fit: it was edited"):
        with_preflight(case_of(), tmp_path)
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({name: fields[name] for name in fields if name != "seal"}))
    assert with_preflight(case_of(), tmp_path).sampling_known is False
