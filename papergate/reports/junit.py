"""What JUnit says of a promise: properties of its test case."""

from collections.abc import Iterator, Mapping
from typing import Any

from papergate.reports.files import Summary


def properties(summary: Summary) -> Iterator[tuple[str, str]]:
    """Name and value of every property, in the order a reader asks for them; scores in percent."""
    judgement, promised = summary["judgement"], summary["promised"]
    yield "verdict", summary["verdict"]
    yield "sentence", summary["sentence"]
    yield "protocol", summary["protocol"]
    yield "score_percent", f"{100 * judgement['score']:.3f}"
    yield "reference_percent", f"{100 * judgement['reference']:.3f}"
    yield "reference", promised["reference"]
    yield "tolerance", promised["tolerance"]
    yield "source", promised["source"]
    yield from _judged(summary)
    for name in ("pass", "cons"):
        yield from ((f"{name}_at_{k}", _share(share)) for k, share in summary["aggregates"][f"{name}@k"].items())
    yield "majority_correct", _share(summary["aggregates"]["majority_correct"])
    yield from ((f"samples_{name}", str(count)) for name, count in summary["tally"].items())
    yield from ((f"sampling_{name}", str(value)) for name, value in summary["sampling"].items())
    yield from ((f"benchmark_{name}", str(value)) for name, value in summary["benchmark"].items() if value)
    yield from ((f"engine_{name}", str(value)) for name, value in summary["engine"].items() if name != "environment")
    yield from ((f"environment_{name}", value) for name, value in summary["engine"]["environment"].items())
    yield from _golden(summary)
    yield "output_tokens", str(summary["tokens"]["output"])
    yield "run_seed", str(summary["run_seed"])
    yield "grader", summary["grader"]
    yield "papergate", summary["papergate"]
    yield from (("warning", warning) for warning in summary["warnings"])
    yield from (("remark", remark) for remark in summary["remarks"])


def _judged(summary: Summary) -> Iterator[tuple[str, str]]:
    """What the verdict rests on; `none` where there is nothing to state."""
    judgement = summary["judgement"]
    yield "literal", _word(judgement["literal"])
    yield "difference_points", f"{100 * judgement['d']:.3f}"
    yield "interval_points", f"[{100 * judgement['lo']:.3f}, {100 * judgement['hi']:.3f}]"
    yield (
        "interval",
        "[{:.3f}, {:.3f}]".format(*(100 * (judgement["reference"] + judgement[end]) for end in ("lo", "hi"))),
    )
    yield "n", str(judgement["n"])
    yield "k", str(judgement["k"])
    yield "errors", str(summary["errors"])
    yield "truncations", str(summary["truncations"])
    yield "proven_within", _word(judgement["proven_within"])
    yield "p_value", f"{judgement['p_value']:.4g}"
    if not summary["partial"]:
        yield from _of_a_whole_run(judgement)


def _of_a_whole_run(judgement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a part of the problems cannot tell."""
    yield "runs_needed", _word(judgement["runs_needed"])
    yield "paper_error_points", _points(judgement["se_paper"])
    yield "paper_noise_chance", _share(judgement["paper_noise_chance"])


def _golden(summary: Summary) -> Iterator[tuple[str, str]]:
    """How the run lies beside a golden run; nothing without one."""
    golden = summary["golden"]
    if golden:
        yield "golden", golden["promise"]
        yield "golden_length_ratio", _share(golden["length_ratio"])
        yield "golden_length_within_band", _word(golden["length_within_band"])
        yield "golden_moved", str(len(golden["moved"]))


def _word(value: object) -> str:
    """None is a value of its own: nothing to state."""
    return "none" if value is None else str(value).lower()


def _points(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.3f}"


def _share(share: float | None) -> str:
    return "none" if share is None else f"{share:.4f}"
