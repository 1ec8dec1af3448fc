"""evalchemy: ``results_TIME.json``, which may hold the examples of several benchmarks."""

from collections.abc import Iterator

from papergate.engines.logs.rows import Columns, Layout, Row, Source, first, id_of_text, listed, object_of, objects

ACCEPTS = "results_TIME.json, an object {results: {TASK: {examples: [{problem, answer, model_outputs}]}}}"
EMPTY = "its text is empty, which is how the tool writes a request that failed"
PROMPTS = ("problem", "question", "prompt")
OUTPUTS = ("model_outputs", "model_output")
GOLDS = ("answer", "expected_answer", "solution")


def _fits_whole(whole: Columns) -> bool:
    return any(True for _ in _examples(whole))


def _rows(source: Source) -> Iterator[Row]:
    model = str(source.whole.get("model_name") or "")
    for task, example in _examples(source.whole):
        prompt, gold = str(first(example, PROMPTS) or ""), first(example, GOLDS)
        for sample, text in enumerate(listed(first(example, OUTPUTS))):
            yield Row(
                problem=id_of_text(prompt),
                sample=sample,
                text=str(text) if text else None,
                error="" if text else EMPTY,
                gold=None if gold is None else str(gold),
                model=model,
                prompt=prompt,
                part=task,
            )


def _examples(whole: Columns) -> Iterator[tuple[str, Columns]]:
    """Examples with a problem and outputs, with the name of their task."""
    for task, found in object_of(whole.get("results")).items():
        for example in objects(object_of(found).get("examples")):
            if first(example, PROMPTS) and first(example, OUTPUTS) is not None:
                yield task, example


EVALCHEMY = Layout(tool="evalchemy", accepts=ACCEPTS, fits_whole=_fits_whole, rows=_rows)
