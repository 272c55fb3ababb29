"""Under which names console, API and figures may be asked for: a stranger's page reads no order (DNS rebinding)."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from erpsync.web.server import AppServer
from tests.support.web_shop import open_shop, serve

GUARDED = ("", "live", "orders", "static/console.css", "status.json", "api/v1/orders", "api/v1/openapi.json", "nothing")
OPEN = {"livez": 200, "readyz": 200, "metrics": 200, "hooks/jd-main": 401}
ALLOWED = ["erp.example"]


@pytest.fixture
def server(sqlite_file: Path) -> Iterator[AppServer]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    server, _ = serve(store, ctx, hosts=lambda: ALLOWED)
    yield server
    server.stop(2)
    store.close()


def status(server: AppServer, path: str, host: str) -> int:
    method = "POST" if path.startswith("hooks/") else "GET"
    return requests.request(method, server.url + path, headers={"Host": host}, timeout=60).status_code


@pytest.mark.parametrize("path", GUARDED)
def test_under_a_name_that_is_not_ours_nothing_is_told(server: AppServer, path: str) -> None:
    assert status(server, path, "evil.example") == 421


@pytest.mark.parametrize("path", OPEN)
def test_webhooks_probes_and_metrics_answer_under_any_name(server: AppServer, path: str) -> None:
    assert status(server, path, "evil.example") == OPEN[path]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8686", "192.0.2.7", "[::1]", "[::1]:8686", "localhost", "LOCALHOST:1", "localhost.",
     "erp.example", "ERP.example:443", "erp.example."],
)  # fmt: skip
def test_addresses_in_numbers_localhost_and_allowed_names_are_answered(server: AppServer, host: str) -> None:
    assert status(server, "status.json", host) == 200


@pytest.mark.parametrize(
    "host", ["", ":8686", "xerp.example", "erp.example.evil", "127.0.0.1.evil", "evil:127.0.0.1", "[::1", "1:2:3:x"]
)
def test_names_that_only_look_like_ours_are_refused(server: AppServer, host: str) -> None:
    assert status(server, "status.json", host) == 421


@pytest.mark.parametrize("hosts", [b"", b"Host: erp.example\r\nHost: evil.example\r\n"], ids=["none", "two"])
def test_a_request_with_no_host_or_with_two_is_refused(server: AppServer, hosts: bytes) -> None:
    with closing(socket.create_connection((server.host, server.port), timeout=60)) as caller:
        caller.sendall(b"GET /status.json HTTP/1.0\r\n" + hosts + b"\r\n")

        assert b" 421 " in caller.recv(65536)


def test_the_refusal_says_which_setting_to_change(server: AppServer) -> None:
    told = requests.get(server.url + "api/v1/orders", headers={"Host": "evil.example"}, timeout=60)

    assert told.headers["content-type"] == "application/problem+json"
    assert "web.allowed_hosts" in told.json()["detail"]
