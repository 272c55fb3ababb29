"""What a person is to do about an order or a SKU: the end of its story. The words stand in `core.advice`."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, select

from erpsync.core import advice
from erpsync.core.order_holds import kind_of
from erpsync.store.outbox.queue import IS_OPEN, IS_WAITING
from erpsync.store.releases import is_about
from erpsync.store.remedies import letter_remedy
from erpsync.store.tables import channel, dead_letter, listing, order_hold, outbox, release_order, shipment, task
from erpsync.store.views.values import Json, iso

_ENDED = ("cancelled", "completed", "shipped")
_NOTHING = {
    "unpaid": "nothing to do: it waits for the buyer's payment",
    "released": "its warehouse sends it: a system reports what left, at a desk it is picked and scanned",
    "open": "nothing to do: nothing of it is left to send",
}


def next_of_order(connection: Connection, order_id: int, shown: Json, *, off: Collection[str] = ()) -> list[str]:
    """Return what to do about an order, the most urgent first; one sentence that nothing is, where nothing is.

    Args:
        shown: the order as `orders show` prints it.
        off: channels that are switched off in the configuration.
    """
    steps = [
        *_holds(connection, order_id, shown),
        *_tasks(connection, order_id, shown),
        *_letters(connection, order_id),
        *_reports(connection, order_id, shown),
    ]
    if shown["status"] == "backordered" or _is_short(shown):
        steps.append(advice.STOCK["backordered"])
    if shown["status"] not in _ENDED or steps:
        steps += _channel(connection, shown["channel"], off)
    return list(dict.fromkeys(steps)) or [_nothing(connection, order_id, shown)]


def _holds(connection: Connection, order_id: int, shown: Json) -> Iterable[str]:
    query = select(order_hold.c.reason).where(order_hold.c.order_id == order_id).order_by(order_hold.c.reason)
    others = [kind_of(reason) for reason in connection.execute(query).scalars()]
    for reason in dict.fromkeys([shown["hold_reason"], *others] if shown["hold_reason"] else others):
        yield advice.fill(advice.HOLDS.get(reason, reason), order=shown["number"])


def _tasks(connection: Connection, order_id: int, shown: Json) -> Iterable[str]:
    of_order = is_about(connection, order_id, task)
    query = select(task.c.id, task.c.kind).where(of_order, task.c.closed_at.is_(None))
    for row in connection.execute(query.order_by(task.c.id)):
        names = {"id": row.id, "order": shown["number"], "channel": shown["channel"]}
        yield f"task {row.id}: {advice.fill(advice.TASKS.get(row.kind, advice.DONE), **names)}"


def _letters(connection: Connection, order_id: int) -> Iterable[str]:
    open_letters = is_about(connection, order_id, dead_letter) & (dead_letter.c.state == "open")
    query = select(dead_letter.c.id, dead_letter.c.kind, letter_remedy().label("remedy")).where(open_letters)
    for row in connection.execute(query.order_by(dead_letter.c.id)):
        yield f"dead letter {row.id}: {advice.fill(advice.letter(row.kind, row.remedy), id=row.id)}"


def _reports(connection: Connection, order_id: int, shown: Json) -> Iterable[str]:
    """Yield what parcels wait for that are not told yet."""
    parcels = select(shipment.c.id).where(shipment.c.order_id == order_id)
    waiting = (outbox.c.kind == "shipment") & outbox.c.ref_id.in_(parcels) & (outbox.c.state == "waiting")
    for reason in connection.execute(select(outbox.c.waiting_for).where(waiting).distinct()).scalars():
        yield advice.fill(advice.WAITS.get(reason, reason), channel=shown["channel"])


def _is_short(shown: Json) -> bool:
    """Whether units are missing that would be served now."""
    served = shown["status"] in ("partially_shipped", "unpaid")
    return served and any(line["backordered_qty"] for line in shown["lines"])


def _channel(connection: Connection, name: str, off: Collection[str]) -> Iterable[str]:
    if state := channel_state(connection, name, off):
        yield f"{name} is {_SAID[state]}: {advice.fill(advice.CHANNELS[state], channel=name)}"


_SAID = {
    "disabled": "switched off in the configuration",
    "paused": "paused",
    "auth_failed": "refusing our credentials",
    "down": "not to be reached",
}


def channel_state(connection: Connection, name: str, off: Collection[str] = ()) -> str:
    """Return what keeps a channel from working, nothing when it works."""
    row = connection.execute(select(channel).where(channel.c.name == name)).first()
    if row is None or not row.active or name in off:
        return "disabled"
    if row.paused:
        return "paused"
    if row.auth_failed_at is not None:
        return "auth_failed"
    return "" if row.down_since_at is None else "down"


def _nothing(connection: Connection, order_id: int, shown: Json) -> str:
    """Say that nothing is to be done, and why; or that the order is to be sent."""
    if shown["status"] == "allocated" or (shown["status"] == "partially_shipped" and not _is_short(shown)):
        return _send(connection, order_id, shown)
    told = [row.sent_at for row in _parcels(connection, order_id) if row.sent_at is not None]
    if shown["status"] in _ENDED and told:
        return f"nothing to do: the channel was told on {iso(max(told))}"
    if shown["status"] == "shipped" and shown["shipments"]:
        return "nothing to do: its parcels are told to the channel by and by"
    return _NOTHING.get(shown["status"], f"nothing to do: it is {shown['status'].replace('_', ' ')}")


def _parcels(connection: Connection, order_id: int) -> list[Any]:
    return list(connection.execute(select(shipment.c.sent_at).where(shipment.c.order_id == order_id)))


def _send(connection: Connection, order_id: int, shown: Json) -> str:
    running = (release_order.c.order_id == order_id) & release_order.c.ended_at.is_(None)
    on_its_way = select(release_order.c.release_id).where(running)
    if connection.execute(on_its_way).first() is not None:
        return _NOTHING["released"]
    return f"send it, then `erpsync ship {shown['number']} --carrier CODE --tracking NUMBER`"


def next_of_sku(connection: Connection, sku_id: int, found: Json, *, off: Collection[str] = ()) -> list[str]:
    """Return what to do about a SKU; `found` is its story."""
    steps: list[str] = []
    sold = [row for row in found["listings"] if row["channel"] not in off]
    if not found["stock"] and not found["bundles"] and (sold or found["backorders"]):
        steps.append(advice.STOCK["unknown"])
    elif any(row["waits"] for row in found["backorders"]):
        steps.append(advice.STOCK["backordered"])
    steps += [advice.fill(advice.STOCK["refused"], **row) for row in sold if row["refused"]]
    steps += _untold(connection, sku_id)
    for name in sorted({row["channel"] for row in found["listings"]}):
        steps += _channel(connection, name, off)
    return list(dict.fromkeys(steps)) or ["nothing to do"]


def _untold(connection: Connection, sku_id: int) -> Iterable[str]:
    """Yield what numbers wait for that are not told yet."""
    listed = connection.execute(select(listing.c.id, listing.c.channel_id).where(listing.c.sku_id == sku_id)).all()
    places, keys = {row.channel_id for row in listed}, [str(row.id) for row in listed]
    query = (
        select(channel.c.name, outbox.c.waiting_for)
        .join(channel, channel.c.id == outbox.c.destination_id)
        .where(outbox.c.destination_id.in_(sorted(places)), outbox.c.kind == "stock", outbox.c.key.in_(keys))
        .where(IS_OPEN, IS_WAITING)  # the former for its index
        .order_by(channel.c.name, outbox.c.waiting_for)
    )
    for row in connection.execute(query.distinct()):
        yield f"{row.name}: {advice.fill(advice.WAITS.get(row.waiting_for, row.waiting_for), channel=row.name)}"
