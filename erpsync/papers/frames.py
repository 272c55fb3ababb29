"""Frames between this process and the helper: a length of four bytes, then so many bytes."""

import socket
import struct

MOST_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_PART_BYTES = 1 << 20


def send(channel: socket.socket, body: bytes) -> None:
    """Send a frame."""
    channel.sendall(_LENGTH.pack(len(body)) + body)


def receive(channel: socket.socket) -> bytes | None:
    """Return the next frame, None once the other side is gone."""
    head = _exactly(channel, _LENGTH.size)
    return None if head is None else _exactly(channel, _LENGTH.unpack(head)[0])


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    body = bytearray()
    while len(body) < size:
        part = channel.recv(min(size - len(body), _PART_BYTES))
        if not part:
            return None
        body += part
    return bytes(body)
