"""What is asked under load: workloads as data, read from TOML, every mistake of a file at once."""

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from papergate.errors import PromiseError, WorkloadError
from papergate.files import MOST_DATA, read_plain, reason
from papergate.performance.metrics import ServiceLevel
from papergate.promises.base import Name, Record, Text
from papergate.promises.files import mistakes_of, read_toml
from papergate.promises.records import Sampling
from papergate.run_folder.notes import note
from papergate.suggest import among
from papergate.words import worded

MOST_REQUESTS = 10**6
"""All prompts are made before the clock runs."""
WORKLOADS = Path(__file__).parent / "workloads"
DIGEST_CHARACTERS = 16
LATER = ("warmup_whole", "warmup_repeats_first", "top_p", "definition")
"""Fields that a workload of the first releases did not have."""


class Made(Record):
    """Prompts of an exact length in tokens, made of a text."""

    kind: Literal["verse", "random"]
    """``verse``: lines of the text in random order, as sonnet of vLLM's benchmarks; ``random``: its words."""
    input_tokens: Annotated[int, Field(ge=1)]
    """Of the whole prompt as the server counts it, chat template included."""
    prefix_tokens: Annotated[int, Field(ge=0)] = 0
    """Of these, at the beginning of the text, how many all prompts share."""
    output_tokens: Annotated[int, Field(ge=1)]
    text: str | None = None
    """File with another text, for example verse in the public domain; default: papergate's own."""

    @model_validator(mode="after")
    def _prefix_leaves_room(self) -> Self:
        if self.prefix_tokens >= self.input_tokens:
            raise ValueError(f"prefix_tokens must be below input_tokens = {self.input_tokens}")
        return self


class Conversations(Record):
    """Prompts and output lengths of recorded conversations, in the format of ShareGPT."""

    kind: Literal["sharegpt"]
    file: Text | None = None
    """JSON list of ``{"conversations": [{"from": "human", "value": ..}, {"from": "gpt", "value": ..}]}``."""
    most_input_tokens: Annotated[int, Field(ge=1)] = 1024
    most_tokens: Annotated[int, Field(ge=2)] = 2048
    """Prompt and output together."""
    fewest_tokens: Annotated[int, Field(ge=1)] = 4
    """Shorter prompts and shorter outputs are left out, as vLLM's benchmarks do."""


class Workload(Record):
    """Prompts, and how they arrive."""

    name: Name
    title: Text
    source: Text
    prompts: Annotated[Made | Conversations, Field(discriminator="kind")]
    count: Annotated[int, Field(ge=1, le=MOST_REQUESTS)]
    """Measured requests."""
    concurrency: Annotated[int, Field(ge=1)] | Annotated[tuple[int, ...], Field(min_length=1)] | None = None
    """Closed loop: requests in flight; a list is a sweep, one run for each."""
    requests_per_s: Annotated[float, Field(gt=0)] | None = None
    """Open loop: how many requests arrive, whatever becomes of the earlier ones."""
    arrivals: Literal["fixed", "poisson"] = "poisson"
    warmup: Annotated[int, Field(ge=0)] | None = None
    """Requests before the measured ones, with prompts of their own; default: full concurrency once."""
    warmup_whole: bool = False
    """Whether warm-up answers have their full length."""
    warmup_repeats_first: bool = False
    """Whether the warm-up is the first measured prompt, whole: that one may then be answered from the prefix cache."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """None: as the deployment draws; of a server that no target describes, whatever it does by itself."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    ignore_eos: bool = True
    """Every output has its full length, where the server knows this extension."""
    definition: Literal["", "vllm-0.7.2-serving", "vllm-0.7.2-throughput", "vllm-0.7.2-latency"] = ""
    """Whose figures stand beside papergate's, under their names."""
    seed: int = 0
    ttft_s: Annotated[float, Field(gt=0)] | None = None
    """Service level of goodput, beside the two below."""
    tpot_s: Annotated[float, Field(gt=0)] | None = None
    e2e_s: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_kind_of_load(self) -> Self:
        if (self.concurrency is None) == (self.requests_per_s is None):
            raise ValueError("give either concurrency (closed loop) or requests_per_s (open loop)")
        if isinstance(self.concurrency, tuple) and min(self.concurrency) < 1:
            raise ValueError("concurrency must be at least 1")
        return self

    @property
    def level(self) -> ServiceLevel | None:
        """The bounds of goodput; None where none is given."""
        bounds = (self.ttft_s, self.tpot_s, self.e2e_s)
        if bounds == (None, None, None):
            return None
        return ServiceLevel(ttft_s=self.ttft_s, tpot_s=self.tpot_s, e2e_s=self.e2e_s)

    @property
    def in_flight(self) -> int:
        """Connections to open beforehand: the concurrency, or in an open loop one for each second's arrivals."""
        if isinstance(self.concurrency, int):
            return min(self.concurrency, self.count)
        return min(self.count, max(1, round(self.requests_per_s or 1)))

    @property
    def warmup_requests(self) -> int:
        """Requests sent before the clock runs."""
        return self.in_flight if self.warmup is None else self.warmup

    @property
    def digest(self) -> str:
        """Of everything that changes what is measured: two runs with one digest can be compared."""
        told = self.model_dump(mode="json", exclude={"name", "title", "source", "ttft_s", "tpot_s", "e2e_s"})
        for name in LATER:  # records of earlier releases, which did not have them, stay comparable
            if told[name] == type(self).model_fields[name].default:
                del told[name]
        for path in ("text", "file"):
            if told["prompts"].get(path):
                told["prompts"][path] = hashlib.sha256(_bytes(Path(told["prompts"][path]))).hexdigest()
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:DIGEST_CHARACTERS]

    def drawn_as(self, sampling: Sampling) -> "Workload":
        """With a deployment's own sampling where the workload states none; a tool's definition is whole as it is."""
        if self.definition:
            return self
        own = {"temperature": float(sampling.temperature), "top_p": float(sampling.top_p)}
        return self.model_copy(update={name: value for name, value in own.items() if getattr(self, name) is None})

    def single_runs(self) -> tuple["Workload", ...]:
        """This workload, or one for each concurrency of a sweep."""
        if not isinstance(self.concurrency, tuple):
            return (self,)
        return tuple(self.model_copy(update={"name": f"{self.name}-c{c}", "concurrency": c}) for c in self.concurrency)


def members_of(name: str) -> tuple[str, ...]:
    """The workloads of a definition, such as ``vllm-0.7.2``; a workload's own name is its only member."""
    known = known_workloads()
    members = tuple(each for each in known if each.startswith(f"{name}-"))
    return (name,) if name in known else members or (name,)


def read_workload(place: str, *, data: Path | None = None) -> Workload:
    """The workload called ``place``, or in the file ``place``; ``data`` takes the place of its text or conversations.

    Raises:
        WorkloadError: there is none, or the file has mistakes: all of them are listed.
    """
    path = Path(place) if place.endswith(".toml") else WORKLOADS / f"{place}.toml"
    if not path.is_file():
        raise WorkloadError(f"{place}: no such workload, nor a TOML file{among(place, known_workloads())}")
    try:
        workload = Workload.model_validate(read_toml(path))
    except PromiseError as error:
        raise WorkloadError(str(error)) from error
    except ValidationError as error:
        listed = "\n".join(f"  - {mistake}" for mistake in mistakes_of(error))
        raise worded(WorkloadError, note("workload_malformed", file=f"{path}", mistakes=listed)) from error
    return _with_data(workload, path, data)


def known_workloads() -> list[str]:
    """The names of the workloads that ship with papergate."""
    return sorted(path.stem for path in WORKLOADS.glob("*.toml"))


def arrivals_s(workload: Workload) -> Iterator[float]:
    """When each request of an open loop arrives, in seconds from the start: evenly spaced, or a Poisson process.

    The gaps of a Poisson process are exponential with mean 1 / rate; they depend on the workload's seed alone.
    """
    assert workload.requests_per_s
    source = random.Random(f"arrivals {workload.seed}")  # noqa: S311 - a repeatable load, nothing secret
    now = 0.0
    for _ in range(workload.count):
        yield now
        poisson = workload.arrivals == "poisson"
        now += source.expovariate(workload.requests_per_s) if poisson else 1 / workload.requests_per_s


def _bytes(path: Path) -> bytes:
    try:
        return read_plain(path, most=MOST_DATA)
    except OSError as error:
        raise WorkloadError(f"{path}: cannot be read: {reason(error)}") from error


def _with_data(workload: Workload, path: Path, data: Path | None) -> Workload:
    """The workload with its text or conversations as a path that can be opened."""
    prompts = workload.prompts
    field = "text" if isinstance(prompts, Made) else "file"
    named = getattr(prompts, field)
    found = data or (path.parent / named if named else None)
    if found is None and isinstance(prompts, Conversations):
        raise worded(WorkloadError, note("workload_needs_prompts", workload=workload.name))
    if found is not None and not found.is_file():
        raise worded(WorkloadError, note("workload_no_file", workload=workload.name, file=f"{found}"))
    update = {field: str(found)} if found else {}
    return workload.model_copy(update={"prompts": prompts.model_copy(update=update)})
