"""Pictures as numbers that a template draws: one place for every coordinate.

Every picture has the same small size in units of the drawing, so that its letters can be read on a phone; a page sets
several side by side. Colours and dashes are classes of the page's style, right in light, dark and print.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from papergate.performance.series import round_step
from papergate.reports.said import Said, both, plain
from papergate.run_folder.speed import Metrics, Series, SpeedRecord

WIDTH, HEIGHT = 360.0, 170.0
"""Of the plane inside the axes, in units of the drawing."""
MOST_STEPS = 5
"""Of a grid: more are no help to the eye."""

Dot = tuple[float, float]
Cell = str | Said


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A line of the grid: where it lies, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """One quantity of a picture, in the drawing's units; undefined points are left out."""

    name: Said
    points: tuple[Dot, ...]
    joined: bool
    """A line, or single dots."""

    @property
    def path(self) -> str:
        """The points as SVG writes them."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A shape: its name in SVG, its coordinates, its class in the page's style, and what it says."""

    shape: str
    at: Mapping[str, float]
    style: str
    says: Said | None = None

    @property
    def coordinates(self) -> dict[str, str]:
        """As SVG writes them."""
        return {name: f"{value:.1f}" for name, value in self.at.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The numbers of a picture, for those who cannot see it and those who want to take them along."""

    heads: tuple[Said, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """Axes, shapes and curves; a picture without anything in it says so instead of showing an empty plane."""

    title: Said
    """What it shows."""
    caption: Said | None = None
    """How to read it."""
    x: Said
    """What the horizontal axis is, with its unit."""
    columns: tuple[Tick, ...]
    rows: tuple[Tick, ...]
    curves: tuple[Curve, ...] = ()
    marks: tuple[Mark, ...] = ()
    key: tuple[tuple[str, Said], ...] = ()
    """Styles that need a word."""
    table: Table | None = None

    width: float = WIDTH
    height: float = HEIGHT

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return not self.marks and not any(curve.points for curve in self.curves)


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """From values to places: ``size`` is where ``high`` lies, 0 where ``low`` does."""

    low: float
    high: float
    size: float
    upward: bool = False
    """Whether larger values lie higher: SVG counts downward."""

    def at(self, value: float) -> float:
        """Where ``value`` lies, at an end where it is beyond it."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.size * (1 - share if self.upward else share)

    def ticks(self, shown: Callable[[float], str] = lambda value: f"{value:,g}") -> tuple[Tick, ...]:
        """Round values inside."""
        step = round_step((self.high - self.low) / MOST_STEPS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(Tick(at=self.at(n * step), label=shown(round(n * step, 9))) for n in range(first, last + 1))


@dataclass(kw_only=True, slots=True)
class Sketch:
    """Shapes on two axes, in the order in which they cover each other."""

    x: Axis
    y: Axis
    marks: list[Mark] = field(default_factory=list)

    def area(self, x: tuple[float, float], y: tuple[float, float], style: str) -> None:
        """A filled rectangle between values."""
        (left, right), (top, bottom) = sorted(map(self.x.at, x)), sorted(map(self.y.at, y))
        at = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        self.marks.append(Mark(shape="rect", at=at, style=style))

    def line(self, x: tuple[float, float], y: tuple[float, float], style: str) -> None:
        """A line between two points."""
        at = {"x1": self.x.at(x[0]), "y1": self.y.at(y[0]), "x2": self.x.at(x[1]), "y2": self.y.at(y[1])}
        self.marks.append(Mark(shape="line", at=at, style=style))

    def dot(self, x: float, y: float, style: str, radius: float = 4) -> None:
        """A circle."""
        self.marks.append(Mark(shape="circle", at={"cx": self.x.at(x), "cy": self.y.at(y), "r": radius}, style=style))

    def word(self, x: float, y: float, says: Said, style: str = "") -> None:
        """A few letters, around ``x`` in values, at ``y`` in the drawing's units."""
        self.marks.append(Mark(shape="text", at={"x": self.x.at(x), "y": y}, style=style, says=says))


def pictures_of(series: Series) -> list[Picture]:
    """Throughput, concurrency and the latency of each request, over the time of the run."""
    step_s, requests = series.step_s or 0.0, series.requests
    latencies = {
        "e2e": [(each.start_s, each.e2e_s) for each in requests],
        "TTFT": [(each.start_s, each.ttft_s) for each in requests],
    }
    time = both("seconds_from_first")
    return [
        _picture(both("throughput_over_time"), time, {"": _stepped(series.output_tokens_per_s, step_s)}),
        _picture(both("in_flight_over_time"), time, {"": _stepped(series.concurrency, step_s)}),
        _picture(both("latency_over_time"), time, latencies, joined=False),
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
            _picture(both("swept_latency", name=name), both("requests_in_flight"), latencies),
            _picture(both("swept_throughput", name=name), both("requests_in_flight"), throughput),
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
    title: Said, x: Said, curves: Mapping[str, Iterable[tuple[float, float | None]]], *, joined: bool = True
) -> Picture:
    """A picture from zero to the largest values; what is undefined or not finite has no place in it."""
    seen = {
        name: [(at, y) for at, y in points if y is not None and math.isfinite(y)] for name, points in curves.items()
    }
    xs, ys = ([point[axis] for points in seen.values() for point in points] for axis in (0, 1))
    across, up = from_zero(max(xs, default=0.0), WIDTH), from_zero(max(ys, default=0.0), HEIGHT, upward=True)
    return Picture(
        title=title,
        x=x,
        columns=across.ticks(),
        rows=up.ticks(),
        curves=tuple(
            Curve(name=plain(name), points=tuple((across.at(at), up.at(y)) for at, y in points), joined=joined)
            for name, points in seen.items()
        ),
        table=_table_of(x, seen) if joined and len(curves) > 1 else None,
    )


def _table_of(x: Said, seen: Mapping[str, Sequence[tuple[float, float]]]) -> Table:
    values = {name: dict(points) for name, points in seen.items()}
    places = sorted({at for points in values.values() for at in points})
    rows = (
        (f"{at:,g}", *(f"{points[at]:.3g}" if at in points else "-" for points in values.values())) for at in places
    )
    return Table(heads=(x, *map(plain, values)), rows=tuple(rows))


def from_zero(most: float, size: float, *, upward: bool = False) -> Axis:
    """An axis from 0 to ``most`` or a little more, so that it ends at a round value; where all is 0, to 1."""
    if most <= 0:
        return Axis(low=0.0, high=1.0, size=size, upward=upward)
    step = round_step(most / MOST_STEPS)
    return Axis(low=0.0, high=step * math.ceil(most / step), size=size, upward=upward)


def _stepped(values: Sequence[float] | None, step_s: float) -> list[tuple[float, float | None]]:
    """Each value over the whole of its step; none where nobody counted."""
    return [(step_s * (index + edge), value) for index, value in enumerate(values or ()) for edge in (0, 1)]
