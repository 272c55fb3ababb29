"""Webhooks over real HTTP: what is taken, what is refused, and what a refusal gives away."""

import gzip
import socket
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from erpsync.sdk.errors import TransientError
from erpsync.store.db.privacy import Vault
from erpsync.store.tables import inbox
from erpsync.web.site import receive
from tests.support.web_shop import NOW, AppServer, Mailbox, open_shop, serve, with_channel

LIMIT = 10_000
GOOD = {"x-signature": "right"}


@dataclass
class Shop:
    server: AppServer
    mail: Mailbox

    def post(self, channel: str, body: object = b"{}", headers: dict | None = None) -> requests.Response:
        address = f"{self.server.url}hooks/{channel}"
        return requests.post(address, data=body, headers=GOOD if headers is None else headers, timeout=60)

    def metrics(self) -> str:
        return requests.get(f"{self.server.url}metrics", timeout=60).text


@pytest.fixture
def shop(sqlite_file: Path) -> Iterator[Shop]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}", names=("tmall-flagship", "jd-main", "closed", "folder"))
    mail = Mailbox()
    ctx = with_channel(ctx, "closed", enabled=False)
    server, _ = serve(store, ctx, receive=mail, max_body_bytes=LIMIT, body_s=0.5)
    yield Shop(server, mail)
    server.stop(2)
    store.close()


def test_a_signed_webhook_is_stored_and_answered_as_the_platform_wants(shop: Shop) -> None:
    answer = shop.post("jd-main", '{"id": "订单"}'.encode(), GOOD | {"X-Trace": "7"})

    assert (answer.status_code, answer.content) == (200, b'{"code":0,"message":"ok"}')
    [(channel, request)] = shop.mail.taken
    assert channel == "jd-main"
    assert request.body == '{"id": "订单"}'.encode()
    assert request.headers["x-trace"] == "7"
    assert NOW <= request.received_at < NOW + timedelta(milliseconds=1)  # each look at the clock is a tick later


def test_the_query_of_a_webhook_reaches_the_connector(shop: Shop) -> None:
    shop.post("jd-main?sign=ab%2Bc&ts=1")

    assert shop.mail.taken[0][1].query == {"sign": "ab+c", "ts": "1"}


def test_a_secret_behind_the_channel_reaches_the_connector_and_no_log(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.post("jd-main/kJ2m8Qx5/7")
    shop.post("jd-main/kJ2m8Qx5/7", headers={"x-signature": "wrong"})

    assert [request.path for _, request in shop.mail.taken] == ["kJ2m8Qx5/7"]
    assert "kJ2m8Qx5" not in "".join(capsys.readouterr())


def test_an_unknown_channel_and_a_wrong_signature_cannot_be_told_apart(shop: Shop) -> None:
    answers = [
        shop.post("jd-main", b"{}", {"x-signature": "wrong"}),
        shop.post("no-such-channel"),
        shop.post("closed"),
        shop.post("folder"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(set(answer.headers) - {"date"})) for answer in answers}) == 1
    assert shop.mail.taken == []


@pytest.mark.parametrize("trouble", [OperationalError("insert", {}, OSError("disk full")), TransientError("later")])
def test_a_webhook_that_cannot_be_stored_is_answered_503(shop: Shop, trouble: Exception) -> None:
    """failures.md row 8: acknowledged, then lost."""
    shop.mail.trouble = trouble

    answer = shop.post("jd-main")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "disk" not in answer.text


def test_a_defect_while_storing_is_answered_503_as_well(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """failures.md row 8."""
    shop.mail.trouble = KeyError("13812345678")

    answer = shop.post("jd-main")

    assert answer.status_code == 503
    assert "138" not in answer.text


def test_a_body_that_is_too_large_is_refused_by_its_own_word(shop: Shop) -> None:
    assert shop.post("jd-main", b"x" * (LIMIT + 1)).status_code == 413
    assert shop.post("jd-main", b"x" * LIMIT).status_code == 200


def test_a_body_of_unknown_length_is_refused_as_soon_as_it_is_too_large(shop: Shop) -> None:
    chunks = (b"x" * 1000 for _ in range(50))

    assert shop.post("jd-main", chunks).status_code == 413


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"hello" * 100)),
        ("deflate", zlib.compress(b"hello" * 100)),
        ("deflate", zlib.compress(b"hello" * 100)[2:-4]),
        ("identity", b"hello" * 100),
    ],
    ids=["gzip", "deflate", "bare deflate", "identity"],
)
def test_packed_bodies_are_unpacked_before_they_are_checked(shop: Shop, coding: str, packed: bytes) -> None:
    assert shop.post("jd-main", packed, GOOD | {"Content-Encoding": coding}).status_code == 200
    assert shop.mail.taken[0][1].body == b"hello" * 100


def test_a_small_body_that_unpacks_to_a_large_one_is_refused(shop: Shop) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    small = gzip.compress(b"\0" * (LIMIT + 1))

    assert len(small) < LIMIT
    assert shop.post("jd-main", small, GOOD | {"Content-Encoding": "gzip"}).status_code == 413
    assert shop.post("jd-main", bomb, GOOD | {"Content-Encoding": "gzip"}).status_code == 413


def test_packed_bytes_that_unpack_to_nothing_are_too_large_as_well(shop: Shop) -> None:
    """What stands behind the end of a packed body is kept by the unpacker, so a stranger could fill the memory."""
    trailing = (gzip.compress(b"{}") if part == 0 else b"x" * 1000 for part in range(50))

    assert shop.post("jd-main", trailing, GOOD | {"Content-Encoding": "gzip"}).status_code == 413
    assert shop.mail.taken == []


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [("gzip", b"not packed", 400), ("gzip", gzip.compress(b"cut off" * 99)[:-9], 400), ("br", b"x", 415)],
    ids=["not packed", "cut off", "unknown coding"],
)
def test_a_body_that_cannot_be_unpacked_is_refused(shop: Shop, coding: str, body: bytes, status: int) -> None:
    assert shop.post("jd-main", body, GOOD | {"Content-Encoding": coding}).status_code == status
    assert shop.mail.taken == []


def test_a_body_that_never_comes_does_not_hold_the_connection_for_ever(shop: Shop) -> None:
    with closing(socket.create_connection(("127.0.0.1", shop.server.port), timeout=60)) as slow:
        slow.sendall(b"POST /hooks/jd-main HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nonly this")

        assert b" 408 " in slow.recv(4096).split(b"\r\n")[0]


def test_hooks_take_nothing_but_posts(shop: Shop) -> None:
    answer = requests.get(f"{shop.server.url}hooks/jd-main", timeout=60)

    assert answer.status_code == 405
    assert answer.json() == {"error": "Method Not Allowed"}


def test_what_became_of_webhooks_is_counted_and_guessed_names_make_no_new_series(shop: Shop) -> None:
    shop.post("jd-main")
    shop.post("jd-main", b"{}", {"x-signature": "wrong"})
    shop.post("guess-1")
    shop.post("guess-2", b"x" * (LIMIT + 1))

    lines = shop.metrics().splitlines()

    assert 'erpsync_webhooks_total{channel="jd-main",result="stored"} 1.0' in lines
    assert 'erpsync_webhooks_total{channel="jd-main",result="refused"} 1.0' in lines
    assert 'erpsync_webhooks_total{channel="unknown",result="refused"} 1.0' in lines
    assert 'erpsync_webhooks_total{channel="unknown",result="not_taken"} 1.0' in lines
    assert not [line for line in lines if "guess" in line]


def test_a_webhook_is_not_taken_once_the_database_file_is_gone(sqlite_file: Path) -> None:
    """failures.md row 8: the open connections took it, and it was gone with the process."""
    store, ctx = open_shop(f"sqlite:///{sqlite_file}", vault=Vault([b"k" * 32], b"i" * 32))
    server, _ = serve(store, ctx, receive=receive)
    try:
        shop = Shop(server, Mailbox())
        before = shop.post("jd-main", b"first")
        sqlite_file.unlink()
        after = [shop.post("jd-main", b"second"), shop.post("jd-main", b"first")]
        ready = requests.get(f"{server.url}readyz", timeout=60)
    finally:
        server.stop(2)
        store.close()

    assert (before.status_code, [each.status_code for each in after]) == (200, [503, 503])
    assert (ready.status_code, "was removed while it was in use" in ready.text) == (503, True)
    assert not sqlite_file.exists()


def test_one_delivery_that_comes_twice_is_one_inbox_row(sqlite_file: Path) -> None:
    """failures.md rows 7 and 8, with the product's own inbox."""
    store, ctx = open_shop(f"sqlite:///{sqlite_file}", vault=Vault([b"k" * 32], b"i" * 32))
    server, _ = serve(store, ctx, receive=receive)
    try:
        shop = Shop(server, Mailbox())
        answers = [shop.post("jd-main", b"same"), shop.post("jd-main", b"same"), shop.post("jd-main", b"other")]
        with store.read() as connection:
            rows = connection.execute(select(inbox.c.delivery_key, inbox.c.state).order_by(inbox.c.id)).all()
    finally:
        server.stop(2)
        store.close()

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert rows == [(b"same".hex(), "pending"), (b"other".hex(), "pending")]
