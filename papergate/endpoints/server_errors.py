"""HTTP answers that are no answer: what the server said, and whether and when it may be asked again.

Asked again is what an accident may have caused: a lost connection, a time-out, a status of a server that is busy or
away, a stream that was cut. What breaks the protocol on a sound connection is not: another attempt would hide it.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from papergate.endpoints.address import Access
from papergate.errors import EngineError, EngineRefused
from papergate.printable import one_line, without_secrets
from papergate.run_folder.notes import Note, note
from papergate.words import worded

AWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What a gateway answers for a server that is not there."""
UNAUTHORISED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
LATER = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.FAILED_DEPENDENCY,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
)
"""Statuses below 500 that say nothing against the request: it did not come in time, or too early, or too often; 424 is
MindIE's for an answer that it began and could not finish."""
QUOTED_CHARACTERS = 300
"""So much of a server's own words stands in a message: enough for its first sentences."""
LONGEST_RETRY_AFTER_S = 86400.0
"""A day; a run waits less, see ``papergate.completions.policy``. Servers write dates of any year."""


def refusal(status: int, headers: Mapping[str, str], body: bytes, access: Access) -> EngineError:
    """The error that an HTTP answer amounts to; ``transient`` for 408, 425, 429 and 5xx only."""
    if status in UNAUTHORISED:
        return worded(EngineRefused, unauthorised(status, body, access))
    kind = one_line(headers.get("Content-Type", "no content type"))
    message = f"answered {status} ({kind}) {quoted(server_words(body))}"
    if status == HTTPStatus.OK:
        return error_in(json_in(body)) or EngineError(f"{message} where a stream was asked for")
    if is_transient(status):
        return EngineError(message, transient=True, retry_after_s=retry_after_s(headers.get("Retry-After", "")))
    return EngineRefused(message)


def error_in(event: Any) -> EngineError | None:  # noqa: ANN401 - any JSON
    """The error that a JSON body or a chunk of a stream reports; None where it reports none."""
    if not isinstance(event, dict) or not (event.get("error") or event.get("object") == "error"):
        return None
    return reported(event)


def reported(words: Any) -> EngineError:  # noqa: ANN401 - any JSON
    """The error of a server that says so: an object with or without a code, or a text."""
    inner = words.get("error", words) if isinstance(words, dict) else None
    code = inner.get("code", words.get("code")) if isinstance(inner, dict) else None
    message = f"the server reported an error: {quoted(words_in(words))}"
    if isinstance(code, int) and not is_transient(code):
        return EngineRefused(message)
    return EngineError(message, transient=True)


def is_transient(status: int) -> bool:
    """Whether the same request may be answered later."""
    return status in LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def unauthorised(status: int, body: bytes, access: Access, *, url: str = "") -> Note:
    """What to say when an endpoint wants another key; without ``url`` where the caller names it."""
    said, sent = quoted(server_words(body)), bool(access.key)
    return note("endpoint_wants_key", url=url, status=status, said=said, key=access.key_env, sent=sent)


def retry_after_s(header: str) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date: from 0 to a day; None where it holds neither."""
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header)
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_RETRY_AFTER_S)


def _seconds_until(date: str) -> float:
    """From now to a date of HTTP; not a number where it is none. One without a zone is of UTC, as HTTP wants them."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, IndexError, OverflowError):  # the standard library's parser leaks all of them
        return math.nan


def server_words(body: bytes) -> str:
    """The message in an error body, whichever form it has; the body itself where it has none."""
    found = json_in(body)
    return body.decode(errors="replace") if found is None else words_in(found)


def words_in(found: Any) -> str:  # noqa: ANN401 - any JSON
    """The message in the JSON of an error; all of it where it has none. MindIE names the kind of error beside it."""
    kind = found.get("error_type") or found.get("type") if isinstance(found, dict) else None
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    if isinstance(found, str):
        return f"{kind}: {found}" if isinstance(kind, str) and kind not in (found, "error") else found
    try:
        return orjson.dumps(found).decode()
    except orjson.JSONEncodeError:  # it reads deeper nesting than it writes
        return "(JSON too deep to be quoted)"


def quoted(words: bytes | str) -> str:
    """The beginning of a server's own words, on one line, without secrets."""
    text = without_secrets(words.decode(errors="replace") if isinstance(words, bytes) else words)
    text = " ".join(text[: 10 * QUOTED_CHARACTERS].split())
    return repr(text if len(text) <= QUOTED_CHARACTERS else text[:QUOTED_CHARACTERS] + "…")


def json_in(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """The JSON of a body, with or without a byte order mark; None where it is none."""
    try:
        return orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None
