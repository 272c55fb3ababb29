"""People read one time zone: the configured one, on every page, in every table and sentence; programs read UTC."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from erpsync.flows.context import Context
from erpsync.store import tables
from erpsync.store.db.store import Store
from tests.e2e.command_desk import Desk, set_up
from tests.support.visitor import visitor
from tests.support.web_shop import NOW, add, effect_row, fill, line_row, open_shop, order_row, serve

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
NAMED = re.compile(r"\d\d:\d\d(:\d\d)? (UTC|GMT|Z)\b|\d\d:\d\d:\d\dZ|\+00:00")
AT = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)  # the 2nd, 4:30, in Shanghai
THERE, HERE = "2026-03-01T20:30:00Z", "2026-03-02 04:30:00"
PAGES = (
    "",
    "live",
    "orders",
    "orders/S20260302000001",
    "channels",
    "channels/tmall-flagship",
    "configuration",
    "me",
    "users",
    "users/ana",
    "tokens",
)
COMMANDS = (
    ("status",),
    ("orders", "list"),
    ("orders", "show", "S20260302000001"),
    ("explain", "S20260302000001"),
    ("explain", "LINEN-W-L"),
    ("shipments", "list"),
    ("stock", "list"),
    ("listings", "list"),
    ("dead", "list"),
    ("tasks", "list", "--closed"),
    ("channels", "list"),
    ("channels", "show", "shop"),
    ("prove",),
    ("token", "list"),
    ("user", "list"),
)


def trouble(store: Store, ctx: Context, shop: str) -> None:
    """Let an order, a task, a letter and a channel be in trouble, each with an instant in its text."""
    channel_id = ctx.channel(shop).id
    with store.begin() as tx:
        [order_id] = add(
            tx, tables.orders, order_row(channel_id, 1, placed_at=AT, phase="held", hold_reason="operator")
        )
        add(tx, tables.order_line, line_row(order_id))
        tx.execute(tables.order_hold.insert().values(order_id=order_id, reason="operator", detail=THERE, at=AT))
        told = {"at": AT, "kind": "gate.asked", "order_id": order_id, "channel_id": channel_id, "actor": ""}
        add(tx, tables.event, told | {"detail": json.dumps({"ship_by": THERE, "since": "2026-03-01T20:30:00+00:00"})})
        parcel = {"order_id": order_id, "number": "P-late", "carrier": "SF", "tracking": "SF1", "state": "waiting"}
        [shipment_id] = add(tx, tables.shipment, parcel | {"shipped_at": AT, "sent_at": None, "whole": True})
        waits = {"kind": "shipment", "ref_id": shipment_id, "state": "waiting", "waiting_for": "person"}
        add(tx, tables.outbox, effect_row(channel_id, "late", **waits, error=f"asked at {THERE}") | {"sent_at": AT})
        letter = {
            "channel_id": channel_id,
            "kind": "order",
            "key": "1",
            "at": AT,
            "state": "open",
            "order_id": order_id,
        }
        add(tx, tables.dead_letter, letter | {"error": f"read at {THERE}", "source": f"page from {THERE}"})
        task = {"kind": "gate", "key": "1", "channel_id": channel_id, "order_id": order_id, "opened_at": AT}
        add(tx, tables.task, task | {"reason": f"to be told by {THERE}", "closed_at": None})
        down = {"down_since_at": AT, "down_error": f"gone since {THERE}", "token_expires_at": NOW + timedelta(days=1)}
        tx.execute(tables.channel.update().where(tables.channel.c.id == channel_id).values(**down))


@pytest.fixture
def console(sqlite_file: Path) -> Iterator[Callable[[str], requests.Response]]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    trouble(store, ctx, "tmall-flagship")
    server, _ = serve(store, ctx, keep_s=0)
    browser = visitor(store)
    yield lambda path: browser.get(server.url + path, timeout=10)
    server.stop(2)
    store.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_console_shows_the_operators_zone_only(
    console: Callable[[str], requests.Response], path: str
) -> None:
    answer = console(path)
    answer.encoding = "utf-8"
    page = re.sub(r"<[^>]+>", " ", answer.text)

    assert answer.status_code == 200
    assert (ISO.findall(page), NAMED.findall(page)) == ([], [])
    if path in ("", "live", "orders/S20260302000001", "channels", "channels/tmall-flagship"):
        assert HERE in page


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = set_up(tmp_path_factory.mktemp("zone"), channels=("shop", "other"))
    assert desk.run("migrate").code == 0
    store, ctx = open_shop(f"sqlite:///{desk.folder}/var/erpsync.db", names=("shop", "other"))
    fill(store, ctx)
    trouble(store, ctx, "shop")
    store.close()
    return desk


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_shows_the_operators_zone_and_its_json_utc(desk: Desk, words: tuple[str, ...]) -> None:
    said, told = desk.run(*words), desk.run(*words, "--json")

    assert (said.code, bool(told.json or words[0] in ("token", "user"))) == (told.code, True)
    assert (ISO.findall(said.out), NAMED.findall(said.out)) == ([], [])
    assert HERE not in told.out
    if THERE in told.out:
        assert HERE in said.out
