"""Whether a release may leave the desk, with which courier's number, and if not why, in one sentence.

Why its own file: what a scanner is told before anything is done and what stops a parcel must never differ.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, exists, select

from erpsync.flows.context import Context
from erpsync.flows.shipments.record import carrier_code
from erpsync.store.labels import has_number, left_with, live_numbers, replaced_by
from erpsync.store.releases import ReleaseHead, head_numbered
from erpsync.store.tables import order_hold, orders, release, release_order
from erpsync.store.views.releases import tracking_of

LEAVING = ("told", "kept")
"""States in which a release may leave a desk; of `kept` somebody said that it has left already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class No:
    """Why a parcel may not leave: a code, and a sentence that says what to do.

    Args:
        release: the number of the release that was scanned, where it was one of ours.
        label: a courier's number that is one of ours.
    """

    why: str
    text: str
    release: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The courier and number with which a release leaves.

    Args:
        asks: what is to be said before it may leave: `carrier`, `tracking`.
    """

    carrier: str
    tracking: str
    asks: tuple[str, ...] = ()


UNKNOWN = No(why="unknown", text="no release and no label of ours has that number; scan the slip of the parcel")


def release_of(connection: Connection, number: str) -> ReleaseHead | No:
    """Return the release that a scanned number is of, its own or its courier's."""
    head = head_numbered(connection, number)
    if head is not None:
        return head
    numbered = has_number(connection, number)
    if numbered is None:
        gone = left_with(connection, number)
        text = f"{number} has left already, with order {', '.join(gone)}"
        return No(why="left", text=text, label=number) if gone else UNKNOWN
    if numbered.state == "spare":
        text = f"{number} was bought in advance and is of no parcel yet; scan the slip of the parcel"
        return No(why="spare", text=text, label=number)
    if numbered.state in ("cancelling", "cancelled", "refused"):
        text = f"{number} is not to be used any more; take its label off, and print another one for {numbered.release}"
        return No(why="void_label", text=text, label=number, release=numbered.release)
    return head_numbered(connection, numbered.release) or UNKNOWN


def judge(connection: Connection, ctx: Context, head: ReleaseHead) -> No | None:
    """Return why a release may not leave a desk; None where nothing speaks against it.

    One that nobody printed may leave: there are desks that write their labels by hand.
    """
    number, no = head.number, partial(No, release=head.number)
    if head.warehouse_id not in ctx.desks.values():
        return no(why="elsewhere", text=f"release {number} is with a warehouse that has no desk here; leave it there")
    if head.state in LEAVING:
        return None
    if head.state == "recalled":
        return no(why="recalled", text=why_recalled(connection, [number])[number])
    if head.state == "shipped":
        tracking = ", ".join(tracking_of(connection, [head.id]).get(head.id, []))
        text = f"release {number} has left already, with {tracking}; a second label of it must not leave"
        return no(why="left", text=text)
    newer = replaced_by(connection, head.id)
    if newer is not None:
        text = f"release {number} is replaced by {newer}; throw its papers away and send that one"
        return no(why="replaced", text=text)
    return no(why="stopped", text=f"release {number} was stopped; put its goods back on the shelf")


def why_recalled(connection: Connection, numbers: Collection[str]) -> dict[str, str]:
    """Return why releases must not leave any more, each by the first of its orders that may not."""
    held = exists().where(order_hold.c.order_id == orders.c.id)
    query = select(release.c.number, orders.c.number.label("order"), orders.c.phase, held.label("held"))
    query = query.join(release_order, release_order.c.release_id == release.c.id)
    query = query.join(orders, orders.c.id == release_order.c.order_id).where(release.c.number.in_(sorted(numbers)))
    why: dict[str, str] = {}
    for row in connection.execute(query.order_by(orders.c.id)):
        number, order = row.number, row.order
        if row.phase == "cancelled":
            text = f"release {number} must not leave, order {order} is cancelled; take it out and stop it"
            why.setdefault(number, text)
        elif row.held:
            why.setdefault(number, f"release {number} must not leave, order {order} is held; take it out and stop it")
    for number in numbers:
        why.setdefault(number, f"release {number} must not leave, its order has changed; take it out and stop it")
    return why


def label_of(connection: Connection, head: ReleaseHead, carrier: str, tracking: str) -> Label | No:
    """Return with which number a release leaves: its waybill's, or what stands on the label that somebody read.

    Raises `Refused` for a courier that nobody knows.
    """
    number, no = head.number, partial(No, release=head.number)
    numbers = live_numbers(connection, head.id)
    if numbers:
        if any(each.state not in ("booked", "used") for each in numbers):
            text = f"the courier has given no number for release {number} yet; wait for its label"
            return no(why="no_label", text=text)
        if tracking and tracking not in [each.number for each in numbers]:
            booked = ", ".join(each.number for each in numbers)
            text = f"release {number} has the label {booked}, not {tracking}; put the right one on"
            return no(why="other_label", text=text, label=tracking)
        return Label(carrier=numbers[0].carrier, tracking=numbers[0].number)
    others = has_number(connection, tracking) if tracking else None
    if others is not None:
        text = f"{tracking} is the number of another parcel; put the label of release {number} on"
        return no(why="other_label", text=text, label=tracking)
    gone = left_with(connection, tracking) if tracking else []
    if gone:
        text = f"{tracking} has left already, with order {gone[0]}; release {number} needs a label of its own"
        return no(why="label_used", text=text, label=tracking)
    query = select(release.c.carrier).where(release.c.id == head.id)
    carrier = carrier or connection.execute(query).scalar_one()
    asks = tuple(name for name, said in (("carrier", carrier), ("tracking", tracking)) if not said)
    return Label(carrier=carrier_code(carrier) if carrier else "", tracking=tracking, asks=asks)


def asking(head: ReleaseHead, label: Label) -> str:
    """Return what is to be said before a release leaves with a number that is not ours."""
    if label.asks == ("tracking",):
        return f"release {head.number} has no waybill; scan the label of {label.carrier} too"
    if label.asks == ("carrier",):
        return f"release {head.number} has no waybill; say which courier takes it"
    return f"release {head.number} has no waybill; say which courier takes it, and scan its label"
