"""The records of this stage: papers, targets, deployments, promises."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, JsonValue, Tag, field_validator

from papergate.promises.base import Count, Name, Percent, Record, Text, ToleranceText, Unknown
from papergate.promises.tool import RequestField, Task, Tool
from papergate.thoughts import ThoughtMarks


class Sampling(Record):
    """How one sample is drawn. ``max_tokens`` counts output tokens, thought included."""

    temperature: Annotated[Decimal, Field(ge=0, le=2)]
    top_p: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)
    top_k: Count | None = None
    """Only the so many most probable tokens; None: all of them."""
    max_tokens: Count


class PublishedScore(Record):
    """One number of a paper, in percent, with where it stands."""

    model: Text
    benchmark: Name
    metric: Literal["pass@1", "cons@64"] = "pass@1"
    percent: Percent
    samples: Count | None = None
    """Samples per problem behind the number; None where the source does not say."""
    max_tokens: Count | None = None
    """The limit of this row, where it is not the publication's."""
    source: Text


class Reproduction(Record):
    """What a careful repetition by others measured of a model, under the publication's own settings."""

    model: Text
    benchmark: Name
    percent: Percent
    samples: Count | None = None
    source: Text


class Paper(Record):
    """A publication: its sampling and its scores."""

    name: Name
    title: Text
    source: Text
    sampling: Sampling
    scores: Annotated[tuple[PublishedScore, ...], Field(min_length=1)]
    reproductions: tuple[Reproduction, ...] = ()

    def score(self, model: str, benchmark: str) -> PublishedScore | None:
        """The pass@1 published for ``model`` on ``benchmark``, or None."""
        rows = (row for row in self.scores if (row.model, row.benchmark) == (model, benchmark))
        return next((row for row in rows if row.metric == "pass@1"), None)


def _as_json(value: object) -> object:
    """Decimals, as which TOML's numbers with a point are read, as JSON's floats."""
    return json.loads(json.dumps(value, default=float))


STATED_ELSEWHERE = {
    ("model_loading_config", "model_id"): "model",
    ("deployment_config", "num_replicas"): "data_parallel",
    ("engine_kwargs", "tensor_parallel_size"): "tensor_parallel",
    ("engine_kwargs", "pipeline_parallel_size"): "pipeline_parallel",
}
"""What an LLMConfig may hold, by its place, and the field of the deployment that states it."""


def _stated_once(config: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Two statements of one size could differ, and one of them would be left out without a word."""
    for (part, name), field in STATED_ELSEWHERE.items():
        if isinstance(held := config.get(part, {}), dict) and name in held:
            raise ValueError(f"{part}.{name}: state {field} of the deployment in its place")
        if not isinstance(held, dict):
            raise ValueError(f"{part}: write a table")  # noqa: TRY004 - a mistake of a file, as pydantic takes it
    return config


LLMConfig = Annotated[dict[str, JsonValue], BeforeValidator(_as_json), AfterValidator(_stated_once)]


class Hardware(Record):
    """What a target's machine is known by; ``probe`` names the question asked of the machine."""

    probe: Literal["nvidia", "ascend", "metax", "vastai", "rocm", "gaudi", "xpu", "cpu", "any"]
    device: str = ""
    """Text that the probe's device names must contain, for example ``A100``."""
    also: tuple[str, ...] = ()
    """Other devices that the document admits."""
    devices: Count = 1
    """How many, cards where ``dies`` is stated."""
    dies: Count = 1
    """Dies of a card, where a tool may list them one by one."""
    memory_gib: Annotated[float, Field(gt=0)] | None = None
    """Nominal memory of each device."""
    driver: str = ""
    firmware: str = ""
    toolkit: str = ""
    """As the record of a run has it, for example ``CUDA 12.4``."""
    versions: Literal["note", "refuse"] = "note"
    """What a driver, firmware or toolkit other than the stated one is."""
    title: Text


class FromPaper(Record):
    """The number of a promise is a row of a paper."""

    paper: Name
    model: Text
    reference: Literal["exact", "sampled"] = "exact"
    """``exact``: the number is a promise. ``sampled``: its own sampling error counts in the verdict."""


class Stated(Record):
    """The number of a promise stands in the target file itself, with its source."""

    percent: Percent
    source: Text
    samples: Count | None = None
    reference: Literal["exact", "sampled"] = "exact"


class FromGolden(Record):
    """No number is published: the reference is a stored run of a trusted platform, given by the user."""

    golden: Text
    """What the stored run must be, in words: shown when it is missing."""


def _kind_of_score(value: object) -> str:
    """Tell the three ways to state a score apart by the field only one of them has."""
    fields = value if isinstance(value, dict) else getattr(value, "model_fields_set", {})  # read, or to be written
    return next((kind for kind in ("paper", "golden") if kind in fields), "percent")


Score = Annotated[
    Annotated[FromPaper, Tag("paper")] | Annotated[FromGolden, Tag("golden")] | Annotated[Stated, Tag("percent")],
    Discriminator(_kind_of_score),
]


class Measured(Record):
    """What the document itself measured on its deployment: it stands beside the number that is promised."""

    percent: Percent
    source: Text


class PromiseEntry(Record):
    """A promise as a target file states it."""

    benchmark: Name
    score: Score
    tolerance: ToleranceText
    tolerance_source: str = ""
    measured: Measured | None = None


class Average(Record):
    """A row of the document that is the unweighted mean of others."""

    title: Text
    of: Annotated[tuple[Name, ...], Field(min_length=2)]
    """The benchmarks, each with a promise of the deployment."""
    percent: Percent
    """As the document prints it."""
    source: Text


class Command(Record):
    """Something that the document has its reader type, or write into a file; shown, never run."""

    does: Text
    """What it is for: ``start the server``."""
    line: Count
    """Line of the document at which it begins."""
    text: Text


class Deployment(Record):
    """Model, engine and settings: what the gate admits."""

    name: Name
    engine: Name
    """As one of ``papergate.engines.start.ENGINES`` names itself."""
    model: Text
    thinks: bool = True
    """Whether completions open inside a thought; False grades a base model's text whole."""
    thought_marks: ThoughtMarks | None = None
    """What opens and what closes the thought, for a model whose marks are not among the known ones."""
    quantisation: str = ""
    flags: tuple[str, ...] = ()
    """Options of the server, as typed on its command line."""
    python: str = ""
    """Absolute path of the interpreter that has the engine's server: of one machine, so for targets of one's own.

    Default: what ``PAPERGATE_VLLM_PYTHON`` names (each engine has its own), else the interpreter that runs papergate.
    """
    endpoint: str = ""
    """Where the document's server listens on its own machine; ``--endpoint`` replaces it."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    tensor_parallel: Count = 1
    data_parallel: Count = 1
    pipeline_parallel: Count = 1
    llm_config: LLMConfig = Field(default_factory=dict)
    """With ``engine = "ray"``: what papergate deploys, as an LLMConfig of Ray Serve; names and sizes stand above.

    Empty: an application that runs already is asked.
    """
    averages: tuple[Average, ...] = ()
    env: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = Field(default_factory=dict)
    """Environment variables of the document. A server that papergate starts gets those that are not set already."""
    software: dict[Text, Text] = Field(default_factory=dict)
    """Versions that the document states, by the names of a run's record: ``vllm``, ``torch``, ``python``."""
    commands: tuple[Command, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    inert: dict[Text, Text] = Field(default_factory=dict)
    """Settings of the document that change nothing, and why."""
    sampling: Sampling
    """Exactly the vendor document's: the `vendor` protocol."""
    most_tokens: Count | None = None
    """Output tokens that this deployment gives at most; None: as many as the document asks for."""
    tool: str = ""
    """With what the document evaluates: the name of a file of ``tools/``. The `vendor` protocol asks and grades so."""
    request: tuple[RequestField, ...] = ()
    """The fields of a request as this document configures its tool, where they are not the tool's own."""
    concurrency: dict[Name, Count] = Field(default_factory=dict)
    """Requests in flight per benchmark in the `vendor` protocol, as the document has it."""
    workloads: tuple[Text, ...] = ()
    """Workloads of tests/perf that the document measures: ``-m TARGET`` runs them after the accuracy tests."""
    query_per_second: Annotated[float, Field(gt=0)] | None = None
    source: Text
    promises: Annotated[tuple[PromiseEntry, ...], Field(min_length=1)]

    @field_validator("thought_marks")
    @classmethod
    def _two_marks(cls, marks: ThoughtMarks | None) -> ThoughtMarks | None:
        """An empty mark would stand everywhere; one mark for both could not be told apart."""
        if marks is not None and (not all(marks) or marks.opens == marks.closes):
            raise ValueError("give two different texts: what opens the thought, and what closes it")
        return marks

    @field_validator("python")
    @classmethod
    def _one_interpreter(cls, path: str) -> str:
        """A relative path would be another interpreter in every folder that pytest is started in."""
        if path and not path.startswith("/"):
            raise ValueError("give the absolute path of an interpreter that has the engine")
        return path


class Target(Record):
    """A piece of hardware and the deployments promised on it; its name is a pytest marker."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    title: Text
    hardware: Hardware
    deployments: Annotated[tuple[Deployment, ...], Field(min_length=1)]

    @field_validator("name")
    @classmethod
    def _no_operator(cls, name: str) -> str:
        """The words of a selection: ``-m "not a100"``."""
        if name in {"and", "or", "not"}:
            raise ValueError(f"{name!r} is a word of -m expressions; choose another name")
        return name


class PromisedScore(Record):
    """The number of a promise, resolved, with what is known of it."""

    percent: Decimal | None
    """None where only a golden run can give it."""
    samples: int | None
    """Samples per problem behind the number, where the source says."""
    reference: Literal["exact", "sampled", "golden"]
    source: str
    """Where the number stands, or what golden run is demanded."""
    sampling: Sampling
    """How the source drew its samples: the `paper` protocol repeats it."""

    @property
    def fraction(self) -> Fraction | None:
        """The score as an exact fraction of 1."""
        return None if self.percent is None else Fraction(self.percent) / 100


class Promise(Record):
    """One (deployment x benchmark) with its number resolved: what one acceptance test asserts."""

    target: str
    hardware: Hardware
    deployment: Deployment
    benchmark: str
    tolerance: ToleranceText
    score: PromisedScore
    measured: Measured | None = None
    reproductions: tuple[Reproduction, ...] = ()
    """Repetitions of the published number by others."""
    tool: Tool | None = None
    """With what the document evaluates, where that is known."""

    @property
    def task(self) -> Task | None:
        """How the document's tool asks and grades this benchmark, where that is known."""
        return self.tool.task(self.benchmark) if self.tool else None

    def missed_by(self, *, problems: int) -> tuple[Reproduction, ...]:
        """Repetitions by others that lie outside the tolerance: a deployment like theirs would not keep the promise.

        ``problems`` is how many the benchmark has.
        """
        score = self.score.percent
        if score is None or self.tolerance.unit == "gain":
            return ()
        most = 100 * self.tolerance.fraction(problems)
        return tuple(one for one in self.reproductions if abs(Fraction(one.percent - score)) > most)

    @property
    def deployed(self) -> str:
        """The name of the deployment that it is about, among those of all targets: ``--deployment`` takes it."""
        return f"{self.target}-{self.deployment.name}"

    @property
    def id(self) -> str:
        """The test id: target, deployment, benchmark, and ``gain`` where any score above will do."""
        suffix = "-gain" if self.tolerance.unit == "gain" else ""
        return f"{self.deployed}-{self.benchmark}{suffix}"
