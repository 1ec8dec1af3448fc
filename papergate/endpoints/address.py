"""How endpoints are reached: address, proxy, key, trusted certificates."""

import ipaddress
import os
import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

import certifi
import requests

from papergate.errors import EngineRefused
from papergate.run_folder.notes import note
from papergate.words import worded

KEY_ENV = "PAPERGATE_API_KEY"
"""The one environment variable that holds a key."""
CHAT = "/v1/chat/completions"
DEFAULT_PORTS = {"http": 80, "https": 443}
NO_AUTHORITY = (18, 19, 20, 21)
"""OpenSSL's X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT to _UNABLE_TO_VERIFY_LEAF_SIGNATURE: nobody trusted has signed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What opens an endpoint."""

    key: str | None = field(repr=False)
    """Sent as a bearer token; never shown."""
    key_env: str = KEY_ENV
    """The environment variable that holds the key, for messages."""
    ca_file: Path | None = None
    """Certificates to trust instead of those that ``requests`` brings along."""

    def __post_init__(self) -> None:
        """Refuse a key that no header can carry, without showing it."""
        if self.key and not (self.key.isascii() and self.key.isprintable()):
            raise worded(EngineRefused, note("key_malformed", key=self.key_env))

    @classmethod
    def of_environment(cls, ca_file: Path | None = None) -> Self:
        """The key that the environment holds.

        Raises:
            EngineRefused: no header can carry it.
        """
        return cls(key=os.environ.get(KEY_ENV), ca_file=ca_file)

    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """A proxy on the way to a server."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)
    """Value of the Proxy-Authorization header; empty where the environment names no user."""

    @classmethod
    def of(cls, url: str) -> Self:
        """The proxy at ``url``, which may lack its scheme.

        Raises:
            EngineRefused: it is no address, or reached otherwise than by plain HTTP.
        """
        parts = _parts(url if "://" in url else f"http://{url}")
        if parts and parts.scheme != "http":
            raise worded(EngineRefused, note("proxy_of_another_kind", scheme=parts.scheme))
        if not parts or not parts.hostname or not (port := _port(parts)):
            raise worded(EngineRefused, note("proxy_malformed"))
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
        authorization = f"Basic {b64encode(user.encode()).decode()}" if user else ""
        return cls(host=parts.hostname, port=port, authorization=authorization)

    @property
    def headers(self) -> dict[str, str]:
        """Headers for the proxy itself."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}

    def tunnel_request(self, host: str, port: int) -> bytes:
        """The request for a tunnel to ``host``."""
        there = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        fields = {"Host": there} | self.headers
        return _head(f"CONNECT {there} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where requests go, by which way, and the head that all of them share."""

    url: str
    """Root of the server."""
    host: str
    port: int
    root: str
    """What the request line names before the path: a path, too, or for a proxy the whole address."""
    headers: tuple[str, ...] = field(repr=False)
    tls: ssl.SSLContext | None
    proxy: Proxy | None

    @classmethod
    def of(cls, url: str, access: Access) -> Self:
        """The server at ``url``.

        Raises:
            EngineRefused: the certificates to trust cannot be read, or the proxy not be used.
        """
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        proxy = Proxy.of(found) if (found := proxy_for(url)) else None
        passed_on = proxy is not None and not secure  # else it sees a tunnel only
        fields = {"Host": parts.netloc, "Content-Type": "application/json", "Accept": "text/event-stream, */*"}
        fields |= {"Accept-Encoding": "identity"} | access.headers() | (proxy.headers if proxy and passed_on else {})
        return cls(
            url=url,
            host=parts.hostname or "",
            port=_port(parts) or 0,
            root=url if passed_on else parts.path,
            headers=tuple(f"{name}: {value}" for name, value in fields.items()),
            tls=trusting(access.ca_file) if secure else None,
            proxy=proxy,
        )

    def request(self, method: str, path: str, body: bytes, *more: str) -> bytes:
        """The bytes of one request, with ``more`` header lines."""
        return (
            _head(f"{method} {self.root}{path} HTTP/1.1", *self.headers, *more, f"Content-Length: {len(body)}") + body
        )


def root_of(endpoint: str) -> str:
    """The root address of a server, from its root or its ``/v1`` address.

    Raises:
        EngineRefused: it is no http or https address, or carries a password.
    """
    if "@" in endpoint or "?" in endpoint:
        there = endpoint.rpartition("@")[2].partition("?")[0]
        raise worded(EngineRefused, note("address_with_secrets", host=there, key=KEY_ENV))
    is_plain = endpoint.isascii() and endpoint.isprintable() and not {" ", "?", "#"} & set(endpoint)
    parts = _parts(endpoint)
    if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname or not _port(parts) or not is_plain:
        raise worded(EngineRefused, note("address_malformed", endpoint=endpoint))
    return endpoint.rstrip("/").removesuffix("/v1")


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """What verifies certificates: against ``ca_file``, or against the authorities that ``requests`` trusts, too.

    Raises:
        EngineRefused: the file holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or certifi.where())
    except (OSError, ssl.SSLError) as error:
        raise worded(EngineRefused, note("ca_file_unread", file=f"{ca_file}", error=f"{error}")) from error


def refused_certificate(error: ssl.SSLCertVerificationError) -> str:
    """What is wrong with a certificate, with the remedy where it is the authority."""
    if error.verify_code in NO_AUTHORITY:
        return f"the certificate is not trusted ({error.verify_message}); give its authority with --ca-file"
    return f"the certificate is refused ({error.verify_message})"


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for ``url``; None for this machine, and for what NO_PROXY names."""
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return None
    return requests.utils.get_environ_proxies(url).get(parts.scheme)


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; None where it is none, whose error would show a password."""
    try:
        parts = urlsplit(url)
        is_one = parts.port != 0
    except ValueError:
        return None
    return parts if is_one else None


def _port(parts: SplitResult) -> int | None:
    """The port, by default that of the scheme."""
    return parts.port or DEFAULT_PORTS.get(parts.scheme)


def _head(*lines: str) -> bytes:
    return "\r\n".join((*lines, "", "")).encode()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, in any spelling of its addresses and of its reserved name (RFC 6761)."""
    name = host.rstrip(".").lower()
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost") or _short_address(name).is_loopback
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_loopback or mapped.is_unspecified


def _short_address(name: str) -> ipaddress.IPv4Address:
    """The address of version 4 that the system reads in ``127.1`` or ``0x7f000001``; a public one for a name."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name))
    except (OSError, ValueError):
        return ipaddress.IPv4Address("8.8.8.8")
