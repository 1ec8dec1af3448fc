"""What a promise means for a run: how to draw, what the score is held against, and by which rule."""

import hashlib
from fractions import Fraction
from typing import Literal

from papergate.benchmarks import BenchmarkSpec
from papergate.errors import PromiseError
from papergate.promises import Promise, Sampling, Task
from papergate.run_folder.notes import note
from papergate.statistics.counts import Counts
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Rule
from papergate.words import worded

ProtocolName = Literal["paper", "vendor"]
SHOWN_DIGITS = 12
"""Of a digest in words."""


def sampling_of(promise: Promise, protocol: ProtocolName) -> Sampling:
    """How the protocol draws; the paper's token limit gives way to what the deployment can give at most."""
    vendor = promise.deployment.sampling
    if protocol == "vendor":
        return vendor
    paper, most = promise.score.sampling, promise.deployment.most_tokens or vendor.max_tokens
    return paper.model_copy(update={"max_tokens": min(paper.max_tokens, most)})


def rule_of(promise: Promise, *, problems: int) -> Rule:
    """The rule that the promise's tolerance states for so many problems.

    Raises:
        PromiseError: no number of samples can prove it.
    """
    if promise.tolerance.unit == "gain":
        return Rule.gain()
    return Rule.within(promise.tolerance, problems=problems)


def reference_of(promise: Promise, golden: Counts | None = None) -> Reference:
    """What the score is held against: the golden run where there is one, else the published number.

    Raises:
        PromiseError: nobody published the number, and no golden run is given.
    """
    if golden is not None:
        return Reference.golden(golden)
    score, samples = promise.score.fraction, promise.score.samples
    if score is None:
        raise worded(PromiseError, note("golden_needed", promise=promise.id, source=promise.score.source))
    if promise.score.reference == "sampled" and samples is not None:
        return Reference.sampled(score, samples=samples)
    return Reference.exact(score, samples=samples)


def terms_of(rule: Rule, reference: Reference) -> dict[str, str]:
    """What a score is held to, in words by name: whatever of it changes after answers were seen is named."""
    kind = "another model's" if rule.above else "both sides" if rule.two_sided else "low only"
    return {
        "tolerance": f"{rule.words or rule.tolerance} ({_points(rule.tolerance)})",
        "delta": _points(rule.delta),
        "alpha": f"{float(rule.alpha):g}",
        "sides": kind,
        "reference": f"{float(100 * reference.score):.6g} %, {reference.kind}{_golden_digest(reference)}",
    }


def _points(share: Fraction) -> str:
    return f"{float(100 * share):.6g} points"


def _golden_digest(reference: Reference) -> str:
    """Tells golden runs of one score apart."""
    counts = reference.counts
    if counts is None:
        return ""
    counted = f"{counts.problems}\n{counts.correct}\n{counts.samples}"
    return f" run {hashlib.sha256(counted.encode()).hexdigest()[:SHOWN_DIGITS]}"


def task_of(promise: Promise, protocol: ProtocolName) -> Task | None:
    """How the document's tool asks and grades, where the protocol follows it and it is known."""
    return promise.task if protocol == "vendor" else None


def prompt_digest(spec: BenchmarkSpec, task: Task | None = None) -> str:
    """What the user turns of a benchmark are made of, beside its text: sha256 of the template, or of the tool's."""
    written = f"{task.prompt}\n{task.shots}\n{task.shot_answer}" if task else spec.prompt
    return hashlib.sha256(written.encode()).hexdigest()
