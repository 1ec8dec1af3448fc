"""The records of this stage: a case before it is asked, and an acceptance after it is judged."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from papergate.acceptance.terms import ProtocolName, prompt_digest, rule_of, sampling_of, task_of
from papergate.benchmarks import Benchmark, Problem
from papergate.completions.policy import Policy
from papergate.completions.shard import Shard
from papergate.completions.table import Key, column
from papergate.diagnosis.causes import TELLING, Cause, Seen, causes_of, most_costly_first
from papergate.diagnosis.groups import far_off_groups
from papergate.diagnosis.kinds import Kind
from papergate.engines import Completion, EngineIdentity, Finish, Form
from papergate.promises import Promise, Sampling, Task
from papergate.promises.tool import GraderMode
from papergate.run_folder.notes import Note, note
from papergate.run_folder.verdict import Standing
from papergate.scoring import Grade, Outcome
from papergate.statistics.allocation import Allocation
from papergate.statistics.budget import Budget
from papergate.statistics.counts import Counts
from papergate.statistics.looks import LOOKS, looks_within
from papergate.statistics.reference import Reference
from papergate.statistics.rule import Decision, Rule
from papergate.verdict import Judgement, Verdict
from papergate.words import say

NO_ANSWER = {Finish.REFUSED: "refused", Finish.OTHER: "ended_by_server"}
"""Finishes that make an answer wrong whatever its text holds, with the reason in its grade. What came of a loop that a
server noticed is an answer: asking again until none comes would measure another deployment."""
UNANSWERED = {"truncated", "unanswered", "empty", "cut off", *NO_ANSWER.values()}
"""Reasons of grades that hold no answer."""
DIGEST_BYTES = 16
"""No two different texts of a run share so long a digest."""
SAME_END = 1000
"""Letters and digits at the end of a text that tell a copy, whatever was put before them. Of 2,144 long answers of
R1-Distill-Llama-8B to 100 problems of MATH-500, 16 to each, no two agreed in the last 400."""
ASCII_SIGNS, OTHER_SIGNS = (
    bytes(code for code in range(128) if not chr(code).isalnum()),
    re.compile(r"[^\w\x00-\x7f]"),  # invisible ones too
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How a promise is tested."""

    protocol: ProtocolName = "paper"
    """``paper``: the paper's sampling, the mean of k samples, the three-way verdict. ``vendor``: the vendor document's
    sampling, one sample, the literal rule alone."""
    samples: int | None = None
    """Samples of every problem, fixed; None looks after 2, 3, 4, 5 .. on average and stops once decided."""
    max_samples: int = LOOKS[-1]
    budget: Budget = field(default_factory=Budget)
    """Looked at before each further look; what it stops stays inconclusive."""
    fail_alpha: float | None = None
    """Largest p-value at which a failure stands, where many promises are judged together; None: the rule's own."""
    standing: Standing | None = None
    """What the policy of the session says of the promise; None where there is none."""
    limit: int | None = None
    """Only the first so many problems: a part, which cannot pass."""
    trial: bool = False
    """Whether only the set-up is tried, whatever the answers are worth."""
    preflight: bool = True
    """Whether a server was checked before it was asked."""
    run_seed: int = 0
    shard: Shard | None = None
    """Which part of the samples is asked here; None for all of them."""
    grader: GraderMode = "strict"
    letter: bool = False
    """Whether requests are sent as the document's tool sends them in their transport, too; see `Options.letter`."""
    policy: Policy = field(default_factory=Policy)

    @property
    def fixed_samples(self) -> int | None:
        """Samples per problem where their number is not the statistics' to choose."""
        return 1 if self.protocol == "vendor" and self.samples is None else self.samples

    @property
    def looks(self) -> tuple[int, ...]:
        """Samples of a problem, on average, at every look that the run may take."""
        return looks_within(max_samples=self.max_samples, fixed=self.fixed_samples)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is tested, before anything is asked."""

    promise: Promise
    benchmark: Benchmark
    identity: EngineIdentity
    settings: Settings
    problems: tuple[Problem, ...]
    """Those that are asked: all of the benchmark's, or fewer in a partial run."""
    reference: Reference
    stored: int = 0
    """Samples that every problem has from earlier sessions: a look never counts fewer."""
    sampling_known: bool = False
    """Whether papergate itself draws the tokens, or saw in a preflight that the server draws as it is asked to."""
    allocated: bool = False
    """Whether samples go where the golden run's answers vary; else every problem gets the same number."""

    def planned(self, k: int) -> dict[str, int]:
        """Samples of each problem, by its id, at the look that plans ``k`` on average.

        A gain is held against another model, whose rates do not tell this one's.
        """
        allocated = self.allocated and not self.rule.above and not self.settings.fixed_samples
        golden = self.reference.counts if allocated else None
        allocation = Allocation.of_golden(golden) if golden else Allocation.equal(len(self.problems))
        samples = allocation.samples(k)
        if self.stored:
            samples = tuple(max(one, self.stored) for one in samples)
        return dict(zip((problem.id for problem in self.problems), samples, strict=True))

    def keys(self, k: int) -> list[Key]:
        """The samples that are asked here up to the look that plans ``k``: all of them, or those of the shard."""
        shard = self.settings.shard
        return [
            (problem, sample)
            for place, (problem, samples) in enumerate(self.planned(k).items())
            for sample in range(samples)
            if shard is None or shard.holds(place, sample)
        ]

    @property
    def sampling(self) -> Sampling:
        """How the protocol draws."""
        return sampling_of(self.promise, self.settings.protocol)

    @property
    def task(self) -> Task | None:
        """How the document's tool asks and grades, where the protocol follows it."""
        return task_of(self.promise, self.settings.protocol)

    @property
    def form(self) -> Form | None:
        """How requests are written; None: as papergate writes them."""
        if self.task is None or self.promise.tool is None:
            return None
        fields = self.promise.deployment.request or self.promise.tool.fields
        return Form(fields=fields, streamed=not self.settings.letter)

    @property
    def prompt_digest(self) -> str:
        """What the user turns are made of."""
        return prompt_digest(self.benchmark.spec, self.task)

    @property
    def rule(self) -> Rule:
        """The rule that the promise's tolerance states."""
        return rule_of(self.promise, problems=self.benchmark.spec.problems)

    @property
    def partial(self) -> str | None:
        """What is asked in a run that cannot pass, a part or a trial; None for a whole one."""
        asked, whole = len(self.problems), self.benchmark.spec.problems
        return None if asked == whole and not self.settings.trial else f"{asked} of {whole} problems"


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """A completion without its text, which may have 100,000 characters: what a report still needs once it is graded."""

    problem: str
    sample: int
    finish: Finish
    digest: bytes
    """Of the last letters and digits of the text, case aside: tells copies from independent draws."""
    characters: int
    kind: Kind | None = None
    """What the completion looks like; None of one that is not graded."""
    finish_reason: str | None = None
    model: str | None = None
    """As the answer's chunks name it."""
    endpoint: str | None = None
    """Server or device that answered, where it is known."""
    lost_at: tuple[str, ...] = ()
    """Servers of the attempts that failed."""
    attempts: int = 1
    """Requests that were sent for it."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    ttft_s: float | None = None
    e2e_s: float | None = None

    @classmethod
    def of(cls, completion: Completion, kind: Kind | None = None) -> "Receipt":
        """The receipt of ``completion``, which looks like ``kind``."""
        return cls(
            problem=completion.problem,
            sample=completion.sample,
            finish=completion.finish,
            digest=_digest(completion.text or ""),
            characters=len(completion.text or ""),
            kind=kind,
            finish_reason=completion.finish_reason,
            model=completion.model,
            endpoint=completion.endpoint,
            lost_at=completion.lost_at,
            attempts=completion.attempts,
            prompt_tokens=completion.prompt_tokens,
            output_tokens=completion.output_tokens,
            ttft_s=completion.ttft_s,
            e2e_s=completion.e2e_s,
        )

    @property
    def key(self) -> Key:
        """Problem id and sample index."""
        return self.problem, self.sample


def _digest(text: str) -> bytes:
    """Takes a third of the time of splitting and joining; those took half of a check of 34,000 texts."""
    folded = text.lower() if text.isascii() else OTHER_SIGNS.sub("", text.lower())
    end = folded.encode().translate(None, ASCII_SIGNS)[-SAME_END:]
    return hashlib.blake2b(end, digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnRules:
    """What papergate's own rules say of answers that a tool's rules grade."""

    score: Fraction
    differ: int
    """Answers whose grades differ."""
    refused: int
    """Of the benchmark's right answers, those that the tool's rules call wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Acceptance:
    """One promise, tested: the judgement and all that is needed to argue with it."""

    case: Case
    receipts: Mapping[Key, Receipt]
    """Of every completion, and of samples known to have failed."""
    grades: Mapping[Key, Grade]
    counts: Counts
    judgement: Judgement
    looks: tuple[Counts, ...] = ()
    """The counts at each look of this session, the last of them the verdict's: what a look added is the difference."""
    looks_taken: int = 1
    """Of this run up to the verdict, those of earlier sessions included."""
    further_looks: bool = False
    """Whether a look of the plan could follow the verdict's."""
    source_notes: tuple[Note, ...] = ()
    """What is to be noted of where the completions come from."""
    sessions: tuple[Mapping[str, str], ...] = ()
    """What the samples were drawn on, where that changed between the sessions of a run; see `Manifest.situation`."""
    withheld: Note | None = None
    """Why the judgement is not given as the verdict; None where it is."""
    findings: tuple[Note, ...] = ()
    """What the samples show of their independence, where the verdict stands nonetheless."""
    dependent: bool = False
    """Whether the samples are clearly not independent: then further ones are of no use."""
    stopped: Note | None = None
    """Why asking ended before a verdict; None where it did not."""
    own: OwnRules | None = None
    """Where other rules grade: what papergate's own say."""

    @property
    def decided(self) -> bool:
        """Whether further samples are not needed."""
        return self.judgement.decision is not Decision.INCONCLUSIVE and not self.withheld

    @property
    def settled(self) -> bool:
        """Whether further samples are not asked for: they are not needed, or of no use."""
        return self.decided or self.dependent

    @property
    def verdict(self) -> Verdict:
        """The judgement's, unless it is withheld; a partial run cannot pass, and a trial has none."""
        if self.case.settings.trial:
            return Verdict.TRIAL
        return Verdict.INCONCLUSIVE if self.case.partial or self.withheld else self.judgement.verdict

    @property
    def accepted(self) -> bool:
        """Whether the test of this promise passes: of a trial, whether an answer came that could be read."""
        if self.case.settings.trial:
            return self._answered > 0
        return not self.case.partial and not self.withheld and not self.judgement.blocks

    @property
    def breaks(self) -> bool:
        """Whether a build breaks by it: a promise that is not kept, unless the policy lets it be broken."""
        standing = self.case.settings.standing
        return not self.accepted and (standing is None or standing.gates)

    @property
    def note(self) -> Note:
        """What was seen, what was promised, why, and of what is not kept the likeliest cause."""
        return note("verdict", *self._clauses(), verdict=self.verdict.value)

    def _clauses(self) -> Iterator[Note]:
        yield from self.reasons
        if self.case.settings.trial:
            pass  # it tells of the set-up, not of a score
        elif self.case.partial or self.dependent:  # further samples decide neither
            yield self.judgement.so_far
        elif self.reasons:
            yield note("so_far", *self.judgement.note.parts)
        else:
            yield from self.judgement.note.parts
        if not self.accepted and (causes := self.causes):
            yield note("likely_cause", causes[0].note)

    @property
    def sentence(self) -> str:
        """The same in English, in one line."""
        return say(self.note)

    @property
    def reasons(self) -> tuple[Note, ...]:
        """Why the verdict is not the judgement's alone: a part of the problems, what is withheld, what ended asking."""
        if self.case.settings.trial:
            return (self._how_the_trial_went,)
        return tuple(filter(None, (self._why_partial, self.withheld, self.stopped)))

    @property
    def _how_the_trial_went(self) -> Note:
        code = "trial_good" if self.accepted else "trial_without_answer"
        counted = {"samples": len(self.grades), "answered": self._answered, "correct": self.tally["correct"]}
        return note(code, asked=len(self.case.problems), problems=self.case.benchmark.spec.problems, **counted)

    @property
    def _answered(self) -> int:
        """Completions in which an answer was found."""
        return sum(reason not in UNANSWERED for reason in column(self.grades, "reason"))

    @property
    def _why_partial(self) -> Note | None:
        if not self.case.partial:
            return None
        code = "partial_by_limit" if self.case.settings.limit else "partial_by_file"
        return note(code, asked=len(self.case.problems), problems=self.case.benchmark.spec.problems)

    def of_graded(self, name: str) -> Iterator[Any]:
        """One field of the receipt of each grade, in the order of the grades."""
        values = column(self.receipts, name)
        if len(self.grades) == len(self.receipts):  # each has its grade
            return values
        return (value for key, value in zip(self.receipts, values, strict=True) if key in self.grades)

    @property
    def truncated(self) -> frozenset[Key]:
        """The samples that were cut off: by the token limit, inside their thought, or inside their answer's box."""
        finishes, reasons = column(self.receipts, "finish"), column(self.grades, "reason")
        cut = {key for key, finish in zip(self.receipts, finishes, strict=True) if finish is Finish.LENGTH}
        return frozenset(
            cut | {key for key, reason in zip(self.grades, reasons, strict=True) if reason in {"truncated", "cut off"}}
        )

    @property
    def kinds(self) -> dict[str, int]:
        """How many graded completions look like what, the most frequent kind first."""
        kinds = Counter(kind.value for kind in column(self.receipts, "kind") if kind)
        return dict(kinds.most_common())

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The likely causes of wrong answers, the one that can explain most of them first."""
        told = zip(self.grades, column(self.grades, "present_elsewhere"), strict=True)
        elsewhere = {key for key, is_elsewhere in told if is_elsewhere}
        kinds = zip(self.receipts, column(self.receipts, "kind"), strict=True)
        known = [(key, kind in TELLING or key in elsewhere) for key, kind in kinds if kind and key in self.grades]
        telling = [self._seen(key) for key, tells in known if tells]
        of_answers = causes_of(telling, of=len(known), max_tokens=self.case.sampling.max_tokens)
        return most_costly_first((*of_answers, *self._causes_of_groups))

    def _seen(self, key: Key) -> Seen:
        receipt, grade = self.receipts[key], self.grades[key]
        assert receipt.kind, "its text was looked at"
        return Seen(
            kind=receipt.kind,
            correct=grade.outcome is Outcome.CORRECT,
            elsewhere=grade.present_elsewhere,
            prompt_tokens=receipt.prompt_tokens,
            output_tokens=receipt.output_tokens,
        )

    @property
    def _causes_of_groups(self) -> tuple[Cause, ...]:
        """A subject or level that is far off the golden run, where there is one of the same model."""
        golden, case = self.case.reference.counts, self.case
        if golden is None or case.rule.above:
            return ()
        tables = [*zip(self.counts.correct, self.counts.samples, golden.correct, golden.samples, strict=True)]
        return far_off_groups([dict(problem.group) for problem in case.problems], tables)

    @property
    def tally(self) -> dict[str, int]:
        """How the samples ended: by outcome, by the reason of the incorrect, and what came cut off or not at all."""
        outcomes = Counter(column(self.grades, "outcome"))
        reasons = Counter(column(self.grades, "reason"))
        finishes = Counter(column(self.receipts, "finish"))
        return {
            **{str(outcome): outcomes[outcome] for outcome in Outcome},
            **{reason: reasons[reason] for reason in ("truncated", "unanswered", "empty", *NO_ANSWER.values())},
            "cut_off": reasons["cut off"],
            "length_limit": finishes[Finish.LENGTH],
            "failed": finishes[Finish.FAILED],
            "missing": sum(self.counts.samples) - len(self.grades) - finishes[Finish.FAILED],
            "present_not_extracted": sum(column(self.grades, "present_elsewhere")),
        }
