"""A stored run as a baseline: the JSON that pytest-benchmark wrote of an earlier session."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from papergate.performance.compare import SESSION_SD, Gate, Slowdown, clusters_of, judge_slowdown, ratios_of
from papergate.performance.metrics import e2e_s
from papergate.performance.records import LoadRun
from papergate.performance.workloads import WorkloadError

STORED_CLUSTERS = 10
"""Parts of a stored run whose spread is looked at: neighbours in time share what disturbed them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One test of a stored session."""

    digest: str
    model: str
    e2e_s: tuple[float, ...]
    """End-to-end latency of each prompt, in the order of the prompts."""


def read_stored(path: Path) -> Mapping[str, Any]:
    """The tests of a stored session by node id, as pytest-benchmark wrote them.

    Raises:
        WorkloadError: the file is no such JSON.
    """
    try:
        return {entry["fullname"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))["benchmarks"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorkloadError(
            f"{path}: no stored run ({type(error).__name__}: {error}); accepted: an address such as http://host:8000, "
            "or a file that --benchmark-json wrote"
        ) from error


def stored_of(entries: Mapping[str, Any], test: str, run: LoadRun) -> Stored:
    """The stored run of ``test``, seen to be of the same workload and model as ``run``.

    Raises:
        WorkloadError: it is missing, was measured otherwise, or holds no latencies.
    """
    if test not in entries:
        raise WorkloadError(f"the baseline holds nothing of {test}; it holds {', '.join(sorted(entries)) or 'no test'}")
    info, data = entries[test].get("extra_info", {}), entries[test].get("stats", {}).get("data")
    for what, seen in (("digest", run.digest), ("model", run.model)):
        if info.get(what) != seen:
            raise WorkloadError(
                f"the baseline of {test} has the {what} {info.get(what)!r}, this run {seen!r}: not comparable; "
                "record the baseline anew"
            )
    if not data:
        raise WorkloadError(f"the baseline of {test} holds no latencies; write it with --benchmark-json FILE")
    return Stored(digest=info["digest"], model=info["model"], e2e_s=tuple(data))


def against_stored(run: LoadRun, stored: Stored, gate: Gate) -> Slowdown:
    """The verdict on ``run`` beside a stored one of the same prompts.

    What the machine was like that day is in one side alone and cannot be seen, so that `SESSION_SD` widens the
    interval: only a large regression is proven by such a baseline.
    """
    ratios = ratios_of({each.prompt: e2e_s(each) for each in run.answered}, dict(enumerate(stored.e2e_s)))
    return judge_slowdown(clusters_of(ratios, max(1, len(ratios) // STORED_CLUSTERS)), gate, unseen_sd=SESSION_SD)
