"""The summary of one acceptance: plain values, written beside its completions, read by every report."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from papergate import __version__
from papergate.acceptance import Acceptance, Case, prompt_digest
from papergate.benchmarks import Benchmark
from papergate.engines import Finish
from papergate.performance.metrics import completion_tokens_per_s, completion_tpot_s, defined, spread
from papergate.reports.files import GRADES_FILE, PROBLEMS_FILE, Summary, write_lines, write_summary
from papergate.reports.golden import Golden, compared
from papergate.reports.problems import aggregates, problem_rows
from papergate.reports.remarks import notes_of, remarks_of
from papergate.verdict import numbers

COUNTED = ("correct", "samples", "completions", "truncated", "output_tokens")
"""What the summary holds of every problem; a golden run is compared by it."""


def summary_of(acceptance: Acceptance) -> dict[str, Any]:
    """Everything a report states of one promise; scores are fractions of 1, times seconds."""
    case = acceptance.case
    promise, benchmark = case.promise, case.benchmark
    return {
        "promise": promise.id,
        "verdict": str(acceptance.verdict),
        "accepted": acceptance.accepted,
        "sentence": acceptance.sentence,
        "warnings": notes_of(acceptance),
        "remarks": remarks_of(acceptance),
        "partial": case.partial,
        "golden": None,
        "title": f"{promise.deployment.model} on {benchmark.spec.title}",
        "hardware": promise.hardware.title,
        "protocol": case.settings.protocol,
        "sampling": case.sampling.model_dump(mode="json"),
        "run_seed": case.settings.run_seed,
        "grader": case.settings.grader,
        "promised": _promised(case),
        "judgement": numbers(acceptance.judgement),
        "tally": acceptance.tally,
        "truncations": len(acceptance.truncated),
        "errors": acceptance.tally["failed"] + acceptance.tally["missing"],
        "aggregates": aggregates(acceptance),
        "tokens": _tokens(acceptance),
        "times": _times(acceptance),
        "benchmark": _benchmark(case.benchmark),
        "engine": {**asdict(case.identity), "environment": dict(case.identity.environment)},
        "counts": _counts(problem_rows(acceptance)),
        "papergate": __version__,
    }


def _promised(case: Case) -> dict[str, Any]:
    promise = case.promise
    return {
        "percent": None if promise.score.percent is None else str(promise.score.percent),
        "tolerance": promise.tolerance.text,
        "reference": str(case.reference.kind),
        "source": promise.score.source,
    }


def _benchmark(benchmark: Benchmark) -> dict[str, Any]:
    return {
        "name": benchmark.spec.name,
        "digest": benchmark.digest,
        "prompt_digest": prompt_digest(benchmark.spec),
        "variant": benchmark.variant,
        "known": benchmark.known,
        "source": benchmark.source,
        "file_sha256": benchmark.file_sha256,
    }


def save(acceptance: Acceptance, folder: Path, golden: Golden | None = None) -> Summary:
    """Write grades, problems and summary into ``folder``; the verdict comes last, so it never stands without them."""
    folder.mkdir(parents=True, exist_ok=True)
    grades = sorted(acceptance.grades.items())
    write_lines(
        folder / GRADES_FILE,
        ({"problem": problem, "sample": sample, **asdict(grade)} for (problem, sample), grade in grades),
    )
    write_lines(folder / PROBLEMS_FILE, problem_rows(acceptance))
    summary = summary_of(acceptance)
    if golden:
        summary["golden"] = compared(summary, golden)
        summary["warnings"] += summary["golden"]["notes"]
    write_summary(folder, summary)
    return summary


def _counts(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {"problems": [row["problem"] for row in rows], **{name: [row[name] for row in rows] for name in COUNTED}}


def _tokens(acceptance: Acceptance) -> dict[str, float | None]:
    """Output tokens, in all and a sample; None where the engine did not say."""
    tokens = defined(one.output_tokens for one in acceptance.receipts.values())
    return {
        "output": sum(tokens) if tokens else None,
        "per_sample": sum(tokens) / len(tokens) if tokens else None,
    }


def _times(acceptance: Acceptance) -> dict[str, Any]:
    """What the samples took while they were asked; a spread of nothing where the engine did not say."""
    metrics = {
        "ttft_s": lambda one: one.ttft_s,
        "tpot_s": completion_tpot_s,
        "stream_tokens_per_s": completion_tokens_per_s,
    }
    done = [one for one in acceptance.receipts.values() if one.finish is not Finish.FAILED]
    return {
        "concurrency": acceptance.case.settings.policy.concurrency,
        **{name: spread(defined(map(metric, done))) for name, metric in metrics.items()},
    }
