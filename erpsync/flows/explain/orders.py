"""An order: why it is held, split, served from there, short, not handed over or not told, and what ends it."""

from collections.abc import Iterator, Sequence
from typing import Any

from erpsync.core import advice
from erpsync.core.deadline import ship_by
from erpsync.core.instants import stamp
from erpsync.core.orders import OrderKind
from erpsync.flows.context import Context
from erpsync.flows.explain.case import ENDED, Case, load_case
from erpsync.flows.explain.goods import Goods, Short, load_goods
from erpsync.flows.explain.holds import address_notes, held, letter
from erpsync.flows.explain.leaving import parcels, releases
from erpsync.flows.explain.rules import rule_steps
from erpsync.flows.explain.steps import Settings, Step, counted, listed, orders, units
from erpsync.store.db.store import Tx
from erpsync.store.remedies import letter_remedies
from erpsync.store.views.orders import find_order
from erpsync.store.views.story import tell_order
from erpsync.store.views.values import Json

SERVED = ("unpaid", "backordered", "partially_shipped", "held")


def explain_order(tx: Tx, ctx: Context, name: str, settings: Settings) -> Json:
    """Return the story of an order (see `tell_order`) with `summary`, `why` and `steps`; raises `NotFound`.

    `summary` is one sentence, `steps` what it rests on, `why` the sentences of the first of them.

    Args:
        name: our number, or the channel's id where only one channel has it.
    """
    order_id = find_order(tx.connection, name)
    off = {channel.name for channel in ctx.channels.values() if not channel.enabled}
    told = tell_order(tx.connection, name, off=off)
    case = load_case(tx, ctx, order_id, told["order"], settings)
    goods = load_goods(case)
    holds, handed = tuple(held(case)), tuple(releases(case))
    steps = [*holds, *rule_steps(case), *_unpaid(case), *goods.steps(), *handed, *parcels(case), *_due(case)]
    steps += [*address_notes(case), *_asked(case)]
    summary = _summary(case, goods, holds, handed)
    why = [summary, *(_said(step) for step in steps)]
    return {"summary": summary, "why": why, "steps": [step.shown() for step in steps]} | told


def _said(step: Step) -> str:
    return step.text if step.amount is None else f"{step.amount} {step.text}"


def _unpaid(case: Case) -> Iterator[Step]:
    if case.row.ready_at is not None or case.status in ENDED:
        return
    shop, row = case.shop_name, case.row
    yield Step(what="unpaid", text=f"the buyer has not paid on {shop} yet", since=row.placed_at)
    setting = case.settings.of_channel(shop, "orders.reserve")
    if case.channel is not None and case.channel.orders.reserve == "payment":
        text = f"orders of {shop} hold no units before they are paid"
        yield Step(what="reserves_nothing", text=text, setting=setting)
    elif not case.held:
        text = f"the time for which orders of {shop} hold units before they are paid is over"
        yield Step(what="reserved_no_more", text=text, setting=setting)


def _due(case: Case) -> Iterator[Step]:
    """Yield by when it has to leave, or its channel is to be told that it left."""
    if case.channel is None or case.status in (*ENDED, "unpaid"):
        return
    by = ship_by(case.row, case.channel.orders)
    shop = case.shop_name
    if case.row.kind != OrderKind.CHANNEL:
        yield Step(what="ship_by", text=f"it is to leave by {stamp(by)}", until=by)
        return
    if case.row.ship_by_at is not None:
        yield Step(what="ship_by", text=f"{shop} says that it is to be told by {stamp(by)} that it left", until=by)
        return
    setting = case.settings.of_channel(shop, "orders.ship_within_h")
    text = f"{shop} is to be told by {stamp(by)} that it left"
    yield Step(what="ship_by", text=text, until=by, setting=setting)


def _asked(case: Case) -> Iterator[Step]:
    """Yield the tasks and dead letters that are open about the order, with what to do."""
    for row in case.tasks:
        remedy = advice.fill(
            advice.TASKS.get(row.kind, advice.DONE), id=row.id, order=case.number, channel=case.shop_name
        )
        ends = Step(what="ends", text=remedy)
        yield Step(what="task", text=f"task {row.id} is open: {row.reason}", since=row.opened_at, steps=(ends,))
    remedies = letter_remedies(case.tx.connection, [row.id for row in case.letters])
    for row in case.letters:
        step = letter(row)
        ends = Step(what="ends", text=advice.fill(advice.letter(row.kind, remedies[row.id]), id=row.id))
        yield Step(what=step.what, text=step.text, since=step.since, steps=(ends,))


def _summary(case: Case, goods: Goods, holds: Sequence[Step], handed: Sequence[Step]) -> str:
    """Return in one sentence what an order waits for."""
    number, shop = case.number, case.shop_name
    if case.status == "held" and holds:
        return f"{number} is held: {holds[0].text}"
    if case.status in SERVED and goods.short:
        return _short(number, goods.short)
    match case.status:
        case "cancelled":
            return f"nothing of {number} is to be sent: it was cancelled or refunded"
        case "completed":
            return f"{number} is completed"
        case "shipped":
            return _left(case)
        case "partially_shipped" if holds:
            return f"a part of {number} has left, and the rest is held: {holds[0].text}"
        case "partially_shipped":
            return f"a part of {number} has left, and the rest is still to be sent"
        case "unpaid":
            return f"{number} waits for the buyer's payment since {stamp(case.row.placed_at)}"
        case "released":
            return _handed_over(case, handed)
        case "allocated":
            places = listed(dict.fromkeys(row.place for row in case.held))
            if handed:
                return f"all of {number} is held in {places} and is not handed over yet: {handed[0].text}"
            return f"all of {number} is held in {places} and can be sent"
    return f"nothing of {number} is left to hold or to send for {shop}"


def _handed_over(case: Case, handed: Sequence[Step]) -> str:
    trouble = [step for step in handed if step.what.startswith("release_") and step.what != "release_told"]
    if trouble:
        return f"{case.number} is with a warehouse: {trouble[0].text}"
    places = listed(dict.fromkeys(row.place for row in case.held if row.released))
    return f"{case.number} is handed over to {places}, which sends it"


def _short(number: str, short: Sequence[Short]) -> str:
    qty, skus = sum(shortage.qty for shortage in short), {shortage.sku for shortage in short}
    if len(skus) > 1:
        return f"{number} waits for {units(qty)} of {counted(len(skus), 'SKU', 'SKUs')}"
    name = short[0].sku
    if short[0].ahead is None:
        return f"{number} waits for {units(qty)} of {name}, and is not served while it is held"
    if not short[0].ahead:
        return f"{number} waits for {units(qty)} of {name} and is served first"
    if short[0].others_ahead:
        return f"{number} waits for {units(qty)} of {name}; those who wait longer go first"
    before = orders(len(short[0].orders_ahead))
    return f"{number} waits for {units(qty)} of {name}; it is served after {before} paid before it"


def _left(case: Case) -> str:
    untold: list[Any] = [
        parcel for parcel in case.shown["shipments"] if parcel["state"] not in ("sent", "kept", "dropped")
    ]
    if untold:
        return (
            f"{case.number} has left; {case.shop_name} does not know of {counted(len(untold), 'parcel', 'parcels')} yet"
        )
    if case.row.kind != OrderKind.CHANNEL:
        return f"{case.number} has left"
    return f"{case.number} has left, and nothing is to be told to {case.shop_name} any more"
