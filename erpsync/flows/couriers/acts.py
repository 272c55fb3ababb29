"""What people say of waybills: book this one, that is its number, void it, it is void, it is not there."""

from erpsync.flows.context import Context
from erpsync.flows.couriers.choice import choose_couriers
from erpsync.flows.couriers.ends import let_go
from erpsync.flows.couriers.landing import hand_over, land, note_void
from erpsync.flows.couriers.wanted import want_waybills
from erpsync.flows.errors import Refused
from erpsync.sdk.types import LabelKind, Waybill
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Stage, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.held import InDoubt, end_arrived, in_doubt, send_again
from erpsync.store.outbox.queue import WAYBILL, drop_open
from erpsync.store.releases import ReleaseHead, lock_orders_in, read_head, release_id_numbered
from erpsync.store.tables import RELEASES_OUT, waybill
from erpsync.store.tasks import StoredTask
from erpsync.store.waybills import (
    BOOKABLE,
    StoredWaybill,
    lock_keyed,
    lock_waybills_of,
    read_keyed,
    releases_to_book,
    set_state,
)


def book(ctx: Context, release: str, *, actor: str) -> str:
    """See that a release gets a number, also where it was refused before; return the key under which it is booked.

    Raises `Refused` where it has one, has ended, or no courier is chosen for it.
    """

    def act(tx: Tx) -> str:
        head = _head(tx, release)
        rows = lock_waybills_of(tx, [head.id]).get(head.id, [])
        for row in rows:
            if row.live:
                raise Refused(f"release {release} has a waybill already, it is {row.state}: {row.number or row.key}")
        choose_couriers(tx, ctx, [head.id])
        if not releases_to_book(tx, [head.id]):
            raise _nobody(head)
        want_waybills(tx, ctx, [head.id], anew=True)
        [first, *_] = [row for row in lock_waybills_of(tx, [head.id])[head.id] if row.live]
        _told(tx, head, "wanted", {"release": head.number, "waybill": first.key}, actor)
        tx.wake(Stage.PUSH)
        return first.key

    return ctx.store.retrying(act)


def set_number(ctx: Context, release: str, number: str, *, actor: str) -> str:
    """Say which number a release's parcel has: one whose answer never came, or one that was written by hand.

    Return the booking's key. Raises `Refused` where another number is known, or it is that of another parcel.
    """

    def act(tx: Tx) -> str:
        head = _head(tx, release)
        rows = [row for row in lock_waybills_of(tx, [head.id]).get(head.id, []) if row.live] or _by_hand(tx, head)
        first = rows[0]
        if first.number:
            raise Refused(f"release {release} has waybill {first.number} already")
        if len(rows) > 1:
            raise Refused(f"release {release} has {len(rows)} parcels, and one number is not enough")
        account = ctx.channels.get(first.account_id)
        if account is None:
            raise Refused("the account it was booked with is not configured any more")
        if first.sent_at is None:  # the courier's, if it comes to voiding it: nobody bought it in advance
            set_state(tx, rows, "handed", sent_at=tx.now)
        got = Waybill(key=first.key, carrier=first.carrier, number=number, label_kind=LabelKind.NONE)
        land(tx, account, head, rows, got)
        for doubt in in_doubt(tx, account.id, first.key):
            end_arrived(tx, doubt.id, note=f"found there by {actor}")
        drop_open(tx, WAYBILL, [head.id], note=f"number given by {actor}")
        _told(tx, head, "numbered", {"release": head.number, "tracking": number}, actor)
        return first.key

    return ctx.store.retrying(act)


def _nobody(head: ReleaseHead) -> Refused:
    """Return why a release has nobody who books it."""
    if head.state not in BOOKABLE:
        return Refused(f"release {head.number} is {head.state} and is not booked any more")
    return Refused(f"no courier is chosen for release {head.number}; `erpsync tasks list` says why")


def _by_hand(tx: Tx, head: ReleaseHead) -> list[StoredWaybill]:
    """Return a new row for a number that a person got for an open release, from the account that is chosen for it."""
    heads = releases_to_book(tx, [head.id])
    if not heads:
        raise _nobody(head)
    [chosen] = heads
    known = lock_waybills_of(tx, [head.id]).get(head.id, [])
    attempt = max((row.attempt for row in known), default=0) + 1
    key = f"{head.number}-1-{attempt}"
    [id] = new_ids(tx, waybill, 1)
    row = {"id": id, "account_id": chosen.account_id, "release_id": head.id, "attempt": attempt, "key": key}
    row |= {"carrier": chosen.carrier, "service": chosen.service, "state": "handed"}
    row |= {"made_at": tx.now, "sent_at": tx.now}
    insert_many(tx, waybill, [row])
    return lock_keyed(tx, key)


def void(ctx: Context, number: str, *, actor: str) -> str:
    """Let the waybill of a number, or of a release, be void, and return its key.

    Raises `Refused` for one that left, or of which nobody knows whether the courier has it.
    """

    def act(tx: Tx) -> str:
        head = _head(tx, number)
        rows = [row for row in lock_waybills_of(tx, [head.id]).get(head.id, []) if row.live]
        if not rows:
            raise Refused(f"release {head.number} has no waybill")
        if head.warehouse_id not in ctx.desks.values() and head.state in RELEASES_OUT:
            raise Refused(f"the warehouse has release {head.number} with its waybill; have it stopped there first")
        state = rows[0].state
        if state not in ("wanted", "handed", "booked"):
            raise Refused(f"waybill {rows[0].number or rows[0].key} is {state} and cannot be voided")
        set_state(tx, [row for row in rows if row.state == "wanted"], "cancelled", reason=f"voided by {actor}")
        let_go(tx, ctx, [row for row in rows if row.state in ("handed", "booked")])
        drop_open(tx, WAYBILL, [head.id], note=f"voided by {actor}")
        _told(tx, head, "voided", {"release": head.number, "waybill": rows[0].key}, actor)
        tx.wake(Stage.PUSH)
        return rows[0].key

    return ctx.store.retrying(act)


def _head(tx: Tx, name: str) -> ReleaseHead:
    """Return the release of a number of ours, of a courier's, or of a booking's key, its orders locked."""
    release_id = release_id_numbered(tx, name)
    if release_id is None:
        raise Refused(f"no release or waybill {name} is known")
    lock_orders_in(tx, release_id)
    return read_head(tx, release_id)


def _told(tx: Tx, head: ReleaseHead, what: str, detail: dict[str, object], actor: str) -> None:
    orders = lock_orders_in(tx, head.id)
    write_events(tx, [Event(kind=f"waybill.{what}", order_id=o.id, detail=detail, actor=actor) for o in orders])


def answer_doubt(tx: Tx, ctx: Context, row: InDoubt, *, arrived: bool, actor: str) -> None:
    """Carry out what a person found out of a booking that had no answer: the courier has it, or not."""
    lock_orders_in(tx, row.ref_id)
    head = read_head(tx, row.ref_id)
    rows = [each for each in lock_keyed(tx, row.key) if each.state == "unsure"]
    account = ctx.channels.get(row.destination_id)
    if arrived and account is not None:
        end_arrived(tx, row.id, note=f"found there by {actor}")
        hand_over(tx, account, head, rows)
        return
    set_state(tx, rows, "wanted", sent_at=None, looked_at=None)
    send_again(tx, row.id)
    _told(tx, head, "again", {"release": head.number, "waybill": row.key}, actor)


def answer_void(tx: Tx, ctx: Context, task: StoredTask, *, actor: str) -> None:
    """Note that a person has seen to a booking which was to be void."""
    known = read_keyed(tx, task.key)
    account = ctx.channels.get(known[0].account_id) if known else None
    if account is None:
        return
    lock_orders_in(tx, known[0].release_id)
    rows = [row for row in lock_keyed(tx, task.key) if row.state == "cancelling"]
    if rows:
        note_void(tx, account, read_head(tx, rows[0].release_id), rows, actor=actor)
