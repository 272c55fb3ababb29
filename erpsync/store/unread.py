"""Dead letters of what was not understood of an order, and of a refund of it: which orders they hold, and their end.

Every statement here reads open letters only, by the order they speak of or by their key. Orders are locked before
letters everywhere, so that two transactions about one order never wait for each other.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, select, text, update

from erpsync.core.order_holds import HoldReason
from erpsync.core.readings import Reading, is_settled
from erpsync.sdk.text import storable
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.tables import dead_letter, order_hold, orders, refund, task

_letter = dead_letter.c
_OPEN = text("dead_letter.state = 'open'")
_OF_ORDER = and_(_OPEN, text("dead_letter.order_external_id IS NOT NULL"))
INBOX = "inbox"


def holding(tx: Tx, channel_id: int, external_ids: Iterable[str]) -> dict[str, str]:
    """Return what was not understood of these orders of a channel, in words that name the newest dead letter."""
    letters: dict[str, list[Any]] = {}
    for part in in_parts(external_ids):
        of_orders = (_letter.channel_id == channel_id) & _OF_ORDER & _letter.order_external_id.in_(part)
        query = select(_letter.id, _letter.order_external_id, _letter.error).where(of_orders).order_by(_letter.id)
        for row in tx.all(query):
            letters.setdefault(row.order_external_id, []).append(row)
    return {order: _said(rows) for order, rows in letters.items()}


def _said(rows: list[Any]) -> str:
    newest, more = rows[-1], len(rows) - 1
    return f"`erpsync dead show {newest.id}`: {newest.error}" + (f" (and {more} more)" if more else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Letters that ended: the orders they held, and whether one told of an unknown status."""

    orders: frozenset[str] = frozenset()
    of_status: bool = False


def end_read(tx: Tx, channel_id: int, kind: str, read: Mapping[str, Reading]) -> Ended:
    """End as superseded the open letters of a kind with these keys that are no news beside what was read."""
    rows = _settled(tx, channel_id, kind, {storable(key): reading for key, reading in read.items()})
    if not rows:
        return Ended()
    tx.execute(update(dead_letter).where(_letter.id.in_([row.id for row in rows])).values(state="superseded"))
    held = frozenset(row.order_external_id for row in rows if row.order_external_id)
    return Ended(orders=held, of_status=any(row.unknown_status for row in rows))


def _settled(tx: Tx, channel_id: int, kind: str, read: Mapping[str, Reading]) -> list[Any]:
    """Return the open letters that `read` settles: by key, and deliveries about an order by that order."""
    settled: list[Any] = []
    columns = (_letter.id, _letter.key, _letter.version_at, _letter.received_at)
    query = select(*columns, _letter.order_external_id, _letter.unknown_status).where(_letter.channel_id == channel_id)
    for part in in_parts(read):
        about = query.where(_letter.kind == kind, _letter.key.in_(part), _OPEN)
        settled += [row for row in tx.all(about) if is_settled(row.version_at, row.received_at, read[row.key])]
        if kind == "order":
            dated = (_letter.kind == INBOX) & _letter.version_at.is_not(None)
            about = query.where(_OF_ORDER, _letter.order_external_id.in_(part), dated)
            settled += [r for r in tx.all(about) if is_settled(r.version_at, None, read[r.order_external_id])]
    return settled


def tie(tx: Tx, channel_id: int, order_ids: Mapping[str, int]) -> None:
    """Tie the open letters about these orders to them, as their orders are stored only now."""
    for external_id, order_id in sorted(order_ids.items()):
        of_order = (_letter.channel_id == channel_id) & _OF_ORDER & (_letter.order_external_id == external_id)
        tx.execute(update(dead_letter).where(of_order).values(order_id=order_id))


def orders_of_refunds(tx: Tx, channel_id: int, refunds: Collection[str]) -> dict[str, str]:
    """Return the order of each of these refunds that is known."""
    by_refund: dict[str, str] = {}
    for part in in_parts(refunds):
        of_refunds = (refund.c.channel_id == channel_id) & refund.c.external_id.in_(part)
        rows = tx.all(select(refund.c.external_id, refund.c.order_external_id).where(of_refunds))
        by_refund |= {row.external_id: row.order_external_id for row in rows}
    return by_refund


def status_tasks(tx: Tx, kind: str, channel_id: int) -> list[str]:
    """Return the keys of the open tasks of a kind about a channel, locked: whoever counts letters next, waits."""
    of_channel = (task.c.kind == kind) & (task.c.channel_id == channel_id) & task.c.closed_at.is_(None)
    query = select(task.c.key).where(of_channel).order_by(task.c.key).with_for_update(key_share=True)
    return [row.key for row in tx.all(query)]


def unknown_statuses(tx: Tx, channel_id: int) -> dict[str, tuple[int, int]]:
    """Return by status text that is in no table how many open letters speak of it, and the newest of them."""
    of_channel = and_(_letter.channel_id == channel_id, _OPEN, text("dead_letter.unknown_status IS NOT NULL"))
    columns = (_letter.unknown_status, func.count().label("n"), func.max(_letter.id).label("newest"))
    rows = tx.all(select(*columns).where(of_channel).group_by(_letter.unknown_status))
    return {row.unknown_status: (row.n, row.newest) for row in rows}


def unheld(connection: Connection, *, limit: int) -> list[int]:
    """Return the ids of open orders that an open letter speaks of and that nothing holds for it."""
    is_held = (
        select(order_hold.c.order_id)
        .where(order_hold.c.order_id == orders.c.id, order_hold.c.reason == HoldReason.UNREAD_UPDATE.value)
        .exists()
    )
    # Scans orders: the open ones, in upkeep only.
    query = (
        select(orders.c.id)
        .join(
            dead_letter,
            and_(_letter.channel_id == orders.c.channel_id, _letter.order_external_id == orders.c.external_id),
        )
        .where(_OF_ORDER, orders.c.phase.in_(("partially_shipped", "held", "unpaid", "ready")), ~is_held)
        .distinct()
        .order_by(orders.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
