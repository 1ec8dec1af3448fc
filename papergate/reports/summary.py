"""The summary of one acceptance: plain values, written beside its completions, read by every report."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from papergate import __version__
from papergate.acceptance import Acceptance
from papergate.verdict import numbers

VERDICT_FILE = "verdict.json"
GRADES_FILE = "grades.jsonl"

Summary = Mapping[str, Any]


def summary_of(acceptance: Acceptance) -> Summary:
    """Everything a report states of one promise; scores are fractions of 1, times seconds."""
    case = acceptance.case
    promise, benchmark = case.promise, case.benchmark
    return {
        "promise": promise.id,
        "verdict": str(acceptance.verdict),
        "accepted": acceptance.accepted,
        "sentence": acceptance.sentence,
        "warnings": [*acceptance.judgement.warnings, *_notes(acceptance)],
        "partial": case.partial,
        "title": f"{promise.deployment.model} on {benchmark.spec.title}",
        "hardware": promise.hardware.title,
        "protocol": case.settings.protocol,
        "sampling": case.sampling.model_dump(mode="json"),
        "run_seed": case.settings.run_seed,
        "grader": case.settings.grader,
        "promised": {
            "percent": None if promise.score.percent is None else str(promise.score.percent),
            "tolerance": promise.tolerance.text,
            "reference": str(case.reference.kind),
            "source": promise.score.source,
        },
        "judgement": numbers(acceptance.judgement),
        "tally": acceptance.tally,
        "tokens": _tokens(acceptance),
        "benchmark": {
            "name": benchmark.spec.name,
            "digest": benchmark.digest,
            "variant": benchmark.variant,
            "known": benchmark.known,
            "source": benchmark.source,
            "file_sha256": benchmark.file_sha256,
        },
        "engine": {**asdict(case.identity), "environment": dict(case.identity.environment)},
        "counts": {
            "problems": acceptance.counts.problems,
            "correct": acceptance.counts.correct,
            "samples": acceptance.counts.samples,
        },
        "papergate": __version__,
    }


def save(acceptance: Acceptance, folder: Path) -> Summary:
    """Write the summary and every grade into ``folder``; the verdict comes last, so it never stands without grades."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (
        json.dumps({"problem": problem, "sample": sample, **asdict(grade)}, ensure_ascii=False)
        for (problem, sample), grade in sorted(acceptance.grades.items())
    )
    _write(folder / GRADES_FILE, "".join(f"{line}\n" for line in lines))
    summary = summary_of(acceptance)
    _write(folder / VERDICT_FILE, json.dumps(summary, ensure_ascii=False, indent=1) + "\n")
    return summary


def forget(folder: Path) -> None:
    """Remove the verdict of an earlier session: until this one has its own, there is none."""
    (folder / VERDICT_FILE).unlink(missing_ok=True)


def read_summary(folder: Path) -> Summary | None:
    """The summary in ``folder``, or None where there is no verdict."""
    path = folder / VERDICT_FILE
    if not path.exists():
        return None
    summary: Summary = json.loads(path.read_text(encoding="utf-8"))
    return summary


def read_summaries(run_folder: Path) -> list[Summary]:
    """Every summary of a run, by promise."""
    folders = sorted(path.parent for path in run_folder.glob(f"*/{VERDICT_FILE}"))
    return [summary for folder in folders if (summary := read_summary(folder))]


def _notes(acceptance: Acceptance) -> list[str]:
    """What a reader must know beside the judgement."""
    tally, case = acceptance.tally, acceptance.case
    notes = []
    if not case.benchmark.known:
        notes.append(f"{case.benchmark.spec.title}: {case.benchmark.variant}; its digest is {case.benchmark.digest}")
    if tally["undecided"]:
        notes.append(f"{tally['undecided']} grades could not be told within their limits; they count as not correct")
    if tally["truncated"]:
        notes.append(f"{tally['truncated']} completions end inside the thought: the token limit may be too low")
    if tally["present_not_extracted"]:
        notes.append(f"{tally['present_not_extracted']} incorrect completions hold the right answer elsewhere")
    if tally["failed"]:
        notes.append(f"{tally['failed']} completions of the file never came; they count as not correct")
    paper = case.promise.score.sampling.max_tokens
    if case.settings.protocol == "paper" and case.sampling.max_tokens < paper:
        notes.append(f"max_tokens is {case.sampling.max_tokens}, the deployment's own limit; the paper used {paper}")
    return notes


def _tokens(acceptance: Acceptance) -> dict[str, float | None]:
    """Output tokens, in all and a sample, and the times of a sample; None where the engine did not say."""
    done = acceptance.completions.values()
    tokens = [one.output_tokens for one in done if one.output_tokens is not None]
    ttft = sorted(one.ttft_s for one in done if one.ttft_s is not None)
    e2e = sorted(one.e2e_s for one in done if one.e2e_s is not None)
    return {
        "output": sum(tokens) if tokens else None,
        "per_sample": sum(tokens) / len(tokens) if tokens else None,
        "ttft_p50_s": ttft[len(ttft) // 2] if ttft else None,
        "e2e_p50_s": e2e[len(e2e) // 2] if e2e else None,
    }


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(path.suffix + ".draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105 - the atomic rename is the point
