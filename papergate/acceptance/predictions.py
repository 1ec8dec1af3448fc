"""Stored completions and the benchmark: do both mean the same problems by the same ids?"""

from collections.abc import Mapping

from papergate.benchmarks import Benchmark
from papergate.engines import Finish
from papergate.engines.replay import Predictions
from papergate.errors import PredictionsError
from papergate.scoring import equivalent
from papergate.scoring.reading.boxes import boxes_backwards

SHORT_GOLD = 200
"""Characters of an answer at most; some tools store the whole worked solution as the gold."""


def with_ids_of(benchmark: Benchmark, predictions: Predictions) -> Predictions:
    """``predictions`` with the benchmark's ids, also where the log only numbers its problems from 0.

    Numbers stand for the benchmark's order only where each answered problem states its gold answer, so that
    `refuse_other_golds` sees another order.

    Raises:
        PredictionsError: some of the log's problems are not the benchmark's.
    """
    ids = [problem.id for problem in benchmark.problems]
    unknown = [problem for problem in predictions.problems if problem not in set(ids)]
    if not unknown:
        return predictions
    by_number = {str(number): problem for number, problem in enumerate(ids)}
    answered = {done.problem for done in predictions.completions if done.finish is not Finish.FAILED}
    if answered <= _answers(predictions.golds).keys() and by_number.keys() >= set(predictions.problems):
        return predictions.renamed(by_number)
    raise PredictionsError(
        f"{predictions.path}: {len(unknown)} of its {len(predictions.problems)} problems, first {unknown[0]!r}, are "
        f"not in {benchmark.source}; give the log of one benchmark, and the file that was asked: "
        f"--data {benchmark.spec.name}=FILE. Numbers of rows stand for its order where the log has all golds"
    )


def refuse_other_golds(predictions: Predictions, golds: Mapping[str, str]) -> None:
    """See that the file and the benchmark mean the same problems by the same ids.

    Raises:
        PredictionsError: the file states another gold answer for a problem.
    """
    stated = {problem: gold for problem, gold in _answers(predictions.golds).items() if problem in golds}
    other = [problem for problem, gold in stated.items() if equivalent(golds[problem], gold).equal is False]
    if other:
        raise PredictionsError(
            f"{predictions.path}: {len(other)} of its {len(stated)} gold answers differ from the benchmark's, first "
            f"for {other[0]!r}: its ids are those of another file or order; give that file: --data BENCHMARK=FILE"
        )


def _answers(golds: Mapping[str, str]) -> dict[str, str]:
    """The answer in each gold: itself, or the last box of a worked solution; a long text without one says nothing."""
    boxed = {
        problem: next((content for _, _, content in boxes_backwards(gold)), gold) for problem, gold in golds.items()
    }
    return {problem: answer for problem, answer in boxed.items() if len(answer) <= SHORT_GOLD}
