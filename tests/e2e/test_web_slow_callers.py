"""Callers who open a connection and do not say what they want: they use up nothing for long."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from erpsync.web.server import AppServer

LONG_S = 60
HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"


def hello(request: Request) -> Response:
    del request
    return PlainTextResponse("hello")


@pytest.fixture
def head_s() -> float:
    return 0.05


@pytest.fixture
def server(head_s: float) -> Iterator[AppServer]:
    server = AppServer(Starlette(routes=[Route("/", hello)]), head_s=head_s)
    server.start()
    yield server
    server.stop(2)


def heard(server: AppServer, *parts: bytes) -> bytes:
    """Send these parts and return what comes until the server ends the connection."""
    with closing(socket.create_connection((server.host, server.port), timeout=LONG_S)) as caller:
        for part in parts:
            caller.sendall(part)
        found = b""
        while more := caller.recv(65536):
            found += more
    return found


@pytest.mark.parametrize("said", [b"", b"GET", HEAD], ids=["nothing", "a word", "half a head"])
def test_whoever_does_not_say_what_is_wanted_is_hung_up_on(server: AppServer, said: bytes) -> None:
    assert heard(server, said) == b""


@pytest.mark.parametrize("head_s", [3])
def test_the_next_head_of_a_connection_has_to_come_whole_as_well(server: AppServer) -> None:
    found = heard(server, HEAD + b"\r\n" + HEAD)

    assert found.count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("head_s", [LONG_S])
def test_whoever_says_what_is_wanted_is_answered(server: AppServer) -> None:
    assert requests.get(server.url, timeout=LONG_S).text == "hello"
