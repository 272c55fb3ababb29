"""Telling the service manager how we are: one datagram per message.

Why our own lines: the protocol is smaller than any package for it.
Source: sd_notify(3) and systemd.service(5), WatchdogSec=; RELOADING=1 needs MONOTONIC_USEC= since systemd 253.
"""

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Sends messages to the service manager; does nothing when there is none.

    Args:
        address: path of its socket, or `@name` of an abstract one.
        watchdog_s: how long it waits for a sign of life; None when it does not.
    """

    def __init__(self, address: str | None = None, *, watchdog_s: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self.watchdog_s = watchdog_s

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Notifier":
        """Return the notifier that the service manager's variables ask for."""
        address = environ.get("NOTIFY_SOCKET")
        micros, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID")
        meant = micros.isdigit() and int(micros) > 0 and pid in {None, "", str(os.getpid())}
        return cls(address, watchdog_s=int(micros) / 1e6 if meant else None)

    def ready(self, status: str) -> None:
        """Say that the daemon serves, or serves again after a reload."""
        self._send("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """Say that a reload has begun; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the daemon is ending."""
        self._send("STOPPING=1", "STATUS=stopping")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`."""
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """Give the watchdog its sign of life."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            try:
                sender.sendto("\n".join(line.replace("\n", " ") for line in lines).encode(), self._address)
            except OSError:
                return  # a service manager that does not listen is no reason to stop selling
