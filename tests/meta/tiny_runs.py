"""Runs of tiny-aime without an engine: what every problem's samples are is said by a function."""

import json

from papergate.acceptance import Case, Receipt, Settings, assess, graded, reference_of
from papergate.benchmarks import load, read_specs
from papergate.completions.table import Planned, Table
from papergate.engines import Completion, EngineIdentity, Finish
from papergate.promises import read_promises
from papergate.scoring import Grade, Grader

SPECS = read_specs()
PROMISES = {promise.id: promise for promise in read_promises(benchmarks=SPECS)}
TINY = PROMISES["cpu-huggingface-papergate-tiny-tiny-aime"]
BENCHMARK = load(SPECS["tiny-aime"])
PAPER = float(TINY.score.fraction)


def like_the_paper(place, sample):
    """Right as often as the paper says: most problems always, some never, one in part."""
    return place + (sample % 4) / 4 < 30 * PAPER


def completions_of(right, k, *, tokens=100, finish=Finish.STOP, problems=BENCHMARK.problems):
    """``k`` samples of each problem; ``right(place, sample)`` is True, False, or None for one that never came."""
    return [
        completion_of(problem, sample, right(place, sample), tokens=tokens, finish=finish)
        for place, problem in enumerate(problems)
        for sample in range(k)
    ]


def completion_of(problem, sample, right, *, tokens=100, finish=Finish.STOP):
    if right is None:
        return Completion(
            problem=problem.id, sample=sample, text=None, finish=Finish.FAILED, error="the script says so"
        )
    text = f"draw {sample}\n</think>\n\n\\boxed{{{problem.gold if right else 1000}}}"
    return Completion(problem=problem.id, sample=sample, text=text, finish=finish, output_tokens=tokens)


IDENTITY = EngineIdentity(engine="scripted", version="1", model="script")


def case_of(promise=TINY, *, problems=BENCHMARK.problems, golden=None, **settings):
    return Case(
        promise=promise,
        benchmark=BENCHMARK,
        identity=IDENTITY,
        settings=Settings(**settings),
        problems=problems,
        reference=reference_of(promise, golden),
    )


def accepted(case, completions, k):
    """The acceptance of completions that exist already, graded by the real grader."""
    came = [done for done in completions if done.finish is not Finish.FAILED]
    receipts, grades = Table(Receipt), Table(Grade)
    for receipt in map(Receipt.of, completions):
        receipts.put(receipt.key, receipt)
    with Grader() as grader:
        for receipt, grade in graded(case, grader, came):
            receipts.put(receipt.key, receipt)
            grades.put(receipt.key, grade)
    planned = case.planned(k)
    return assess(case, k, Planned(receipts, planned), Planned(grades, planned))


def write_lm_eval(folder, completions, problems=BENCHMARK.problems):
    """The log of an lm-eval run on ``problems`` in their order, and the file of those problems: both paths."""
    texts = {problem.id: [c.text or "" for c in completions if c.problem == problem.id] for problem in problems}
    docs = [{"question": problem.text, "answer": problem.answer} for problem in problems]
    rows = [
        {"doc_id": n, "doc": doc, "target": doc["answer"], "resps": [texts[problem.id]], "filter": "none"}
        for n, (doc, problem) in enumerate(zip(docs, problems, strict=True))
    ]
    data = [{"id": problem.id, "problem": problem.text, "answer": problem.answer} for problem in BENCHMARK.problems]
    for name, lines in (("samples_sums_1.jsonl", rows), ("data/sums.jsonl", data)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (folder / "results_1.json").write_text(json.dumps({"model_name": "papergate-tiny"}))
    return folder / "samples_sums_1.jsonl", folder / "data" / "sums.jsonl"


def write_target(folder, *, percent, tolerance="1 problem", name="mine", source="this test"):
    """The file of a target of one's own, which promises a score of stored completions on tiny-aime."""
    score = f'{{ percent = {percent}, source = "{source}" }}'
    (folder / f"{name}.toml").write_text(f"""
name = "{name}"
title = "{name}"
hardware = {{ probe = "any", title = "none" }}

[[deployments]]
name = "tiny"
engine = "replay"
model = "papergate-tiny"
sampling = {{ temperature = 0.6, max_tokens = 256 }}
source = "{source}"
promises = [{{ benchmark = "tiny-aime", tolerance = "{tolerance}", score = {score} }}]
""")


def write_predictions(path, completions):
    """A file of completions as ``--predictions`` takes it."""
    rows = ({"problem": c.problem, "sample": c.sample, "text": c.text, "model": "papergate-tiny"} for c in completions)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path
