"""A few hundred short requests before a run is paid for: is this deployment set up as the run needs it?

Each check ends ``ok``, ``failed`` where the run would not measure what it promises, ``noted`` where a reader must know
it, or ``unknown`` where it could not be checked.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from papergate import __version__
from papergate.diagnosis.bearing import UNBEARABLE
from papergate.diagnosis.causes import DAMAGE
from papergate.diagnosis.door import Door, Untold, again
from papergate.diagnosis.kinds import kind_of
from papergate.diagnosis.places import Place, draws_at, places_of, token_at
from papergate.diagnosis.sampling import (
    ONE_DRAW,
    OTHER_DISTRIBUTION,
    Draw,
    Setting,
    alternatives,
    evidence,
    explains,
    is_one_draw,
    misfit,
    outside,
)
from papergate.endpoints.describe import Served, count_tokens
from papergate.endpoints.event_loop import run_in_loop
from papergate.engines.records import Completion, Finish, Request
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import EngineError, EngineRefused
from papergate.promises.records import Sampling
from papergate.run_folder.preflight import Check, PreflightRecord, State, checked
from papergate.thoughts import ThoughtMarks

DRAWS = 100
"""At each of two places: enough for every setting that servers are known to use in place of another."""
ALPHA = 0.01
"""Chance at most that an honest sampler is called dishonest, over all tests together."""
SHORT = 8
"""Tokens of an answer that the server must cut off."""
GREEDY_TOKENS = 64
"""Of a text that is compared with another."""
FEW_TOKENS = 32
"""Of an answer: of fewer no speed can be told."""
SAME_SEEDS = 12
"""Pairs of requests with one seed each."""
MOST_PAIRS = 8
"""Prompts that two seeds draw an answer to, until two texts differ."""
MOST_AT_ONCE = 64
"""Requests that are sent together to see whether the server takes them together."""
BYTES_PER_TOKEN = (0.8, 12.0)
"""Of a whole answer; healthy texts have 1.9 to 5, a small vocabulary or another script shifts it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is checked, and how the run will ask."""

    deployment: str
    engine: RemoteEngine
    sampling: Sampling
    prompts: Sequence[str]
    """User turns of the benchmark."""
    thinks: bool
    concurrency: int
    marks: ThoughtMarks | None = None
    """The model's own marks of its thought, beside the known ones."""
    most_tokens: int | None = None
    """Output tokens that the deployment gives at most, where that is fewer than are asked for."""
    ends_after_s: float | None = None
    """When the server ends an answer by itself, where the deployment says so."""
    failed: list[str] = field(default_factory=list)
    """What was said of requests that were answered when they were sent again."""

    @property
    def door(self) -> Door:
        """The server, where it is one, for short requests."""
        (url,) = self.engine.served
        return Door(url=url, model=self.engine.model, access=self.engine.access, failed=self.failed)

    @property
    def short(self) -> str:
        """The prompt with the shortest text."""
        return min(self.prompts, key=len)

    @property
    def setting(self) -> Setting:
        """The declared way to draw."""
        return Setting(temperature=float(self.sampling.temperature), top_p=float(self.sampling.top_p))


def preflight(subject: Subject) -> PreflightRecord:
    """Every check, in an order in which the cheapest come first; a server that does not answer fails the check."""
    began = time.monotonic()
    checks = list(_checked(subject, _OF_ALL))
    for url in subject.engine.served:
        alone = replace(subject, engine=subject.engine.only(url), failed=[])
        checks += [check.model_copy(update={"server": url}) for check in _checked(alone, _OF_EACH)]
    return PreflightRecord(
        deployment=subject.deployment,
        checks=tuple(checks),
        seconds=round(time.monotonic() - began, 1),
        papergate=__version__,
    )


def _checked(subject: Subject, checks: Iterable[Callable[[Subject], Iterable[Check]]]) -> Iterator[Check]:
    for each in checks:
        try:
            yield from each(subject)
        except EngineError as error:
            yield checked("no_answer", "failed", check=each.__name__, said=str(error))
    if subject.failed:
        yield checked("asked_again", "noted", count=len(subject.failed), said=subject.failed[-1])


def endpoints(subject: Subject) -> Iterator[Check]:
    """Whether the servers are one deployment, as far as they tell."""
    served = subject.engine.served
    told: Mapping[str, Callable[[Served], object]] = {
        "weights": lambda one: one.root,
        "version": lambda one: one.software,
        "context": lambda one: one.context_tokens,
        "template": lambda one: one.template,
    }
    said = {name: [tell(one) for one in served.values()] for name, tell in told.items()}
    longest = max(subject.prompts, key=len)
    said["prompt tokens"] = [count_tokens(url, subject.engine.model, longest, subject.engine.access) for url in served]
    # a server that keeps something to itself differs from none
    known = {name: [str(value) for value in found if value] for name, found in said.items()}
    differ = {name: found for name, found in known.items() if len(set(found)) > 1}
    if differ:
        yield checked("endpoints", "failed", differ=differ)
    else:
        yield checked("endpoints", "ok", count=len(served))


def whole_answer(subject: Subject) -> Iterator[Check]:
    """One answer as the run will ask for it."""
    done = _complete(subject, subject.short)
    kind = kind_of(done, thinks=subject.thinks, prompt=subject.short, marks=subject.marks)
    cause = DAMAGE[kind].value if kind in DAMAGE else None
    state: State = "failed" if kind in UNBEARABLE else "noted" if cause else "ok"
    yield checked("whole_answer", state, kind=kind.value, cause=cause, tokens=done.output_tokens)
    yield _tokens_fit(done)
    if subject.ends_after_s:
        yield _in_time(subject, done, subject.ends_after_s)


def _in_time(subject: Subject, done: Completion, ends_after_s: float) -> Check:
    """Whether the longest answer fits the server's own time-out, at the speed of one request alone."""
    tokens = min(subject.sampling.max_tokens, subject.most_tokens or sys.maxsize)
    needed = tokens / ends_after_s
    values = {"ends_after_s": ends_after_s, "tokens": tokens, "needed": round(needed, 1)}
    spent_s = (done.e2e_s or 0.0) - (done.ttft_s or 0.0)
    if not done.output_tokens or done.output_tokens < FEW_TOKENS or spent_s <= 0:
        return checked("time_out", "unknown", **values)
    seen = (done.output_tokens - 1) / spent_s
    return checked("time_out", "ok" if seen >= needed else "noted", seen=round(seen, 1), **values)


def _tokens_fit(done: Completion) -> Check:
    if done.output_tokens is None:
        return checked("token_counts", "noted", reason="absent")
    ratio = len((done.text or "").encode()) / max(done.output_tokens, 1)
    fits = BYTES_PER_TOKEN[0] <= ratio <= BYTES_PER_TOKEN[1] or done.finish is Finish.LENGTH
    return checked("token_counts", "ok" if fits else "noted", tokens=done.output_tokens, ratio=round(ratio, 2))


def limit(subject: Subject) -> Iterator[Check]:
    """Whether an answer ends where the server is told to end it."""
    try:
        done = _complete(subject, subject.short, max_tokens=SHORT)
    except EngineError as error:  # so few tokens may hold no text; whether it answers at all, the whole answer tells
        yield checked("limit", "unknown", reason="no-answer", said=str(error))
        return
    if done.output_tokens is None:
        yield checked("limit", "unknown", reason="uncounted")
    elif done.output_tokens <= SHORT and done.finish is not Finish.LENGTH:
        yield checked("limit", "unknown", reason="short")
    elif done.output_tokens > SHORT:
        yield checked("limit", "failed", asked=SHORT, tokens=done.output_tokens, finish=done.finish_reason)
    else:
        yield checked("limit", "ok", asked=SHORT)


def greedy(subject: Subject) -> Iterator[Check]:
    """Whether temperature 0 repeats itself, streamed or not."""
    fields = {"temperature": 0, "max_tokens": GREEDY_TOKENS}
    try:
        texts = {_complete(subject, subject.short, **fields).text or "" for _ in range(REPEATS)}
    except EngineRefused as error:  # no run needs temperature 0 to be taken
        yield checked("greedy", "unknown", said=str(error))
        return
    if len(texts) > 1:
        yield checked("greedy", "noted", texts=len(texts), repeats=REPEATS)
        return
    yield checked("greedy", "ok", repeats=REPEATS)
    try:
        whole = subject.door.chat(subject.short, **fields)
    except EngineError as error:
        yield checked("streaming", "unknown", said=str(error))
    else:
        yield checked("streaming", "ok" if _bare(whole) == _bare(next(iter(texts))) else "noted")


REPEATS = 3
"""Of one answer at temperature 0."""


def _bare(text: str) -> str:
    """A text without marks of the thought and white space."""
    return "".join(text.replace("<think>", "").replace("</think>", "").split())


def sampling(subject: Subject) -> Iterator[Check]:
    """Whether temperature and top_p are those that are asked for, and whether a seed decides its draw."""
    if not subject.sampling.temperature:
        return
    try:
        yield from _at_places(subject.door, sorted(subject.prompts, key=len), subject.setting)
    except Untold as untold:
        yield checked("sampling", "unknown", reason=untold.reason)
        yield _draws(subject)


def _at_places(door: Door, prompts: Sequence[str], setting: Setting) -> tuple[Check, Check]:
    places = places_of(door, prompts, setting)
    draws = [
        draw
        for number, place in enumerate(places)
        for draw in draws_at(door, place, setting, seeds=range(number * DRAWS, (number + 1) * DRAWS))
    ]
    return _judged(draws, setting), _seeds(door, places[0], setting)


def _draws(subject: Subject) -> Check:
    """Whether two seeds draw two texts at a high temperature. This needs no log-probabilities."""
    prompts = sorted(subject.prompts, key=len)[:MOST_PAIRS]
    values = {"pairs": len(prompts), "temperature": HOT["temperature"]}
    try:
        differ = any(_hot(subject, prompt, seed=1) != _hot(subject, prompt, seed=2) for prompt in prompts)
    except EngineError as error:
        return checked("draws", "unknown", said=str(error), **values)
    return checked("draws", "ok" if differ else "noted", **values)


def _hot(subject: Subject, prompt: str, *, seed: int) -> str | None:
    request = _request(subject, prompt, max_tokens=GREEDY_TOKENS, **HOT)
    return _answered(subject, replace(request, seed=seed)).text


HOT = {"temperature": 2, "top_p": 1}
"""The most that servers take. The embedded model is sure of nearly every token: it then gave two texts to each of 48
prompts, and at temperature 0.6 to 11 of them."""


def _judged(draws: Sequence[Draw], setting: Setting) -> Check:
    """Three tests that share the error: tokens outside the nucleus, the alternatives, any other misfit."""
    values: dict[str, Any] = {"draws": len(draws), "temperature": setting.temperature, "top_p": setting.top_p}
    e_values = evidence(draws, setting)
    name, best = max(e_values.items(), key=lambda found: found[1])
    clear = best >= 2 * len(e_values) / ALPHA or outside(draws, setting) or misfit(draws, setting) <= ALPHA / 2
    if not clear:
        return checked("sampling", "ok", **values)
    if is_one_draw(draws):
        name = ONE_DRAW
    elif not explains(draws, alternatives(setting)[name], alpha=ALPHA):
        name = OTHER_DISTRIBUTION
    return checked("sampling", "failed", seen=name, **values)


def _seeds(door: Door, place: Place, setting: Setting) -> Check:
    """Whether a seed decides its draw; where it does not, a run cannot be repeated, and its score is as good."""
    pairs = [(token_at(door, place, setting, seed), token_at(door, place, setting, seed)) for seed in range(SAME_SEEDS)]
    differ = sum(one != other for one, other in pairs)
    return checked("seeds", "noted" if differ else "ok", differ=differ, pairs=SAME_SEEDS)


def concurrency(subject: Subject) -> Iterator[Check]:
    """Whether requests that are sent together are answered together."""
    count = min(subject.concurrency, MOST_AT_ONCE)
    if count < FEWEST_AT_ONCE:
        return
    alone_s = _together_s(subject, 1)
    together_s = _together_s(subject, count)
    values = {"count": count, "alone_s": round(alone_s, 2), "together_s": round(together_s, 2)}
    in_turn = together_s > alone_s * count * IN_TURN
    yield checked("concurrency", "noted" if in_turn else "ok", **values)


FEWEST_AT_ONCE = 4
IN_TURN = 0.8
"""Share of the time that as many requests take one after the other, from which on they were answered so."""


def _together_s(subject: Subject, count: int) -> float:
    request = _request(subject, subject.short, max_tokens=GREEDY_TOKENS)

    async def all_of_them() -> list[Completion | BaseException]:
        asked = (subject.engine.complete(replace(request, seed=seed)) for seed in range(count))
        return await asyncio.gather(*asked, return_exceptions=True)

    began = time.monotonic()
    found = run_in_loop(all_of_them())
    spent_s = time.monotonic() - began
    errors = [each for each in found if isinstance(each, BaseException)]
    lasting = [each for each in errors if not (isinstance(each, EngineError) and each.transient)]
    if lasting or len(errors) == count:  # a few that fail do not hide whether the others were answered together
        raise (lasting or errors)[0]
    return spent_s


def _complete(subject: Subject, prompt: str, **changes: Any) -> Completion:  # noqa: ANN401 - fields of a sampling
    """One answer as the run asks for it, but for ``changes`` of the sampling."""
    return _answered(subject, _request(subject, prompt, **changes))


def _answered(subject: Subject, request: Request) -> Completion:
    return again(lambda: run_in_loop(subject.engine.complete(request)), subject.failed)


def _request(subject: Subject, prompt: str, **changes: Any) -> Request:  # noqa: ANN401 - fields of a sampling
    drawn = subject.sampling.model_copy(update=changes)
    return Request(problem="preflight", sample=0, prompt=prompt, sampling=drawn, seed=0)


_OF_ALL = (endpoints, concurrency)
_OF_EACH = (limit, whole_answer, greedy, sampling)
