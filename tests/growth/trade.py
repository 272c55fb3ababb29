"""What a daemon does all day: telling numbers, taking orders in, taking webhooks in."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from sqlalchemy import update

from connectors.webhook_json.sandbox import OwnShop
from erpsync.flows.availability.fan_out import fan_out
from erpsync.flows.availability.push import push_stock
from erpsync.flows.context import Context
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.orders.apply import apply
from erpsync.flows.records.batch import Batch, OrderRecord
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.types import Line
from erpsync.store.db.store import Tx
from erpsync.store.outbox.dirty import mark_dirty
from erpsync.store.tables import listing
from tests.bench import goods
from tests.bench.trader import Told
from tests.growth.ground import HOT_SKUS, Ground
from tests.growth.pages import Visitor
from tests.growth.timing import Measure, rate_of
from tests.growth.town import NOW, TMALL, Goods

ORDERS, DELIVERIES, COMMIT = 200, 60, 100


def measures(ground: Ground, visitor: Visitor) -> Iterator[Measure]:
    """Yield how many of each are done in a second."""
    sink, numbers, shop = Told(), count(0, ORDERS), OwnShop(clock=ManualClock(NOW), eager=False)
    told = _told_by(ground.ctx, sink)
    yield rate_of("stock numbers told, hot SKUs", "numbers/s", lambda: _tell(told, sink))
    yield rate_of(f"orders taken in, {COMMIT} a commit", "orders/s", lambda: _take_in(ground.ctx, next(numbers)))
    yield rate_of("webhooks, signed body to applied", "orders/s", lambda: _deliver(ground, visitor, shop))


def _told_by(ctx: Context, sink: Told) -> Context:
    """Return the context whose first channel, the only one, takes every number at once."""
    changed = replace(ctx.channel(TMALL.name), connector=sink)
    return replace(ctx, channels={changed.id: changed})


def _tell(ctx: Context, sink: Told) -> tuple[int, float]:
    """Tell the numbers of the popular SKUs of a channel, 20 a call, from the marks to the last acknowledgement."""
    channel, hot = ctx.channel(TMALL.name), range(1, HOT_SKUS + 1)

    def mark(tx: Tx) -> None:
        mine = (listing.c.channel_id == channel.id) & listing.c.sku_id.in_(hot)
        tx.execute(update(listing).where(mine).values(told_sure=False))
        mark_dirty(tx, hot)

    ctx.store.retrying(mark)
    before, began = sink.levels, time.perf_counter()
    while fan_out(ctx):
        pass
    while push_stock(ctx, channel):
        pass
    done, took_s = sink.levels - before, time.perf_counter() - began
    if done < HOT_SKUS:
        raise RuntimeError(f"only {done} of {HOT_SKUS} numbers were told")
    return done, took_s


def _take_in(ctx: Context, first: int) -> tuple[int, float]:
    """Take new orders in as one channel tells of them."""
    channel = ctx.channel(TMALL.name)
    found = [_facts(some) for some in goods.batches(goods.sales(ORDERS, first=first), COMMIT)]
    began = time.perf_counter()
    for batch in found:
        if ctx.store.retrying(lambda tx, batch=batch: apply(tx, ctx, channel, batch)).new != COMMIT:
            raise RuntimeError("not all orders were new")
    return ORDERS, time.perf_counter() - began


def _facts(found: list[goods.Sale]) -> Batch:
    """Return sales of what is sold here, placed just now."""
    return Batch(orders=tuple(_placed_now(record) for record in goods.facts(found).orders))


def _placed_now(record: OrderRecord) -> OrderRecord:
    lines = tuple(_of_ours(line) for line in record.order.lines)
    order = replace(record.order, lines=lines, placed_at=NOW, paid_at=NOW, ready_at=NOW, version_at=NOW)
    head = replace(record.raw.head, version_at=NOW, read_from=NOW, read_to=NOW)
    return OrderRecord(raw=replace(record.raw, head=head, read_from=NOW, read_to=NOW), order=order)


def _of_ours(line: Line) -> Line:
    sku_id = int(line.channel_sku.removeprefix("SKU-")) + 1
    return replace(line, channel_sku=Goods.code(sku_id), item_ref=Goods.item_ref(TMALL, sku_id))


def _deliver(ground: Ground, visitor: Visitor, shop: OwnShop) -> tuple[int, float]:
    """Send signed orders to the hook, one request each, and apply them."""
    for sale in goods.sales(DELIVERIES, first=len(shop.orders)):
        shop.place_order(*((Goods.code(sku + 1), qty) for sku, _, qty in sale.lines), paid=True)
    shop.deliver = lambda body, headers: visitor.call("POST", f"/hooks/{ground.names.hook}", body, headers)[0]
    began = time.perf_counter()
    waiting = shop.send()
    done = 0
    while taken := apply_inbox(ground.ctx):
        done += taken
    if waiting or done != DELIVERIES:
        raise RuntimeError(f"{waiting} were not stored, {done} of {DELIVERIES} were applied")
    return done, time.perf_counter() - began
