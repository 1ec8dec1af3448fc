"""Who tells log-probabilities of given answers: a server, by whichever route it has, or a model in this process."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from math import isfinite
from typing import Any, Protocol

from papergate.diagnosis.door import LOGPROBS, Door, Untold
from papergate.diagnosis.places import BY_ID, TOKEN_ID
from papergate.endpoints.pages import list_of, object_of
from papergate.engines.in_process.huggingface import HuggingFaceEngine
from papergate.engines.records import Logprobs, Request
from papergate.errors import EngineError, EngineTimeout
from papergate.promises.records import Sampling

Given = tuple[Sequence[int], Sequence[int]]
"""Token ids of a prompt, and of its answer."""
TOGETHER = 16
"""Requests in flight: a batch of a usual size is visited too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """A greedy answer."""

    text: str
    ids: tuple[int, ...] | None = None
    """Its tokens, where they were told; the one that ended it may be missing."""
    cut: bool = False
    """Whether a limit ended it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """An answer that was drawn."""

    ids: tuple[int, ...]
    """The token that ended it included."""
    ended: bool
    """False where the limit cut it off."""


class Reader(Protocol):
    """One deployment, as it is compared."""

    @property
    def server(self) -> str | None:
        """Its address; None in this process."""

    def prompt_ids(self, prompt: str) -> Sequence[int] | None:
        """A user turn with the chat template as token ids; None where it cannot be told."""

    def plain_ids(self, text: str) -> Sequence[int] | None:
        """A text without chat template as token ids; None where it cannot be told."""

    def read(self, given: Sequence[Given], *, temperature: float = 1.0) -> list[list[Logprobs]]:
        """Log-probabilities of the answers' tokens; where only the given token's are told, rows of one.

        Raises:
            Untold: there is no route that tells them.
            EngineError: the server does not answer.
        """

    def greedy(self, asked: Sequence[tuple[str, int]]) -> list[Spoken]:
        """The answer to each user turn at temperature 0, of so many tokens at most.

        Raises:
            EngineError: the server does not answer, or refuses temperature 0.
        """

    def draw(self, prompts: Sequence[str], sampling: Sampling) -> list[Drawn]:
        """An answer to each user turn, token by token, with a seed of its own.

        Raises:
            Untold: it does not tell the numbers of its tokens.
            EngineError: the server does not answer.
        """

    def texts(self) -> Mapping[int, str]:
        """The texts of tokens that were told on the way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerReader:
    """A server behind a door."""

    door: Door
    together: int = TOGETHER
    _texts: dict[int, str] = field(default_factory=dict)

    @property
    def server(self) -> str:
        """Its address."""
        return self.door.url

    def prompt_ids(self, prompt: str) -> Sequence[int] | None:
        """As `/tokenize` of vLLM tells."""
        return self.door.token_ids(prompt)

    def plain_ids(self, text: str) -> Sequence[int] | None:
        """As `/tokenize` of vLLM tells."""
        return self.door.plain_ids(text)

    def texts(self) -> Mapping[int, str]:
        """Of tokens that came with their text."""
        return self._texts

    def read(self, given: Sequence[Given], *, temperature: float = 1.0) -> list[list[Logprobs]]:
        """By ``prompt_logprobs``, or by ``echo``; the first answer shows which route there is."""
        first, route = self._route(given[0], temperature)
        return [first, *self._each(lambda one: route(one, temperature), given[1:])]

    def greedy(self, asked: Sequence[tuple[str, int]]) -> list[Spoken]:
        """Through the chat route, with its template.

        One token of each answer is asked for before: a run asks every prompt many times, so what counts is what a cache
        of prompts gives from the second time on.
        """
        self._each(self._greedy, [(prompt, 1) for prompt, _ in asked])
        return self._each(self._greedy, asked)

    def draw(self, prompts: Sequence[str], sampling: Sampling) -> list[Drawn]:
        """Through the completions route, which names tokens by their numbers."""
        return self._each(partial(self._draw, sampling), [*enumerate(prompts)])

    def _draw(self, sampling: Sampling, numbered: tuple[int, str]) -> Drawn:
        seed, prompt = numbered
        if (ids := self.door.token_ids(prompt)) is None:
            raise Untold("no-tokenizer")
        drawn = {"temperature": float(sampling.temperature), "top_p": float(sampling.top_p), "seed": seed}
        choice = self.door.ask("/v1/completions", prompt=ids, max_tokens=sampling.max_tokens, **drawn, **BY_ID)
        names = list_of(object_of(choice.get("logprobs")).get("tokens"))
        numbers = _numbers(names)
        if not numbers:
            raise Untold("no-log-probabilities")
        return Drawn(ids=numbers, ended=choice.get("finish_reason") == "stop")

    def _each(self, do: Callable[[Any], Any], all_of: Sequence[Any]) -> list[Any]:
        with ThreadPoolExecutor(max_workers=self.together) as pool:
            return list(pool.map(do, all_of))

    def _route(self, given: Given, temperature: float) -> tuple[list[Logprobs], Callable[..., list[Logprobs]]]:
        said: EngineError | None = None
        for route in (self._by_prompt_logprobs, self._by_echo):
            try:
                if rows := route(given, temperature):
                    return rows, route
            except EngineTimeout:
                raise
            except EngineError as error:
                said = error
        if said is not None and said.transient:
            raise said
        raise Untold("no-log-probabilities") from said

    def _by_prompt_logprobs(self, given: Given, temperature: float) -> list[Logprobs]:
        prompt, answer = given
        choice = self.door.ask("/v1/completions", **_whole(given, temperature), max_tokens=1, prompt_logprobs=LOGPROBS)
        told = list_of(choice.get("prompt_logprobs"))[len(prompt) :]
        rows = [self._row(each) for each in told]
        return _checked(rows, answer)

    def _row(self, told: object) -> Logprobs:
        row: dict[int, float] = {}
        for name, entry in object_of(told).items():
            value = object_of(entry).get("logprob")
            if name.isdecimal() and isinstance(value, int | float) and isfinite(value):
                row[int(name)] = float(value)
                if isinstance(text := object_of(entry).get("decoded_token"), str):
                    self._texts.setdefault(int(name), text)
        return row

    def _by_echo(self, given: Given, temperature: float) -> list[Logprobs]:
        prompt, answer = given
        choice = self.door.ask("/v1/completions", **_whole(given, temperature), max_tokens=1, echo=True, **BY_ID)
        told = object_of(choice.get("logprobs"))
        own, best = list_of(told.get("token_logprobs")), list_of(told.get("top_logprobs"))
        if len(own) < len(prompt) + len(answer):
            return []
        best = best if len(best) == len(own) else [None] * len(own)
        rows = [_echoed(*each) for each in zip(answer, own[len(prompt) :], best[len(prompt) :], strict=False)]
        return _checked(rows, answer)

    def _greedy(self, asked: tuple[str, int]) -> Spoken:
        prompt, most = asked
        fields: dict[str, Any] = {"messages": [{"role": "user", "content": prompt}], "temperature": 0}
        fields |= {"max_tokens": most, "seed": 0}
        try:
            choice = self.door.ask("/v1/chat/completions", **fields, logprobs=True, return_tokens_as_token_ids=True)
        except EngineTimeout:
            raise
        except EngineError:  # log-probabilities may be what it does not take
            choice = self.door.ask("/v1/chat/completions", **fields)
        message = object_of(choice.get("message"))
        thought = message.get("reasoning_content") or message.get("reasoning") or ""
        content = list_of(object_of(choice.get("logprobs")).get("content"))
        ids = _numbers([object_of(each).get("token") for each in content])
        text = f"{thought}{message.get('content') or ''}"
        return Spoken(text=text, ids=ids or None, cut=choice.get("finish_reason") == "length")


def _whole(given: Given, temperature: float) -> dict[str, Any]:
    return {"prompt": [*given[0], *given[1]], "temperature": temperature, "seed": 0}


def _numbers(names: Sequence[object]) -> tuple[int, ...]:
    """Token ids by names such as ``token_id:17``; none where one is no such name."""
    found = [str(name).removeprefix(TOKEN_ID) for name in names if str(name).startswith(TOKEN_ID)]
    return tuple(map(int, found)) if len(found) == len(names) and all(map(str.isdecimal, found)) else ()


def _echoed(token: int, own: object, best: object) -> Logprobs:
    if not isinstance(own, int | float) or not isfinite(own):
        return {}
    named = {str(name).removeprefix(TOKEN_ID): value for name, value in object_of(best).items()}
    told = all(name.isdecimal() and isinstance(value, int | float) for name, value in named.items())
    listed = {int(name): float(value) for name, value in named.items()} if told else {}
    return {**listed, token: float(own)}


def _checked(rows: list[Logprobs], answer: Sequence[int]) -> list[Logprobs]:
    """The rows, where there is one for each token of the answer; else none."""
    rows = rows[: len(answer)]
    whole = len(rows) == len(answer) and all(token in row for token, row in zip(answer, rows, strict=True))
    return rows if whole else []


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelReader:
    """A model in this process, read as it draws: token by token, through its own attention."""

    engine: HuggingFaceEngine

    @property
    def server(self) -> None:
        """None: there is no server."""

    def prompt_ids(self, prompt: str) -> Sequence[int]:
        """By the model's own tokenizer."""
        return self.engine.prompt_ids(prompt)

    def plain_ids(self, text: str) -> Sequence[int]:
        """By the model's own tokenizer."""
        return self.engine.plain_ids(text)

    def texts(self) -> Mapping[int, str]:
        """None are needed: tokens have their numbers."""
        return {}

    def read(self, given: Sequence[Given], *, temperature: float = 1.0) -> list[list[Logprobs]]:
        """Before any temperature."""
        del temperature
        return self.engine.read(given)

    def greedy(self, asked: Sequence[tuple[str, int]]) -> list[Spoken]:
        """As the engine draws."""
        requests = [_request(prompt, GREEDY.model_copy(update={"max_tokens": most})) for prompt, most in asked]
        return [Spoken(text="", ids=tuple(ids)) for ids in self.engine.draw_ids(requests)]

    def draw(self, prompts: Sequence[str], sampling: Sampling) -> list[Drawn]:
        """As the engine draws."""
        requests = [_request(prompt, sampling, seed) for seed, prompt in enumerate(prompts)]
        ends = self.engine.ends
        return [Drawn(ids=tuple(ids), ended=ids[-1] in ends) for ids in self.engine.draw_ids(requests)]


GREEDY = Sampling(temperature=Decimal(0), top_p=Decimal(1), max_tokens=1)


def _request(prompt: str, sampling: Sampling, seed: int = 0) -> Request:
    """A request outside any run."""
    return Request(problem="drift", sample=seed, prompt=prompt, sampling=sampling, seed=seed)
