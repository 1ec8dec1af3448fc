"""What came on plain connections, stamped by the kernel when it came and collected a millisecond later at most.

A client that stamps for itself must wake up for every token, and its stamps are late when it is. The kernel stamps
whatever this process does, so that one wake-up takes all that came in a millisecond: at 256 streams, two fifths of the
CPU time less. Two pieces that come on *one* connection within that time are one piece with the stamp of the later.
"""

import asyncio
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Protocol

AVAILABLE = hasattr(select, "epoll")
"""Elsewhere than on Linux, and where TLS lies in between, the event loop reads and stamps."""
NAP_S = 0.001
"""Between two looks, while tokens come; the first after a pause is taken at once."""
STAMPED = 35
"""SO_TIMESTAMPNS and SCM_TIMESTAMPNS of Linux (asm-generic/socket.h), which Python does not name."""
TIME = Struct("@ll")
"""timespec: seconds and nanoseconds of the real-time clock."""
PIECE_BYTES = 2**14
NOTE_BYTES = 64
"""Room for one time with its header."""
NS_PER_S = 10**9
BEGINS_S = 0.01
"""Seconds until the kernel stamps, from the first socket that asks for it, with a margin: of 100 pieces that came at
once 1 had a stamp; of 100 that came a millisecond later all had one."""
READINGS = 3
"""Of the distance between the clocks; the least disturbed of them counts."""


class Receiver(Protocol):
    """Takes the bytes that arrive."""

    def received(self, piece: bytes, stamp_ns: int | None) -> None:
        """Take a piece and the time of the monotonic clock at which it came; None where the kernel did not stamp it."""

    def lost(self, error: Exception | None) -> None:
        """Nothing more will come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Watched:
    socket: socket.socket
    receiver: Receiver


class Collector:
    """Reads the sockets it was given, and sends on them at once."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, _Watched] = {}
        self._nap: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time() + BEGINS_S
        self._wait()

    async def begun(self) -> None:
        """Return when the kernel stamps what comes on sockets that are watched from the beginning."""
        await asyncio.sleep(self._began - self._loop.time())

    def watch(self, fileno: int, receiver: Receiver) -> int:
        """Read the socket ``fileno``, which nobody else may read, for ``receiver``; return what ends that again."""
        own = socket.socket(fileno=socket.dup(fileno))
        own.settimeout(0)
        own.setsockopt(socket.SOL_SOCKET, STAMPED, 1)
        self._watched[own.fileno()] = _Watched(socket=own, receiver=receiver)
        self._epoll.register(own.fileno(), select.EPOLLIN)
        return own.fileno()

    def send(self, number: int, data: bytes) -> bytes:
        """Send at once what the socket takes, ahead of what the transport holds; return the rest for the transport."""
        try:
            return data[self._watched[number].socket.send(data) :]
        except OSError:  # the event loop meets it again, and tells
            return data

    def forget(self, number: int) -> None:
        """Read a socket no longer."""
        if watched := self._watched.pop(number, None):
            self._epoll.unregister(number)
            watched.socket.close()

    def close(self) -> None:
        """Read nothing any more."""
        self._loop.remove_reader(self._epoll.fileno())
        if self._nap:
            self._nap.cancel()
        for number in tuple(self._watched):
            self.forget(number)
        self._epoll.close()

    def _wait(self) -> None:
        self._loop.add_reader(self._epoll.fileno(), self._wake)

    def _wake(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._look()

    def _look(self) -> None:
        """Take what came; where something did, more will come soon, and is left to gather meanwhile."""
        if not (ready := self._epoll.poll(0)):
            self._wait()
            return
        nap_s = 0.0
        try:
            distance_ns = _distance_ns()
            stamped = [self._take(number, distance_ns) for number, _ in ready if number in self._watched]
            nap_s = NAP_S if all(stamped) else 0.0
        finally:  # whatever became of one connection, the others wait for the next look
            self._nap = self._loop.call_later(nap_s, self._look)

    def _take(self, number: int, distance_ns: int) -> bool:
        """Take one piece; tell whether the kernel stamped it."""
        watched, real_ns = self._watched[number], None
        try:
            piece, notes, _, _ = watched.socket.recvmsg(PIECE_BYTES, NOTE_BYTES)
            if piece:
                real_ns = _stamp_ns(notes)
                watched.receiver.received(piece, None if real_ns is None else real_ns - distance_ns)
        except BlockingIOError:  # there was nothing after all
            return False
        except Exception as error:  # noqa: BLE001 - as the event loop does: whatever it is, it ends this connection alone
            self._end(number, error)
        else:
            if not piece:
                self._end(number, None)
        return real_ns is not None

    def _end(self, number: int, error: Exception | None) -> None:
        """Read it no longer, even where its receiver fails to hear that it is lost."""
        receiver = self._watched[number].receiver
        self.forget(number)
        receiver.lost(error)


def _stamp_ns(notes: Sequence[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in notes:
        if (level, kind) == (socket.SOL_SOCKET, STAMPED):
            seconds, nanoseconds = TIME.unpack(data)
            return int(seconds * NS_PER_S + nanoseconds)
    return None


def _distance_ns() -> int:
    """From the monotonic clock to the real-time clock: of a few readings the one that took the shortest time."""
    readings = ((time.monotonic_ns(), time.time_ns(), time.monotonic_ns()) for _ in range(READINGS))
    before, real, after = min(readings, key=lambda reading: reading[2] - reading[0])
    return real - (before + after) // 2
