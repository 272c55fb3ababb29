"""What the mere passing of time means for numbers: no message says so, so it is looked for."""

from sqlalchemy import and_, func, or_, select

from erpsync.flows.fulfil import UNPAID_COUNTS_FOR
from erpsync.flows.house import House
from erpsync.store.dirty import mark_dirty
from erpsync.store.sequence import read_mark, set_mark
from erpsync.store.store import Tx
from erpsync.store.tables import EPOCH, instant, line_part, micros, order_line, orders


def age_unpaid(house: House) -> int:
    """Mark the SKUs of unpaid orders that have just grown too old to count; return how many SKUs there were."""
    name = "unpaid aged"
    with house.store.read() as connection:
        known = read_mark(connection, name)
    until = house.store.clock.now() - UNPAID_COUNTS_FOR
    since = EPOCH if known is None else instant(known)
    aged = and_(
        or_(orders.c.phase == "unpaid", and_(orders.c.phase == "held", orders.c.ready_at.is_(None))),
        orders.c.placed_at > since,
        orders.c.placed_at <= until,
    )
    plain = select(order_line.c.sku_id).join(orders, orders.c.id == order_line.c.order_id).where(aged)
    bundled = (
        select(line_part.c.sku_id)
        .join(order_line, order_line.c.id == line_part.c.line_id)
        .join(orders, orders.c.id == order_line.c.order_id)
        .where(aged)
    )
    newest = select(func.max(orders.c.placed_at)).where(aged)
    with house.store.read() as connection:
        last = connection.execute(newest).scalar()
        if last is None:
            return 0
        skus = {sku_id for query in (plain, bundled) for sku_id in connection.execute(query).scalars() if sku_id}

    def work(tx: Tx) -> None:
        mark_dirty(tx, skus)
        set_mark(tx, name, micros(last))

    house.store.retrying(work)
    return len(skus)
