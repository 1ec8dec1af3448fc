"""Grades completions while others are still being asked for; keeps what a report needs, and lets go of the texts."""

from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import fmean
from types import TracebackType
from typing import Self

from papergate.acceptance.judging import assess, graded
from papergate.acceptance.records import Acceptance, Case, Receipt
from papergate.acceptance.refusals import refuse_damaged
from papergate.completions.store import Kept
from papergate.completions.table import Planned, Table
from papergate.diagnosis.kinds import Kind
from papergate.engines import Completion, Finish
from papergate.run_folder.notes import Note, note
from papergate.scoring import Grade, Grader, Outcome
from papergate.statistics.counts import Counts
from papergate.statistics.rule import weigh


class Gradebook:
    """The grades of one case. A context manager: nothing is graded after its end."""

    def __init__(self, case: Case, grader: Grader) -> None:
        self._case, self._grader = case, grader
        self._receipts, self._grades = Table(Receipt), Table(Grade)
        # every key from the start: these are read by one thread while another counts
        self._seen = dict.fromkeys((problem.id for problem in case.problems), 0)
        self._right = dict(self._seen)
        self._kinds: Counter[Kind] = Counter()
        self._look: tuple[int, ...] = ()
        self._in_flight = case.settings.policy.concurrency or 0
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="papergate-gradebook")
        self._begun: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        """Nothing is graded yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the rest ungraded."""
        self._hand.shutdown(cancel_futures=True)

    def begin(self, k: int, most: int) -> None:
        """The samples of the look at ``k``, of ``most`` in all, are asked for from here on."""
        self._look = (k, most)

    def take(self, completion: Completion) -> None:
        """Grade ``completion`` soon, aside from the loop that asks; what went wrong in grading others is raised."""
        while self._begun and self._begun[0].done():
            self._begun.popleft().result()
        if completion.finish is not Finish.FAILED:
            self._begun.append(self._hand.submit(self._add, [completion], unfinished=self._in_flight))

    def look(self, k: int, store: Kept) -> Acceptance:
        """The verdict of the look at ``k``; completions of earlier sessions are graded now.

        Raises:
            AnswersDamaged: more of them are damaged than the promise can bear.
        """
        self._settle()
        planned = self._case.planned(k)
        wanted = (key for key in store if key[1] < planned.get(key[0], 0))  # in the order of the file
        self._add(store.read(key for key in wanted if key not in self._grades))
        receipts, grades = Planned(self._receipts, planned), Planned(self._grades, planned)
        return assess(self._case, k, receipts, grades)

    def mean_tokens(self) -> dict[str, float]:
        """Output tokens of an answer to each problem, on average over those that were counted."""
        counted: dict[str, list[int]] = {}
        for (problem, _), tokens in zip(self._receipts, self._receipts.column("output_tokens"), strict=True):
            if tokens is not None:
                counted.setdefault(problem, []).append(tokens)
        return {problem: fmean(tokens) for problem, tokens in counted.items()}

    def running(self) -> Note | None:
        """The score of the answers that have come, for a person who watches; a verdict is taken at a look."""
        if self._case.settings.trial:
            return None
        right, seen = dict(self._right), dict(self._seen)  # in this order: never more right than seen
        begun = [name for name, samples in seen.items() if samples]
        if not begun:
            return None
        counts = Counts(correct=tuple(right[name] for name in begun), samples=tuple(seen[name] for name in begun))
        case = self._case
        tolerance = "" if case.rule.above else case.promise.tolerance.text
        scores = {"percent": 100 * float(counts.score), "promised": 100 * float(case.reference.score)}
        return note("running", **scores, tolerance=tolerance, interval=self._interval(counts), look=self._look)

    def _interval(self, counts: Counts) -> list[float]:
        """The interval of the verdict's own rule, in percent, once every problem has an answer."""
        reference = self._case.reference
        if counts.n < len(self._case.problems) or reference.counts:
            return []
        found, centre = weigh(counts, reference, self._case.rule), float(reference.score)
        return [100 * (centre + found.lo), 100 * (centre + found.hi)]

    def _add(self, completions: Iterable[Completion], *, unfinished: int = 0) -> None:
        for receipt, grade in graded(self._case, self._grader, completions):
            self._receipts.put(receipt.key, receipt)
            self._grades.put(receipt.key, grade)
            self._seen[receipt.problem] += 1
            self._right[receipt.problem] += grade.outcome is Outcome.CORRECT
            if receipt.kind:
                self._kinds[receipt.kind] += 1
            refuse_damaged(self._case, self._kinds, unfinished)

    def _settle(self) -> None:
        """Wait for what was begun; what went wrong in grading is raised here."""
        while self._begun:
            self._begun.popleft().result()
