"""The way to a server: addresses that answer, proxies, TLS, and connections that do not die unnoticed."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

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
"""Of a reply, and of what frames its body; as much as other clients and servers take."""
NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
"""OpenSSL's reasons where the other side does not speak TLS."""
SPEAKS_S = 1.0
"""How long a server may take to show which of http and https it speaks."""
PLAIN_QUESTION = b"GET / HTTP/1.0\r\n\r\n"
HTTP = b"HTTP/"
HEAD_END = b"\r\n\r\n"

AddressInfo = tuple[int, int, int, str, Any]
"""As `socket.getaddrinfo` gives it."""

_Protocol = TypeVar("_Protocol", bound=asyncio.Protocol)


async def connect(
    address: Address, protocol: Callable[[], _Protocol], within_s: float
) -> tuple[asyncio.Transport, _Protocol]:
    """Open a connection to ``address``, through its proxy if it has one.

    Raises:
        EngineRefused: the server's certificate is not trusted, or it does not speak TLS.
        ConnectionError: there is no connection; with the reason.
    """
    way = f"through the proxy {address.proxy.host}:{address.proxy.port}: " if address.proxy else ""
    try:
        async with asyncio.timeout(within_s):
            transport, opened = await _open(address, protocol)
    except ssl.SSLCertVerificationError as error:
        raise EngineRefused(refused_certificate(error)) from error
    except ssl.SSLError as error:
        if error.reason in NO_TLS:
            raise EngineRefused(
                f"TLS fails ({error.reason}): the server speaks plain HTTP; is it an https address?"
            ) from error
        raise ConnectionError(f"{way}TLS fails: {cause_of(error)}") from error
    except TimeoutError as error:  # ours has no words, the kernel's has
        raise ConnectionError(f"{way}{str(error) or f'no connection was made within {within_s:g} s'}") from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that is none
        raise ConnectionError(f"{way}{cause_of(error)}") from error
    return cast("asyncio.Transport", transport), opened  # uvloop's is one in all but its class


async def speaks(address: Address, *, tls: bool) -> bool:
    """Whether the server shows within a second that it speaks TLS, or plain HTTP; no key is sent.

    Through a proxy nobody can tell.
    """
    if address.proxy:
        return False
    try:
        async with asyncio.timeout(SPEAKS_S):
            return await (_shakes_hands(address) if tls else _answers_in_plain(address))
    except (OSError, EOFError, UnicodeError):
        return False


async def _shakes_hands(address: Address) -> bool:
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # what language it speaks, not who it is
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, address.host, address.port, ssl=anybody)
    transport.abort()  # a farewell of TLS could outlive the event loop
    return True


async def _answers_in_plain(address: Address) -> bool:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(PLAIN_QUESTION)
        return await reader.readexactly(len(HTTP)) == HTTP
    finally:
        writer.transport.abort()


async def _open(address: Address, protocol: Callable[[], _Protocol]) -> tuple[asyncio.BaseTransport, _Protocol]:
    loop, end = asyncio.get_running_loop(), address.proxy or address
    found = await loop.getaddrinfo(end.host, end.port, type=socket.SOCK_STREAM)
    secured: dict[str, Any] = {"ssl": address.tls, "server_hostname": address.host if address.tls else None}
    if len(found) == 1 and found[0][0] is socket.AF_INET and not (address.proxy and address.tls):
        host, port = found[0][4][:2]  # the event loop's own way costs a third of what a socket of ours does
        transport, made = await loop.create_connection(protocol, str(host), port, **secured)
        _set_options(transport.get_extra_info("socket"))
        return transport, made
    opened = await _socket(found)
    if address.proxy and address.tls:
        try:
            await _ask_for_tunnel(opened, address.proxy, address)
        except BaseException:
            opened.close()
            raise
    return await loop.create_connection(protocol, sock=opened, **secured)


async def _socket(found: Sequence[AddressInfo]) -> socket.socket:
    """A connected socket to the one of several addresses that answers first."""
    opened = await aiohappyeyeballs.start_connection(found, happy_eyeballs_delay=NEXT_ADDRESS_S)
    _set_options(opened)
    return opened


def _set_options(opened: socket.socket) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in PROBES.items():
        if (option := getattr(socket, name, None)) is not None:  # Linux has all of them, others some
            opened.setsockopt(socket.IPPROTO_TCP, option, value)


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


def cause_of(error: BaseException) -> str:
    """What an error says, such as "connection refused", or its name where it says nothing."""
    said = str(error) or repr(error)
    if isinstance(error, OSError) and error.errno and not isinstance(error, ssl.SSLError | socket.gaierror):
        said = os.strerror(error.errno)
    return said[:1].lower() + said[1:]


def is_open(transport: asyncio.Transport | None) -> bool:
    """Whether a request can be sent on a connection."""
    return transport is not None and not transport.is_closing()
