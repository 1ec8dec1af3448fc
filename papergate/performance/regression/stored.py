"""A stored run as a baseline: the JSON that pytest-benchmark wrote of an earlier session."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from papergate.errors import WorkloadError
from papergate.files import MOST_DATA, parsed, read_plain, text_of
from papergate.performance.metrics import e2e_s, total_output_tokens
from papergate.performance.records import LoadRun
from papergate.performance.regression.rule import SESSION_SD, Gate, Slowdown, clusters_of, judge_slowdown, ratios_of
from papergate.run_folder.notes import note
from papergate.words import worded

STORED_CLUSTERS = 10
"""Parts of a stored run whose spread is looked at: neighbours in time share what disturbed them."""


def read_stored(path: Path) -> Mapping[str, Any]:
    """The tests of a stored session by node id, as pytest-benchmark wrote them.

    Raises:
        WorkloadError: the file is no such JSON.
    """
    try:
        stored = parsed(text_of(read_plain(path, most=MOST_DATA)))
        return {entry["fullname"]: entry for entry in stored["benchmarks"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise worded(
            WorkloadError, note("baseline_malformed", file=f"{path}", kind=type(error).__name__, error=f"{error}")
        ) from error


def refuse_other(entries: Mapping[str, Any], test: str, *, digest: str, model: str) -> None:
    """A stored session can be compared with if it holds ``test``, of the same workload and the same model.

    Raises:
        WorkloadError: it does not.
    """
    if test not in entries:
        raise worded(WorkloadError, note("baseline_lacks", test=test, known=", ".join(sorted(entries)) or "no test"))
    info = entries[test].get("extra_info", {})
    for what, seen in (("digest", digest), ("model", model)):
        if info.get(what) != seen:
            raise worded(
                WorkloadError, note("baseline_differs", test=test, what=what, stored=info.get(what), seen=seen)
            )


def against_stored(run: LoadRun, entry: Mapping[str, Any], gate: Gate) -> Slowdown:
    """The verdict on ``run`` beside a stored one of the same prompts.

    What the machine was like that day is in one side alone and cannot be seen, so that `SESSION_SD` widens the
    interval: only a large regression is proven by such a baseline.

    Raises:
        WorkloadError: the stored run holds no latencies, or other outputs.
    """
    data = entry.get("stats", {}).get("data")
    if not data:
        raise worded(WorkloadError, note("baseline_without_latencies"))
    stored, seen = entry["extra_info"]["metrics"]["output_tokens"], total_output_tokens(run.requests)
    if stored != seen:
        raise worded(WorkloadError, note("baseline_other_outputs", stored=stored, seen=seen))
    ratios = ratios_of({each.prompt: e2e_s(each) for each in run.answered}, dict(enumerate(data)))
    return judge_slowdown(clusters_of(ratios, max(1, len(ratios) // STORED_CLUSTERS)), gate, unseen_sd=SESSION_SD)
