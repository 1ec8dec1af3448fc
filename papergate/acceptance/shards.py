"""One part of a promise, asked on one of several machines: nothing is judged until all parts are joined."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

from papergate import __version__
from papergate.acceptance.flow import Show, ask_look, silently
from papergate.acceptance.gradebook import Gradebook
from papergate.acceptance.records import Case
from papergate.acceptance.refusals import check_engine
from papergate.completions.progress import Discreet, no_score
from papergate.completions.shard import Shard
from papergate.completions.store import Store
from papergate.engines import Engine
from papergate.errors import StoreError
from papergate.files import private_folder, reason
from papergate.run_folder.files import SHARD_FILE
from papergate.run_folder.notes import Note, note
from papergate.run_folder.shard import ShardRecord, read_shard, write_shard
from papergate.scoring import AnswerKind, Grader, check_golds
from papergate.words import worded


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A part of a promise, complete."""

    promise: str
    shard: Shard
    look: int
    """Samples of a problem, on average over the whole, up to which the part is complete."""
    samples: int
    """Of this part."""
    folder: Path

    @property
    def note(self) -> Note:
        """What is complete, and what comes next."""
        return note(
            "shard_complete",
            shard=str(self.shard),
            samples=self.samples,
            look=self.look,
            count=self.shard.count,
        )


def give_up(folder: Path, shard: Shard, why: str) -> None:
    """Tell the coordinator that this session of ``shard`` ended by an error; a look that is complete stays so."""
    record = read_shard(folder) or ShardRecord(
        index=shard.index, count=shard.count, look=0, problems=(), samples=(), papergate=__version__
    )
    with suppress(OSError):  # the error itself says more than that the disk refused to have it told
        private_folder(folder)
        write_shard(folder, record.model_copy(update={"gave_up": why, "session": token_hex(8)}))


def ask_part(case: Case, engine: Engine, store: Store, looks: Iterable[int], show: Show = silently) -> Asked:
    """Ask the samples of the case's shard up to each of ``looks``, and put down each that is complete.

    Answers are graded only to stop early where damage surely costs the promise.

    Raises:
        RequestsLost: completions stayed failed after their retries; what came is kept in ``store``.
        PapergateError: anything else outside the model's answers is wrong.
    """
    shard = _shard(case)
    check_golds([problem.gold for problem in case.problems], AnswerKind(case.benchmark.spec.answer))
    case, last = replace(case, allocated=True), 0
    with Grader(case.settings.grader) as grader, Gradebook(case, grader) as book:
        shown = Discreet(show(no_score)) if case.benchmark.spec.confidential else show(no_score)
        shown.say(note("progress_longest", model=case.identity.model, benchmark=case.benchmark.spec.title))
        check_engine(case, engine)
        for last in looks:
            _refuse_later_samples(case, store, last)
            ask_look(case, last, engine, store, book, shown)
            _put_down(case, store.folder, last)
    return Asked(
        promise=case.promise.id,
        shard=shard,
        look=last,
        samples=len(case.keys(last)),
        folder=store.folder,
    )


def _shard(case: Case) -> Shard:
    assert case.settings.shard, "a part is asked"
    return case.settings.shard


def _put_down(case: Case, folder: Path, look: int) -> None:
    shard, planned = _shard(case), case.planned(look)
    record = ShardRecord(
        index=shard.index,
        count=shard.count,
        look=look,
        problems=tuple(planned),
        samples=tuple(planned.values()),
        papergate=__version__,
    )
    try:
        write_shard(folder, record)
    except OSError as error:
        raise worded(StoreError, note("not_written", file=f"{folder / SHARD_FILE}", reason=reason(error))) from error


def _refuse_later_samples(case: Case, store: Store, look: int) -> None:
    """A part of what is known would be a choice."""
    planned = case.planned(look)
    later = sum(sample >= planned.get(problem, 0) for problem, sample in store)
    if later:
        raise worded(StoreError, note("samples_unplanned", folder=f"{store.folder}", count=later, samples=look))
