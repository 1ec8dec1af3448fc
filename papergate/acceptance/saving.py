"""What an acceptance leaves in the folder of its promise: grades, problems, and the record of the verdict."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from papergate import __version__
from papergate.acceptance.golden import Golden, with_golden
from papergate.acceptance.judged_by import write_judged_by
from papergate.acceptance.judging import evidence_by_look
from papergate.acceptance.notes import notes_of, remarks_of
from papergate.acceptance.own_log import refuse_the_same_run
from papergate.acceptance.problems import aggregates, problem_rows
from papergate.acceptance.records import Acceptance, Case
from papergate.acceptance.terms import terms_of
from papergate.completions.manifest import changes
from papergate.completions.store import read_manifest
from papergate.completions.table import column
from papergate.engines import Completion, Finish
from papergate.errors import StoreError
from papergate.files import private_folder, reason, text_written
from papergate.performance.metrics import completion_tokens_per_s, completion_tpot_s, defined, spread
from papergate.run_folder.files import (
    GRADES_FILE,
    MANIFEST_FILE,
    PROBLEMS_FILE,
    QUESTIONS_FILE,
    REPLAYED_FILE,
    json_text,
    write_lines,
)
from papergate.run_folder.history import append_verdict, read_history, remember_verdict
from papergate.run_folder.notes import Note, note
from papergate.run_folder.verdict import (
    Answerer,
    AskedBenchmark,
    Earlier,
    Judged,
    Look,
    ProblemCounts,
    Promised,
    Replica,
    Spread,
    Times,
    Tokens,
    VerdictRecord,
    write_verdict,
)
from papergate.scoring import Grade, Outcome
from papergate.verdict import numbers
from papergate.words import say, worded

COUNTED = ("correct", "samples", "completions", "truncated", "output_tokens")
"""What the record holds of every problem; a golden run is compared by it."""


def save(acceptance: Acceptance, folder: Path, golden: Golden | None = None) -> VerdictRecord:
    """Write grades, problems and verdict into ``folder``; the verdict comes last, so it never stands without them.

    Raises:
        StoreError: the disk refused, the run is its own golden run, or the history of its verdicts is damaged; what
            was asked is kept.
    """
    if golden:
        refuse_the_same_run(golden.place, folder)
    record = record_of(acceptance, golden)
    try:
        record = _after(folder, record)
        _write_questions(acceptance.case, folder / QUESTIONS_FILE)
        write_lines(folder / GRADES_FILE, _grade_rows(acceptance))
        write_lines(folder / PROBLEMS_FILE, problem_rows(acceptance))
        write_judged_by(folder, acceptance.case.promise, acceptance.case.benchmark.spec, golden)
        append_verdict(folder, record, record.text)
        write_verdict(folder, record)
    except OSError as error:
        places = {"folder": str(folder), "run": str(folder.parent)}
        lost = note("verdict_not_written", record.said, reason=error.strerror, **places)
        raise worded(StoreError, lost) from error
    return record


def _after(folder: Path, record: VerdictRecord) -> VerdictRecord:
    """``record`` beside the verdicts that it follows, and the terms that the run began with."""
    remember_verdict(folder)
    earlier = tuple(entry.earlier for entry in read_history(folder))
    began = read_manifest(folder).terms if (folder / MANIFEST_FILE).exists() else {}
    notes = (*_of_other_verdicts(record, earlier), *_of_other_terms(record, began))
    return record.model_copy(update={"earlier": earlier, "notes": (*record.notes, *notes)})


def _of_other_verdicts(record: VerdictRecord, earlier: Sequence[Earlier]) -> Iterator[Note]:
    others = [one for one in earlier if one.verdict != record.verdict]
    if others:
        listed = [[one.verdict, one.at, one.n, one.k, 100 * one.score] for one in others]
        yield note("other_verdicts_before", verdicts=listed)


def _of_other_terms(record: VerdictRecord, began: Mapping[str, str]) -> Iterator[Note]:
    changed = [list(change) for change in changes(began, record.terms)]
    if changed:
        yield note("terms_changed", changes=changed)


def save_replayed(completions: Iterable[Completion], folder: Path) -> None:
    """Keep the completions of a log beside what was made of them.

    Raises:
        StoreError: the disk refused.
    """
    path = folder / REPLAYED_FILE
    try:
        private_folder(folder)
        path.unlink(missing_ok=True)
        with text_written(path) as file:
            file.writelines(json_text(asdict(completion)) for completion in completions)
    except OSError as error:
        raise worded(StoreError, note("not_written", file=f"{path}", reason=reason(error))) from error


def _write_questions(case: Case, path: Path) -> None:
    """What was asked, beside the answers; the text of a confidential benchmark is written nowhere."""
    if case.benchmark.spec.confidential:
        path.unlink(missing_ok=True)
        return
    write_lines(path, ({"problem": problem.id, "question": problem.prompt} for problem in case.problems))


def _grade_rows(acceptance: Acceptance) -> Iterator[dict[str, Any]]:
    """Every grade with what its completion looks like, by problem and sample."""
    names = [one.name for one in fields(Grade)]
    columns = [column(acceptance.grades, name) for name in names]
    for (problem, sample), kind, *grade in zip(acceptance.grades, acceptance.of_graded("kind"), *columns, strict=True):
        yield {"problem": problem, "sample": sample, **dict(zip(names, grade, strict=True)), "kind": kind}


def record_of(acceptance: Acceptance, golden: Golden | None = None) -> VerdictRecord:
    """Everything a report states of one promise, beside a golden run where there is one."""
    case, promise, tally, said = acceptance.case, acceptance.case.promise, acceptance.tally, acceptance.note
    record = VerdictRecord(
        promise=promise.id,
        verdict=acceptance.verdict.value,
        accepted=acceptance.accepted,
        said=said,
        sentence=say(said),
        reasons=acceptance.reasons,
        notes=tuple(notes_of(acceptance)),
        causes=tuple(cause.note for cause in acceptance.causes),
        remarks=tuple(remarks_of(acceptance)),
        partial=case.partial,
        golden=None,
        title=f"{promise.deployment.model} on {case.benchmark.spec.title}",
        hardware=promise.hardware.title,
        protocol=case.settings.protocol,
        sampling=case.sampling,
        run_seed=case.settings.run_seed,
        grader=case.settings.grader,
        promised=_promised(case),
        judgement=Judged.model_validate(numbers(acceptance.judgement, looks=acceptance.looks_taken)),
        looks=_looks(acceptance),
        fixed_samples=case.settings.fixed_samples,
        further_looks=acceptance.further_looks,
        tally=tally,
        kinds=acceptance.kinds,
        truncations=len(acceptance.truncated),
        errors=tally["failed"] + tally["missing"],
        aggregates=aggregates(acceptance),
        tokens=_tokens(acceptance),
        times=_times(acceptance),
        replicas=_replicas(acceptance),
        benchmark=_benchmark(case),
        engine=Answerer.model_validate(asdict(case.identity)),
        counts=_counts(acceptance),
        thought_marks=promise.deployment.thought_marks,
        papergate=__version__,
        terms=terms_of(case.rule, case.reference),
        standing=case.settings.standing,
    )
    return record if golden is None else with_golden(record, golden)


def _promised(case: Case) -> Promised:
    promise = case.promise
    return Promised(
        percent=None if promise.score.percent is None else str(promise.score.percent),
        tolerance=promise.tolerance.text,
        reference=case.reference.kind.value,
        source=promise.score.source,
    )


def _benchmark(case: Case) -> AskedBenchmark:
    benchmark = case.benchmark
    return AskedBenchmark(
        name=benchmark.spec.name,
        digest=benchmark.digest,
        prompt_digest=case.prompt_digest,
        variant=benchmark.variant,
        known=benchmark.known,
        source=benchmark.source,
        file_sha256=benchmark.file_sha256,
        confidential=benchmark.spec.confidential,
    )


def _looks(acceptance: Acceptance) -> tuple[Look, ...]:
    reference = float(acceptance.judgement.reference.score)
    return tuple(
        Look(
            k=round(counts.average),
            score=float(counts.score),
            lo=reference + evidence.lo,
            hi=reference + evidence.hi,
        )
        for counts, evidence in evidence_by_look(acceptance)
    )


def _counts(acceptance: Acceptance) -> ProblemCounts:
    rows = problem_rows(acceptance)
    column: dict[str, Any] = {name: tuple(row[name] for row in rows) for name in COUNTED}
    return ProblemCounts(problems=tuple(row["problem"] for row in rows), **column)


def _tokens(acceptance: Acceptance) -> Tokens:
    """Output tokens, in all and a sample; None where the engine did not say."""
    tokens: list[int] = [one for one in column(acceptance.receipts, "output_tokens") if one is not None]
    return Tokens(output=sum(tokens) if tokens else None, per_sample=sum(tokens) / len(tokens) if tokens else None)


def _replicas(acceptance: Acceptance) -> tuple[Replica, ...]:
    """What each endpoint contributed, by its name."""
    answers, correct, tokens, uncounted = Counter[str](), Counter[str](), Counter[str](), set[str]()
    endpoints, outcomes = acceptance.of_graded("endpoint"), column(acceptance.grades, "outcome")
    for endpoint, outcome, count in zip(endpoints, outcomes, acceptance.of_graded("output_tokens"), strict=True):
        if not endpoint:
            continue
        answers[endpoint] += 1
        correct[endpoint] += outcome is Outcome.CORRECT
        tokens[endpoint] += count or 0
        if count is None:
            uncounted.add(endpoint)
    lost = Counter(endpoint for places in column(acceptance.receipts, "lost_at") for endpoint in places)
    return tuple(
        Replica(
            endpoint=endpoint,
            answers=answers[endpoint],
            correct=correct[endpoint],
            output_tokens=None if endpoint in uncounted else tokens[endpoint],
            lost=lost[endpoint],
        )
        for endpoint in sorted(answers | lost)
    )


@dataclass(slots=True)
class _Timed:
    """What a completion took."""

    output_tokens: int | None
    ttft_s: float | None
    e2e_s: float | None


def _times(acceptance: Acceptance) -> Times:
    """What the samples took while they were asked; a spread of nothing where the engine did not say."""
    metrics: dict[str, Callable[[_Timed], float | None]] = {
        "ttft_s": lambda one: one.ttft_s,
        "tpot_s": completion_tpot_s,
        "stream_tokens_per_s": completion_tokens_per_s,
    }

    def values(metric: Callable[[_Timed], float | None]) -> list[float]:
        columns = [column(acceptance.receipts, name) for name in ("finish", "output_tokens", "ttft_s", "e2e_s")]
        came = (one for finish, *one in zip(*columns, strict=True) if finish is not Finish.FAILED)
        return defined(metric(_Timed(*one)) for one in came)

    return Times(
        concurrency=acceptance.case.settings.policy.concurrency,
        **{name: Spread.model_validate(spread(values(metric))) for name, metric in metrics.items()},
    )
