"""What cannot be judged is refused, with what was seen and the remedy: none of it becomes a score."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from papergate.acceptance.records import Case
from papergate.completions.progress import WITHHELD
from papergate.completions.store import Store
from papergate.completions.table import Key
from papergate.diagnosis.bearing import ALPHA, unbearable
from papergate.diagnosis.causes import DAMAGE, percent
from papergate.diagnosis.kinds import Kind
from papergate.engines import Engine
from papergate.errors import AnswersDamaged, EngineError, RequestsLost, StoreError
from papergate.run_folder.notes import note
from papergate.statistics.looks import looks_within
from papergate.words import worded

LOOKS_OF_OLD_STORES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Of the releases that did not seal records."""
SURELY_NOT_BY_CHANCE = 10
"""Problems that must all repeat themselves before repeats are called copies: of so many short answers not all do."""
LONG = 2000
"""Characters of an answer that no second draw repeats by chance."""
SHORT = 200
"""Characters below which draws repeat each other by chance: some 60 tokens, with a few bits of noise among them all."""
Text = tuple[bytes, int]
"""Digest and characters of an answer."""

NAMED = 5
"""Lost requests that a message names one by one."""


def check_engine(case: Case, engine: Engine) -> None:
    """Let the engine refuse what cannot work.

    Raises:
        EngineError: with its words, where they may be shown.
    """
    with withholding(case):
        engine.check(case.sampling, [problem.prompt for problem in case.problems], case.form)


@contextmanager
def withholding(case: Case) -> Iterator[None]:
    """Of a confidential benchmark, withhold the words of the engine's errors: they may quote a problem."""
    try:
        yield
    except EngineError as error:
        if not case.benchmark.spec.confidential:
            raise
        raise worded(type(error), note("words_withheld", title=case.benchmark.spec.title)) from None


def refuse_a_part(case: Case, known: Callable[[Key], bool], place: str, most: int | None) -> None:
    """A verdict on fewer samples than are ``known`` would let anyone stop where the score suits.

    Raises:
        StoreError: every problem has more samples in ``place`` than the ``most`` that would be looked at.
    """
    if most and all(map(known, case.planned(most).items())):
        raise worded(StoreError, note("samples_beyond", place=place, most=most))


def refuse_holes(case: Case, store: Store) -> None:
    """A look is complete before the next one begins, so a sample of an earlier look that is missing was removed.

    Raises:
        StoreError: a problem has a sample of a later look and lacks one of an earlier look.
    """
    looks = LOOKS_OF_OLD_STORES if store.unsealed else looks_within(max_samples=case.settings.max_samples)
    fixed = case.settings.fixed_samples
    plans = [case.planned(k) for k in ((fixed,) if fixed else looks)]
    last = dict.fromkeys((problem.id for problem in case.problems), -1)
    for problem, sample in store:
        if problem in last:
            last[problem] = max(sample, last[problem])
    torn = [problem for problem, most in last.items() if _has_hole(store, problem, most, plans)]
    if torn:
        raise worded(StoreError, note("samples_removed", folder=str(store.folder), problems=len(torn)))


def _has_hole(store: Store, problem: str, last: int, plans: Iterable[Mapping[str, int]]) -> bool:
    """Whether a look ended between the first sample that is missing and the ``last`` that is there."""
    missing = next(sample for sample in range(last + 2) if (problem, sample) not in store)
    return any(missing < plan[problem] <= last for plan in plans)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Texts:
    """The answers to one problem."""

    count: int
    different: int
    shortest: int
    """Characters."""

    @classmethod
    def of(cls, texts: Iterable[Text]) -> "_Texts":
        """Of each of them."""
        digests, characters = zip(*texts, strict=True)
        return cls(count=len(digests), different=len({*digests}), shortest=min(characters))


def refuse_copies(texts: Mapping[str, Sequence[Text]]) -> None:
    """A text that is repeated counts as one sample.

    Raises:
        EngineError: no problem of several has two samples that differ; or half of those with long answers repeat one.
    """
    repeated = [found for found in map(_Texts.of, texts.values()) if found.count > 1]
    alike = [found for found in repeated if found.different == 1]
    long = [found for found in repeated if found.shortest >= LONG]
    copied = [found for found in long if found.different < found.count]
    none_differ = len(repeated) >= SURELY_NOT_BY_CHANCE and len(alike) == len(repeated)
    if none_differ or (copied and 2 * len(copied) >= len(long)):
        copies = max(len(alike), len(copied))
        raise worded(EngineError, note("samples_copied", copied=copies, repeated=len(repeated)))


def refuse_damaged(case: Case, kinds: Mapping[Kind, int], unfinished: int = 0) -> None:
    """Damage that surely costs the promise is not asked about any further.

    Args:
        case: What is tested.
        kinds: How many answers of each kind have come.
        unfinished: Requests under way at most.

    Raises:
        AnswersDamaged: more answers are damaged than the promise can bear.
    """
    if case.rule.above:
        return  # of a gain nobody knows what it can bear
    bounds = {"score": float(case.reference.score), "tolerance": float(case.rule.tolerance)}
    kind = unbearable(kinds, **bounds, unfinished=unfinished)
    if kind is None:
        return
    came, share = sum(kinds.values()), kinds[kind] / sum(kinds.values())
    cause = note(f"cause_{DAMAGE[kind]}", percent=percent(share))
    raise worded(AnswersDamaged, note("asking_stopped", cause, answers=came, alpha=ALPHA))


def refuse_lost(case: Case, store: Store, k: int) -> None:
    """A sample that never came is no wrong answer: without it no score can be stated.

    Raises:
        RequestsLost: samples among the first ``k`` of a problem have nothing but failures.
    """
    wanted = set(case.keys(k))
    lost = {key: done for key, done in store.failures().items() if key in wanted}
    if not lost:
        return
    confidential = case.benchmark.spec.confidential  # a server may quote the problem in its error
    named = [
        f"{name} sample {sample}: {WITHHELD if confidential else done.error}"
        for (name, sample), done in [*lost.items()][:NAMED]
    ]
    counts = {"lost": len(lost), "samples": len(wanted), "more": len(lost) - len(named)}
    raise worded(RequestsLost, note("requests_lost", named=named, run=str(store.folder.parent), **counts))
