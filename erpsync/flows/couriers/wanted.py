"""Wanting a number for each release: one that was bought in advance, else a booking with the account.

    wanted ─number bought in advance─────────────▶ booked ─the parcel leaves─▶ used
       └─errand─▶ unsure ─the courier's answer─▶ handed ─▶ booked
                     └─ refused; a person tries again

Why the key is written with the wish, and not with the call: whoever finds a call without an answer has to know what it
was called.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete

from erpsync.flows.context import Channel, Context
from erpsync.sdk.roles import CourierSink
from erpsync.store.db.bulk import insert_many, new_ids, update_many
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.hurry import run_about
from erpsync.store.outbox.queue import LANE_SHIPMENT, RELEASE, WAYBILL, WAYBILL_CANCEL, Effect, enqueue
from erpsync.store.releases import orders_in
from erpsync.store.tables import waybill
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.waybills import (
    StoredWaybill,
    ToBook,
    lock_spares,
    lock_waybills_of,
    releases_to_book,
    set_state,
    wanting,
)

TASK = "no_waybill"
"""The kind of task that says why a release has no number; its key is the release's."""
AT_ONCE = 200


def want_waybills(tx: Tx, ctx: Context, release_ids: Iterable[int], *, anew: bool = False) -> int:
    """See that each release whose courier is chosen has a number or gets one; return for how many that was to be done.

    Whoever calls has the releases' orders locked. One that has a live waybill, or one that was refused, is left alone.

    Args:
        anew: a person wants one that was refused to be tried again.
    """
    heads = [head for head in releases_to_book(tx, release_ids) if _is_known(ctx, head.account_id)]
    known = lock_waybills_of(tx, [head.id for head in heads])
    lacking = [head for head in heads if not any(row.live for row in known.get(head.id, ()))]
    refused = {head.id: rows for head in lacking if (rows := _refused(known.get(head.id, ()), head))}
    fresh = [head for head in lacking if head.id not in refused]
    attempts = {id: max(row.attempt for row in rows) for id, rows in known.items()}
    given = _take_spares(tx, fresh, attempts)
    _tell_booked(tx, given)
    _want(tx, ctx, [head for head in fresh if head not in given], attempts)
    if anew:
        for head in lacking:
            if again := refused.get(head.id):
                set_state(tx, again, "wanted", sent_at=None, looked_at=None)
                enqueue(tx, [errand(tx, head.account_id, head.id, again[0].key)])
    return len(fresh) + (len(refused) if anew else 0)


def _refused(rows: Sequence[StoredWaybill], head: ToBook) -> list[StoredWaybill]:
    """Return what the account refused last; its key may be taken there, so it is tried again under no other."""
    last = max((row.attempt for row in rows), default=0)
    asked = (last, "refused", head.account_id, head.carrier, head.service)
    return [row for row in rows if (row.attempt, row.state, row.account_id, row.carrier, row.service) == asked]


def _want(tx: Tx, ctx: Context, heads: Sequence[ToBook], attempts: Mapping[int, int]) -> None:
    rows = [
        {
            "account_id": head.account_id,
            "release_id": head.id,
            "parcel": parcel,
            "attempt": attempts.get(head.id, 0) + 1,
            "key": key_of(head, attempts.get(head.id, 0) + 1),
            "carrier": head.carrier,
            "service": head.service,
            "state": "wanted",
            "made_at": tx.now,
        }
        for head in heads
        for parcel in range(1, head.parcels + 1)
    ]
    ids = new_ids(tx, waybill, len(rows))
    insert_many(tx, waybill, [{"id": id, **row} for id, row in zip(ids, rows, strict=True)])
    booking = [head for head in heads if _books(ctx, head.account_id)]
    keys = {head.id: key_of(head, attempts.get(head.id, 0) + 1) for head in booking}
    enqueue(tx, [errand(tx, head.account_id, head.id, keys[head.id]) for head in booking])
    _ask_for_numbers(tx, [head for head in heads if head not in booking])


def _is_known(ctx: Context, account_id: int) -> bool:
    """Whether this process knows what an account can do; where it does not, the wish is left to one that does."""
    account = ctx.channels.get(account_id)
    return account is not None and account.connector_kind is not None


def _books(ctx: Context, account_id: int) -> bool:
    account = ctx.channels.get(account_id)
    return account is not None and account.plays(CourierSink)


def _ask_for_numbers(tx: Tx, heads: Sequence[ToBook]) -> None:
    together = orders_in(tx, [head.id for head in heads])
    open_tasks(
        tx,
        [
            Task(
                kind=TASK,
                key=head.number,
                reason=f"no number of {head.carrier} is left for release {head.number}; "
                f"buy some and take them in by `erpsync waybills import`",
                channel_id=head.account_id,
                order_id=together[head.id][0],
            )
            for head in heads
        ],
    )


def give_spares(tx: Tx, channel: Channel) -> int:
    """Give numbers that were bought in advance to releases that wait for one; return how many got theirs.

    Those of an account that books are left to its errands.
    """
    if channel.plays(CourierSink):
        return 0
    waiting = wanting(tx, channel.id, most=AT_ONCE)
    lock_order_ids(tx, [id for ids in orders_in(tx, waiting).values() for id in ids])
    known = lock_waybills_of(tx, waiting)
    served = []
    for head in releases_to_book(tx, waiting):
        rows = [row for row in known[head.id] if row.state == "wanted"]
        spares = lock_spares(tx, channel.id, head.carrier, head.service, len(rows)) if rows else []
        if not rows or len(spares) < len(rows):
            continue
        tx.execute(delete(waybill).where(waybill.c.id.in_([row.id for row in rows])))
        _give(tx, head, spares, rows[0].key, rows[0].attempt)
        served.append(head)
    _tell_booked(tx, served)
    return len(served)


def _take_spares(tx: Tx, heads: Sequence[ToBook], attempts: Mapping[int, int]) -> list[ToBook]:
    """Give releases numbers that were bought in advance, as far as there are enough for all parcels of one.

    Return those that got theirs.
    """
    groups: dict[tuple[int, str, str], list[ToBook]] = {}
    for head in heads:
        groups.setdefault((head.account_id, head.carrier, head.service), []).append(head)
    given: list[ToBook] = []
    for of_group, members in sorted(groups.items()):
        spares = lock_spares(tx, *of_group, sum(head.parcels for head in members))
        for head in members:
            if len(spares) < head.parcels:
                continue
            own, spares = spares[: head.parcels], spares[head.parcels :]
            attempt = attempts.get(head.id, 0) + 1
            _give(tx, head, own, key_of(head, attempt), attempt)
            given.append(head)
    return given


def key_of(head: ToBook, attempt: int) -> str:
    """Return the key of a booking: all parcels of it share it, and the first one names it."""
    return f"{head.number}-1-{attempt}"


def _give(tx: Tx, head: ToBook, spares: Sequence[int], key: str, attempt: int) -> None:
    of_release = {"release_id": head.id, "key": key, "attempt": attempt, "state": "booked", "booked_at": tx.now}
    rows = [{"id": id, "parcel": parcel, **of_release} for parcel, id in enumerate(spares, 1)]
    update_many(tx, waybill, rows, keys=["id"])


def _tell_booked(tx: Tx, heads: Sequence[ToBook]) -> None:
    together = orders_in(tx, [head.id for head in heads])
    events = [
        Event(
            kind="waybill.booked",
            order_id=order_id,
            channel_id=head.account_id,
            detail={"release": head.number, "carrier": head.carrier},
        )
        for head in heads
        for order_id in together[head.id]
    ]
    write_events(tx, events)
    run_about(tx, RELEASE, [head.id for head in heads])
    close_tasks(tx, TASK, [head.number for head in heads], by="erpsync")


def errand(tx: Tx, account_id: int, release_id: int, key: str, *, void: bool = False) -> Effect:
    """Return the errand that books a key with an account, or voids it; the two never run at once."""
    return Effect(
        destination_id=account_id,
        kind=WAYBILL_CANCEL if void else WAYBILL,
        key=key,
        ref_id=release_id,
        serial_key=f"waybill:{key}",
        lane=LANE_SHIPMENT,
        run_at=tx.now,
        marked_at=tx.now,
    )
