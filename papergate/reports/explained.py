"""What stands inside a failure or an error of JUnit, as a CI viewer shows it, and what to type next."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from papergate.acceptance.options import Options
from papergate.engines.logs.rows import quotable
from papergate.run_folder.files import PAGE_FILE, holds_completions
from papergate.run_folder.notes import Note, note
from papergate.run_folder.verdict import VerdictRecord
from papergate.words import Language, label, say

CONFIRM = "confirm_failure"
DEPENDENT = "dependent_"
"""How the codes of findings begin that withhold a verdict for good."""
WORST = 5
"""Problems that a body names; the page and problems.jsonl have all."""


def explained(record: VerdictRecord, run: Path, options: Options) -> dict[str, str]:
    """Sections of the body of a failure, by their heading: what the sentence does not say."""
    notes = [one for one in (*record.causes, *record.notes, *record.remarks) if one.code != CONFIRM]
    sections = {
        "notes": notes,
        "worst_problems": list(_worst(record)),
        "what_next": list(next_steps(record, run, options)),
    }
    language = options.language
    return {
        label(heading, language): "\n".join(say(one, language) for one in said)
        for heading, said in sections.items()
        if said
    }


def next_steps(record: VerdictRecord, run: Path, options: Options) -> Iterator[Note]:
    """What to look at, and what to type next."""
    yield from (one for one in record.notes if one.code == CONFIRM)
    yield from more_samples([record], run, options)
    yield note("next_look", page=str(run / PAGE_FILE), folder=str(run / record.promise))
    if holds_completions(run):
        yield note("next_judge", run=str(run))


def more_samples(records: Sequence[VerdictRecord], run: Path, options: Options) -> Iterator[Note]:
    """What to type where more samples are expected to decide; nothing where none of ``records`` waits for them."""
    waiting = [record for record in records if record.verdict == "inconclusive" and not _is_past_help(record)]
    needed = max((record.judgement.runs_needed or 0 for record in waiting), default=0)
    if needed > max((most for record in waiting for most in record.counts.samples), default=0):
        option = "--samples" if options.samples else "--max-samples"
        yield note("next_more_samples", option=option, samples=needed, run=str(run))


def _is_past_help(record: VerdictRecord) -> bool:
    """Whether further samples cannot help: a partial run, or samples that are not independent."""
    return bool(record.partial) or any(one.code.startswith(DEPENDENT) for one in record.reasons)


def _worst(record: VerdictRecord) -> Iterator[Note]:
    """The problems with the lowest scores, where a score that is too low is what matters."""
    counts = record.counts
    if record.partial or record.judgement.d >= 0:
        return
    rows = zip(counts.problems, counts.correct, counts.samples, counts.truncated, strict=True)
    rated = sorted(rows, key=lambda row: (row[1] / row[2], -row[3]))
    for problem, correct, samples, truncated in rated[:WORST]:
        name = quotable(problem).strip("'")
        yield note("worst_problem", problem=name, correct=correct, samples=samples, truncated=truncated)


def resume_step(run: Path, language: Language = "en") -> dict[str, str]:
    """The sections of the body of an error."""
    return {label("what_next", language): say(note("next_resume", run=str(run)), language)}
