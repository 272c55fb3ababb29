"""What the service manager hears, over real sockets."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from erpsync.runtime.systemd import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as the service manager opens it, and its address as it names it."""
    path = str(tmp_path / "notify")
    address = path if request.param == "path" else f"@erpsync-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path if request.param == "path" else f"\0{address[1:]}")
        listening.settimeout(10)
        yield listening, address


def heard(listening: socket.socket) -> list[str]:
    return listening.recv(4096).decode().split("\n")


def test_ready_names_the_state_and_the_process(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager

    Notifier(address).ready("3 channels")

    assert heard(listening) == ["READY=1", "STATUS=3 channels", f"MAINPID={os.getpid()}"]


def test_a_reload_carries_the_monotonic_time(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager

    Notifier(address).reloading()

    first, second = heard(listening)
    assert first == "RELOADING=1"
    assert second.startswith("MONOTONIC_USEC=")
    assert int(second.partition("=")[2]) > 0


def test_the_watchdog_and_the_end_are_told(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    notifier = Notifier(address)

    notifier.alive()
    notifier.stopping()
    notifier.status("two\nlines")

    assert [heard(listening) for _ in range(3)] == [
        ["WATCHDOG=1"],
        ["STOPPING=1", "STATUS=stopping"],
        ["STATUS=two lines"],
    ]


def test_the_variables_of_the_service_manager_are_understood() -> None:
    ours = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}

    assert Notifier.from_environ(ours).watchdog_s == 30
    assert Notifier.from_environ({**ours, "WATCHDOG_PID": "1"}).watchdog_s is None
    assert Notifier.from_environ({}).watchdog_s is None


def test_nobody_listening_is_no_trouble(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "gone")).ready("alone")
    Notifier(None).alive()
