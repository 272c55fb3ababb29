"""How far the events may be told: the id below which none can turn up any more.

Why not simply the newest id: on PostgreSQL a transaction takes an event's id before it commits, so a smaller id may
become visible after a larger one was told, and a cursor that moved on would pass it by for ever. So every transaction
that writes events first holds, until its end, a lock whose number is the last id taken before its own, and readers go
no further than the smallest number held. The lock is shared, nobody waits for it; it ends with its transaction, after
the rows are visible. Reading the last id before the locks closes the gap between the two.
SQLite has one writer at a time, whose ids are in the order of the commits.
Source: PostgreSQL manual, "pg_locks" (how a bigint key is shown) and "Advisory Lock Functions".
"""

from sqlalchemy import func, select, text

from erpsync.store.db.store import Stage, Store, Tx
from erpsync.store.tables import event

_BASE = 0x6572 << 48  # any number of our own in the upper 16 bits: "er"; below it the event's id

_LAST = "(SELECT last_value - (NOT is_called)::int FROM event_id_seq)"
_ANNOUNCE = text(f"SELECT pg_advisory_xact_lock_shared({_BASE} + {_LAST})")
_LAST_ID = text(f"SELECT {_LAST}")
_LEAST_ANNOUNCED = text(
    f"""
    SELECT min(((classid::bigint << 32) | objid::bigint) - {_BASE}) FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = {_BASE >> 48}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)


def announce(tx: Tx) -> None:
    """Say that this transaction is about to write events, and wake those who tell them; once per transaction."""
    if Stage.EVENTS in tx.wakes:
        return
    if tx.dialect == "postgresql":
        tx.execute(_ANNOUNCE)
    tx.wake(Stage.EVENTS)


def settled_id(store: Store) -> int:
    """Return the id up to which every event that will ever be is visible to a transaction that begins after this."""
    if store.is_sqlite:
        with store.read() as connection:
            return connection.execute(select(func.max(event.c.id))).scalar() or 0
    with store.engine.connect() as connection:
        last = int(connection.execute(_LAST_ID).scalar_one())
        least = connection.execute(_LEAST_ANNOUNCED).scalar()
    return last if least is None else min(last, int(least))
