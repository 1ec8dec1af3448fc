"""Stored completions and the benchmark: do both mean the same problems by the same ids?"""

from collections.abc import Mapping

from papergate.benchmarks import Benchmark
from papergate.engines import Finish
from papergate.engines.logs.rows import quotable
from papergate.engines.replay import Predictions
from papergate.errors import PredictionsError
from papergate.run_folder.notes import note
from papergate.scoring import equivalent
from papergate.scoring.reading.boxes import boxes_backwards
from papergate.words import worded

SHORT_GOLD = 200
"""Characters of an answer at most; some tools store the whole worked solution as the gold."""


def with_ids_of(benchmark: Benchmark, predictions: Predictions) -> Predictions:
    """``predictions`` with the benchmark's ids, also where the log has other ids, or only numbers from 0.

    A problem is known by its id, else by its text, else by its number. Numbers stand for the benchmark's order only
    where each answered problem states its gold answer, so that `refuse_other_golds` sees another order. Of a log with
    several benchmarks, parts of which no problem is known are left out.

    Raises:
        PredictionsError: some of the log's problems are not the benchmark's.
    """
    ids = max(_by_id(benchmark, predictions), _by_text(benchmark, predictions), key=len)
    others = _other_parts(predictions, ids)
    predictions = predictions.without(others) if others else predictions
    if predictions.problems and ids.keys() >= set(predictions.problems):
        return predictions.renamed(ids)
    if numbered := _by_number(benchmark, predictions):
        return predictions.renamed(numbered)
    unknown = [problem for problem in predictions.problems if problem not in ids]
    seen = {"unknown": len(unknown), "problems": len(predictions.problems), "first": quotable(unknown[0])}
    about = {"log": f"{predictions.path}", "source": f"{benchmark.source}", "benchmark": benchmark.spec.name}
    raise worded(PredictionsError, note("log_of_other_problems", **seen, **about))


def refuse_other_golds(predictions: Predictions, golds: Mapping[str, str]) -> None:
    """See that the file and the benchmark mean the same problems by the same ids.

    Raises:
        PredictionsError: the file states another gold answer for a problem.
    """
    stated = {problem: gold for problem, gold in _answers(predictions.golds).items() if problem in golds}
    other = [problem for problem, gold in stated.items() if equivalent(golds[problem], gold).equal is False]
    if other:
        seen = {"other": len(other), "golds": len(stated), "first": quotable(other[0])}
        raise worded(PredictionsError, note("log_of_other_golds", log=f"{predictions.path}", **seen))


def _by_id(benchmark: Benchmark, predictions: Predictions) -> dict[str, str]:
    known = {problem.id for problem in benchmark.problems}
    return {problem: problem for problem in predictions.problems if problem in known}


def _by_text(benchmark: Benchmark, predictions: Predictions) -> dict[str, str]:
    """The benchmark's id of each problem whose text is that of one problem alone, or has it within."""
    texts = {_letters(problem.text): problem.id for problem in benchmark.problems if predictions.prompts}
    asked = {problem: _letters(prompt) for problem, prompt in predictions.prompts.items()}
    found = {problem: texts[text] if text in texts else _within(text, texts) for problem, text in asked.items()}
    told = {problem: known for problem, known in found.items() if known}
    return told if len(set(told.values())) == len(told) else {}


def _within(prompt: str, texts: Mapping[str, str]) -> str:
    """The id of the longest text in ``prompt``, where every other one in it is a part of that; else empty."""
    inside = sorted((text for text in texts if text and text in prompt), key=len, reverse=True)
    return texts[inside[0]] if inside and all(text in inside[0] for text in inside) else ""


def _letters(text: str) -> str:
    """Letters and digits alone: spaces and the marks of formulas differ from hub to hub."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _by_number(benchmark: Benchmark, predictions: Predictions) -> dict[str, str]:
    numbers = {str(number): problem.id for number, problem in enumerate(benchmark.problems)}
    answered = {done.problem for done in predictions.completions if done.finish is not Finish.FAILED}
    told = answered <= _answers(predictions.golds).keys() and numbers.keys() >= set(predictions.problems)
    return numbers if told else {}


def _other_parts(predictions: Predictions, ids: Mapping[str, str]) -> set[str]:
    """Parts of a log in which no problem is the benchmark's, where others are its whole parts."""
    parts = {predictions.parts.get(problem, "") for problem in predictions.problems}
    known = {predictions.parts.get(problem, "") for problem in ids}
    return parts - known if known else set()


def _answers(golds: Mapping[str, str]) -> dict[str, str]:
    """The answer in each gold: itself, or the last box of a worked solution; a long text without one says nothing."""
    boxed = {
        problem: next((content for _, _, content in boxes_backwards(gold)), gold) for problem, gold in golds.items()
    }
    return {problem: answer for problem, answer in boxed.items() if len(answer) <= SHORT_GOLD}
