"""Any OpenAI-compatible endpoint, or several of them that serve the same model."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from weakref import WeakKeyDictionary

import orjson

from papergate.endpoints.address import CHAT, Access, Address, root_of
from papergate.endpoints.describe import Served, count_tokens, describe
from papergate.endpoints.event_loop import run_in_loop
from papergate.endpoints.http import CLOSES, Reply, exchange
from papergate.endpoints.pages import IDENTITY
from papergate.endpoints.ranks import header_of, ranks_of
from papergate.endpoints.server_errors import AWAY, quoted, refusal
from papergate.engines.records import Completion, EngineIdentity, Form, Request
from papergate.engines.remote.answer import Answer
from papergate.engines.remote.balance import Balance, Endpoint
from papergate.engines.remote.body import body_of, sent_seed
from papergate.engines.remote.read_batching import ReadBatches
from papergate.engines.remote.stream import Reading, WholeReading
from papergate.engines.remote.timeouts import Patience, Timeouts
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.printable import one_line, secrets_of_environment, without_secrets
from papergate.promises.records import Sampling
from papergate.run_folder.notes import note
from papergate.words import worded

CONCURRENCY = 64
"""Keeps one server busy without a long queue of its own; deployments state theirs."""
NOT_STREAMS = ("text/html", "application/json")
"""What an answer must not be; servers are lax about naming a stream, so every other type is read as one."""
NOT_WHOLE = ("text/html", "text/event-stream")
"""What an answer must not be that no stream was asked for."""
ERROR_BODY_BYTES = 65536
WITH_RANKS = ("vllm", "sglang")
"""How servers name themselves that may have several ranks."""
MINDIE = "MindIE"
"""How its list of models names its owner: MindIE Server."""
PENALTIES = {"repeat_penalty", "presence_penalty", "frequency_penalty", "dry_multiplier"}
"""They change greedy answers too."""
TEMPLATE_CHARACTERS = 200
"""What a chat template writes before the user's turn: marks, and at times a line to the assistant."""


class RemoteEngine:
    """Answers through OpenAI-compatible endpoints; once built, it has seen that each of them serves the model."""

    def __init__(
        self,
        endpoints: Sequence[str],
        model: str,
        *,
        concurrency: int = CONCURRENCY,
        thinks: bool = True,
        ca_file: Path | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
    ) -> None:
        self._model = model
        self._concurrency = concurrency
        self._thinks = thinks
        self._timeouts = timeouts
        self._access, self._secrets = Access.of_environment(ca_file), secrets_of_environment()
        roots = [root_of(endpoint) for endpoint in endpoints]
        self._addresses = {url: Address.of(url, self._access) for url in roots}
        self._served = {url: describe(url, model, self._access) for url in roots}
        _refuse_several_templates(self._served)
        self._ranks = {url: self._ranks_of(url) for url in roots}
        self._balance = Balance(self._ranks)
        self._batches: WeakKeyDictionary[asyncio.AbstractEventLoop, ReadBatches] = WeakKeyDictionary()

    @property
    def model(self) -> str:
        """The name under which the model is served."""
        return self._model

    def only(self, url: str) -> "RemoteEngine":
        """The same model behind one of the endpoints.

        Raises:
            EngineError: it no longer answers.
        """
        return RemoteEngine(
            [url],
            self._model,
            concurrency=self._concurrency,
            thinks=self._thinks,
            ca_file=self._access.ca_file,
            timeouts=self._timeouts,
        )

    @property
    def served(self) -> Mapping[str, Served]:
        """What each endpoint says about itself, by its address."""
        return self._served

    def changed(self) -> Mapping[str, tuple[Served, Served]]:
        """The endpoints that no longer say of themselves what they said when this engine was built: then, and now.

        Raises:
            EngineError: one does not answer.
        """
        now = {url: describe(url, self._model, self._access) for url in self._served}
        return {url: (self._served[url], found) for url, found in now.items() if found != self._served[url]}

    @property
    def access(self) -> Access:
        """How endpoints are reached."""
        return self._access

    @property
    def concurrency(self) -> int:
        """Requests in flight, over all endpoints."""
        return self._concurrency

    def identity(self) -> EngineIdentity:
        """The model by its served name, and what each endpoint says about itself."""
        software = sorted({served.software for served in self._served.values()})
        return EngineIdentity(
            engine="remote",
            version=", ".join(software),
            model=self._model,
            revision=", ".join(sorted({served.root for served in self._served.values() if served.root})),
            template=", ".join(sorted({served.template for served in self._served.values() if served.template})),
            environment={**{f"endpoint {url}": self._in_words(url) for url in self._served}, **self._copies()},
        )

    def check(self, sampling: Sampling, prompts: Sequence[str], form: Form | None = None) -> None:
        """Refuse what cannot give the run's answers, then see each endpoint begin to answer the longest prompt.

        Its first words are thrown away: what counts is that the server took a request like those of the run, and that
        they are not the prompt.

        Raises:
            EngineRefused: with the server's own words.
            EngineError: an endpoint does not answer.
        """
        longest = max(prompts, key=len)
        request = Request(problem="check", sample=0, prompt=longest, sampling=sampling, seed=0, form=form)
        for endpoint in self._balance.endpoints:
            self._check_context(endpoint.url, request)
            self._check_draws(endpoint.url, request)
            try:
                answer, _ = run_in_loop(self._attempt(endpoint, request, only_begin=True))
            except EngineTimeout as error:
                raise worded(EngineTimeout, note("trial_request_unanswered", error=f"{error}")) from error
            _check_words(endpoint.url, answer, request)

    async def complete(self, request: Request) -> Completion:
        """Draw one sample from the least loaded endpoint: one attempt, no retry."""
        with self._balance.lease() as endpoint:
            try:
                answer, patience = await self._attempt(endpoint, request)
            except EngineError as error:
                error.endpoint = endpoint.name
                raise
        assert answer.finish
        return Completion(
            problem=request.problem,
            sample=request.sample,
            seed=sent_seed(request),
            text=without_secrets(answer.text(thinks=self._thinks), self._secrets),
            finish=answer.finish,
            prompt_tokens=answer.prompt_tokens,
            output_tokens=answer.output_tokens,
            finish_reason=_name(answer.finish_reason, self._secrets),
            endpoint=endpoint.name,
            model=_name(answer.model, self._secrets),
            ttft_s=patience.ttft_s,
            e2e_s=patience.e2e_s,
        )

    def _copies(self) -> dict[str, str]:
        """How many copies of the model answer, by the field of a deployment, where every server tells its ranks."""
        ranks = self._ranks.values()
        return {"data_parallel": str(sum(ranks))} if min(ranks) > 1 else {}

    def _ranks_of(self, url: str) -> int:
        heeds = self._served[url].software.lower().startswith(WITH_RANKS)
        return ranks_of(url, self._model, self._access) if heeds else 1

    def _in_words(self, url: str) -> str:
        ranks = self._ranks[url]
        return self._served[url].in_words() + (f", {ranks} ranks, each asked by itself" if ranks > 1 else "")

    def close(self) -> None:
        """Nothing to release: connections end with the event loop that opened them."""

    def _check_context(self, url: str, request: Request) -> None:
        context = self._served[url].context_tokens
        if context is None:
            return
        prompt = count_tokens(url, self._model, request.prompt, self._access)
        asked = 1 if request.form and not request.form.is_bounded else request.sampling.max_tokens
        needed = (prompt or 1) + asked
        if needed > context:
            limits = {"context": context, "prompt": prompt or "?", "max_tokens": asked, "needed": needed}
            raise worded(EngineRefused, note("endpoint_context_short", url=url, **limits))

    def _check_draws(self, url: str, request: Request) -> None:
        others = self._served[url].draws_with
        if others and (request.sampling.temperature or PENALTIES & others.keys()):
            own = ", ".join(f"{name} {value}" for name, value in others.items())
            raise worded(EngineRefused, note("endpoint_draws_otherwise", url=url, settings=own))

    async def _attempt(
        self, endpoint: Endpoint, request: Request, *, only_begin: bool = False
    ) -> tuple[Answer, Patience]:
        """One attempt at one endpoint.

        A connection that breaks after the whole answer was read costs nothing: a whole answer is never asked again. An
        error that the server sends then does count: neither its text nor the text before it can be attributed.
        """
        limits = self._timeouts.of_a_trial() if only_begin else self._timeouts
        streamed = only_begin or request.form is None or request.form.streamed
        patience = Patience(limits if streamed else limits.of_a_whole())
        reading = Reading(patience, self._read_batches(), only_begin=only_begin) if streamed else WholeReading(patience)
        try:
            async with patience, self._reply(endpoint, request, streamed=streamed) as reply:
                await reading.read(reply)
        except (ConnectionError, TimeoutError, EngineError) as error:
            if isinstance(error, EngineError) or not reading.answer.is_whole:
                raise _explained(error, endpoint, patience) from error
        endpoint.answered()
        _refuse_failure(self._served[endpoint.url], reading.answer)
        return reading.answer, patience

    @asynccontextmanager
    async def _reply(self, endpoint: Endpoint, request: Request, *, streamed: bool) -> AsyncIterator[Reply]:
        """The reply that holds an answer, as an open stream or as a whole.

        Raises:
            ConnectionError: there is no connection, or it is lost.
            EngineError: the endpoint answered with something else.
        """
        body = orjson.dumps(body_of(self._model, request, streamed=streamed))
        address = self._addresses[endpoint.url]
        rank = [] if endpoint.rank is None else [header_of(endpoint.rank)]
        asked = address.request("POST", CHAT, body, CLOSES, *rank)
        async with exchange(address, asked, self._timeouts.connect_s) as reply:
            if reply.status in AWAY:
                endpoint.fell_silent()
            others = NOT_STREAMS if streamed else NOT_WHOLE
            if reply.status != HTTPStatus.OK or reply.headers.get("Content-Type", "").lower().startswith(others):
                said = await reply.body(ERROR_BODY_BYTES)
                if reply.status == HTTPStatus.OK and reply.is_framed and not reply.is_over:
                    raise EngineError(f"the answer broke off after {quoted(said)}", transient=True)
                raise refusal(reply.status, reply.headers, said, self._access)
            if (packed := reply.headers.get("Content-Encoding", IDENTITY).lower()) != IDENTITY:
                words = f"compresses streams ({one_line(packed)}), against the request; turn that off in its gateway"
                raise EngineRefused(words)
            yield reply

    def _read_batches(self) -> ReadBatches:
        """The batches of the running event loop."""
        return self._batches.setdefault(asyncio.get_running_loop(), ReadBatches())


@lru_cache(64)  # the same names come with every answer, and looking for secrets costs as much as reading ten tokens
def _name(said: str | None, secrets: tuple[re.Pattern[str], ...]) -> str | None:
    """A name as records may quote it: without secrets and invisible characters."""
    return one_line(without_secrets(said or "", secrets)) or None


def _refuse_failure(served: Served, answer: Answer) -> None:
    """MindIE ends requests that failed as if they had been answered: status 200, `stop`, and no text.

    Raises:
        EngineError: such an answer; a model that ends with its first token looks alike there, and is asked again.
    """
    if served.software.startswith(MINDIE) and answer.finish is not None and not (answer.thought or answer.content):
        raise EngineError(
            f"MindIE ended the request with {answer.finish_reason!r} and no text, as it does where the engine failed: "
            "look at its log for ABORT, EXECUTE_ERROR or ILLEGAL_INPUT (a prompt above maxInputTokenLen)",
            transient=True,
        )


def _check_words(url: str, answer: Answer, request: Request) -> None:
    """Refuse an answer that begins with the prompt: a server took all it was given for the answer.

    Nothing of such an answer can be graded: where the model was cut off, the prompt's own box would be its last.
    """
    said = (answer.thought + answer.content).decode()
    if _squeezed(request.prompt) in _squeezed(said[: len(request.prompt) + TEMPLATE_CHARACTERS]):
        raise worded(EngineRefused, note("endpoint_echoes", url=url))


def _refuse_several_templates(served: Mapping[str, Served]) -> None:
    """Endpoints that share the load must be one deployment, as far as they tell."""
    templates = {each.template for each in served.values() if each.template}
    if len(templates) > 1:
        several = note("endpoints_other_templates", urls=", ".join(served), templates=len(templates))
        raise worded(EngineRefused, several)


def _squeezed(text: str) -> str:
    """Without white space, which templates trim."""
    return "".join(text.split())


def _explained(error: Exception, endpoint: Endpoint, patience: Patience) -> EngineError:
    """The error of an attempt, with the endpoint it came from."""
    if isinstance(error, EngineError):
        said = f"{endpoint.url}: {error}"
        return type(error)(said, transient=error.transient, retry_after_s=error.retry_after_s)
    if isinstance(error, ConnectionError):
        endpoint.fell_silent()
        return EngineError(f"{endpoint.url}: the connection failed: {error}", transient=True)
    return EngineTimeout(f"{endpoint.url}: {patience.limit()[1]}", transient=True)
