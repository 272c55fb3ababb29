"""Telling warehouses what to send, and asking them to stop.

    order ready, fully held ─▶ release pending ─claim─▶ gate ─▶ unsure ─call─▶ told ─▶ shipped
                                                          │        └─ surely not there ─▶ pending
                                                          └─ held, cancelled, short ─▶ dropped; made anew later
    unsure, told ─order changed─▶ recalled ─▶ stopped (yes: its units are free again) or kept (no: they leave)

Why the holds are marked in the commit before the call: from there on the warehouse may have the order, and nothing of
it is given away until it says that it has stopped.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, select, update

from erpsync.core.allocation import Owner
from erpsync.core.fulfilment import LINE, needs
from erpsync.core.orders import KnownOrder
from erpsync.core.release import NotWholeError, Piece, may_leave, pieces
from erpsync.flows.answers import take_answer
from erpsync.flows.errands import Errand
from erpsync.flows.gate import reread, rule
from erpsync.flows.gathering import gather
from erpsync.flows.health import may_call
from erpsync.flows.holding import task_key
from erpsync.flows.house import Channel, House
from erpsync.flows.late_refunds import ask_if_asked
from erpsync.flows.recall import set_released
from erpsync.flows.releasable import read_to_the_end, releasable
from erpsync.flows.sealed import recipient_row
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.roles import WarehouseSink, playing
from erpsync.sdk.types import Recipient, Release, ReleaseLine, Repeat
from erpsync.store.book import Book
from erpsync.store.bulk import insert_many, new_ids
from erpsync.store.cursors import read_cursors
from erpsync.store.notes import Event, close_tasks, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.places import sku_codes
from erpsync.store.queue import (
    LANE_SHIPMENT,
    RELEASE,
    RELEASE_CANCEL,
    Claimed,
    Effect,
    ack,
    claim,
    enqueue,
    mark_sent,
    prolong,
)
from erpsync.store.store import Tx
from erpsync.store.tables import hold, order_line, orders, release, release_line

ORDERS_AT_ONCE = 200
AT_ONCE = 10
LEASE_S = 180
log = structlog.get_logger()


def release_ready(house: House) -> int:
    """Make releases of what is ready and fully held in warehouses that a channel runs; return how many."""
    run = {i for i in house.warehouses if (c := house.runner(i)) and c.enabled and c.plays(WarehouseSink)}
    if not run:
        return 0
    # Scans orders, hold: those that are ready, and what is held of them.
    with house.store.read() as connection:
        query = releasable(run, read_to_the_end(house, read_cursors(connection)))
        ids = list(connection.execute(query.limit(ORDERS_AT_ONCE)).scalars())
    return house.store.retrying(partial(_make, house=house, run=run, order_ids=ids)) if ids else 0


def _make(tx: Tx, *, house: House, run: set[int], order_ids: Iterable[int]) -> int:
    """Write a pending release per order and warehouse, with its effect."""
    known = {i: order for i, order in lock_order_ids(tx, order_ids).items() if may_leave(order)}
    wanted = sorted(_places(tx, known, run))
    if not wanted:
        return 0
    counts = select(release.c.order_id, func.count().label("n")).where(release.c.order_id.in_(sorted(known)))
    made = {row.order_id: int(row.n) for row in tx.all(counts.group_by(release.c.order_id))}
    rows, effects = [], []
    for id, (order_id, warehouse_id) in zip(new_ids(tx, release, len(wanted)), wanted, strict=True):
        made[order_id] = made.get(order_id, 0) + 1
        row = {
            "id": id,
            "order_id": order_id,
            "warehouse_id": warehouse_id,
            "number": f"{known[order_id].number}-R{made[order_id]}",
            "state": "pending",
            "made_at": tx.now,
        }
        rows.append(row)
        runner = house.runner(warehouse_id)
        if runner is not None:
            effects.append(_effect(tx, runner, row))
    insert_many(tx, release, rows)
    enqueue(tx, effects)
    return len(rows)


def _places(tx: Tx, known: Mapping[int, KnownOrder], run: set[int]) -> set[tuple[int, int]]:
    """Return (order, warehouse) pairs that hold something not handed over and have no open release."""
    query = (
        select(order_line.c.order_id, hold.c.warehouse_id)
        .join(hold, (hold.c.owner_kind == LINE) & (hold.c.owner_id == order_line.c.id))
        .where(order_line.c.order_id.in_(sorted(known)), hold.c.warehouse_id.in_(sorted(run)), ~hold.c.released)
    )
    under_way = select(release.c.order_id, release.c.warehouse_id).where(
        release.c.order_id.in_(sorted(known)), release.c.ended_at.is_(None)
    )
    return {tuple(row) for row in tx.all(query)} - {tuple(row) for row in tx.all(under_way)}


def _effect(tx: Tx, runner: Channel, row: Mapping[str, Any]) -> Effect:
    return Effect(
        destination_id=runner.id,
        kind=RELEASE,
        key=row["number"],
        ref_id=row["id"],
        serial_key=f"release:{row['id']}",
        lane=LANE_SHIPMENT,
        run_at=tx.now,
        marked_at=tx.now,
    )


def push_releases(house: House, channel: Channel) -> int:
    """Claim what a warehouse is to be told, recalls before releases, and tell it; return how many rows were handled."""
    sink = playing(channel.connector, WarehouseSink)
    if sink is None or not may_call(house, channel, probing=True):
        return 0
    handled = 0
    for kind, errand in ((RELEASE_CANCEL, _Recall), (RELEASE, _Release)):
        take = partial(claim, owner=house.store.owner, destination_id=channel.id, limit=AT_ONCE, lease_s=LEASE_S)
        rows = house.store.retrying(partial(take, kind=kind))
        for row in rows:
            errand(house, channel, sink, row).run()
        handled += len(rows)
        if handled:
            break  # what was asked to stop meanwhile goes before the next release
    return handled


def _head(tx: Tx, row: Claimed) -> Any:
    return tx.execute(select(release).where(release.c.id == row.ref_id)).one()


class _Release(Errand[Release]):
    """One release on its way."""

    noun = "release"

    def __init__(self, house: House, channel: Channel, sink: WarehouseSink, row: Claimed) -> None:
        super().__init__(house, channel, row, repeat=sink.repeat)
        self._sink = sink

    def look(self) -> bool:
        """Return whether the warehouse has it."""
        return self._sink.find_release(self.row.key)

    def prepare(self) -> None:
        """Read the order again on its own channel if what we know of it is old."""
        order = self.house.store.retrying(lambda tx: lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)])
        shop = self.house.channels.get(order.channel_id)
        if shop is not None:
            self.at = shop
            reread(self.house, shop, order)
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
        return _load(tx, self.house, order, head) if mark_sent(tx, [self.row]) else None

    def _freeze(self, tx: Tx, order: KnownOrder, head: Any) -> bool:
        """Mark what the warehouse holds as handed over if the order may leave as a whole; else drop the release."""
        why = self._against(tx, order)
        if not why:
            try:
                found = pieces(order, _held(tx, order, head.warehouse_id))
            except NotWholeError as error:
                self._lies_apart(tx, order, error)
                return False
            why = "" if found else "nothing is held there any more"
        if why:
            _set_state(tx, head.id, "dropped", reason=why)
            return False
        _write_lines(tx, head.id, found)
        set_released(tx, order, head.warehouse_id, released=True)
        _set_state(tx, head.id, "unsure")
        return True

    def _against(self, tx: Tx, order: KnownOrder) -> str:
        if not may_leave(order):
            return f"the order may not leave: {', '.join(order.holds) or 'nothing is open'}"
        shop = self.house.channels.get(order.channel_id)
        ruling = rule(tx, shop, order, {}, forced=False) if shop else None
        if ruling is not None and not ruling.passes:
            return ruling.reason
        return "" if _is_covered(tx, order) else "not all of it is held"

    def _lies_apart(self, tx: Tx, order: KnownOrder, error: NotWholeError) -> None:
        """Have units of a line that are not whole here planned anew; a release is made when they are."""
        _set_state(tx, self.row.ref_id, "dropped", reason=str(error))
        gather(tx, self.house, order)

    def call(self, load: Release) -> None:
        """Tell the warehouse."""
        self._sink.release(load)

    def done(self, tx: Tx) -> None:
        """Note that the warehouse has it; one that was recalled meanwhile stays so."""
        order = lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)]
        if not ack(tx, self.row):
            return
        ask_if_asked(tx, order, f"release {self.row.key}")
        mine = update(release).where(release.c.id == self.row.ref_id).values(told_at=tx.now)
        place = tx.execute(mine.returning(release.c.warehouse_id)).scalar_one()
        unsure = (release.c.id == self.row.ref_id) & (release.c.state == "unsure")
        tx.execute(update(release).where(unsure).values(state="told"))
        close_tasks(tx, "unknown", [self.row.key], by="erpsync")
        close_tasks(tx, "gate", [task_key(RELEASE, self.row.ref_id)], by="erpsync")
        detail = {"release": self.row.key, "warehouse_id": place}
        write_events(tx, [Event(kind="release.told", order_id=order.id, detail=detail)])

    def note_absent(self, tx: Tx) -> None:
        """Take back the marks: the warehouse surely does not have it. A recalled one is thereby stopped."""
        order = lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)]
        head = _head(tx, self.row)
        if head.state == "recalled":
            take_answer(tx, self.house, head, stopped=True, reason="it never got there")
        elif head.state == "unsure":
            set_released(tx, order, head.warehouse_id, released=False)
            tx.execute(release_line.delete().where(release_line.c.release_id == head.id))
            _set_state(tx, head.id, "pending")

    def note_state(self, tx: Tx, state: str) -> None:
        """Keep a refusal; what a person is asked about stays unsure."""
        if state == "refused" and _head(tx, self.row).state == "pending":
            _set_state(tx, self.row.ref_id, "refused")

    def order_id(self, tx: Tx) -> int:
        """Return the order it is about."""
        return int(_head(tx, self.row).order_id)

    def facts(self, tx: Tx) -> str:
        """Return the release in words."""
        order = lock_order_ids(tx, [self.order_id(tx)])[self.order_id(tx)]
        return f"release {self.row.key} of order {order.number} ({order.external_id})"


class _Recall(Errand[str]):
    """One wish to stop a release, on its way. It may be repeated."""

    noun = "recall"
    lane = "cancel"

    def __init__(self, house: House, channel: Channel, sink: WarehouseSink, row: Claimed) -> None:
        super().__init__(house, channel, row, repeat=Repeat.SAFE)
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
            take_answer(tx, self.house, _head(tx, self.row), stopped=self._stopped, reason=self._reason)

    def note_state(self, tx: Tx, state: str) -> None:
        """Leave the release recalled: the dead letter says that it was not asked."""

    def order_id(self, tx: Tx) -> int:
        """Return the order it is about."""
        return int(_head(tx, self.row).order_id)


def _set_state(tx: Tx, release_id: int, state: str, *, reason: str = "") -> None:
    ended = tx.now if state == "dropped" else None
    values = {"state": state, "reason": reason, "ended_at": ended}
    tx.execute(update(release).where(release.c.id == release_id).values(**values))


def _held(tx: Tx, order: KnownOrder, warehouse_id: int) -> dict[tuple[int, int], int]:
    """Return what a warehouse holds for the order and was not told to send, by (line, SKU)."""
    query = select(hold.c.owner_id, hold.c.sku_id, hold.c.qty).where(
        hold.c.owner_kind == LINE,
        hold.c.owner_id.in_([line.id for line in order.lines]),
        hold.c.warehouse_id == warehouse_id,
        ~hold.c.released,
    )
    return {(row.owner_id, row.sku_id): row.qty for row in tx.all(query)}


def _is_covered(tx: Tx, order: KnownOrder) -> bool:
    """Whether the order's needs are fully held. Locks its SKUs."""
    skus = {sku_id for line in order.lines for sku_id in line.parts}
    book = Book(tx, skus, [Owner(LINE, line.id) for line in order.lines])
    wanted = needs(order, reserve_until=None, now=tx.now)
    return all(book.held_qty(need) >= qty for need, qty in wanted.items())


def _write_lines(tx: Tx, release_id: int, found: Iterable[Piece]) -> None:
    rows = [
        {"release_id": release_id, "line_id": p.line_id, "sku_id": p.sku_id, "qty": p.qty, "units": p.units}
        for p in found
    ]
    insert_many(tx, release_line, rows)


def _load(tx: Tx, house: House, order: KnownOrder, head: Any) -> Release:
    rows = tx.all(select(release_line).where(release_line.c.release_id == head.id).order_by(*release_line.primary_key))
    codes = sku_codes(tx.connection, [row.sku_id for row in rows])
    lines = {line.id: line for line in order.lines}
    return Release(
        number=head.number,
        order=order.number,
        warehouse=house.warehouses[head.warehouse_id].id,
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
