"""A stored run of a trusted platform, read as a reference."""

import json
from pathlib import Path

from papergate.benchmarks import Benchmark
from papergate.errors import StoreError
from papergate.reports.summary import VERDICT_FILE, Summary, read_summaries, read_summary
from papergate.statistics.counts import Counts


def golden_counts(run: Path, benchmark: Benchmark) -> Counts:
    """The counts that ``run``, a run folder or one promise's folder in it, has for ``benchmark``.

    Raises:
        StoreError: it has none or several, is partial, or was asked another text of the benchmark.
    """
    try:
        alone = read_summary(run)
        found = [
            s for s in ([alone] if alone else read_summaries(run)) if s["benchmark"]["name"] == benchmark.spec.name
        ]
    except (OSError, json.JSONDecodeError, KeyError) as error:
        raise StoreError(
            f"{run}: its {VERDICT_FILE} cannot be read ({error!r}); give the folder of a finished run"
        ) from error
    if len(found) != 1:
        names = ", ".join(summary["promise"] for summary in found) or "none"
        raise StoreError(
            f"{run}: a golden run must hold one verdict on {benchmark.spec.name}; it holds {names}. "
            "Give the folder of one finished promise: RUN/PROMISE"
        )
    return _counts(found[0], run, benchmark)


def _counts(summary: Summary, run: Path, benchmark: Benchmark) -> Counts:
    if summary["partial"]:
        raise StoreError(f"{run}: {summary['promise']} is a partial run ({summary['partial']}), which is no reference")
    digest = summary["benchmark"]["digest"]
    if digest != benchmark.digest:
        raise StoreError(
            f"{run}: {summary['promise']} was asked another text of {benchmark.spec.title} (digest {digest}, now "
            f"{benchmark.digest}); give both runs the same file"
        )
    counts = summary["counts"]
    return Counts(
        correct=tuple(counts["correct"]), samples=tuple(counts["samples"]), problems=tuple(counts["problems"])
    )
