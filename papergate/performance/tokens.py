"""How many tokens a prompt or an answer has, asked of whoever knows."""

from collections.abc import Callable
from dataclasses import dataclass

import requests

from papergate.engines.access import Access, proxy_for
from papergate.engines.control import CONTROL_TIMEOUT_S, count_tokens
from papergate.errors import EngineError, EngineRefused

PREFILL_TIMEOUT_S = 600.0
"""Counting by prefill waits for one token of an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokenizer:
    """Counts tokens as the server does."""

    source: str
    """Who counts, for the record."""
    prompt: Callable[[str], int]
    """Tokens of a user turn with the chat template around it."""
    text: Callable[[str], int | None]
    """Tokens of a bare text; None where nobody can tell."""


def tokenizer_of(url: str, model: str, access: Access) -> Tokenizer:
    """The server's tokenizer: its /tokenize, or the prompt tokens that it states for a request of one output token.

    Raises:
        EngineError: the server tells neither.
    """
    if count_tokens(url, model, "a", access) is not None:
        return Tokenizer(
            source="/tokenize",
            prompt=lambda prompt: _known(count_tokens(url, model, prompt, access), url),
            text=lambda text: _tokenize(url, model, text, access),
        )
    return Tokenizer(
        source="usage of a request",
        prompt=lambda prompt: _known(_prefilled(url, model, prompt, access), url),
        text=lambda _: None,
    )


def _known(count: int | None, url: str) -> int:
    if count is None:
        raise EngineError(f"{url} tells nobody how many tokens a prompt has: no /tokenize, and no usage in its answers")
    return count


def _tokenize(url: str, model: str, text: str, access: Access) -> int | None:
    """Tokens of a bare text: no template, and no token that opens a prompt."""
    found = _post(f"{url}/tokenize", {"model": model, "prompt": text, "add_special_tokens": False}, access)
    count = found.get("count")
    return count if isinstance(count, int) else None


def _prefilled(url: str, model: str, prompt: str, access: Access) -> int | None:
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 1}
    usage = _post(f"{url}/v1/chat/completions", body, access).get("usage")
    count = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return count if isinstance(count, int) else None


def _post(url: str, body: dict[str, object], access: Access) -> dict[str, object]:
    proxy = proxy_for(url)
    timeout = CONTROL_TIMEOUT_S if url.endswith("/tokenize") else PREFILL_TIMEOUT_S
    try:
        with requests.Session() as session:
            session.trust_env = False  # a .netrc would replace the key; the proxy is chosen by proxy_for
            session.proxies = {"http": proxy, "https": proxy} if proxy else {}
            answer = session.post(url, json=body, headers=access.headers(), timeout=timeout)
        found = answer.json() if answer.ok else {}
    except requests.RequestException as error:
        raise EngineError(f"{url} does not answer ({error})", transient=True) from error
    if not answer.ok and not url.endswith("/tokenize"):
        raise EngineRefused(f"{url} answered {answer.status_code} to a request of one token: {answer.text[:300]!r}")
    return found if isinstance(found, dict) else {}
