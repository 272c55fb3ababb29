"""Telling warehouses what to send, and asking them to stop."""

from functools import partial
from typing import Any

from sqlalchemy import select

from erpsync.core.orders import KnownOrder
from erpsync.core.release import NotWholeError, may_leave, pieces
from erpsync.flows.allocation.gathering import gather
from erpsync.flows.allocation.recall import set_released
from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.late_refunds import ask_if_asked
from erpsync.flows.shipments.gate import reread, rule
from erpsync.flows.shipments.push_once import PushOnce
from erpsync.flows.warehouses.release import held_units, is_covered, write_release_lines
from erpsync.flows.warehouses.stop_answers import take_answer
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.roles import WarehouseSink, playing
from erpsync.sdk.types import Recipient, Release, ReleaseLine, Repeat
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import recipient_row
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import (
    RELEASE,
    RELEASE_CANCEL,
    Claimed,
    ack,
    claim,
    mark_sent,
    prolong,
)
from erpsync.store.registry import sku_codes
from erpsync.store.releases import note_release_told, set_release_state
from erpsync.store.tables import orders, release, release_line
from erpsync.store.tasks import close_tasks, task_key

AT_ONCE = 10


LEASE_S = 180


def push_releases(ctx: Context, channel: Channel) -> int:
    """Claim what a warehouse is to be told, recalls before releases, and tell it; return how many rows were handled."""
    sink = playing(channel.connector, WarehouseSink)
    if sink is None or not may_call(ctx, channel, probing=True):
        return 0
    handled = 0
    for kind, errand in ((RELEASE_CANCEL, _Recall), (RELEASE, _Release)):
        take = partial(claim, owner=ctx.store.owner, destination_id=channel.id, limit=AT_ONCE, lease_s=LEASE_S)
        rows = ctx.store.retrying(partial(take, kind=kind))
        for row in rows:
            errand(ctx, channel, sink, row).run()
        handled += len(rows)
        if handled:
            break  # what was asked to stop meanwhile goes before the next release
    return handled


def _head(tx: Tx, row: Claimed) -> Any:
    return tx.execute(select(release).where(release.c.id == row.ref_id)).one()


class _Release(PushOnce[Release]):
    """One release on its way."""

    noun = "release"

    def __init__(self, ctx: Context, channel: Channel, sink: WarehouseSink, row: Claimed) -> None:
        super().__init__(ctx, channel, row, repeat=sink.repeat)
        self._sink = sink

    def look(self) -> bool:
        """Return whether the warehouse has it."""
        return self._sink.find_release(self.row.key)

    def prepare(self) -> None:
        """Read the order again on its own channel if what we know of it is old."""
        order = self.ctx.store.retrying(lambda tx: lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)])
        shop = self.ctx.channels.get(order.channel_id)
        if shop is not None:
            self.at = shop
            reread(self.ctx, shop, order)
        self.at = self.channel

    def admit(self, tx: Tx) -> Release | None:
        """Ask the gate, and mark what is held as handed over."""
        order = lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)]
        head = _head(tx, self.row)
        if not prolong(tx, self.row, lease_s=LEASE_S):
            return None
        fresh = head.state in ("pending", "refused")
        if not (self._freeze(tx, order, head) if fresh else head.state == "unsure"):
            ack(tx, self.row, note=f"not sent, the release is {_head(tx, self.row).state}")
            return None
        return _load(tx, self.ctx, order, head) if mark_sent(tx, [self.row]) else None

    def _freeze(self, tx: Tx, order: KnownOrder, head: Any) -> bool:
        """Mark what the warehouse holds as handed over if the order may leave as a whole; else drop the release."""
        why = self._against(tx, order)
        if not why:
            try:
                found = pieces(order, held_units(tx, order, head.warehouse_id))
            except NotWholeError as error:
                self._lies_apart(tx, order, error)
                return False
            why = "" if found else "nothing is held there any more"
        if why:
            set_release_state(tx, head.id, "dropped", reason=why)
            return False
        write_release_lines(tx, head.id, found)
        set_released(tx, order, head.warehouse_id, released=True)
        set_release_state(tx, head.id, "unsure")
        return True

    def _against(self, tx: Tx, order: KnownOrder) -> str:
        if not may_leave(order):
            return f"the order may not leave: {', '.join(order.holds) or 'nothing is open'}"
        shop = self.ctx.channels.get(order.channel_id)
        ruling = rule(tx, shop, order, {}, forced=False) if shop else None
        if ruling is not None and not ruling.passes:
            return ruling.reason
        return "" if is_covered(tx, order) else "not all of it is held"

    def _lies_apart(self, tx: Tx, order: KnownOrder, error: NotWholeError) -> None:
        """Have units of a line that are not whole here planned anew; a release is made when they are."""
        set_release_state(tx, self.row.ref_id, "dropped", reason=str(error))
        gather(tx, self.ctx, order)

    def call(self, load: Release) -> None:
        """Tell the warehouse."""
        self._sink.release(load)

    def done(self, tx: Tx) -> None:
        """Note that the warehouse has it; one that was recalled meanwhile stays so."""
        order = lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)]
        if not ack(tx, self.row):
            return
        ask_if_asked(tx, order, f"release {self.row.key}")
        place = note_release_told(tx, self.row.ref_id)
        close_tasks(tx, "unknown", [self.row.key], by="erpsync")
        close_tasks(tx, "gate", [task_key(RELEASE, self.row.ref_id)], by="erpsync")
        detail = {"release": self.row.key, "warehouse_id": place}
        write_events(tx, [Event(kind="release.told", order_id=order.id, detail=detail)])

    def note_absent(self, tx: Tx) -> None:
        """Take back the marks: the warehouse surely does not have it. A recalled one is thereby stopped."""
        order = lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)]
        head = _head(tx, self.row)
        if head.state == "recalled":
            take_answer(tx, self.ctx, head, stopped=True, reason="it never got there")
        elif head.state == "unsure":
            set_released(tx, order, head.warehouse_id, released=False)
            tx.execute(release_line.delete().where(release_line.c.release_id == head.id))
            set_release_state(tx, head.id, "pending")

    def note_state(self, tx: Tx, state: str) -> None:
        """Keep a refusal; what a person is asked about stays unsure."""
        if state == "refused" and _head(tx, self.row).state == "pending":
            set_release_state(tx, self.row.ref_id, "refused")

    def order_id(self, tx: Tx) -> int:
        """Return the order it is about."""
        return int(_head(tx, self.row).order_id)

    def facts(self, tx: Tx) -> str:
        """Return the release in words."""
        order = lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)]
        return f"release {self.row.key} of order {order.number} ({order.external_id})"


class _Recall(PushOnce[str]):
    """One wish to stop a release, on its way. It may be repeated."""

    noun = "recall"
    lane = "cancel"

    def __init__(self, ctx: Context, channel: Channel, sink: WarehouseSink, row: Claimed) -> None:
        super().__init__(ctx, channel, row, repeat=Repeat.SAFE)
        self._sink = sink
        self._stopped: bool | None = None
        self._reason = ""

    def look(self) -> bool:
        """Never asked: a wish to stop may be repeated."""
        return False

    def admit(self, tx: Tx) -> str | None:
        """Return the number of what is still to be stopped."""
        head = _head(tx, self.row)
        if head.state == "recalled":
            return str(head.number) if prolong(tx, self.row, lease_s=LEASE_S) else None
        ack(tx, self.row, note=f"the release is {head.state}")
        return None

    def call(self, load: str) -> None:
        """Ask the warehouse; a refusal is its no."""
        try:
            self._stopped = self._sink.cancel(load)
        except RejectedError as error:
            self._stopped, self._reason = False, str(error)

    def done(self, tx: Tx) -> None:
        """Note its answer, or that it comes later."""
        lock_order_ids(tx, [self.order_id(tx)])
        if ack(tx, self.row):
            take_answer(tx, self.ctx, _head(tx, self.row), stopped=self._stopped, reason=self._reason)

    def note_state(self, tx: Tx, state: str) -> None:
        """Leave the release recalled: the dead letter says that it was not asked."""

    def order_id(self, tx: Tx) -> int:
        """Return the order it is about."""
        return int(_head(tx, self.row).order_id)


def _load(tx: Tx, ctx: Context, order: KnownOrder, head: Any) -> Release:
    rows = tx.all(select(release_line).where(release_line.c.release_id == head.id).order_by(*release_line.primary_key))
    codes = sku_codes(tx.connection, [row.sku_id for row in rows])
    lines = {line.id: line for line in order.lines}
    return Release(
        number=head.number,
        order=order.number,
        warehouse=ctx.warehouses[head.warehouse_id].id,
        lines=tuple(
            ReleaseLine(
                line=lines[row.line_id].external_id,
                sku=codes[row.sku_id],
                qty=row.qty,
                title=lines[row.line_id].title,
            )
            for row in rows
        ),
        recipient=_recipient(tx, order),
        placed_at=order.placed_at,
        paid_at=order.paid_at,
    )


def _recipient(tx: Tx, order: KnownOrder) -> Recipient:
    sealed = tx.execute(select(orders.c.recipient).where(orders.c.id == order.id)).scalar_one()
    if sealed is None:
        return Recipient()
    opened: dict[str, str] = tx.vault.open(sealed, row=recipient_row(order.channel_id, order.external_id))
    return Recipient(**opened)
