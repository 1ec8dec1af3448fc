"""The results as one page of Markdown tables."""

from collections.abc import Iterable, Mapping
from typing import Any

Results = Mapping[str, Mapping[str, Any]]


def table(results: Results) -> str:
    parts = [machine(results), steps(results), speed(results), drift(results), promises(results), memory(results)]
    return "\n\n".join(filter(None, parts)) + "\n"


def machine(results: Results) -> str:
    found = results.get("limits", {}).get("result")
    if not found:
        return "machine: not known, the step `limits` did not run"
    rates = ", ".join(f"{name} {rate / 1e12:.0f} TFLOP/s" for name, rate in found["matrix_flop_per_s"].items())
    rows = [
        *found["environment"].items(),
        ("copy", f"{found['copy_bytes_per_s'] / 1e12:.2f} TB/s"),
        ("matrices", rates),
    ]
    return rows_of(("machine", ""), rows)


def steps(results: Results) -> str:
    return rows_of(
        ("step", "s", "outcome"),
        ((name, step.get("seconds", "-"), step.get("not_run", "ran")) for name, step in results.items()),
    )


def speed(results: Results) -> str:
    rows: list[tuple[object, ...]] = []
    notes: list[str] = []
    for step in results.values():
        found = step.get("result", {})
        if "cases" not in found:
            continue
        name = found["model"].removeprefix("R1-Distill-Qwen-")
        notes.append(
            f"{name}: {found['how']}; plain generate, batch 4: {found['plain_generate_tokens_per_s']:.0f} tok/s"
        )
        rows += [speed_row(name, case) for case in found["cases"]]
    head = ("model", "rows", "prompt", "step ms", "limit ms", "share", "tok/s", "x plain", "prefill tok/s", "share")
    return rows_of(head, rows) + "\n\n" + "\n".join(notes) if rows else ""


def speed_row(name: str, case: Mapping[str, Any]) -> tuple[object, ...]:
    size = (name, case["rows"], case["context"])
    if "not_run" in case:
        return (*size, case["not_run"])
    return (
        *size,
        f"{case['step_ms']:.2f}",
        f"{case['step_limit_ms']:.2f}",
        f"{case['decode_share_of_limit']:.2f}",
        f"{case['decode_tokens_per_s']:.0f}",
        f"{case['against_plain']:.1f}",
        f"{case['prefill_tokens_per_s']:.0f}",
        f"{case['prefill_share_of_limit']:.2f}",
    )


def drift(results: Results) -> str:
    found = results.get("drift", {}).get("result")
    if not found:
        return ""
    head = ("against CPU float32", "KL prompt", "KL steps", "says", "greedy: other answers", "largest gap", "decoding")
    return rows_of(head, (drift_row(name, each) for name, each in found["variations"].items()))


def drift_row(name: str, found: Mapping[str, Any]) -> tuple[object, ...]:
    if "not_run" in found:
        return (name, found["not_run"])
    prompt, stepped, greedy = found["prompt"], found["steps"], found["greedy"]
    said = prompt["says"] if prompt["says"] == stepped["says"] else f"{prompt['says']} / {stepped['says']}"
    gap = f"{greedy['largest_gap']:.3f}"
    return (name, f"{prompt['kl20']:.1e}", f"{stepped['kl20']:.1e}", said, greedy["other_answers"], gap, found["how"])


def promises(results: Results) -> str:
    rows = [
        (case["test"], case["verdict"], f"{case['seconds']:.0f}")
        for step in results.values()
        for case in step.get("result", {}).get("promises", ())
    ]
    return rows_of(("promise", "verdict", "s"), rows) if rows else ""


def memory(results: Results) -> str:
    found = results.get("memory", {}).get("result")
    if not found:
        return ""
    crowded, long, peak = found["crowded"], found["long"], found["peak"] or {}
    squeezed = f"{crowded['rows']} rows, {crowded['most_at_once']} at once, all ended: {crowded['all_ended']}"
    rows = [
        ("model", found["model"]),
        ("weights", f"{found['weights_gib']:.1f} GiB"),
        ("cache", f"{found['cache_holds_tokens']} tokens, {found['rows_of_32768']} answers of 32,768"),
        ("a third of the memory", squeezed),
        ("long answers", f"{long['rows']} x {long['tokens_each']} of {long['wanted']} in {long['seconds']:.0f} s"),
        ("GiB", ", ".join(f"{name.removesuffix('_gib')} {value:.1f}" for name, value in peak.items())),
    ]
    return rows_of(("memory", ""), rows)


def rows_of(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = tuple(head)
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(str(each) for each in row)} |" for row in rows)])
