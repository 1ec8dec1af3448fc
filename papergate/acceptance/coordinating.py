"""Judging a promise while its shards are asked elsewhere, look after look, as one machine would have."""

from dataclasses import replace
from pathlib import Path

from papergate.acceptance.crew import Crew
from papergate.acceptance.flow import Show, silently, until_decided
from papergate.acceptance.gradebook import Gradebook
from papergate.acceptance.independence import with_preflight
from papergate.acceptance.own_rules import with_own_rules
from papergate.acceptance.preparing import Ready
from papergate.acceptance.records import Acceptance
from papergate.acceptance.rejudge import identity_of, refuse_another_run
from papergate.completions.joined import Joined
from papergate.completions.merging import join, joined_manifest, parts_of
from papergate.completions.progress import no_score
from papergate.completions.store import contents_of, read_manifest, read_sessions
from papergate.errors import PapergateError, StoreError
from papergate.run_folder.files import MANIFEST_FILE
from papergate.run_folder.notes import note
from papergate.scoring import AnswerKind, Grader, check_golds
from papergate.words import worded


def coordinate(ready: Ready, crew: Crew, folder: Path, show: Show = silently) -> Acceptance:
    """Judge at each look that all shards have completed, until the verdict is decided; join them into ``folder``.

    Raises:
        PapergateError: a shard never came, gave up, or is of another run; the shards hear of it, as of Ctrl-C.
    """
    try:
        found = _judged(ready, crew, show)
        _join(ready.promise.id, crew, folder)
    except BaseException as error:  # an interruption too: shards would wait for as long as they have patience
        crew.stop(str(error) if isinstance(error, PapergateError) else f"it was broken off ({type(error).__name__})")
        raise
    crew.close()
    return replace(found, sessions=read_sessions(folder))


def _judged(ready: Ready, crew: Crew, show: Show) -> Acceptance:
    check_golds([problem.gold for problem in ready.problems], AnswerKind(ready.benchmark.spec.answer))
    settings, promise = ready.settings, ready.promise.id
    first, *_ = settings.looks
    shown = show(no_score)
    shown.say(note("waiting_for_shards", shards=len(crew.folders), look=first))
    crew.gather(first)
    manifest = joined_manifest(parts_of(promise, crew.folders))
    case = with_preflight(replace(ready.case(identity_of(manifest)), allocated=True), crew.folders[0])
    refuse_another_run(case, manifest, str(crew.folders[0].parent.parent))
    store = Joined(crew.folders)
    store.refresh()
    with Grader(settings.grader) as grader, Gradebook(case, grader) as book:

        def gather(k: int) -> None:
            known = book.running() or note("nothing_graded")
            shown.say(note("waiting_for_look", known, shards=len(crew.folders), look=k))
            crew.gather(k)
            parts_of(promise, crew.folders)
            store.refresh()

        found = until_decided(case, store, book, gather)
    return with_own_rules(found, store.read)


def _join(promise: str, crew: Crew, folder: Path) -> None:
    """The store of all shards in ``folder``; one that an earlier session of this coordinator joined stays."""
    if not (folder / MANIFEST_FILE).exists():
        join(promise, crew.folders, folder)
        return
    held = Joined(crew.folders)
    held.refresh()
    same = read_manifest(folder) == joined_manifest(parts_of(promise, crew.folders))
    if not same or contents_of(folder).succeeded.keys() != held.keys():
        raise worded(StoreError, note("other_than_shards", folder=f"{folder}"))
