"""Callers who open a connection and do not say what they want, or never end saying it: they use up nothing for long."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from erpsync.web.protocol import CallerLimits, peer_of
from erpsync.web.server import AppServer

LONG_S = 60
HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"
PATIENT = CallerLimits(head_s=LONG_S, request_s=LONG_S, read_s=LONG_S)
MUCH = b"x" * 8_000_000


async def echo(request: Request) -> Response:
    return PlainTextResponse(MUCH if request.query_params else b"hello" + await request.body())


@pytest.fixture
def limits() -> CallerLimits:
    return PATIENT


@pytest.fixture
def server(limits: CallerLimits) -> Iterator[AppServer]:
    server = AppServer(Starlette(routes=[Route("/", echo, methods=["GET", "POST"])]), limits=limits)
    server.start()
    yield server
    server.stop(2)


def call(server: AppServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=LONG_S)


def heard(server: AppServer, *parts: bytes) -> bytes:
    """Send these parts and return what comes until the server ends the connection."""
    with closing(call(server)) as caller:
        for part in parts:
            caller.sendall(part)
        return rest(caller)


def answered(caller: socket.socket) -> None:
    """Ask and wait for the answer."""
    caller.sendall(HEAD + b"\r\n")
    found = b""
    while not found.endswith(b"hello"):
        more = caller.recv(65536)
        assert more, found
        found += more


def rest(caller: socket.socket) -> bytes:
    found = b""
    try:
        while more := caller.recv(65536):
            found += more
    except ConnectionError:
        pass
    return found


def dripped(caller: socket.socket, what: bytes) -> float:
    """Send this over and over until the server hangs up; return the seconds that took."""
    began_s = time.monotonic()
    caller.settimeout(0.005)
    while time.monotonic() < began_s + LONG_S:
        try:
            caller.sendall(what)
            if not caller.recv(65536):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - began_s


@pytest.mark.parametrize("limits", [CallerLimits(head_s=0.05)])
@pytest.mark.parametrize("said", [b"", b"GET", HEAD], ids=["nothing", "a word", "half a head"])
def test_whoever_does_not_say_what_is_wanted_is_hung_up_on(server: AppServer, said: bytes) -> None:
    assert heard(server, said) == b""


@pytest.mark.parametrize("limits", [CallerLimits(head_s=3)])
def test_the_next_head_of_a_connection_has_to_come_whole_as_well(server: AppServer) -> None:
    found = heard(server, HEAD + b"\r\n" + HEAD)

    assert found.count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("limits", [CallerLimits(head_s=0.3)])
def test_a_caller_who_sends_line_ends_between_requests_does_not_stay_for_ever(server: AppServer) -> None:
    with closing(call(server)) as caller:
        answered(caller)

        assert dripped(caller, b"\r\n") < LONG_S


@pytest.mark.parametrize("limits", [CallerLimits(request_s=0.3)])
@pytest.mark.parametrize(
    "kind", [b"Content-Length: 100000\r\n", b"Transfer-Encoding: chunked\r\n"], ids=["counted", "chunked"]
)
def test_a_body_that_drips_is_cut_off_when_the_request_has_taken_too_long(server: AppServer, kind: bytes) -> None:
    with closing(call(server)) as caller:
        caller.sendall(HEAD.replace(b"GET", b"POST") + kind + b"\r\n")

        assert dripped(caller, b"1\r\nx\r\n" if b"chunked" in kind else b"x") < LONG_S


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (HEAD + b"X-Long: ", b"y" * 1000),
        (HEAD, b"X-Short: y\r\n" * 100),
        (b"GET /", b"y" * 1000),
        (HEAD.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ", b"y" * 1000),
    ],
    ids=["a value", "many headers", "an address", "a trailer"],
)
def test_a_head_without_end_is_cut_off_after_a_hundred_thousand_bytes(
    server: AppServer, begin: bytes, more: bytes
) -> None:
    with closing(call(server)) as caller:
        caller.sendall(begin)
        sent = 0
        try:
            while sent < 20_000_000:
                caller.sendall(more * 20)
                sent += 20 * len(more)
        except ConnectionError:
            pass

    assert sent < 10_000_000  # what lies in the sockets' buffers; the server itself took some 64 KB


def test_a_head_that_is_too_large_is_called_that(server: AppServer) -> None:
    assert heard(server, HEAD + b"X: " + b"y" * 100_000).startswith(b"HTTP/1.1 431 ")


def test_a_head_may_be_larger_than_any_browser_makes_it(server: AppServer) -> None:
    assert requests.get(server.url, headers={"X-Long": "y" * 60_000}, timeout=LONG_S).text == "hello"


def test_a_large_body_is_no_head(server: AppServer) -> None:
    assert len(requests.post(server.url, data=b"y" * 1_000_000, timeout=LONG_S).content) == 1_000_005


def test_hundreds_of_silent_connections_shut_nobody_out(server: AppServer) -> None:
    with ExitStack() as silent:
        for n in range(300):
            silent.enter_context(closing(call(server))).sendall(HEAD if n % 2 else b"")

        assert requests.get(server.url, timeout=LONG_S).text == "hello"


@pytest.mark.parametrize("limits", [CallerLimits(connections=3, read_s=LONG_S)])
def test_callers_who_do_not_read_the_answer_shut_nobody_out(server: AppServer) -> None:
    with ExitStack() as deaf:
        for _ in range(6):
            deaf.enter_context(closing(call(server))).sendall(HEAD.replace(b"/", b"/?much=1", 1) + b"\r\n")

        assert requests.get(server.url, timeout=LONG_S).text == "hello"


@pytest.mark.parametrize("limits", [CallerLimits(read_s=0.2)])
def test_whoever_leaves_an_answer_unread_is_hung_up_on(server: AppServer) -> None:
    with closing(call(server)) as caller:
        caller.sendall(HEAD.replace(b"/", b"/?much=1", 1) + b"\r\n")

        with pytest.raises(ConnectionError):
            caller.sendall(b"\r\n" * 50_000_000)


@pytest.mark.parametrize("limits", [CallerLimits(head_s=LONG_S, per_peer=2, peer_of=lambda host: host)])
def test_one_peer_has_so_many_connections_and_no_more(server: AppServer) -> None:
    with closing(call(server)), closing(call(server)) as second:
        assert heard(server, HEAD + b"\r\n") == b""
        answered(second)


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("127.0.0.1", ""),
        ("127.9.9.9", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:2%eth0", "2001:db8::/64"),
    ],
)
def test_connections_are_counted_by_peer_but_not_those_of_a_proxy_on_this_machine(host: str, peer: str) -> None:
    assert peer_of(host) == peer


def test_whoever_says_what_is_wanted_is_answered(server: AppServer) -> None:
    assert requests.get(server.url, timeout=LONG_S).text == "hello"
