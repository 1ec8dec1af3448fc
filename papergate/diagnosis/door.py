"""Short requests to one server for a preflight: not streamed, with log-probabilities where it has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from papergate.endpoints.address import Access
from papergate.endpoints.pages import pages_of
from papergate.errors import EngineError
from papergate.printable import one_line

LOGPROBS = 20
"""Best tokens at each place; the most that common servers give."""
REPLY_S = 120.0
"""A short answer of a busy server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Short:
    """A short answer."""

    text: str
    finish: str | None
    output_tokens: int | None
    tokens: tuple[str, ...] = ()
    """Names of the tokens, where log-probabilities came."""
    best: tuple[Mapping[str, float], ...] = ()
    """At each token the best ones and the drawn one, with their natural log-probabilities."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """One server and the model it is asked for."""

    url: str
    model: str
    access: Access

    def chat(self, prompt: str, **fields: Any) -> Short:  # noqa: ANN401 - the body's own fields
        """The answer to ``prompt`` through the chat route.

        Raises:
            EngineError: the server does not answer, or with something else.
        """
        choice, usage = self._ask("/v1/chat/completions", messages=[{"role": "user", "content": prompt}], **fields)
        message, listed = _object(choice.get("message")), _object(choice.get("logprobs")).get("content")
        thought = message.get("reasoning_content") or message.get("reasoning") or ""
        rows = [_object(row) for row in listed] if isinstance(listed, list) else []
        return Short(
            text=f"{thought}{message.get('content') or ''}",
            finish=choice.get("finish_reason"),
            output_tokens=usage,
            tokens=tuple(str(row.get("token")) for row in rows),
            best=tuple(_best(row, row.get("top_logprobs")) for row in rows),
        )

    def continued(self, prompt: list[int], **fields: Any) -> Short:  # noqa: ANN401 - the body's own fields
        """What follows ``prompt``, token ids, through the completions route.

        Raises:
            EngineError: the server does not answer, or has no such route.
        """
        choice, usage = self._ask("/v1/completions", prompt=prompt, **fields)
        logprobs = _object(choice.get("logprobs"))
        tokens, listed = logprobs.get("tokens") or [], logprobs.get("top_logprobs") or []
        return Short(
            text=str(choice.get("text") or ""),
            finish=choice.get("finish_reason"),
            output_tokens=usage,
            tokens=tuple(map(str, tokens)),
            best=tuple({str(name): float(value) for name, value in _object(row).items()} for row in listed),
        )

    def token_ids(self, prompt: str) -> list[int] | None:
        """The prompt with the chat template as token ids; None where the server cannot tell."""
        body = {"model": self.model, "messages": [{"role": "user", "content": prompt}], "add_generation_prompt": True}
        with pages_of(self.url, self.access) as pages:
            found = pages.post("/tokenize", body).fields.get("tokens")
        return found if isinstance(found, list) and all(isinstance(each, int) for each in found) else None

    def _ask(self, path: str, **fields: Any) -> tuple[dict[str, Any], int | None]:  # noqa: ANN401
        """The first choice, and the output tokens that were counted."""
        with pages_of(self.url, self.access, page_s=REPLY_S) as pages:
            page = pages.post(path, {"model": self.model, **fields})
        choices = page.fields.get("choices")
        if not isinstance(choices, list) or not choices:
            kind = one_line(page.headers.get("Content-Type", "no content type"))
            raise EngineError(f"{path} answered {page.status} ({kind}) without choices")
        counted = _object(page.fields.get("usage")).get("completion_tokens")
        return _object(choices[0]), counted if isinstance(counted, int) else None


def _best(row: Mapping[str, Any], listed: object) -> dict[str, float]:
    """The listed tokens, and the drawn one."""
    found = {str(each.get("token")): float(each["logprob"]) for each in listed} if isinstance(listed, list) else {}
    return found | ({str(row.get("token")): float(row["logprob"])} if "logprob" in row else {})


def _object(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
