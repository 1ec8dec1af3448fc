"""``performance/WORKLOAD.json``: what a workload leaves, its figures and its time series. Times are seconds."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from papergate.run_folder.files import SPEED_FOLDER, SWEEP_FILE, json_text, speed_file, speed_files, write_text
from papergate.run_folder.notes import AS_WRITTEN, Note, note
from papergate.run_folder.stored import FIRST_FORMAT, Found, Part, Stored, found
from papergate.run_folder.verdict import Spread, VerdictName


class Metrics(Part):
    """The figures of one run; None where one is undefined."""

    ttft_s: Spread
    tpot_s: Spread
    e2e_s: Spread
    queueing_s: Spread
    itl_s: Spread
    requests: int
    failed_requests: int
    prompt_tokens: int | None
    output_tokens: int | None
    tokens_per_chunk: float | None
    window_s: float | None
    requests_per_s: float | None
    output_tokens_per_s: float | None
    total_tokens_per_s: float | None
    goodput_per_s: float | None = None

    @property
    def has_goodput(self) -> bool:
        """Whether the workload bounds a request, so that there is a goodput, even an undefined one."""
        return "goodput_per_s" in self.model_fields_set


class Client(Part):
    """How the measuring client did, and why the figures cannot be used, if so."""

    lateness_p99_s: float | None
    cpu: float
    """Share of one core."""
    queueing_p99_s: float | None
    reasons: tuple[Note, ...]
    short_outputs: bool = False
    reconnects: int
    loop: str
    stamps: str | None = None


class SlowdownRecord(Part):
    """How much slower than the baseline, as ratios of latencies: 1.05 is 5 % slower."""

    ratio: float
    lower: float
    upper: float
    comparisons: int
    clusters: int
    verdict: VerdictName
    reasons: tuple[Note, ...] = ()
    said: Note
    sentence: str
    """The same in English."""


class Baseline(Part):
    """What was compared with."""

    name: str
    engine: str


class Point(Part):
    """One answered request."""

    prompt: int
    start_s: float
    ttft_s: float | None
    tpot_s: float | None
    e2e_s: float | None
    output_tokens: int | None


class Series(Part):
    """The run over time, a value for each step."""

    step_s: float | None
    output_tokens_per_s: tuple[float, ...] | None
    concurrency: tuple[float, ...]
    requests: tuple[Point, ...]


class SpeedRecord(Stored):
    """One workload, measured."""

    FORMAT: ClassVar[int] = 2

    papergate: str
    workload: str
    title: str
    concurrency: int | None
    requests_per_s: float | None
    digest: str
    deployment: str | None
    """Name of the deployment that was started for it, if one was."""
    model: str
    engine: str
    salt: str
    settings: Mapping[str, object] = Field(default_factory=dict)
    metrics: Metrics | None
    """None where the run cannot be used."""
    definition: str = ""
    """Whose figures stand in ``named``."""
    named: Mapping[str, object] = Field(default_factory=dict)
    """The figures under the names of another tool; empty where the run cannot be used."""
    differs: tuple[str, ...] = ()
    """How these were taken otherwise than the tool takes them."""
    client: Client
    causes: tuple[Note, ...] = ()
    """What stood between the server and these figures."""
    slowdown: SlowdownRecord | None
    baseline: Baseline | None
    series: Series | None

    @classmethod
    def upgraded(cls, fields: Mapping[str, Any], number: int) -> Mapping[str, Any]:
        """The first format had sentences alone."""
        if number > FIRST_FORMAT:
            return fields
        client, slowdown = fields["client"], fields["slowdown"]
        return {
            **fields,
            "client": {**client, "reasons": _written(client["reasons"])},
            "slowdown": slowdown
            and {
                **slowdown,
                "reasons": _written(slowdown.get("reasons", ())),
                "said": note(AS_WRITTEN, text=slowdown["sentence"]),
            },
        }


def _written(texts: Iterable[str]) -> list[Note]:
    return [note(AS_WRITTEN, text=text) for text in texts]


def write_speed(run: Path, record: SpeedRecord) -> None:
    """Write the record of a workload.

    Raises:
        OSError: the disk refused.
    """
    record.write(speed_file(run, record.workload))


def read_speed(run: Path, workload: str) -> SpeedRecord | None:
    """The record of ``workload``; None where there is none.

    Raises:
        StoreError: it is damaged, or of a later release.
    """
    path = speed_file(run, workload)
    return SpeedRecord.read(path) if path.exists() else None


def read_speeds(run: Path) -> Found[SpeedRecord]:
    """Every record of a run by workload, and why the others cannot be read."""
    return found(SpeedRecord.read, ((path.stem, path) for path in speed_files(run)))


def forget_speed(run: Path, workload: str) -> None:
    """Remove the record of an earlier session: from here on there is this one's, or none."""
    speed_file(run, workload).unlink(missing_ok=True)


def write_sweep(run: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write figures of several concurrencies side by side."""
    write_text(run / SPEED_FOLDER / SWEEP_FILE, json_text([*rows], indent=1))
