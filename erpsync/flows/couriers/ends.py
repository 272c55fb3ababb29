"""What becomes of the number of a release that ends: used where the parcel left, else given back or to be void.

Why the number of a parcel that left is never voided: it is on the parcel, and a courier that believes us would lose it.
"""

from collections.abc import Sequence

from sqlalchemy import exists, select

from erpsync.flows.context import Context
from erpsync.flows.couriers.wanted import TASK, errand
from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import WAYBILL, drop_open, enqueue
from erpsync.store.releases import orders_in, read_head
from erpsync.store.tables import print_run, release_line, shipment
from erpsync.store.tasks import close_tasks
from erpsync.store.waybills import StoredWaybill, lock_waybills_of, set_spare, set_state


def use_waybills(tx: Tx, release_id: int) -> None:
    """Note that a release left: its number is on the parcel. Whoever calls has its orders locked."""
    rows = lock_waybills_of(tx, [release_id]).get(release_id, [])
    set_state(tx, [row for row in rows if row.state == "booked"], "used")
    _end_wishes(tx, rows)
    drop_open(tx, WAYBILL, [release_id], note="the release left")
    close_tasks(tx, TASK, [read_head(tx, release_id).number], by="erpsync")


def release_waybills(tx: Tx, ctx: Context, release_id: int) -> None:
    """Let go of the number of a release that has surely stopped. Whoever calls has its orders locked.

    What was surely never sent ends without a call; what may be with the courier is voided once that is known.
    """
    rows = lock_waybills_of(tx, [release_id]).get(release_id, [])
    if not rows:
        return
    if _has_left(tx, release_id, rows):
        use_waybills(tx, release_id)
        return
    close_tasks(tx, TASK, [read_head(tx, release_id).number], by="erpsync")
    _end_wishes(tx, rows)
    let_go(tx, ctx, [row for row in rows if row.state in ("handed", "booked")])


def _end_wishes(tx: Tx, rows: Sequence[StoredWaybill]) -> None:
    """End what was surely never sent; whoever has its errand under way sees that before the call."""
    set_state(tx, [row for row in rows if row.state == "wanted"], "cancelled", reason="never sent")


def let_go(tx: Tx, ctx: Context, rows: Sequence[StoredWaybill]) -> None:
    """Give numbers that were bought in advance back as long as nothing was printed; let the others be void.

    A number that stands on paper is of no other parcel, so one that nobody can void is used up.
    """
    bought = [row for row in rows if row.bought]
    if bought:
        if _is_printed(tx, bought[0].release_id):
            set_state(tx, bought, "cancelled", reason="printed, and not used")
        else:
            set_spare(tx, bought)
    booked = [row for row in rows if not row.bought]
    set_state(tx, booked, "cancelling")
    keys = {row.key: row for row in booked}
    enqueue(tx, [errand(tx, row.account_id, row.release_id, key, void=True) for key, row in sorted(keys.items())])


def _is_printed(tx: Tx, release_id: int) -> bool:
    runs = select(exists().where(print_run.c.release_id == release_id))
    return read_head(tx, release_id).printed_at is not None or bool(tx.execute(runs).scalar())


def _has_left(tx: Tx, release_id: int, rows: Sequence[StoredWaybill]) -> bool:
    """Whether some of a release left, or a parcel with one of these numbers."""
    gone = exists().where(release_line.c.release_id == release_id, release_line.c.left_units > 0)
    numbers = [row.number for row in rows if row.number]
    of_orders = shipment.c.order_id.in_(orders_in(tx, [release_id])[release_id])
    told = exists().where(of_orders, shipment.c.tracking.in_(numbers))
    return bool(tx.execute(select(gone | told)).scalar())
