"""Filling a migrated database with half a year of a seller's orders: `seed(url, orders)`.

What stands in it is what a daemon would have written: counters equal their sums, every open order holds what it wants
or waits for it, numbers told are right. Why by the bare driver: the product takes minutes per hundred thousand orders,
and the million is needed. Why only named columns are set: later versions may add others.
"""

from collections.abc import Callable
from datetime import datetime

from erpsync.core.availability import share
from erpsync.core.policy import StockPolicy
from erpsync.core.seal import hash_of
from erpsync.store.db.privacy import Vault
from erpsync.store.outbox.queue import LANE_REST, STOCK
from erpsync.store.tables import instant
from tests.growth.history import DAYS, History
from tests.growth.records import DAY, HOUR, SECOND
from tests.growth.rows import Loader, loading
from tests.growth.town import DEPOT, NOW, SELLERS, SKUS, VAULT, WAREHOUSES, Goods, Seller


def _silent(done: int) -> None:
    del done


def seed(
    url: str,
    orders: int,
    *,
    now: datetime = NOW,
    skus: int = SKUS,
    vault: Vault = VAULT,
    seed: int = 1,
    progress: Callable[[int], None] = _silent,
) -> None:
    """Fill a migrated database that has no rows yet; the same arguments give the same rows but for what is sealed.

    Args:
        now: when the last of it happened.
        skus: how many SKUs are sold, the first ones most.
        progress: called with the number of orders written since it was last called.
    """
    goods = Goods(skus)
    with loading(url) as loader:
        _write_places(loader, goods)
        history = History(loader, goods, orders, now=now, vault=vault, seed=seed)
        history.write(progress)
        _write_listings(loader, goods, history)
        _write_open_numbers(goods, history)
        _write_progress(loader, history)
        _write_windows(loader, history)
        numbers = loader.into("counter", "name", "value")
        for name, value in history.numbered.items():
            numbers((name, value))


def _write_places(loader: Loader, goods: Goods) -> None:
    channel = loader.into("channel", "id", "name", "connector", "active")
    for each in SELLERS:
        channel((each.id, each.name, each.kind, True))
    channel((*DEPOT, True))
    warehouse = loader.into("warehouse", "id", "code", "priority", "safety_stock", "sellable")
    for row_id, policy in enumerate(WAREHOUSES, 1):
        warehouse((row_id, policy.id, policy.priority, policy.safety_stock, policy.sellable))
    sku, bundle = loader.into("sku", "id", "code"), loader.into("bundle", "bundle_id", "sku_id", "qty")
    for each in goods.ids:
        sku((each, goods.code(each)))
    for each in goods.bundles:
        for part, qty in goods.parts[each]:
            bundle((each, part, qty))


def _write_listings(loader: Loader, goods: Goods, history: History) -> None:
    """Write a listing of every SKU in every channel, told the number that it should show."""
    named = ("id", "channel_id", "channel_sku", "item_ref", "title", "sku_id")
    listing = loader.into("listing", *named, "told_qty", "told_sure", "told_at")
    for seller in SELLERS:
        for sku_id in goods.ids:
            names = (goods.listing_id(seller, sku_id), seller.id, goods.code(sku_id), goods.item_ref(seller, sku_id))
            told = (
                (_number(goods, history, seller, sku_id), True, history.now_us)
                if seller.pushed
                else (None, False, None)
            )
            listing((*names, f"好物 {goods.code(sku_id)} 包邮", sku_id, *told))


def _number(goods: Goods, history: History, seller: Seller, sku_id: int) -> int:
    return min(
        share(available=history.shelves.free(part), unpaid=history.unpaid[seller.id, part], policy=StockPolicy()).qty
        // qty
        for part, qty in goods.parts[sku_id]
    )


def _write_open_numbers(goods: Goods, history: History) -> None:
    """Write some numbers that are still to be told: due, waiting for a pass, or held back for a person to look at."""
    for seller in SELLERS[:3]:
        reason = "many listings would go to zero without a sale"
        history.records.task("brake", seller.name, seller.id, history.now_us - SECOND, reason=reason)
    for nth, sku_id in enumerate(goods.plain[100:130]):
        listing_id = goods.listing_id(SELLERS[nth % 3], sku_id)
        history.records.effect(
            SELLERS[nth % 3].id,
            STOCK,
            str(listing_id),
            listing_id,
            serial=f"listing:{listing_id}",
            lane=LANE_REST,
            marked_us=history.now_us - SECOND,
            waiting_for=("", "fresh", "brake")[nth // 10],
        )


def _write_progress(loader: Loader, history: History) -> None:
    """Write how far the streams were read: to the end, a few seconds ago."""
    passes = ("mark", "since_at", "began_at", "complete_began_at", "complete_ended_at")
    cursor = loader.into("cursor", "channel_id", "stream", *passes)
    began, ended = history.now_us - 20 * SECOND, history.now_us - 10 * SECOND
    for seller in SELLERS:
        for stream in ("orders", "backfill", "refunds", "listings") if seller.polled else ("orders",):
            if seller.polled or seller.kind == "csv_drop":
                mark = instant(began).isoformat()
                cursor((seller.id, stream, mark, history.since_us, began, began, ended))
    cursor((DEPOT[0], "warehouse", instant(began).isoformat(), history.since_us, began, began, ended))
    for seller in SELLERS:
        for day in range(DAYS):
            at_us = history.since_us + day * DAY
            history.records.event("channel.up", at_us, channel_id=seller.id, down_s=day % 7)


def _write_windows(loader: Loader, history: History) -> None:
    """Write the comparison with the polled channels, hour by hour: all proven but for the last ones."""
    row = ("channel_id", "start_at", "end_at", "scanned_at", "since_at", "order_count", "ids_hash", "sealed_at", "why")
    window = loader.into("seal_window", *row)
    last = (history.now_us - 300 * SECOND) // HOUR
    for seller in (each for each in SELLERS if each.polled):
        for hour in range(history.since_us // HOUR + 1, last):
            named, end = history.named.get((seller.id, hour), []), (hour + 1) * HOUR
            first, again = end + 400 * SECOND, end + 4_300 * SECOND
            sealed = again <= history.now_us
            scans = (again if sealed else first, first, len(named), hash_of(named), again if sealed else None)
            scans = scans if first <= history.now_us else (None, None, 0, "", None)
            why = "" if sealed or scans[0] is None else "a second scan that agrees has to follow"
            window((seller.id, hour * HOUR, end, *scans, why))
