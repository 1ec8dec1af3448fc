"""A stored run of a trusted platform: read as a reference, and set beside a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, isclose
from pathlib import Path

from papergate.acceptance.terms import prompt_digest
from papergate.benchmarks import BenchmarkSpec, Problem
from papergate.completions.store import read_manifest
from papergate.engines.logs.rows import quotable
from papergate.errors import StoreError
from papergate.promises import Task
from papergate.run_folder.files import GRADES_FILE, HISTORY_FILE, MANIFEST_FILE, VERDICT_FILE
from papergate.run_folder.grades import read_correct
from papergate.run_folder.history import changed_files, read_history
from papergate.run_folder.notes import Note, note
from papergate.run_folder.verdict import Answerer, BesideGolden, Moved, VerdictRecord, read_verdict, read_verdicts
from papergate.statistics.beside_golden import LENGTH_BAND, MOVED_ALPHA, Comparison, Run, compare
from papergate.statistics.counts import Counts
from papergate.words import worded

SAME_SCORE = 1e-9
"""Far below the least step of a score; two ways to add the same shares differ by less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Golden:
    """A stored run, as far as it is compared."""

    folder: Path
    record: VerdictRecord
    run: Run

    @property
    def place(self) -> Path:
        """The folder of its promise."""
        return self.folder if (self.folder / VERDICT_FILE).exists() else self.folder / self.record.promise


def read_golden(folder: Path, spec: BenchmarkSpec, task: Task | None = None) -> Golden:
    """The one verdict on the benchmark of ``spec`` in ``folder``, a run folder or one promise's folder in it.

    ``task`` is that of a document's tool, where this run asks as it does.

    Raises:
        StoreError: it has none or several, is damaged, of a later release or partial, or was asked in other words.
    """
    record = _only_one(folder, spec)
    golden = Golden(folder=folder, record=record, run=run_of(record))
    if record.partial:
        raise worded(
            StoreError, note("golden_partial", folder=f"{folder}", promise=record.promise, partial=record.partial)
        )
    if golden.run.counts.prompts != (now := prompt_digest(spec, task)):
        seen = {"folder": f"{folder}", "promise": record.promise, "digest": golden.run.counts.prompts, "now": now}
        raise worded(StoreError, note("golden_prompt_differs", **seen))
    _refuse_untrue(golden.place, record)
    return golden


def golden_of(golden: Golden, problems: Sequence[Problem], digest: str) -> Golden:
    """The golden run on ``problems``, in their order; ``digest`` is that of the benchmark's text.

    Raises:
        StoreError: it was asked another text, or other problems.
    """
    stored = golden.record.benchmark.digest
    if stored != digest:
        seen = {"folder": f"{golden.folder}", "promise": golden.record.promise, "digest": stored, "now": digest}
        raise worded(StoreError, note("golden_text_differs", **seen))
    known = set(golden.run.counts.problems or ())
    unknown = [problem.id for problem in problems if problem.id not in known]
    if unknown:
        counts = {"problem": unknown[0], "others": len(unknown) - 1}
        raise worded(StoreError, note("golden_lacks_problems", folder=f"{golden.folder}", **counts))
    run = run_of(golden.record, [problem.id for problem in problems])
    return Golden(folder=golden.folder, record=golden.record, run=run)


def with_golden(record: VerdictRecord, golden: Golden) -> VerdictRecord:
    """A run's record beside the golden run, with what is to be noted of both."""
    found = compare(run_of(record), golden.run)
    notes = [
        *_unproven(golden),
        *_differences(record, golden.record),
        *(() if _is_other_model(record) else _notes(found)),
    ]
    beside = _beside(found, golden, record.counts.problems)
    return record.model_copy(update={"golden": beside, "notes": (*record.notes, *notes)})


def _refuse_untrue(folder: Path, record: VerdictRecord) -> None:
    """See that the record is what was made of its run: of its files, its manifest and its grades.

    Raises:
        StoreError: it is not.
    """
    seen = [
        *(note("golden_file_changed", file=name) for name in changed_files(folder, read_history(folder))),
        *_against_manifest(folder, record),
        *_against_grades(folder, record),
    ]
    if seen:
        about = {"folder": f"{folder}", "run": f"{folder.parent}"}
        raise worded(StoreError, note("golden_untrue", *seen, **about))


def _against_manifest(folder: Path, record: VerdictRecord) -> Iterator[Note]:
    if not (folder / MANIFEST_FILE).exists():
        return
    manifest = read_manifest(folder)
    said = {
        "promise": (record.promise, manifest.promise),
        "protocol": (record.protocol, manifest.protocol),
        "seed": (record.run_seed, manifest.run_seed),
        "benchmark's digest": (record.benchmark.digest, manifest.benchmark_digest),
        "prompt's digest": (record.benchmark.prompt_digest, manifest.prompt_digest),
        "sampling": (record.sampling, manifest.sampling),
        "model": (record.engine.model, manifest.model),
    }
    for name, (ours, theirs) in said.items():
        if ours != theirs:
            yield note("golden_not_of_manifest", name=name, file=MANIFEST_FILE)


def _against_grades(folder: Path, record: VerdictRecord) -> Iterator[Note]:
    """The counts and the score, counted anew."""
    counts = record.counts
    if (folder / GRADES_FILE).exists():
        right = read_correct(folder)
        pairs = zip(counts.problems, counts.correct, strict=True)
        if wrong := [(problem, correct) for problem, correct in pairs if right.get(problem, 0) != correct]:
            problem, correct = wrong[0]
            first = {"problem": quotable(problem), "correct": correct, "graded": right.get(problem, 0)}
            yield note("golden_not_of_grades", count=len(wrong), file=GRADES_FILE, **first)
    score = fsum(c / k for c, k in zip(counts.correct, counts.samples, strict=True)) / len(counts.samples)
    if not isclose(score, record.judgement.score, abs_tol=SAME_SCORE):
        yield note("golden_not_of_counts", stated=record.judgement.score, counted=score)


def _beside(found: Comparison, golden: Golden, problems: Sequence[str]) -> BesideGolden:
    """The comparison as plain values; the surest moves of problems come first."""
    who, counts = golden.record.engine, run_of(golden.record, problems).counts
    return BesideGolden(
        promise=golden.record.promise,
        engine=Answerer(engine=who.engine, version=who.version, model=who.model, revision=who.revision),
        samples=golden.run.counts.fewest,
        length_ratio=_float(found.length_ratio),
        length_within_band=found.length_within_band,
        length_band=(float(LENGTH_BAND[0]), float(LENGTH_BAND[1])),
        truncation=_float(found.truncation),
        golden_truncation=_float(found.golden_truncation),
        truncation_p_value=found.truncation_p_value,
        moved=tuple(
            Moved(
                problem=move.problem,
                rate=float(move.rate),
                golden_rate=float(move.golden_rate),
                p_value=move.p_value,
                adjusted=move.adjusted,
            )
            for move in found.moved
        ),
        folder=str(golden.folder if read_verdict(golden.folder) else golden.folder / golden.record.promise),
        correct=counts.correct,
        planned=counts.samples,
    )


def _is_other_model(record: VerdictRecord) -> bool:
    """Whether the golden run is that of the model to exceed, whose problems and lengths are meant to differ."""
    return record.promised.tolerance == "gain"


def _notes(found: Comparison) -> Iterator[Note]:
    """What a reader must know of the comparison."""
    low, high = (float(100 * end) for end in LENGTH_BAND)
    if found.length_within_band is False:
        yield note("length_outside_band", percent=float(100 * (found.length_ratio or 0)), low=low, high=high)
    if found.length_within_band is None:
        yield note("lengths_unknown")
    if found.truncation_p_value <= MOVED_ALPHA:
        percent, golden = (float(100 * (rate or 0)) for rate in (found.truncation, found.golden_truncation))
        yield note("truncation_differs", percent=percent, golden_percent=golden)
    if found.moved:
        moved = [[move.problem, float(move.golden_rate), float(move.rate)] for move in found.moved]
        yield note("problems_moved", problems=moved)


def _unproven(golden: Golden) -> Iterator[Note]:
    if not (golden.place / GRADES_FILE).exists():
        yield note("golden_not_recounted")
    if not (golden.place / HISTORY_FILE).exists():
        yield note("golden_without_history")


def _differences(record: VerdictRecord, golden: VerdictRecord) -> Iterator[Note]:
    """What sets the two runs apart beside their platform, so that a difference may come from there."""
    ours, theirs = (
        {
            **one.sampling.model_dump(mode="json"),
            "protocol": one.protocol,
            "grader": one.grader,
            "papergate": one.papergate,
        }
        for one in (record, golden)
    )
    apart = [[name, theirs.get(name), value] for name, value in ours.items() if theirs.get(name) != value]
    if apart:
        yield note("golden_differs", differences=apart)


def _only_one(folder: Path, spec: BenchmarkSpec) -> VerdictRecord:
    alone, all_of_a_run = read_verdict(folder), read_verdicts(folder)
    found = [one for one in ([alone] if alone else all_of_a_run.records) if one.benchmark.name == spec.name]
    if len(found) != 1:
        seen = {"names": [record.promise for record in found], "unread": [why for _, why in all_of_a_run.refused]}
        raise worded(StoreError, note("golden_of_one_promise", folder=f"{folder}", benchmark=spec.name, **seen))
    return found[0]


def run_of(record: VerdictRecord, problems: Sequence[str] | None = None) -> Run:
    """What is compared of a run, all of it or some problems."""
    counts = record.counts
    place = {problem: index for index, problem in enumerate(counts.problems)}
    chosen = [place[problem] for problem in (problems or counts.problems)]
    tokens = [counts.output_tokens[index] for index in chosen]
    return Run(
        counts=Counts(
            correct=tuple(counts.correct[index] for index in chosen),
            samples=tuple(counts.samples[index] for index in chosen),
            problems=tuple(counts.problems[index] for index in chosen),
            prompts=record.benchmark.prompt_digest,
        ),
        completions=sum(counts.completions[index] for index in chosen),
        output_tokens=None if None in tokens else sum(filter(None, tokens)),
        truncated=sum(counts.truncated[index] for index in chosen),
    )


def _float(share: Fraction | None) -> float | None:
    return None if share is None else float(share)
