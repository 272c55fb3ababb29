"""No number overwrites a sale that was not read yet: which rows wait for a pass over the orders."""

from datetime import datetime
from typing import Protocol

from erpsync.core.availability import Told
from erpsync.flows.context import Channel
from erpsync.sdk.roles import OrderSource
from erpsync.store.cursors import CursorRow, read_cursor, want_pass
from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import (
    Claimed,
    park_many,
)


class Marked(Protocol):
    """A row of the outbox: its first mark, after which a pass must have begun, and whether a person let it go."""

    @property
    def marked_at(self) -> datetime: ...
    @property
    def fresh_after_at(self) -> datetime | None: ...
    @property
    def confirmed(self) -> bool: ...


class Freshness:
    """Whether the channel's orders were read since a row's first mark."""

    def __init__(self, tx: Tx, channel: Channel) -> None:
        self._tx, self._channel = tx, channel
        self._polled = channel.plays(OrderSource)
        self._orders = read_cursor(tx.connection, channel.id, "orders") if self._polled else CursorRow()
        self._backfill = read_cursor(tx.connection, channel.id, "backfill") if self._polled else CursorRow()
        self._asked = False
        self._parked: list[Claimed] = []

    def lets_down(self, told: Told, qty: int) -> bool:
        """Whether a number may go all the same: the orders cannot be read now, and it only lowers what is shown.

        Until the back-fill is done nothing is told for the first time, not even 0.
        """
        if self._backfill.complete_ended_at is None:
            return told.lowest is not None and told.lowers(qty)
        return self._orders.unreadable and told.lowers(qty)

    @property
    def orders(self) -> CursorRow:
        """How far the channel's orders are read; an empty row where they are not read at all."""
        return self._orders

    @property
    def backfilled(self) -> bool:
        """Whether the first reading is done, before which nothing is told."""
        return not self._polled or self._backfill.complete_ended_at is not None

    def covers(self, row: Marked) -> bool:
        """Whether a whole pass began after the row's first mark, and the back-fill is done."""
        if not self._polled:
            return True
        return self._backfill.complete_ended_at is not None and self._is_after(row, self._orders.complete_began_at)

    def _is_after(self, row: Marked, began_at: datetime | None) -> bool:
        """Whether a pass began after the mark, on any clock: a beginning that is still to come proves nothing."""
        return began_at is not None and (row.fresh_after_at or row.marked_at) < began_at <= self._tx.now

    def ask(self, row: Claimed) -> None:
        """Park the row, by `flush`, until the next pass has ended."""
        self._parked.append(row)
        self._asked |= not (self._is_after(row, self._orders.began_at) or self._orders.wanted)

    def flush(self) -> None:
        """Park what waits, and ask for a pass unless the stream is failing and is tried again in its own time."""
        park_many(self._tx, self._parked, waiting_for="fresh")
        if self._asked and not self._orders.unreadable:
            want_pass(self._tx, self._channel.id, ["orders"])
