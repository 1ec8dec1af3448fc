"""How endpoints are reached: address, proxy, key, trusted certificates."""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from papergate.errors import EngineRefused


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What opens an endpoint."""

    key: str | None
    """Sent as a bearer token; never shown."""
    key_env: str
    """The environment variable that holds the key, for messages."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""

    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


def root_of(endpoint: str) -> str:
    """The root address of a server, from its root or its ``/v1`` address.

    Raises:
        EngineRefused: it is no http or https address, or carries a password.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EngineRefused(f"endpoint {endpoint!r} is no address; write it like http://host:8000")
    if parts.username or parts.password:
        raise EngineRefused(f"endpoint on {parts.hostname!r} carries a password; a key belongs in the environment")
    return endpoint.rstrip("/").removesuffix("/v1")


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """What verifies certificates: against ``ca_file``, or against the system's authorities.

    Raises:
        EngineRefused: the file holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise EngineRefused(f"{ca_file}: no certificates can be read ({error}); give PEM, as openssl writes") from error


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for ``url``; None for this machine, and for what NO_PROXY names."""
    parts = urlsplit(url)
    if _is_loopback(parts.hostname or ""):
        return None
    return requests.utils.get_environ_proxies(url).get(parts.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
