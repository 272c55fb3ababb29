"""What a caller may take up: time for a whole request, bytes of a head, connections.

Why here: uvicorn ends a connection that is idle between requests, but waits for ever for a first byte, for the rest of
a head or a body, and for somebody who does not read the answer; it keeps a head however long it gets; and it refuses
everybody once there are so many connections. So few who say nothing would keep webhooks out.
"""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

SLICE_BYTES = 16 * 1024
DRAIN_S = 1
DRAIN_BYTES = 1024 * 1024
_SAID = b"the head of the request is too large\n"
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_SAID), _SAID)
)


def peer_of(host: str) -> str:
    """Return whom connections are counted for; empty for this machine itself, where a proxy stands for many.

    An IPv6 caller owns a /64 at least, so that is one peer.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return "" if address.is_loopback else str(ipaddress.ip_network((int(address), 64), strict=False))
        address = address.ipv4_mapped
    return "" if address.is_loopback else str(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerLimits:
    """What one caller, and all together, may take up.

    Args:
        head_s: seconds within which a caller must have said what it wants.
        request_s: seconds for a whole request, from its first byte to the last of its body.
        read_s: seconds that a caller may leave an answer unread.
        head_bytes: bytes of a head, or between two pieces of a body.
        connections: connections at a time. One more ends that which has waited longest for a caller.
        per_peer: connections of one peer at a time.
        peer_of: names the peer of an address; no limit where it is empty.
    """

    head_s: float = 10.0
    request_s: float = 30.0
    read_s: float = 30.0
    head_bytes: int = 64 * 1024
    connections: int = 256
    per_peer: int = 64
    peer_of: Callable[[str], str] = peer_of


@dataclass(slots=True)
class Hall:
    """The connections of one server that wait for their caller, longest first, and how many each peer has."""

    limits: CallerLimits
    waiting: "dict[PromptProtocol, None]" = field(default_factory=dict)
    peers: Counter[str] = field(default_factory=Counter)

    def enter(self, peer: str) -> bool:
        """Count a connection; whether this peer may have one more."""
        if not peer:
            return True
        self.peers[peer] += 1
        return self.peers[peer] <= self.limits.per_peer

    def leave(self, peer: str) -> None:
        """Count a connection no more."""
        self.peers[peer] -= 1
        if self.peers[peer] <= 0:
            del self.peers[peer]


class PromptProtocol(HttpToolsProtocol):
    """HTTP within the limits of `hall`; whoever goes beyond them is hung up on."""

    hall: Hall
    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _peer = ""
    _quiet_bytes = 0
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head, in the place of another one if there is no more room."""
        super().connection_made(transport)
        self._peer = self.hall.limits.peer_of(self.client[0]) if self.client else ""
        if not self.hall.enter(self._peer):
            self._hang_up()
            return
        if len(self.connections) > self.hall.limits.connections:
            oldest = next(iter(self.hall.waiting), None)
            if oldest is not None:
                oldest._hang_up()
        self._wait(self.hall.limits.head_s)

    def data_received(self, data: bytes) -> None:
        """Take bytes in by slices, as long as they lead somewhere."""
        if self._refused:
            self._quiet_bytes += len(data)
            if self._quiet_bytes > DRAIN_BYTES:
                self._hang_up()
            return
        if self._late is None and not self._is_answering():
            self._wait(self.hall.limits.head_s)
        for start in range(0, len(data), SLICE_BYTES):
            if self.transport.is_closing():
                return
            part = data[start : start + SLICE_BYTES]
            self._quiet_bytes += len(part)
            super().data_received(part)
            if self._quiet_bytes > self.hall.limits.head_bytes:
                self._too_large()
                return

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        self._quiet_bytes = 0
        if self._late is None:
            self._wait(self.hall.limits.head_s)

    def on_headers_complete(self) -> None:
        """Wait for the rest of the request."""
        self._quiet_bytes = 0
        self._wait(self.hall.limits.request_s)
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Note that a body goes on."""
        self._quiet_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Note that a body goes on."""
        self._quiet_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait no more: now the caller waits for us."""
        self._quiet_bytes = 0
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Count the connection as one that waits for its caller again, until the next request is whole."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait_for_reader()
        elif self.timeout_keep_alive_task is not None:
            self.hall.waiting.setdefault(self, None)

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that is idle, whether or not the last answer was read."""
        super().timeout_keep_alive_handler()
        self._wait_for_reader()

    def pause_writing(self) -> None:
        """Wait for whoever does not read the answer."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Wait no more: the answer is read."""
        if self._late is None and self._is_answering():
            self.hall.waiting.pop(self, None)
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        if self._unread is not None:
            self._unread.cancel()
        if self._peer:
            self.hall.leave(self._peer)
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type hides that there is none before a request
        return cycle is not None and not cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self.hall.waiting[self] = None
        self._late = self.loop.call_later(seconds, self._hang_up)

    def _stop_waiting(self) -> None:
        self.hall.waiting.pop(self, None)
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _wait_for_reader(self) -> None:
        self.hall.waiting.setdefault(self, None)
        if self._unread is None:
            self._unread = self.loop.call_later(self.hall.limits.read_s, self._hang_up)

    def _too_large(self) -> None:
        if self._is_answering():
            self._hang_up()
            return
        self._refused = True  # what still comes is thrown away for a moment: else the caller never sees the answer
        self.transport.write(TOO_LARGE)
        self.transport.write_eof()
        self._wait(DRAIN_S)

    def _hang_up(self) -> None:
        """End the connection now; it counts no more, whatever is left unread on the way."""
        self._stop_waiting()
        self.connections.discard(self)
        self.transport.abort()
