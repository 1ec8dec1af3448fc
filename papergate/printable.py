"""Text from outside - a server, a file, an operator - as it may be shown: no secrets, no control characters.

Every error of papergate, and everything it writes to a terminal, to JUnit or to a page, goes through ``printable``.
What a server says is stored without secrets (``without_secrets``) and otherwise as it came.
"""

import base64
import html
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

HIDDEN = "[secret]"
SHORTEST_SECRET = 8
"""Characters. A shorter value is a word like ``none`` or ``EMPTY``: hiding it would hide ordinary words."""
LONGEST_WRITTEN = 500
"""Characters. A longer secret is a file of its own; it is searched for as it stands, and encoded as a whole."""
SECRET_NAMES = re.compile(r"(?:^|_)(?:(?:API_?)?KEY|TOKEN|SECRET|PASSWORD|PASSWD)$", re.IGNORECASE)
"""Environment variables that hold a secret."""
PROXY_NAMES = re.compile(r"_PROXY$", re.IGNORECASE)
URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,15}://[^\s'\"<>]+", re.IGNORECASE)
USER = re.compile(r"(?<=://)(?!user:password@)[^/@]*(?::[^@]*)?@")
"""What stands before the host in an address, unless it is the example of a message."""
QUERY_SECRET = re.compile(
    r"([?&;][\w.-]{0,40}(?:key|token|secret|sig|signature|password|passwd|auth|code|credential)[\w.-]{0,40}=)[^&;#]+",
    re.IGNORECASE,
)
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
"""Control characters other than tab and line feed, what turns the direction of writing, what is not seen, and what no
encoding can write. The joiners of emoji and of Indic scripts stay."""


def printable(text: str) -> str:
    """``text`` without secrets, those of addresses in it too, and every character escaped that is not plain to see.

    Line feeds and tabs stay; where a line could pass for another, take ``one_line``.
    """
    return UNPRINTABLE.sub(_escaped, URL.sub(_without_its_secrets, without_secrets(text)))


def one_line(text: str, most: int = 200) -> str:
    """A name from outside: printable, on one line, at most ``most`` characters and a sign that there were more."""
    shown = printable(" ".join(without_secrets(text)[: 10 * most].split()))
    return shown if len(shown) <= most else shown[:most] + "…"


def without_secrets(text: str, secrets: tuple[re.Pattern[str], ...] | None = None) -> str:
    """``text`` without ``secrets``, by default those of the environment, however a server may have written them."""
    for secret in secrets_of_environment() if secrets is None else secrets:
        text = secret.sub(HIDDEN, text)
    return text


def secrets_of_environment() -> tuple[re.Pattern[str], ...]:
    """What matches each spelling of each secret of the environment, the longest first: one may be a part of another."""
    return _patterns(frozenset(value for value in _values() if len(value) >= SHORTEST_SECRET))


@lru_cache(8)
def _patterns(secrets: frozenset[str]) -> tuple[re.Pattern[str], ...]:
    written = {spelling for secret in secrets for spelling in (*_encoded(secret), *_written(secret))}
    return tuple(map(re.compile, sorted(written, key=len, reverse=True)))


def _values() -> Iterator[str]:
    for name, value in os.environ.items():
        if SECRET_NAMES.search(name):
            yield value
            yield value.strip()
        elif PROXY_NAMES.search(name) and "@" in value:
            yield from _of_proxy(value)


def _of_proxy(url: str) -> Iterator[str]:
    """What stands before the host in the address of a proxy: user and password, the password, and both decoded."""
    user = url.partition("://")[2].rpartition("@")[0] or url.rpartition("@")[0]
    password = user.partition(":")[2]
    yield from (user, password, unquote(user), unquote(password))


def _encoded(secret: str) -> Iterator[str]:
    """The patterns of a secret as a whole in base64 and in hexadecimal digits."""
    for sent in (secret, f"Bearer {secret}"):  # servers that tell the headers of a request encode the whole value
        raw = sent.encode(errors="surrogateescape")
        yield from (re.escape(base64.b64encode(raw).decode()), re.escape(base64.urlsafe_b64encode(raw).decode()))
    yield secret.encode(errors="surrogateescape").hex()


def _written(secret: str) -> Iterator[str]:
    """The patterns of a secret that may be wrapped anywhere, its characters as such or as URLs, HTML and JSON do it.

    Two, by the first character: what begins with a certain one is searched for ten times as fast.
    """
    if len(secret) > LONGEST_WRITTEN:
        yield re.escape(secret)
        return
    rest = "".join(rf"(?:\r?\n[ \t]*)?(?:{re.escape(one)}|{_escapes(one)})" for one in secret[1:])
    yield re.escape(secret[0]) + rest
    yield f"(?:{_escapes(secret[0])}){rest}"


def _escapes(one: str) -> str:
    """The pattern of a character as URLs, HTML and JSON escape it."""
    in_url = "".join(f"%(?i:{byte:02x})" for byte in one.encode(errors="surrogateescape"))
    in_html = rf"&(?:\#0{{0,5}}{ord(one)}|\#[xX]0{{0,5}}(?i:{ord(one):x})|{_entity(one)});"
    return rf"{in_url}|{in_html}|\\u(?i:{ord(one):04x})"


def _entity(one: str) -> str:
    """The name of a character in HTML; what matches nothing where it has none."""
    return html.escape(one)[1:-1] or "(?!)"


def _without_its_secrets(found: re.Match[str]) -> str:
    return QUERY_SECRET.sub(rf"\1{HIDDEN}", USER.sub(f"{HIDDEN}@", found[0]))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
