"""What an endpoint says about itself: health, models, version, length of a prompt."""

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from papergate.endpoints.address import Access, proxy_for, refused_certificate
from papergate.endpoints.server_errors import UNAUTHORISED, quoted, server_words, unauthorised
from papergate.errors import EngineError, EngineRefused

CONTROL_TIMEOUT_S = 30.0
"""These requests compute nothing: an endpoint that needs longer is not well."""
ABOUT_PATHS = ("/version", "/server_info", "/get_server_info", "/props")
"""vLLM; SGLang, new and old; llama.cpp."""
NEUTRAL = {
    "top_k": 0,
    "min_p": 0,
    "typical_p": 1,
    "xtc_probability": 0,
    "dry_multiplier": 0,
    "mirostat": 0,
    "top_n_sigma": -1,
    "dynatemp_range": 0,
    "repeat_penalty": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}
"""Values at which llama.cpp's own ways to draw do nothing; its defaults are top_k 40 and min_p 0.05."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """What an endpoint says about the model it serves."""

    software: str
    """Name and version of the server, as far as it tells."""
    root: str = ""
    """Where the server loaded the weights from, where it tells."""
    context_tokens: int | None = None
    """Prompt and output together, where it tells."""
    template: str = ""
    """sha256 of the chat template, where it tells."""
    listed: bool = True
    """False where it names no models at all, so that nobody has confirmed the one that is asked for."""
    draws_with: Mapping[str, object] = field(default_factory=dict)
    """What changes its samples besides temperature and top_p and stands in no request, where it tells."""

    def in_words(self) -> str:
        """One line for the report; what the server keeps to itself is named too."""
        name = "" if self.listed else ", lists no models: nobody has confirmed the name"
        return f"{self.software or 'does not say what it is'}, weights: {self.root or 'does not say'}{name}"


def describe(url: str, model: str, access: Access) -> Served:
    """Ask an endpoint for its health, its models and its version.

    Raises:
        EngineError: it cannot be reached, is not well, or cannot list its models.
        EngineRefused: it is not OpenAI-compatible, wants a key, or does not serve ``model``.
    """
    health = _get(url, "/health", access)
    if health.status_code >= requests.codes.server_error:
        raise EngineError(f"{url} is not well: /health answered {_said(health)}; look at the server's log")
    listed = _models(url, access)
    mine = next((entry for entry in listed if entry.get("id") == model), None)
    if listed and mine is None:
        names = ", ".join(sorted(repr(entry.get("id")) for entry in listed))
        one = listed[0].get("id") if len(listed) == 1 else "NAME, one of them"
        raise EngineRefused(f"{url} does not serve {model!r}; it serves {names}; give --model {one}")
    return _served(mine or {}, _about(url, access), listed=mine is not None)


def _served(mine: dict[str, Any], about: dict[str, Any], *, listed: bool) -> Served:
    """Put together an entry of the list of models and what the server says about itself."""
    props = about if "build_info" in about else {}  # llama.cpp; elsewhere the same names may mean something else
    version = str(about.get("version") or props.get("build_info") or "")
    context = mine.get("max_model_len") or _object(mine.get("meta")).get("n_ctx")
    template = str(props.get("chat_template") or "")
    draws = _object(_object(props.get("default_generation_settings")).get("params"))
    return Served(
        software=" ".join(filter(None, (str(mine.get("owned_by") or ""), version))),
        root=str(mine.get("root") or props.get("model_path") or ""),
        context_tokens=context if isinstance(context, int) else None,
        template=hashlib.sha256(template.encode()).hexdigest() if template else "",
        listed=listed,
        draws_with=_other_draws(draws),
    )


def _other_draws(draws: dict[str, Any]) -> dict[str, Any]:
    """The settings of ``draws`` that change what is drawn; a top_k below 0 does nothing, nor a penalty on no tokens."""
    found = {name: draws[name] for name, idle in NEUTRAL.items() if draws.get(name, idle) != idle}
    idle = {"top_k"} if found.get("top_k", 0) < 0 else set()
    if draws.get("repeat_last_n") == 0:
        idle |= {"repeat_penalty", "presence_penalty", "frequency_penalty"}
    return {name: value for name, value in found.items() if name not in idle}


def count_tokens(url: str, model: str, prompt: str, access: Access) -> int | None:
    """Tokens of the prompt with the chat template, or None where the server cannot tell."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    answer = _call(url, "/tokenize", access, json=body)
    count = _json(answer).get("count") if answer.ok else None
    return count if isinstance(count, int) else None


def _models(url: str, access: Access) -> list[dict[str, Any]]:
    answer = _get(url, "/v1/models", access)
    if answer.status_code in UNAUTHORISED:
        raise EngineRefused(f"{url} {unauthorised(answer.status_code, answer.content, access)}")
    if answer.status_code >= requests.codes.server_error:
        raise EngineError(f"{url} cannot list its models: /v1/models answered {_said(answer)}; look at its log")
    listed = _json(answer).get("data")
    if not answer.ok or not isinstance(listed, list):
        raise EngineRefused(
            f"{url} is not OpenAI-compatible: /v1/models answered {_said(answer)}; give the address of a "
            "server, such as http://host:8000",
        )
    return [entry for entry in listed if isinstance(entry, dict)]


def _about(url: str, access: Access) -> dict[str, Any]:
    """All that the routes tell together: a gateway may answer one of them in front of another server."""
    answers = [_get(url, path, access) for path in ABOUT_PATHS]
    return {name: value for answer in reversed(answers) if answer.ok for name, value in _json(answer).items()}


def _get(url: str, path: str, access: Access) -> requests.Response:
    return _call(url, path, access)


def _call(url: str, path: str, access: Access, json: object = None) -> requests.Response:
    """GET, or POST where there is something to send."""
    with requests.Session() as session:
        session.trust_env = False  # a .netrc would replace the key; the proxy is chosen by proxy_for
        session.headers.update(access.headers())
        proxy = proxy_for(url)
        session.proxies = {urlsplit(url).scheme: proxy} if proxy else {}
        try:
            return session.request(
                "POST" if json is not None else "GET",
                url + path,
                json=json,
                timeout=CONTROL_TIMEOUT_S,
                verify=str(access.ca_file) if access.ca_file else True,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise EngineRefused(f"{url}: {_refused_tls(_innermost(error))}") from error
        except requests.RequestException as error:
            raise EngineError(
                f"{url} cannot be reached ({_cause(error)}); is the server started, and the address right?",
                transient=True,
            ) from None  # the library's own errors, three deep, say no more than their cause


def _cause(error: BaseException) -> str:
    """What the innermost error says, such as "connection refused"; the library wraps it in its own."""
    inner = _innermost(error)
    said = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return said[:1].lower() + said[1:]


def _refused_tls(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return refused_certificate(error)
    return f"TLS fails ({error}); is it an https address?"


def _innermost(error: BaseException) -> BaseException:
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except requests.JSONDecodeError:
        return {}
    return _object(found)


def _object(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _said(answer: requests.Response) -> str:
    kind = answer.headers.get("Content-Type", "no content type")
    return f"{answer.status_code} ({kind}) {quoted(server_words(answer.content))}"
