"""Where an order's units are: held in which warehouse and since when, missing and who comes first, why it was split."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from erpsync.core.availability import Shelf
from erpsync.core.fulfilment import LINE
from erpsync.core.instants import stamp
from erpsync.flows.availability.levels import load_shelves
from erpsync.flows.explain.case import Case
from erpsync.flows.explain.facts import read_waiting
from erpsync.flows.explain.steps import Step, Units, first, listed, orders
from erpsync.store.tables import backorder, event, order_line, sku, waiting_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """Units of an order that nothing covers yet.

    Args:
        ahead: who is served before it; None while it is not served at all, because the order is held.
        free: units free to promise now in the warehouses that serve it.
    """

    line: str
    sku: str
    qty: int
    ahead: Sequence[Units] | None
    free: int
    counts: Sequence[Any]

    @property
    def orders_ahead(self) -> set[str]:
        """The orders that are served before it."""
        return {other.order for other in self.ahead or () if other.order is not None}

    @property
    def others_ahead(self) -> bool:
        """Whether somebody is served before it that is no order."""
        return any(other.order is None for other in self.ahead or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What an order has and lacks."""

    case: Case
    short: Sequence[Short]
    shelves: Mapping[int, Mapping[int, Shelf]]
    names: Mapping[int, str]
    given_at: Mapping[tuple[int, int, int], datetime]

    def steps(self) -> Iterator[Step]:
        """Yield what is held and what is missing, and why from there."""
        yield from map(self._held, self.case.held)
        yield from map(self._missing, self.short)
        if self.case.held or self.short:
            yield from self._split()
            yield self._sourcing()

    def _held(self, row: Any) -> Step:
        since = self.given_at.get((row.owner_id, row.sku_id, row.warehouse_id))
        if row.released:
            text = f"of {row.sku} for line {row.line}, handed over to {row.place}"
            return Step(what="released", amount=row.qty, text=text, since=since)
        if row.expires_at is not None:
            text = f"of {row.sku} for line {row.line}, reserved in {row.place} until {stamp(row.expires_at)}"
            setting = self.case.settings.of_channel(self.case.shop_name, "orders.reserve_minutes")
            return Step(what="reserved", amount=row.qty, text=text, since=since, until=row.expires_at, setting=setting)
        text = f"of {row.sku} for line {row.line}, held in {row.place}"
        return Step(what="allocated", amount=row.qty, text=text, since=since)

    def _missing(self, short: Short) -> Step:
        steps = (self._ahead(short), self._free(short), *_arriving(short))
        text = f"of {short.sku} missing for line {short.line}"
        return Step(what="backordered", amount=short.qty, text=text, steps=steps)

    def _ahead(self, short: Short) -> Step:
        if short.ahead is None:
            return Step(what="not_served", text="it is not served while the order is held")
        if not short.ahead:
            return Step(what="ahead", amount=0, text="no order comes before it: it is served first")
        named, more = first(short.ahead)
        total, count = sum(other.qty for other in short.ahead), len(short.orders_ahead)
        text = f"go first to {orders(count)} paid before it"
        if short.others_ahead:
            text = "go first to those who wait longer, orders and others"
        return Step(what="ahead", amount=total, text=text, orders=named, more_orders=more)

    def _free(self, short: Short) -> Step:
        text = f"of {short.sku} free to promise in the warehouses that serve {self.case.shop_name}"
        return Step(what="free", amount=short.free, text=text)

    def _split(self) -> Iterator[Step]:
        places = dict.fromkeys(row.place for row in self.case.held)
        if len(places) > 1:
            text = (
                f"it is split over {listed(places)}: whenever units are given out, they come from as few warehouses "
                "as cover what is missing; what each had then is not kept"
            )
            yield Step(what="split", text=text)

    def _sourcing(self) -> Step:
        case, codes = self.case, self.case.codes
        setting = case.settings.of_channel(case.shop_name, "stock.warehouses")
        if not case.places:
            return Step(what="sourcing", text=f"no warehouse serves {case.shop_name}", setting=setting)
        steps = tuple(self._place(sku_id, place) for sku_id in self.names for place in case.places)
        text = f"{listed(codes[place] for place in case.places)} may serve {case.shop_name}, preferred first"
        return Step(what="sourcing", text=text, setting=setting, steps=steps)

    def _place(self, sku_id: int, place: int) -> Step:
        """Return what of a SKU is free in a warehouse now."""
        name, code, shelf = self.names[sku_id], self.case.codes[place], self.shelves.get(sku_id, {}).get(place)
        setting = self.case.settings.of_warehouse(code, "priority")
        if shelf is None:
            return Step(what="uncounted", text=f"{code} has no count of {name}", setting=setting)
        text = f"of {name} free to promise in {code} as things stand now"
        return Step(what="free", amount=shelf.available, text=text, setting=setting)


def load_goods(case: Case) -> Goods:
    """Return what an order has and lacks."""
    query = (
        select(backorder, sku.c.code, order_line.c.external_id)
        .join(sku, sku.c.id == backorder.c.sku_id)
        .join(order_line, order_line.c.id == backorder.c.owner_id)
        .where(backorder.c.order_id == case.row.id, backorder.c.owner_kind == LINE)
    )
    rows = case.tx.all(query.order_by(backorder.c.owner_id, sku.c.code))
    names = {row.sku_id: row.sku for row in case.held} | {row.sku_id: row.code for row in rows}
    missing = sorted({row.sku_id for row in rows})
    shelves = load_shelves(case.tx, case.ctx, case.channel, sorted(names)) if case.channel else {}
    waiting = read_waiting(case.tx.connection, missing)
    counts = _counts(case, [names[sku_id] for sku_id in missing])
    short = [
        Short(
            line=row.external_id,
            sku=row.code,
            qty=row.qty,
            ahead=_before(case.number, waiting.get(row.sku_id, ())) if row.waits else None,
            free=sum(shelf.available for shelf in shelves.get(row.sku_id, {}).values()),
            counts=[count for count in counts if count.sku == row.code],
        )
        for row in rows
    ]
    return Goods(case=case, short=short, shelves=shelves, names=names, given_at=_given_at(case))


def _before(number: str, waiting: Sequence[Units]) -> list[Units]:
    """Return who is served before an order."""
    turn = next((nth for nth, other in enumerate(waiting) if other.order == number), len(waiting))
    return list(waiting[:turn])


def _counts(case: Case, codes: Sequence[str]) -> Sequence[Any]:
    """Return counts of these SKUs that wait for a person to be believed."""
    if not codes:
        return ()
    of_codes = waiting_count.c.sku.in_(codes) & waiting_count.c.warehouse_id.in_(case.places)
    return case.tx.all(select(waiting_count).where(of_codes))


def _arriving(short: Short) -> Iterator[Step]:
    for row in short.counts:
        text = f"counted of {short.sku}: a person is to say whether that is right (`erpsync tasks list`)"
        yield Step(what="count_waits", amount=row.on_hand, text=text, since=row.counted_at)
    if not short.counts:
        text = f"nothing of {short.sku} is known to be on its way: it is known once it is counted or added"
        yield Step(what="nothing_on_its_way", text=text)


def _given_at(case: Case) -> dict[tuple[int, int, int], datetime]:
    """Return when units were given out last, by line, SKU and warehouse, as the order's events tell it."""
    of_order = (event.c.order_id == case.row.id, event.c.order_id.is_not(None))
    given_at: dict[tuple[int, int, int], datetime] = {}
    for row in case.tx.all(select(event.c.at, event.c.detail).where(*of_order).order_by(event.c.id)):
        for take in json.loads(row.detail).get("takes") or ():
            given_at[take["line_id"], take["sku_id"], take["warehouse_id"]] = row.at
    return given_at
