"""Judging again what a run holds: offline, without its hardware or its server."""

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import cast

from papergate.acceptance.base import base_called
from papergate.acceptance.flow import judge_known, manifest_of, replay
from papergate.acceptance.golden import Golden
from papergate.acceptance.independence import with_preflight
from papergate.acceptance.preparing import Benchmarks, Ready, prepare
from papergate.acceptance.records import Acceptance, Case, Settings
from papergate.acceptance.saving import save
from papergate.acceptance.selection import Setup
from papergate.acceptance.terms import ProtocolName
from papergate.completions.contents import Contents
from papergate.completions.manifest import Manifest
from papergate.completions.store import contents_of, read_completions, read_manifest, read_sessions, refuse_damaged
from papergate.engines import Completion, EngineIdentity, Finish
from papergate.errors import PapergateError, PromiseError, StoreError
from papergate.files import MOST_LOG, parsed, read_kept, text_of
from papergate.promises import Promise
from papergate.promises.tool import GraderMode
from papergate.run_folder.files import MANIFEST_FILE, REPLAYED_FILE, VERDICT_FILE, promise_folders
from papergate.run_folder.history import Entry, read_history, refuse_misplaced
from papergate.run_folder.notes import Note, note
from papergate.run_folder.verdict import VerdictRecord, read_verdict
from papergate.statistics.budget import STOPS
from papergate.statistics.family import holm_alpha
from papergate.statistics.rule import ALPHA
from papergate.verdict import Verdict
from papergate.words import worded


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejudged:
    """A promise of a stored run, judged again: its new record, or why there is none."""

    promise: str
    record: VerdictRecord | None = None
    error: str = ""


def rejudge_run(run: Path, setup: Setup, *, family: int | None = None) -> list[Rejudged]:
    """Judge every promise of ``run`` again; each new record replaces the earlier one, an error replaces nothing.

    Raises:
        StoreError: ``run`` holds no completions.
    """
    benchmarks = Benchmarks(setup.benchmarks, setup.options.data)
    order = {promise.id: place for place, promise in enumerate(setup.promises)}
    folders = sorted(promise_folders(run, MANIFEST_FILE), key=lambda folder: order.get(folder.name, len(order)))
    if not folders:
        raise worded(StoreError, note("no_completions", folder=f"{run}"))
    found, failed = list[Rejudged](), 0
    for folder in folders:
        alpha = holm_alpha(float(ALPHA), family or len(folders), failed=failed) if setup.holm else None
        found.append(_rejudged(folder, setup, benchmarks, alpha))
        failed += _fails_in_the_family(found[-1].record)
    return found


def _fails_in_the_family(record: VerdictRecord | None) -> bool:
    """Whether what is left of a family's error rate is shared out among fewer promises now."""
    return record is not None and record.verdict == Verdict.FAIL.value and record.protocol == "paper" and record.gates


def rejudge(folder: Path, setup: Setup, benchmarks: Benchmarks, fail_alpha: float | None = None) -> VerdictRecord:
    """Judge what the folder of one promise holds, and save the record.

    Protocol and seed are those of the run; its grader, its place among the promises of a session, its concurrency, its
    fixed samples and whether a look could follow are those of the earlier record, where there is one; ``fail_alpha``,
    where it is given, is that place. Without fixed samples, the planned samples of every problem are those up to the
    highest number that any of them has.

    Raises:
        PapergateError: the run is damaged, belongs to another promise or benchmark text, or cannot be judged; the
            earlier record stays.
    """
    found, golden = recompute(folder, setup, benchmarks, fail_alpha)
    return save(found, folder, golden)


def recompute(
    folder: Path,
    setup: Setup,
    benchmarks: Benchmarks,
    fail_alpha: float | None = None,
    *,
    diagnosed: bool = True,
    contents: Contents | None = None,
) -> tuple[Acceptance, Golden | None]:
    """What `rejudge` saves, and nothing saved; ``diagnosed``: whether it is looked at what answers look like, too.

    ``contents`` are those of the store where they were read already: that is reading gigabytes.

    Raises:
        PapergateError: as `rejudge`.
    """
    manifest, contents, earlier = read_manifest(folder), contents or contents_of(folder), _earlier(folder)
    refuse_damaged(folder, contents)
    _refuse_a_shard(folder, manifest)
    _refuse_without_golden(folder, setup, earlier)
    ready = _ready(_promise(manifest, folder, setup), manifest, contents, setup, benchmarks)
    family_alpha = fail_alpha if manifest.protocol == "paper" else None  # the literal rule alone has no error rate
    ready = replace(ready, settings=_as_before(ready, earlier, family_alpha, given=setup.options.grader))
    before = earlier or _last_entry(folder)
    last = not (before and before.further_looks)
    found = _judged(ready, manifest, contents, folder, diagnosed=diagnosed, last=last)
    looks = (earlier.judgement.looks if earlier else None) or found.looks_taken
    stopped = _stopped_before(earlier, found)
    return replace(found, sessions=read_sessions(folder), looks_taken=looks, stopped=stopped), ready.golden


def _stopped_before(earlier: VerdictRecord | None, found: Acceptance) -> Note | None:
    """The budget that ended the run, where the same samples are judged again and still decide nothing."""
    if earlier is None:
        return None
    same_samples = earlier.counts.samples == found.counts.samples
    stops = (one for one in earlier.reasons if one.code in STOPS)
    return next(stops, None) if same_samples and not found.settled else None


def recompute_replayed(
    folder: Path, setup: Setup, benchmarks: Benchmarks, *, diagnosed: bool = True
) -> tuple[Acceptance, Golden | None]:
    """The same of a promise that was judged from a log, of which its folder keeps the completions.

    Raises:
        StoreError: the completions cannot be read.
        PapergateError: they cannot be judged.
    """
    earlier, completions = VerdictRecord.read(folder / VERDICT_FILE), _replayed(folder / REPLAYED_FILE)
    promise = next(each for each in setup.promises if each.id == earlier.promise)
    options = replace(setup.options, protocol=earlier.protocol, run_seed=earlier.run_seed)
    ready = prepare(promise, replace(setup, options=options), benchmarks)
    held = {done.problem for done in completions}
    problems = tuple(problem for problem in ready.problems if problem.id in held)
    ready = replace(ready, problems=problems, settings=_as_before(ready, earlier, None, given=None))
    case = ready.case(EngineIdentity(**dict(earlier.engine)))
    return replay(case, completions, diagnosed=diagnosed), ready.golden


def _replayed(path: Path) -> list[Completion]:
    try:
        rows = [parsed(line) for line in text_of(read_kept(path, most=MOST_LOG)).split("\n") if line]
        return [
            Completion(**{**row, "finish": Finish(row["finish"]), "lost_at": tuple(row.get("lost_at", ()))})
            for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} is not as papergate wrote it: {error!r}") from None


def _rejudged(folder: Path, setup: Setup, benchmarks: Benchmarks, fail_alpha: float | None) -> Rejudged:
    try:
        return Rejudged(promise=folder.name, record=rejudge(folder, setup, benchmarks, fail_alpha))
    except PapergateError as error:
        return Rejudged(promise=folder.name, error=str(error))


def _earlier(folder: Path) -> VerdictRecord | None:
    """The earlier record; None where there is none that can be read: judging again mends it."""
    try:
        return read_verdict(folder)
    except StoreError:
        return None


def _promise(manifest: Manifest, folder: Path, setup: Setup) -> Promise:
    promise = next((each for each in setup.promises if each.id == manifest.promise), None)
    promise = promise or base_called(manifest.promise, manifest.model, setup.promises)
    if promise is None:
        raise worded(PromiseError, note("run_of_no_target", folder=f"{folder}", promise=manifest.promise))
    refuse_misplaced(folder, promise.id)
    return promise


def _ready(promise: Promise, manifest: Manifest, contents: Contents, setup: Setup, benchmarks: Benchmarks) -> Ready:
    """The promise under the run's own protocol and seed, on the problems that the run holds."""
    protocol: ProtocolName = "vendor" if manifest.protocol == "vendor" else "paper"
    options = replace(setup.options, protocol=protocol, letter=manifest.letter, run_seed=manifest.run_seed)
    ready = prepare(promise, replace(setup, options=options, predictions=None), benchmarks)
    held = {problem for problem, _ in chain(contents.succeeded, contents.failed)}
    problems = tuple(problem for problem in ready.problems if problem.id in held)
    if not problems:
        raise worded(StoreError, note("no_sample_of_benchmark", promise=manifest.promise))
    return replace(ready, problems=problems)


def _as_before(
    ready: Ready, earlier: VerdictRecord | None, fail_alpha: float | None, *, given: GraderMode | None
) -> Settings:
    if earlier is None:
        return replace(ready.settings, fail_alpha=fail_alpha)
    policy = replace(ready.settings.policy, concurrency=earlier.times.concurrency if earlier.times else None)
    return replace(
        ready.settings,
        policy=policy,
        samples=earlier.fixed_samples,
        grader=given or cast(GraderMode, earlier.grader),
        fail_alpha=fail_alpha
        or next((note.values["p"] for note in earlier.remarks if note.code == "holm_threshold"), None),
        trial=earlier.is_trial,
    )


def _refuse_a_shard(folder: Path, manifest: Manifest) -> None:
    if manifest.shard:
        raise worded(StoreError, note("shard_judges_nothing", folder=f"{folder}", shard=manifest.shard))


def _refuse_without_golden(folder: Path, setup: Setup, earlier: VerdictRecord | None) -> None:
    """A run that was held against a golden run is not quietly held against the paper."""
    before = earlier or _last_entry(folder)
    if before and before.golden and not setup.options.golden:
        promise = before.golden if isinstance(before.golden, str) else before.golden.promise
        raise worded(StoreError, note("golden_given_before", folder=f"{folder}", promise=promise))


def _last_entry(folder: Path) -> Entry | None:
    """What the history says of a verdict that was forgotten, as a session that goes on does, or cannot be read."""
    history = read_history(folder)
    return history[-1] if history else None


def _judged(
    ready: Ready, manifest: Manifest, contents: Contents, folder: Path, *, diagnosed: bool, last: bool
) -> Acceptance:
    """The verdict on all that is stored; texts are read one at a time.

    Raises:
        StoreError: the promise or the benchmark is not what the completions were drawn for.
    """
    case = with_preflight(ready.case(identity_of(manifest)), folder)
    refuse_another_run(case, manifest, str(folder))
    return judge_known(
        case,
        contents.succeeded,
        contents.failed,
        lambda keys: read_completions(folder, map(contents.place, keys)),
        place=str(folder),
        diagnosed=diagnosed,
        last=last,
    )


def refuse_another_run(case: Case, manifest: Manifest, place: str) -> None:
    """See that the completions of ``manifest`` are about what the files state now.

    Raises:
        StoreError: they are not, with every difference.
    """
    if difference := manifest_of(case).difference(manifest):
        raise worded(StoreError, note("other_than_stated", place=place, differences="\n  ".join(difference)))


def identity_of(manifest: Manifest) -> EngineIdentity:
    """Who answered, as the run put it down."""
    return EngineIdentity(
        engine=manifest.engine,
        version=manifest.engine_version,
        model=manifest.model,
        revision=manifest.revision,
        template=manifest.template,
        environment=manifest.environment,
    )
