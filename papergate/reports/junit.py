"""What JUnit says of a promise: properties of its test case."""

from collections.abc import Iterator

from papergate.reports.summary import Summary


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
    yield "literal", str(judgement["literal"]).lower()
    yield "difference_points", f"{100 * judgement['d']:.3f}"
    yield "interval_points", f"[{100 * judgement['lo']:.3f}, {100 * judgement['hi']:.3f}]"
    yield "problems", str(judgement["n"])
    yield "samples_per_problem", str(judgement["k"])
    yield from ((f"samples_{name}", str(count)) for name, count in summary["tally"].items())
    yield from ((f"sampling_{name}", str(value)) for name, value in summary["sampling"].items())
    yield from ((f"benchmark_{name}", str(value)) for name, value in summary["benchmark"].items() if value)
    yield from ((f"engine_{name}", str(value)) for name, value in summary["engine"].items() if name != "environment")
    yield from ((f"environment_{name}", value) for name, value in summary["engine"]["environment"].items())
    yield "output_tokens", str(summary["tokens"]["output"])
    yield "run_seed", str(summary["run_seed"])
    yield "grader", summary["grader"]
    yield "papergate", summary["papergate"]
    yield from (("warning", warning) for warning in summary["warnings"])
