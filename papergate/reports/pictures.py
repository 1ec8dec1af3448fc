"""Plain pictures of a run's speed, as numbers that a template draws: one place for every coordinate."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from papergate.performance.series import round_step
from papergate.run_folder.speed import Metrics, Series, SpeedRecord

WIDTH, HEIGHT = 600.0, 170.0
"""Of the plane inside the axes, in units of the drawing."""
MOST_STEPS = 5
"""Of a grid: more are no help to the eye."""

Dot = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A line of the grid: where it lies, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """One quantity of a picture, in the drawing's units; undefined points are left out."""

    name: str
    points: tuple[Dot, ...]
    joined: bool
    """A line, or single dots."""

    @property
    def path(self) -> str:
        """The points as SVG writes them."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """Axes and curves; a picture without a point says so instead of showing a flat line."""

    title: str
    x: str
    """What the horizontal axis is, with its unit."""
    columns: tuple[Tick, ...]
    rows: tuple[Tick, ...]
    curves: tuple[Curve, ...]

    width: float = WIDTH
    height: float = HEIGHT

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(curve.points for curve in self.curves)


def pictures_of(series: Series) -> list[Picture]:
    """Throughput, concurrency and the latency of each request, over the time of the run."""
    step_s, requests = series.step_s or 0.0, series.requests
    latencies = {
        "e2e": [(each.start_s, each.e2e_s) for each in requests],
        "TTFT": [(each.start_s, each.ttft_s) for each in requests],
    }
    time = "seconds from the first request"
    return [
        _picture("output tokens per second", time, {"": _stepped(series.output_tokens_per_s, step_s)}),
        _picture("requests in flight", time, {"": _stepped(series.concurrency, step_s)}),
        _picture("latency of each request, seconds, at the time it was sent", time, latencies, joined=False),
    ]


def sweep_pictures(records: Iterable[SpeedRecord]) -> list[Picture]:
    """Latency and throughput against concurrency, for each sweep: the runs of one workload at several concurrencies."""
    found = []
    for name, runs in _sweeps(records).items():
        latencies = {
            label: [(concurrency, at(metrics)) for concurrency, metrics in runs]
            for label, at in _SWEPT_LATENCIES.items()
        }
        throughput = {"": [(concurrency, metrics.output_tokens_per_s) for concurrency, metrics in runs]}
        found += [
            _picture(f"{name}: latency, seconds", "requests in flight", latencies),
            _picture(f"{name}: output tokens per second", "requests in flight", throughput),
        ]
    return found


_SWEPT_LATENCIES: Mapping[str, Callable[[Metrics], float | None]] = {
    "e2e p50": lambda metrics: metrics.e2e_s.p50,
    "e2e p99": lambda metrics: metrics.e2e_s.p99,
    "TTFT p50": lambda metrics: metrics.ttft_s.p50,
    "TTFT p99": lambda metrics: metrics.ttft_s.p99,
}


def _sweeps(records: Iterable[SpeedRecord]) -> dict[str, list[tuple[int, Metrics]]]:
    """Concurrency and figures by the name that the runs of a sweep share; other workloads have other prompts."""
    found: dict[str, list[tuple[int, Metrics]]] = {}
    closed = [(each.concurrency, each.metrics, each.workload) for each in records if each.concurrency and each.metrics]
    for concurrency, metrics, workload in sorted(closed, key=lambda run: run[0]):
        found.setdefault(workload.removesuffix(f"-c{concurrency}"), []).append((concurrency, metrics))
    return {name: runs for name, runs in found.items() if len(runs) > 1}


def _picture(
    title: str, x: str, curves: Mapping[str, Iterable[tuple[float, float | None]]], *, joined: bool = True
) -> Picture:
    """A picture from zero to the largest values; what is undefined or not finite has no place in it."""
    seen = {
        name: [(at, y) for at, y in points if y is not None and math.isfinite(y)] for name, points in curves.items()
    }
    xs, ys = ([point[axis] for points in seen.values() for point in points] for axis in (0, 1))
    columns, rows = _ticks(max(xs, default=0.0)), _ticks(max(ys, default=0.0))
    right, top = columns[-1], rows[-1]
    return Picture(
        title=title,
        x=x,
        columns=tuple(Tick(at=WIDTH * value / right, label=f"{value:,g}") for value in columns),
        rows=tuple(Tick(at=HEIGHT - HEIGHT * value / top, label=f"{value:,g}") for value in rows),
        curves=tuple(
            Curve(
                name=name,
                points=tuple((WIDTH * at / right, HEIGHT - HEIGHT * y / top) for at, y in points),
                joined=joined,
            )
            for name, points in seen.items()
        ),
    )


def _stepped(values: Sequence[float] | None, step_s: float) -> list[tuple[float, float | None]]:
    """Each value over the whole of its step; none where nobody counted."""
    return [(step_s * (index + edge), value) for index, value in enumerate(values or ()) for edge in (0, 1)]


def _ticks(most: float) -> list[float]:
    """From 0 to ``most`` or a little more, in round steps; where all is 0, one step."""
    if most <= 0:
        return [0.0, 1.0]
    step = round_step(most / MOST_STEPS)
    return [step * index for index in range(math.ceil(most / step) + 1)]
