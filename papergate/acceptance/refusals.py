"""What cannot be judged is refused, with what was seen and the remedy: none of it becomes a score."""

from collections.abc import Iterable

from papergate.acceptance.records import Case, Receipt
from papergate.completions.store import Store
from papergate.engines import Engine
from papergate.errors import EngineError, RequestsLost, StoreError

SURELY_NOT_BY_CHANCE = 10
"""Problems that must all repeat themselves before repeats are called copies: a long answer never repeats by chance, and
of so many short ones not all do."""

NAMED = 5
"""Lost requests that a message names one by one."""


def check_engine(case: Case, engine: Engine) -> None:
    """Let the engine refuse what cannot work; a server's words that may quote a confidential problem are withheld."""
    try:
        engine.check(case.sampling, [problem.prompt for problem in case.problems])
    except EngineError as error:
        if not case.benchmark.spec.confidential:
            raise
        raise type(error)(
            f"the engine refused the longest prompt of {case.benchmark.spec.title}; its words are withheld, as they "
            "may quote a problem that must not be shown: see the server's own log"
        ) from None


def refuse_a_part(case: Case, store: Store) -> None:
    """A verdict on fewer samples than are known would let anyone stop where the score suits.

    Raises:
        StoreError: every problem has more samples in ``store`` than these settings would look at.
    """
    fixed = case.settings.fixed_samples or case.settings.max_samples
    if all((problem.id, fixed) in store for problem in case.problems):
        raise StoreError(
            f"{store.folder} holds more than {fixed} samples of every problem, and a verdict on a part of them would "
            "be a choice; leave out --samples and --max-samples, or give this run a folder of its own"
        )


def refuse_copies(receipts: Iterable[Receipt]) -> None:
    """Repeats that are all the same text are one sample, however often it is counted.

    Raises:
        EngineError: no problem of several has two samples that differ.
    """
    texts: dict[str, list[bytes]] = {}
    for receipt in receipts:
        texts.setdefault(receipt.problem, []).append(receipt.digest)
    repeated = [found for found in texts.values() if len(found) > 1]
    if len(repeated) >= SURELY_NOT_BY_CHANCE and all(len(set(found)) == 1 for found in repeated):
        raise EngineError(
            f"all samples of each of {len(repeated)} problems are the same text: copies, not independent draws. Is the "
            "temperature 0, a cache in front, the seed ignored, or `do_sample` missing from the model's "
            "generation_config.json (transformers serve)? One run of this deployment is: --protocol vendor"
        )


def refuse_lost(case: Case, store: Store, k: int) -> None:
    """A sample that never came is no wrong answer: without it no score can be stated.

    Raises:
        RequestsLost: samples among the first ``k`` of a problem have nothing but failures.
    """
    wanted = {(problem.id, sample) for problem in case.problems for sample in range(k)}
    lost = {key: done for key, done in store.failures().items() if key in wanted}
    if not lost:
        return
    confidential = case.benchmark.spec.confidential  # a server may quote the problem in its error
    named = "".join(
        f"\n  - {name} sample {sample}: {'(its words may quote a problem)' if confidential else done.error}"
        for (name, sample), done in [*lost.items()][:NAMED]
    )
    more = f"\n  and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    raise RequestsLost(
        f"{len(lost)} of {len(wanted)} samples never came, so no score can be stated:{named}{more}\n"
        f"  What came is kept; mend the engine, then --run {store.folder.parent} asks only for these"
    )
