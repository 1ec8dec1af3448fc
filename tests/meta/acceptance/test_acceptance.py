"""The flow keeps its promises: nothing lost is graded, nothing partial passes, a resume changes nothing."""

import io
import json
import random
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from papergate.acceptance import (
    Case,
    Settings,
    accept,
    assess,
    manifest_of,
    reference_of,
    refuse_other_golds,
    replay,
    requests_of,
    sampling_of,
    with_ids_of,
)
from papergate.acceptance.gradebook import Gradebook
from papergate.acceptance.notes import _notes_of_setup, notes_of
from papergate.benchmarks import load, read_specs
from papergate.completions.policy import Policy
from papergate.completions.progress import Log, Shown, Silent
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.engines import Completion, EngineIdentity, Finish
from papergate.engines.replay import Predictions, read_predictions
from papergate.errors import EngineError, EngineRefused, PredictionsError, PromiseError, RequestsLost, StoreError
from papergate.promises import read_promises
from papergate.scoring import Grade, Grader, Outcome
from papergate.statistics.budget import Budget, Spent, why_not
from papergate.thoughts import ThoughtMarks
from papergate.verdict import Verdict
from papergate.words import say
from tests.meta.tiny_runs import completions_of, like_the_paper

SPECS = read_specs()
PROMISES = {promise.id: promise for promise in read_promises(benchmarks=SPECS)}
TINY = PROMISES["cpu-huggingface-papergate-tiny-tiny-aime"]
BENCHMARK = load(SPECS["tiny-aime"])
IDENTITY = EngineIdentity(engine="scripted", version="1", model="script")


@dataclass
class ScriptedEngine:
    """A test double: answers right with a given chance, from the request's own seed; fails where it is told to."""

    chance: float
    lost: frozenset = frozenset()
    asked: list = field(default_factory=list)
    concurrency = 8

    def identity(self):
        return IDENTITY

    def check(self, sampling, prompts, form=None):
        assert prompts

    async def complete(self, request):
        key = (request.problem, request.sample)
        self.asked.append(key)
        if key in self.lost:
            raise EngineError("the script says so")
        gold = next(problem.gold for problem in BENCHMARK.problems if problem.id == request.problem)
        answer = gold if random.Random(request.seed).random() < self.chance else "1000"
        text = f"steps of {request.seed}\n</think>\n\n\\boxed{{{answer}}}"
        return Completion(
            problem=key[0], sample=key[1], seed=request.seed, text=text, finish=Finish.STOP, output_tokens=9
        )

    def close(self):
        pass


@dataclass
class MovingEngine(ScriptedEngine):
    """A test double that is another deployment after some answers."""

    after: EngineIdentity = IDENTITY
    answers: int = 10**9

    def identity(self):
        return self.after if len(self.asked) >= self.answers else IDENTITY


def case_of(promise=TINY, *, problems=BENCHMARK.problems, **settings):
    settings = Settings(policy=Policy(attempts=1), **settings)
    return Case(
        promise=promise,
        benchmark=BENCHMARK,
        identity=IDENTITY,
        settings=settings,
        problems=problems,
        reference=reference_of(promise),
    )


def run(case, engine, folder):
    with Store.open(folder, manifest_of(case)) as store:
        return accept(case, engine, store)


def test_a_faithful_deployment_passes_and_stops_before_the_last_look(tmp_path):
    case = case_of()
    found = run(case, ScriptedEngine(float(TINY.score.fraction)), tmp_path)
    assert (found.verdict, found.accepted) == (Verdict.PASS, True)
    assert found.judgement.k < 64


def test_the_marks_of_a_deployment_and_the_token_limit_reach_the_checker():
    deployment = TINY.deployment.model_copy(update={"thought_marks": ThoughtMarks("<<", ">>")})
    promise = TINY.model_copy(update={"deployment": deployment})
    problem = BENCHMARK.problems[0]
    told = f"<<\\boxed{{1}}>>Therefore the total is {problem.gold}."
    grades = {
        finish: replay(
            case_of(promise, problems=(problem,)),
            [Completion(problem=problem.id, sample=0, text=told, finish=finish)],
        ).grades[problem.id, 0]
        for finish in (Finish.STOP, Finish.LENGTH)
    }
    assert grades[Finish.STOP].outcome is Outcome.CORRECT
    assert grades[Finish.LENGTH].reason == "unanswered"


def test_a_sabotaged_deployment_fails_after_few_samples(tmp_path):
    engine = ScriptedEngine(float(TINY.score.fraction) - 0.3)
    found = run(case_of(), engine, tmp_path)
    assert (found.verdict, found.accepted) == (Verdict.FAIL, False)
    assert "points low" in found.sentence
    (how,) = (one for one in notes_of(found) if one.code == "confirm_failure")
    assert re.search(r"--run NEW_FOLDER --run-seed 1 --samples \d+\. A perfect .* 5% .* 0.25%", say(how))
    assert len(engine.asked) == 30 * found.judgement.k <= 30 * 8


@pytest.mark.parametrize(("every", "noted"), [(100, False), (8, True)])
def test_a_pass_that_rests_on_answers_drawn_anew_after_failures_says_so(every, noted):
    done = [
        replace(one, attempts=2 if at % every == 0 else 1) for at, one in enumerate(completions_of(like_the_paper, 16))
    ]
    found = replay(case_of(), done)
    said = [one.values for one in notes_of(found) if one.code == "answers_drawn_again"]
    assert (found.verdict, said) == (Verdict.PASS, [{"count": 60, "answers": 480}] * noted)


def test_fixed_samples_are_asked_and_no_more(tmp_path):
    engine = ScriptedEngine(1.0)
    run(case_of(samples=3), engine, tmp_path)
    assert sorted(engine.asked) == sorted((problem.id, sample) for problem in BENCHMARK.problems for sample in range(3))


def test_the_vendor_protocol_asks_once_and_the_literal_rule_decides(tmp_path):
    engine = ScriptedEngine(1.0)
    found = run(case_of(protocol="vendor"), engine, tmp_path)
    assert len(engine.asked) == 30
    assert found.judgement.literal_alone
    assert found.verdict is Verdict.FAIL


def test_a_partial_run_cannot_pass(tmp_path):
    found = run(case_of(problems=BENCHMARK.problems[:5], samples=2, limit=5), ScriptedEngine(0.8), tmp_path)
    assert not found.accepted
    assert found.sentence.startswith("inconclusive: partial run, 5 of 30 problems, which cannot pass: run without --")
    assert " --limit for a verdict; so far pass@1" in found.sentence
    assert "further samples" not in found.sentence


def test_a_lost_request_is_an_error_and_no_wrong_answer(tmp_path):
    lost = frozenset({(BENCHMARK.problems[3].id, 1)})
    with pytest.raises(RequestsLost, match=r"1 of 60 samples never came.*\n.*the script says so"):
        run(case_of(), ScriptedEngine(0.8, lost), tmp_path)


def test_a_resumed_run_asks_only_for_what_is_missing_and_judges_alike(tmp_path):
    whole = run(case_of(samples=4), ScriptedEngine(0.8), tmp_path / "whole")
    with pytest.raises(RequestsLost):
        run(case_of(samples=4), ScriptedEngine(0.8, frozenset({(BENCHMARK.problems[0].id, 2)})), tmp_path / "halted")
    engine = ScriptedEngine(0.8)
    resumed = run(case_of(samples=4), engine, tmp_path / "halted")
    assert engine.asked == [(BENCHMARK.problems[0].id, 2)]
    assert resumed.judgement == whole.judgement


def test_a_run_with_other_sampling_is_not_resumed(tmp_path):
    run(case_of(samples=2), ScriptedEngine(0.8), tmp_path)
    with pytest.raises(StoreError, match="run_seed: this run '7', stored '0'"):
        run(case_of(samples=2, run_seed=7), ScriptedEngine(0.8), tmp_path)


def test_samples_have_seeds_of_their_own_and_the_longest_prompt_comes_first():
    requests = requests_of(case_of(), 4)
    assert len({request.seed for request in requests}) == 120
    first = [len(request.prompt) for request in requests[:30]]
    assert first == sorted(first, reverse=True)


def test_the_problems_whose_answers_were_longest_are_asked_first_from_the_second_look_on(tmp_path):
    short = min(BENCHMARK.problems, key=lambda problem: len(problem.prompt))

    @dataclass
    class Wordy(ScriptedEngine):
        """A test double that thinks longest about the shortest question."""

        async def complete(self, request):
            done = await ScriptedEngine.complete(self, request)
            return replace(done, output_tokens=900 if request.problem == short.id else 9)

    engine = Wordy(float(TINY.score.fraction))
    run(case_of(), engine, tmp_path)
    assert engine.asked[0] != (short.id, 0)
    assert engine.asked[60] == (short.id, 2)


def grades_of(correct, undecided, k):
    keys = [(problem.id, sample) for problem in BENCHMARK.problems for sample in range(k)]
    outcomes = [Outcome.CORRECT] * correct + [Outcome.UNDECIDED] * undecided
    outcomes += [Outcome.INCORRECT] * (len(keys) - len(outcomes))
    graded = (Grade(outcome=o, extracted="1", gold="1", rule="r", reason=None, seconds=0.0) for o in outcomes)
    return dict(zip(keys, graded, strict=True))


def test_grades_that_could_turn_the_verdict_leave_it_open():
    k = 64
    right = int(TINY.score.fraction * 30 * k)
    assert assess(case_of(), k, {}, grades_of(right, 0, k)).verdict is Verdict.PASS
    assert assess(case_of(), k, {}, grades_of(right - 400, 0, k)).verdict is Verdict.FAIL
    found = assess(case_of(), k, {}, grades_of(right - 400, 400, k))
    assert (found.verdict, found.accepted, found.decided) == (Verdict.INCONCLUSIVE, False, False)
    assert found.sentence.startswith("inconclusive: 400 grades could not be told")
    assert assess(case_of(), k, {}, grades_of(right - 400, 1, k)).verdict is Verdict.FAIL


def test_the_denominator_is_what_was_planned():
    grades = grades_of(30, 0, 2)
    for key in list(grades)[40:]:
        del grades[key]
    assert assess(case_of(), 2, {}, grades).judgement.score == Fraction(1, 2)


def test_a_budget_of_tokens_stops_before_the_look_that_would_exceed_it_and_says_so(tmp_path):
    engine = ScriptedEngine(float(TINY.score.fraction))
    found = run(case_of(budget=Budget(tokens=9 * 30 * 5 - 1)), engine, tmp_path)  # room for the looks at 2, 3 and 4
    assert len(engine.asked) == 30 * 4
    assert (found.verdict, found.accepted) == (Verdict.INCONCLUSIVE, False)
    assert "stopped by --budget-tokens 1349: 1080 tokens are spent" in found.sentence


def test_a_resumed_run_has_its_earlier_tokens_in_the_budget(tmp_path):
    case = case_of(budget=Budget(tokens=9 * 30 * 5 - 1))
    run(case, ScriptedEngine(float(TINY.score.fraction)), tmp_path)
    engine = ScriptedEngine(float(TINY.score.fraction))
    assert run(case, engine, tmp_path).stopped
    assert engine.asked == []


def test_a_budget_of_hours_stops_after_the_first_look_when_it_is_spent(tmp_path):
    engine = ScriptedEngine(float(TINY.score.fraction))
    found = run(case_of(budget=Budget(hours=1e-9)), engine, tmp_path)
    assert len(engine.asked) == 60
    assert "stopped by --budget-hours 1e-09" in found.sentence


def test_a_budget_that_is_large_enough_changes_nothing(tmp_path):
    chance = float(TINY.score.fraction)
    free = run(case_of(), ScriptedEngine(chance), tmp_path / "free")
    bound = run(case_of(budget=Budget(tokens=10**9, hours=1e6)), ScriptedEngine(chance), tmp_path / "bound")
    assert (bound.judgement, bound.stopped) == (free.judgement, None)


@pytest.mark.parametrize(
    ("budget", "spent", "said"),
    [
        (Budget(tokens=100), {"tokens": None}, "does not count its tokens, so the budget cannot be kept"),
        (Budget(tokens=100), {"tokens": 60}, "about 60 more"),
        (Budget(tokens=120), {"tokens": 60}, ""),
        (Budget(hours=1), {"elapsed_s": 1900.0}, "about 0.53 more"),
        (Budget(hours=1), {"elapsed_s": 1900.0, "fresh": 0}, ""),
        (Budget(), {}, ""),
    ],
)
def test_one_more_look_fits_or_the_reason_is_told(budget, spent, said):
    told = why_not(budget, Spent(**{"samples": 10, "tokens": 10, "fresh": 10, "elapsed_s": 1.0} | spent), 10)
    assert say(told).endswith(said) if said else told is None


def test_replayed_completions_that_failed_count_as_not_correct_and_are_told():
    def done(problem, sample, *, failed):
        text = None if failed else f"t</think>\\boxed{{{problem.gold}}}"
        return Completion(problem=problem.id, sample=sample, text=text, finish=Finish.FAILED if failed else Finish.STOP)

    completions = [done(problem, sample, failed=sample == 1) for problem in BENCHMARK.problems for sample in range(2)]
    found = replay(case_of(), completions)
    assert found.judgement.score == Fraction(1, 2)
    assert (found.tally["failed"], found.tally["correct"]) == (30, 30)


def test_the_papers_limit_gives_way_to_the_deployments():
    promise = PROMISES["ascend-mindie-deepseek-r1-w8a8-aime2024"]
    assert sampling_of(promise, "paper").max_tokens == 31232
    assert str(sampling_of(promise, "paper").temperature) == "0.6"
    assert str(sampling_of(promise, "vendor").temperature) == "0"


def test_a_score_that_nobody_published_demands_a_golden_run():
    promise = PROMISES["rtx3060-vllm-qwen2.5-0.5b-open-r1-light-math500-gain"]
    with pytest.raises(PromiseError, match="--golden RUN"):
        reference_of(promise)


def test_samples_that_are_all_copies_are_no_independent_draws(tmp_path):
    @dataclass
    class CachedEngine(ScriptedEngine):
        """A test double whose answers ignore the seed."""

        async def complete(self, request):
            done = await ScriptedEngine.complete(self, request)
            return replace(done, text=f"t</think>\\boxed{{{len(request.problem)}}}")

    with pytest.raises(EngineError, match="copies, not independent draws"):
        run(case_of(), CachedEngine(1.0), tmp_path)


def test_a_verdict_on_a_part_of_what_is_known_is_refused(tmp_path):
    run(case_of(samples=4), ScriptedEngine(0.8), tmp_path)
    with pytest.raises(StoreError, match="more than 2 samples of every problem"):
        run(case_of(samples=2), ScriptedEngine(0.8), tmp_path)


def test_another_protocol_is_another_run(tmp_path):
    run(case_of(samples=4), ScriptedEngine(0.8), tmp_path)
    with pytest.raises(StoreError, match="protocol: this run 'vendor', stored 'paper'"):
        run(case_of(protocol="vendor"), ScriptedEngine(0.8), tmp_path)


def test_one_sample_too_many_in_a_file_leaves_the_verdict_open_and_names_the_missing():
    def done(problem, sample):
        text = f"{sample}</think>\\boxed{{{problem.gold if int(problem.id[-2:]) % 15 < 11 else 1000 + sample}}}"
        return Completion(problem=problem.id, sample=sample, text=text, finish=Finish.STOP)

    whole = [done(problem, sample) for problem in BENCHMARK.problems for sample in range(8)]
    assert replay(case_of(), whole).verdict is Verdict.PASS
    found = replay(case_of(), [*whole, done(BENCHMARK.problems[0], 8)])
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "29 samples are missing or failed" in found.sentence
    assert replay(case_of(samples=8), [*whole, done(BENCHMARK.problems[0], 8)]).verdict is Verdict.PASS


def test_samples_picked_from_a_log_leave_gaps_that_are_missing():
    def done(problem, sample, *, right):
        text = f"{sample}</think>\\boxed{{{problem.gold if right else 1000}}}"
        return Completion(problem=problem.id, sample=sample, text=text, finish=Finish.STOP)

    def right(place, sample):
        return place + (sample % 4) / 4 < 21

    whole = [
        done(problem, sample, right=right(place, sample))
        for place, problem in enumerate(BENCHMARK.problems)
        for sample in range(32)
    ]
    picked = [one for one in whole if one.sample % 2 == 0 or one.sample == 31]
    found = replay(case_of(), picked)
    assert (found.judgement.k, found.tally["missing"]) == (32, 30 * 15)
    assert found.verdict is not Verdict.PASS


def test_a_part_of_a_log_is_not_judged_where_all_problems_have_more():
    whole = [
        Completion(problem=problem.id, sample=sample, text=f"{sample}</think>", finish=Finish.STOP)
        for problem in BENCHMARK.problems
        for sample in range(4)
    ]
    with pytest.raises(StoreError, match="the file holds more than 2 samples of every problem"):
        replay(case_of(samples=2), whole)
    with pytest.raises(StoreError, match="--protocol vendor"):
        replay(case_of(protocol="vendor"), whole)


def test_long_answers_that_repeat_are_copies_though_a_few_differ():
    def done(problem, sample):
        thought = " ".join(str(7919 * number) for number in range(400))
        text = f"{thought}{sample if problem.id.endswith('1') else ''}</think>\\boxed{{{problem.gold}}}"
        return Completion(problem=problem.id, sample=sample, text=text, finish=Finish.STOP)

    with pytest.raises(EngineError, match="samples of 27 of 30 problems are the same text"):
        replay(case_of(), [done(problem, sample) for problem in BENCHMARK.problems for sample in range(2)])


def test_a_run_that_goes_on_elsewhere_says_so(tmp_path):
    elsewhere = replace(IDENTITY, version="2", environment={"endpoint http://b": "vllm 2"})
    run(case_of(samples=2), ScriptedEngine(0.8), tmp_path)
    again = run(case_of(samples=2), ScriptedEngine(0.8), tmp_path)
    found = run(
        replace(case_of(samples=4), identity=elsewhere), MovingEngine(0.8, after=elsewhere, answers=0), tmp_path
    )
    assert not [note for note in notes_of(again) if note.code == "setups_differ"]
    (note,) = [note for note in notes_of(found) if note.code == "setups_differ"]
    assert say(note).startswith(
        "the samples were drawn on 2 set-ups, which differ in endpoint http://b, engine version;"
    )


def test_a_solution_as_the_gold_is_compared_by_its_box():
    problems = BENCHMARK.problems
    solved = {p.id: f"{'Some steps. ' * 30}So $\\boxed{{{p.gold}}}$." for p in problems}
    golds = {problem.id: problem.gold for problem in problems}
    done = tuple(Completion(problem=p.id, sample=0, text="x</think>", finish=Finish.STOP) for p in problems)
    predictions = Predictions(path=Path("p.json"), model="", completions=done, golds=solved)
    refuse_other_golds(predictions, golds)
    shifted = dict(zip(solved, [*list(solved.values())[1:], solved[problems[0].id]], strict=True))
    with pytest.raises(PredictionsError, match="gold answers differ"):
        refuse_other_golds(replace(predictions, golds=shifted), golds)


def test_numbers_of_rows_are_no_ids_unless_each_row_states_its_gold_answer():
    done = tuple(
        Completion(problem=str(n), sample=0, text="x</think>", finish=Finish.STOP)
        for n in range(len(BENCHMARK.problems))
    )
    golds = {str(n): problem.gold for n, problem in enumerate(BENCHMARK.problems)}
    predictions = Predictions(path=Path("p.json"), model="", completions=done, golds=golds)
    assert with_ids_of(BENCHMARK, predictions).problems == tuple(problem.id for problem in BENCHMARK.problems)
    long = {**golds, "7": "no box in all this " * 30}
    with pytest.raises(PredictionsError, match="Numbers of rows stand for its order where the log has all golds"):
        with_ids_of(BENCHMARK, replace(predictions, golds=long))


def test_golds_of_another_order_are_refused(tmp_path):
    rows = [{"id": p.id, "response": "x</think>", "gold": q.gold} for p, q in pairwise(BENCHMARK.problems)]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(PredictionsError, match="gold answers differ from the benchmark's"):
        refuse_other_golds(read_predictions(path), {problem.id: problem.gold for problem in BENCHMARK.problems})


def test_words_of_a_server_that_may_quote_a_confidential_problem_are_withheld(tmp_path):
    @dataclass
    class QuotingEngine(ScriptedEngine):
        """A test double that refuses a prompt by repeating it, as some servers do."""

        def check(self, sampling, prompts, form=None):
            raise EngineRefused(f"bad prompt: {prompts[0]}")

    open_case = case_of()
    spec = BENCHMARK.spec.model_copy(update={"confidential": True})
    hidden = replace(open_case, benchmark=replace(BENCHMARK, spec=spec))
    with pytest.raises(EngineRefused, match="bad prompt"):
        run(open_case, QuotingEngine(1.0), tmp_path / "open")
    with pytest.raises(EngineRefused, match="words are withheld") as refused:
        run(hidden, QuotingEngine(1.0), tmp_path / "hidden")
    assert "bad prompt" not in str(refused.value)


def test_errors_that_quote_a_confidential_problem_reach_no_terminal(tmp_path):
    @dataclass
    class Quoting(ScriptedEngine):
        """A test double that fails each first attempt by repeating the prompt."""

        async def complete(self, request):
            self.asked.append((request.problem, request.sample))
            raise EngineError(f"cannot answer {request.prompt}", transient=True)

    spec = BENCHMARK.spec.model_copy(update={"confidential": True})
    policy = Policy(attempts=2, first_wait_s=0.001)
    case = case_of(samples=2)
    case = replace(case, benchmark=replace(BENCHMARK, spec=spec), settings=replace(case.settings, policy=policy))
    terminal, said = io.StringIO(), "words are withheld"
    with Store.open(tmp_path, manifest_of(case)) as store, pytest.raises(EngineError, match=said) as lost:
        accept(case, Quoting(1.0), store, lambda running: Shown(Log(terminal), running, every_s=0.0))
    prompts = [problem.prompt for problem in BENCHMARK.problems]
    assert said in terminal.getvalue()
    assert not [prompt for prompt in prompts if prompt in terminal.getvalue() or prompt in str(lost.value)]


def test_whoever_watches_sees_the_score_of_what_has_finished(tmp_path):
    told, case = [], case_of(samples=4)

    class Watching(Silent):
        """A test double of a display: looks whenever a completion is finished."""

        def __init__(self, score):
            self.score = score

        def finished(self, completion):
            told.append(self.score())

        def stop(self):
            told.append(self.score())

    with Store.open(tmp_path, manifest_of(case)) as store:
        found = accept(case, ScriptedEngine(0.8), store, Watching)
        resumed = accept(case, ScriptedEngine(0.8), store, Watching)
    assert told[0] is None
    percents = [say(one) for one in told if one]
    shape = r"score \d+\.\d %( \[\d+\.\d, \d+\.\d\])?, promised 74\.0 % ± 1 problem, look 4 of 4"
    assert all(re.fullmatch(shape, line) for line in percents), percents
    assert resumed.judgement == found.judgement


def test_the_running_score_is_that_of_the_look_once_all_is_graded(tmp_path):
    case = case_of(samples=4)
    with Store.open(tmp_path, manifest_of(case)) as store, Grader() as grader, Gradebook(case, grader) as book:
        ask(ScriptedEngine(0.8), requests_of(case, 4), store, case.settings.policy, Silent(), book.take)
        judged = book.look(4, store).judgement
        ends = (
            f"{100 * (float(judged.reference.score) + end):.1f}" for end in (judged.evidence.lo, judged.evidence.hi)
        )
        interval = f"[{', '.join(ends)}]"
        assert say(book.running()) == f"score {float(100 * judged.score):.1f} % {interval}, promised 74.0 % ± 1 problem"


def test_an_error_of_grading_is_raised_at_the_look(tmp_path):
    case = case_of(samples=2)
    stranger = Completion(problem="of no benchmark", sample=0, text="x", finish=Finish.STOP)
    with Store.open(tmp_path, manifest_of(case)) as store, Grader() as grader, Gradebook(case, grader) as book:
        book.take(stranger)
        with pytest.raises(KeyError, match="of no benchmark"):
            book.look(2, store)


def test_a_trial_of_a_few_problems_is_judged_in_the_folder_of_a_whole_run(tmp_path):
    run(case_of(samples=4), ScriptedEngine(0.8), tmp_path)
    found = run(case_of(problems=BENCHMARK.problems[:5]), ScriptedEngine(0.8), tmp_path)
    assert found.judgement.n == 5
    assert found.sentence.startswith("inconclusive: partial run, 5 of 30 problems")


def test_a_resumed_run_looks_at_everything_it_knows(tmp_path):
    run(case_of(samples=16), ScriptedEngine(0.45), tmp_path)
    engine = ScriptedEngine(0.45)
    found = run(case_of(), engine, tmp_path)
    assert (found.judgement.k, found.verdict, engine.asked) == (16, Verdict.FAIL, [])


def test_a_driver_other_than_the_targets_is_a_note_and_none_where_the_server_is_elsewhere():
    hardware = TINY.hardware.model_copy(update={"driver": "550.54.15", "toolkit": "CUDA 12.4"})
    promise = TINY.model_copy(update={"hardware": hardware})
    here = replace(
        IDENTITY, environment={"hardware": "1 x A100 (81920 MiB)", "driver": "535.1", "toolkit": "CUDA 12.4"}
    )
    case = replace(case_of(promise), identity=here)
    assert [say(one) for one in _notes_of_setup(case)] == ["the driver is 535.1; the target states 550.54.15"]
    assert [*_notes_of_setup(case_of(promise))] == []


def test_what_a_run_was_drawn_on_is_put_down_again_where_it_changed_meanwhile(tmp_path):
    moved = replace(IDENTITY, environment={"replica": "started at noon"})
    found = run(case_of(samples=2), MovingEngine(0.5, after=moved, answers=60), tmp_path)
    assert [each.get("replica") for each in found.sessions] == [None, "started at noon"]
    assert any(one.code == "setups_differ" for one in notes_of(found))


@pytest.mark.parametrize("engine", ["remote", "ray"])
def test_hardware_that_nobody_here_looked_at_is_noted(engine):
    case = replace(case_of(preflight=False), identity=replace(IDENTITY, engine=engine))
    assert [one.code for one in _notes_of_setup(case)][:2] == ["attached", "no_preflight"]


def test_other_weights_that_answer_meanwhile_are_an_error_and_no_verdict(tmp_path):
    moved = replace(IDENTITY, revision="others")
    with pytest.raises(StoreError, match=r"who answers changed .*begin a new run:\n  revision: this run 'others'"):
        run(case_of(samples=2), MovingEngine(0.5, after=moved, answers=60), tmp_path)
