"""The records of this stage: papers, targets, deployments, promises."""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from papergate.promises.tolerance import Tolerance

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Text = Annotated[str, Field(min_length=1)]
Percent = Annotated[Decimal, Field(ge=0, le=100)]
ToleranceText = Annotated[
    Tolerance, BeforeValidator(Tolerance.parse), PlainSerializer(lambda tolerance: tolerance.text, return_type=str)
]


class Record(BaseModel):
    """A frozen record read from a file; a field it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Sampling(Record):
    """How one sample is drawn. ``max_tokens`` counts output tokens, thought included."""

    temperature: Annotated[Decimal, Field(ge=0, le=2)]
    top_p: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)
    max_tokens: Annotated[int, Field(ge=1)]


class PublishedScore(Record):
    """One number of a paper, in percent, with where it stands."""

    model: Text
    benchmark: Name
    metric: Literal["pass@1", "cons@64"] = "pass@1"
    percent: Percent
    samples: Annotated[int, Field(ge=1)] | None = None
    """Samples per problem behind the number; None where the source does not say."""
    source: Text


class Paper(Record):
    """A publication: its sampling and its scores."""

    name: Name
    title: Text
    source: Text
    sampling: Sampling
    scores: Annotated[tuple[PublishedScore, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_score_once(self) -> Self:
        keys = [(score.model, score.benchmark, score.metric) for score in self.scores]
        twice = sorted({" ".join(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"published twice: {', '.join(twice)}; keep one")
        return self

    def score(self, model: str, benchmark: str) -> PublishedScore | None:
        """The pass@1 published for ``model`` on ``benchmark``, or None."""
        rows = (row for row in self.scores if (row.model, row.benchmark) == (model, benchmark))
        return next((row for row in rows if row.metric == "pass@1"), None)


class Hardware(Record):
    """What a target's machine is known by; ``probe`` names the question asked of the machine."""

    probe: Literal["nvidia", "ascend", "metax", "vastai", "cpu", "any"]
    device: str = ""
    """Text that the probe's device names must contain, for example ``A100``."""
    devices: Annotated[int, Field(ge=1)] = 1
    title: Text


class Published(Record):
    """Where a promise takes its number from: a row of a paper."""

    paper: Name
    model: Text


class PromiseEntry(Record):
    """A promise as a target file states it: the number comes from a paper, or stands here with its source."""

    benchmark: Name
    rule: Literal["within", "above"] = "within"
    """``within``: |score - reference| <= tolerance. ``above``: the score exceeds the reference (a gain)."""
    published: Published | None = None
    percent: Percent | None = None
    samples: Annotated[int, Field(ge=1)] | None = None
    source: str = ""
    reference: Literal["exact", "sampled", "golden"] = "exact"
    """``exact``: a promise. ``sampled``: its own sampling error counts. ``golden``: a stored run is demanded."""
    tolerance: ToleranceText | None = None
    tolerance_source: str = ""

    @model_validator(mode="after")
    def _has_one_number(self) -> Self:
        given = [self.published is not None, self.percent is not None, self.reference == "golden"]
        if sum(given) != 1:
            raise ValueError(f"{self.benchmark}: give exactly one of published, percent or reference = 'golden'")
        if self.percent is not None and not self.source:
            raise ValueError(f"{self.benchmark}: percent = {self.percent} has no source; say where the number stands")
        if self.rule == "within" and self.tolerance is None:
            raise ValueError(f"{self.benchmark}: no tolerance; write '1 problem' or '0.5 points'")
        return self


class EngineName(StrEnum):
    """Who answers."""

    HUGGINGFACE = "huggingface"
    VLLM = "vllm"
    REMOTE = "remote"


class Deployment(Record):
    """Model, engine and settings: what the gate admits."""

    name: Name
    engine: EngineName
    model: Text
    thinks: bool = True
    """Whether completions open inside a thought; False grades a base model's text whole."""
    quantisation: str = ""
    flags: tuple[str, ...] = ()
    """Options of the server, as typed on its command line."""
    dtype: str = "auto"
    batch_size: Annotated[int, Field(ge=1)] = 32
    """Sequences per batch of an engine in process."""
    sampling: Sampling
    """Exactly the vendor document's; the `vendor` protocol uses it, the `paper` protocol uses the paper's."""
    concurrency: dict[Name, Annotated[int, Field(ge=1)]] = {}
    """Requests in flight per benchmark, as the document has it."""
    query_per_second: Annotated[float, Field(gt=0)] | None = None
    source: Text
    promises: Annotated[tuple[PromiseEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_promise_once(self) -> Self:
        keys = [f"{entry.benchmark} ({entry.rule})" for entry in self.promises]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"{self.name}: promised twice: {', '.join(twice)}; keep one")
        return self


class Target(Record):
    """A piece of hardware and the deployments promised on it; its name is a pytest marker."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Text
    hardware: Hardware
    deployments: Annotated[tuple[Deployment, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_deployment_once(self) -> Self:
        names = [deployment.name for deployment in self.deployments]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"deployments named twice: {', '.join(twice)}")
        return self


class Promise(Record):
    """One (deployment x benchmark) with its number resolved: what one acceptance test asserts."""

    target: str
    hardware: Hardware
    deployment: Deployment
    benchmark: str
    rule: Literal["within", "above"]
    percent: Decimal | None
    """The promised score in percent; None where only a golden run can give it."""
    reference: Literal["exact", "sampled", "golden"]
    reference_samples: int | None
    tolerance: Annotated[Tolerance | None, PlainSerializer(lambda t: t and t.text, return_type=str | None)]
    source: str
    paper_sampling: Sampling

    @property
    def id(self) -> str:
        """The test id: target, deployment, benchmark, and ``gain`` where the rule is ``above``."""
        suffix = "-gain" if self.rule == "above" else ""
        return f"{self.target}-{self.deployment.name}-{self.benchmark}{suffix}"

    @property
    def score(self) -> Fraction | None:
        """The promised score as an exact fraction of 1."""
        return None if self.percent is None else Fraction(self.percent) / 100
