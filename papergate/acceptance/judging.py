"""From completions to a judgement: graded while they come, counted against what was planned, held to the rule."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from papergate.acceptance.records import NO_ANSWER, Acceptance, Case, Receipt
from papergate.benchmarks import Problem
from papergate.completions.table import Key, column, stretches
from papergate.diagnosis.kinds import Kind, kind_of
from papergate.engines import Completion, Finish
from papergate.run_folder.notes import Note, note
from papergate.scoring import AnswerKind, Attempt, Grade, Grader, Outcome
from papergate.statistics.counts import Counts
from papergate.statistics.rule import Evidence, weigh
from papergate.verdict import Judgement, Verdict, judge, judge_literal


def graded(
    case: Case, grader: Grader, completions: Iterable[Completion], *, diagnosed: bool = True
) -> Iterator[tuple[Receipt, Grade]]:
    """The grade of every completion in its order, beside what is kept of it; only the grader holds a few texts."""
    receipts: deque[Receipt] = deque()
    for grade in grader.grade(_attempts(case, completions, receipts, diagnosed=diagnosed)):
        yield receipts.popleft(), grade


def _attempts(
    case: Case, completions: Iterable[Completion], receipts: deque[Receipt], *, diagnosed: bool
) -> Iterator[Attempt]:
    """Each completion beside its gold answer, while its receipt is put down."""
    problems = {problem.id: problem for problem in case.problems}
    spec, deployment = case.benchmark.spec, case.promise.deployment
    for done in completions:
        problem = problems[done.problem]
        receipts.append(Receipt.of(done, _kind(case, problem, done) if diagnosed else None))
        yield Attempt(
            text=done.text,
            gold=problem.gold,
            solution=problem.solution,
            kind=AnswerKind(spec.answer),
            thinks=deployment.thinks,
            letters=spec.letters,
            options=dict(zip(spec.letters, problem.options, strict=False)),
            marks=deployment.thought_marks,
            cut=done.finish is Finish.LENGTH,
            no_answer=NO_ANSWER.get(done.finish, ""),
        )


def _kind(case: Case, problem: Problem, done: Completion) -> Kind:
    deployment = case.promise.deployment
    return kind_of(done, thinks=deployment.thinks, prompt=problem.prompt, marks=deployment.thought_marks)


def assess(case: Case, k: int, receipts: Mapping[Key, Receipt], grades: Mapping[Key, Grade]) -> Acceptance:
    """The verdict of the look at ``k`` planned samples of a problem, on average."""
    return _accepted(case, counts_of(case, k, grades, {Outcome.CORRECT}), receipts, grades)


def regraded(found: Acceptance, grades: Mapping[Key, Grade]) -> Acceptance:
    """The verdict on the same samples with other ``grades``."""
    right = Counter(problem for (problem, _), grade in grades.items() if grade.outcome is Outcome.CORRECT)
    correct = tuple(right[problem.id] for problem in found.case.problems)
    return _accepted(found.case, replace(found.counts, correct=correct), found.receipts, grades)


def _accepted(case: Case, counts: Counts, receipts: Mapping[Key, Receipt], grades: Mapping[Key, Grade]) -> Acceptance:
    judgement = _judged(case, counts)
    return Acceptance(
        case=case,
        receipts=receipts,
        grades=grades,
        counts=counts,
        judgement=judgement,
        withheld=_turned_by_unknown(case, counts, grades, judgement) or _lost_in_the_family(case, judgement),
    )


def evidence_by_look(acceptance: Acceptance) -> Iterator[tuple[Counts, Evidence]]:
    """What the same samples said at each look up to the verdict's, whichever session took it."""
    case, most = replace(acceptance.case, stored=0), max(acceptance.counts.samples)
    right: dict[str, list[int]] = {problem.id: [] for problem in case.problems}
    for (problem, sample), outcome in _outcomes(acceptance.grades):
        if outcome is Outcome.CORRECT:
            right[problem].append(sample)
    for k in case.settings.looks:
        planned = case.planned(k)
        if max(planned.values()) >= most:
            break
        correct = tuple(sum(sample < planned[name] for sample in samples) for name, samples in right.items())
        counts = replace(acceptance.counts, correct=correct, samples=tuple(planned.values()))
        yield counts, weigh(counts, case.reference, case.rule)
    yield acceptance.counts, acceptance.judgement.evidence


def counts_of(case: Case, k: int, grades: Mapping[Key, Grade], right: Iterable[Outcome]) -> Counts:
    """Samples of each problem whose outcome is in ``right``, out of those planned; one without a grade is not."""
    correct = _ended(grades, right)
    return Counts(
        correct=tuple(correct[problem.id] for problem in case.problems),
        samples=tuple(case.planned(k).values()),
        problems=tuple(problem.id for problem in case.problems),
        prompts=case.prompt_digest,
    )


def _outcomes(grades: Mapping[Key, Grade]) -> Iterator[tuple[Key, Outcome]]:
    return zip(grades, column(grades, "outcome"), strict=True)


def _ended(grades: Mapping[Key, Grade], outcomes: Iterable[Outcome]) -> Counter[str]:
    """How many samples of each problem have one of the ``outcomes``."""
    seen, wanted, found = [*column(grades, "outcome")], {*outcomes}, Counter[str]()
    for problem, place in stretches(grades):
        found[problem] += sum(map(seen[place].count, wanted))
    return found


def _judged(case: Case, counts: Counts) -> Judgement:
    decide = judge_literal if case.settings.protocol == "vendor" else judge
    return decide(counts, case.reference, case.rule)


def _turned_by_unknown(case: Case, counts: Counts, grades: Mapping[Key, Grade], judgement: Judgement) -> Note | None:
    """Where samples that were not graded, or could not be, could turn the verdict, it cannot be told either."""
    wrong = _ended(grades, {Outcome.INCORRECT})
    planned = zip(case.problems, counts.samples, strict=True)
    at_best = replace(counts, correct=tuple(samples - wrong[problem.id] for problem, samples in planned))
    unknown = sum(at_best.correct) - sum(counts.correct)
    if not unknown or _judged(case, at_best).decision is judgement.decision:
        return None
    undecided = _ended(grades, {Outcome.UNDECIDED}).total()
    return note("unknown_could_turn", undecided=undecided, missing=unknown - undecided)


def _lost_in_the_family(case: Case, judgement: Judgement) -> Note | None:
    """A failure that is not sure enough among all promises of the session is none yet."""
    most, p = case.settings.fail_alpha, judgement.evidence.p_value
    if most is None or judgement.verdict is not Verdict.FAIL or p <= most:
        return None
    return note("not_sure_in_the_family", p=p, most=most)
