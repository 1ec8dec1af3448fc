"""``verdict.json``: everything a report states of one promise. Scores and errors are fractions of 1, times seconds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from papergate.promises.records import Sampling
from papergate.run_folder.files import VERDICT_FILE, promise_folders
from papergate.run_folder.notes import AS_WRITTEN, Note, note
from papergate.run_folder.stored import FIRST_FORMAT, Found, Part, Stored, found

VerdictName = Literal["pass", "fail", "inconclusive", "trial"]
DecisionName = Literal["PASS", "FAIL_LOW", "FAIL_HIGH", "INCONCLUSIVE"]


class Promised(Part):
    """What the score is held against, in the words of the promise."""

    percent: str | None
    tolerance: str
    reference: str
    """Kind of the reference: ``exact``, ``sampled`` or ``golden``."""
    source: str

    @property
    def within(self) -> Note:
        """The tolerance, to be said."""
        return note("tolerance", tolerance=self.tolerance)


class Judged(Part):
    """The numbers that force the verdict, as `papergate.verdict.numbers` makes them."""

    verdict: DecisionName
    literal: bool
    d: float
    """Measured score minus reference."""
    se_measured: float
    se_ref: float
    se_total: float
    se_paper: float | None
    radius: float
    lo: float
    hi: float
    runs_needed: int | None
    reference_too_noisy: bool
    proven_within: bool
    blocks: bool
    p_value: float
    paper_noise_chance: float | None
    score: float
    reference: float
    tolerance: float
    n: int
    k: int
    sentence: str
    alpha: float | None = None
    """Error rate of one side; None in records of releases that did not state it, as below."""
    delta: float | None = None
    """How far beyond the tolerance the interval of a passing score may reach."""
    two_sided: bool | None = None
    looks: int | None = None
    """Looks at the samples that were taken for this verdict, earlier sessions of the run included."""

    @property
    def failed(self) -> bool:
        """Whether the rule alone calls the promise broken."""
        return self.verdict in {"FAIL_LOW", "FAIL_HIGH"}

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends of the score's interval."""
        return self.reference + self.lo, self.reference + self.hi


class Look(Part):
    """What the first ``k`` planned samples of a problem, on average, said: the score and both ends of its interval."""

    k: int
    score: float
    lo: float
    hi: float


class Group(Part):
    """The problems that share a subject, a level or the like."""

    group: str
    n: int
    score: float
    se: float


class Aggregates(Part):
    """Scores by the names that papers give them; keys of pass@k and cons@k are k."""

    pass_at_1: Annotated[float, Field(validation_alias="pass@1", serialization_alias="pass@1")]
    samples: int
    pass_at_k: Annotated[Mapping[str, float | None], Field(validation_alias="pass@k", serialization_alias="pass@k")]
    cons_at_k: Annotated[Mapping[str, float | None], Field(validation_alias="cons@k", serialization_alias="cons@k")]
    majority_correct: float
    groups: Mapping[str, tuple[Group, ...]]
    """A table for each grouping that every problem has."""


class Tokens(Part):
    """Output tokens; None where the engine did not count."""

    output: int | None
    per_sample: float | None


class Spread(Part):
    """How one quantity is spread over requests: the count alone where there is nothing."""

    count: int
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    method: str | None = None
    """How the percentiles are interpolated."""


class Times(Part):
    """What the samples took while they were asked, which is no benchmark."""

    concurrency: int | None
    ttft_s: Spread
    tpot_s: Spread
    stream_tokens_per_s: Spread


class Replica(Part):
    """What one server, or one rank of it, contributed."""

    endpoint: str
    answers: int
    correct: int
    output_tokens: int | None
    """Of all its answers; None where one was not counted."""
    lost: int
    """Attempts that failed there, those of answers that came from elsewhere in the end included."""


class AskedBenchmark(Part):
    """Which text was asked."""

    name: str
    digest: str
    prompt_digest: str
    variant: str
    known: bool
    source: str
    file_sha256: str
    confidential: bool | None = None
    """Whether its text must not be shown; None in records of releases that did not say."""


class Answerer(Part):
    """Who answered."""

    engine: str
    version: str
    model: str
    revision: str
    template: str = ""
    environment: Mapping[str, str] = Field(default_factory=dict)


class ProblemCounts(Part):
    """What every problem contributed, a column each, in the order of ``problems``."""

    problems: tuple[str, ...]
    correct: tuple[int, ...]
    samples: tuple[int, ...]
    completions: tuple[int, ...]
    truncated: tuple[int, ...]
    output_tokens: tuple[int | None, ...]

    @model_validator(mode="after")
    def _equal_columns(self) -> Self:
        columns = (self.correct, self.samples, self.completions, self.truncated, self.output_tokens)
        if any(len(column) != len(self.problems) for column in columns):
            raise ValueError(f"columns of different lengths beside {len(self.problems)} problems")
        return self

    @property
    def samples_each(self) -> str:
        """Planned samples of a problem, in words: their number, or the fewest and the most."""
        fewest, most = min(self.samples), max(self.samples)
        return str(most) if fewest == most else f"{fewest} to {most}"


class Moved(Part):
    """A problem whose rate differs from the golden run's beyond chance."""

    problem: str
    rate: float
    golden_rate: float
    p_value: float
    adjusted: float


class BesideGolden(Part):
    """The run beside a golden run."""

    promise: str
    engine: Answerer
    samples: int
    length_ratio: float | None
    length_within_band: bool | None
    length_band: tuple[float, float]
    truncation: float | None
    golden_truncation: float | None
    truncation_p_value: float
    moved: tuple[Moved, ...]
    """The surest move first."""
    folder: str = ""
    """Where the promise of the golden run lay; empty in records of releases that did not say, as below."""
    correct: tuple[int, ...] = ()
    """Correct samples of each problem, in the order of this run's problems."""
    planned: tuple[int, ...] = ()
    """Planned samples of each problem, in the same order."""


class Standing(Part):
    """What a policy says of a promise."""

    tier: Literal["must", "should", "record"]
    reason: str | None = None
    """Of its waiver; None where it has none, as below."""
    expires: str | None = None
    """The last day of the waiver, as ISO 8601 writes it."""
    expired: bool = False

    @property
    def gates(self) -> bool:
        """Whether a build breaks where the promise is not kept."""
        return self.tier == "must" and (self.reason is None or self.expired)


class Earlier(Part):
    """A verdict that the promise had in this folder before."""

    at: str
    """When it was put down: UTC, as ISO 8601 writes it."""
    verdict: VerdictName
    sentence: str
    n: int
    k: int
    score: float
    grader: str
    terms: Mapping[str, str] = Field(default_factory=dict)
    papergate: str


class VerdictRecord(Stored):
    """One promise, tested."""

    FORMAT: ClassVar[int] = 3

    promise: str
    verdict: VerdictName
    accepted: bool
    """Whether the test of the promise passes."""
    said: Note
    """The verdict with what was seen, what was promised, why, and the remedy."""
    sentence: str
    """The same in English."""
    reasons: tuple[Note, ...] = ()
    """Why the verdict is not the judgement's alone: a part of the problems, what is withheld, what ended asking."""
    notes: tuple[Note, ...]
    """What a reader must know beside the verdict."""
    causes: tuple[Note, ...] = ()
    """Likely causes of wrong answers, the one that can explain most of them first."""
    remarks: tuple[Note, ...]
    """What the reference and the protocol can show."""
    partial: str | None
    golden: BesideGolden | None
    title: str
    hardware: str
    protocol: Literal["paper", "vendor"]
    sampling: Sampling
    run_seed: int
    grader: str
    promised: Promised
    judgement: Judged
    looks: tuple[Look, ...] = ()
    """How the interval closed, from the first look to the verdict's; empty where it was not put down."""
    fixed_samples: int | None = None
    """Samples of every problem where their number was given; None where the looks chose it, or it was not put down."""
    further_looks: bool = False
    """Whether a look of the plan could follow the verdict's; False where it was not put down."""
    tally: Mapping[str, int]
    """How the samples ended: counts by name."""
    kinds: Mapping[str, int] = Field(default_factory=dict)
    """What the graded completions look like: counts by kind."""
    truncations: int
    errors: int
    """Planned samples that failed or never came."""
    aggregates: Aggregates
    tokens: Tokens
    times: Times | None = None
    replicas: tuple[Replica, ...] = ()
    """What each server, or rank of one, contributed; empty where none is known, or it was not put down."""
    benchmark: AskedBenchmark
    engine: Answerer
    counts: ProblemCounts
    thought_marks: tuple[str, str] | None = None
    """What opens and closes a thought, where the target states it."""
    papergate: str
    """Release that judged."""
    terms: Mapping[str, str] = Field(default_factory=dict)
    """What the promise is held to, in words by name: tolerance, delta, alpha, reference."""
    standing: Standing | None = None
    """What the policy of the session says of it; None where there was none."""
    earlier: tuple[Earlier, ...] = ()
    """The verdicts that this one follows, oldest first; the file beside it has them with their seals."""

    @property
    def is_trial(self) -> bool:
        """Whether only the set-up was tried: there are answers, and no score of the promise."""
        return self.verdict == "trial"

    @property
    def gates(self) -> bool:
        """Whether a build breaks where the promise is not kept."""
        return self.standing is None or self.standing.gates

    @property
    def breaks(self) -> bool:
        """Whether it breaks the build."""
        return not self.accepted and self.gates

    @classmethod
    def upgraded(cls, fields: Mapping[str, Any], number: int) -> Mapping[str, Any]:
        """The first two formats had a sentence alone for the verdict; the first one also for notes, called warnings."""
        if number >= cls.FORMAT:
            return fields
        fields = {**fields, "said": note(AS_WRITTEN, text=fields["sentence"])}
        if number > FIRST_FORMAT:
            return fields
        notes = [note(AS_WRITTEN, text=text) for text in fields["warnings"]]
        return {**fields, "notes": notes, "remarks": [note(AS_WRITTEN, text=text) for text in fields["remarks"]]}


def write_verdict(folder: Path, record: VerdictRecord) -> None:
    """Write the verdict of the promise in ``folder``.

    Raises:
        OSError: the disk refused; an earlier verdict stays.
    """
    record.write(folder / VERDICT_FILE)


def read_verdict(folder: Path) -> VerdictRecord | None:
    """The verdict of the promise in ``folder``; None where there is none.

    Raises:
        StoreError: it is damaged, or of a later release.
    """
    path = folder / VERDICT_FILE
    return VerdictRecord.read(path) if path.exists() else None


def read_verdicts(run: Path) -> Found[VerdictRecord]:
    """Every verdict of a run by promise, and why the others cannot be read."""
    return found(VerdictRecord.read, ((folder.name, folder / VERDICT_FILE) for folder in promise_folders(run)))
