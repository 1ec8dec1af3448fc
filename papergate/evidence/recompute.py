"""A promise of a bundle computed again from its completions, and held against what the bundle states."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from papergate import __version__
from papergate.acceptance.golden import Golden
from papergate.acceptance.independence import copies_of, examined, texts_of
from papergate.acceptance.judged_by import JudgedBy, golden_kept, read_judged_by
from papergate.acceptance.judging import regraded
from papergate.acceptance.options import Options
from papergate.acceptance.problems import problem_rows
from papergate.acceptance.records import Acceptance
from papergate.acceptance.refusals import SHORT
from papergate.acceptance.rejudge import recompute, recompute_replayed
from papergate.acceptance.saving import record_of
from papergate.acceptance.selection import Setup
from papergate.acceptance.shipped import Own
from papergate.benchmarks import BenchmarkSpec, Problem
from papergate.completions.store import contents_of
from papergate.errors import BenchmarkError, EngineError, PapergateError, StoreError
from papergate.evidence.grades import compare_grades
from papergate.evidence.kept import KeptBenchmark, golds_are_published, kept_problems, read_grades, read_rows
from papergate.evidence.records import Checked, Refused, Result, refused
from papergate.printable import one_line
from papergate.run_folder.files import MANIFEST_FILE, PROBLEMS_FILE, REPLAYED_FILE, json_text
from papergate.run_folder.history import Entry, changed_files, read_history
from papergate.run_folder.notes import AS_WRITTEN, Note, note
from papergate.run_folder.verdict import VerdictRecord, read_verdict
from papergate.scoring.grading import FROM_SOLUTIONS
from papergate.words import say, worded

DECIDING = (
    *("promise", "title", "hardware", "verdict", "accepted", "partial", "protocol", "sampling", "run_seed", "grader"),
    *("promised", "judgement", "tally", "truncations", "errors", "aggregates", "tokens", "times", "counts", "golden"),
    *("engine", "benchmark"),
)
"""What a verdict states and completions give. Causes are read from texts by rules of thumb; they are not held."""
OF_THE_SESSION = {
    *("judgement.looks", "engine.version", "engine.environment", "golden.folder"),
    *("benchmark.source", "benchmark.variant", "benchmark.known", "benchmark.file_sha256"),
}
"""What tells how the last session went and where it read its benchmark, which completions do not."""
NAMED = 5
"""Differences of a verdict, or damages of a store, that are listed."""


def check_promise(folder: Path, options: Options, own: Own) -> Checked:
    """Compute the promise in ``folder`` again; ``options`` may name the user's copies of benchmarks.

    Raises:
        Refused: its files are not as papergate wrote them, or do not belong together.
        BenchmarkError: the user's copy of its benchmark cannot be used.
    """
    with _as_altered(folder):
        stated, history = read_verdict(folder), read_history(folder)
        if stated is None or not _has_completions(folder):
            return _not_recomputed(folder, stated)
        by, grades = read_judged_by(folder), read_grades(folder)
        benchmark = KeptBenchmark(by.benchmark, options.data, stated.benchmark, kept_problems(folder, grades))
        found, golden = _recomputed(folder, _setup(by, folder, options), benchmark)
        needs_text = by.benchmark.answer == "choice" or stated.grader in FROM_SOLUTIONS
        compared = compare_grades(
            grades,
            found.grades,
            same_release=stated.papergate == __version__,
            options_known=benchmark.complete or not needs_text,
        )
        judged = examined(regraded(found, compared.agreed), last=not stated.further_looks)
        return Checked(
            promise=folder.name,
            stated=stated,
            completions=len(found.receipts),
            regraded=len(found.grades),
            contradictions=[
                *compared.contradictions(),
                *_differences(stated, record_of(judged, golden), folder.name),
                *_other_words(stated, record_of(judged, golden)),
                *_other_rows(folder, problem_rows(judged)),
                *([] if history else [note("verify_no_history")]),
                *(note("verify_not_the_last", file=name) for name in changed_files(folder, history)),
                *_other_golds(own, by.benchmark, found.case.problems),
            ],
            gaps=[*compared.gaps()],
            remarks=[*compared.remarks(), *_earlier(history), *_remarks(own, by, stated, benchmark)],
        )


@contextmanager
def _as_altered(folder: Path) -> Iterator[None]:
    """Whatever does not fit in the files of a promise was altered, as papergate wrote none like it."""
    try:
        yield
    except (BenchmarkError, Refused):
        raise
    except PapergateError as error:
        raise refused(
            Result.ALTERED, note("promise_altered", _as_bundled(error, folder), promise=folder.name)
        ) from None
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, OSError) as error:
        said = note("promise_not_together", promise=folder.name, error=repr(error))
        raise refused(Result.ALTERED, said) from None


def _as_bundled(error: PapergateError, folder: Path) -> Note:
    """What ``error`` says, with the names of files as the bundle has them."""
    said = error.said or note(AS_WRITTEN, text=str(error))
    return note(said.code, *said.parts, **{name: _named(value, folder) for name, value in said.values.items()})


def _named(value: object, folder: Path) -> object:
    return value.replace(f"{folder}/", "").replace(str(folder), folder.name) if isinstance(value, str) else value


def _has_completions(folder: Path) -> bool:
    return any((folder / name).exists() for name in (MANIFEST_FILE, REPLAYED_FILE))


def _recomputed(folder: Path, setup: Setup, benchmark: KeptBenchmark) -> tuple[Acceptance, Golden | None]:
    """The verdict of a store whose seals and seeds fit, or of the completions of a log.

    What the texts look like takes most of the time, and decides only which copies count.

    Raises:
        PapergateError: they do not fit, or cannot be judged.
    """
    again = _of_a_store if (folder / MANIFEST_FILE).exists() else recompute_replayed
    with suppress(EngineError):  # copies, or loops that repeat each other
        found, golden = again(folder, setup, benchmark, diagnosed=False)
        if not copies_of(texts_of(found), least=SHORT)[0]:
            return found, golden
    return again(folder, setup, benchmark, diagnosed=True)


def _of_a_store(
    folder: Path, setup: Setup, benchmark: KeptBenchmark, *, diagnosed: bool
) -> tuple[Acceptance, Golden | None]:
    contents = contents_of(folder)
    if contents.damages:
        raise worded(StoreError, note("completions_damaged", damages=contents.damages[:NAMED]))
    if contents.unseeded:
        raise worded(StoreError, note("completions_unseeded", count=contents.unseeded))
    return recompute(folder, setup, benchmark, diagnosed=diagnosed, contents=contents)


def _not_recomputed(folder: Path, stated: VerdictRecord | None) -> Checked:
    """A promise without a verdict has nothing to hold, and one without completions cannot be held."""
    gaps = [note("verify_no_completions")] if stated else []
    remarks = [] if stated else [note("verify_no_verdict")]
    return Checked(promise=folder.name, stated=stated, completions=0, regraded=0, gaps=gaps, remarks=remarks)


def _setup(by: JudgedBy, folder: Path, options: Options) -> Setup:
    return Setup(
        options=replace(options, golden=golden_kept(folder)),
        targets=(),
        benchmarks={by.benchmark.name: by.benchmark},
        promises=(by.promise,),
        predictions=None,
    )


def _differences(stated: VerdictRecord, computed: VerdictRecord, promise: str) -> Iterator[Note]:
    """Each number of the verdict that is not what the completions give, bit for bit."""
    before, now = (dict(_leaves(record.model_dump(mode="json", include={*DECIDING}))) for record in (stated, computed))
    differ = [name for name in before | now if before.get(name) != now.get(name)]
    if stated.promise != promise:
        yield note("verify_misplaced", folder=promise, stated=stated.promise)
    for name in differ[:NAMED]:
        yield note("verify_field_differs", name=name, stated=_shown(before.get(name)), computed=_shown(now.get(name)))
    if len(differ) > NAMED:
        yield note("verify_more_differ", count=len(differ) - NAMED)


def _other_words(stated: VerdictRecord, computed: VerdictRecord) -> Iterator[Note]:
    """The sentence of the verdict; it may name causes and what ended asking, which completions do not give."""
    if stated.papergate != __version__:
        return
    if say(stated.said) != stated.sentence:
        yield note(
            "verify_field_differs", name="sentence", stated=_shown(stated.sentence), computed=_shown(say(stated.said))
        )
    before, now = [*_parts(stated.said)], [*_parts(computed.said)]
    if before[0] != now[0] or any(part not in before for part in now):
        yield note(
            "verify_field_differs", name="said", stated=_shown(stated.sentence), computed=_shown(computed.sentence)
        )


def _parts(one: Note) -> Iterator[object]:
    """The note and all notes in it, each as plain values."""
    yield one.model_dump(mode="json", exclude={"parts"})
    for part in one.parts:
        yield from _parts(part)


def _other_rows(folder: Path, computed: Sequence[Mapping[str, Any]]) -> Iterator[Note]:
    """The table of problems repeats counts of the verdict, for those who read it alone."""
    stated = read_rows(folder / PROBLEMS_FILE)
    for before, now in zip_longest(stated, json.loads(json_text(computed))):
        if before != now:
            yield _row_differs(before or {}, now or {})
            return


def _row_differs(before: Mapping[str, Any], now: Mapping[str, Any]) -> Note:
    field = next(field for field in {**before, **now} if before.get(field) != now.get(field))
    name = one_line(f"{PROBLEMS_FILE}, {now.get('problem', before.get('problem'))}, {field}")
    return note("verify_field_differs", name=name, stated=_shown(before.get(field)), computed=_shown(now.get(field)))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - whatever JSON holds
    """Every value by its path, lists whole."""
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{name}.{key}" if name else str(key)
            if path not in OF_THE_SESSION:
                yield from _leaves(inner, path)
    else:
        yield name, value


def _shown(value: object) -> str:
    return one_line(str(value), 60)


def _other_golds(own: Own, spec: BenchmarkSpec, problems: tuple[Problem, ...]) -> Iterator[Note]:
    """The right answers of a whole benchmark that papergate knows must be the published ones."""
    known = own.benchmarks.get(spec.name)
    whole = known is not None and len(problems) == known.problems and all(problem.gold for problem in problems)
    if known and whole and golds_are_published(known, problems) is False:
        yield note("verify_other_golds", benchmark=known.title)


def _earlier(history: Sequence[Entry]) -> Iterator[Note]:
    """The verdicts that the promise had in this run before."""
    if before := history[:-1]:
        listed = [f"{one.verdict} ({one.at}, papergate {one.papergate})" for one in before]
        yield note("verify_earlier_verdicts", count=len(before), verdicts=", ".join(listed[-NAMED:]))


def _remarks(own: Own, by: JudgedBy, stated: VerdictRecord, benchmark: KeptBenchmark) -> Iterator[Note]:
    if not own.states(by.promise, by.benchmark):
        yield note("verify_own_promise", tolerance=by.promise.tolerance.text, source=by.promise.score.source)
    if not benchmark.complete:
        yield note("verify_text_absent", benchmark=by.benchmark.name, digest=stated.benchmark.digest)
    if stated.golden:
        yield note("verify_golden_taken", promise=stated.golden.promise)
    if stated.papergate != __version__:
        yield note("verify_other_release", judged=stated.papergate, here=__version__)
