"""Grading: extraction, then equivalence in layers, in the order of the attempts."""

import functools
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Self

from papergate.errors import BenchmarkError
from papergate.scoring import peers
from papergate.scoring.answers import limits
from papergate.scoring.equivalence import check_readable, equivalent
from papergate.scoring.extraction import extract
from papergate.scoring.reading.boxes import boxes_backwards
from papergate.scoring.reading.conclusion import conclusion_of
from papergate.scoring.records import AnswerKind, Attempt, Comparison, Extraction, Grade, Outcome
from papergate.scoring.workers.pool import Pool

if TYPE_CHECKING:  # target files need pydantic, whose import takes longer than that of the checker
    from papergate.promises.tool import GraderMode

__all__ = ["Grader", "check_golds"]

AFTER_THE_THOUGHT = ("opencompass", "first-capital", "first-option")
"""Graders that see what follows the thought; the others see the whole text."""
FROM_SOLUTIONS = ("aisbench", "open-r1", "opencompass")
"""Graders that read the right answer from the worked solution, where it is known."""

LOOK_AHEAD = 256  # attempts read ahead of the first unfinished one; bounds memory while the order is kept
MAX_CACHED = 10_000  # distinct (gold, answer) pairs remembered; many samples share one answer
MAX_ELSEWHERE = 20  # boxes searched for a right answer that was not extracted


class Grader:
    """Grades attempts; a context manager that owns the comparison processes.

    Args:
        mode: Whose rules: `strict` (ours), or those of another tool, see `peers`.
        workers: Processes for the comparisons of other tools' graders at most, started when first needed.
    """

    def __init__(self, mode: "GraderMode" = "strict", *, workers: int | None = None) -> None:
        size = workers or os.cpu_count() or 1
        self._mode = mode
        self._pool = Pool(size)
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="papergate-grader")
        self._quick = functools.lru_cache(MAX_CACHED)(equivalent)
        self._compare = functools.lru_cache(MAX_CACHED)(functools.partial(self._pool.compare, grader=mode))

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every comparison process."""
        self.close()

    def close(self) -> None:
        """End the comparison processes."""
        self._threads.shutdown()
        self._pool.close()

    def grade(self, attempts: Iterable[Attempt]) -> Iterator[Grade]:
        """Grade attempts, in their order, while they come."""
        source = iter(attempts)
        waiting = deque(self._begin(attempt) for attempt in islice(source, LOOK_AHEAD))
        while waiting:
            yield _finished(waiting.popleft())
            waiting.extend(self._begin(attempt) for attempt in islice(source, 1))

    def _begin(self, attempt: Attempt) -> Grade | Future[Grade]:
        started = time.perf_counter()
        found = self._found(attempt)
        if found.answer is None:
            return _without_answer(attempt, found, started)
        if self._mode in peers.LETTERS:
            chosen = peers.LETTERS[self._mode](found.answer, attempt.letters)
            verdict = Comparison(equal=chosen == attempt.gold, rule=self._mode, extracted=chosen or None)
            return _grade(attempt, found, verdict, started)
        if self._is_ours(attempt):
            compare = self._quick if _is_short(attempt.gold, found.answer) else equivalent
            return _grade(attempt, found, compare(attempt.gold, found.answer, attempt.kind), started)
        return self._threads.submit(self._grade_in_worker, attempt, found)

    def _found(self, attempt: Attempt) -> Extraction:
        if attempt.no_answer:
            return Extraction(answer=None, rule="none", reason=attempt.no_answer)
        if self._is_ours(attempt):
            return _extracted(attempt)
        return _concluded(attempt) if self._mode in AFTER_THE_THOUGHT else _handed_over(attempt)

    def _is_ours(self, attempt: Attempt) -> bool:
        """Whether our rules apply: of letters, only the rules of two tools are imitated."""
        letters = attempt.kind is AnswerKind.CHOICE
        return self._mode == "strict" or (letters and self._mode not in peers.LETTERS)

    def _grade_in_worker(self, attempt: Attempt, found: Extraction) -> Grade:
        started = time.perf_counter()
        assert found.answer is not None
        gold = attempt.solution if self._mode in FROM_SOLUTIONS and attempt.kind is AnswerKind.MATH else ""
        return _grade(attempt, found, self._compare(gold or attempt.gold, found.answer, attempt.kind), started)


def check_golds(golds: Sequence[str], kind: AnswerKind = AnswerKind.MATH) -> None:
    """Make sure that every gold answer can be read, before anything expensive starts.

    Raises:
        BenchmarkError: Names every gold answer that cannot be read.
    """
    unreadable = [repr(gold) for gold in golds if not check_readable(gold, kind)]
    if unreadable:
        raise BenchmarkError(f"gold answers that cannot be read as {kind}: {', '.join(unreadable)}")


def _is_short(gold: str, answer: str) -> bool:
    return len(gold) + len(answer) <= limits.MAX_QUICK_CHARS


def _extracted(attempt: Attempt) -> Extraction:
    if attempt.text is None or not (attempt.bare or _is_gold(attempt)):
        return extract(
            attempt.text,
            kind=attempt.kind,
            thinks=attempt.thinks,
            letters=attempt.letters,
            options=attempt.options,
            marks=attempt.marks,
            cut=attempt.cut,
        )
    answer = attempt.text.strip()
    if attempt.kind is AnswerKind.CHOICE:
        from papergate.scoring.reading.choice import letter_of

        answer = letter_of(answer, attempt.letters, attempt.options) or answer
    rule = "bare" if attempt.bare else "whole"
    return Extraction(answer=answer or None, rule=rule, reason=None if answer else "empty")


def _is_gold(attempt: Attempt) -> bool:
    """Whether a text without a thought is the gold answer, word for word."""
    return attempt.text is not None and not attempt.thinks and attempt.text.strip() == attempt.gold.strip()


def _handed_over(attempt: Attempt) -> Extraction:
    """The whole completion, for a grader that extracts by itself; a bare answer is put into a box."""
    if attempt.text is None or not attempt.text.strip():
        return Extraction(answer=None, rule="none", reason="empty")
    return Extraction(answer=f"\\boxed{{{attempt.text}}}" if attempt.bare else attempt.text, rule="all")


def _concluded(attempt: Attempt) -> Extraction:
    """What follows the thought, for a grader that never sees it."""
    if attempt.text is None or attempt.bare or not attempt.thinks:
        return _handed_over(attempt)
    conclusion = conclusion_of(attempt.text, thinks=True, marks=attempt.marks)
    if conclusion is None:
        return Extraction(answer=None, rule="none", reason="truncated")
    return Extraction(answer=conclusion.strip() or None, rule="all", reason=None if conclusion.strip() else "empty")


def _without_answer(attempt: Attempt, found: Extraction, started: float) -> Grade:
    return Grade(
        outcome=Outcome.INCORRECT,
        extracted=None,
        gold=attempt.gold,
        rule=found.rule,
        reason=found.reason,
        seconds=time.perf_counter() - started,
        present_elsewhere=_stands_elsewhere(attempt, None),
    )


def _grade(attempt: Attempt, found: Extraction, comparison: Comparison, started: float) -> Grade:
    outcomes = {True: Outcome.CORRECT, False: Outcome.INCORRECT, None: Outcome.UNDECIDED}
    elsewhere = comparison.equal is not True and _stands_elsewhere(attempt, found.answer)
    if found.reason and (comparison.equal or elsewhere):
        comparison = replace(comparison, equal=None, reason=found.reason)
    return Grade(
        outcome=outcomes[comparison.equal],
        extracted=comparison.extracted if found.rule == "all" else found.answer,
        gold=attempt.gold,
        rule=f"{found.rule}/{comparison.rule}",
        reason=comparison.reason,
        seconds=time.perf_counter() - started,
        present_elsewhere=elsewhere,
    )


def _stands_elsewhere(attempt: Attempt, extracted: str | None) -> bool:
    """Whether the right answer is in a box of the conclusion; a guess inside the thought is no answer."""
    conclusion = conclusion_of(attempt.text or "", thinks=attempt.thinks, marks=attempt.marks) or ""
    boxes = islice(boxes_backwards(conclusion), MAX_ELSEWHERE)
    return any(
        content != extracted and _is_short(attempt.gold, content) and equivalent(attempt.gold, content).equal
        for _, _, content in boxes
    )


def _finished(grade: Grade | Future[Grade]) -> Grade:
    return grade.result() if isinstance(grade, Future) else grade
