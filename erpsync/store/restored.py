"""What a restored database keeps of its restoring, and how its numbers pass those that were given meanwhile.

Between the backup and its restoring the lost database gave numbers that this one knows nothing of. Buyers, warehouses
and programs have seen them, so none may be given again.

Why the gap grows with the backup's age: the same backup may be restored twice, and what the first restored database
gave is lost as well. A later restoring lies further ahead, by twice what a day used to need.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, func, select, text, update

from erpsync.store.db.sequence import set_mark
from erpsync.store.db.store import Tx
from erpsync.store.tables import counter, dead_letter, event, instant, micros, orders, subscription, task

GAP = 10_000
"""So many numbers are passed at least, for a day at most; more where a day needed more than half of it."""

_AT, _FROM, _GAP, _LAST_ORDER = "restored:at", "restored:from", "restored:gap", "restored:last_order"
_COUNTS_UP = "%{seq%"
"""Counters of numbers are named by their pattern; the other rows of the table are marks."""

_SEEN_OUTSIDE = (event, task, dead_letter, subscription)
"""Tables whose row ids people type and programs remember."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The last restoring.

    Args:
        at: when it was.
        taken_at: when its backup was made.
        gap: how many numbers were passed.
        last_order: the row id of the last order of the backup.
    """

    at: datetime
    taken_at: datetime
    gap: int
    last_order: int

    def passed(self, order_id: int) -> int:
        """Return how many parcels of an order may have been numbered that nothing is known of."""
        return self.gap if order_id <= self.last_order else 0

    def hides(self, placed_at: datetime, *, overlap: timedelta) -> bool:
        """Whether an order that is new here was placed while the database that is lost was in use.

        What left of it then left the stock that was counted before, and nothing here has taken it off.
        """
        return self.taken_at - overlap <= placed_at < self.at


def read_restored(connection: Connection) -> Restored | None:
    """Return the last restoring of this database, None when there was none."""
    query = select(counter.c.name, counter.c.value).where(counter.c.name.in_((_AT, _FROM, _GAP, _LAST_ORDER)))
    kept = {row.name: row.value for row in connection.execute(query)}
    if _AT not in kept:
        return None
    return Restored(at=instant(kept[_AT]), taken_at=instant(kept[_FROM]), gap=kept[_GAP], last_order=kept[_LAST_ORDER])


def pass_numbers(tx: Tx, *, taken_at: datetime, age: timedelta) -> Restored:
    """Let no number be given again that may have been given since the backup; return what is kept of it.

    Counters of order and release numbers go on past the gap, on PostgreSQL also the row ids that are seen outside.
    SQLite takes the next id from the last row: there the caller writes an event and a task by `next_id`.
    """
    gap = _gap(tx, taken_at, age)
    tx.execute(update(counter).where(counter.c.name.like(_COUNTS_UP)).values(value=counter.c.value + gap))
    last_order = tx.execute(select(func.max(orders.c.id))).scalar() or 0
    restored = Restored(at=tx.now, taken_at=taken_at, gap=gap, last_order=int(last_order))
    for name, value in (
        (_AT, micros(tx.now)),
        (_FROM, micros(taken_at)),
        (_GAP, gap),
        (_LAST_ORDER, restored.last_order),
    ):
        set_mark(tx, name, value)
    if tx.dialect == "postgresql":
        _pass_row_ids(tx, gap)
    return restored


def next_id(tx: Tx, table: Table, gap: int) -> int | None:
    """Return the id that a row is given so that those after it lie past the gap; None where a sequence does that."""
    if tx.dialect == "postgresql":
        return None
    return int(tx.execute(select(func.max(table.c.id))).scalar() or 0) + gap + 1


def _gap(tx: Tx, taken_at: datetime, age: timedelta) -> int:
    day = timedelta(days=1)
    # Scans event: how many a day used to need, once when a backup is restored.
    of_orders = select(func.count()).select_from(orders).where(orders.c.imported_at > taken_at - day)
    of_events = select(func.count()).select_from(event).where(event.c.at > taken_at - day)
    a_day = max(GAP, *(2 * int(tx.execute(query).scalar_one()) for query in (of_orders, of_events)))
    return a_day + round(a_day * (max(age, timedelta(0)) / day))


def _pass_row_ids(tx: Tx, gap: int) -> None:
    for table in _SEEN_OUTSIDE:
        name = tx.execute(text("SELECT pg_get_serial_sequence(:t, 'id')"), {"t": table.name}).scalar_one()
        newest = tx.execute(select(func.max(table.c.id))).scalar() or 0
        passed = text(f"SELECT setval('{name}', GREATEST(last_value, :newest) + :gap) FROM {name}")
        tx.execute(passed, {"gap": gap, "newest": newest})
