"""A stored run of a trusted platform: read as a reference, and set beside a run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from papergate.acceptance import prompt_digest
from papergate.benchmarks import BenchmarkSpec, Problem
from papergate.errors import StoreError
from papergate.reports.files import VERDICT_FILE, Summary, read_summaries, read_summary
from papergate.statistics.beside_golden import LENGTH_BAND, MOVED_ALPHA, Comparison, Run, compare
from papergate.statistics.counts import Counts

NAMED = 5
"""Moved problems that a note names one by one; all stand in the report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Golden:
    """A stored run, as far as it is compared."""

    folder: Path
    summary: Summary
    run: Run


def read_golden(folder: Path, spec: BenchmarkSpec) -> Golden:
    """The one verdict on the benchmark of ``spec`` in ``folder``, a run folder or one promise's folder in it.

    Raises:
        StoreError: it has none or several, is partial, or was asked in other words.
    """
    try:
        summary = _only_one(folder, spec)
        golden = Golden(folder=folder, summary=summary, run=_run(summary))
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise StoreError(
            f"{folder}: its {VERDICT_FILE} cannot be read ({error!r}); give the folder of a finished run"
        ) from error
    if summary["partial"]:
        raise StoreError(
            f"{folder}: {summary['promise']} is a partial run ({summary['partial']}), which is no reference"
        )
    if golden.run.counts.prompts != prompt_digest(spec):
        raise StoreError(
            f"{folder}: {summary['promise']} was asked with another prompt (digest {golden.run.counts.prompts}, now "
            f"{prompt_digest(spec)}); make the golden run anew with this papergate"
        )
    return golden


def golden_of(golden: Golden, problems: Sequence[Problem], digest: str) -> Golden:
    """The golden run on ``problems``, in their order; ``digest`` is that of the benchmark's text.

    Raises:
        StoreError: it was asked another text, or other problems.
    """
    stored = golden.summary["benchmark"]["digest"]
    if stored != digest:
        raise StoreError(
            f"{golden.folder}: {golden.summary['promise']} was asked another text of the benchmark (digest {stored}, "
            f"now {digest}); give both runs the same file"
        )
    known = set(golden.run.counts.problems or ())
    unknown = [problem.id for problem in problems if problem.id not in known]
    if unknown:
        raise StoreError(
            f"{golden.folder}: the golden run has no problem {unknown[0]!r}, nor {len(unknown) - 1} others of this "
            "run; give both runs the same file, so that ids agree"
        )
    run = _run(golden.summary, [problem.id for problem in problems])
    return Golden(folder=golden.folder, summary=golden.summary, run=run)


def compared(summary: Summary, golden: Golden) -> dict[str, Any]:
    """A run's summary beside the golden run, as plain values; the surest moves of problems come first."""
    found = compare(_run(summary), golden.run)
    return {
        "promise": golden.summary["promise"],
        "engine": {name: golden.summary["engine"][name] for name in ("engine", "version", "model", "revision")},
        "samples": golden.run.counts.fewest,
        "length_ratio": None if found.length_ratio is None else float(found.length_ratio),
        "length_within_band": found.length_within_band,
        "length_band": [float(end) for end in LENGTH_BAND],
        "truncation": _float(found.truncation),
        "golden_truncation": _float(found.golden_truncation),
        "truncation_p_value": found.truncation_p_value,
        "moved": [
            {
                "problem": move.problem,
                "rate": float(move.rate),
                "golden_rate": float(move.golden_rate),
                "p_value": move.p_value,
                "adjusted": move.adjusted,
            }
            for move in found.moved
        ],
        "notes": _differences(summary, golden.summary) + ([] if _is_other_model(summary) else _notes(found)),
    }


def _is_other_model(summary: Summary) -> bool:
    """Whether the golden run is that of the model to exceed, whose problems and lengths are meant to differ."""
    return bool(summary["promised"]["tolerance"] == "gain")


def _notes(found: Comparison) -> list[str]:
    """What a reader must know of the comparison, a sentence each."""
    notes = []
    low, high = (f"{float(100 * end):.0f}" for end in LENGTH_BAND)
    if found.length_within_band is False:
        ratio = float(100 * (found.length_ratio or 0))
        notes.append(f"the mean output has {ratio:.1f} % of the golden run's length, outside {low} to {high} %")
    if found.length_within_band is None:
        notes.append("output lengths cannot be compared with the golden run's: tokens were not counted in both")
    if found.truncation_p_value <= MOVED_ALPHA:
        rates = (f"{float(100 * (rate or 0)):.2f} %" for rate in (found.truncation, found.golden_truncation))
        notes.append("truncated completions: {}, in the golden run {}, more apart than by chance".format(*rates))
    if found.moved:
        named = ", ".join(f"{m.problem} {float(m.golden_rate):.0%} to {float(m.rate):.0%}" for m in found.moved[:NAMED])
        more = f" and {len(found.moved) - NAMED} more" if len(found.moved) > NAMED else ""
        notes.append(f"problems that moved against the golden run beyond chance: {named}{more}")
    return notes


def _differences(summary: Summary, golden: Summary) -> list[str]:
    """What sets the two runs apart beside their platform, so that a difference may come from there."""
    ours, theirs = (
        dict(one["sampling"], grader=one["grader"], papergate=one["papergate"]) for one in (summary, golden)
    )
    apart = [f"{name} {theirs.get(name)}, here {value}" for name, value in ours.items() if theirs.get(name) != value]
    return [f"the golden run was made otherwise: {'; '.join(apart)}"] if apart else []


def _only_one(folder: Path, spec: BenchmarkSpec) -> Summary:
    alone = read_summary(folder)
    found = [one for one in ([alone] if alone else read_summaries(folder)) if one["benchmark"]["name"] == spec.name]
    if len(found) != 1:
        names = ", ".join(summary["promise"] for summary in found) or "none"
        raise StoreError(
            f"{folder}: a golden run must hold one verdict on {spec.name}; it holds {names}. "
            "Give the folder of one finished promise: RUN/PROMISE"
        )
    return found[0]


def _run(summary: Summary, problems: Sequence[str] | None = None) -> Run:
    """What is compared of a run, all of it or some problems."""
    counts = summary["counts"]
    place = {problem: index for index, problem in enumerate(counts["problems"])}
    chosen = [place[problem] for problem in (problems or counts["problems"])]
    column = {name: [counts[name][index] for index in chosen] for name in counts}
    tokens = column["output_tokens"]
    return Run(
        counts=Counts(
            correct=tuple(column["correct"]),
            samples=tuple(column["samples"]),
            problems=tuple(column["problems"]),
            prompts=summary["benchmark"]["prompt_digest"],
        ),
        completions=sum(column["completions"]),
        output_tokens=None if None in tokens else sum(tokens),
        truncated=sum(column["truncated"]),
    )


def _float(share: Fraction | None) -> float | None:
    return None if share is None else float(share)
