"""Parcels that couriers tell of: which there are, who is asked about each and when, and what was told.

Why a question is put off before it is asked: whoever dies with it, or has a rival, leaves a parcel that is asked about
in its next turn, and never twice in one.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, literal_column, select, update

from erpsync.sdk.text import storable
from erpsync.sdk.types import TrackNode, TrackState
from erpsync.store.db.bulk import in_parts, insert_many, update_many
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import recipient_row, track_node_row
from erpsync.store.tables import orders, release, release_order, shipment, track, track_node, waybill

SCANNED, DELIVERED, RETURNED, GIVEN_UP, COMES_BACK = 1, 2, 4, 8, 16
"""Bits of what was said of a parcel: each is said once."""

_LEAVES = """
ON CONFLICT ("number", carrier) DO UPDATE SET
  left_at = COALESCE(track.left_at, excluded.left_at),
  ask_at = CASE
    WHEN track.left_at IS NULL AND track.state NOT IN ('delivered', 'returned') AND NOT track.over
    THEN excluded.ask_at
    ELSE track.ask_at END
"""
_IS_ASKED_ABOUT = track.c.ask_at.is_not(None)
_HAS_NUMBER = waybill.c.number != literal_column("''")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrack:
    """A parcel as it stands in the database."""

    id: int
    account_id: int | None
    carrier: str
    number: str
    state: str
    scanned_at: datetime | None
    watched: bool
    watches: int
    over: bool
    said: int
    left_at: datetime | None
    ask_at: datetime | None
    whole_at: datetime | None
    read_at: datetime | None
    erased_at: datetime | None


def begin_tracks(tx: Tx, parcels: Iterable[tuple[str, str]]) -> None:
    """Have parcels that leave now, by courier and number, asked about from now on; one that was begun is left alone."""
    rows = [
        {"carrier": carrier, "number": number, "made_at": tx.now, "left_at": tx.now, "ask_at": tx.now}
        for carrier, number in sorted(set(parcels))
    ]
    insert_many(tx, track, rows, conflict=_LEAVES)


def note_tracks(tx: Tx, account_id: int, parcels: Iterable[tuple[str, str]]) -> None:
    """Note parcels of an account that nobody said has left: what is told of them is kept, and nobody asks."""
    rows = [
        {"account_id": account_id, "carrier": carrier, "number": number, "made_at": tx.now}
        for carrier, number in sorted(set(parcels))
    ]
    insert_many(tx, track, rows, conflict="ON CONFLICT DO NOTHING")


def end_track(tx: Tx, carrier: str, number: str) -> None:
    """Ask no more about a parcel that no shipment is any more: its number was corrected."""
    of_parcel = (track.c.number == number, track.c.carrier == carrier)
    used = exists().where(shipment.c.tracking == number, shipment.c.carrier == carrier)
    tx.execute(update(track).where(*of_parcel, ~used).values(ask_at=None))


def stored(row: Any) -> StoredTrack:
    """Return a row of `track` with a type."""
    return StoredTrack(**{name: getattr(row, name) for name in StoredTrack.__dataclass_fields__})


def tracks_of(tx: Tx, numbers: Iterable[str]) -> list[StoredTrack]:
    """Return the parcels with these numbers, of whatever courier, locked, in the order of their ids."""
    ids: list[int] = []
    for part in in_parts(numbers):
        ids += tx.execute(select(track.c.id).where(track.c.number.in_(part))).scalars()
    return lock_tracks(tx, ids)


def lock_tracks(tx: Tx, ids: Iterable[int]) -> list[StoredTrack]:
    """Return these parcels, locked, in the order of their ids."""
    found: list[StoredTrack] = []
    for part in in_parts(ids):
        query = select(track).where(track.c.id.in_(part)).order_by(track.c.id).with_for_update()
        found += [stored(row) for row in tx.all(query)]
    return found


def origins_of(tx: Tx, numbers: Iterable[str]) -> dict[str, int]:
    """Return from which warehouses the parcels of these waybills leave."""
    query = select(waybill.c.number, release.c.warehouse_id).join(release, release.c.id == waybill.c.release_id)
    found: dict[str, int] = {}
    for part in in_parts(numbers):
        rows = tx.all(query.where(_HAS_NUMBER, waybill.c.number.in_(part)).order_by(waybill.c.id))
        found |= {row.number: row.warehouse_id for row in rows}
    return found


def phones_of(tx: Tx, numbers: Iterable[str]) -> dict[str, str]:
    """Return the phones of whom these parcels are sent to, as far as they are told and can be opened."""
    of = (orders.c.channel_id, orders.c.external_id, orders.c.recipient)
    query = select(shipment.c.tracking, *of).join(orders, orders.c.id == shipment.c.order_id)
    found: dict[str, str] = {}
    for part in in_parts(numbers):
        known = query.where(shipment.c.tracking.in_(part), orders.c.recipient.is_not(None))
        for row in tx.all(known.order_by(shipment.c.id)):
            with suppress(PrivacyError):
                opened = tx.vault.decrypt(row.recipient, row=recipient_row(row.channel_id, row.external_id))
                found.setdefault(row.tracking, opened["phone"])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What we know of a parcel by its number: a shipment, or a release's waybill that nobody said has left."""

    order_id: int
    carrier: str
    shipment_id: int | None = None
    shipment: str = ""
    channel_id: int | None = None
    account_id: int | None = None


def parcels_with(tx: Tx, numbers: Iterable[str]) -> dict[str, list[Sent]]:
    """Return the shipments, and the waybills of releases, that have these numbers, each with its order."""
    found: dict[str, list[Sent]] = {}
    columns = (shipment.c.id, shipment.c.order_id, shipment.c.channel_id, shipment.c.carrier, shipment.c.tracking)
    booked = select(waybill.c.number, waybill.c.carrier, waybill.c.account_id, release_order.c.order_id).join(
        release_order, release_order.c.release_id == waybill.c.release_id
    )
    for part in in_parts(numbers):
        left = select(*columns, shipment.c.number).where(shipment.c.tracking.in_(part)).order_by(shipment.c.id)
        for row in tx.all(left):
            sent = Sent(
                order_id=row.order_id,
                carrier=row.carrier,
                shipment_id=row.id,
                shipment=row.number,
                channel_id=row.channel_id,
            )
            found.setdefault(row.tracking, []).append(sent)
        for row in tx.all(booked.where(_HAS_NUMBER, waybill.c.number.in_(part)).order_by(waybill.c.id)):
            known = Sent(order_id=row.order_id, carrier=row.carrier, account_id=row.account_id)
            found.setdefault(row.number, []).append(known)
    return found


def write_nodes(tx: Tx, nodes: Mapping[int, Iterable[TrackNode]], *, replaced: Iterable[int]) -> None:
    """Keep what was told of parcels, by track id, each thing once; of those replaced nothing stays of what was told."""
    for part in in_parts(replaced):
        tx.execute(delete(track_node).where(track_node.c.track_id.in_(part)))
    rows = [
        {
            "track_id": id,
            "key": (key := storable(node.key)),
            "at": node.at,
            "state": node.state.value,
            "code": storable(node.code),
            "place": storable(node.place),
            "text": tx.vault.encrypt(node.text, row=track_node_row(id, key)) if node.text else None,
        }
        for id, told in sorted(nodes.items())
        for node in told
    ]
    insert_many(tx, track_node, rows, conflict="ON CONFLICT DO NOTHING")


def nodes_of(tx: Tx, track_ids: Iterable[int]) -> dict[int, list[TrackNode]]:
    """Return what was told of each of these parcels, but for the words of it."""
    columns = (track_node.c.track_id, track_node.c.key, track_node.c.at, track_node.c.state, track_node.c.place)
    found: dict[int, list[TrackNode]] = {}
    for part in in_parts(track_ids):
        for row in tx.all(select(*columns).where(track_node.c.track_id.in_(part))):
            node = TrackNode(key=row.key, at=row.at, state=TrackState(row.state), place=row.place)
            found.setdefault(row.track_id, []).append(node)
    return found


def write_tracks(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of parcels; all rows have the same ones and their `id`."""
    update_many(tx, track, rows, keys=["id"])


def unassigned(tx: Tx, *, most: int) -> list[StoredTrack]:
    """Return parcels whose account is not found yet, locked; what a rival has is left to it."""
    query = select(track).where(_IS_ASKED_ABOUT, track.c.account_id.is_(None))
    return [stored(row) for row in tx.all(query.order_by(track.c.ask_at).limit(most).with_for_update(skip_locked=True))]


def booked_with(tx: Tx, numbers: Iterable[str]) -> dict[str, list[int]]:
    """Return the accounts that these numbers were booked with, or bought of."""
    found: dict[str, list[int]] = {}
    for part in in_parts(numbers):
        query = select(waybill.c.number, waybill.c.account_id).where(_HAS_NUMBER, waybill.c.number.in_(part))
        for row in tx.all(query.order_by(waybill.c.id)):
            found.setdefault(row.number, []).append(row.account_id)
    return found


def due_tracks(tx: Tx, account_id: int, *, most: int) -> list[StoredTrack]:
    """Return parcels that an account is to be asked about now, locked; what a rival has is left to it."""
    query = select(track).where(_IS_ASKED_ABOUT, track.c.account_id == account_id, track.c.ask_at <= tx.now)
    return [stored(row) for row in tx.all(query.order_by(track.c.ask_at).limit(most).with_for_update(skip_locked=True))]


def put_off(tx: Tx, ids: Iterable[int], until_at: datetime) -> None:
    """Ask about these parcels at an instant, unless nobody asks about them any more."""
    asked = [row.id for row in lock_tracks(tx, ids) if row.ask_at is not None]
    write_tracks(tx, [{"id": id, "ask_at": until_at} for id in asked])


def note_watched(tx: Tx, ids: Iterable[int]) -> None:
    """Note that news of these parcels are pushed."""
    write_tracks(tx, [{"id": row.id, "watched": True} for row in lock_tracks(tx, ids)])


def is_scanned(tx: Tx, carrier: str, number: str) -> bool:
    """Whether a courier has, or had, a parcel in hand."""
    of_parcel = (track.c.number == number, track.c.carrier == carrier, track.c.scanned_at.is_not(None))
    return tx.execute(select(track.c.id).where(*of_parcel)).first() is not None


def erase_tracks(tx: Tx, order_ids: Sequence[int]) -> None:
    """Forget what was told of the parcels of these orders, and keep nothing that is told later; the sums stay."""
    left = select(shipment.c.tracking).where(shipment.c.order_id.in_(order_ids))
    of_orders = select(release_order.c.release_id).where(release_order.c.order_id.in_(order_ids))
    booked = select(waybill.c.number).where(waybill.c.release_id.in_(of_orders), _HAS_NUMBER)
    rows = tracks_of(tx, [*tx.execute(left).scalars(), *tx.execute(booked).scalars()])
    for part in in_parts(row.id for row in rows):
        tx.execute(delete(track_node).where(track_node.c.track_id.in_(part)))
        tx.execute(update(track).where(track.c.id.in_(part)).values(place="", ask_at=None, erased_at=tx.now))
