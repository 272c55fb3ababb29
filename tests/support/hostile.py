"""A shop whose every text is an attack: what a channel, a buyer or a file can fill holds markup and a template."""

import json

from sqlalchemy import ColumnElement, Table, Text, cast, literal, update

from erpsync.flows.context import Context
from erpsync.store import tables
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Store
from tests.support.web_shop import NOW, add, fill

EVIL = "\"><img src=x onerror=alert(1)>'{{7*7}}"
TEXTS: dict[Table, tuple[str, ...]] = {
    tables.orders: ("external_id",),
    tables.order_line: ("external_id", "channel_sku", "title", "item_ref"),
    tables.sku: ("code",),
    tables.listing: ("channel_sku",),
    tables.shipment: ("number", "carrier", "tracking", "actor", "forced_reason"),
    tables.refund: ("external_id", "reason"),
    tables.dead_letter: ("key", "error", "source"),
    tables.task: ("key", "reason"),
    tables.outbox: ("key", "error"),
    tables.event: ("actor",),
    tables.channel: ("paused_reason", "paused_by", "down_error"),
}
"""Columns of texts from elsewhere, each of whose rows gets `EVIL` and, so that it stays unique, its id."""


def poison(store: Store, ctx: Context) -> None:
    """Fill a shop, and put an attack into every text of it."""
    fill(store, ctx)
    shop = ctx.channel("tmall-flagship").id
    with store.begin() as tx:
        order = tx.execute(tables.orders.select().where(tables.orders.c.channel_id == shop)).first()
        assert order is not None
        refund = {"channel_id": shop, "external_id": "R-5", "state": "open", "reason": EVIL, "currency": "CNY"}
        read = {"version_at": NOW, "read_from_at": NOW, "read_to_at": NOW, "amount_minor": 990}
        add(tx, tables.refund, refund | read | {"order_external_id": evil_of(order.id)})
        told = {"reason": EVIL, "carrier": EVIL, "list": [EVIL], EVIL: "key"}
        for kind in ("order.changed", "note.of_nobody"):
            [id] = new_ids(tx, tables.event, 1)
            row = {"id": id, "at": NOW, "kind": kind, "order_id": order.id, "detail": json.dumps(told), "actor": EVIL}
            insert_many(tx, tables.event, [row])
        for table, columns in TEXTS.items():
            tx.execute(update(table).values({column: _evil(table) for column in columns}))
        insert_many(tx, tables.unknown_message, [_message(shop)])


def evil_of(id: int) -> str:
    """Return the text of a row."""
    return f"{EVIL}{id}"


def _evil(table: Table) -> ColumnElement[str]:
    return literal(EVIL, Text) + cast(table.c.id, Text)


def _message(shop: int) -> dict[str, object]:
    return {"channel_id": shop, "type": EVIL, "count": 3, "first_at": NOW, "last_at": NOW}
