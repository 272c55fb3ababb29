"""Couriers' numbers for parcels: wanted, booked, bought in advance, void.

Why a booking's rows share its key: its parcels are booked, voided and printed together, and the courier knows the key
of all of them.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, literal_column, select, update

from erpsync.sdk.types import Booking, LabelKind, Waybill
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import waybill_row
from erpsync.store.tables import WAYBILL_IS_UNUSED, release, waybill

LIVE = ("wanted", "unsure", "handed", "booked", "used", "cancelling")
"""States in which a parcel has its number, or may have one."""

BOOKABLE = ("pending", "told")
"""States of a release in which it may be booked."""

_IS_SPARE = waybill.c.state == literal_column("'spare'")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWaybill:
    """A waybill as it stands in the database, but for what the courier gave to print."""

    id: int
    account_id: int
    release_id: int
    parcel: int
    attempt: int
    key: str
    carrier: str
    service: str
    number: str
    state: str
    label_kind: str
    sort_code: str
    sent_at: datetime | None
    looked_at: datetime | None

    @property
    def live(self) -> bool:
        """Whether the parcel has its number, or may have one."""
        return self.state in LIVE

    @property
    def bought(self) -> bool:
        """Whether its number was bought in advance, and no courier was asked for it."""
        return self.number != "" and self.sent_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToBook:
    """An open release whose courier is chosen."""

    id: int
    number: str
    account_id: int
    carrier: str
    service: str
    parcels: int


def releases_to_book(tx: Tx, release_ids: Iterable[int]) -> list[ToBook]:
    """Return those of the releases that are open and whose courier is chosen, by their ids."""
    query = select(release).where(release.c.account_id.is_not(None), release.c.state.in_(BOOKABLE))
    return [
        ToBook(
            id=row.id,
            number=row.number,
            account_id=row.account_id,
            carrier=row.carrier,
            service=row.service,
            parcels=row.parcels,
        )
        for part in in_parts(release_ids)
        for row in tx.all(query.where(release.c.id.in_(part)).order_by(release.c.id))
    ]


def lock_waybills_of(tx: Tx, release_ids: Iterable[int]) -> dict[int, list[StoredWaybill]]:
    """Return the waybills of each of these releases, locked, in the order of their ids."""
    found: dict[int, list[StoredWaybill]] = {}
    for part in in_parts(release_ids):
        query = select(waybill).where(waybill.c.release_id.in_(part)).order_by(waybill.c.id)
        for row in tx.all(query.with_for_update()):
            found.setdefault(row.release_id, []).append(stored(row))
    return found


def lock_keyed(tx: Tx, key: str) -> list[StoredWaybill]:
    """Return the waybills of a booking, locked, first parcel first; none where nothing has that key."""
    query = select(waybill).where(waybill.c.key == key).order_by(waybill.c.id).with_for_update()
    return sorted((stored(row) for row in tx.all(query)), key=lambda row: row.parcel)


def read_keyed(tx: Tx, key: str) -> list[StoredWaybill]:
    """Return the waybills of a booking, first parcel first."""
    return [stored(row) for row in tx.all(select(waybill).where(waybill.c.key == key).order_by(waybill.c.parcel))]


def wanting(tx: Tx, account_id: int, *, most: int) -> list[int]:
    """Return the ids of releases that wait for a number of an account, oldest first."""
    query = select(waybill.c.release_id).where(
        WAYBILL_IS_UNUSED, waybill.c.state == literal_column("'wanted'"), waybill.c.account_id == account_id
    )
    return list(tx.execute(query.where(waybill.c.parcel == 1).order_by(waybill.c.id).limit(most)).scalars())


def stored(row: Any) -> StoredWaybill:
    """Return a row of `waybill` with a type; it must be of a release."""
    return StoredWaybill(**{name: getattr(row, name) for name in StoredWaybill.__dataclass_fields__})


def lock_spares(tx: Tx, account_id: int, carrier: str, service: str, most: int) -> list[int]:
    """Return the ids of numbers that an account bought in advance, oldest first, locked; rivals take others."""
    query = select(waybill.c.id).where(
        _IS_SPARE,
        waybill.c.account_id == account_id,
        waybill.c.carrier == carrier,
        waybill.c.service.in_(("", service)),
    )
    return list(tx.execute(query.order_by(waybill.c.id).limit(most).with_for_update(skip_locked=True)).scalars())


def holders_of(tx: Tx, account_id: int, numbers: Iterable[str]) -> Mapping[str, Any]:
    """Return the rows of an account that have these numbers."""
    found: dict[str, Any] = {}
    for part in in_parts(numbers):
        # Written as the index has it: a number that is empty is none.
        query = select(waybill).where(
            waybill.c.number != literal_column("''"), waybill.c.account_id == account_id, waybill.c.number.in_(part)
        )
        found |= {row.number: row for row in tx.all(query)}
    return found


def set_state(tx: Tx, rows: Sequence[StoredWaybill], state: str, *, reason: str = "", **values: Any) -> None:
    """Put waybills into a state, its end noted if it is one."""
    ended_at = tx.now if state in ("used", "cancelled", "refused") else None
    ids = [row.id for row in rows]
    put = {"state": state, "reason": reason, "ended_at": ended_at, **values}
    tx.execute(update(waybill).where(waybill.c.id.in_(ids)).values(**put))


def note_looked(tx: Tx, rows: Sequence[StoredWaybill]) -> None:
    """Note that a booking was looked for in vain, unless more is known of it by now."""
    unsure = waybill.c.id.in_([row.id for row in rows]) & (waybill.c.state == "unsure")
    tx.execute(update(waybill).where(unsure).values(looked_at=tx.now))


def set_spare(tx: Tx, rows: Sequence[StoredWaybill]) -> None:
    """Give numbers that were bought in advance back, to be any parcel's."""
    free = {"state": "spare", "release_id": None, "key": None, "parcel": 1, "attempt": 1, "booked_at": None}
    tx.execute(update(waybill).where(waybill.c.id.in_([row.id for row in rows])).values(**free, reason=""))


def write_number(tx: Tx, rows: Sequence[StoredWaybill], got: Waybill, state: str) -> None:
    """Give a booking's parcels their numbers, first one first, with what the courier gave to print, sealed."""
    for row, number in zip(rows, (got.number, *got.children), strict=True):
        first = row is rows[0]
        tx.execute(
            update(waybill)
            .where(waybill.c.id == row.id)
            .values(
                number=number,
                state=state,
                carrier=got.carrier,
                sort_code=got.sort_code,
                label_kind=got.label_kind.value,
                label=sealed_label(tx, row.id, handle=got.handle, data=got.label) if first else None,
                cost_minor=got.cost_minor if first else None,
                currency=got.currency,
                reason="",
                booked_at=tx.now,
            )
        )


def sealed_label(tx: Tx, waybill_id: int, *, handle: str, data: bytes) -> bytes | None:
    """Return what a courier gave to a booking, sealed; None where that is nothing."""
    if not handle and not data:
        return None
    plain = {"handle": handle, "label": base64.b64encode(data).decode()}
    return tx.vault.encrypt(plain, row=waybill_row(waybill_id))


def keep_label(tx: Tx, waybill_id: int, *, handle: str, data: bytes) -> None:
    """Keep what the courier made for a booking."""
    sealed = sealed_label(tx, waybill_id, handle=handle, data=data)
    tx.execute(update(waybill).where(waybill.c.id == waybill_id).values(label=sealed))


def opened_label(tx: Tx, waybill_id: int) -> tuple[str, bytes]:
    """Return what a courier wants to hear when asked about a booking, and its labels; empty where it gave none."""
    value = tx.execute(select(waybill.c.label).where(waybill.c.id == waybill_id)).scalar_one()
    if value is None:
        return "", b""
    opened = tx.vault.decrypt(value, row=waybill_row(waybill_id))
    return opened["handle"], base64.b64decode(opened["label"])


def kept_labels(connection: Connection, vault: Vault, waybill_ids: Iterable[int]) -> dict[int, bytes]:
    """Return the labels of bookings that are here, by the ids of their first parcels."""
    found: dict[int, bytes] = {}
    for part in in_parts(waybill_ids):
        rows = connection.execute(select(waybill.c.id, waybill.c.label).where(waybill.c.id.in_(part)))
        opened = {row.id: vault.decrypt(row.label, row=waybill_row(row.id)) for row in rows if row.label is not None}
        found |= {id: base64.b64decode(each["label"]) for id, each in opened.items() if each["label"]}
    return found


def booking_of(tx: Tx, rows: Sequence[StoredWaybill]) -> Booking:
    """Return what leads a courier to a booking."""
    first, *others = rows
    handle, _ = opened_label(tx, first.id)
    children = tuple(row.number for row in others if row.number)
    return Booking(key=first.key, carrier=first.carrier, number=first.number, children=children, handle=handle)


def label_kind_of(row: StoredWaybill) -> LabelKind:
    """Return of what kind a booking's labels are."""
    return LabelKind(row.label_kind) if row.label_kind else LabelKind.NONE
