"""Two at once: what only shows when two transactions overlap."""

from collections.abc import Callable
from threading import Thread

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.orders.apply import apply
from erpsync.flows.records.batch import Batch
from erpsync.sdk.types import RefundState
from erpsync.store.registry import lock_skus
from erpsync.store.stock_book import Book
from erpsync.store.tables import listing, sku
from tests.support import looking
from tests.support.facts import fact, line, order, refund, refund_fact
from tests.support.shop import Town

OVERLAP_S = 0.2  # so often the second one is looked for where it waits; on SQLite it waits for its turn at once
WAITING = text("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def meanwhile(town: Town, work: Callable[[], object]) -> Thread:
    """Let something run until it ends or waits for us."""
    thread = Thread(target=work)
    thread.start()
    for _ in range(1 if town.store.is_sqlite else 60):
        thread.join(OVERLAP_S)
        with town.store.read() as connection:
            if not thread.is_alive() or town.store.is_sqlite or connection.execute(WAITING).first():
                break
    return thread


@pytest.mark.concurrent("threads")
@pytest.mark.parametrize("first", ["order", "refund"])
def test_a_refund_and_its_order_that_come_at_the_same_instant_find_each_other(town: Town, first: str) -> None:
    """failures.md row 6: whoever comes second applies the refund, also where neither can see the other yet."""
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    facts = {
        "order": Batch(orders=(fact(order("o1", line(qty=3))),)),
        "refund": Batch(refunds=(refund_fact(refund("r1", "o1", state=RefundState.OPEN, L1=3)),)),
    }
    second = "refund" if first == "order" else "order"

    with town.store.begin() as tx:
        apply(tx, town.ctx, town.channel(), facts[first])
        other = meanwhile(
            town, lambda: town.store.retrying(lambda it: apply(it, town.ctx, town.channel(), facts[second]))
        )
    other.join()

    assert looking.status(town, "o1") == ("held", "refund_open")


@pytest.mark.concurrent("threads")
def test_an_import_of_listings_and_a_sale_of_their_skus_never_wait_for_each_other(town: Town) -> None:
    """Everything locks SKUs before listings; the other way round the database had to kill one of two."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    mapping = [ListingMapping(channel="shop", channel_sku="A", sku="A")]
    import_listings(town.ctx, mapping, actor="me")
    failed: list[Exception] = []

    def import_again() -> None:
        try:
            import_listings(town.ctx, mapping, actor="me")
        except SQLAlchemyError as error:
            failed.append(error)

    with town.store.begin() as tx:
        sku_id = tx.execute(select(sku.c.id).where(sku.c.code == "A")).scalar_one()
        Book(tx, [sku_id])
        other = meanwhile(town, import_again)
        tx.all(select(listing.c.id).where(listing.c.sku_id == sku_id).with_for_update(nowait=True))
    other.join()

    assert failed == []


@pytest.mark.concurrent("threads")
def test_an_import_of_listings_and_the_first_sale_of_one_never_wait_for_each_other(town: Town) -> None:
    """The sale makes the listing's row; it locks the SKU before that, as the import does."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    batch = Batch(orders=(fact(order("o1", line("A"))),))

    with town.store.begin() as tx:
        sku_id = tx.execute(select(sku.c.id).where(sku.c.code == "A")).scalar_one()
        lock_skus(tx, [sku_id])
        other = meanwhile(town, lambda: town.store.retrying(lambda it: apply(it, town.ctx, town.channel(), batch)))
        if tx.dialect == "postgresql":
            tx.execute(text("SET LOCAL lock_timeout = '200ms'"))
        row = {"channel_id": town.channel().id, "channel_sku": "A", "item_ref": "", "sku_id": sku_id}
        tx.execute(listing.insert().values(**row))
    other.join()

    assert looking.status(town, "o1") == ("allocated", None)
