"""The way to a server: addresses that answer, proxies, TLS, and connections that do not die unnoticed."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar, cast

import aiohappyeyeballs

from papergate.endpoints.address import Address, Proxy, refused_certificate
from papergate.endpoints.server_errors import quoted
from papergate.errors import EngineRefused

PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 120_000}
"""An answer may be queued for an hour without a byte. Probes keep routers from forgetting its connection meanwhile, and
find out within two minutes that a host is gone. In seconds, a number of probes, and milliseconds."""
NEXT_ADDRESS_S = 0.25
"""A name may have addresses that nobody answers at; the next is tried beside the first after so long (RFC 8305)."""
LONGEST_HEAD_BYTES = 65536
HEAD_END = b"\r\n\r\n"

_Protocol = TypeVar("_Protocol", bound=asyncio.Protocol)


async def connect(
    address: Address, protocol: Callable[[], _Protocol], within_s: float
) -> tuple[asyncio.Transport, _Protocol]:
    """Open a connection to ``address``, through its proxy if it has one.

    Raises:
        EngineRefused: the server's certificate is not trusted.
        ConnectionError: there is no connection; with the reason.
    """
    way = f"through the proxy {address.proxy.host}:{address.proxy.port}: " if address.proxy else ""
    try:
        async with asyncio.timeout(within_s):
            transport, opened = await _open(address, protocol)
    except ssl.SSLCertVerificationError as error:
        raise EngineRefused(refused_certificate(error)) from error
    except TimeoutError as error:  # ours has no words, the kernel's has
        raise ConnectionError(f"{way}{str(error) or f'no connection was made within {within_s:g} s'}") from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that is none
        raise ConnectionError(f"{way}{cause_of(error)}") from error
    return cast("asyncio.Transport", transport), opened  # uvloop's is one in all but its class


async def _open(address: Address, protocol: Callable[[], _Protocol]) -> tuple[asyncio.BaseTransport, _Protocol]:
    loop, secure = asyncio.get_running_loop(), address.tls is not None
    opened = await _socket(address.proxy or address)
    if address.proxy and secure:
        try:
            await _ask_for_tunnel(opened, address.proxy, address)
        except BaseException:
            opened.close()
            raise
    name = address.host if secure else None
    return await loop.create_connection(protocol, sock=opened, ssl=address.tls, server_hostname=name)


async def _socket(end: Address | Proxy) -> socket.socket:
    """A connected socket; of several addresses, the one that answers first."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(end.host, end.port, type=socket.SOCK_STREAM)
    opened = await aiohappyeyeballs.start_connection(found, happy_eyeballs_delay=NEXT_ADDRESS_S)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in PROBES.items():
        if (option := getattr(socket, name, None)) is not None:  # Linux has all of them, others some
            opened.setsockopt(socket.IPPROTO_TCP, option, value)
    return opened


async def _ask_for_tunnel(opened: socket.socket, proxy: Proxy, address: Address) -> None:
    """Have ``proxy`` pass everything on to ``address`` from now on (RFC 9110, section 9.3.6)."""
    await asyncio.get_running_loop().sock_sendall(opened, proxy.tunnel_request(address.host, address.port))
    first_line = (await _head_from(opened)).partition(b"\r\n")[0]
    if not first_line.partition(b" ")[2].startswith(b"2"):
        raise ConnectionError(f"it opens no tunnel: {quoted(first_line)}")


async def _head_from(opened: socket.socket) -> bytes:
    """The head of a reply, or as much of it as there is."""
    loop, head = asyncio.get_running_loop(), b""
    while HEAD_END not in head and len(head) < LONGEST_HEAD_BYTES:
        if not (piece := await loop.sock_recv(opened, LONGEST_HEAD_BYTES)):
            break
        head += piece
    return head


def is_free(transport: asyncio.Transport | None) -> bool:
    """Whether a connection is open, and all that was written to it is sent."""
    return transport is not None and not transport.is_closing() and not transport.get_write_buffer_size()


def cause_of(error: BaseException) -> str:
    """What an error says, or its name where it says nothing."""
    return str(error) or repr(error)
