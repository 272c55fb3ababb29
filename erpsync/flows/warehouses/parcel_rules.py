"""What the rules about parcels say of an order's parcels: of those that are made, and of those that could be now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from erpsync.core.facts import On
from erpsync.core.orders import KnownOrder
from erpsync.core.rules import Because
from erpsync.flows.audit.report import try_order
from erpsync.flows.audit.said import clauses_of
from erpsync.flows.context import Context
from erpsync.flows.rules.parcels import Contents, SeenParcel, judge_parcels
from erpsync.flows.warehouses.planning import plan_by_rules
from erpsync.store.orders import read_orders
from erpsync.store.releases import pieces_of
from erpsync.store.tables import release, release_order
from erpsync.store.views import find_order

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A parcel with what the rules say of it; `release` is empty for one that is not made yet."""

    release: str
    warehouse: str
    seen: SeenParcel

    def because(self, rule: str) -> Because:
        """Return why a rule matches or not."""
        return next(each for each in self.seen.verdict.because if each.rule == rule)


def judged_parcels(connection: Connection, ctx: Context, order_id: int, *, now: datetime) -> list[Judged]:
    """Return an order's parcels as the rules about parcels see them now; none where there are no such rules."""
    if not ctx.book.ledgers[On.PARCEL].rules:
        return []
    made = list(_made(connection, order_id))
    seen = judge_parcels(connection, ctx, [contents for _, contents in made], now=now)
    numbers = [number for number, _ in made]
    found = [
        Judged(release=number, warehouse=each.facts.warehouse, seen=each)
        for number, each in zip(numbers, seen, strict=True)
    ]
    planned = plan_by_rules(connection, ctx, read_orders(connection, [order_id]), now=now)
    return found + [Judged(release="", warehouse=each.facts.warehouse, seen=each) for _, each in planned.judged]


def _made(connection: Connection, order_id: int) -> Iterator[tuple[str, Contents]]:
    """Yield the number and contents of each open release of an order."""
    own = (
        select(release.c.id, release.c.number, release.c.warehouse_id)
        .join(release_order, release_order.c.release_id == release.c.id)
        .where(release_order.c.order_id == order_id, release_order.c.ended_at.is_(None))
    )
    rows = connection.execute(own.order_by(release.c.id)).all()
    pieces = pieces_of(connection, [row.id for row in rows])
    for row in rows:
        orders = _orders_of(connection, row.id)
        yield row.number, Contents(orders=orders, warehouse_id=row.warehouse_id, pieces=pieces.get(row.id, ()))


def _orders_of(connection: Connection, release_id: int) -> Sequence[KnownOrder]:
    members = select(release_order.c.order_id).where(release_order.c.release_id == release_id)
    known = read_orders(connection, connection.execute(members).scalars())
    return [known[id] for id in sorted(known)]


def try_with_parcels(ctx: Context, order: str, other: Context | None = None) -> Json:
    """Return what `try_order` does, with `parcels`: what the rules about parcels say of each that is or could be made.

    Each is `{release, warehouse, carrier, held, rules: [{id, outcome, because}]}`; `release` is None for one that is
    not made, `held` has the text of the rule that keeps it.
    """
    tried = other or ctx
    said = try_order(ctx, order, other)
    now = ctx.store.trusted_now()
    with ctx.store.read() as connection:
        parcels = judged_parcels(connection, tried, find_order(connection, order), now=now)
    return said | {"parcels": [_said(tried, parcel) for parcel in parcels]}


def _said(ctx: Context, parcel: Judged) -> Json:
    seen = parcel.seen
    carriers, _ = seen.carrier
    holds = seen.verdict.holds
    return {
        "release": parcel.release or None,
        "warehouse": parcel.warehouse,
        "carrier": list(carriers),
        "held": holds[0].text if holds else None,
        "rules": [
            {"id": each.rule, "outcome": each.outcome, "because": clauses_of(ctx, seen, each)}
            for each in seen.verdict.because
        ],
    }
