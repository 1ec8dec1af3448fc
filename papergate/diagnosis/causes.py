"""Why a score may be low: kinds of completions that are more frequent than healthy ones, and where they point."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, log
from typing import Any

from papergate.diagnosis.kinds import Kind
from papergate.run_folder.notes import Note, note

HEALTHY_RATE = 0.005
"""Share of healthy answers that one kind of damage takes at most; measured: loops 3 in 3,483, other kinds none."""
FALSE_ALARM = 0.001
"""Chance at most that a kind of damage is named although its rate is healthy."""
SAME_LENGTH = 0.8
"""Share of the answers that were cut off which must end at one token count, for that count to be a limit."""
FEWEST_CUT = 3
"""Answers that must end at one token count."""


class CauseCode(StrEnum):
    """What may have caused a low score: names for machines, which stay."""

    SERVER_CAP = "server-cap"
    """The server ends answers before the limit that was asked for."""
    CONTEXT_CAP = "context-cap"
    """The server ends answers where prompt and answer together fill its context."""
    TOKEN_LIMIT = "token-limit"  # noqa: S105 - no password
    """Answers reach the limit that the run itself asks for."""
    STOP_STRING = "stop-string"
    """Answers end of themselves inside the thought."""
    LOOPS = "loops"
    GARBLED = "garbled"
    OTHER_LANGUAGE = "other-language"
    EMPTY_ANSWERS = "empty-answers"
    THOUGHT_LOST = "thought-lost"
    MARK_LOST = "mark-lost"
    NO_THOUGHT = "no-thought"
    ANSWER_LOST = "answer-lost"
    REFUSALS = "refusals"
    SERVER_FILTER = "server-filter"
    SERVER_ENDED = "server-ended"
    ANSWER_ELSEWHERE = "answer-elsewhere"
    """The right answer stands behind the thought, where it is not read as the answer."""
    ONE_GROUP = "one-group"
    """The problems of one subject or level lost far more against the golden run than all others."""


DAMAGE = {
    Kind.STOPPED_IN_THOUGHT: CauseCode.STOP_STRING,
    Kind.LOOP: CauseCode.LOOPS,
    Kind.GARBLED: CauseCode.GARBLED,
    Kind.FOREIGN: CauseCode.OTHER_LANGUAGE,
    Kind.EMPTY: CauseCode.EMPTY_ANSWERS,
    Kind.THOUGHT_LOST: CauseCode.THOUGHT_LOST,
    Kind.MARK_LOST: CauseCode.MARK_LOST,
    Kind.THOUGHT_MISSING: CauseCode.NO_THOUGHT,
    Kind.ANSWER_MISSING: CauseCode.ANSWER_LOST,
    Kind.REFUSED: CauseCode.REFUSALS,
    Kind.FILTERED: CauseCode.SERVER_FILTER,
    Kind.ENDED: CauseCode.SERVER_ENDED,
}
"""Kinds that a healthy deployment hardly ever shows. A cut answer is none: hard problems have them everywhere."""
_CUT = (Kind.CUT_IN_THOUGHT, Kind.CUT_IN_ANSWER, Kind.STOPPED_IN_THOUGHT)
TELLING = frozenset({*DAMAGE, *_CUT})
"""Kinds of damage that can be named as a cause."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One completion without its text: what a cause is told from."""

    kind: Kind
    correct: bool
    elsewhere: bool = False
    """Whether the right answer stands behind the thought, and another was read or none."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Prompt and answer together, where both were counted."""
        return self.prompt_tokens + self.output_tokens if self.prompt_tokens and self.output_tokens else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """One likely cause, with its evidence."""

    code: CauseCode
    count: int
    """Completions that show it."""
    wrong: int
    """Of these, the ones that are not correct: what it can have cost at most."""
    of: int
    """Completions in all."""
    tokens: int | None = None
    """Where answers end, of a limit."""
    asked: int | None = None
    """The limit that the run asked for."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What the sentence of this code states beside."""

    @property
    def note(self) -> Note:
        """The cause as a record: its code and values."""
        return note(
            f"cause_{self.code}",
            count=self.count,
            wrong=self.wrong,
            of=self.of,
            percent=percent(self.count / self.of),
            tokens=self.tokens,
            asked=self.asked,
            **self.more,
        )


def causes_of(seen: Sequence[Seen], *, max_tokens: int, of: int | None = None) -> tuple[Cause, ...]:
    """The likely causes of wrong answers, the one that can explain most of them first; empty where none stands out.

    Args:
        seen: The completions that came, or those of them that tell something.
        max_tokens: The output limit that the run asked for, in tokens.
        of: How many came; None for as many as were seen.
    """
    of = len(seen) if of is None else of
    limit, ended = _limit(seen, of, max_tokens)
    rest = [each for number, each in enumerate(seen) if number not in ended]
    kinds = ((code, [each for each in rest if each.kind is kind]) for kind, code in DAMAGE.items())
    signs = (*kinds, (CauseCode.ANSWER_ELSEWHERE, [each for each in seen if each.elsewhere]))
    found = [cause for code, those in signs if (cause := _damage(those, code, of))]
    return most_costly_first([*([limit] if limit else []), *found])


def most_costly_first(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """The causes, the one that can explain most wrong answers first."""
    return tuple(sorted(causes, key=lambda cause: -cause.wrong))


def percent(share: float) -> float:
    """A share in whole percent from ten on, in tenths below."""
    return round(100 * share, 0 if share >= 0.1 else 1)  # noqa: PLR2004 - two digits


def tail_bound(count: int, of: int, rate: float) -> float:
    """Chance at most of ``count`` or more in ``of`` independent draws at ``rate`` (Chernoff): exp(-n KL(c/n, rate))."""
    share = count / of
    if share <= rate:
        return 1.0
    divergence = share * log(share / rate) + ((1 - share) * log((1 - share) / (1 - rate)) if share < 1 else 0.0)
    return exp(-of * divergence)


def _damage(those: Sequence[Seen], code: CauseCode, of: int) -> Cause | None:
    """A sign of damage, where more answers have it than healthy ones."""
    if not those or tail_bound(len(those), of, HEALTHY_RATE) > FALSE_ALARM:
        return None
    return Cause(code=code, count=len(those), wrong=_wrong(those), of=of)


def _limit(seen: Sequence[Seen], of: int, max_tokens: int) -> tuple[Cause | None, frozenset[int]]:
    """The one token count at which answers, of so many, are cut off, and which of ``seen`` those are."""
    cut = {number: each for number, each in enumerate(seen) if each.kind in _CUT}
    outputs = _most_common({number: each.output_tokens for number, each in cut.items()})
    totals = _most_common({number: each.total_tokens for number, each in cut.items()})
    tokens, ended = max(outputs, totals, key=lambda found: len(found[1]))
    if len(ended) < max(FEWEST_CUT, SAME_LENGTH * len(cut)):
        return None, frozenset()
    if (tokens, ended) == totals and totals != outputs:
        code = CauseCode.CONTEXT_CAP
    else:
        code = CauseCode.SERVER_CAP if tokens < max_tokens else CauseCode.TOKEN_LIMIT
    wrong = _wrong(seen[number] for number in ended)
    cause = Cause(code=code, count=len(ended), wrong=wrong, of=of, tokens=tokens, asked=max_tokens)
    return cause, ended


def _most_common(lengths: dict[int, int | None]) -> tuple[int, frozenset[int]]:
    """The most frequent length, and who has it."""
    counted = Counter(length for length in lengths.values() if length)
    if not counted:
        return 0, frozenset()
    most = counted.most_common(1)[0][0]
    return most, frozenset(number for number, length in lengths.items() if length == most)


def _wrong(seen: Iterable[Seen]) -> int:
    return sum(not each.correct for each in seen)
