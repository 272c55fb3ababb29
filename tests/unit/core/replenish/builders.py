"""Needs, items and plans that default everything a test does not speak of. Days are numbers, today is 0."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from erpsync.core.allocation import StockKey
from erpsync.core.bom import Bom, BomLine
from erpsync.core.replenish import (
    DatedNeed,
    Expected,
    OpenSupply,
    PlanItem,
    Suggested,
    Suggestion,
    WorkCalendar,
    plan,
)

TODAY = date(2026, 11, 30)
HOME = 1
ALWAYS = WorkCalendar()


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def key(sku_id: int, warehouse_id: int = HOME) -> StockKey:
    return StockKey(sku_id, warehouse_id)


def need(sku_id: int, at: int, qty: int, order: int = 1, warehouse_id: int = HOME) -> DatedNeed:
    return DatedNeed(key(sku_id, warehouse_id), day(at), qty, "order", order)


def expected(sku_id: int, at: int, qty: int) -> Expected:
    return Expected(key(sku_id), day(at), qty)


def coming(supply_id: int, sku_id: int, at: int, qty: int) -> OpenSupply:
    return OpenSupply(supply_id, key(sku_id), day(at), qty)


def buy(**more: int) -> PlanItem:
    return PlanItem(means="buy", from_warehouse_id=HOME, **more)


def make(**more: int) -> PlanItem:
    return PlanItem(means="make", from_warehouse_id=HOME, **more)


def made_of(*lines: tuple[int, int], scrap_ppm: int = 0, yields: int = 1) -> Bom:
    return Bom(tuple(BomLine(sku_id, qty, scrap_ppm) for sku_id, qty in lines), yields)


def planned(
    *needs: DatedNeed,
    forecast: Iterable[Expected] = (),
    on_hand: Mapping[int, int] | None = None,
    supplies: Iterable[OpenSupply] = (),
    boms: Mapping[int, Bom] | None = None,
    items: Mapping[int, PlanItem] | None = None,
    calendar: WorkCalendar = ALWAYS,
) -> Suggested:
    stock = {key(sku_id): qty for sku_id, qty in (on_hand or {}).items()}
    known = {key(sku_id): item for sku_id, item in (items or {}).items()}
    return plan(needs, forecast, stock, supplies, boms or {}, known, calendar, TODAY)


def short(suggestions: Sequence[Suggestion]) -> list[tuple[int, int, int, int]]:
    """Return (SKU, start, due, units) of each."""
    return [(s.key.sku_id, (s.start - TODAY).days, (s.due - TODAY).days, s.qty) for s in suggestions]
