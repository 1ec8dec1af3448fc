"""HTTP answers that are no answer: what the server said, and whether and when it may be asked again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from papergate.endpoints.address import Access
from papergate.errors import EngineError, EngineRefused

AWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What a gateway answers for a server that is not there."""
UNAUTHORISED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
QUOTED_CHARACTERS = 300
"""So much of a server's own words stands in a message: enough for its first sentences."""


def refusal(status: int, headers: Mapping[str, str], body: bytes, access: Access) -> EngineError:
    """The error that an HTTP answer amounts to; ``transient`` for 429 and 5xx only."""
    if status in UNAUTHORISED:
        return EngineRefused(unauthorised(status, body, access))
    message = f"answered {status} ({headers.get('Content-Type', 'no content type')}) {quoted(server_words(body))}"
    if status == HTTPStatus.OK:
        return error_in(_parsed(body)) or EngineError(f"{message} where a stream was asked for")
    if is_transient(status):
        return EngineError(message, transient=True, retry_after_s=retry_after_s(headers.get("Retry-After", "")))
    return EngineRefused(message)


def error_in(event: Any) -> EngineError | None:  # noqa: ANN401 - any JSON
    """The error that a JSON body or a chunk of a stream reports; None where it reports none."""
    if not isinstance(event, dict) or not (event.get("error") or event.get("object") == "error"):
        return None
    inner = event.get("error")
    code = inner.get("code") if isinstance(inner, dict) else event.get("code")
    message = f"the server reported an error: {quoted(server_words(orjson.dumps(event)))}"
    if isinstance(code, int) and not is_transient(code):
        return EngineRefused(message)
    return EngineError(message, transient=True)


def is_transient(status: int) -> bool:
    """Whether the same request may be answered later."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def unauthorised(status: int, body: bytes, access: Access) -> str:
    """What to say when an endpoint wants another key."""
    sent = f"the key in {access.key_env} was sent" if access.key else f"no key was sent; set {access.key_env}"
    return f"answered {status} {quoted(server_words(body))}: {sent}"


def retry_after_s(header: str) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date; None where it holds neither."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def server_words(body: bytes) -> str:
    """The message in an error body, whichever form it has; the body itself where it has none."""
    found = _parsed(body)
    if found is None:
        return body.decode(errors="replace")
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return found if isinstance(found, str) else orjson.dumps(found).decode()


def quoted(words: bytes | str) -> str:
    """The beginning of a server's own words, on one line."""
    text = " ".join((words.decode(errors="replace") if isinstance(words, bytes) else words).split())
    return repr(text if len(text) <= QUOTED_CHARACTERS else text[:QUOTED_CHARACTERS] + "…")


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
