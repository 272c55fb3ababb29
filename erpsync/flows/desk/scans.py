"""What a scanner reads at the desk: what it is, whether it may leave, and that it has left.

Why a parcel leaves only once: a second label with the same number is the one mistake that nobody sees later. So what
has left, was stopped or is in doubt is refused here, with one sentence that says what to do, and is in the trail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, func, select

from erpsync.core.waves import read_scan
from erpsync.flows.context import Context
from erpsync.flows.desk.verdicts import LEAVING, UNKNOWN, Label, No, asking, judge, label_of, release_of
from erpsync.flows.errors import Refused
from erpsync.flows.warehouses.reports import apply_dispatches
from erpsync.sdk.types import Dispatch
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.releases import ReleaseHead, lock_orders_in, read_head
from erpsync.store.tables import orders, release, shipment, wave
from erpsync.store.views.releases import show_release, show_wave
from erpsync.store.views.values import Json
from erpsync.store.waves import WaveHead, find_wave

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a code is.

    Args:
        kind: `release` (also where a courier's number leads to it), `wave`, `waybill` or `unknown`.
        why: the code of what speaks against leaving, empty where nothing does.
        may: what may be done now: `leave`, `stop`, `print`, `done`, `drop`.
        asks: what is to be said before it may leave: `carrier`, `tracking`.
        shown: the release or the wave as its list shows it.
    """

    kind: str
    number: str
    text: str
    why: str = ""
    may: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    shown: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A parcel that left: the orders in it, their rows of `shipments`, and how many of its wave are still to leave."""

    release: str
    carrier: str
    tracking: str
    orders: tuple[str, ...]
    shipments: tuple[str, ...]
    wave: str | None = None
    wave_left: int = 0


def look_up(ctx: Context, code: str) -> Scanned:
    """Return what a scanned or typed code is, and what may be done with it; nothing changes."""
    number = _number(code)
    with ctx.store.read() as connection:
        wave_head = find_wave(connection, number)
        if wave_head is not None:
            return _wave(connection, wave_head)
        found = release_of(connection, number) if number else UNKNOWN
        if isinstance(found, No):
            kind = "unknown" if found is UNKNOWN else "waybill"
            return Scanned(kind=kind, number=found.label, why=found.why, text=found.text)
        return _release(connection, ctx, found, label="" if found.number == number else number)


def leave(ctx: Context, code: str, *, carrier: str = "", tracking: str = "", actor: str) -> Left:
    """Note that the parcel of a release left the desk; of each of its orders the shop is told as of any parcel.

    Args:
        code: the number of a release, or its courier's.
        carrier, tracking: the courier and number on its label, where the release has no waybill of ours.

    Raises `Refused` with what to do instead; what was tried is in the trail.
    """
    label = _number(tracking)
    if tracking.strip() and not label:
        raise Refused("that is no courier's number; scan the label of the courier")
    work = partial(_leave, ctx=ctx, number=_number(code), carrier=carrier.strip(), label=label, actor=actor)
    answer = ctx.store.retrying(work)
    if isinstance(answer, No):
        log.info("scan.refused", why=answer.why)
        raise Refused(answer.text)
    return answer


def _number(code: str) -> str:
    read = read_scan(code)
    return "" if read is None else read.number


def _leave(tx: Tx, *, ctx: Context, number: str, carrier: str, label: str, actor: str) -> Left | No:
    found = release_of(tx.connection, number) if number else UNKNOWN
    if isinstance(found, No):
        return _note_refused(tx, found, None, actor)
    if number != found.number and label not in ("", number):
        text = f"{number} and {label} are two labels; a parcel leaves with one"
        return _note_refused(tx, No(why="other_label", text=text, release=found.number), None, actor)
    order_ids = [order.id for order in lock_orders_in(tx, found.id)]
    head = read_head(tx, found.id)
    no = judge(tx.connection, ctx, head)
    read = number if number != head.number else label
    said = no or label_of(tx.connection, head, carrier, read if read != head.number else "")
    if isinstance(said, No):
        return _note_refused(tx, said, order_ids[0], actor)
    if said.asks:
        raise Refused(asking(head, said))
    return _book(tx, ctx, head, said, order_ids, actor)


def _book(tx: Tx, ctx: Context, head: ReleaseHead, label: Label, order_ids: Sequence[int], actor: str) -> Left:
    parcel = Dispatch(key=head.number, release=head.number, carrier=label.carrier, tracking=label.tracking)
    refused = apply_dispatches(tx, ctx, [head.warehouse_id], [parcel], actor=actor)
    if refused:
        raise Refused(refused[head.number])
    rows = select(orders.c.number.label("order"), shipment.c.number).join(shipment, shipment.c.order_id == orders.c.id)
    of_parcel = shipment.c.order_id.in_(order_ids) & (shipment.c.tracking == label.tracking)
    recorded = tx.all(rows.where(of_parcel).order_by(shipment.c.id))
    wave_number, left = _of_wave(tx, head.id)
    return Left(
        release=head.number,
        carrier=label.carrier,
        tracking=label.tracking,
        orders=tuple(row.order for row in recorded),
        shipments=tuple(row.number for row in recorded),
        wave=wave_number,
        wave_left=left,
    )


def _of_wave(tx: Tx, release_id: int) -> tuple[str | None, int]:
    """Return the number of a release's wave, and how many releases of it are still to leave."""
    query = select(wave.c.id, wave.c.number).join(release, release.c.wave_id == wave.c.id)
    row = tx.execute(query.where(release.c.id == release_id)).first()
    if row is None:
        return None, 0
    left = select(func.count()).where(release.c.wave_id == row.id, release.c.state.in_(LEAVING))
    return row.number, int(tx.execute(left).scalar_one())


def _note_refused(tx: Tx, no: No, order_id: int | None, actor: str) -> No:
    detail: dict[str, Any] = {"why": no.why}
    detail |= {name: value for name, value in (("release", no.release), ("label", no.label)) if value}
    write_events(tx, [Event(kind="scan.refused", order_id=order_id, detail=detail, actor=actor)])
    return no


def _release(connection: Connection, ctx: Context, head: ReleaseHead, *, label: str) -> Scanned:
    shown = show_release(connection, head.number)
    said = judge(connection, ctx, head) or label_of(connection, head, "", label)
    stops = ("stop",) if head.state in ("told", "recalled") and head.warehouse_id in ctx.desks.values() else ()
    scanned = partial(Scanned, kind="release", number=head.number, shown=shown)
    if isinstance(said, No):
        return scanned(why=said.why, text=said.text, may=stops)
    text = asking(head, said) if said.asks else f"release {head.number} may leave, with {said.tracking}"
    return scanned(text=text, asks=said.asks, may=("leave", *stops))


def _wave(connection: Connection, head: WaveHead) -> Scanned:
    shown = show_wave(connection, head.number)
    may = {"open": ("print", "drop"), "printed": ("print", "done")}.get(head.state, ())
    left = sum(shown["states"].get(state, 0) for state in LEAVING)
    count, number = shown["releases"], head.number
    text = f"{left} of the {count} releases of wave {number} are still to leave"
    if left and count == 1:
        text = f"the only release of wave {number} is still to leave"
    if left == 0:
        text = f"nothing of wave {number} is still to leave"
    return Scanned(kind="wave", number=number, text=text, may=may, shown=shown)
